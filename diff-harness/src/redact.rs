//! Secrets are taken out before anything is stored. The comparison is made before that, on the real bytes.

/// Proof that a value went through a redactor: nothing else makes one, and the store takes nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }
}
