//! Territories, as two letters such as DE.

use std::{fmt, str::FromStr};

/// Two upper-case letters. Whether the code is assigned to a country is not checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Territory([u8; 2]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a territory: expected two letters such as DE")]
pub struct InvalidTerritory(pub String);

impl Territory {
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters are UTF-8")
    }
}

impl FromStr for Territory {
    type Err = InvalidTerritory;

    fn from_str(text: &str) -> Result<Self, InvalidTerritory> {
        match text.as_bytes() {
            [a, b] if a.is_ascii_alphabetic() && b.is_ascii_alphabetic() => {
                Ok(Self([a.to_ascii_uppercase(), b.to_ascii_uppercase()]))
            }
            _ => Err(InvalidTerritory(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Territory {
    type Error = InvalidTerritory;

    fn try_from(text: String) -> Result<Self, InvalidTerritory> {
        text.parse()
    }
}

impl From<Territory> for String {
    fn from(territory: Territory) -> Self {
        territory.as_str().to_owned()
    }
}

impl fmt::Display for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Territory {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
