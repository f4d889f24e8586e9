//! The column `mobile` of docs/mothership-visibility.md, row by row, and a second opinion over generated playlists.

use http::Method;
use mothership::seed::cast;
use serde_json::Value;

use super::urns;
use crate::support::{
    Monolith, Request,
    decision_table::{Case, cases},
    generated::{Met, questions, shelves},
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
        let list = format!("/users/{owner}/tracks?limit=100");
        let listed = ask(&monolith, &persona, &list).await;
        let found = listed.as_ref().and_then(|page| item(page, &format!("mothership:tracks:{id}")));
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
        for path in ["", "/tracks", "/likers", "/reposters", "/related", "/counts"] {
            let one = ask(&monolith, &persona, &format!("/playlists/{id}{path}")).await;
            check(&case, "read", seen(one.is_some()), path);
        }
        let urn = format!("mothership:playlists:{id}");
        let body = format!("{{\"urns\":[\"{urn}\"]}}");
        let batch = persona.ask(Request::new(Method::POST, "/mobile/playlists/batch").body(body));
        let batch = batch.send(monolith.address).await.json();
        check(&case, "read", seen(item(&batch, &urn).is_some()), "in a batch");
        let mut met = false;
        for list in ["playlists", "albums"] {
            let page = ask(&monolith, &persona, &format!("/users/{owner}/{list}?limit=100")).await;
            met |= page.as_ref().is_some_and(|page| item(page, &urn).is_some());
        }
        check(&case, "listed", seen(met), "of its owner");
    }
}

#[tokio::test]
async fn every_row_for_tracks_in_a_playlist_holds() {
    let monolith = Monolith::start().await;
    for case in cases("Tracks in a playlist") {
        let id = condition(&PLAYLISTS, case.cell("playlist"));
        let urn = format!("mothership:tracks:{}", condition(&MEMBERS, case.cell("track")));
        let persona = Persona::named(&case.viewer, cast::ADA, &cast::playlist_secret(id));
        let tracks = ask(&monolith, &persona, &format!("/playlists/{id}/tracks?limit=100")).await.unwrap();
        let found = item(&tracks, &urn);
        check(&case, "read", found.map_or("hidden", play), "in its tracks");
        let whole = ask(&monolith, &persona, &format!("/playlists/{id}")).await.unwrap();
        assert_eq!(whole["track_urns"], Value::from(urns(&tracks)), "row {} for {}", case.row, case.viewer);
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
        let listed = ask(&monolith, &persona, &format!("{list}?limit=100")).await;
        let met = listed.is_some_and(|page| item(&page, &format!("mothership:users:{id}")).is_some());
        check(&case, "listed", seen(met), list);
    }
}

#[tokio::test]
async fn generated_playlists_and_viewers_agree_with_a_second_opinion() {
    let monolith = Monolith::start().await;
    let mut met = Met::default();
    for asked in questions(&shelves(&monolith)) {
        let (persona, shelf, track) = (asked.persona(), asked.shelf.id, asked.track.id);
        let tracks = ask(&monolith, &persona, &format!("/playlists/{shelf}/tracks?limit=100")).await;
        let found = tracks.as_ref().map(|page| {
            let tracks = page["collection"].as_array().unwrap().iter();
            tracks.map(|track| (track["urn"].as_str().unwrap().to_owned(), play(track))).collect::<Vec<_>>()
        });
        let everything = oracle::playlist(&asked);
        // The dialect's one deviation, here and below: what may not be played is not there.
        let wanted = everything.as_ref().map(|tracks| {
            let audible = tracks.iter().filter(|(_, level)| *level != "blocked");
            audible.map(|(id, level)| (format!("mothership:tracks:{id}"), *level)).collect::<Vec<_>>()
        });
        assert_eq!(found, wanted, "{asked:?}");
        met.count(seen(found.is_some()));
        if wanted.map(|tracks| tracks.len()) != everything.map(|tracks| tracks.len()) {
            met.count("deviates in a playlist");
        }

        let whole = ask(&monolith, &persona, &format!("/playlists/{shelf}")).await;
        let whole = whole.map(|whole| whole["track_urns"].clone());
        assert_eq!(whole, tracks.map(|page| Value::from(urns(&page))), "whole: {asked:?}");

        let one = ask(&monolith, &persona, &format!("/tracks/{track}")).await;
        let everything = oracle::track(&asked);
        let wanted = everything.filter(|level| *level != "blocked");
        assert_eq!(one.as_ref().map(play), wanted, "by itself: {asked:?}");
        met.count(wanted.unwrap_or("no track"));
        if wanted != everything {
            met.count("deviates by itself");
        }

        let urn = format!("mothership:playlists:{shelf}");
        let mut listed = false;
        for list in ["playlists", "albums"] {
            let page =
                ask(&monolith, &persona, &format!("/users/{}/{list}?limit=100", asked.shelf.owner)).await;
            listed |= page.as_ref().is_some_and(|page| item(page, &urn).is_some());
        }
        assert_eq!(listed, oracle::lists(&asked.shelf, asked.viewer), "listed: {asked:?}");
        met.count(if listed { "listed" } else { "not listed" });
    }
    met.assert_each_at_least(100, &["visible", "hidden", "playable", "no track", "listed", "not listed"]);
    met.assert_each_at_least(15, &["preview", "deviates in a playlist", "deviates by itself"]);
}

/// What cannot be seen cannot be liked, reposted or commented on either.
#[tokio::test]
async fn the_stricter_rules_hold_for_writes_too() {
    let monolith = Monolith::start().await;
    let germany = Persona::named("blocked territory", cast::ADA, "");
    let track = cast::TERRITORY;
    let comment = Request::new(Method::POST, format!("/mobile/tracks/{track}/comments"));
    for request in [
        Request::new(Method::PUT, format!("/mobile/likes/tracks/{track}")),
        Request::new(Method::PUT, format!("/mobile/reposts/tracks/{track}")),
        comment.body("{\"body\":\"hello\"}"),
    ] {
        let path = request.path.clone();
        let answer = germany.ask(request).send(monolith.address).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
    }
}

/// `None` for 404; anything but that and 200 is a failure.
async fn ask(monolith: &Monolith, persona: &Persona, path: &str) -> Option<Value> {
    let answer =
        persona.ask(Request::new(Method::GET, format!("/mobile{path}"))).send(monolith.address).await;
    match answer.status.as_u16() {
        200 => Some(answer.json()),
        404 => None,
        other => panic!("{path} as {persona:?}: {other}"),
    }
}

fn item<'p>(page: &'p Value, urn: &str) -> Option<&'p Value> {
    page["collection"].as_array().unwrap().iter().find(|item| item["urn"] == urn)
}

/// In the table's words.
fn play(track: &Value) -> &'static str {
    match track["play"].as_str() {
        Some("full") => "playable",
        Some("snippet") => "preview",
        other => panic!("{other:?} is no word of the dialect"),
    }
}

fn seen(visible: bool) -> &'static str {
    if visible { "visible" } else { "hidden" }
}

/// Against the dialect's own cell where it deviates, else against the row's.
fn check(case: &Case, column: &str, found: &str, how: &str) {
    let wanted = match case.cell("mobile") {
        "=" => case.cell(column),
        own => {
            let (read, listed) = own.split_once(" / ").unwrap_or((own, own));
            if column == "read" { read } else { listed }
        }
    };
    assert_eq!(found, wanted, "row {}: {column} {how} for {}", case.row, case.viewer);
}
