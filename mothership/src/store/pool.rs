//! The reading connections: a fixed number, each used by one blocking task at a time.

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

use rusqlite::{Connection, OpenFlags};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::store::{Reader, StoreError};

/// Distinct statements kept prepared per connection; there are fewer than this.
const STATEMENTS: usize = 128;

pub(crate) struct Pool {
    idle: Arc<Mutex<Vec<Connection>>>,
    permits: Arc<Semaphore>,
}

/// A connection on loan; it goes back when dropped, also when its user panicked.
struct Loan {
    conn: Option<Connection>,
    idle: Arc<Mutex<Vec<Connection>>>,
    _permit: OwnedSemaphorePermit,
}

impl Pool {
    pub(crate) fn open(path: &Path, size: usize) -> Result<Self, StoreError> {
        let connections = (0..size).map(|_| connect(path)).collect::<Result<Vec<_>, _>>()?;
        Ok(Self { idle: Arc::new(Mutex::new(connections)), permits: Arc::new(Semaphore::new(size)) })
    }

    pub(crate) async fn read<T, F>(&self, queries: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Reader<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let permit = Arc::clone(&self.permits).acquire_owned().await.map_err(|_| StoreError::Closed)?;
        let idle = Arc::clone(&self.idle);
        let work = move || {
            let mut loan = Loan::take(idle, permit);
            let conn = loan.conn.as_mut().expect("a loan holds its connection until it is dropped");
            let snapshot = conn.transaction()?;
            let answer = queries(&Reader::new(&snapshot))?;
            snapshot.commit()?;
            Ok(answer)
        };
        tokio::task::spawn_blocking(work).await.map_err(|_| StoreError::Closed)?
    }
}

impl Loan {
    fn take(idle: Arc<Mutex<Vec<Connection>>>, permit: OwnedSemaphorePermit) -> Self {
        let conn = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        debug_assert!(conn.is_some(), "there are as many permits as connections");
        Self { conn, idle, _permit: permit }
    }
}

impl Drop for Loan {
    fn drop(&mut self) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        idle.extend(self.conn.take());
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(path, flags)?;
    conn.pragma_update(None, "query_only", true)?;
    conn.pragma_update(None, "cache_size", -16_384)?;
    conn.pragma_update(None, "mmap_size", 1_i64 << 30)?;
    conn.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(conn)
}
