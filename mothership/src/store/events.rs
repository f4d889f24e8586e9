//! Semantic events: the outbox, and reading it in order.

use rusqlite::Connection;
use serde_json::Value;

use crate::{
    domain::{PlaylistId, Timestamp, TrackId, UserId},
    store::{Reader, StoreError, rows::Columns},
};

/// The thing whose history an event belongs to. Comments belong to their track.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    Playlist(PlaylistId),
    Track(TrackId),
    User(UserId),
}

#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Ascending in commit order, with no number ever used twice.
    pub sequence: i64,
    pub at: Timestamp,
    /// Such as `playlist.created`.
    pub event_type: String,
    pub actor: UserId,
    pub aggregate_kind: String,
    pub aggregate_id: i64,
    pub payload: Value,
}

/// An event about to be written.
#[derive(Debug, Clone)]
pub struct NewEvent {
    pub event_type: &'static str,
    pub aggregate: Aggregate,
    pub payload: Value,
}

impl Reader<'_> {
    /// Up to `limit` events with a sequence above `after`, ascending.
    pub fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let mut statement = self.prepare(
            "SELECT sequence, at, type, actor_id, aggregate_kind, aggregate_id, payload FROM events \
             WHERE sequence > ?1 ORDER BY sequence LIMIT ?2",
        )?;
        let events = statement.query_map((after, limit), |row| {
            let mut c = Columns::of(row);
            Ok(Event {
                sequence: c.next()?,
                at: c.next()?,
                event_type: c.next()?,
                actor: c.next()?,
                aggregate_kind: c.next()?,
                aggregate_id: c.next()?,
                payload: serde_json::from_str(&c.next::<String>()?)
                    .map_err(rusqlite::types::FromSqlError::other)?,
            })
        })?;
        Ok(events.collect::<Result<_, _>>()?)
    }

    /// 0 before the first event.
    pub fn last_sequence(&self) -> Result<i64, StoreError> {
        let mut statement = self.prepare("SELECT ifnull(max(sequence), 0) FROM events")?;
        Ok(statement.query_row([], |row| row.get(0))?)
    }
}

impl Aggregate {
    pub fn kind(self) -> &'static str {
        match self {
            Self::Playlist(_) => "playlist",
            Self::Track(_) => "track",
            Self::User(_) => "user",
        }
    }

    pub fn id(self) -> i64 {
        match self {
            Self::Playlist(id) => id.get(),
            Self::Track(id) => id.get(),
            Self::User(id) => id.get(),
        }
    }
}

/// Writes an event in the transaction of its change.
pub(crate) fn append_event(
    tx: &Connection,
    at: Timestamp,
    actor: UserId,
    event: NewEvent,
) -> Result<Event, StoreError> {
    let NewEvent { event_type, aggregate, payload } = event;
    let mut statement = tx.prepare_cached(
        "INSERT INTO events (at, type, actor_id, aggregate_kind, aggregate_id, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let sequence =
        statement.insert((at, event_type, actor, aggregate.kind(), aggregate.id(), payload.to_string()))?;
    Ok(Event {
        sequence,
        at,
        event_type: event_type.to_owned(),
        actor,
        aggregate_kind: aggregate.kind().to_owned(),
        aggregate_id: aggregate.id(),
        payload,
    })
}
