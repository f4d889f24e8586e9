//! Why a command was refused. Nothing was changed then. Dialects map these to their own shapes.

use crate::{
    domain::{CommentId, PlaylistId, TrackId, UserId},
    store::StoreError,
};

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error("only a signed-in user can change anything")]
    SignInRequired,
    /// Does not exist, or must not be known to exist.
    #[error("{0} does not exist")]
    NotFound(Missing),
    /// May be seen, but not changed.
    #[error("not allowed: {0}")]
    Forbidden(Forbidden),
    /// Every problem that was found, in the order of the fields.
    #[error("{}", sentences(.0))]
    Invalid(Vec<Invalid>),
    #[error("the playlist changed meanwhile: expected revision {expected}, it is at {actual}")]
    StaleRevision { expected: i64, actual: i64 },
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Missing {
    #[error("playlist {0}")]
    Playlist(PlaylistId),
    #[error("track {0}")]
    Track(TrackId),
    #[error("user {0}")]
    User(UserId),
    #[error("comment {0}")]
    Comment(CommentId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    #[error("it belongs to someone else")]
    NotOwner,
    #[error("comments on this track are off")]
    CommentsOff,
    #[error("this user blocked you")]
    BlockedByUser,
}

/// A field, as the domain names it, and what is wrong with its value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{field} {problem}")]
pub struct Invalid {
    pub field: &'static str,
    pub problem: Problem,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("must not be blank")]
    Blank,
    #[error("is too long: {actual} characters, at most {max} are allowed")]
    TooLong { max: usize, actual: usize },
    #[error("has too many entries: {actual}, at most {max} are allowed")]
    TooMany { max: usize, actual: usize },
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

impl From<rusqlite::Error> for CommandError {
    fn from(error: rusqlite::Error) -> Self {
        Self::Store(error.into())
    }
}

impl CommandError {
    pub(crate) fn invalid(field: &'static str, problem: Problem) -> Self {
        Self::Invalid(vec![Invalid { field, problem }])
    }
}

fn sentences(invalid: &[Invalid]) -> String {
    invalid.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn joined(ids: &[TrackId]) -> String {
    ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
