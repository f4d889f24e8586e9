//! The things the monolith knows: plain data, no I/O.
//!
//! Every field that a dialect may show is here; how it is shown is the dialect's own business.

mod ids;
mod words;
mod timestamp;
mod territory;
mod clock;
mod user;
mod track;
mod playlist;
mod comment;
mod relation;
mod viewer;

pub use clock::Clock;
pub use comment::Comment;
pub use ids::{CommentId, ConnectionId, InvalidId, PlaylistId, TrackId, UserId, WebProfileId};
pub use playlist::{Playlist, PlaylistWithTracks};
pub use relation::{Block, PlaylistRelation, TrackRelation, UserRelation};
pub use territory::{InvalidTerritory, Territories, Territory};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use track::Track;
pub use user::{Connection, User, UserCounts, WebProfile};
pub use viewer::{Identity, Viewer};
pub use words::{Embeddable, License, Plan, PlaylistKind, Policy, Role, Sharing, UnknownWord};
