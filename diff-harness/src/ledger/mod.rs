//! The store in one SQLite file: routes, the audit log and the evidence.
//!
//! One connection writes, under a lock and in immediate transactions that are on the disk when they return
//! (WAL, `synchronous = FULL`); callers record in batches, so that a batch costs one sync. Readers have connections of
//! their own and never wait for the writer. One process at a time holds the lock for writing; any number may read.

mod retention;
mod open;
mod lock;
mod trouble;
mod encoding;
mod routes;
mod recording;
mod counting;
mod samples;
mod recorded;
mod counts;
mod observed;
mod noise;
mod groups;
mod parts;
mod triage;
mod listing;
mod audit;
mod views;
mod sweep;
mod store;

pub use retention::Retention;

use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use rusqlite::{Connection, TransactionBehavior};

use self::lock::StoreLock;
use crate::divergence::Severity;
use crate::store::{Sample, StoreError};
use crate::triage::Refusal;

/// The SQLite store.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    retention: Retention,
    /// `None` where the store was opened for reading.
    writer: Option<Mutex<Connection>>,
    idle_readers: Mutex<Vec<Connection>>,
    read_from: open::ReadFrom,
    /// Declared last, so that it is let go after the connections are closed.
    lock: Option<StoreLock>,
}

impl Ledger {
    /// Opens the store for writing, and makes it where there is none. Fails, in words for a person, on a file that
    /// another process writes, that cannot be written, that is damaged, that is no store, or that a newer version made.
    pub fn open(path: impl AsRef<Path>, retention: Retention) -> Result<Self, StoreError> {
        let (path, lock, connection) = open::for_writing(path.as_ref())?;
        Ok(Self {
            path,
            retention,
            writer: Some(Mutex::new(connection)),
            idle_readers: Mutex::default(),
            read_from: open::ReadFrom::FileAndLog,
            lock: Some(lock),
        })
    }

    /// Opens a store that another process writes, to take it over from it: both write until that one has ended. `lock` is a
    /// copy of the open file that [`lock`](Self::lock) gave in the other process.
    ///
    /// # Errors
    /// As [`open`](Self::open); and where this version would change the layout of the file under the other process.
    pub fn open_beside(
        path: impl AsRef<Path>,
        retention: Retention,
        lock: std::fs::File,
    ) -> Result<Self, StoreError> {
        let (path, lock, connection) = open::beside_another(path.as_ref(), lock)?;
        Ok(Self {
            path,
            retention,
            writer: Some(Mutex::new(connection)),
            idle_readers: Mutex::default(),
            read_from: open::ReadFrom::FileAndLog,
            lock: Some(lock),
        })
    }

    /// A copy of the open file whose lock says that this store is being written; `None` where it was opened for reading.
    pub fn lock(&self) -> std::io::Result<Option<std::fs::File>> {
        self.lock.as_ref().map(StoreLock::copy).transpose()
    }

    /// Opens a store to look at it, whether or not a proxy is writing it. Whatever would write fails.
    pub fn open_read_only(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        let (path, read_from, connection) = open::for_reading(path.as_ref())?;
        Ok(Self {
            path,
            retention: Retention::default(),
            writer: None,
            idle_readers: Mutex::new(vec![connection]),
            read_from,
            lock: None,
        })
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Shows every kept exchange, endpoint by endpoint, the newest first.
    pub fn each_kept(&self, visit: &mut dyn FnMut(Sample)) -> Result<(), StoreError> {
        self.read(|connection| samples::each(connection, visit))
    }

    /// Runs `work` in one immediate transaction that is durable when this returns `Ok`, and undone otherwise.
    fn write<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        let writer = self.writer.as_ref().ok_or_else(|| trouble::opened_for_reading(&self.path))?;
        // A panic while the lock was held has rolled its transaction back.
        let mut connection = writer.lock().unwrap_or_else(PoisonError::into_inner);
        let result = (|| {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let value = work(&transaction)?;
            transaction.commit()?;
            Ok(value)
        })();
        result.map_err(|failure| self.trouble(failure))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> Result<T, Failure>) -> Result<T, StoreError> {
        const IDLE_MAX: usize = 4;
        let idle = || self.idle_readers.lock().unwrap_or_else(PoisonError::into_inner);
        let reused = idle().pop();
        let connection = match reused {
            Some(connection) => connection,
            None => open::reader(&self.path, self.read_from)?,
        };
        let value = work(&connection).map_err(|failure| self.trouble(failure))?;
        let mut idle = idle();
        if idle.len() < IDLE_MAX {
            idle.push(connection);
        }
        Ok(value)
    }

    fn trouble(&self, failure: Failure) -> StoreError {
        match failure {
            Failure::Store(error) => error,
            Failure::Sqlite(error) => trouble::in_words(&self.path, error),
        }
    }
}

impl From<Refusal> for Failure {
    fn from(refusal: Refusal) -> Self {
        Self::Store(refusal.into())
    }
}

/// Why a transaction did not come about.
#[derive(Debug)]
enum Failure {
    Sqlite(rusqlite::Error),
    Store(StoreError),
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

fn severity_rank(severity: Severity) -> i64 {
    Severity::ALL.iter().position(|known| *known == severity).map_or(0, |rank| rank as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::endpoint::EndpointId;
    use crate::exchange::UnixMillis;
    use crate::lifecycle::Declaration;
    use crate::store::{Batch, EpochFilter, Store, Tally};

    /// SQLite's own limit stands for a full disk: what it reports is the same.
    #[test]
    fn a_full_disk_is_said_in_words_and_loses_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let ledger = Ledger::open(dir.path().join("strangler.db"), Retention::default()).unwrap();
        let endpoint: EndpointId = "GET /a".parse().unwrap();
        ledger.declare(&[(endpoint.clone(), Declaration::default())], UnixMillis(1)).unwrap();
        let tallies = vec![(Some(endpoint), Tally { matched: 1, ..Tally::default() })];
        let batch = Batch { tallies, ..Batch::default() };
        ledger.record(&batch).unwrap();

        let limit = |pages: i64| {
            let writer = ledger.writer.as_ref().unwrap().lock().unwrap();
            writer.pragma_update_and_check(None, "max_page_count", pages, |_| Ok(())).unwrap();
        };
        limit(1);
        let error = ledger.set_setting("large", &"x".repeat(100_000)).unwrap_err();
        assert!(error.to_string().contains("is full: nothing new is recorded"), "{error}");
        assert_eq!(ledger.setting("large").unwrap(), None);
        assert_eq!(ledger.tallies(EpochFilter::All).unwrap()[0].1.matched, 1);

        limit(1_000_000);
        ledger.record(&batch).unwrap();
        assert_eq!(ledger.tallies(EpochFilter::All).unwrap()[0].1.matched, 2);
    }
}
