//! Durations, sizes and shares as a person writes them: `250ms`, `1MiB`, `12.5%`.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;

use crate::behind::NICENESS_MAX;

/// A length of time: a whole or decimal number and one of `ms`, `s`, `m`, `h`, `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Time(pub Duration);

/// A number of bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Size(pub u64);

/// A share of requests in ten-thousandths: `0%` to `100%`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Share(pub u16);

/// A share as fine as a person writes it: `0%` to `100%`.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(try_from = "String")]
pub(super) struct Rate(pub(super) f64);

/// A count that cannot be 0: a queue that holds nothing, or a pool without threads, would stop everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "usize")]
pub(super) struct Positive(pub(super) usize);

/// How far a thread stands behind others, as nice(1) has it: 0 to 19.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "i64")]
pub(super) struct Niceness(pub(super) u8);

const TIMES: [(&str, f64); 5] = [("ms", 0.001), ("s", 1.0), ("m", 60.0), ("h", 3_600.0), ("d", 86_400.0)];
const SIZES: [(&str, u64); 4] = [("B", 1), ("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30)];

impl Share {
    pub const WHOLE: u16 = 10_000;
}

impl FromStr for Time {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || {
            format!(
                "`{text}` is not a time: expected a number and a unit, such as `250ms`, `5s`, `2m`, `1h` or `7d`"
            )
        };
        let (number, unit) = number_and_unit(text).ok_or_else(malformed)?;
        let number: f64 = number.parse().map_err(|_| malformed())?;
        let (_, seconds) = TIMES.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
        Duration::try_from_secs_f64(number * seconds).map(Self).map_err(|_| malformed())
    }
}

impl FromStr for Size {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || {
            format!(
                "`{text}` is not a size: expected a whole number and a unit, such as `512B`, `64KiB` or `1MiB`"
            )
        };
        let (number, unit) = number_and_unit(text).ok_or_else(malformed)?;
        let number: u64 = number.parse().map_err(|_| malformed())?;
        let (_, bytes) = SIZES.iter().find(|(name, _)| *name == unit).ok_or_else(malformed)?;
        number.checked_mul(*bytes).map(Self).ok_or_else(malformed)
    }
}

impl FromStr for Share {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let malformed = || format!("`{text}` is not a share: expected `0%` to `100%`, in steps of 0.01");
        let percent: f64 =
            text.strip_suffix('%').and_then(|p| p.trim().parse().ok()).ok_or_else(malformed)?;
        let share = percent * 100.0;
        // The cast is exact: range and wholeness were checked.
        if (0.0..=f64::from(Self::WHOLE)).contains(&share) && (share - share.round()).abs() < 1e-6 {
            Ok(Self(share.round() as u16))
        } else {
            Err(malformed())
        }
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let percent = text.strip_suffix('%').map(str::trim);
        // Digits and a point only: `inf`, `1e3` and `-1` are numbers to the parser and no shares.
        let plain = percent.filter(|p| p.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.'));
        match plain.and_then(|percent| percent.parse::<f64>().ok()) {
            Some(percent) if percent <= 100.0 => Ok(Self(percent / 100.0)),
            _ => Err(format!("`{text}` is not a share: expected `0%` to `100%`, such as `0.05%`")),
        }
    }
}

impl TryFrom<String> for Rate {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl Size {
    /// As a length in memory.
    pub fn bytes(self) -> usize {
        usize::try_from(self.0).unwrap_or(usize::MAX)
    }
}

impl TryFrom<usize> for Positive {
    type Error = String;

    fn try_from(count: usize) -> Result<Self, Self::Error> {
        if count == 0 { Err("0 is too few: expected 1 or more".to_owned()) } else { Ok(Self(count)) }
    }
}

impl TryFrom<i64> for Niceness {
    type Error = String;

    fn try_from(niceness: i64) -> Result<Self, Self::Error> {
        let known = u8::try_from(niceness).ok().filter(|niceness| *niceness <= NICENESS_MAX);
        known.map(Self).ok_or_else(|| format!("{niceness} is no niceness: expected 0 to {NICENESS_MAX}"))
    }
}

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for Size {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl TryFrom<String> for Share {
    type Error = String;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

/// The largest unit that says it without a fraction.
impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = self.0.as_millis();
        let whole = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000)]
            .into_iter()
            .find(|(_, unit)| millis >= *unit && millis.is_multiple_of(*unit));
        match whole {
            Some((name, unit)) => write!(f, "{}{name}", millis / unit),
            None => write!(f, "{millis}ms"),
        }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let whole = SIZES.iter().rev().find(|(_, unit)| self.0 >= *unit && self.0.is_multiple_of(*unit));
        let (name, unit) = whole.unwrap_or(&SIZES[0]);
        write!(f, "{}{name}", self.0 / unit)
    }
}

fn number_and_unit(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(end);
    Some((number, unit.trim_start()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_read_back_what_they_print() {
        for text in ["0ms", "250ms", "5s", "90s", "2m", "1h", "7d"] {
            assert_eq!(text.parse::<Time>().unwrap().to_string().parse::<Time>(), text.parse());
        }
        assert_eq!("1.5s".parse(), Ok(Time(Duration::from_millis(1500))));
    }

    #[test]
    fn sizes_read_back_what_they_print() {
        for text in ["0B", "512B", "64KiB", "1MiB", "1GiB"] {
            assert_eq!(text.parse::<Size>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn shares_are_exact() {
        assert_eq!("100%".parse(), Ok(Share(10_000)));
        assert_eq!("0%".parse(), Ok(Share(0)));
        assert_eq!("0.07%".parse(), Ok(Share(7)));
    }

    #[test]
    fn rates_are_as_fine_as_they_are_written() {
        assert_eq!("0.005%".parse(), Ok(Rate(0.000_05)));
        assert_eq!("100%".parse(), Ok(Rate(1.0)));
        for text in ["", "5", "%", "101%", "-1%", "NaN%", "inf%", "1e1%"] {
            assert!(text.parse::<Rate>().is_err(), "{text:?} was taken as a rate");
        }
    }

    #[test]
    fn what_has_no_unit_or_no_sense_is_refused() {
        for text in ["", "5", "s", "-1s", "5 parsecs", "1e3s", "99999999999999999999d", "NaNs"] {
            assert!(text.parse::<Time>().is_err(), "{text:?} was taken as a time");
        }
        for text in ["", "5", "1.5MiB", "-1B", "5MB", "99999999999GiB"] {
            assert!(text.parse::<Size>().is_err(), "{text:?} was taken as a size");
        }
        for text in ["", "5", "101%", "-1%", "NaN%", "0.001%"] {
            assert!(text.parse::<Share>().is_err(), "{text:?} was taken as a share");
        }
    }
}
