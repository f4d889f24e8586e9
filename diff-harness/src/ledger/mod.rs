//! The store in one SQLite file: routes, the audit log and the evidence.
//!
//! One connection writes, under a lock and in immediate transactions that are on the disk when they return
//! (WAL, `synchronous = FULL`); callers record in batches, so that a batch costs one sync. Readers have connections of
//! their own and never wait for the writer. One process at a time holds the lock for writing; any number may read.

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

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, TransactionBehavior};

use crate::audit::{AuditListing, Audited, Change};
use crate::divergence::Severity;
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Flip, Route, Transition};
use crate::noise::book::EndpointNoise;
use crate::store::{
    Batch, DecisionsOf, Declared, Epoch, EpochFilter, EpochSpan, Group, GroupEpoch, GroupFilter,
    GroupListing, GroupShape, LatencyPair, Listed, Neighbours, Observed, Recorded, RuleTally, Sample, Store,
    StoreError, Swept, Tally, Took, Undeclared,
};
use crate::triage::{Decided, Entry, Part, Refusal, Triaged, Wish};

use lock::StoreLock;

/// What is kept of exchanges, and for how long. Counts, groups and the audit log are kept for good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retention {
    /// Kept exchanges, compressed, together.
    pub exchange_bytes_max: u64,
    pub exchange_age_max: Duration,
    /// Exchanges kept of one group in one epoch.
    pub samples_per_group: u32,
    /// Exchanges without a divergence kept of one endpoint in one epoch.
    pub matches_per_endpoint: u32,
    /// Groups that are told apart in one endpoint; what is beyond counts in one group per severity.
    pub groups_per_endpoint: u32,
    /// Unsafe requests kept of one endpoint at stage `record`.
    pub recorded_per_endpoint: u32,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            exchange_bytes_max: 1 << 30,
            exchange_age_max: Duration::from_secs(30 * 24 * 3600),
            samples_per_group: 20,
            matches_per_endpoint: 10,
            groups_per_endpoint: 1000,
            recorded_per_endpoint: 100,
        }
    }
}

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

impl Store for Ledger {
    fn routes(&self) -> Result<Vec<Route>, StoreError> {
        self.read(routes::all)
    }

    fn declare(
        &self,
        endpoints: &[(EndpointId, Declaration)],
        at: UnixMillis,
    ) -> Result<Declared, StoreError> {
        self.write(|connection| routes::declare(connection, endpoints, at))
    }

    fn flip(&self, flip: &Flip) -> Result<Transition, StoreError> {
        self.write(|connection| routes::flip(connection, flip))
    }

    fn transitions(
        &self,
        endpoint: Option<&EndpointId>,
        limit: usize,
    ) -> Result<Vec<Transition>, StoreError> {
        self.read(|connection| routes::transitions(connection, endpoint, limit))
    }

    fn record(&self, batch: &Batch) -> Result<(), StoreError> {
        self.write(|connection| recording::record(connection, batch, &self.retention))
    }

    fn epochs(&self) -> Result<Vec<EpochSpan>, StoreError> {
        self.read(counts::epochs)
    }

    fn tallies(&self, epoch: EpochFilter<'_>) -> Result<Vec<(Option<EndpointId>, Tally)>, StoreError> {
        self.read(|connection| counts::tallies(connection, epoch))
    }

    fn observed(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Observed, StoreError> {
        self.read(|connection| observed::observed(connection, endpoint, epoch))
    }

    fn noise(&self, control: &str) -> Result<Vec<(EndpointId, EndpointNoise)>, StoreError> {
        self.read(|connection| noise::all(connection, control))
    }

    fn latencies(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Vec<LatencyPair>, StoreError> {
        self.read(|connection| counts::latencies(connection, endpoint, epoch))
    }

    fn groups(&self, filter: &GroupFilter<'_>) -> Result<Vec<Group>, StoreError> {
        self.read(|connection| groups::groups(connection, filter))
    }

    fn group(&self, fingerprint: &Fingerprint) -> Result<Option<Group>, StoreError> {
        self.read(|connection| groups::group(connection, fingerprint))
    }

    fn triaged(&self, filter: &GroupFilter<'_>) -> Result<Vec<Triaged>, StoreError> {
        self.read(|connection| triage::triaged(connection, groups::groups(connection, filter)?))
    }

    fn triaged_group(&self, fingerprint: &Fingerprint) -> Result<Option<Triaged>, StoreError> {
        self.read(|connection| {
            let group = groups::group(connection, fingerprint)?;
            Ok(triage::triaged(connection, group.into_iter().collect())?.pop())
        })
    }

    fn decide(&self, wish: &Wish) -> Result<Entry, StoreError> {
        self.write(|connection| triage::decide(connection, wish))
    }

    fn import(&self, parts: &[Wish], waivers: &[Wish]) -> Result<Vec<Took>, StoreError> {
        self.write(|connection| triage::import(connection, parts, waivers))
    }

    fn decisions(&self, of: DecisionsOf<'_>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| triage::log(connection, of, limit))
    }

    fn in_force(&self) -> Result<Vec<Decided>, StoreError> {
        self.read(|connection| Ok(triage::in_force(connection)?.into_values().collect()))
    }

    fn parts(&self) -> Result<Vec<(Fingerprint, Part)>, StoreError> {
        self.read(|connection| Ok(parts::Parts::read(connection)?.into_all()))
    }

    fn group_shapes(
        &self,
        group: &Fingerprint,
        epoch: EpochFilter<'_>,
    ) -> Result<Vec<GroupShape>, StoreError> {
        self.read(|connection| groups::shapes(connection, group, epoch))
    }

    fn group_epochs(&self, group: &Fingerprint) -> Result<Vec<GroupEpoch>, StoreError> {
        self.read(|connection| groups::epochs(connection, group))
    }

    fn list_groups(&self, listing: &GroupListing<'_>) -> Result<Listed, StoreError> {
        self.read(|connection| listing::list(connection, listing))
    }

    fn neighbours(&self, listing: &GroupListing<'_>, of: &Fingerprint) -> Result<Neighbours, StoreError> {
        self.read(|connection| listing::neighbours(connection, listing, of))
    }

    fn group_sums(
        &self,
        epoch: &Epoch,
        except: &[Fingerprint],
    ) -> Result<Vec<(EndpointId, Severity, u64)>, StoreError> {
        self.read(|connection| listing::sums(connection, epoch, except))
    }

    fn views(
        &self,
        person: &str,
        groups: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, String>, StoreError> {
        self.read(|connection| views::of(connection, person, groups))
    }

    fn keep_view(
        &self,
        person: &str,
        group: &Fingerprint,
        seen_as: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write(|connection| views::keep(connection, person, group, seen_as, at))
    }

    fn samples(&self, group: &Fingerprint, limit: usize) -> Result<Vec<Sample>, StoreError> {
        self.read(|connection| samples::of_group(connection, group, limit))
    }

    fn recorded(&self, endpoint: &EndpointId, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.read(|connection| recorded::of_endpoint(connection, endpoint, limit))
    }

    fn exchange(&self, id: &str) -> Result<Option<Sample>, StoreError> {
        self.read(|connection| samples::by_request(connection, id))
    }

    fn rules(&self, epoch: &Epoch) -> Result<Vec<RuleTally>, StoreError> {
        self.read(|connection| counts::rules(connection, epoch))
    }

    fn undeclared(&self, limit: usize) -> Result<Vec<Undeclared>, StoreError> {
        self.read(|connection| counts::undeclared(connection, limit))
    }

    fn audit(&self, listing: &AuditListing<'_>) -> Result<Audited, StoreError> {
        self.read(|connection| audit::list(connection, listing))
    }

    fn note(&self, change: &Change) -> Result<(), StoreError> {
        self.write(|connection| audit::note(connection, change))
    }

    fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        // In portions, so that a flip never waits for all of it.
        loop {
            let portion = self.write(|connection| sweep::portion(connection, &self.retention, now))?;
            swept.exchanges += portion.exchanges;
            swept.bytes += portion.bytes;
            if portion.exchanges == 0 {
                return Ok(swept);
            }
        }
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| routes::setting(connection, name))
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.write(|connection| routes::set_setting(connection, name, value))
    }
}

fn severity_rank(severity: Severity) -> i64 {
    Severity::ALL.iter().position(|known| *known == severity).map_or(0, |rank| rank as i64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Tally;

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
