//! Every row of docs/mothership-visibility.md, held against the rules.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::{
    Access, Block, Counts, Embeddable, Identity, Label, License, Playlist, PlaylistId, PlaylistKind, Policy,
    Profile, ProfileCounts, Purchase, Release, Role, SecretToken, Sharing, Territory, Timestamp, UserId,
    Viewer,
};

const PAGE: &str = include_str!("../../../docs/mothership-visibility.md");
const ADA: UserId = UserId::new(1);
/// Owns what is "of another".
const ANOTHER: UserId = UserId::new(3);
const SOMEBODY: UserId = UserId::new(10);
const SECRET: &str = "s-secret";

const TRACKS: [&str; 9] = [
    "public",
    "private",
    "unreleased",
    "private and unreleased",
    "blocked in territories",
    "preview only",
    "preview only and blocked in territories",
    "taken down",
    "of a suspended user",
];
const PLAYLISTS: [&str; 7] = [
    "public",
    "private",
    "unreleased album",
    "private and unreleased album",
    "released album",
    "empty",
    "of a suspended user",
];
/// A suspended user asks for nothing, so nobody of these is blocked by or has blocked one.
const VIEWERS: [&str; 11] = [
    "anonymous",
    "owner",
    "follower",
    "other",
    "link",
    "wrong link",
    "blocked territory",
    "unknown territory",
    "blocked",
    "muter",
    "moderator",
];

type Row = BTreeMap<String, String>;

/// The rows of the table under `## heading`, by column heading.
fn rows(heading: &str) -> Vec<Row> {
    let section = PAGE.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("the page has no section {heading:?}"));
    let cells = |line: &str| -> Vec<String> {
        line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
    };
    let mut lines = section.lines().filter(|line| line.starts_with('|')).map(cells);
    let columns = lines.next().expect("a table has a heading");
    lines.skip(1).map(|row| columns.iter().cloned().zip(row).collect()).collect()
}

/// Calls `check` with every row and each of its viewers; returns which viewers each condition met, each once.
fn every_case(
    heading: &str,
    condition: impl Fn(&Row) -> String,
    check: impl Fn(&Row, &str),
) -> BTreeMap<String, BTreeSet<String>> {
    let mut met: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for row in rows(heading) {
        for viewer in row["viewers"].split(", ") {
            check(&row, viewer);
            let new = met.entry(condition(&row)).or_default().insert(viewer.to_owned());
            assert!(new, "row {} repeats {viewer}", row["row"]);
        }
    }
    met
}

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().unwrap()
}

fn year_2100() -> Option<Timestamp> {
    Some("2100-01-01T00:00:00Z".parse().unwrap())
}

/// The viewer, and how they and the owner stand to each other.
fn viewer(name: &str, owner: UserId) -> (Viewer, Block) {
    let user = |user_id| Some(Identity { user_id, role: Role::User });
    let us: Option<Territory> = "US".parse().ok();
    let somebody = Viewer { identity: user(SOMEBODY), territory: us, secret_token: None };
    let none = Block::default();
    match name {
        "anonymous" => (Viewer { identity: None, ..somebody }, none),
        "owner" => (Viewer { identity: user(owner), ..somebody }, none),
        "follower" | "other" => (somebody, none),
        "link" => (Viewer { secret_token: Some(SECRET.to_owned()), ..somebody }, none),
        "wrong link" => (Viewer { secret_token: Some("s-wrong".to_owned()), ..somebody }, none),
        "blocked territory" => (Viewer { territory: "DE".parse().ok(), ..somebody }, none),
        "unknown territory" => (Viewer { territory: None, ..somebody }, none),
        "blocked" => (somebody, Block { by_owner: true, by_viewer: false }),
        "muter" => (somebody, Block { by_owner: false, by_viewer: true }),
        "moderator" => {
            let identity = Some(Identity { user_id: SOMEBODY, role: Role::Moderator });
            (Viewer { identity, ..somebody }, none)
        }
        other => panic!("the page has a viewer that is not known here: {other:?}"),
    }
}

fn territories() -> Vec<Territory> {
    vec!["DE".parse().unwrap(), "FR".parse().unwrap()]
}

fn track<'t>(name: &str, owner: UserId, secret_token: &'t str, blocked: &'t [Territory]) -> TrackFacts<'t> {
    let public = TrackFacts {
        owner,
        owner_suspended: false,
        sharing: Sharing::Public,
        secret_token,
        release_at: None,
        taken_down: false,
        policy: Policy::Full,
        blocked_territories: &[],
    };
    match name {
        "public" => public,
        "private" => TrackFacts { sharing: Sharing::Private, ..public },
        "unreleased" => TrackFacts { release_at: year_2100(), ..public },
        "private and unreleased" => {
            TrackFacts { sharing: Sharing::Private, release_at: year_2100(), ..public }
        }
        "blocked in territories" => TrackFacts { blocked_territories: blocked, ..public },
        "preview only" => TrackFacts { policy: Policy::Preview, ..public },
        "preview only and blocked in territories" => {
            TrackFacts { policy: Policy::Preview, blocked_territories: blocked, ..public }
        }
        "taken down" => TrackFacts { taken_down: true, ..public },
        "of a suspended user" => TrackFacts { owner_suspended: true, ..public },
        other => panic!("the page has a track that is not known here: {other:?}"),
    }
}

fn playlist(name: &str) -> Playlist {
    let (sharing, at, owner_suspended) = match name {
        "public" | "empty" => (Sharing::Public, None, false),
        "private" => (Sharing::Private, None, false),
        "unreleased album" => (Sharing::Public, year_2100(), false),
        "private and unreleased album" => (Sharing::Private, year_2100(), false),
        "released album" => (Sharing::Public, "2020-02-29T00:00:00Z".parse().ok(), false),
        "of a suspended user" => (Sharing::Public, None, true),
        other => panic!("the page has a playlist that is not known here: {other:?}"),
    };
    Playlist {
        id: PlaylistId::new(1),
        owner: ADA,
        owner_suspended,
        permalink: String::new(),
        title: String::new(),
        description: None,
        genre: None,
        tag_list: String::new(),
        kind: PlaylistKind::Playlist,
        sharing,
        secret: SecretToken::new(SECRET.to_owned()),
        license: License::AllRightsReserved,
        release: Release { at, ..Release::default() },
        label: Label::default(),
        purchase: Purchase::default(),
        embeddable_by: Embeddable::All,
        artwork_url: None,
        track_ids: None,
        counts: Counts::default(),
        revision: 1,
        created_at: now(),
        last_modified: now(),
    }
}

fn access(access: Option<Access>) -> &'static str {
    access.map_or("hidden", Access::as_str)
}

fn sight(visible: bool) -> &'static str {
    if visible { "visible" } else { "hidden" }
}

#[test]
fn every_row_for_tracks_holds() {
    let met = every_case(
        "Tracks",
        |row| row["track"].clone(),
        |row, name| {
            let (viewer, block) = viewer(name, ADA);
            let blocked = territories();
            let track = track(&row["track"], ADA, SECRET, &blocked);
            let read = access(read_track(track, block, &viewer, now()).access);
            let listed = access(listed_track(track, block, &viewer, now()).access);
            assert_eq!((read, listed), (row["read"].as_str(), row["listed"].as_str()), "{row:?} as {name}");
        },
    );
    check_complete(&met, &TRACKS);
}

#[test]
fn every_row_for_playlists_holds() {
    let met = every_case(
        "Playlists",
        |row| row["playlist"].clone(),
        |row, name| {
            let (viewer, block) = viewer(name, ADA);
            let playlist = playlist(&row["playlist"]);
            let read = sight(read_playlist(&playlist, block, &viewer, now()).visible);
            let listed = sight(listed_playlist(&playlist, block, &viewer, now()).visible);
            assert_eq!((read, listed), (row["read"].as_str(), row["listed"].as_str()), "{row:?} as {name}");
        },
    );
    check_complete(&met, &PLAYLISTS);
}

#[test]
fn every_row_for_tracks_in_a_playlist_holds() {
    let met = every_case(
        "Tracks in a playlist",
        |row| format!("{} in {}", row["track"], row["playlist"]),
        |row, name| {
            let (viewer, block_of_ada) = viewer(name, ADA);
            let playlist = playlist(&row["playlist"]);
            assert!(read_playlist(&playlist, block_of_ada, &viewer, now()).visible, "{row:?} as {name}");
            let (condition, owner) = match row["track"].as_str() {
                "private, of the playlist's owner" => ("private", ADA),
                "private, of another" => ("private", ANOTHER),
                // Blocks between others say nothing about this viewer.
                "of a user whom the playlist's owner blocked" => ("public", ANOTHER),
                "of a suspended user" => ("of a suspended user", ANOTHER),
                condition => (condition, ADA),
            };
            let block = if owner == ADA { block_of_ada } else { Block::default() };
            let blocked = territories();
            let track = track(condition, owner, "s-track", &blocked);
            let shared_by = playlist.shares_private_tracks_with(&viewer).then_some(playlist.owner);
            let read = access(member(track, shared_by, block, &viewer, now()).access);
            assert_eq!(read, row["read"], "{row:?} as {name}");
        },
    );
    assert_eq!(met.len(), 16, "{:?}", met.keys());
    for (condition, viewers) in met {
        let wanted = if condition.ends_with("in private") { 3 } else { VIEWERS.len() - 1 };
        assert_eq!(viewers.len(), wanted, "{condition}: {viewers:?}");
    }
}

#[test]
fn every_row_for_users_holds() {
    let met = every_case(
        "Users",
        |row| row["user"].clone(),
        |row, name| {
            let (viewer, block) = viewer(name, ADA);
            let profile = Profile {
                id: ADA,
                permalink: String::new(),
                username: String::new(),
                first_name: None,
                last_name: None,
                city: None,
                country: None,
                description: None,
                avatar_url: None,
                suspended: row["user"] == "suspended",
                created_at: now(),
                last_modified: now(),
                counts: ProfileCounts { followers: 0, followings: 0, public_tracks: 0, public_playlists: 0 },
            };
            let (read, listed) =
                (sight(read_user(&profile, &viewer)), sight(listed_user(&profile, block, &viewer)));
            assert_eq!((read, listed), (row["read"].as_str(), row["listed"].as_str()), "{row:?} as {name}");
        },
    );
    check_complete(&met, &["active", "suspended"]);
}

#[test]
fn owners_and_moderators_change_playlists_and_nobody_else() {
    for name in VIEWERS {
        let (viewer, _) = viewer(name, ADA);
        let wanted = matches!(name, "owner" | "moderator");
        assert_eq!(may_change(&playlist("public"), &viewer), wanted, "{name}");
    }
}

/// No condition is forgotten, and each meets every viewer there is.
fn check_complete(met: &BTreeMap<String, BTreeSet<String>>, conditions: &[&str]) {
    let known: BTreeSet<&str> = met.keys().map(String::as_str).collect();
    assert_eq!(known, conditions.iter().copied().collect::<BTreeSet<_>>());
    for (condition, viewers) in met {
        for viewer in VIEWERS {
            // A suspended user neither blocks nor is blocked here.
            let never = condition.contains("suspended") && matches!(viewer, "blocked" | "muter");
            assert_eq!(viewers.contains(viewer), !never, "{condition} does not meet {viewer}");
        }
    }
}
