//! Text of any kind: a name that is secret, something that assigns, and the value.
//!
//! One scanner for queries in URLs, headers in a dump, assignments, attributes and elements. It errs on the side of
//! hiding: in `token: see below` it hides `see`.

use std::borrow::Cow;
use std::ops::Range;

use super::Redaction;

/// Replacements in one text, in order and apart from each other.
#[derive(Debug, Default)]
pub(super) struct Edits(Vec<(Range<usize>, String)>);

impl Edits {
    pub(super) fn replace(&mut self, span: Range<usize>, with: String) {
        self.0.push((span, with));
    }

    pub(super) fn apply<'a>(&self, text: &'a str) -> Cow<'a, str> {
        if self.0.is_empty() {
            return Cow::Borrowed(text);
        }
        let mut out = String::with_capacity(text.len());
        let mut copied = 0;
        for (span, with) in &self.0 {
            out.push_str(&text[copied..span.start]);
            out.push_str(with);
            copied = span.end;
        }
        out.push_str(&text[copied..]);
        Cow::Owned(out)
    }
}

impl Redaction<'_> {
    /// Hides what secret names are given, and every secret that was found before.
    pub(super) fn text(&self, text: &str) -> String {
        let mut edits = Edits::default();
        let mut at = 0;
        while let Some(name) = next_word(text, at) {
            at = name.end;
            if !may_be_assigned(&text[name.end..]) || !self.rules.text.contains(&text[name.clone()]) {
                continue;
            }
            if let Some(value) = assigned(text, &name).filter(|value| !value.is_empty()) {
                at = value.end;
                let masked = &text[value.clone()];
                if !masked.starts_with("<redacted:") {
                    edits.replace(value.clone(), self.hide(masked));
                }
            }
        }
        self.scrub(&edits.apply(text)).into_owned()
    }

    /// Hides every secret that was found before.
    pub(super) fn scrub<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for secret in self.found.borrow().iter() {
            if memchr::memmem::find(text.as_bytes(), secret.as_bytes()).is_some() {
                text = Cow::Owned(text.replace(secret.as_str(), &self.rules.mask.of(secret.as_bytes())));
            }
        }
        text
    }
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')
}

/// The next run of characters that a name is made of.
fn next_word(text: &str, from: usize) -> Option<Range<usize>> {
    let bytes = text.as_bytes();
    let mut start = from + bytes[from..].iter().position(|byte| is_word(*byte))?;
    // In an encoded URL, `%26token%3Dx`, the digits of the escape are no part of the name.
    let escaped = start > 0 && bytes[start - 1] == b'%';
    if escaped && bytes.len() > start + 2 && bytes[start..start + 2].iter().all(u8::is_ascii_hexdigit) {
        start += 2;
    }
    let length = bytes[start..].iter().position(|byte| !is_word(*byte)).unwrap_or(bytes.len() - start);
    Some(start..start + length)
}

/// Whether an assignment can follow at all. Spares most words the look into the list of names.
fn may_be_assigned(rest: &str) -> bool {
    let rest = rest.as_bytes();
    let spaces = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    matches!(rest.get(spaces), Some(b'=' | b':' | b'%' | b'>' | b'"' | b'\'' | b'\\'))
        || [&b"value="[..], b"content="].iter().any(|sign| rest[spaces..].starts_with(sign))
}

/// The value that is assigned to the name that ends before `rest`.
fn assigned(text: &str, name: &Range<usize>) -> Option<Range<usize>> {
    let rest = &text[name.end..];
    let after_quote = ["\\\"", "\"", "'"].iter().find_map(|quote| rest.strip_prefix(quote)).unwrap_or(rest);
    let trimmed = after_quote.trim_start_matches([' ', '\t']);
    if let Some(value) = trimmed.strip_prefix("%3D").or_else(|| trimmed.strip_prefix("%3d")) {
        return Some(span(text, value, value.find(['%', '&', '#', '"', '\'', '<', '>', ' ', '\n'])));
    }
    // `<password>value</password>`
    if text[..name.start].ends_with('<')
        && let Some(value) = rest.strip_prefix('>')
    {
        return Some(span(text, value, value.find('<')));
    }
    // `<input name="csrf_token" value="…">`
    let assignment = ["=", ":", "value=", "content="].iter().find_map(|sign| trimmed.strip_prefix(sign))?;
    let value = assignment.trim_start_matches([' ', '\t']);
    for quote in ["\\\"", "\"", "'"] {
        if let Some(quoted) = value.strip_prefix(quote) {
            return Some(span(text, quoted, quoted.find(quote)));
        }
    }
    let delimiters = |c: char| c.is_whitespace() || "&;,<>\"'#)]}\\".contains(c);
    let end = value.find(delimiters);
    // `Authorization: Bearer …`: the scheme is no secret, what follows it is.
    let word = &value[..end.unwrap_or(value.len())];
    if ["bearer", "basic", "token", "digest", "negotiate"]
        .iter()
        .any(|scheme| word.eq_ignore_ascii_case(scheme))
        && let Some(credentials) = value[word.len()..].strip_prefix(' ')
    {
        return Some(span(text, credentials, credentials.find(['\r', '\n', '"', '\'', '<'])));
    }
    Some(span(text, value, end))
}

/// Where the first `length` bytes of `value`, which ends where `text` ends, are in `text`.
fn span(text: &str, value: &str, length: Option<usize>) -> Range<usize> {
    let start = text.len() - value.len();
    start..start + length.unwrap_or(value.len())
}
