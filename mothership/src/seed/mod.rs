//! Makes a database: the known cast (docs/mothership-cast.md) and any amount of generated data around it.
//!
//! Everything comes from the seed number: the same scale and seed give the same file, byte for byte.

mod random;
mod insert;
pub mod cast;
mod texts;
mod bulk;

use std::{
    fmt,
    path::{Path, PathBuf},
    str::FromStr,
};

use rusqlite::Connection;

pub use random::Random;

use crate::store::{DERIVED_COUNTS, DerivedCount, Meta, StoreError, migrate};

/// How much is generated around the cast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Scale {
    /// About 1 thousand playlists.
    Small,
    /// About 100 thousand playlists.
    Medium,
    /// About 2 million playlists.
    Large,
}

/// How far generating is: `done` of `total` steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    pub done: u64,
    pub total: u64,
    pub what: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    #[error("{} exists already; a seed never overwrites a database", .0.display())]
    Exists(PathBuf),
    #[error("cannot write {}: {source}", path.display())]
    Io { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<rusqlite::Error> for SeedError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Makes the database at `path`. Blocks; streams, so that memory stays small at every scale.
///
/// The file appears under its name only when it is complete; an interrupted run leaves `PATH.partial` behind, which
/// the next run starts over.
///
/// # Errors
/// If `path` exists or cannot be written.
pub fn generate(
    path: &Path,
    scale: Scale,
    seed: u64,
    progress: &mut dyn FnMut(Progress),
) -> Result<(), SeedError> {
    if path.exists() {
        return Err(SeedError::Exists(path.to_owned()));
    }
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    let partial = PathBuf::from(partial);
    let io = |source| SeedError::Io { path: partial.clone(), source };
    match std::fs::remove_file(&partial) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(io(error)),
        _ => {}
    }
    let mut conn =
        Connection::open(&partial).map_err(|source| StoreError::Open { path: partial.clone(), source })?;
    // Nobody else reads the file yet and a crash only means starting over: no journal, no waiting for the disk.
    conn.pragma_update(None, "journal_mode", "off")?;
    conn.pragma_update(None, "synchronous", "off")?;
    conn.pragma_update(None, "cache_size", -262_144)?;
    migrate(&mut conn)?;
    let size = Size::of(scale);
    let total = size.steps() + DERIVED_COUNTS.len() as u64;
    let mut done = 0;
    let mut step = |what, steps| {
        done += steps;
        progress(Progress { done, total, what });
    };
    cast::insert(&mut conn)?;
    bulk::insert(&mut conn, seed, &size, &mut step)?;
    cast::insert_tracklists(&mut conn)?;
    for DerivedCount { table, column, definition } in DERIVED_COUNTS {
        conn.execute(&format!("UPDATE {table} SET {column} = ({definition})"), [])?;
        step("counting", 1);
    }
    conn.execute("UPDATE playlists SET indexed_likes_count = likes_count", [])?;
    conn.execute_batch("PRAGMA optimize = 0x10002")?;
    Meta { scale, seed }.write(&conn)?;
    conn.close().map_err(|(_, error)| error)?;
    std::fs::rename(&partial, path).map_err(io)
}

/// How many of each are generated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    users: i64,
    tracks: i64,
    playlists: i64,
}

impl Size {
    fn of(scale: Scale) -> Self {
        match scale {
            Scale::Small => Self { users: 300, tracks: 3_000, playlists: 1_000 },
            Scale::Medium => Self { users: 20_000, tracks: 150_000, playlists: 100_000 },
            Scale::Large => Self { users: 300_000, tracks: 1_500_000, playlists: 2_000_000 },
        }
    }

    fn steps(&self) -> u64 {
        (self.users + self.tracks + self.playlists).unsigned_abs()
    }
}

impl Scale {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Small => "small",
            Self::Medium => "medium",
            Self::Large => "large",
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scale {
    type Err = String;

    fn from_str(word: &str) -> Result<Self, String> {
        <Self as clap::ValueEnum>::from_str(word, false)
    }
}
