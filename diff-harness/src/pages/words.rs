//! Numbers, times and links as a page shows them.

use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::exchange::UnixMillis;
use crate::report::grouped;

/// A number with its thousands apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Count(pub u64);

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&grouped(self.0))
    }
}

/// `2026-03-01 10:30`, in UTC.
pub fn moment(at: UnixMillis) -> String {
    stamp(at, "%Y-%m-%d %H:%M")
}

/// `2026-03-01`, in UTC.
pub fn day(at: UnixMillis) -> String {
    stamp(at, "%Y-%m-%d")
}

fn stamp(at: UnixMillis, form: &str) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis)
        .map_or_else(|_| format!("{millis} ms"), |at| at.strftime(form).to_string())
}

/// How long ago, in one unit.
pub fn ago(then: UnixMillis, now: UnixMillis) -> String {
    format!("{} ago", span(now.0.saturating_sub(then.0)))
}

/// A stretch of time in one unit: `3 d`, `5 h`, `12 min`, `40 s`.
pub fn span(millis: u64) -> String {
    let seconds = millis / 1_000;
    match seconds {
        0..100 => format!("{seconds} s"),
        100..6_000 => format!("{} min", seconds / 60),
        6_000..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'/');

/// A path with a query, of which the pairs without a value are left out.
pub fn link(path: &str, query: &[(&str, &str)]) -> String {
    let mut link = path.to_owned();
    let mut before = '?';
    for (name, value) in query.iter().filter(|(_, value)| !value.is_empty()) {
        link.push(before);
        link.push_str(name);
        link.push('=');
        link.extend(utf8_percent_encode(value, PLAIN));
        before = '&';
    }
    link
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_takes_any_value() {
        assert_eq!(
            link("/endpoint", &[("of", "GET /a&b={id}?#\""), ("page", ""), ("to", "canary:5%")]),
            "/endpoint?of=GET%20/a%26b%3D%7Bid%7D%3F%23%22&to=canary%3A5%25"
        );
    }

    #[test]
    fn a_stretch_of_time_has_one_unit() {
        for (millis, text) in
            [(400, "0 s"), (99_000, "99 s"), (720_000, "12 min"), (18_000_000, "5 h"), (300_000_000, "3 d")]
        {
            assert_eq!(span(millis), text);
        }
    }
}
