//! Which part of a list. Lists are ordered by a key and then by id, both descending.

use std::{fmt, str::FromStr};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Page {
    /// Items at most; edges clamp to their own maximum first, which is below 1000.
    pub limit: u32,
    pub position: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Position {
    /// Skips a number of items.
    Offset(u64),
    /// After the item with this key and id.
    After(Cursor),
}

/// The place of an item in a list: its sort key (often a time in milliseconds) and its id. Prints as `key:id`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    pub key: i64,
    pub id: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor")]
pub struct InvalidCursor(pub String);

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.key, self.id)
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let parse = || {
            let (key, id) = text.split_once(':')?;
            Some(Self { key: key.parse().ok()?, id: id.parse().ok()? })
        };
        parse().ok_or_else(|| InvalidCursor(text.to_owned()))
    }
}
