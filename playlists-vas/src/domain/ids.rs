//! Identifiers: positive 64-bit integers that cannot be mixed up with one another.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A number or text that is no identifier: identifiers are decimal, positive and fit 63 bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not an id: expected a positive integer")]
pub struct InvalidId(pub String);

macro_rules! id {
    ($name:ident) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// For ids known when the program is written.
            ///
            /// # Panics
            /// If the id is not positive.
            pub const fn new(id: i64) -> Self {
                assert!(id > 0, "ids are positive");
                Self(id)
            }

            pub const fn get(self) -> i64 {
                self.0
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(id: i64) -> Result<Self, InvalidId> {
                if id > 0 { Ok(Self(id)) } else { Err(InvalidId(id.to_string())) }
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> i64 {
                id.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidId;

            /// Digits only: no sign, no blanks.
            fn from_str(text: &str) -> Result<Self, InvalidId> {
                let digits = text.bytes().all(|byte| byte.is_ascii_digit());
                let id = digits.then(|| text.parse::<i64>().ok()).flatten();
                id.and_then(|id| Self::try_from(id).ok()).ok_or_else(|| InvalidId(text.to_owned()))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id!(UserId);
id!(TrackId);
id!(PlaylistId);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_decimal_positive_and_fits_63_bits() {
        assert_eq!("12".parse(), Ok(TrackId::new(12)));
        for bad in ["", "0", "-1", "+1", " 1", "1-slug", "1.0", "9223372036854775808", "٣"] {
            assert!(bad.parse::<TrackId>().is_err(), "{bad:?} was taken for an id");
        }
    }
}
