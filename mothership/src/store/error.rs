//! What can go wrong with the database itself.

use std::path::PathBuf;

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot open the database {}: {source}", path.display())]
    Open { path: PathBuf, source: rusqlite::Error },
    #[error("the database cannot be brought up to date: {0}")]
    Migration(#[from] rusqlite_migration::Error),
    #[error(
        "the database has no complete seed (meta entry {0:?} is missing or unreadable); delete the file and seed again"
    )]
    NotSeeded(&'static str),
    #[error("the database failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    #[error("cannot start a thread for the database: {0}")]
    Thread(std::io::Error),
    #[error("the database is shut down, or the task that used it died")]
    Closed,
}
