//! From rows to domain values. Columns are read in the order in which the structs name them.

use rusqlite::{Row, types::FromSql};

use crate::{
    domain::{Comment, Playlist, Track, User, UserCounts},
    store::{Reader, StoreError},
};

/// Reads a row from left to right.
pub(crate) struct Columns<'r> {
    row: &'r Row<'r>,
    next: usize,
}

impl<'r> Columns<'r> {
    pub(crate) fn of(row: &'r Row<'r>) -> Self {
        Self { row, next: 0 }
    }

    pub(crate) fn next<T: FromSql>(&mut self) -> rusqlite::Result<T> {
        let index = self.next;
        self.next += 1;
        self.row.get(index)
    }
}

pub(crate) const USER: &str = "u.id, u.permalink, u.username, u.first_name, u.last_name, u.city, u.country, \
     u.description, u.avatar_url, u.website, u.website_title, u.discogs_name, u.myspace_name, u.plan, u.locale, \
     u.role, u.suspended, u.primary_email_confirmed, u.upload_seconds_used, u.created_at, u.last_modified, \
     u.followers_count, u.followings_count, u.public_tracks_count, u.private_tracks_count, \
     u.public_playlists_count, u.private_playlists_count, u.liked_tracks_count, u.liked_playlists_count, \
     u.reposts_count, u.comments_count";

pub(crate) fn user(row: &Row<'_>) -> rusqlite::Result<User> {
    let mut c = Columns::of(row);
    Ok(User {
        id: c.next()?,
        permalink: c.next()?,
        username: c.next()?,
        first_name: c.next()?,
        last_name: c.next()?,
        city: c.next()?,
        country: c.next()?,
        description: c.next()?,
        avatar_url: c.next()?,
        website: c.next()?,
        website_title: c.next()?,
        discogs_name: c.next()?,
        myspace_name: c.next()?,
        plan: c.next()?,
        locale: c.next()?,
        role: c.next()?,
        suspended: c.next()?,
        primary_email_confirmed: c.next()?,
        upload_seconds_used: c.next()?,
        created_at: c.next()?,
        last_modified: c.next()?,
        counts: UserCounts {
            followers: c.next()?,
            followings: c.next()?,
            public_tracks: c.next()?,
            private_tracks: c.next()?,
            public_playlists: c.next()?,
            private_playlists: c.next()?,
            liked_tracks: c.next()?,
            liked_playlists: c.next()?,
            reposts: c.next()?,
            comments: c.next()?,
        },
    })
}

/// Of `tracks t JOIN users o`.
pub(crate) const TRACK: &str = "t.id, t.user_id, t.permalink, t.title, t.description, t.genre, t.tag_list, \
     t.duration_ms, t.bpm, t.key_signature, t.isrc, t.label_name, t.license, t.release, t.release_at, t.sharing, \
     t.secret_token, t.taken_down, t.policy, t.blocked_territories, t.commentable, t.downloadable, t.streamable, \
     t.embeddable_by, t.purchase_title, t.purchase_url, t.artwork_url, t.playback_count, t.download_count, \
     t.likes_count, t.reposts_count, t.comments_count, t.created_at, t.last_modified, o.suspended";

pub(crate) fn track(row: &Row<'_>) -> rusqlite::Result<Track> {
    let mut c = Columns::of(row);
    Ok(Track {
        id: c.next()?,
        user_id: c.next()?,
        permalink: c.next()?,
        title: c.next()?,
        description: c.next()?,
        genre: c.next()?,
        tag_list: c.next()?,
        duration_ms: c.next()?,
        bpm: c.next()?,
        key_signature: c.next()?,
        isrc: c.next()?,
        label_name: c.next()?,
        license: c.next()?,
        release: c.next()?,
        release_at: c.next()?,
        sharing: c.next()?,
        secret_token: c.next()?,
        taken_down: c.next()?,
        policy: c.next()?,
        blocked_territories: c.next()?,
        commentable: c.next()?,
        downloadable: c.next()?,
        streamable: c.next()?,
        embeddable_by: c.next()?,
        purchase_title: c.next()?,
        purchase_url: c.next()?,
        artwork_url: c.next()?,
        playback_count: c.next()?,
        download_count: c.next()?,
        likes_count: c.next()?,
        reposts_count: c.next()?,
        comments_count: c.next()?,
        created_at: c.next()?,
        last_modified: c.next()?,
        owner_suspended: c.next()?,
    })
}

/// Of `playlists p JOIN users o`.
pub(crate) const PLAYLIST: &str = "p.id, p.user_id, p.permalink, p.title, p.description, p.genre, p.tag_list, \
     p.kind, p.sharing, p.secret_token, p.license, p.release, p.release_at, p.ean, p.label_id, p.label_name, \
     p.purchase_title, p.purchase_url, p.embeddable_by, p.artwork_url, p.track_count, p.duration_ms, \
     p.likes_count, p.reposts_count, p.indexed_likes_count, p.revision, p.created_at, p.last_modified, o.suspended";

pub(crate) fn playlist(row: &Row<'_>) -> rusqlite::Result<Playlist> {
    let mut c = Columns::of(row);
    Ok(Playlist {
        id: c.next()?,
        user_id: c.next()?,
        permalink: c.next()?,
        title: c.next()?,
        description: c.next()?,
        genre: c.next()?,
        tag_list: c.next()?,
        kind: c.next()?,
        sharing: c.next()?,
        secret_token: c.next()?,
        license: c.next()?,
        release: c.next()?,
        release_at: c.next()?,
        ean: c.next()?,
        label_id: c.next()?,
        label_name: c.next()?,
        purchase_title: c.next()?,
        purchase_url: c.next()?,
        embeddable_by: c.next()?,
        artwork_url: c.next()?,
        track_count: c.next()?,
        duration_ms: c.next()?,
        likes_count: c.next()?,
        reposts_count: c.next()?,
        indexed_likes_count: c.next()?,
        revision: c.next()?,
        created_at: c.next()?,
        last_modified: c.next()?,
        owner_suspended: c.next()?,
    })
}

pub(crate) const COMMENT: &str = "c.id, c.track_id, c.user_id, c.body, c.position_ms, c.created_at";

pub(crate) fn comment(row: &Row<'_>) -> rusqlite::Result<Comment> {
    let mut c = Columns::of(row);
    Ok(Comment {
        id: c.next()?,
        track_id: c.next()?,
        user_id: c.next()?,
        body: c.next()?,
        position_ms: c.next()?,
        created_at: c.next()?,
    })
}

/// Rows for `ids`, in the order of `ids`; ids without a row are left out, repeated ids are repeated.
pub(crate) fn by_ids<Id, T>(
    reader: &Reader<'_>,
    sql: &str,
    ids: &[Id],
    read_row: fn(&Row<'_>) -> rusqlite::Result<T>,
    id_of: fn(&T) -> Id,
) -> Result<Vec<T>, StoreError>
where
    Id: Copy + Eq + std::hash::Hash + Into<i64>,
    T: Clone,
{
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut found = std::collections::HashMap::with_capacity(ids.len());
    let mut statement = reader.prepare(sql)?;
    let mut rows = statement.query([id_array(ids.iter().copied())])?;
    while let Some(row) = rows.next()? {
        let value = read_row(row)?;
        found.insert(id_of(&value), value);
    }
    Ok(ids.iter().filter_map(|id| found.get(id).cloned()).collect())
}

/// Ids as a JSON array: `IN (SELECT value FROM json_each(?1))` keeps one prepared statement for any number of ids.
pub(crate) fn id_array<Id: Into<i64>>(ids: impl Iterator<Item = Id>) -> String {
    let mut text = String::from("[");
    for (index, id) in ids.enumerate() {
        if index > 0 {
            text.push(',');
        }
        text.push_str(&id.into().to_string());
    }
    text.push(']');
    text
}
