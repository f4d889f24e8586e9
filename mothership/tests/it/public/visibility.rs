//! The column `public` of docs/mothership-visibility.md, row by row, and a second opinion over generated playlists.

use std::collections::BTreeMap;

use http::Method;
use mothership::{
    domain::UserId,
    seed::{Random, cast},
};
use serde_json::Value;

use crate::{
    public::ids,
    support::{
        Monolith, Request,
        decision_table::{Case, cases},
        now,
        personas::{MEMBERS, PLAYLISTS, Persona, TRACKS, condition},
    },
};

const ALL_ACCESS: &str = "access=playable,preview,blocked";

#[tokio::test]
async fn every_row_for_tracks_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Tracks") {
        let id = condition(&TRACKS, case.cell("track"));
        let owner = if id == cast::OF_SUSPENDED { cast::GHOST } else { cast::ADA };
        let persona = Persona::named(&case.viewer, owner, &cast::track_secret(id));
        let one = ask(&monolith, &persona, &format!("/tracks/{id}")).await;
        check(&case, "read", one.as_ref().map_or("hidden", access), "by id");
        let batch = ask(&monolith, &persona, &format!("/tracks?ids={id}&{ALL_ACCESS}")).await;
        check(&case, "read", in_list(batch.as_ref(), id.get()).map_or("hidden", access), "in a batch");
        // Fan likes every track of the cast.
        for list in [format!("/users/{owner}/tracks"), format!("/users/{}/likes/tracks", cast::FAN)] {
            let listed = ask(&monolith, &persona, &format!("{list}?limit=200&{ALL_ACCESS}")).await;
            let found = in_list(listed.as_ref(), id.get()).map_or("hidden", access);
            check(&case, "listed", found, &list);
        }
    }
}

#[tokio::test]
async fn every_row_for_playlists_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Playlists") {
        let id = condition(&PLAYLISTS, case.cell("playlist"));
        let owner = if id == cast::PLAYLIST_OF_SUSPENDED { cast::GHOST } else { cast::ADA };
        let persona = Persona::named(&case.viewer, owner, &cast::playlist_secret(id));
        let title: String = {
            let sql = "SELECT title FROM playlists WHERE id = ?1";
            monolith.database.connection().query_row(sql, [id], |row| row.get(0)).unwrap()
        };
        let q = serde_urlencoded::to_string([("q", title)]).unwrap();
        for path in ["", "/tracks", "/likers", "/reposters", "/related", "/counts"] {
            let one = ask(&monolith, &persona, &format!("/playlists/{id}{path}")).await;
            check(&case, "read", seen(one.is_some()), path);
        }
        let batch = ask(&monolith, &persona, &format!("/playlists?ids={id}")).await;
        check(&case, "read", seen(in_list(batch.as_ref(), id.get()).is_some()), "in a batch");
        for list in [format!("/users/{owner}/playlists?limit=200"), format!("/playlists?limit=200&{q}")] {
            let listed = ask(&monolith, &persona, &list).await;
            check(&case, "listed", seen(in_list(listed.as_ref(), id.get()).is_some()), &list);
        }
    }
}

#[tokio::test]
async fn every_row_for_tracks_in_a_playlist_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Tracks in a playlist") {
        let id = condition(&PLAYLISTS, case.cell("playlist"));
        let track = condition(&MEMBERS, case.cell("track"));
        let persona = Persona::named(&case.viewer, cast::ADA, &cast::playlist_secret(id));
        let whole = ask(&monolith, &persona, &format!("/playlists/{id}?{ALL_ACCESS}")).await.unwrap();
        let found = in_list(Some(&whole["tracks"]), track.get()).map_or("hidden", access);
        check(&case, "read", found, "in the playlist");
        let tracks = ask(&monolith, &persona, &format!("/playlists/{id}/tracks?{ALL_ACCESS}")).await;
        let found = in_list(tracks.as_ref(), track.get()).map_or("hidden", access);
        check(&case, "read", found, "in its tracks");
    }
}

#[tokio::test]
async fn every_row_for_users_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Users") {
        let id = condition(&[("active", cast::ADA), ("suspended", cast::GHOST)], case.cell("user"));
        let persona = Persona::named(&case.viewer, id, "s-nobody");
        let one = ask(&monolith, &persona, &format!("/users/{id}")).await;
        check(&case, "read", seen(one.is_some()), "by id");
        // Ada follows Other, Ghost follows Ada.
        let (list, name) =
            if id == cast::ADA { ("/users/3/followers", "ada") } else { ("/users/1/followers", "ghost") };
        for list in [list.to_owned(), format!("/users?q={name}")] {
            let listed = ask(&monolith, &persona, &list).await;
            check(&case, "listed", seen(in_list(listed.as_ref(), id.get()).is_some()), &list);
        }
    }
}

/// What a client does not ask for is left out: blocked tracks, unless `access` names them.
#[tokio::test]
async fn blocked_tracks_are_left_out_unless_asked_for() {
    let monolith = Monolith::start().await;
    let germany = Persona::named("blocked territory", cast::ADA, "");
    let shown = async |query: &str| {
        let playlist = ask(&monolith, &germany, &format!("/playlists/203{query}")).await.unwrap();
        ids(&playlist["tracks"])
    };
    assert_eq!(shown("").await, [101, 105, 110]);
    assert_eq!(shown("?access=blocked").await, [104]);
    assert_eq!(shown("?access=preview").await, [105]);
}

/// Playlists that are met in lists carry the first of their tracks: those that anybody would see there.
#[tokio::test]
async fn in_lists_links_and_roles_open_no_track() {
    let monolith = Monolith::start().await;
    let list = format!("/users/1/playlists?{ALL_ACCESS}");
    let of_everything = async |persona: &Persona| {
        let listed = ask(&monolith, persona, &list).await;
        ids(&in_list(listed.as_ref(), cast::EVERYTHING.get()).unwrap()["tracks"])
    };
    let other = of_everything(&Persona::named("other", cast::ADA, "")).await;
    assert!(!other.contains(&cast::PRIVATE.get()));
    let link = Persona::named("link", cast::ADA, &cast::track_secret(cast::PRIVATE));
    assert_eq!(of_everything(&link).await, other);
    assert_eq!(of_everything(&Persona::named("moderator", cast::ADA, "")).await, other);
}

/// A generated track, as the oracle knows it.
#[derive(Debug, Clone)]
struct Fact {
    id: i64,
    owner: i64,
    private: bool,
    early: bool,
    taken_down: bool,
    preview: bool,
    not_in_germany: bool,
}

#[derive(Debug, Clone)]
struct Shelf {
    id: i64,
    owner: i64,
    private: bool,
    early: bool,
    tracks: Vec<Fact>,
}

/// Owners whose standing differs: Ada (blocked Outcast, is muted by Muter), Other, Outcast, Ghost (suspended), Muter.
const OWNERS: [i64; 5] = [1, 3, 4, 6, 7];
const VIEWERS: [Option<i64>; 8] = [None, Some(1), Some(3), Some(4), Some(5), Some(6), Some(7), Some(10)];

#[tokio::test]
async fn generated_playlists_and_viewers_agree_with_a_second_opinion() {
    const SHELVES: i64 = 40;
    const REQUESTS: u64 = 600;
    let seed = 20_260_102;
    let monolith = Monolith::start().await;
    let mut random = Random::new(&[seed]);
    let shelves: Vec<Shelf> = (0..SHELVES).map(|number| generate(&monolith, &mut random, number)).collect();
    let mut met = BTreeMap::new();
    for number in 0..REQUESTS {
        let mut random = Random::new(&[seed, number]);
        let shelf = random.pick(&shelves).clone();
        let viewer = *random.pick(&VIEWERS);
        let germany = random.chance(300);
        let secret = match random.below(4) {
            0 => Some(format!("s-shelf-{}", shelf.id)),
            1 => Some(format!("s-fact-{}", random.pick(&shelf.tracks).id)),
            2 => Some("s-wrong".to_owned()),
            _ => None,
        };
        let persona = Persona {
            user: viewer.map(UserId::new),
            territory: Some(if germany { "DE" } else { "JP" }),
            secret: secret.clone(),
        };
        let shown = format!("seed {seed}, request {number}: {shelf:?} for {persona:?}");
        let wanted = oracle(&shelf, viewer, germany, secret.as_deref());
        let found = ask(&monolith, &persona, &format!("/playlists/{}?{ALL_ACCESS}", shelf.id)).await;
        let found = found.map(|playlist| {
            let tracks = playlist["tracks"].as_array().unwrap().clone();
            tracks
                .iter()
                .map(|track| (track["id"].as_i64().unwrap(), access(track).to_owned()))
                .collect::<Vec<_>>()
        });
        *met.entry(found.as_ref().map(|tracks| tracks.len().min(2))).or_insert(0) += 1;
        assert_eq!(found, wanted, "{shown}");

        let listed = ask(&monolith, &persona, &format!("/users/{}/playlists?limit=200", shelf.owner)).await;
        let listed = listed.is_some_and(|list| ids(&list).contains(&shelf.id));
        assert_eq!(listed, listed_by_oracle(&shelf, viewer), "listed: {shown}");
    }
    let hidden = met[&None];
    let sides = [hidden, REQUESTS - hidden].into_iter().min();
    assert!(met.len() == 4 && sides > Some(150), "the cases are one-sided: {met:?}");
}

/// `None`: no such playlist. Written from the page's sentences, by exclusion.
fn oracle(
    shelf: &Shelf,
    viewer: Option<i64>,
    germany: bool,
    secret: Option<&str>,
) -> Option<Vec<(i64, String)>> {
    let moderator = viewer == Some(5);
    let stands_against =
        |owner: i64| owner == 6 || (owner == 1 && viewer == Some(4)) || (owner == 7 && viewer == Some(1));
    let link = secret == Some(&*format!("s-shelf-{}", shelf.id));
    let power = moderator || viewer == Some(shelf.owner);
    if !power && (stands_against(shelf.owner) || ((shelf.private || shelf.early) && !link)) {
        return None;
    }
    let mut seen = Vec::new();
    for track in &shelf.tracks {
        let mine = viewer == Some(track.owner);
        let own_link = secret == Some(&*format!("s-fact-{}", track.id));
        let shared = own_link || (link && shelf.private && track.owner == shelf.owner);
        let hidden = stands_against(track.owner)
            || track.taken_down
            || (track.private && !shared)
            || (track.early && !own_link);
        if !mine && !moderator && hidden {
            continue;
        }
        let level = match (mine, moderator) {
            (true, _) if track.taken_down => "blocked",
            (true, _) | (_, true) => "playable",
            _ if track.not_in_germany && germany => "blocked",
            _ if track.preview => "preview",
            _ => "playable",
        };
        seen.push((track.id, level.to_owned()));
    }
    Some(seen)
}

fn listed_by_oracle(shelf: &Shelf, viewer: Option<i64>) -> bool {
    let mine = viewer == Some(shelf.owner);
    let apart = (shelf.owner == 1 && (viewer == Some(4) || viewer == Some(7)))
        || (shelf.owner == 7 && viewer == Some(1));
    let apart = apart || (shelf.owner == 4 && viewer == Some(1));
    mine || !(shelf.private || shelf.early || shelf.owner == 6 || apart)
}

/// Makes generated rows of the seed into what chance says.
fn generate(monolith: &Monolith, random: &mut Random, number: i64) -> Shelf {
    const TRACKS: i64 = 7;
    let connection = monolith.database.connection();
    let later = now().millis() + 1;
    let tracks: Vec<Fact> = (0..TRACKS)
        .map(|index| Fact {
            id: 1001 + number * TRACKS + index,
            owner: *random.pick(&OWNERS),
            private: random.chance(350),
            early: random.chance(200),
            taken_down: random.chance(150),
            preview: random.chance(250),
            not_in_germany: random.chance(350),
        })
        .collect();
    for track in &tracks {
        let sql = "UPDATE tracks SET user_id = ?2, permalink = 'fact-' || id, sharing = ?3, release_at = ?4, \
             taken_down = ?5, policy = ?6, blocked_territories = ?7, secret_token = 's-fact-' || id WHERE id = ?1";
        let changed = connection.execute(
            sql,
            (
                track.id,
                track.owner,
                if track.private { "private" } else { "public" },
                track.early.then_some(later),
                track.taken_down,
                if track.preview { "preview" } else { "full" },
                if track.not_in_germany { ",DE," } else { "" },
            ),
        );
        assert_eq!(changed.unwrap(), 1);
    }
    let (id, owner) = (1001 + number, *random.pick(&OWNERS));
    let shelf = Shelf { id, owner, private: random.chance(400), early: random.chance(200), tracks };
    let sql = "UPDATE playlists SET user_id = ?2, permalink = 'shelf-' || id, sharing = ?3, release_at = ?4, \
         secret_token = 's-shelf-' || id WHERE id = ?1";
    let sharing = if shelf.private { "private" } else { "public" };
    assert_eq!(connection.execute(sql, (id, owner, sharing, shelf.early.then_some(later))).unwrap(), 1);
    connection.execute("DELETE FROM playlist_tracks WHERE playlist_id = ?1", [id]).unwrap();
    for (position, track) in (0_i64..).zip(&shelf.tracks) {
        let sql = "INSERT INTO playlist_tracks (playlist_id, position, track_id) VALUES (?1, ?2, ?3)";
        connection.execute(sql, (id, position, track.id)).unwrap();
    }
    shelf
}

/// `None` for 404; anything but that and 200 is a failure.
async fn ask(monolith: &Monolith, persona: &Persona, path: &str) -> Option<Value> {
    let answer = persona.ask(Request::new(Method::GET, path)).send(monolith.address).await;
    match answer.status.as_u16() {
        200 => Some(answer.json()),
        404 => None,
        other => panic!("{path} as {persona:?}: {other}"),
    }
}

fn in_list(list: Option<&Value>, id: i64) -> Option<&Value> {
    let list = list?;
    let items = list.get("collection").unwrap_or(list).as_array().unwrap();
    items.iter().find(|item| item["id"] == id)
}

fn access(track: &Value) -> &str {
    track["access"].as_str().unwrap()
}

fn seen(visible: bool) -> &'static str {
    if visible { "visible" } else { "hidden" }
}

/// Against the dialect's own cell where it deviates, else against the row's.
fn check(case: &Case, column: &str, found: &str, how: &str) {
    let wanted = match case.cell("public") {
        "=" => case.cell(column),
        own => {
            let (read, listed) = own.split_once(" / ").unwrap_or((own, own));
            if column == "read" { read } else { listed }
        }
    };
    assert_eq!(found, wanted, "row {}: {column} {how} for {}", case.row, case.viewer);
}
