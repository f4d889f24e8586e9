//! One spelling for the literal text of templates and of request paths.

use std::borrow::Cow;

/// What a byte means in a path, by RFC 3986 §3.3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Byte {
    /// Stands for itself: unreserved, sub-delims, `:` and `@`.
    Plain,
    Slash,
    Percent,
    Backslash,
    /// Not allowed in a path, but seen there: spelled as a percent-encoding.
    Foreign,
    /// Control characters and space; no HTTP parser should let them through.
    Control,
    NonAscii,
}

pub(super) const fn byte(byte: u8) -> Byte {
    BYTES[byte as usize]
}

/// RFC 3986 §2.3: encoded or not, these are the same character.
pub(super) const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

const BYTES: [Byte; 256] = {
    let mut table = [Byte::Foreign; 256];
    let mut at = 0;
    while at < 256 {
        let byte = at as u8;
        table[at] = match byte {
            b'/' => Byte::Slash,
            b'%' => Byte::Percent,
            b'\\' => Byte::Backslash,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' | b':' | b'@' => {
                Byte::Plain
            }
            0..=0x20 | 0x7f => Byte::Control,
            0x80.. => Byte::NonAscii,
            _ if is_unreserved(byte) => Byte::Plain,
            _ => Byte::Foreign,
        };
        at += 1;
    }
    table
};

/// The byte that `%XY` at the start of `text` stands for; `None` unless two hexadecimal digits follow.
pub(super) fn decoded(text: &[u8]) -> Option<u8> {
    let digit = |at: usize| char::from(*text.get(at)?).to_digit(16);
    // Both digits are below 16, so the sum is below 256.
    Some((digit(1)? * 16 + digit(2)?) as u8)
}

/// How many bytes the character at the start of `text` takes: 3 for a percent-encoding, else 1.
pub(super) fn unit(text: &[u8]) -> usize {
    if text.first() == Some(&b'%') { 3 } else { 1 }
}

/// Spells `text` the one way in which it is matched: unreserved characters decoded, other encodings in upper
/// case (RFC 3986 §6.2.2), whatever may not stand in a path encoded. Every `%` must start an encoding.
pub(super) fn normalise(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut out: Option<String> = None;
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let (length, spelled) = match byte(rest[0]) {
            Byte::Plain | Byte::Slash => (1, Spelled::AsIs),
            Byte::Percent => match decoded(rest) {
                Some(plain) if is_unreserved(plain) => (3, Spelled::Plain(plain)),
                Some(_) if rest[1..3].iter().any(u8::is_ascii_lowercase) => (3, Spelled::Upper),
                Some(_) => (3, Spelled::AsIs),
                None => (1, Spelled::AsIs),
            },
            Byte::Backslash | Byte::Foreign | Byte::Control | Byte::NonAscii => {
                (1, Spelled::Encoded(rest[0]))
            }
        };
        if out.is_none() && !matches!(spelled, Spelled::AsIs) {
            out = Some(text[..at].to_owned());
        }
        if let Some(out) = &mut out {
            match spelled {
                Spelled::AsIs => out.push_str(&text[at..at + length]),
                Spelled::Plain(byte) => out.push(char::from(byte)),
                Spelled::Upper => out.extend(text[at..at + length].chars().map(|c| c.to_ascii_uppercase())),
                Spelled::Encoded(byte) => {
                    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
                    out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
                }
            }
        }
        at += length;
    }
    out.map_or(Cow::Borrowed(text), Cow::Owned)
}

enum Spelled {
    AsIs,
    Plain(u8),
    Upper,
    Encoded(u8),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_has_one_spelling() {
        for (text, expected) in [
            ("/playlists", "/playlists"),
            ("/%70laylists%2f", "/playlists%2F"),
            ("/a b", "/a%20b"),
            ("/caf\u{e9}", "/caf%C3%A9"),
            ("/caf%c3%a9", "/caf%C3%A9"),
            ("/a\"{}", "/a%22%7B%7D"),
            ("/%40me", "/%40me"),
            ("/@me", "/@me"),
            ("/%2e%2E", "/.."),
        ] {
            assert_eq!(normalise(text), expected, "{text}");
            assert_eq!(normalise(expected), expected, "{expected} is not its own spelling");
        }
    }

    #[test]
    fn the_common_case_is_not_copied() {
        assert!(matches!(normalise("/playlists/1;a=b,c@d:e!$&'()*+~-_."), Cow::Borrowed(_)));
    }
}
