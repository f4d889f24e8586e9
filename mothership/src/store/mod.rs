//! The database: SQLite in WAL mode, several readers and one writer.
//!
//! - [`Store::read`] runs a closure on a pooled connection, inside of one read transaction (one snapshot for a whole
//!   page) and off the async runtime's threads. The closure gets a [`Reader`], whose methods are the queries.
//! - [`Store::execute`] runs one [`Command`](crate::command::Command) on the one writer thread in an IMMEDIATE
//!   transaction, so that no two writers ever work from the same old state.
//!
//! No method asks once per row: what takes several ids takes them all at once.

mod error;
mod meta;
mod pool;
mod writer;
mod rows;
mod paging;
mod audience;
mod playlists;
mod tracks;
mod users;
mod comments;
mod relations;
mod feed;
mod tokens;
mod events;
mod counts;

use std::{
    cell::Cell,
    path::{Path, PathBuf},
    sync::Arc,
};

use rusqlite::{CachedStatement, Connection};
use rusqlite_migration::{M, Migrations};
use tokio::sync::watch;

pub use audience::Audience;
pub use comments::CommentList;
pub use counts::{DERIVED_COUNTS, DerivedCount, wrong_counts};
pub use error::StoreError;
pub(crate) use events::append_event;
pub use events::{Aggregate, Event, NewEvent};
pub use feed::{Activity, ActivityKind, FeedItem, FeedOf};
pub use meta::Meta;
pub use paging::{Cursor, InvalidCursor, ListedId, Page, Paged, Position};
pub use playlists::{KindFilter, Order, PlaylistList};
pub use relations::Relations;
pub use tokens::{Bearer, TokenState};
pub use tracks::{Range, TrackFilter, TrackList};
pub use users::UserList;

use crate::{
    command::{Command, CommandError, Mode, Outcome},
    domain::Viewer,
};
use pool::Pool;
use writer::Writer;

/// A handle to the database; clones share it.
#[derive(Clone)]
pub struct Store(Arc<Inner>);

struct Inner {
    pool: Pool,
    writer: Writer,
    meta: Meta,
    path: PathBuf,
}

/// The queries, over one snapshot of the database.
pub struct Reader<'c> {
    conn: &'c Connection,
    queries: Cell<u32>,
}

/// Reads that run at once; more wait for a free connection.
const READERS: usize = 4;

impl Store {
    /// Opens an existing database (see [`crate::seed`] for making one) and brings its schema up to date. Blocks.
    ///
    /// # Errors
    /// If the file is missing, is no database, is newer than this program or was never completely seeded.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let mut conn = rusqlite::Connection::open_with_flags(
            path,
            rusqlite::OpenFlags::SQLITE_OPEN_READ_WRITE | rusqlite::OpenFlags::SQLITE_OPEN_NO_MUTEX,
        )
        .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        conn.pragma_update(None, "journal_mode", "wal")
            .map_err(|source| StoreError::Open { path: path.to_owned(), source })?;
        conn.pragma_update(None, "synchronous", "normal")?;
        conn.pragma_update(None, "foreign_keys", true)?;
        migrate(&mut conn)?;
        let meta = Meta::read(&conn)?;
        let writer = Writer::start(conn, meta.seed)?;
        let pool = Pool::open(path, READERS)?;
        Ok(Self(Arc::new(Inner { pool, writer, meta, path: path.to_owned() })))
    }

    /// Runs `queries` on a snapshot. Dropping the future does not stop the queries.
    pub async fn read<T, F>(&self, queries: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.0.pool.read(queries).await
    }

    /// Runs a command for `viewer`. In [`Mode::DryRun`] everything is validated, authorized and computed, and nothing
    /// is kept. A command that was accepted runs to its end even if this future is dropped.
    pub async fn execute(
        &self,
        command: Command,
        viewer: Viewer,
        mode: Mode,
    ) -> Result<Outcome, CommandError> {
        self.0.writer.execute(command, viewer, mode).await
    }

    /// The sequence of the last committed event, 0 before the first; it changes with every commit that has events.
    pub fn last_event(&self) -> watch::Receiver<i64> {
        self.0.writer.last_event()
    }

    pub fn meta(&self) -> &Meta {
        &self.0.meta
    }

    pub fn path(&self) -> &Path {
        &self.0.path
    }
}

impl<'c> Reader<'c> {
    pub(crate) fn new(conn: &'c Connection) -> Self {
        Self { conn, queries: Cell::new(0) }
    }

    /// Queries made so far: a page must not need more of them the longer it is.
    pub fn queries(&self) -> u32 {
        self.queries.get()
    }

    fn prepare(&self, sql: &str) -> Result<CachedStatement<'c>, StoreError> {
        self.queries.set(self.queries.get() + 1);
        Ok(self.conn.prepare_cached(sql)?)
    }
}

/// Creates or updates the tables.
pub(crate) fn migrate(conn: &mut Connection) -> Result<(), StoreError> {
    Ok(Migrations::new(vec![M::up(include_str!("schema.sql"))]).to_latest(conn)?)
}
