//! Who may see and change what: pure functions, no I/O, and the only place where it is decided.
//!
//! The decision table is docs/mothership-visibility.md; [`tests`] reads that page and checks every row of it. Each kind
//! of thing has two questions: *read* (addressed by its id, its permalink or its secret link) and *listed* (met in a
//! collection). Listing is stricter: secret links and the moderator role count for reading only, and what belongs to
//! people whom the viewer blocked is readable but not listed.

mod playlist;
mod track;
mod user;
#[cfg(test)]
mod tests;

pub use playlist::{PlaylistSight, listed_playlist, may_change, read_playlist};
pub use track::{Opened, TrackFacts, TrackSight, listed_track, member, read_track};
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
