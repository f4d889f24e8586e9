//! The Unix socket beside the store where a running proxy is found by the one that is to take its place.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

/// Whoever holds the store's lock has the door. Only the same user, and root, can knock.
#[derive(Debug)]
pub struct Door {
    listener: tokio::net::UnixListener,
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Door {
    /// `<store>.sock`.
    pub fn beside(store: &Path) -> PathBuf {
        let mut name = store.as_os_str().to_owned();
        name.push(".sock");
        name.into()
    }

    /// Listens there, in the place of whoever did before. In a runtime.
    ///
    /// # Errors
    /// Where no socket can be made, such as at a path of more than 107 bytes (unix(7)).
    pub fn open(path: &Path) -> io::Result<Self> {
        let mut own = path.as_os_str().to_owned();
        own.push(format!(".{}", std::process::id()));
        let own = PathBuf::from(own);
        // Left by a process of the same number, which is gone.
        let _ = fs::remove_file(&own);
        let listener = UnixListener::bind(&own)?;
        let opened = (|| {
            fs::set_permissions(&own, Permissions::from_mode(0o600))?;
            listener.set_nonblocking(true)?;
            let file = fs::symlink_metadata(&own)?;
            fs::rename(&own, path)?;
            Ok((tokio::net::UnixListener::from_std(listener)?, file))
        })();
        let (listener, file) = opened.inspect_err(|_: &io::Error| {
            let _ = fs::remove_file(&own);
        })?;
        Ok(Self { listener, path: path.to_owned(), device: file.dev(), inode: file.ino() })
    }

    /// Whoever comes next.
    pub async fn knock(&self) -> io::Result<UnixStream> {
        let (stream, _) = self.listener.accept().await?;
        let stream = stream.into_std()?;
        stream.set_nonblocking(false)?;
        Ok(stream)
    }
}

/// Takes the file away, unless a successor has put its own in the place.
impl Drop for Door {
    fn drop(&mut self) {
        let is_own = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == (self.device, self.inode));
        if is_own && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the handover socket could not be removed");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_successor_takes_the_place_and_keeps_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = Door::beside(&folder.path().join("strangler.db"));
        let first = Door::open(&path).unwrap();
        let second = Door::open(&path).unwrap();
        drop(first);
        let come = UnixStream::connect(&path).unwrap();
        drop(second.knock().await.unwrap());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        drop((come, second));
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0, "something is left behind");
    }
}
