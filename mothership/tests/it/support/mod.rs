//! What tests share: a seeded database of their own, and an HTTP client.

pub(crate) mod decision_table;
mod document;
pub(crate) mod personas;
pub(crate) mod generated;
pub(crate) mod oracle;
mod http;
mod monolith;

use std::{path::PathBuf, sync::OnceLock};

pub(crate) use document::{Document, Operation};
pub(crate) use http::{Answer, Request, SseReader};
pub(crate) use monolith::Monolith;
use mothership::{
    domain::{Identity, Role, Timestamp, UserId, Viewer},
    seed::{self, Scale},
    store::Store,
};
use tempfile::TempDir;

pub(crate) const SEED: u64 = 7;

/// The time in all tests.
pub(crate) fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

/// A database of one's own: a copy of the small seed.
pub(crate) struct Database {
    directory: TempDir,
}

impl Database {
    pub(crate) fn fresh() -> Self {
        let directory = tempfile::tempdir().unwrap();
        std::fs::copy(template(), directory.path().join("db.sqlite")).unwrap();
        Self { directory }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.directory.path().join("db.sqlite")
    }

    pub(crate) fn store(&self) -> Store {
        Store::open(&self.path()).unwrap()
    }

    /// A look behind the store's back.
    pub(crate) fn connection(&self) -> rusqlite::Connection {
        rusqlite::Connection::open(self.path()).unwrap()
    }
}

pub(crate) fn user(id: UserId) -> Viewer {
    Viewer::user(id, now())
}

pub(crate) fn moderator(id: UserId) -> Viewer {
    Viewer { identity: Some(Identity { user_id: id, role: Role::Moderator }), ..user(id) }
}

fn template() -> PathBuf {
    static TEMPLATE: OnceLock<(TempDir, PathBuf)> = OnceLock::new();
    let (_, path) = TEMPLATE.get_or_init(|| {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("small.sqlite");
        seed::generate(&path, Scale::Small, SEED, &mut |_| {}).unwrap();
        (directory, path)
    });
    path.clone()
}
