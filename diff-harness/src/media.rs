//! Content-Type, parsed (RFC 9110 §8.3).

use http::HeaderMap;
use http::header::CONTENT_TYPE;

/// A media type with its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaType {
    /// `type/subtype`, lowercase.
    pub essence: String,
    /// By lowercase name, sorted; `charset` in lowercase.
    pub parameters: Vec<(String, String)>,
}

/// How a body of some media type is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    Json,
    /// One JSON document per line.
    JsonLines,
    /// `application/x-www-form-urlencoded`.
    Form,
    /// Text and markup.
    Text,
    Binary,
}

impl MediaType {
    /// The media type that the headers declare, if they do and it can be read.
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        Self::parse(headers.get(CONTENT_TYPE)?.to_str().ok()?)
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = split_outside_quotes(text, b';').into_iter();
        let essence = parts.next()?.trim().to_ascii_lowercase();
        let (main, sub) = essence.split_once('/')?;
        if main.is_empty() || sub.is_empty() || essence.contains(char::is_whitespace) {
            return None;
        }
        let mut parameters: Vec<(String, String)> = parts.filter_map(parameter).collect();
        parameters.sort();
        Some(Self { essence, parameters })
    }

    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// HTML and XML in all their kinds: white space around tags is layout.
    pub fn is_markup(&self) -> bool {
        self.essence.ends_with("/html") || self.essence.ends_with("/xml") || self.essence.ends_with("+xml")
    }

    pub fn family(&self) -> Family {
        let (main, sub) = self.essence.split_once('/').expect("an essence has a slash");
        match (main, sub) {
            ("application" | "text", "json") => Family::Json,
            ("application", "x-ndjson" | "ndjson" | "jsonl" | "x-jsonlines" | "jsonlines" | "json-lines") => {
                Family::JsonLines
            }
            ("application", "x-www-form-urlencoded") => Family::Form,
            (_, sub) if sub.ends_with("+json") => Family::Json,
            ("text", _) => Family::Text,
            (_, sub) if sub.ends_with("+xml") || sub.ends_with("+yaml") => Family::Text,
            (
                "application",
                "xml" | "javascript" | "ecmascript" | "yaml" | "x-yaml" | "toml" | "graphql" | "sql" | "x-sh"
                | "vnd.apple.mpegurl" | "x-mpegurl",
            ) => Family::Text,
            _ => Family::Binary,
        }
    }
}

/// `name=value` or `name="value"`.
fn parameter(text: &str) -> Option<(String, String)> {
    let (name, value) = text.split_once('=')?;
    let name = name.trim().to_ascii_lowercase();
    let value = unquote(value.trim());
    let value = if name == "charset" { value.to_ascii_lowercase() } else { value };
    (!name.is_empty()).then_some((name, value))
}

/// A quoted-string without its quotes and escapes (RFC 9110 §5.6.4); anything else as it is.
pub(crate) fn unquote(text: &str) -> String {
    let Some(inner) = text.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) else {
        return text.to_owned();
    };
    let mut plain = String::with_capacity(inner.len());
    let mut chars = inner.chars();
    while let Some(c) = chars.next() {
        plain.push(if c == '\\' { chars.next().unwrap_or(c) } else { c });
    }
    plain
}

/// Splits a field value at a separator that stands outside of quoted strings and of `<…>`.
pub(crate) fn split_outside_quotes(text: &str, separator: u8) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut quoted, mut bracketed, mut escaped) = (0, false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if !bracketed => quoted = !quoted,
            b'<' if !quoted => bracketed = true,
            b'>' if !quoted => bracketed = false,
            byte if byte == separator && !quoted && !bracketed => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_media_type_is_read_without_its_form() {
        let media = MediaType::parse("Application/JSON ; Charset=\"UTF-8\"; profile=\"a;b\"").unwrap();
        assert_eq!(media.essence, "application/json");
        assert_eq!(media.parameter("charset"), Some("utf-8"));
        assert_eq!(media.parameter("profile"), Some("a;b"));
        for text in ["", "json", "/json", "a/", "a b/c"] {
            assert_eq!(MediaType::parse(text), None, "{text:?} was taken");
        }
    }

    #[test]
    fn every_media_type_has_a_way_to_be_compared() {
        for (text, family) in [
            ("application/json", Family::Json),
            ("application/problem+json; charset=utf-8", Family::Json),
            ("application/x-ndjson", Family::JsonLines),
            ("application/x-www-form-urlencoded", Family::Form),
            ("text/html", Family::Text),
            ("image/svg+xml", Family::Text),
            ("image/png", Family::Binary),
            ("application/jsonp", Family::Binary),
        ] {
            assert_eq!(MediaType::parse(text).unwrap().family(), family, "{text}");
        }
    }
}
