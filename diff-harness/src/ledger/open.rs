//! Opening a store, or saying in words why not.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};
use rusqlite_migration::{M, Migrations};

use super::lock::StoreLock;
use super::trouble;
use crate::store::StoreError;

/// Written once, never changed: what comes later is a migration of its own.
const MIGRATIONS: &[M<'static>] = &[
    M::up(include_str!("schema_1.sql")),
    M::up(include_str!("schema_2.sql")),
    M::up(include_str!("schema_3.sql")),
    M::up(include_str!("schema_4.sql")),
    M::up(include_str!("schema_5.sql")),
    M::up(include_str!("schema_6.sql")),
];
const APPLICATION_ID: i32 = 1_398_034_503;
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
/// How long to wait for another program that has the file locked for a moment, such as a backup.
const BUSY_WAIT: Duration = Duration::from_secs(5);
/// Small, and what must not be lost: checked at every start. With the version of the file that has them.
const VITAL_TABLES: [(&str, i32); 6] =
    [("endpoints", 1), ("transitions", 1), ("settings", 1), ("tallies", 1), ("decisions", 3), ("changes", 6)];

/// Where a reader finds what was committed.
#[derive(Clone, Copy, Debug)]
pub(super) enum ReadFrom {
    FileAndLog,
    /// There is no write-ahead log, and none can be made: the file stands in a directory that cannot be written.
    FileAlone,
}

pub(super) fn for_writing(path: &Path) -> Result<(PathBuf, StoreLock, Connection), StoreError> {
    let path = place(path)?;
    check_magic(&path)?;
    let lock = StoreLock::take(&path)?;
    let mut connection = connect(&path)?;
    prepare(&path, &mut connection)?;
    Ok((path, lock, connection))
}

/// Opens a store that another process writes, and that has shared its lock.
pub(super) fn beside_another(
    path: &Path,
    lock: fs::File,
) -> Result<(PathBuf, StoreLock, Connection), StoreError> {
    let path = place(path)?;
    check_magic(&path)?;
    let mut connection = connect(&path)?;
    let version = check_version(&path, &connection)?;
    if version != latest() {
        return Err(StoreError::Unusable(format!(
            "the store {} is of version {version}, this Strangler makes version {} of it: that cannot be done while \
             another process writes it; stop that one first",
            path.display(),
            latest()
        )));
    }
    prepare(&path, &mut connection)?;
    let lock = StoreLock::share(&path, lock)?;
    Ok((path, lock, connection))
}

pub(super) fn for_reading(path: &Path) -> Result<(PathBuf, ReadFrom, Connection), StoreError> {
    let path = place(path)?;
    if !path.exists() {
        return Err(StoreError::Unusable(format!(
            "there is no store at {}; `strangler serve` makes one, `--store` names another",
            path.display()
        )));
    }
    check_magic(&path)?;
    let log_is_empty = fs::metadata(beside(&path, "-wal")).map_or(true, |log| log.len() == 0);
    let (read_from, connection) = match reader(&path, ReadFrom::FileAndLog) {
        Err(_) if log_is_empty => (ReadFrom::FileAlone, reader(&path, ReadFrom::FileAlone)?),
        other => (ReadFrom::FileAndLog, other?),
    };
    let version = check_version(&path, &connection)?;
    if version < latest() {
        return Err(StoreError::Unusable(format!(
            "the store {} is of version {version}, this Strangler reads version {}; `strangler serve` brings it up to \
             date when it starts",
            path.display(),
            latest()
        )));
    }
    Ok((path, read_from, connection))
}

/// A connection that cannot write.
pub(super) fn reader(path: &Path, from: ReadFrom) -> Result<Connection, StoreError> {
    let words = |error| trouble::in_words(path, error);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = match from {
        ReadFrom::FileAndLog => Connection::open_with_flags(path, flags),
        ReadFrom::FileAlone => {
            Connection::open_with_flags(immutable_uri(path), flags | OpenFlags::SQLITE_OPEN_URI)
        }
    }
    .map_err(words)?;
    connection.busy_timeout(BUSY_WAIT).map_err(words)?;
    connection.query_row("SELECT count(*) FROM sqlite_schema", (), |_| Ok(())).map_err(words)?;
    Ok(connection)
}

/// `<store>-wal`, `<store>.lock`.
pub(super) fn beside(store: &Path, suffix: &str) -> PathBuf {
    let mut name = store.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// The one path that every process calls this store by, so that they meet at one lock.
fn place(path: &Path) -> Result<PathBuf, StoreError> {
    if path.is_dir() {
        return Err(StoreError::Unusable(format!(
            "{} is a directory; a store is one file, such as {}",
            path.display(),
            path.join("strangler.db").display()
        )));
    }
    if let Ok(known) = path.canonicalize() {
        return Ok(known);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    match (parent.canonicalize(), path.file_name()) {
        (Ok(parent), Some(name)) => Ok(parent.join(name)),
        _ => Err(StoreError::Unusable(format!(
            "the store {} cannot be made: there is no directory {}; make it, or choose another file with `--store`",
            path.display(),
            parent.display()
        ))),
    }
}

/// Another program's file is told by its first bytes, before SQLite touches it.
fn check_magic(path: &Path) -> Result<(), StoreError> {
    let mut head = Vec::new();
    match fs::File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(error) => {
            return Err(StoreError::Unusable(format!(
                "the store {} cannot be read: {error}",
                path.display()
            )));
        }
        Ok(file) => file.take(16).read_to_end(&mut head).map_err(|error| {
            StoreError::Unusable(format!("the store {} cannot be read: {error}", path.display()))
        })?,
    };
    if head.is_empty() || head == MAGIC {
        return Ok(());
    }
    Err(StoreError::Unusable(format!(
        "{} is not a store: it is no SQLite file; it was not changed. Choose another file with `--store`",
        path.display()
    )))
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    let words = |error| trouble::in_words(path, error);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(words)?;
    connection.busy_timeout(BUSY_WAIT).map_err(words)?;
    Ok(connection)
}

fn prepare(path: &Path, connection: &mut Connection) -> Result<(), StoreError> {
    let words = |error| trouble::in_words(path, error);
    check_tables(path, connection, check_version(path, connection)?)?;
    if connection.is_readonly("main").map_err(words)? {
        return Err(StoreError::Unusable(format!(
            "the store {} cannot be written: the file is read-only; give this user the right to write it, or choose \
             another file with `--store`",
            path.display()
        )));
    }
    // Only heeded while the file is still empty.
    connection.pragma_update(None, "auto_vacuum", "incremental").map_err(words)?;
    connection.pragma_update(None, "journal_mode", "wal").map_err(words)?;
    connection.pragma_update(None, "synchronous", "full").map_err(words)?;
    connection.pragma_update(None, "foreign_keys", true).map_err(words)?;
    connection.pragma_update(None, "journal_size_limit", 64 << 20).map_err(words)?;
    connection.set_prepared_statement_cache_capacity(64);
    Migrations::from_slice(MIGRATIONS).to_latest(connection).map_err(|error| match error {
        rusqlite_migration::Error::RusqliteError { err, .. } => words(err),
        other => StoreError::Failed(Box::new(other)),
    })?;
    Ok(())
}

/// Before anything is written, so that a damaged file stays as it was found.
fn check_tables(path: &Path, connection: &Connection, version: i32) -> Result<(), StoreError> {
    for (table, _) in VITAL_TABLES.into_iter().filter(|(_, since)| *since <= version) {
        let sql = format!("PRAGMA quick_check('{table}')");
        let verdict: String = connection
            .query_row(&sql, (), |row| row.get(0))
            .map_err(|error| trouble::in_words(path, error))?;
        if verdict != "ok" {
            return Err(trouble::damaged(
                &path.display().to_string(),
                verdict.lines().next().unwrap_or(table),
            ));
        }
    }
    Ok(())
}

fn latest() -> i32 {
    MIGRATIONS.len() as i32
}

/// The version of the file: 0 for an empty one.
fn check_version(path: &Path, connection: &Connection) -> Result<i32, StoreError> {
    let words = |error| trouble::in_words(path, error);
    let number =
        |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0)).map_err(words);
    let tables: i64 =
        connection.query_row("SELECT count(*) FROM sqlite_schema", (), |row| row.get(0)).map_err(words)?;
    let version = number("user_version")?;
    if tables > 0 && number("application_id")? != APPLICATION_ID {
        return Err(StoreError::Unusable(format!(
            "{} is a database of another program; it was not changed. Choose another file with `--store`",
            path.display()
        )));
    }
    if version > latest() {
        return Err(StoreError::Unusable(format!(
            "the store {} was written by a newer Strangler (version {version} of the file, this one knows {}); it was \
             not changed. Use that newer Strangler, or choose another file with `--store`",
            path.display(),
            latest()
        )));
    }
    Ok(version)
}

/// <https://www.sqlite.org/uri.html>
fn immutable_uri(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1")
}
