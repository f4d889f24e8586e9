//! The known cast: users, tokens, tracks and playlists that every database has under the same ids, so that tests,
//! suites and demos can name them. docs/mothership-cast.md tells what each is there for.

mod users;
mod tracks;
mod playlists;
mod relations;

use rusqlite::Connection;

use super::insert;
use crate::{
    domain::{PlaylistId, Territory, Timestamp, TrackId, UserId},
    store::StoreError,
};

/// Owns most of the cast's things.
pub const ADA: UserId = UserId::new(1);
/// Follows Ada.
pub const FAN: UserId = UserId::new(2);
pub const OTHER: UserId = UserId::new(3);
/// Blocked by Ada.
pub const OUTCAST: UserId = UserId::new(4);
/// A moderator.
pub const MOD: UserId = UserId::new(5);
/// Suspended.
pub const GHOST: UserId = UserId::new(6);
/// Blocked Ada.
pub const MUTER: UserId = UserId::new(7);
/// Has texts with everything in them.
pub const UNICODE: UserId = UserId::new(8);
/// Has nothing set, or empty strings.
pub const BLANK: UserId = UserId::new(9);
/// The label of Ada's album.
pub const LABEL: UserId = UserId::new(10);

/// Bearer tokens. `tok-expired` is Other's and ended in 2021; the others never end.
pub const TOKENS: [(&str, UserId); 11] = [
    ("tok-ada", ADA),
    ("tok-fan", FAN),
    ("tok-other", OTHER),
    ("tok-outcast", OUTCAST),
    ("tok-mod", MOD),
    ("tok-ghost", GHOST),
    ("tok-muter", MUTER),
    ("tok-unicode", UNICODE),
    ("tok-blank", BLANK),
    ("tok-label", LABEL),
    ("tok-expired", OTHER),
];

/// Where [`TERRITORY`] and [`TERRITORY_AND_PREVIEW`] are blocked.
pub const BLOCKED_TERRITORIES: [Territory; 2] = [Territory::new(*b"DE"), Territory::new(*b"FR")];

pub const PUBLIC: TrackId = TrackId::new(101);
pub const PRIVATE: TrackId = TrackId::new(102);
/// Until 2100.
pub const UNRELEASED: TrackId = TrackId::new(103);
pub const TERRITORY: TrackId = TrackId::new(104);
pub const PREVIEW: TrackId = TrackId::new(105);
pub const TERRITORY_AND_PREVIEW: TrackId = TrackId::new(106);
pub const TAKEN_DOWN: TrackId = TrackId::new(107);
pub const PRIVATE_UNRELEASED: TrackId = TrackId::new(108);
pub const NO_COMMENTS: TrackId = TrackId::new(109);
/// Was released in 2020.
pub const RELEASED: TrackId = TrackId::new(110);
/// Is released on 2026-07-01: whether it shows depends on the clock.
pub const RELEASED_IN_JULY: TrackId = TrackId::new(111);
pub const OF_SUSPENDED: TrackId = TrackId::new(121);
pub const OF_OTHER: TrackId = TrackId::new(122);
pub const PRIVATE_OF_OTHER: TrackId = TrackId::new(123);
pub const LONG_TITLE_TRACK: TrackId = TrackId::new(124);
pub const UNICODE_TRACK: TrackId = TrackId::new(125);
pub const BLANK_TRACK: TrackId = TrackId::new(126);
pub const OF_FAN: TrackId = TrackId::new(127);
pub const OF_OUTCAST: TrackId = TrackId::new(128);
pub const OF_MUTER: TrackId = TrackId::new(129);

/// Every track of the cast, in the order of their ids.
pub const TRACKS: [TrackId; 20] = [
    PUBLIC,
    PRIVATE,
    UNRELEASED,
    TERRITORY,
    PREVIEW,
    TERRITORY_AND_PREVIEW,
    TAKEN_DOWN,
    PRIVATE_UNRELEASED,
    NO_COMMENTS,
    RELEASED,
    RELEASED_IN_JULY,
    OF_SUSPENDED,
    OF_OTHER,
    PRIVATE_OF_OTHER,
    LONG_TITLE_TRACK,
    UNICODE_TRACK,
    BLANK_TRACK,
    OF_FAN,
    OF_OUTCAST,
    OF_MUTER,
];

/// Holds every track of the cast.
pub const EVERYTHING: PlaylistId = PlaylistId::new(201);
pub const PRIVATE_PLAYLIST: PlaylistId = PlaylistId::new(202);
pub const ALBUM: PlaylistId = PlaylistId::new(203);
/// Until 2100.
pub const UNRELEASED_ALBUM: PlaylistId = PlaylistId::new(204);
pub const EMPTY: PlaylistId = PlaylistId::new(205);
/// 500 tracks.
pub const FULL: PlaylistId = PlaylistId::new(206);
pub const PLAYLIST_OF_SUSPENDED: PlaylistId = PlaylistId::new(207);
pub const UNICODE_PLAYLIST: PlaylistId = PlaylistId::new(208);
pub const LONG_TITLE: PlaylistId = PlaylistId::new(209);
pub const BLANK_PLAYLIST: PlaylistId = PlaylistId::new(210);
/// Three that tie in creation, modification and likes.
pub const TIES: [PlaylistId; 3] = [PlaylistId::new(211), PlaylistId::new(212), PlaylistId::new(213)];
pub const PLAYLIST_OF_OTHER: PlaylistId = PlaylistId::new(214);
pub const PRIVATE_PLAYLIST_OF_OTHER: PlaylistId = PlaylistId::new(215);
pub const PRIVATE_UNRELEASED_ALBUM: PlaylistId = PlaylistId::new(216);
/// Is released on 2026-07-01: whether it shows depends on the clock.
pub const EP_IN_JULY: PlaylistId = PlaylistId::new(217);
/// 50 generated tracks: the page that benchmarks ask for.
pub const FIFTY: PlaylistId = PlaylistId::new(218);

/// Generated rows start after this id, in each table; the cast is below.
pub(crate) const RESERVED_IDS: i64 = 1000;

/// The secret token of a track of the cast, such as `s-track102`.
pub fn track_secret(id: TrackId) -> String {
    format!("s-track{id}")
}

/// The secret token of a playlist of the cast, such as `s-playlist202`.
pub fn playlist_secret(id: PlaylistId) -> String {
    format!("s-playlist{id}")
}

pub(super) fn insert(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    for user in users::all() {
        insert::user(&tx, &user)?;
    }
    for (token, user) in TOKENS {
        let expires_at = (token == "tok-expired").then(|| time("2021-01-01T00:00:00Z"));
        insert::token(&tx, token, user, expires_at)?;
    }
    for track in tracks::all() {
        insert::track(&tx, &track)?;
    }
    for (playlist, _) in playlists::all() {
        insert::playlist(&tx, &playlist)?;
    }
    relations::insert_pairs(&tx)?;
    relations::insert_texts(&tx)?;
    tx.commit()?;
    Ok(())
}

/// After the generated tracks, of which some are members.
pub(super) fn insert_tracklists(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    for (playlist, tracks) in playlists::all() {
        insert::tracklist(&tx, playlist.id, &tracks)?;
    }
    tx.commit()?;
    Ok(())
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("the cast's times are well-formed")
}
