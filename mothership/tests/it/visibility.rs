//! The decision table of docs/mothership-visibility.md, and a second opinion on it.

use std::collections::{BTreeMap, BTreeSet};

use mothership::{
    domain::{
        Block, Identity, Playlist, PlaylistId, Policy, Role, Sharing, Territories, Territory, Timestamp,
        Track, TrackId, User, UserId, Viewer,
    },
    seed::{Random, cast},
    store::Store,
    visibility::{
        Access, listed_playlist, listed_track, listed_user, read_playlist, read_track,
        read_track_in_playlist, read_user,
    },
};

use crate::support::{
    Database,
    decision_table::{Case, cases, rows},
    now, user,
};

const TRACKS: [(&str, TrackId); 9] = [
    ("public", cast::PUBLIC),
    ("private", cast::PRIVATE),
    ("unreleased", cast::UNRELEASED),
    ("private and unreleased", cast::PRIVATE_UNRELEASED),
    ("blocked in territories", cast::TERRITORY),
    ("preview only", cast::PREVIEW),
    ("preview only and blocked in territories", cast::TERRITORY_AND_PREVIEW),
    ("taken down", cast::TAKEN_DOWN),
    ("of a suspended user", cast::OF_SUSPENDED),
];

const PLAYLISTS: [(&str, PlaylistId); 7] = [
    ("public", cast::EVERYTHING),
    ("private", cast::PRIVATE_PLAYLIST),
    ("unreleased album", cast::UNRELEASED_ALBUM),
    ("private and unreleased album", cast::PRIVATE_UNRELEASED_ALBUM),
    ("released album", cast::ALBUM),
    ("empty", cast::EMPTY),
    ("of a suspended user", cast::PLAYLIST_OF_SUSPENDED),
];

const MEMBERS: [(&str, TrackId); 9] = [
    ("public", cast::PUBLIC),
    ("private, of the playlist's owner", cast::PRIVATE),
    ("private, of another", cast::PRIVATE_OF_OTHER),
    ("unreleased", cast::UNRELEASED),
    ("private and unreleased", cast::PRIVATE_UNRELEASED),
    ("blocked in territories", cast::TERRITORY),
    ("preview only", cast::PREVIEW),
    ("taken down", cast::TAKEN_DOWN),
    ("of a suspended user", cast::OF_SUSPENDED),
];

#[tokio::test]
async fn every_row_for_tracks_holds() {
    let database = Database::fresh();
    let store = database.store();
    let cases = cases("Tracks");
    for case in &cases {
        let track = track(&store, named(&TRACKS, case.cell("track"))).await;
        let viewer = viewer(&case.viewer, track.user_id, &track.secret_token);
        let block = block(&store, &viewer, track.user_id).await;
        check(case, "read", access(read_track(&track, block, &viewer).access));
        check(case, "listed", access(listed_track(&track, block, &viewer).access));
    }
    check_complete(&cases, "track", &TRACKS.map(|(name, _)| name));
}

#[tokio::test]
async fn every_row_for_playlists_holds() {
    let database = Database::fresh();
    let store = database.store();
    let cases = cases("Playlists");
    for case in &cases {
        let playlist = playlist(&store, named(&PLAYLISTS, case.cell("playlist"))).await;
        let viewer = viewer(&case.viewer, playlist.user_id, &playlist.secret_token);
        let block = block(&store, &viewer, playlist.user_id).await;
        check(case, "read", sight(read_playlist(&playlist, block, &viewer).visible));
        check(case, "listed", sight(listed_playlist(&playlist, block, &viewer).visible));
    }
    check_complete(&cases, "playlist", &PLAYLISTS.map(|(name, _)| name));
}

#[tokio::test]
async fn every_row_for_tracks_in_a_playlist_holds() {
    let database = Database::fresh();
    let store = database.store();
    let cases = cases("Tracks in a playlist");
    let mut met: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for case in &cases {
        let playlist = playlist(&store, named(&PLAYLISTS, case.cell("playlist"))).await;
        let member = match case.cell("track") {
            "of a user whom the playlist's owner blocked" => cast::OF_OUTCAST,
            name => named(&MEMBERS, name),
        };
        let track = track(&store, member).await;
        let viewer = viewer(&case.viewer, playlist.user_id, &playlist.secret_token);
        let of_playlist = block(&store, &viewer, playlist.user_id).await;
        assert!(
            read_playlist(&playlist, of_playlist, &viewer).visible,
            "row {}: {} may not read the playlist at all",
            case.row,
            case.viewer
        );
        let block = block(&store, &viewer, track.user_id).await;
        check(case, "read", access(read_track_in_playlist(&track, &playlist, block, &viewer).access));
        let condition = (case.cell("playlist").to_owned(), case.cell("track").to_owned());
        assert!(
            met.entry(condition).or_default().insert(case.viewer.clone()),
            "row {} repeats a case",
            case.row
        );
    }
    for ((of, track), viewers) in met {
        let all: &[&str] = if of == "private" { &["link", "moderator", "owner"] } else { &READERS_OF_PUBLIC };
        assert_eq!(
            viewers,
            all.iter().map(|name| (*name).to_owned()).collect(),
            "{track} in a {of} playlist"
        );
    }
}

const READERS_OF_PUBLIC: [&str; 10] = [
    "anonymous",
    "blocked territory",
    "follower",
    "link",
    "moderator",
    "muter",
    "other",
    "owner",
    "unknown territory",
    "wrong link",
];

#[tokio::test]
async fn every_row_for_users_holds() {
    let database = Database::fresh();
    let store = database.store();
    let users = [("active", cast::ADA), ("suspended", cast::GHOST)];
    let cases = cases("Users");
    for case in &cases {
        let id = named(&users, case.cell("user"));
        let user: User = store.read(move |reader| reader.user(id)).await.unwrap().unwrap();
        let viewer = viewer(&case.viewer, id, "no such secret");
        let block = block(&store, &viewer, id).await;
        check(case, "read", sight(read_user(&user, &viewer)));
        check(case, "listed", sight(listed_user(&user, block, &viewer)));
    }
    check_complete(&cases, "user", &users.map(|(name, _)| name));
}

#[test]
fn dialect_columns_are_filled_in_every_row() {
    for heading in ["Tracks", "Playlists", "Tracks in a playlist", "Users"] {
        for row in rows(heading) {
            for dialect in ["public", "mobile", "web"] {
                assert!(!row[dialect].is_empty(), "row {} says nothing of {dialect}", row["row"]);
            }
        }
    }
}

/// Written the other way round than the rules: first everything that stands against seeing the track, then who is
/// excused from what.
#[test]
fn generated_tracks_and_viewers_agree_with_a_second_opinion() {
    const CASES: u64 = 50_000;
    let seed = 20_260_101;
    for number in 0..CASES {
        let mut random = Random::new(&[seed, number]);
        let (track, playlist) = (any_track(&mut random), any_playlist(&mut random));
        let viewer = any_viewer(&mut random);
        let block = Block { by_owner: random.chance(150), by_viewer: random.chance(150) };
        let shown = format!("seed {seed}, case {number}: {track:?} {playlist:?} {viewer:?} {block:?}");

        let me = viewer.user_id() == Some(track.user_id);
        let power = viewer.is_moderator() && !me;
        let link = viewer.secret_token.as_deref() == Some(track.secret_token.as_str());
        let along = viewer.secret_token.as_deref() == Some(playlist.secret_token.as_str())
            && playlist.sharing == Sharing::Private
            && playlist.user_id == track.user_id;
        let early = track.release_at.is_some_and(|at| at > viewer.now);
        let private = track.sharing == Sharing::Private;
        let never = track.owner_suspended || block.by_owner || track.taken_down;
        let level = |me: bool, power: bool| match (me, power) {
            (true, _) if track.taken_down => Access::Blocked,
            (true, _) | (_, true) => Access::Playable,
            _ => {
                let here = viewer.territory.map_or("??".to_owned(), |here| here.to_string());
                let closed: Vec<String> = track.blocked_territories.iter().map(|t| t.to_string()).collect();
                if !closed.is_empty() && (here == "??" || closed.contains(&here)) {
                    Access::Blocked
                } else if track.policy == Policy::Preview {
                    Access::Preview
                } else {
                    Access::Playable
                }
            }
        };

        let read = me || power || !(never || ((private || early) && !link));
        assert_eq!(
            read_track(&track, block, &viewer).access,
            read.then(|| level(me, power)),
            "read: {shown}"
        );
        let unshared = private && !link && !along;
        let inside = me || power || !(never || unshared || (early && !link));
        assert_eq!(
            read_track_in_playlist(&track, &playlist, block, &viewer).access,
            inside.then(|| level(me, power)),
            "in playlist: {shown}"
        );
        let listed = me || !(never || private || early || block.by_viewer);
        assert_eq!(
            listed_track(&track, block, &viewer).access,
            listed.then(|| level(me, false)),
            "listed: {shown}"
        );

        let mine = viewer.user_id() == Some(playlist.user_id);
        let closed =
            playlist.sharing == Sharing::Private || playlist.release_at.is_some_and(|at| at > viewer.now);
        let opened = viewer.secret_token.as_deref() == Some(playlist.secret_token.as_str());
        let barred = playlist.owner_suspended || block.by_owner;
        let read = mine || viewer.is_moderator() || (!barred && (!closed || opened));
        assert_eq!(read_playlist(&playlist, block, &viewer).visible, read, "read playlist: {shown}");
        let listed = mine || !(barred || closed || block.by_viewer);
        assert_eq!(listed_playlist(&playlist, block, &viewer).visible, listed, "listed playlist: {shown}");
    }
}

fn check(case: &Case, column: &str, found: &str) {
    assert_eq!(found, case.cell(column), "row {}: {} for {}", case.row, column, case.viewer);
}

/// Every condition meets every viewer exactly once. Nobody is blocked by the suspended user or has blocked them.
fn check_complete(cases: &[Case], column: &str, conditions: &[&str]) {
    let viewers: Vec<String> = rows("Viewers").into_iter().map(|row| row["viewer"].clone()).collect();
    for condition in conditions {
        for viewer in &viewers {
            let met =
                cases.iter().filter(|case| case.cell(column) == *condition && case.viewer == *viewer).count();
            let impossible =
                condition.contains("suspended") && ["blocked", "muter"].contains(&viewer.as_str());
            assert_eq!(met, usize::from(!impossible), "{column} {condition:?} meets {viewer:?} {met} times");
        }
    }
    for case in cases {
        assert!(conditions.contains(&case.cell(column)), "row {} has an unknown {column}", case.row);
        assert!(viewers.contains(&case.viewer), "row {} has an unknown viewer {}", case.row, case.viewer);
    }
}

/// The viewer of that name for something of `owner`: Ada's or Ghost's.
fn viewer(name: &str, owner: UserId, secret: &str) -> Viewer {
    let us = Some(Territory::new(*b"US"));
    let here = |id| Viewer { territory: us, ..user(id) };
    match name {
        "anonymous" => Viewer { territory: us, ..Viewer::anonymous(now()) },
        "owner" => here(owner),
        // Follows both Ada and Ghost.
        "follower" => here(cast::FAN),
        "other" => here(cast::LABEL),
        "link" => Viewer { secret_token: Some(secret.to_owned()), ..here(cast::LABEL) },
        "wrong link" => Viewer {
            secret_token: Some(cast::playlist_secret(cast::PRIVATE_PLAYLIST_OF_OTHER)),
            ..here(cast::LABEL)
        },
        "blocked territory" => Viewer { territory: Some(cast::BLOCKED_TERRITORIES[0]), ..here(cast::LABEL) },
        "unknown territory" => Viewer { territory: None, ..here(cast::LABEL) },
        "blocked" => here(cast::OUTCAST),
        "muter" => here(cast::MUTER),
        "moderator" => {
            let identity = Identity { user_id: cast::MOD, role: Role::Moderator };
            Viewer { identity: Some(identity), ..here(cast::MOD) }
        }
        unknown => panic!("the table names a viewer that this test does not know: {unknown:?}"),
    }
}

fn named<T: Copy>(table: &[(&str, T)], name: &str) -> T {
    let found = table.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("the table names a condition that this test does not know: {name:?}")).1
}

async fn track(store: &Store, id: TrackId) -> Track {
    store.read(move |reader| reader.track(id)).await.unwrap().unwrap()
}

async fn playlist(store: &Store, id: PlaylistId) -> Playlist {
    store.read(move |reader| reader.playlist(id)).await.unwrap().unwrap()
}

async fn block(store: &Store, viewer: &Viewer, owner: UserId) -> Block {
    let viewer = viewer.user_id();
    store.read(move |reader| Ok(reader.blocks(viewer, &[owner])?.block(owner))).await.unwrap()
}

fn access(access: Option<Access>) -> &'static str {
    access.map_or("hidden", Access::as_str)
}

fn sight(visible: bool) -> &'static str {
    if visible { "visible" } else { "hidden" }
}

fn any_track(random: &mut Random) -> Track {
    let mut track = template().0;
    track.user_id = UserId::new(random.between(1, 3));
    track.sharing = *random.pick(Sharing::ALL);
    track.policy = *random.pick(Policy::ALL);
    track.taken_down = random.chance(150);
    track.owner_suspended = random.chance(150);
    track.release_at = any_time(random);
    let territories = [Territory::new(*b"DE"), Territory::new(*b"US")];
    let blocked = territories.into_iter().filter(|_| random.chance(300)).collect();
    track.blocked_territories = Territories::new(blocked);
    track
}

fn any_playlist(random: &mut Random) -> Playlist {
    let mut playlist = template().1;
    playlist.user_id = UserId::new(random.between(1, 3));
    playlist.sharing = *random.pick(Sharing::ALL);
    playlist.owner_suspended = random.chance(150);
    playlist.release_at = any_time(random);
    playlist
}

fn any_viewer(random: &mut Random) -> Viewer {
    let identity = random.chance(800).then(|| Identity {
        user_id: UserId::new(random.between(1, 4)),
        role: if random.chance(200) { Role::Moderator } else { Role::User },
    });
    let territory = *random.pick(&[None, Some(Territory::new(*b"DE")), Some(Territory::new(*b"JP"))]);
    let secret = *random.pick(&[None, Some("s-playlist201"), Some("s-track101"), Some("s-wrong")]);
    Viewer { identity, territory, secret_token: secret.map(str::to_owned), now: now() }
}

/// None, long ago, this very moment (released), or a millisecond ahead (not yet).
fn any_time(random: &mut Random) -> Option<Timestamp> {
    let at = |offset| Timestamp::from_millis(now().millis() + offset);
    *random.pick(&[None, at(-1_000_000), at(0), at(1)])
}

/// Any track and playlist; the generated cases overwrite all that matters.
fn template() -> (Track, Playlist) {
    static TEMPLATE: std::sync::OnceLock<(Track, Playlist)> = std::sync::OnceLock::new();
    let read = || {
        let database = Database::fresh();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let store = database.store();
            (track(&store, cast::PUBLIC).await, playlist(&store, cast::EVERYTHING).await)
        })
    };
    TEMPLATE.get_or_init(read).clone()
}
