//! Points in time as APIs write them.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// A point in time and how it was written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Instant {
    pub at: Timestamp,
    pub layout: Layout,
}

/// What two timestamps must have in common to have one form. Digits of a fraction may vary: many writers leave
/// trailing zeros out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// RFC 3339 and its relatives: `2024-05-01T10:00:00.5Z`, `2024/05/01 10:00:00 +0000`.
    Calendar {
        date_separator: u8,
        time_separator: u8,
        fraction: bool,
        zone: Zone,
    },
    /// RFC 9110 §5.6.7: `Sun, 06 Nov 1994 08:49:37 GMT`.
    Http,
    /// A number of seconds or of milliseconds since 1970.
    EpochSeconds,
    EpochMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Zone {
    None,
    Utc,
    Offset,
}

impl Instant {
    /// Reads a string. Times without a zone are taken for UTC, on both sides alike.
    pub fn of_text(text: &str) -> Option<Self> {
        calendar(text).or_else(|| {
            // A comma stands in every HTTP date, and the parser need not be asked about anything else.
            let zoned = text.contains(',').then(|| jiff::fmt::rfc2822::parse(text).ok())??;
            Some(Self { at: zoned.timestamp(), layout: Layout::Http })
        })
    }

    /// Reads a number: ten digits before the point are seconds (2001 to 2286), thirteen are milliseconds.
    pub fn of_number(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let number: i64 = whole.parse().ok()?;
        let layout = match whole.len() {
            10 if number > 0 => Layout::EpochSeconds,
            13 if number > 0 => Layout::EpochMillis,
            _ => return None,
        };
        let at = match layout {
            Layout::EpochMillis => Timestamp::from_millisecond(number).ok()?,
            _ => Timestamp::from_second(number).ok()?,
        };
        Some(Self { at, layout })
    }

    /// How far apart the two are, in seconds.
    pub fn seconds_apart(&self, other: &Self) -> f64 {
        self.at.duration_since(other.at).as_secs_f64().abs()
    }
}

fn calendar(text: &str) -> Option<Instant> {
    let bytes = text.as_bytes();
    if bytes.len() < 19 || !text.is_ascii() {
        return None;
    }
    let digits = |from: usize, to: usize| -> Option<i16> {
        let part = &bytes[from..to];
        part.iter().all(u8::is_ascii_digit).then(|| text[from..to].parse().ok())?
    };
    let date_separator = bytes[4];
    let time_separator = bytes[10];
    let separators = matches!(date_separator, b'-' | b'/')
        && bytes[7] == date_separator
        && matches!(time_separator, b'T' | b't' | b' ')
        && bytes[13] == b':'
        && bytes[16] == b':';
    if !separators {
        return None;
    }
    let mut rest = &text[19..];
    let mut nanoseconds = 0;
    let fraction = rest.starts_with('.');
    if fraction {
        let end = rest[1..].find(|c: char| !c.is_ascii_digit()).map_or(rest.len(), |at| at + 1);
        let digits = &rest[1..end];
        if digits.is_empty() {
            return None;
        }
        nanoseconds = format!("{digits:0<9}")[..9].parse().ok()?;
        rest = &rest[end..];
    }
    let (zone, offset) = zone(rest.trim_start_matches(' '))?;
    // A leap second is read as the second before it.
    let second = digits(17, 19)?.min(59);
    let narrow = |from, to| digits(from, to).and_then(|number| i8::try_from(number).ok());
    let date_time = DateTime::new(
        digits(0, 4)?,
        narrow(5, 7)?,
        narrow(8, 10)?,
        narrow(11, 13)?,
        narrow(14, 16)?,
        i8::try_from(second).ok()?,
        nanoseconds,
    );
    let at = offset.to_timestamp(date_time.ok()?).ok()?;
    Some(Instant { at, layout: Layout::Calendar { date_separator, time_separator, fraction, zone } })
}

/// `Z`, `+02:00`, `+0200` or nothing.
fn zone(text: &str) -> Option<(Zone, Offset)> {
    match text.as_bytes() {
        [] => Some((Zone::None, Offset::UTC)),
        [b'Z' | b'z'] => Some((Zone::Utc, Offset::UTC)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let digits: Vec<i32> = rest
                .iter()
                .filter(|byte| **byte != b':')
                .map(|byte| byte.is_ascii_digit().then(|| i32::from(byte - b'0')))
                .collect::<Option<_>>()?;
            let [h1, h2, m1, m2] = digits[..] else { return None };
            let seconds = (h1 * 10 + h2) * 3600 + (m1 * 10 + m2) * 60;
            let seconds = if *sign == b'-' { -seconds } else { seconds };
            Some((Zone::Offset, Offset::from_seconds(seconds).ok()?))
        }
        _ => None,
    }
}
