//! Named formats: what a value that may differ must still look like.

use super::timestamp::Instant;
use crate::json::Number;

/// A format by name. Two values have it in common when both have it *and* are written alike: a timestamp with
/// slashes and one with dashes are not one format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Format {
    /// RFC 3339 and relatives, an HTTP date, or an epoch number of 10 or 13 digits.
    Timestamp,
    /// `2024-05-01`.
    Date,
    /// 8-4-4-4-12 hex digits.
    Uuid,
    /// A whole number, as a number or as a string of digits.
    Integer,
    /// Any number, as a number.
    Number,
    /// An absolute http or https URL.
    Url,
    /// Eight hex digits or more; as many on both sides.
    Hex,
    /// Opaque: 16 characters or more of the token alphabet, with letters and digits mixed; no word has it.
    Token,
}

/// A value that a format can be asked of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scalar<'a> {
    Text(&'a str),
    /// A number as JSON writes it.
    Number(&'a str),
}

impl Format {
    pub const ALL: [Self; 8] = [
        Self::Timestamp,
        Self::Date,
        Self::Uuid,
        Self::Integer,
        Self::Number,
        Self::Url,
        Self::Hex,
        Self::Token,
    ];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Timestamp => "timestamp",
            Self::Date => "date",
            Self::Uuid => "uuid",
            Self::Integer => "integer",
            Self::Number => "number",
            Self::Url => "url",
            Self::Hex => "hex",
            Self::Token => "token",
        }
    }

    /// Whether both values have this format, written alike.
    pub fn holds(self, control: Scalar<'_>, candidate: Scalar<'_>) -> bool {
        use Scalar::{Number, Text};
        match (self, control, candidate) {
            (Self::Timestamp, Text(a), Text(b)) => same_layout(Instant::of_text(a), Instant::of_text(b)),
            (Self::Timestamp, Number(a), Number(b)) => {
                same_layout(Instant::of_number(a), Instant::of_number(b))
            }
            (Self::Integer, Number(a), Number(b)) => is_whole(a) && is_whole(b),
            (Self::Number, Number(_), Number(_)) => true,
            (Self::Hex, Text(a), Text(b)) => a.len() == b.len() && is_hex(a) && is_hex(b),
            (_, Text(a), Text(b)) => self.fits(a) && self.fits(b),
            _ => false,
        }
    }

    fn fits(self, text: &str) -> bool {
        match self {
            Self::Timestamp => Instant::of_text(text).is_some(),
            Self::Date => is_date(text),
            Self::Uuid => is_uuid(text),
            Self::Integer => {
                let digits = text.strip_prefix('-').unwrap_or(text);
                !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
            }
            Self::Number => false,
            Self::Url => is_url(text),
            Self::Hex => is_hex(text),
            Self::Token => is_token(text),
        }
    }
}

impl std::str::FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            format!("`{text}` is not a format: expected one of {names}")
        })
    }
}

fn same_layout(control: Option<Instant>, candidate: Option<Instant>) -> bool {
    matches!((control, candidate), (Some(a), Some(b)) if a.layout == b.layout)
}

/// A number without a fraction, whatever its form. A value with a fraction differs from itself cut off at the point.
fn is_whole(number: &str) -> bool {
    match number.split_once(['.', 'e', 'E']) {
        None => true,
        Some((whole, _)) => !number.contains(['e', 'E']) && Number::of(number) == Number::of(whole),
    }
}

fn is_date(text: &str) -> bool {
    text.len() == 10 && text.is_ascii() && Instant::of_text(&format!("{text}T00:00:00Z")).is_some()
}

fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_url(text: &str) -> bool {
    let scheme = text.starts_with("http://") || text.starts_with("https://");
    scheme && text.parse::<http::Uri>().is_ok_and(|uri| uri.host().is_some_and(|host| !host.is_empty()))
}

fn is_hex(text: &str) -> bool {
    text.len() >= 8 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_token(text: &str) -> bool {
    let any = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    let alphabet = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=:".contains(&byte);
    text.len() >= 16
        && text.bytes().all(alphabet)
        && any(u8::is_ascii_alphabetic)
        && (any(u8::is_ascii_digit)
            || text.len() >= 32 && any(u8::is_ascii_uppercase) && any(u8::is_ascii_lowercase))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_format_is_kept_or_it_is_not() {
        use Scalar::{Number, Text};
        for (format, control, candidate, holds) in [
            (Format::Timestamp, Text("2024-05-01T10:00:00Z"), Text("2025-01-01T00:00:00Z"), true),
            (Format::Timestamp, Text("2024-05-01T10:00:00.1Z"), Text("2025-01-01T00:00:00.123Z"), true),
            (Format::Timestamp, Text("2012/05/01 10:00:00 +0000"), Text("2013/05/01 10:00:00 +0000"), true),
            (Format::Timestamp, Text("2012/05/01 10:00:00 +0000"), Text("2013-05-01T10:00:00Z"), false),
            (Format::Timestamp, Text("2024-05-01T10:00:00Z"), Text("2024-13-01T10:00:00Z"), false),
            (Format::Timestamp, Text("2024-05-01T10:00:00Z"), Text("yesterday"), false),
            (Format::Timestamp, Text("2024-05-01T10:00:00Z"), Text(""), false),
            (
                Format::Timestamp,
                Text("Sun, 06 Nov 1994 08:49:37 GMT"),
                Text("Mon, 07 Nov 1994 08:49:37 GMT"),
                true,
            ),
            (Format::Timestamp, Number("1714557600"), Number("1714557601"), true),
            (Format::Timestamp, Number("1714557600"), Number("1714557600123"), false),
            (Format::Timestamp, Number("1714557600"), Number("0"), false),
            (Format::Timestamp, Number("1714557600"), Text("2024-05-01T10:00:00Z"), false),
            (Format::Date, Text("2024-05-01"), Text("2024-02-29"), true),
            (Format::Date, Text("2024-05-01"), Text("2023-02-29"), false),
            (
                Format::Uuid,
                Text("123e4567-e89b-12d3-a456-426614174000"),
                Text("00000000-0000-0000-0000-000000000000"),
                true,
            ),
            (Format::Uuid, Text("123e4567-e89b-12d3-a456-426614174000"), Text("unknown"), false),
            (Format::Integer, Number("1"), Number("29"), true),
            (Format::Integer, Number("1"), Number("1.5"), false),
            (Format::Integer, Number("1"), Number("2.0"), true),
            (Format::Integer, Text("1"), Text("-22"), true),
            (Format::Integer, Text("1"), Number("1"), false),
            (Format::Url, Text("https://a.example/x"), Text("http://b.example"), true),
            (Format::Url, Text("https://a.example/x"), Text("https://"), false),
            (Format::Url, Text("https://a.example/x"), Text("/x"), false),
            (Format::Hex, Text("deadbeef"), Text("00000000"), true),
            (Format::Hex, Text("deadbeef"), Text("0000000000"), false),
            (Format::Token, Text("eyJhbGciOi.J9xyz12"), Text("abcdefgh12345678"), true),
            (Format::Token, Text("abcdefgh12345678"), Text("error_not_available"), false),
            (Format::Token, Text("abcdefgh12345678"), Text("service-unavailable"), false),
            (Format::Token, Text("abcdefgh12345678"), Text("none"), false),
        ] {
            assert_eq!(format.holds(control, candidate), holds, "{format:?} {control:?} {candidate:?}");
        }
    }

    #[test]
    fn a_format_reads_back_its_name() {
        for format in Format::ALL {
            assert_eq!(format.as_str().parse(), Ok(format));
        }
        assert!("regex".parse::<Format>().is_err());
    }
}
