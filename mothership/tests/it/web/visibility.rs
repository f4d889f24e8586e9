//! The column `web` of docs/mothership-visibility.md, row by row, and a second opinion over generated playlists.

use http::Method;
use mothership::{domain::UserId, seed::cast};
use serde_json::Value;

use super::ids;
use crate::support::{
    Monolith, Request,
    decision_table::{Case, cases},
    generated::{Met, Question, Shelf, questions, shelves},
    oracle,
    personas::{MEMBERS, PLAYLISTS, Persona, TRACKS, condition},
};

#[tokio::test]
async fn every_row_for_tracks_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Tracks") {
        let id = condition(&TRACKS, case.cell("track"));
        let owner = if id == cast::OF_SUSPENDED { cast::GHOST } else { cast::ADA };
        let persona = Persona::named(&case.viewer, owner, &cast::track_secret(id));
        let one = ask(&monolith, &persona, &format!("/tracks/{id}")).await;
        check(&case, "read", one.as_ref().map_or("hidden", play), "by id");
        let list = format!("/users/{owner}/tracks?limit=50");
        let listed = ask(&monolith, &persona, &list).await;
        let found = listed.as_ref().and_then(|page| item(page, id.get()));
        check(&case, "listed", found.map_or("hidden", play), &list);
    }
}

#[tokio::test]
async fn every_row_for_playlists_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Playlists") {
        let id = condition(&PLAYLISTS, case.cell("playlist"));
        let owner = if id == cast::PLAYLIST_OF_SUSPENDED { cast::GHOST } else { cast::ADA };
        let persona = Persona::named(&case.viewer, owner, &cast::playlist_secret(id));
        for path in ["", "/tracks", "/likers", "/reposters", "/related", "/stats"] {
            let one = ask(&monolith, &persona, &format!("/playlists/{id}{path}")).await;
            check(&case, "read", seen(one.is_some()), path);
        }
        let batch = ask(&monolith, &persona, &format!("/playlists/batch?ids={id}")).await.unwrap();
        check(&case, "read", seen(item(&batch, id.get()).is_some()), "in a batch");
        let list = format!("/users/{owner}/playlists?per_page=50");
        let met = ask(&monolith, &persona, &list).await.is_some_and(|page| item(&page, id.get()).is_some());
        check(&case, "listed", seen(met), "of its owner");
    }
}

#[tokio::test]
async fn every_row_for_tracks_in_a_playlist_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Tracks in a playlist") {
        let id = condition(&PLAYLISTS, case.cell("playlist"));
        let track = condition(&MEMBERS, case.cell("track")).get();
        let persona = Persona::named(&case.viewer, cast::ADA, &cast::playlist_secret(id));
        let tracks = ask(&monolith, &persona, &format!("/playlists/{id}/tracks?per_page=50")).await.unwrap();
        check(&case, "read", item(&tracks, track).map_or("hidden", play), "in its tracks");
        let whole = ask(&monolith, &persona, &format!("/playlists/{id}")).await.unwrap();
        assert_eq!(ids(&whole["tracks"]), ids(&tracks), "row {} for {}", case.row, case.viewer);
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
        let list = if id == cast::ADA { "/users/3/followers" } else { "/users/1/followers" };
        let listed = ask(&monolith, &persona, &format!("{list}?per_page=50")).await;
        let met = listed.is_some_and(|page| item(&page, id.get()).is_some());
        check(&case, "listed", seen(met), list);
    }
}

#[tokio::test]
async fn generated_playlists_and_viewers_agree_with_a_second_opinion() {
    let monolith = Monolith::start().await;
    let shelves = shelves(&monolith);
    let mut met = Met::default();
    for asked in questions(&shelves) {
        let (persona, shelf, track) = (asked.persona(), asked.shelf.id, asked.track.id);
        let whole = ask(&monolith, &persona, &format!("/playlists/{shelf}")).await;
        let found = whole.as_ref().map(|whole| levels(&whole["tracks"]));
        assert_eq!(found, oracle::playlist(&asked), "{asked:?}");
        met.count(seen(found.is_some()));
        let tracks = ask(&monolith, &persona, &format!("/playlists/{shelf}/tracks?per_page=50")).await;
        assert_eq!(tracks.as_ref().map(levels), found, "its tracks: {asked:?}");

        let one = ask(&monolith, &persona, &format!("/tracks/{track}")).await;
        let everything = oracle::track(&asked);
        // The deviation of the page of a track.
        let muted = oracle::blocked_by_viewer(asked.viewer, asked.track.owner);
        let wanted = everything.filter(|_| !muted);
        assert_eq!(one.as_ref().map(play), wanted, "by itself: {asked:?}");
        met.count(wanted.unwrap_or("no track"));
        if wanted != everything {
            met.count("deviates by itself");
        }

        let list = format!("/users/{}/playlists?per_page=50", asked.shelf.owner);
        let listed = ask(&monolith, &persona, &list).await.is_some_and(|page| item(&page, shelf).is_some());
        assert_eq!(listed, oracle::lists(&asked.shelf, asked.viewer), "listed: {asked:?}");
        met.count(if listed { "listed" } else { "not listed" });

        let (found, uncut) = part_of_the_list(&monolith, &asked, &shelves).await;
        let wanted: Vec<i64> =
            uncut.iter().filter(|it| oracle::lists(it, asked.viewer)).map(|it| it.id).collect();
        assert_eq!(found, wanted, "a page: {asked:?}");
        if !wanted.is_empty() && wanted.len() < uncut.len() {
            met.count("a page with gaps");
        }
    }
    met.assert_each_at_least(
        100,
        &["visible", "hidden", "playable", "no track", "listed", "not listed", "a page with gaps"],
    );
    met.assert_each_at_least(15, &["preview", "blocked"]);
    met.assert_each_at_least(5, &["deviates by itself"]);
}

/// What cannot be seen cannot be liked, reposted or commented on either.
#[tokio::test]
async fn the_stricter_rules_hold_for_writes_too() {
    let monolith = Monolith::start().await;
    let muter = Persona::named("muter", cast::ADA, "");
    for action in ["like", "repost", "comments"] {
        let path = format!("/web/tracks/{}/{action}", cast::PUBLIC);
        let request = Request::new(Method::POST, path).body("body=hello");
        assert_eq!(muter.ask(request).send(monolith.address).await.status.as_u16(), 404, "{action}");
    }
}

/// A page of the owner's list, as far as it is of generated playlists: what the viewer meets there, and what its owner,
/// who meets everything, does. Pages are cut before they are filtered, so one holds the same places for both.
async fn part_of_the_list<'s>(
    monolith: &Monolith,
    asked: &Question,
    shelves: &'s [Shelf],
) -> (Vec<i64>, Vec<&'s Shelf>) {
    let owner = Persona { user: Some(UserId::new(asked.shelf.owner)), ..asked.persona() };
    let path = format!("/users/{}/playlists?per_page=5&page={}", asked.shelf.owner, 1 + asked.number % 3);
    let all = ids(&ask(monolith, &owner, &path).await.expect("owners see themselves"));
    let all = all.iter().filter_map(|id| shelves.iter().find(|shelf| shelf.id == *id)).collect();
    let mut met = ask(monolith, &asked.persona(), &path).await.map(|page| ids(&page)).unwrap_or_default();
    met.retain(|id| shelves.iter().any(|shelf| shelf.id == *id));
    (met, all)
}

fn levels(page: &Value) -> Vec<(i64, &'static str)> {
    let tracks = page["collection"].as_array().unwrap().iter();
    tracks.map(|track| (track["id"].as_i64().unwrap(), play(track))).collect()
}

/// `None` for 404; anything but that and 200 is a failure.
async fn ask(monolith: &Monolith, persona: &Persona, path: &str) -> Option<Value> {
    let answer = persona.ask(Request::new(Method::GET, format!("/web{path}"))).send(monolith.address).await;
    match answer.status.as_u16() {
        200 => Some(answer.json()),
        404 => None,
        other => panic!("{path} as {persona:?}: {other}"),
    }
}

fn item(page: &Value, id: i64) -> Option<&Value> {
    page["collection"].as_array().unwrap().iter().find(|item| item["id"] == id)
}

/// In the table's words.
fn play(track: &Value) -> &'static str {
    match track["policy"].as_str() {
        Some("ALLOW") => "playable",
        Some("SNIP") => "preview",
        Some("BLOCK") => "blocked",
        other => panic!("{other:?} is no word of the dialect"),
    }
}

fn seen(visible: bool) -> &'static str {
    if visible { "visible" } else { "hidden" }
}

/// Against the dialect's own cell where it deviates, else against the row's.
fn check(case: &Case, column: &str, found: &str, how: &str) {
    let wanted = match case.cell("web") {
        "=" => case.cell(column),
        own => {
            let (read, listed) = own.split_once(" / ").unwrap_or((own, own));
            if column == "read" { read } else { listed }
        }
    };
    assert_eq!(found, wanted, "row {}: {column} {how} for {}", case.row, case.viewer);
}
