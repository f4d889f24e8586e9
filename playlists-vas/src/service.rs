//! What everything of the Playlists VAS is made of and what can go wrong in it.

use crate::foundation::{FoundationError, Refused};

/// Why a query or a command has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ServiceError {
    /// Does not exist, must not be seen, may not be changed, or makes no sense.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// A service below did not answer, or not in a form that can be read.
    #[error("{0}")]
    Unavailable(String),
}

impl ServiceError {
    pub const NOT_FOUND: Self = Self::Refused(Refused::NotFound);
}

impl From<FoundationError> for ServiceError {
    fn from(error: FoundationError) -> Self {
        match error {
            FoundationError::Refused(refused) => Self::Refused(refused),
            other => Self::Unavailable(other.to_string()),
        }
    }
}
