//! What the database says about itself: how it was seeded.

use rusqlite::{Connection, OptionalExtension};

use crate::{seed::Scale, store::StoreError};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Meta {
    pub scale: Scale,
    pub seed: u64,
}

impl Meta {
    pub(crate) fn read(conn: &Connection) -> Result<Self, StoreError> {
        Ok(Self { scale: entry(conn, "scale")?, seed: entry(conn, "seed")? })
    }

    /// Written last when a database is made: a database without it is incomplete.
    pub(crate) fn write(&self, conn: &Connection) -> Result<(), StoreError> {
        let mut insert = conn.prepare("INSERT INTO meta (key, value) VALUES (?1, ?2)")?;
        insert.execute(("scale", self.scale.as_str()))?;
        insert.execute(("seed", self.seed.to_string()))?;
        Ok(())
    }
}

fn entry<T: std::str::FromStr>(conn: &Connection, key: &'static str) -> Result<T, StoreError> {
    let value: Option<String> =
        conn.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0)).optional()?;
    value.and_then(|value| value.parse().ok()).ok_or(StoreError::NotSeeded(key))
}
