//! Why a call to the monolith did not give an answer that can be used.

use crate::domain::TrackId;

/// Cheap to clone: callers who shared a call share its failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoundationError {
    /// Not connected, connection lost, or too many calls under way.
    #[error("the monolith cannot be reached: {0}")]
    Unreachable(String),
    #[error("the monolith did not answer within {deadline_ms} ms")]
    TimedOut { deadline_ms: u64 },
    /// Our own service token, an unknown path, a body it cannot read: a mistake in the set-up or in this program.
    #[error("the monolith answered {status} ({code}): {message}")]
    Unexpected { status: u16, code: String, message: String },
    #[error("the monolith's answer could not be read: {0}")]
    Unreadable(String),
    #[error("the viewer's account does not exist any more")]
    ViewerUnknown,
    #[error(transparent)]
    Refused(#[from] Refused),
}

/// Why a command was refused. Nothing was changed then.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("only a signed-in user can change anything")]
    SignInRequired,
    /// Does not exist, or must not be known to exist.
    #[error("it does not exist")]
    NotFound,
    /// May be seen, but not changed.
    #[error("not allowed: it belongs to someone else")]
    NotOwner,
    /// Every problem that was found, in the order of the fields.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Invalid>),
    #[error("the playlist changed meanwhile: expected revision {expected}, it is at {actual}")]
    StaleRevision { expected: i64, actual: i64 },
}

/// A field, as the domain names it, and what is wrong with its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct Invalid {
    pub field: String,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("must not be blank")]
    Blank,
    #[error("is too long: {actual} characters, at most {max} are allowed")]
    TooLong { max: u64, actual: u64 },
    #[error("has too many entries: {actual}, at most {max} are allowed")]
    TooMany { max: u64, actual: u64 },
    /// Unknown, or not to be seen by the actor: the two are not told apart.
    #[error("names tracks that do not exist: {}", joined(.0))]
    UnknownTracks(Vec<TrackId>),
    #[error("names a user who does not exist")]
    UnknownUser,
    #[error("is out of range: must be {min} to {max}")]
    OutOfRange { min: i64, max: i64 },
    #[error("must not be yourself")]
    Yourself,
}

impl Refused {
    pub fn unknown_tracks(ids: Vec<TrackId>) -> Self {
        Self::Invalid(vec![Invalid { field: "tracks".to_owned(), problem: Problem::UnknownTracks(ids) }])
    }
}

fn sentences(invalid: &[Invalid]) -> String {
    invalid.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn joined(ids: &[TrackId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
