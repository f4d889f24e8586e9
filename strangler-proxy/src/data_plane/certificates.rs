//! All certificates of the data plane, those of listeners and those of upstreams, and their replacement while it runs.

use std::fmt;
use std::sync::Arc;

use super::certificate::Certificate;
use super::watched::Renewable;

/// Everything that speaks TLS, with the files that it does so by.
#[derive(Default)]
pub struct Certificates(Vec<User>);

struct User {
    /// `listener 0.0.0.0:8443`, `upstream control`.
    name: String,
    files: Arc<dyn Renewable>,
}

/// What became of reading the files again, by who uses them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reloaded {
    pub read: Vec<String>,
    /// With what is wrong. What was read before stays.
    pub refused: Vec<(String, String)>,
}

impl Certificates {
    pub(super) fn add(&mut self, name: String, files: Arc<dyn Renewable>) {
        self.0.push(User { name, files });
    }

    /// Reads those again whose files hold something else than when they were last read; whether any did.
    pub fn look(&self) -> bool {
        let changed: Vec<_> = self.0.iter().filter(|user| user.files.has_changed()).collect();
        for user in &changed {
            let _ = user.reload();
        }
        !changed.is_empty()
    }

    /// Reads all of them again, changed or not.
    pub fn reload(&self) -> Reloaded {
        let mut reloaded = Reloaded::default();
        for user in &self.0 {
            match user.reload() {
                Ok(()) => reloaded.read.push(user.name.clone()),
                Err(why) => reloaded.refused.push((user.name.clone(), why)),
            }
        }
        reloaded
    }

    /// Those that are in force, with who uses them.
    pub fn all(&self) -> Vec<(String, Certificate)> {
        let of = |user: &User| {
            let name = user.name.clone();
            user.files.certificates().into_iter().map(move |certificate| (name.clone(), certificate))
        };
        self.0.iter().flat_map(of).collect()
    }

    /// Whose files cannot be used as they are now, and why; what was read before is in force.
    pub fn problems(&self) -> Vec<(String, String)> {
        let of = |user: &User| user.files.problem().map(|problem| (user.name.clone(), problem));
        self.0.iter().filter_map(of).collect()
    }

    /// Everything that speaks TLS.
    pub fn users(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|user| user.name.as_str())
    }
}

impl User {
    fn reload(&self) -> Result<(), String> {
        let used_by = &self.name;
        match self.files.reload() {
            Ok(()) => {
                tracing::info!(used_by, "certificates reloaded");
                Ok(())
            }
            Err(error) => {
                tracing::error!(used_by, %error, "the certificates stay as they were");
                Err(error.to_string())
            }
        }
    }
}

impl fmt::Debug for Certificates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.users()).finish()
    }
}
