//! The column `public` of docs/mothership-visibility.md, row by row, and a second opinion over generated playlists.

use http::Method;
use mothership::seed::cast;
use serde_json::Value;

use crate::{
    public::ids,
    support::{
        Monolith, Request,
        decision_table::{Case, cases},
        generated::{Met, questions, shelves},
        oracle,
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

#[tokio::test]
async fn generated_playlists_and_viewers_agree_with_a_second_opinion() {
    let monolith = Monolith::start().await;
    let mut met = Met::default();
    for asked in questions(&shelves(&monolith)) {
        let (persona, shelf, track) = (asked.persona(), asked.shelf.id, asked.track.id);
        let whole = ask(&monolith, &persona, &format!("/playlists/{shelf}?{ALL_ACCESS}")).await;
        let found = whole.as_ref().map(|whole| {
            let tracks = whole["tracks"].as_array().unwrap().iter();
            tracks.map(|track| (track["id"].as_i64().unwrap(), access(track))).collect::<Vec<_>>()
        });
        assert_eq!(found, oracle::playlist(&asked), "{asked:?}");
        met.count(seen(found.is_some()));

        let one = ask(&monolith, &persona, &format!("/tracks/{track}")).await;
        let wanted = oracle::track(&asked);
        assert_eq!(one.as_ref().map(access), wanted, "by itself: {asked:?}");
        met.count(wanted.unwrap_or("no track"));

        let list = format!("/users/{}/playlists?limit=200", asked.shelf.owner);
        let listed = ask(&monolith, &persona, &list).await;
        let listed = listed.is_some_and(|list| ids(&list).contains(&shelf));
        assert_eq!(listed, oracle::lists(&asked.shelf, asked.viewer), "listed: {asked:?}");
        met.count(if listed { "listed" } else { "not listed" });
    }
    met.assert_each_at_least(100, &["visible", "hidden", "playable", "no track", "listed", "not listed"]);
    met.assert_each_at_least(15, &["preview", "blocked"]);
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
