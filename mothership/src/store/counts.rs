//! Counts that are stored beside what they count: one definition of each, used by the seed to fill them and by tests
//! to prove that the writes keep them.

use rusqlite::Connection;

use crate::store::StoreError;

/// `table.column` must equal `definition`, an SQL expression over the row's `id`.
#[derive(Debug, Clone, Copy)]
pub struct DerivedCount {
    pub table: &'static str,
    pub column: &'static str,
    pub definition: &'static str,
}

const fn count(table: &'static str, column: &'static str, definition: &'static str) -> DerivedCount {
    DerivedCount { table, column, definition }
}

pub const DERIVED_COUNTS: &[DerivedCount] = &[
    count("users", "followers_count", "SELECT count(*) FROM follows WHERE followee_id = users.id"),
    count("users", "followings_count", "SELECT count(*) FROM follows WHERE follower_id = users.id"),
    count(
        "users",
        "public_tracks_count",
        "SELECT count(*) FROM tracks WHERE user_id = users.id AND sharing = 'public'",
    ),
    count(
        "users",
        "private_tracks_count",
        "SELECT count(*) FROM tracks WHERE user_id = users.id AND sharing = 'private'",
    ),
    count(
        "users",
        "public_playlists_count",
        "SELECT count(*) FROM playlists WHERE user_id = users.id AND sharing = 'public'",
    ),
    count(
        "users",
        "private_playlists_count",
        "SELECT count(*) FROM playlists WHERE user_id = users.id AND sharing = 'private'",
    ),
    count("users", "liked_tracks_count", "SELECT count(*) FROM track_likes WHERE user_id = users.id"),
    count("users", "liked_playlists_count", "SELECT count(*) FROM playlist_likes WHERE user_id = users.id"),
    count(
        "users",
        "reposts_count",
        "SELECT (SELECT count(*) FROM track_reposts WHERE user_id = users.id) \
         + (SELECT count(*) FROM playlist_reposts WHERE user_id = users.id)",
    ),
    count("users", "comments_count", "SELECT count(*) FROM comments WHERE user_id = users.id"),
    count("tracks", "likes_count", "SELECT count(*) FROM track_likes WHERE track_id = tracks.id"),
    count("tracks", "reposts_count", "SELECT count(*) FROM track_reposts WHERE track_id = tracks.id"),
    count("tracks", "comments_count", "SELECT count(*) FROM comments WHERE track_id = tracks.id"),
    count(
        "playlists",
        "track_count",
        "SELECT count(*) FROM playlist_tracks WHERE playlist_id = playlists.id",
    ),
    count(
        "playlists",
        "duration_ms",
        "SELECT ifnull(sum(t.duration_ms), 0) FROM playlist_tracks e CROSS JOIN tracks t ON t.id = e.track_id \
         WHERE e.playlist_id = playlists.id",
    ),
    count("playlists", "likes_count", "SELECT count(*) FROM playlist_likes WHERE playlist_id = playlists.id"),
    count(
        "playlists",
        "reposts_count",
        "SELECT count(*) FROM playlist_reposts WHERE playlist_id = playlists.id",
    ),
];

/// Names the counts that are wrong, with how many rows are; empty if all is well. Reads everything.
pub fn wrong_counts(conn: &Connection) -> Result<Vec<(String, i64)>, StoreError> {
    let mut wrong = Vec::new();
    for DerivedCount { table, column, definition } in DERIVED_COUNTS {
        let sql = format!("SELECT count(*) FROM {table} WHERE {column} <> ({definition})");
        let rows: i64 = conn.query_row(&sql, [], |row| row.get(0))?;
        if rows > 0 {
            wrong.push((format!("{table}.{column}"), rows));
        }
    }
    Ok(wrong)
}
