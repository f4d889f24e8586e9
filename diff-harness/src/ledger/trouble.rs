//! What went wrong with the file, where, and what to do: in words for the person at the command line.

use std::path::Path;

use rusqlite::ErrorCode;

use crate::store::StoreError;

pub(super) fn in_words(path: &Path, error: rusqlite::Error) -> StoreError {
    let path = path.display();
    let text = match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => format!(
            "the disk that holds the store {path} is full: nothing new is recorded, what was stored is safe; \
             free some space, or lower the retention limits"
        ),
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => format!(
            "the store {path} cannot be written: the file or its directory is read-only; give this user the right to \
             write both, or choose another file with `--store`"
        ),
        Some(ErrorCode::CannotOpen) => format!(
            "the store {path} cannot be opened ({error}): check that the directory exists and that this user may \
             write to it"
        ),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            return damaged(&path.to_string(), &error.to_string());
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => format!(
            "the store {path} is locked by another program, such as a backup or an open `sqlite3`; close it and repeat"
        ),
        Some(ErrorCode::SystemIoFailure) => {
            format!(
                "reading or writing the store {path} failed ({error}): check the disk and the file system"
            )
        }
        _ => return StoreError::Failed(Box::new(error)),
    };
    StoreError::Unusable(text)
}

pub(super) fn damaged(path: &str, detail: &str) -> StoreError {
    StoreError::Unusable(format!(
        "the store {path} is damaged ({detail}); it was not changed. Put a copy back in its place, or move it away \
         together with {path}-wal and {path}-shm to begin with an empty store (every endpoint is then at `legacy`); \
         `sqlite3 {path} .recover` saves what can still be read"
    ))
}

pub(super) fn opened_for_reading(path: &Path) -> StoreError {
    StoreError::Unusable(format!("the store {} was opened for reading only", path.display()))
}

/// Something in a row that this version cannot have written.
pub(super) fn unreadable(what: &str, value: &str) -> StoreError {
    StoreError::Unusable(format!("the store holds {what} that cannot be read: `{value}`"))
}
