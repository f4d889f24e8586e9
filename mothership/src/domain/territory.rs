//! Territories: ISO 3166-1 alpha-2 codes, and sets of them.

use std::{fmt, str::FromStr};

use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSql, ToSqlOutput, ValueRef};

/// Two upper-case letters. Whether the code is assigned to a country is not checked.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Territory([u8; 2]);

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a territory: expected two letters such as DE")]
pub struct InvalidTerritory(pub String);

/// The territories in which a track is blocked, in alphabetical order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Territories(Vec<Territory>);

impl Territory {
    /// For codes known when the program is written.
    pub const fn new(code: [u8; 2]) -> Self {
        assert!(code[0].is_ascii_uppercase() && code[1].is_ascii_uppercase(), "two upper-case letters");
        Self(code)
    }

    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("two ASCII letters are UTF-8")
    }
}

impl Territories {
    pub fn new(mut territories: Vec<Territory>) -> Self {
        territories.sort_unstable();
        territories.dedup();
        Self(territories)
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn contains(&self, territory: Territory) -> bool {
        self.0.contains(&territory)
    }

    pub fn iter(&self) -> impl Iterator<Item = Territory> + '_ {
        self.0.iter().copied()
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

impl ToSql for Territory {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::from(self.as_str()))
    }
}

/// Stored as `,DE,FR,`, so that SQL finds a member with `instr(column, ',DE,')`.
impl ToSql for Territories {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        let mut text = String::new();
        for territory in &self.0 {
            text.push(',');
            text.push_str(territory.as_str());
        }
        if !text.is_empty() {
            text.push(',');
        }
        Ok(ToSqlOutput::from(text))
    }
}

impl FromSql for Territories {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        let codes = value.as_str()?.split(',').filter(|code| !code.is_empty());
        let territories = codes.map(str::parse).collect::<Result<_, InvalidTerritory>>();
        Ok(Self::new(territories.map_err(FromSqlError::other)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_territory_is_two_letters_in_any_case() {
        assert_eq!("de".parse::<Territory>().unwrap().as_str(), "DE");
        for bad in ["", "D", "DEU", "D1", "ßß", "é"] {
            assert!(bad.parse::<Territory>().is_err(), "{bad:?} was taken for a territory");
        }
    }
}
