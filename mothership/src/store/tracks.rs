//! Reading tracks.

use rusqlite::{OptionalExtension, types::Value};

use crate::{
    domain::{Track, TrackId, UserId},
    store::{
        Audience, ListedId, Page, Paged, Reader, StoreError,
        paging::Listing,
        rows::{self, TRACK, by_ids},
    },
};

/// Which tracks, and in which order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TrackList {
    /// Latest created first.
    All,
    /// Every word of the text occurs in the title; highest id first. No words: the same as `All`.
    Search(String),
    /// Latest created first.
    OfUser(UserId),
    /// Latest like first.
    LikedBy(UserId),
    /// Latest repost first.
    RepostedBy(UserId),
    /// Of the same genre, most played first.
    Related(TrackId),
    /// Of the users whom this one follows, latest created first.
    OfFollowings(UserId),
}

/// Narrows a list; the default lets everything through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TrackFilter {
    /// Empty: any. Compared without regard to ASCII case.
    pub genres: Vec<String>,
    /// All of them must occur in the tag list. Compared without regard to ASCII case.
    pub tags: Vec<String>,
    pub bpm: Range,
    pub duration_ms: Range,
    /// In milliseconds since 1970.
    pub created_at: Range,
}

/// Both ends are included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    pub from: Option<i64>,
    pub to: Option<i64>,
}

// The list drives the joins: see the note in `playlists.rs`.
const OWNED: &str = "tracks t CROSS JOIN users o ON o.id = t.user_id";
const EDGE: &str = "e CROSS JOIN tracks t ON t.id = e.track_id CROSS JOIN users o ON o.id = t.user_id";
const FOUND: &str =
    "track_names s CROSS JOIN tracks t ON t.id = s.rowid CROSS JOIN users o ON o.id = t.user_id";
const FOLLOWED: &str =
    "follows f CROSS JOIN tracks t ON t.user_id = f.followee_id CROSS JOIN users o ON o.id = t.user_id";

impl Reader<'_> {
    /// In the order of `ids`; unknown ids are left out. One query.
    pub fn tracks(&self, ids: &[TrackId]) -> Result<Vec<Track>, StoreError> {
        let sql = format!(
            "SELECT {TRACK} FROM tracks t JOIN users o ON o.id = t.user_id \
             WHERE t.id IN (SELECT value FROM json_each(?1))"
        );
        by_ids(self, &sql, ids, rows::track, |track| track.id)
    }

    pub fn track(&self, id: TrackId) -> Result<Option<Track>, StoreError> {
        Ok(self.tracks(&[id])?.pop())
    }

    /// By the permalinks of its owner and of itself, as in `/ada/first-song`.
    pub fn track_by_permalink(&self, user: &str, track: &str) -> Result<Option<Track>, StoreError> {
        let sql = format!(
            "SELECT {TRACK} FROM tracks t JOIN users o ON o.id = t.user_id \
             WHERE o.permalink = ?1 AND t.permalink = ?2"
        );
        let mut statement = self.prepare(&sql)?;
        Ok(statement.query_row((user, track), rows::track).optional()?)
    }

    pub fn track_by_secret_token(&self, secret_token: &str) -> Result<Option<Track>, StoreError> {
        let sql = format!(
            "SELECT {TRACK} FROM tracks t JOIN users o ON o.id = t.user_id WHERE t.secret_token = ?1"
        );
        let mut statement = self.prepare(&sql)?;
        Ok(statement.query_row([secret_token], rows::track).optional()?)
    }

    /// A page of ids; read the tracks themselves with [`Reader::tracks`].
    pub fn track_ids(
        &self,
        list: &TrackList,
        filter: &TrackFilter,
        audience: &Audience,
        page: Page,
    ) -> Result<Paged<ListedId<TrackId>>, StoreError> {
        audience.tracks(filter.apply(list.listing())).page(self, page)
    }

    /// How many items all pages of the list have together. Walks the list: cheap for one user's, not for `All`.
    pub fn count_tracks(
        &self,
        list: &TrackList,
        filter: &TrackFilter,
        audience: &Audience,
    ) -> Result<i64, StoreError> {
        audience.tracks(filter.apply(list.listing())).count(self)
    }
}

impl TrackList {
    fn listing(&self) -> Listing {
        match self {
            Self::All => Listing::new(OWNED, "t.id", "t.created_at"),
            Self::Search(text) => match match_expression(text) {
                None => Listing::new(OWNED, "t.id", "t.created_at"),
                Some(words) => Listing::new(FOUND, "s.rowid", "s.rowid")
                    .filter("track_names MATCH :words")
                    .param(":words", words),
            },
            Self::OfUser(user) => {
                Listing::new(OWNED, "t.id", "t.created_at").filter("t.user_id = :of").param(":of", user.get())
            }
            Self::LikedBy(user) => edge("track_likes", *user),
            Self::RepostedBy(user) => edge("track_reposts", *user),
            Self::Related(track) => Listing::new(OWNED, "t.id", "t.playback_count")
                .filter("t.genre = (SELECT genre FROM tracks WHERE id = :of)")
                .filter("t.id <> :of")
                .param(":of", track.get()),
            Self::OfFollowings(user) => Listing::new(FOLLOWED, "t.id", "t.created_at")
                .filter("f.follower_id = :of")
                .param(":of", user.get()),
        }
    }
}

fn edge(table: &str, user: UserId) -> Listing {
    Listing::new(format!("{table} {EDGE}"), "e.track_id", "e.created_at")
        .filter("e.user_id = :of")
        .param(":of", user.get())
}

impl TrackFilter {
    fn apply(&self, mut listing: Listing) -> Listing {
        if !self.genres.is_empty() {
            listing = listing
                .filter("t.genre COLLATE NOCASE IN (SELECT value FROM json_each(:genres))")
                .param(":genres", Value::from(text_array(&self.genres)));
        }
        if !self.tags.is_empty() {
            listing = listing
                .filter("NOT EXISTS (SELECT 1 FROM json_each(:tags) WHERE instr(lower(t.tag_list), lower(value)) = 0)")
                .param(":tags", Value::from(text_array(&self.tags)));
        }
        let ranges = [
            ("t.bpm", self.bpm, ":bpm_from", ":bpm_to"),
            ("t.duration_ms", self.duration_ms, ":duration_from", ":duration_to"),
            ("t.created_at", self.created_at, ":created_from", ":created_to"),
        ];
        for (column, range, from, to) in ranges {
            if let Some(least) = range.from {
                listing = listing.filter(format!("{column} >= {from}")).param(from, least);
            }
            if let Some(most) = range.to {
                listing = listing.filter(format!("{column} <= {to}")).param(to, most);
            }
        }
        listing
    }
}

fn text_array(texts: &[String]) -> String {
    serde_json::to_string(texts).expect("strings always serialize")
}

/// What a person typed, as an FTS5 query: every word must occur. Everything that is no letter or digit separates
/// words, so no input is an FTS5 syntax error. `None` if there is no word.
pub(crate) fn match_expression(text: &str) -> Option<String> {
    let words =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).take(SEARCH_WORDS_MAX);
    let quoted: Vec<String> = words.map(|word| format!("\"{word}\"")).collect();
    (!quoted.is_empty()).then(|| quoted.join(" "))
}

/// More words than this add nothing but work.
const SEARCH_WORDS_MAX: usize = 16;
