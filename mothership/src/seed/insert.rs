//! Domain values into tables, as they are; counts are filled in afterwards.

use rusqlite::{Connection, params};

use crate::{
    domain::{
        Embeddable, License, Plan, Playlist, PlaylistId, PlaylistKind, Policy, Role, Sharing, Territories,
        Timestamp, Track, TrackId, User, UserCounts, UserId,
    },
    store::StoreError,
};

/// A user with nothing set that need not be.
pub(super) fn plain_user(id: UserId, permalink: &str, at: Timestamp) -> User {
    User {
        id,
        permalink: permalink.to_owned(),
        username: permalink.to_owned(),
        first_name: None,
        last_name: None,
        city: None,
        country: None,
        description: None,
        avatar_url: None,
        website: None,
        website_title: None,
        discogs_name: None,
        myspace_name: None,
        plan: Plan::Free,
        locale: "en".to_owned(),
        role: Role::User,
        suspended: false,
        primary_email_confirmed: true,
        upload_seconds_used: 0,
        created_at: at,
        last_modified: at,
        counts: UserCounts::default(),
    }
}

/// A public track of three minutes with nothing set that need not be.
pub(super) fn plain_track(
    id: TrackId,
    user_id: UserId,
    title: &str,
    secret_token: String,
    at: Timestamp,
) -> Track {
    Track {
        id,
        user_id,
        permalink: format!("{}-{id}", crate::command::slug(title)),
        title: title.to_owned(),
        description: None,
        genre: None,
        tag_list: String::new(),
        duration_ms: 180_000,
        bpm: None,
        key_signature: None,
        isrc: None,
        label_name: None,
        license: License::AllRightsReserved,
        release: None,
        release_at: None,
        sharing: Sharing::Public,
        secret_token,
        taken_down: false,
        policy: Policy::Full,
        blocked_territories: Territories::default(),
        commentable: true,
        downloadable: false,
        streamable: true,
        embeddable_by: Embeddable::All,
        purchase_title: None,
        purchase_url: None,
        artwork_url: None,
        playback_count: 0,
        download_count: 0,
        likes_count: 0,
        reposts_count: 0,
        comments_count: 0,
        created_at: at,
        last_modified: at,
        owner_suspended: false,
    }
}

/// A public, empty playlist with nothing set that need not be.
pub(super) fn plain_playlist(
    id: PlaylistId,
    user_id: UserId,
    title: &str,
    secret_token: String,
    at: Timestamp,
) -> Playlist {
    Playlist {
        id,
        user_id,
        permalink: format!("{}-{id}", crate::command::slug(title)),
        title: title.to_owned(),
        description: None,
        genre: None,
        tag_list: String::new(),
        kind: PlaylistKind::Playlist,
        sharing: Sharing::Public,
        secret_token,
        license: License::AllRightsReserved,
        release: None,
        release_at: None,
        ean: None,
        label_id: None,
        label_name: None,
        purchase_title: None,
        purchase_url: None,
        embeddable_by: Embeddable::All,
        artwork_url: None,
        track_count: 0,
        duration_ms: 0,
        likes_count: 0,
        reposts_count: 0,
        indexed_likes_count: 0,
        revision: 1,
        created_at: at,
        last_modified: at,
        owner_suspended: false,
    }
}

pub(super) fn user(tx: &Connection, user: &User) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO users (id, permalink, username, first_name, last_name, city, country, description, avatar_url, \
         website, website_title, discogs_name, myspace_name, plan, locale, role, suspended, primary_email_confirmed, \
         upload_seconds_used, created_at, last_modified) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        user.id,
        user.permalink,
        user.username,
        user.first_name,
        user.last_name,
        user.city,
        user.country,
        user.description,
        user.avatar_url,
        user.website,
        user.website_title,
        user.discogs_name,
        user.myspace_name,
        user.plan,
        user.locale,
        user.role,
        user.suspended,
        user.primary_email_confirmed,
        user.upload_seconds_used,
        user.created_at,
        user.last_modified,
    ])?;
    Ok(())
}

pub(super) fn track(tx: &Connection, track: &Track) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO tracks (id, user_id, permalink, title, description, genre, tag_list, duration_ms, bpm, \
         key_signature, isrc, label_name, license, release, release_at, sharing, secret_token, taken_down, policy, \
         blocked_territories, commentable, downloadable, streamable, embeddable_by, purchase_title, purchase_url, \
         artwork_url, playback_count, download_count, created_at, last_modified) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        track.id,
        track.user_id,
        track.permalink,
        track.title,
        track.description,
        track.genre,
        track.tag_list,
        track.duration_ms,
        track.bpm,
        track.key_signature,
        track.isrc,
        track.label_name,
        track.license,
        track.release,
        track.release_at,
        track.sharing,
        track.secret_token,
        track.taken_down,
        track.policy,
        track.blocked_territories,
        track.commentable,
        track.downloadable,
        track.streamable,
        track.embeddable_by,
        track.purchase_title,
        track.purchase_url,
        track.artwork_url,
        track.playback_count,
        track.download_count,
        track.created_at,
        track.last_modified,
    ])?;
    Ok(())
}

pub(super) fn playlist(tx: &Connection, playlist: &Playlist) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO playlists (id, user_id, permalink, title, description, genre, tag_list, kind, sharing, \
         secret_token, license, release, release_at, ean, label_id, label_name, purchase_title, purchase_url, \
         embeddable_by, artwork_url, created_at, last_modified) \
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    )?;
    statement.execute(params![
        playlist.id,
        playlist.user_id,
        playlist.permalink,
        playlist.title,
        playlist.description,
        playlist.genre,
        playlist.tag_list,
        playlist.kind,
        playlist.sharing,
        playlist.secret_token,
        playlist.license,
        playlist.release,
        playlist.release_at,
        playlist.ean,
        playlist.label_id,
        playlist.label_name,
        playlist.purchase_title,
        playlist.purchase_url,
        playlist.embeddable_by,
        playlist.artwork_url,
        playlist.created_at,
        playlist.last_modified,
    ])?;
    Ok(())
}

pub(super) fn tracklist(tx: &Connection, playlist: PlaylistId, tracks: &[TrackId]) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO playlist_tracks (playlist_id, position, track_id) VALUES (?1, ?2, ?3)",
    )?;
    for (position, track) in (0_i64..).zip(tracks) {
        statement.execute((playlist, position, track))?;
    }
    Ok(())
}

/// A like, repost, follow or block; the second time it is ignored.
pub(super) fn pair(
    tx: &Connection,
    table: &str,
    columns: [&str; 2],
    user: UserId,
    other: i64,
    at: Timestamp,
) -> Result<(), StoreError> {
    let [left, right] = columns;
    let sql = format!("INSERT OR IGNORE INTO {table} ({left}, {right}, created_at) VALUES (?1, ?2, ?3)");
    tx.prepare_cached(&sql)?.execute((user, other, at))?;
    Ok(())
}

pub(super) fn comment(
    tx: &Connection,
    track: TrackId,
    user: UserId,
    body: &str,
    position_ms: Option<i64>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO comments (track_id, user_id, body, position_ms, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute((track, user, body, position_ms, at))?;
    Ok(())
}

pub(super) fn token(
    tx: &Connection,
    token: &str,
    user: UserId,
    expires_at: Option<Timestamp>,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO bearer_tokens (token, user_id, scope, expires_at) VALUES (?1, ?2, 'non-expiring', ?3)",
    )?;
    statement.execute((token, user, expires_at))?;
    Ok(())
}

pub(super) fn web_profile(
    tx: &Connection,
    user: UserId,
    service: &str,
    title: &str,
    username: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO web_profiles (user_id, service, title, url, username, created_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
    )?;
    let url = format!("https://{service}.example/{}", username.unwrap_or(""));
    statement.execute((user, service, title, url, username, at))?;
    Ok(())
}

pub(super) fn connection(
    tx: &Connection,
    user: UserId,
    service: &str,
    name: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let mut statement = tx.prepare_cached(
        "INSERT INTO connections (user_id, service, display_name, post_publish, post_favorite, created_at) \
         VALUES (?1, ?2, ?3, 1, 0, ?4)",
    )?;
    statement.execute((user, service, name, at))?;
    Ok(())
}
