//! Forms: fields by name, urlencoded or multipart.

use super::Redaction;
use super::text::Edits;

impl Redaction<'_> {
    pub(super) fn urlencoded(&self, text: &str) -> String {
        self.pairs(text, |name| self.rules.fields.contains(name))
    }

    /// `a=b&c=d`: hides the values of secret names, and cleans the others as text.
    pub(super) fn pairs(&self, text: &str, is_secret: impl Fn(&str) -> bool) -> String {
        let clean = |pair: &str| match pair.split_once('=') {
            Some((name, value)) if is_secret(&decoded(innermost(name))) && !value.is_empty() => {
                let plain = decoded(value);
                let masked = self.hide(&plain);
                if plain != value {
                    self.hide(value);
                }
                format!("{name}={masked}")
            }
            _ => self.text(pair),
        };
        text.split('&').map(clean).collect::<Vec<_>>().join("&")
    }

    /// RFC 7578. `None` when the parts cannot be told apart.
    pub(super) fn multipart(&self, text: &str, boundary: &str) -> Option<String> {
        let delimiter = format!("--{boundary}");
        if boundary.is_empty() || !text.contains(&delimiter) {
            return None;
        }
        let mut edits = Edits::default();
        let mut at = 0;
        for part in text.split(delimiter.as_str()) {
            let span = at..at + part.len();
            at = span.end + delimiter.len();
            let Some(head_end) = part.find("\r\n\r\n") else { continue };
            let content = span.start + head_end + 4..span.end.saturating_sub(2);
            if content.is_empty() {
                continue;
            }
            let value = text.get(content.clone())?;
            let secret = field_name(&part[..head_end]).is_some_and(|name| self.rules.fields.contains(name));
            let clean = if secret { self.hide(value) } else { self.text(value) };
            edits.replace(content, clean);
        }
        Some(edits.apply(text).into_owned())
    }
}

/// `password` of `user[password]`, as forms of many frameworks nest their names.
fn innermost(name: &str) -> &str {
    let name = name.trim_end_matches("%5D").trim_end_matches("%5d").trim_end_matches(']');
    name.rsplit("%5B")
        .next()
        .and_then(|name| name.rsplit("%5b").next())
        .and_then(|name| name.rsplit('[').next())
        .unwrap_or(name)
}

fn field_name(head: &str) -> Option<&str> {
    let (_, rest) = head.split_once("name=\"").or_else(|| head.split_once("name="))?;
    let end = rest.find(['"', ';', '\r', '\n']).unwrap_or(rest.len());
    Some(innermost(&rest[..end]))
}

/// `%41+b` as `A b`; what is no escape stays.
pub(super) fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let hex = |at: usize| bytes.get(at).and_then(|digit| (*digit as char).to_digit(16));
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        match (bytes[at], hex(at + 1), hex(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 2;
            }
            (b'+', ..) => out.push(b' '),
            (byte, ..) => out.push(byte),
        }
        at += 1;
    }
    String::from_utf8_lossy(&out).into_owned()
}
