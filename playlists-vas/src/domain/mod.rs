//! The domain: the playlist aggregate and the plain values around it. No I/O, no serialisation of representations.

mod ids;
mod timestamp;
mod territory;
mod words;
mod viewer;
mod playlist;
mod track;
mod person;
mod page;

pub use ids::{InvalidId, PlaylistId, TrackId, UserId};
pub use page::{Cursor, InvalidCursor, Page, Position};
pub use person::{Block, Mark, Person, Profile, ProfileCounts, UserRelation};
pub use playlist::{Counts, Label, Playlist, Purchase, Release, SecretToken};
pub use territory::{InvalidTerritory, Territory};
pub use timestamp::{InvalidTimestamp, Timestamp};
pub use track::{Access, Track};
pub use viewer::{Identity, Viewer};
pub use words::{Embeddable, License, PlaylistKind, Policy, Role, Sharing, UnknownWord};
