//! The generated data: every kind of user, track and playlist in the proportions of a lived-in system.

use std::collections::HashSet;

use rusqlite::Connection;

use super::{
    Random, Size,
    cast::RESERVED_IDS,
    insert::{self, plain_playlist, plain_track, plain_user},
    texts,
};
use crate::{
    command::secret_token,
    domain::{
        License, Plan, Playlist, PlaylistId, PlaylistKind, Policy, Sharing, Territories, Territory,
        Timestamp, Track, TrackId, User, UserId,
    },
    store::StoreError,
};

/// Entities per transaction.
const BATCH: i64 = 2_000;

/// Generated things are between these times: 2010-01-01 and 2025-12-01, in seconds.
const FIRST: i64 = 1_262_304_000;
const LAST: i64 = 1_764_547_200;

/// Keeps the random streams of the tables apart.
#[derive(Clone, Copy)]
enum Stream {
    Users = 1,
    Tracks = 2,
    Playlists = 3,
}

/// Track tokens come from the same function as playlist tokens; this keeps them apart.
const TRACK_TOKENS: u64 = 0x7472_6163_6b73;

pub(super) fn insert(
    conn: &mut Connection,
    seed: u64,
    size: &Size,
    step: &mut dyn FnMut(&'static str, u64),
) -> Result<(), StoreError> {
    in_batches(conn, size.users, "users", step, |tx, n| user(tx, seed, n))?;
    in_batches(conn, size.users, "", &mut |_, _| {}, |tx, n| follows(tx, seed, size, n))?;
    in_batches(conn, size.tracks, "tracks", step, |tx, n| track(tx, seed, size, n))?;
    in_batches(conn, size.playlists, "playlists", step, |tx, n| playlist(tx, seed, size, n))
}

fn in_batches(
    conn: &mut Connection,
    count: i64,
    what: &'static str,
    step: &mut dyn FnMut(&'static str, u64),
    mut one: impl FnMut(&Connection, i64) -> Result<(), StoreError>,
) -> Result<(), StoreError> {
    let mut next = 1;
    while next <= count {
        let last = count.min(next + BATCH - 1);
        let tx = conn.transaction()?;
        for n in next..=last {
            one(&tx, n)?;
        }
        tx.commit()?;
        step(what, (last - next + 1).unsigned_abs());
        next = last + 1;
    }
    Ok(())
}

fn user(tx: &Connection, seed: u64, n: i64) -> Result<(), StoreError> {
    let mut random = stream(seed, Stream::Users, n);
    let id = user_id(n);
    let at = time(&mut random);
    let has_profile = random.chance(700);
    let user = User {
        username: texts::title(&mut random),
        first_name: has_profile.then(|| format!("First{}", n % 97)),
        last_name: random.chance(500).then(|| format!("Last{}", n % 89)),
        city: has_profile.then(|| (*random.pick(&["Berlin", "München", "São Paulo", "Oslo", ""])).to_owned()),
        country: has_profile.then(|| (*random.pick(&["Germany", "Brazil", "Norway"])).to_owned()),
        description: texts::description(&mut random),
        avatar_url: has_profile.then(|| format!("https://img.example/avatars/{id}-large.jpg")),
        website: random.chance(300).then(|| format!("https://user{n}.example/")),
        website_title: random.chance(200).then(|| texts::title(&mut random.clone())),
        plan: *random.pick(Plan::ALL),
        suspended: random.chance(10),
        primary_email_confirmed: random.chance(900),
        upload_seconds_used: random.between(0, 10_800),
        last_modified: time(&mut random).max(at),
        ..plain_user(id, &format!("user-{n}"), at)
    };
    insert::user(tx, &user)?;
    if n <= 1000 {
        insert::token(tx, &format!("tok-user-{n}"), id, None)?;
    }
    if random.chance(100) {
        insert::web_profile(tx, id, "videos", &texts::title(&mut random), Some(&user.permalink), at)?;
    }
    Ok(())
}

fn follows(tx: &Connection, seed: u64, size: &Size, n: i64) -> Result<(), StoreError> {
    let mut random = Random::new(&[seed, 4, n.unsigned_abs()]);
    for _ in 0..random.skewed(40) {
        let followee = any_user(&mut random, size);
        if followee != user_id(n) {
            let at = time(&mut random);
            insert::pair(tx, "follows", ["follower_id", "followee_id"], user_id(n), followee.get(), at)?;
        }
    }
    if random.chance(50) {
        let blocked = any_user(&mut random, size);
        if blocked != user_id(n) {
            let at = time(&mut random);
            insert::pair(tx, "blocks", ["blocker_id", "blocked_id"], user_id(n), blocked.get(), at)?;
        }
    }
    Ok(())
}

fn track(tx: &Connection, seed: u64, size: &Size, n: i64) -> Result<(), StoreError> {
    let mut random = stream(seed, Stream::Tracks, n);
    let id = TrackId::new(RESERVED_IDS + n);
    let at = time(&mut random);
    let token = secret_token(seed ^ TRACK_TOKENS, id.get(), 1);
    let blocked = if random.chance(40) { territories(&mut random) } else { Territories::default() };
    // The first tracks are members of the cast's long playlists: plain and public, so that those pages are full.
    let plain = n <= 500;
    let odd = |random: &mut Random, per_mille: u64| random.chance(per_mille) && !plain;
    let track = Track {
        description: texts::description(&mut random),
        genre: texts::genre(&mut random),
        tag_list: texts::tag_list(&mut random),
        duration_ms: random.between(20_000, 600_000),
        bpm: random.chance(300).then(|| random.clone().between(60, 190)),
        isrc: random.chance(200).then(|| format!("XX{n:010}")),
        license: *random.pick(License::ALL),
        release_at: release(&mut random, at, plain),
        sharing: if odd(&mut random, 50) { Sharing::Private } else { Sharing::Public },
        taken_down: odd(&mut random, 10),
        policy: if odd(&mut random, 50) { Policy::Preview } else { Policy::Full },
        blocked_territories: if plain { Territories::default() } else { blocked },
        commentable: random.chance(950),
        downloadable: random.chance(200),
        artwork_url: random.chance(800).then(|| format!("https://img.example/artworks/{id}-large.jpg")),
        playback_count: random.skewed(1_000_000),
        last_modified: time(&mut random).max(at),
        ..plain_track(id, any_user(&mut random, size), &texts::title(&mut random), token, at)
    };
    insert::track(tx, &track)?;
    for _ in 0..random.skewed(16) {
        pair(tx, &mut random, size, "track_likes", "track_id", id.get())?;
    }
    for _ in 0..random.skewed(4) {
        pair(tx, &mut random, size, "track_reposts", "track_id", id.get())?;
    }
    for _ in 0..random.skewed(6) {
        let position = random.chance(800).then(|| random.clone().between(0, track.duration_ms));
        let at = time(&mut random);
        let user = any_user(&mut random, size);
        insert::comment(tx, id, user, texts::remark(&mut random), position, at)?;
    }
    Ok(())
}

fn playlist(tx: &Connection, seed: u64, size: &Size, n: i64) -> Result<(), StoreError> {
    let mut random = stream(seed, Stream::Playlists, n);
    let id = PlaylistId::new(RESERVED_IDS + n);
    let at = time(&mut random);
    let token = secret_token(seed, id.get(), 1);
    let kind = if random.chance(150) { *random.pick(PlaylistKind::ALL) } else { PlaylistKind::Playlist };
    let release_at = if kind.is_release() { release(&mut random, at, false) } else { None };
    let playlist = Playlist {
        description: texts::description(&mut random),
        genre: texts::genre(&mut random),
        tag_list: texts::tag_list(&mut random),
        kind,
        sharing: if random.chance(100) { Sharing::Private } else { Sharing::Public },
        license: *random.pick(License::ALL),
        release: kind.is_release().then(|| format!("CAT-{n}")),
        release_at,
        ean: (kind.is_release() && random.chance(500)).then(|| format!("{n:013}")),
        label_name: random.chance(100).then(|| texts::title(&mut random.clone())),
        artwork_url: random.chance(700).then(|| format!("https://img.example/artworks/p{id}-large.jpg")),
        last_modified: time(&mut random).max(at),
        ..plain_playlist(id, any_user(&mut random, size), &texts::title(&mut random), token, at)
    };
    insert::playlist(tx, &playlist)?;
    let wanted = match random.below(1000) {
        0..30 => 0,
        30..990 => random.between(1, 12),
        990..998 => random.between(13, 60),
        _ => random.between(100, 500),
    };
    let mut members = HashSet::new();
    let mut tracks = Vec::new();
    for _ in 0..wanted {
        let track = TrackId::new(RESERVED_IDS + random.between(1, size.tracks));
        if members.insert(track) {
            tracks.push(track);
        }
    }
    insert::tracklist(tx, id, &tracks)?;
    for _ in 0..random.skewed(24) {
        pair(tx, &mut random, size, "playlist_likes", "playlist_id", id.get())?;
    }
    for _ in 0..random.skewed(6) {
        pair(tx, &mut random, size, "playlist_reposts", "playlist_id", id.get())?;
    }
    Ok(())
}

fn pair(
    tx: &Connection,
    random: &mut Random,
    size: &Size,
    table: &str,
    column: &str,
    id: i64,
) -> Result<(), StoreError> {
    let user = any_user(random, size);
    insert::pair(tx, table, ["user_id", column], user, id, time(random))
}

/// None for most; for some a time after creation, seldom one far ahead.
fn release(random: &mut Random, at: Timestamp, plain: bool) -> Option<Timestamp> {
    const YEAR_MS: i64 = 31_536_000_000;
    match random.below(100) {
        _ if plain => None,
        0 => Timestamp::from_millis(at.millis() + 80 * YEAR_MS),
        1..10 => Timestamp::from_millis(at.millis() + random.between(0, YEAR_MS / 12)),
        _ => None,
    }
}

fn territories(random: &mut Random) -> Territories {
    const SOME: [&[u8; 2]; 6] = [b"DE", b"FR", b"US", b"GB", b"JP", b"BR"];
    let count = random.between(1, 3);
    Territories::new((0..count).map(|_| Territory::new(**random.pick(&SOME))).collect())
}

/// To the second; one in twenty falls on a round hundred thousand seconds, so that sort columns tie.
fn time(random: &mut Random) -> Timestamp {
    let seconds = random.between(FIRST, LAST);
    let seconds = if random.chance(50) { seconds - seconds % 100_000 } else { seconds };
    Timestamp::from_millis(seconds * 1000).expect("a time between 2010 and 2025")
}

/// Early users own more than late ones.
fn any_user(random: &mut Random, size: &Size) -> UserId {
    let (a, b) = (random.between(1, size.users), random.between(1, size.users));
    user_id(a.min(b))
}

fn user_id(n: i64) -> UserId {
    UserId::new(RESERVED_IDS + n)
}

fn stream(seed: u64, stream: Stream, n: i64) -> Random {
    Random::new(&[seed, stream as u64, n.unsigned_abs()])
}
