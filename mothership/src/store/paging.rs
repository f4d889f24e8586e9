//! Pages of ids. Every list is ordered by a key and then by id, both descending, so an order with ties in its key is
//! still total, and a cursor (keyset) finds its place again after inserts and deletes.

use std::{fmt, str::FromStr};

use rusqlite::{ToSql, types::Value};

use crate::store::{Reader, StoreError};

/// Which part of a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Items at most; dialects clamp to their own maximum first. Taken as at most [`Page::LIMIT_MAX`].
    pub limit: u32,
    pub position: Position,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// Skips a number of items: simple, slower the deeper it goes, and shifts when the list changes.
    Offset(u64),
    /// After the item with this key and id.
    After(Cursor),
}

/// The place of an item in a list: its sort key (often a time in milliseconds) and its id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub key: i64,
    pub id: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a cursor")]
pub struct InvalidCursor(pub String);

/// An id as a list has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListedId<Id> {
    pub id: Id,
    /// What the list is ordered by: for likes, reposts and follows the time of it in milliseconds.
    pub key: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paged<T> {
    pub items: Vec<T>,
    /// Set if there is at least one more item.
    pub next: Option<Cursor>,
}

/// A list query: `FROM …`, what is selected and ordered by, and its conditions with their parameters.
pub(crate) struct Listing {
    pub(crate) from: String,
    pub(crate) id: &'static str,
    pub(crate) key: &'static str,
    pub(crate) filters: Vec<String>,
    pub(crate) params: Vec<(&'static str, Value)>,
}

impl Page {
    pub const LIMIT_MAX: u32 = 1000;

    pub fn first(limit: u32) -> Self {
        Self { limit, position: Position::Offset(0) }
    }
}

impl<Id: Copy> Paged<ListedId<Id>> {
    pub fn ids(&self) -> Vec<Id> {
        self.items.iter().map(|item| item.id).collect()
    }
}

impl Listing {
    pub(crate) fn new(from: impl Into<String>, id: &'static str, key: &'static str) -> Self {
        Self { from: from.into(), id, key, filters: Vec::new(), params: Vec::new() }
    }

    pub(crate) fn filter(mut self, condition: impl Into<String>) -> Self {
        self.filters.push(condition.into());
        self
    }

    pub(crate) fn param(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.params.push((name, value.into()));
        self
    }

    pub(crate) fn page<Id>(
        mut self,
        reader: &Reader<'_>,
        page: Page,
    ) -> Result<Paged<ListedId<Id>>, StoreError>
    where
        Id: rusqlite::types::FromSql + Into<i64> + Copy,
    {
        let limit = page.limit.min(Page::LIMIT_MAX) as usize;
        let by_id = self.id == self.key;
        let offset = match page.position {
            Position::Offset(offset) => i64::try_from(offset).unwrap_or(i64::MAX),
            Position::After(cursor) if by_id => {
                self.filters.push(format!("{} < :cursor_id", self.id));
                self.params.push((":cursor_id", cursor.id.into()));
                0
            }
            Position::After(cursor) => {
                self.filters.push(format!("({}, {}) < (:cursor_key, :cursor_id)", self.key, self.id));
                self.params.push((":cursor_key", cursor.key.into()));
                self.params.push((":cursor_id", cursor.id.into()));
                0
            }
        };
        let order =
            if by_id { format!("{} DESC", self.id) } else { format!("{} DESC, {} DESC", self.key, self.id) };
        let sql = format!(
            "SELECT {}, {} FROM {}{} ORDER BY {order} LIMIT :limit OFFSET :offset",
            self.id,
            self.key,
            self.from,
            self.conditions()
        );
        // One more than asked for tells whether there is a next page.
        self.params.push((":limit", i64::try_from(limit + 1).expect("a limit is at most 1000").into()));
        self.params.push((":offset", offset.into()));
        let mut statement = reader.prepare(&sql)?;
        let rows = statement.query_map(&*bindings(&self.params), |row| {
            Ok(ListedId { id: row.get::<_, Id>(0)?, key: row.get(1)? })
        })?;
        let mut items = rows.collect::<Result<Vec<_>, _>>()?;
        let more = items.len() > limit;
        items.truncate(limit);
        let last = items.last().map(|item| Cursor { key: item.key, id: item.id.into() });
        Ok(Paged { items, next: last.filter(|_| more) })
    }

    pub(crate) fn count(&self, reader: &Reader<'_>) -> Result<i64, StoreError> {
        let sql = format!("SELECT count(*) FROM {}{}", self.from, self.conditions());
        let mut statement = reader.prepare(&sql)?;
        Ok(statement.query_row(&*bindings(&self.params), |row| row.get(0))?)
    }

    fn conditions(&self) -> String {
        if self.filters.is_empty() { String::new() } else { format!(" WHERE {}", self.filters.join(" AND ")) }
    }
}

fn bindings<'p>(params: &'p [(&'static str, Value)]) -> Vec<(&'static str, &'p dyn ToSql)> {
    params.iter().map(|(name, value)| (*name, value as &dyn ToSql)).collect()
}

/// `key:id` in decimal: what the internal API shows. Dialects wrap it as they like.
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
