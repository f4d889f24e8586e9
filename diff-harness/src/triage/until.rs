//! When a waiver ends, as a person types it.

use jiff::civil::Date;
use jiff::{Timestamp, ToSpan, tz::TimeZone};

use crate::exchange::UnixMillis;

const EXPECTED: &str = "expected a day such as 2027-01-31 (through its end, in UTC), a time such as \
                        2027-01-31T12:00:00Z, or how long from now: 12h, 14d, 6w";

/// Reads a day (the waiver holds through its end, in UTC), a time (RFC 3339), or how long from now: `12h`, `14d`, `6w`.
pub fn until(text: &str, now: UnixMillis) -> Result<UnixMillis, String> {
    let text = text.trim();
    let read =
        span(text, now).or_else(|| day(text)).or_else(|| text.parse::<Timestamp>().ok().and_then(millis));
    read.ok_or_else(|| format!("`{text}` is not when a waiver ends: {EXPECTED}"))
}

fn span(text: &str, now: UnixMillis) -> Option<UnixMillis> {
    const HOUR_MS: u64 = 3_600_000;
    let unit = text.chars().last()?;
    let each = match unit {
        'h' => HOUR_MS,
        'd' => 24 * HOUR_MS,
        'w' => 7 * 24 * HOUR_MS,
        _ => return None,
    };
    let digits = &text[..text.len() - 1];
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length = digits.parse::<u64>().ok()?.checked_mul(each)?;
    let end = now.0.checked_add(length)?;
    // What cannot be written as a day was not meant.
    Timestamp::from_millisecond(i64::try_from(end).ok()?).ok()?;
    Some(UnixMillis(end))
}

fn day(text: &str) -> Option<UnixMillis> {
    // A date alone; jiff would read one out of a longer text too.
    if text.len() != "2027-01-31".len() {
        return None;
    }
    let date: Date = text.parse().ok()?;
    let end = date.checked_add(1.day()).ok()?.to_zoned(TimeZone::UTC).ok()?;
    millis(end.timestamp())
}

fn millis(at: Timestamp) -> Option<UnixMillis> {
    u64::try_from(at.as_millisecond()).ok().map(UnixMillis)
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: u64 = 86_400_000;
    const NOW: UnixMillis = UnixMillis(1_000 * DAY);

    #[test]
    fn an_end_is_a_day_a_time_or_how_long() {
        for (text, end) in [
            ("12h", 1_000 * DAY + DAY / 2),
            ("14d", 1_014 * DAY),
            (" 6w ", 1_042 * DAY),
            ("1972-10-01", 1_005 * DAY),
            ("1972-10-01T00:00:00Z", 1_004 * DAY),
            ("1972-10-01T02:00:00+02:00", 1_004 * DAY),
        ] {
            assert_eq!(until(text, NOW), Ok(UnixMillis(end)), "{text}");
        }
    }

    #[test]
    fn what_is_no_end_is_refused_with_what_is() {
        for text in [
            "",
            "d",
            "14",
            "-1d",
            "1.5d",
            "14 d",
            "soon",
            "2027-13-01",
            "2027-01-32",
            "1969-12-31T00:00:00Z",
            "99999999999999w",
            "999999999w",
            "ä",
            "14ä",
        ] {
            let refused = until(text, NOW).unwrap_err();
            assert!(refused.contains("2027-01-31"), "{text}: {refused}");
        }
    }
}
