//! Who may see what: pure functions, no I/O.
//!
//! The decision table is docs/mothership-visibility.md; the test in `tests/it/visibility.rs` reads that page and
//! checks every row of it against these functions. Each kind of thing has two questions: *read* (addressed by its id,
//! its permalink or its secret link) and *listed* (met in a collection: search, a profile, likes, a feed). Listing is
//! stricter: secret links and the moderator role count for reading only, and what belongs to people whom the viewer
//! blocked is readable but not listed.
//!
//! The store answers the *listed* questions in SQL as well, so that pages are full
//! ([`crate::store::Audience::Collection`]); a test holds the two against each other.

mod track;
mod playlist;
mod user;

pub use playlist::{PlaylistSight, listed_playlist, read_playlist};
pub use track::{Access, AccessSet, TrackSight, listed_track, read_track, read_track_in_playlist};
pub use user::{listed_user, read_user};

/// Why a question was decided as it was: the first rule that applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Reason {
    Owner,
    Moderator,
    OwnerSuspended,
    OwnerBlockedViewer,
    ViewerBlockedOwner,
    TakenDown,
    Private,
    Unreleased,
    SecretLink,
    TerritoryBlocked,
    PreviewOnly,
    Public,
}

impl Reason {
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Moderator => "moderator",
            Self::OwnerSuspended => "owner_suspended",
            Self::OwnerBlockedViewer => "owner_blocked_viewer",
            Self::ViewerBlockedOwner => "viewer_blocked_owner",
            Self::TakenDown => "taken_down",
            Self::Private => "private",
            Self::Unreleased => "unreleased",
            Self::SecretLink => "secret_link",
            Self::TerritoryBlocked => "territory_blocked",
            Self::PreviewOnly => "preview_only",
            Self::Public => "public",
        }
    }
}
