//! Points in time, in milliseconds since 1970 (UTC).

use std::{fmt, str::FromStr};

/// Edges format it through [`Timestamp::as_jiff`] (`strftime` prints UTC).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(jiff::Timestamp);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a time: expected RFC 3339 such as 2026-01-01T00:00:00Z")]
pub struct InvalidTimestamp(pub String);

impl Timestamp {
    /// `None` outside of the years -9999 to 9999.
    pub fn from_millis(millis: i64) -> Option<Self> {
        jiff::Timestamp::from_millisecond(millis).ok().map(Self)
    }

    pub fn millis(self) -> i64 {
        self.0.as_millisecond()
    }

    pub fn as_jiff(self) -> jiff::Timestamp {
        self.0
    }

    /// Year, month and day in UTC.
    pub fn date(self) -> (i16, i8, i8) {
        let date = jiff::tz::Offset::UTC.to_datetime(self.0).date();
        (date.year(), date.month(), date.day())
    }
}

impl From<jiff::Timestamp> for Timestamp {
    /// Cuts to milliseconds.
    fn from(time: jiff::Timestamp) -> Self {
        Self::from_millis(time.as_millisecond()).expect("a jiff time in milliseconds is within jiff's range")
    }
}

impl FromStr for Timestamp {
    type Err = InvalidTimestamp;

    fn from_str(text: &str) -> Result<Self, InvalidTimestamp> {
        text.parse::<jiff::Timestamp>().map(Self::from).map_err(|_| InvalidTimestamp(text.to_owned()))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl serde::Serialize for Timestamp {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for Timestamp {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
