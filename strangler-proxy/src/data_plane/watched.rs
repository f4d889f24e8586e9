//! Files that are read again when they hold something else: certificates end, and are replaced by others.
//!
//! They are told apart by what is in them. A time of change says nothing of files that are mounted anew, copied with their
//! times, or reached by a link that points elsewhere now.

use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use arc_swap::ArcSwap;

use super::certificate::Certificate;
use super::upstream::TlsError;

/// What was made of some files that belong together. It stays as it is while what they hold cannot be used.
pub(super) struct Watched<T> {
    files: Vec<PathBuf>,
    load: Load<T>,
    current: ArcSwap<T>,
    /// Held while the files are read, so that of two readings the later one counts.
    last: Mutex<Reading>,
}

/// Reads the files; gets what was made of them before, if anything.
pub(super) type Load<T> = Box<dyn Fn(Option<&T>) -> Result<Loaded<T>, TlsError> + Send + Sync>;

/// What was made of files, and the certificates in them.
pub(super) struct Loaded<T> {
    pub(super) value: T,
    pub(super) certificates: Vec<Certificate>,
}

/// The last time that the files were read.
struct Reading {
    /// Of each file; `None` where it could not be read.
    hashes: Vec<Option<blake3::Hash>>,
    /// What was wrong, and made the reading before it count.
    problem: Option<String>,
    /// Those that are in force.
    certificates: Vec<Certificate>,
}

/// Whatever it is that was made of the files.
pub(super) trait Renewable: Send + Sync {
    /// Reads the files again.
    ///
    /// # Errors
    /// What is wrong with which of them; then everything stays as it was.
    fn reload(&self) -> Result<(), TlsError>;
    /// Whether they hold something else than when they were last read.
    fn has_changed(&self) -> bool;
    /// The certificates that are in force.
    fn certificates(&self) -> Vec<Certificate>;
    /// What was wrong when they were last read.
    fn problem(&self) -> Option<String>;
}

impl<T> Watched<T> {
    pub(super) fn new(files: Vec<PathBuf>, load: Load<T>) -> Result<Self, TlsError> {
        // Before they are read: what is written meanwhile is read again.
        let hashes = hashes(&files);
        let Loaded { value, certificates } = load(None)?;
        let last = Mutex::new(Reading { hashes, problem: None, certificates });
        Ok(Self { files, load, current: ArcSwap::from_pointee(value), last })
    }

    pub(super) fn get(&self) -> Arc<T> {
        self.current.load_full()
    }

    fn last(&self) -> MutexGuard<'_, Reading> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T: Send + Sync> Renewable for Watched<T> {
    fn reload(&self) -> Result<(), TlsError> {
        let mut last = self.last();
        // Also before an error: what is wrong is told once, until it is mended.
        last.hashes = hashes(&self.files);
        match (self.load)(Some(&self.current.load())) {
            Ok(Loaded { value, certificates }) => {
                self.current.store(Arc::new(value));
                (last.problem, last.certificates) = (None, certificates);
                Ok(())
            }
            Err(error) => {
                last.problem = Some(error.to_string());
                Err(error)
            }
        }
    }

    fn has_changed(&self) -> bool {
        self.last().hashes != hashes(&self.files)
    }

    fn certificates(&self) -> Vec<Certificate> {
        self.last().certificates.clone()
    }

    fn problem(&self) -> Option<String> {
        self.last().problem.clone()
    }
}

fn hashes(files: &[PathBuf]) -> Vec<Option<blake3::Hash>> {
    files.iter().map(|file| Some(blake3::hash(&fs::read(file).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn words(file: &Path) -> Watched<String> {
        let path = file.to_owned();
        let load: Load<String> = Box::new(move |_| {
            let text = fs::read_to_string(&path)
                .map_err(|source| TlsError::Unreadable { path: path.clone(), source })?;
            Ok(Loaded { value: text, certificates: Vec::new() })
        });
        Watched::new(vec![file.to_owned()], load).unwrap()
    }

    #[test]
    fn a_file_of_the_same_length_and_time_is_told_by_what_it_holds() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        fs::write(&file, "one").unwrap();
        let time = fs::metadata(&file).unwrap().modified().unwrap();
        let watched = words(&file);
        assert!(!watched.has_changed());
        fs::write(&file, "two").unwrap();
        fs::File::options().write(true).open(&file).unwrap().set_modified(time).unwrap();
        assert!(watched.has_changed());
        watched.reload().unwrap();
        assert_eq!(*watched.get(), "two");
        // Written again with the same words: nothing to do.
        fs::write(&file, "two").unwrap();
        assert!(!watched.has_changed());
    }

    /// As secrets are mounted: a link to a folder is put in the place of another one.
    #[test]
    fn a_link_that_points_elsewhere_is_followed() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["1", "2"] {
            fs::create_dir(dir.path().join(folder)).unwrap();
            fs::write(dir.path().join(folder).join("a"), folder).unwrap();
        }
        let (data, next) = (dir.path().join("data"), dir.path().join("next"));
        std::os::unix::fs::symlink("1", &data).unwrap();
        let watched = words(&data.join("a"));
        std::os::unix::fs::symlink("2", &next).unwrap();
        fs::rename(&next, &data).unwrap();
        assert!(watched.has_changed());
        watched.reload().unwrap();
        assert_eq!(*watched.get(), "2");
    }

    #[test]
    fn what_cannot_be_used_is_told_until_it_is_mended_and_changes_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a");
        fs::write(&file, "one").unwrap();
        let watched = words(&file);
        fs::remove_file(&file).unwrap();
        assert!(watched.has_changed());
        assert!(watched.reload().is_err());
        assert!(!watched.has_changed(), "it would be told again and again");
        assert!(watched.problem().unwrap().contains("cannot be read"));
        assert_eq!(*watched.get(), "one");
        fs::write(&file, "one").unwrap();
        assert!(watched.has_changed());
        watched.reload().unwrap();
        assert_eq!(watched.problem(), None);
    }
}
