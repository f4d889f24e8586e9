//! Reading playlists.

use std::collections::HashMap;

use rusqlite::OptionalExtension;

use crate::{
    domain::{Playlist, PlaylistId, PlaylistWithTracks, Track, TrackId, UserId},
    store::{
        Audience, ListedId, Page, Paged, Reader, StoreError,
        paging::Listing,
        rows::{self, PLAYLIST, TRACK, by_ids, id_array},
        tracks::match_expression,
    },
};

/// Which playlists, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlaylistList {
    /// All, in the given order.
    All(Order),
    /// Every word of the text occurs in the title. [`Order::Newest`] is by id here. No words: the same as `All`.
    Search(String, Order),
    OfUser(UserId, Order),
    /// Latest like first.
    LikedBy(UserId),
    /// Latest repost first.
    RepostedBy(UserId),
    /// In which the track stands; highest id first.
    Containing(TrackId),
    /// Of the same genre, most liked (as indexed) first.
    Related(PlaylistId),
}

/// Descending; ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// By creation.
    #[default]
    Newest,
    /// By last modification.
    Updated,
    /// By likes as indexed, which lag: see [`Playlist::indexed_likes_count`].
    Popular,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KindFilter {
    #[default]
    Any,
    /// Playlists only.
    Playlists,
    /// Albums, EPs, singles, compilations.
    Releases,
}

// CROSS JOIN keeps SQLite's planner from turning the joins round: the list drives, the rest is looked up by key.
const OWNED: &str = "playlists p CROSS JOIN users o ON o.id = p.user_id";
const EDGE: &str = "e CROSS JOIN playlists p ON p.id = e.playlist_id CROSS JOIN users o ON o.id = p.user_id";
const FOUND: &str =
    "playlist_names s CROSS JOIN playlists p ON p.id = s.rowid CROSS JOIN users o ON o.id = p.user_id";

impl Reader<'_> {
    /// In the order of `ids`; unknown ids are left out. One query.
    pub fn playlists(&self, ids: &[PlaylistId]) -> Result<Vec<Playlist>, StoreError> {
        let sql = format!(
            "SELECT {PLAYLIST} FROM playlists p JOIN users o ON o.id = p.user_id \
             WHERE p.id IN (SELECT value FROM json_each(?1))"
        );
        by_ids(self, &sql, ids, rows::playlist, |playlist| playlist.id)
    }

    pub fn playlist(&self, id: PlaylistId) -> Result<Option<Playlist>, StoreError> {
        Ok(self.playlists(&[id])?.pop())
    }

    /// By the permalinks of its owner and of itself, as in `/ada/sets/summer`.
    pub fn playlist_by_permalink(&self, user: &str, playlist: &str) -> Result<Option<Playlist>, StoreError> {
        let sql = format!(
            "SELECT {PLAYLIST} FROM playlists p JOIN users o ON o.id = p.user_id \
             WHERE o.permalink = ?1 AND p.permalink = ?2"
        );
        let mut statement = self.prepare(&sql)?;
        Ok(statement.query_row((user, playlist), rows::playlist).optional()?)
    }

    pub fn playlist_by_secret_token(&self, secret_token: &str) -> Result<Option<Playlist>, StoreError> {
        let sql = format!(
            "SELECT {PLAYLIST} FROM playlists p JOIN users o ON o.id = p.user_id WHERE p.secret_token = ?1"
        );
        let mut statement = self.prepare(&sql)?;
        Ok(statement.query_row([secret_token], rows::playlist).optional()?)
    }

    /// All track ids of each playlist, in playing order. One query; playlists without tracks have no entry.
    pub fn track_ids_of(
        &self,
        playlists: &[PlaylistId],
    ) -> Result<HashMap<PlaylistId, Vec<TrackId>>, StoreError> {
        let mut statement = self.prepare(
            "SELECT playlist_id, track_id FROM playlist_tracks \
             WHERE playlist_id IN (SELECT value FROM json_each(?1)) ORDER BY playlist_id, position",
        )?;
        let mut rows = statement.query([id_array(playlists.iter().copied())])?;
        let mut tracks: HashMap<PlaylistId, Vec<TrackId>> = HashMap::new();
        while let Some(row) = rows.next()? {
            tracks.entry(row.get(0)?).or_default().push(row.get(1)?);
        }
        Ok(tracks)
    }

    /// The first `first` tracks of each playlist, in playing order and without regard to visibility. One query;
    /// playlists without tracks have no entry.
    pub fn tracks_of(
        &self,
        playlists: &[PlaylistId],
        first: u32,
    ) -> Result<HashMap<PlaylistId, Vec<Track>>, StoreError> {
        // The playlist id comes last, so that the row reads as a track.
        let sql = format!(
            "SELECT {TRACK}, e.playlist_id FROM playlist_tracks e \
             CROSS JOIN tracks t ON t.id = e.track_id CROSS JOIN users o ON o.id = t.user_id \
             WHERE e.playlist_id IN (SELECT value FROM json_each(?1)) AND e.position < ?2 \
             ORDER BY e.playlist_id, e.position"
        );
        let mut statement = self.prepare(&sql)?;
        let last = statement.column_count() - 1;
        let mut rows = statement.query((id_array(playlists.iter().copied()), first))?;
        let mut tracks: HashMap<PlaylistId, Vec<Track>> = HashMap::new();
        while let Some(row) = rows.next()? {
            tracks.entry(row.get(last)?).or_default().push(rows::track(row)?);
        }
        Ok(tracks)
    }

    pub fn playlist_with_tracks(&self, id: PlaylistId) -> Result<Option<PlaylistWithTracks>, StoreError> {
        let Some(playlist) = self.playlist(id)? else { return Ok(None) };
        let track_ids = self.track_ids_of(&[id])?.remove(&id).unwrap_or_default();
        Ok(Some(PlaylistWithTracks { playlist, track_ids }))
    }

    /// A page of ids; read the playlists themselves with [`Reader::playlists`].
    pub fn playlist_ids(
        &self,
        list: &PlaylistList,
        kind: KindFilter,
        audience: &Audience,
        page: Page,
    ) -> Result<Paged<ListedId<PlaylistId>>, StoreError> {
        audience.playlists(kind.apply(list.listing())).page(self, page)
    }

    /// How many items all pages of the list have together. Walks the list: cheap for one user's, not for `All`.
    pub fn count_playlists(
        &self,
        list: &PlaylistList,
        kind: KindFilter,
        audience: &Audience,
    ) -> Result<i64, StoreError> {
        audience.playlists(kind.apply(list.listing())).count(self)
    }
}

impl PlaylistList {
    fn listing(&self) -> Listing {
        match self {
            Self::All(order) => Listing::new(OWNED, "p.id", order.key()),
            Self::Search(text, order) => match match_expression(text) {
                None => Listing::new(OWNED, "p.id", order.key()),
                Some(words) => {
                    let key = if *order == Order::Newest { "s.rowid" } else { order.key() };
                    Listing::new(FOUND, "s.rowid", key)
                        .filter("playlist_names MATCH :words")
                        .param(":words", words)
                }
            },
            Self::OfUser(user, order) => {
                Listing::new(OWNED, "p.id", order.key()).filter("p.user_id = :of").param(":of", user.get())
            }
            Self::LikedBy(user) => edge("playlist_likes", *user),
            Self::RepostedBy(user) => edge("playlist_reposts", *user),
            Self::Containing(track) => {
                Listing::new(format!("playlist_tracks {EDGE}"), "e.playlist_id", "e.playlist_id")
                    .filter("e.track_id = :of")
                    .param(":of", track.get())
            }
            Self::Related(playlist) => Listing::new(OWNED, "p.id", "p.indexed_likes_count")
                .filter("p.genre = (SELECT genre FROM playlists WHERE id = :of)")
                .filter("p.id <> :of")
                .param(":of", playlist.get()),
        }
    }
}

fn edge(table: &str, user: UserId) -> Listing {
    Listing::new(format!("{table} {EDGE}"), "e.playlist_id", "e.created_at")
        .filter("e.user_id = :of")
        .param(":of", user.get())
}

impl Order {
    fn key(self) -> &'static str {
        match self {
            Self::Newest => "p.created_at",
            Self::Updated => "p.last_modified",
            Self::Popular => "p.indexed_likes_count",
        }
    }
}

impl KindFilter {
    fn apply(self, listing: Listing) -> Listing {
        match self {
            Self::Any => listing,
            Self::Playlists => listing.filter("p.kind = 'playlist'"),
            Self::Releases => listing.filter("p.kind <> 'playlist'"),
        }
    }
}
