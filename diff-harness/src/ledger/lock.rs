//! One writer at a time, by a lock of the operating system that goes when the process goes, however it goes.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, Write};
use std::path::Path;

use crate::store::StoreError;

#[derive(Debug)]
pub(super) struct StoreLock(File);

impl StoreLock {
    /// Locks the file beside the store, `<store>.lock`: closing a handle of the database file itself would let go of
    /// the locks that SQLite has on it.
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let path = super::open::beside(store, ".lock");
        let failed = |error: std::io::Error| {
            StoreError::Unusable(format!(
                "cannot lock the store {}: {}: {error}; the directory must be writable",
                store.display(),
                path.display()
            ))
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(failed)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(taken(store, &mut file)),
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        name_holder(&mut file).map_err(failed)?;
        Ok(Self(file))
    }

    /// The lock that another process holds, from a copy of its open file: a lock belongs to the open file, and goes when
    /// the last copy is closed.
    pub(super) fn share(store: &Path, mut file: File) -> Result<Self, StoreError> {
        let failed = |error: std::io::Error| {
            StoreError::Unusable(format!("cannot share the lock of the store {}: {error}", store.display()))
        };
        // Only a copy of the very file that is locked here may be locked again.
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(failed(std::io::Error::other("it is not the lock of this store")));
            }
            Err(TryLockError::Error(error)) => return Err(failed(error)),
        }
        name_holder(&mut file).map_err(failed)?;
        Ok(Self(file))
    }

    pub(super) fn copy(&self) -> std::io::Result<File> {
        self.0.try_clone()
    }
}

fn name_holder(file: &mut File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

fn taken(store: &Path, file: &mut File) -> StoreError {
    let mut holder = String::new();
    // Only to name the process; without it the sentence is true all the same.
    let _ = file.take(20).read_to_string(&mut holder);
    let process =
        holder.trim().parse::<u32>().map_or_else(|_| String::new(), |id| format!(" (process {id})"));
    StoreError::Unusable(format!(
        "the store {} is in use by another `strangler serve`{process}; stop that one, take it over \
         with `--take-over`, or give this one a store of its own with `--store`",
        store.display()
    ))
}
