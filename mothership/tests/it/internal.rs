//! The internal and authorization engines over HTTP.

use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Monolith, Request, decision_table::cases};

#[tokio::test]
async fn nothing_is_served_without_the_service_token() {
    let monolith = Monolith::start().await;
    for path in [
        "/internal/v1/clock",
        "/internal/v1/nothing",
        "/internal/v1/events",
        "/playlist_authorization/v1/check",
    ] {
        for token in [None, Some("Bearer tok-mod"), Some("Basic svc-local"), Some("svc-local")] {
            let mut request = Request::new(Method::GET, path);
            if let Some(token) = token {
                request = request.header("authorization", token);
            }
            let answer = request.send(monolith.address).await;
            assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path} with {token:?}");
            assert_eq!(answer.headers["content-type"], "application/json");
            assert_eq!(answer.json()["error"]["code"], "service_token_required");
        }
    }
}

#[tokio::test]
async fn bad_input_is_answered_with_a_typed_error_and_never_a_500() {
    let monolith = Monolith::start().await;
    let list = "/internal/v1/playlists/list";
    let batch = "/internal/v1/playlists/batch";
    let commands = "/internal/v1/commands";
    let cases: Vec<(&str, String, u16, &str)> = vec![
        (batch, "{".to_owned(), 400, "bad_body"),
        (batch, "[]".to_owned(), 400, "bad_body"),
        (batch, "{\"ids\":[\"x\"]}".to_owned(), 400, "bad_body"),
        (batch, "{\"ids\":[0]}".to_owned(), 400, "bad_body"),
        (batch, "{\"ids\":[1.5]}".to_owned(), 400, "bad_body"),
        (batch, "{\"ids\":[99999999999999999999]}".to_owned(), 400, "bad_body"),
        (batch, "{\"ids\":[1],\"includes\":[]}".to_owned(), 400, "bad_body"),
        (batch, json!({ "ids": (1..=1001).collect::<Vec<_>>() }).to_string(), 400, "bad_request"),
        (batch, " ".repeat(300_000), 413, "body_too_large"),
        (batch, json!({ "ids": [1], "viewer": { "territory": "Germany" } }).to_string(), 400, "bad_territory"),
        (batch, json!({ "ids": [1], "viewer": { "token": "nobody's" } }).to_string(), 401, "token_unknown"),
        (batch, json!({ "ids": [1], "viewer": { "token": "tok-expired" } }).to_string(), 401, "token_expired"),
        (batch, json!({ "ids": [1], "viewer": { "user_id": 999_999 } }).to_string(), 401, "viewer_unknown"),
        (batch, json!({ "ids": [1], "viewer": { "user_id": 1, "token": "tok-ada" } }).to_string(), 400, "bad_request"),
        (list, json!({ "list": { "type": "nothing" } }).to_string(), 400, "bad_body"),
        (list, json!({ "list": { "type": "all" }, "limit": -1 }).to_string(), 400, "bad_body"),
        (list, json!({ "list": { "type": "all" }, "limit": 1001 }).to_string(), 400, "bad_request"),
        (list, json!({ "list": { "type": "all" }, "cursor": "?" }).to_string(), 400, "bad_request"),
        (commands, json!({ "viewer": {}, "command": { "type": "like_playlist", "playlist_id": 201 } }).to_string(), 401, "sign_in_required"),
        (commands, json!({ "viewer": { "token": "tok-fan" }, "command": { "type": "drop" } }).to_string(), 400, "bad_body"),
        (commands, json!({ "viewer": { "token": "tok-fan" }, "command": { "type": "like_playlist", "playlist_id": 999_999 } }).to_string(), 404, "not_found"),
        (commands, json!({ "viewer": { "token": "tok-fan" }, "command": { "type": "delete_playlist", "playlist_id": 201 } }).to_string(), 403, "forbidden"),
        (commands, json!({ "viewer": { "token": "tok-fan" }, "command": { "type": "create_playlist", "fields": { "title": "" } } }).to_string(), 422, "invalid"),
        (commands, json!({ "viewer": { "token": "tok-ada" }, "command": { "type": "update_playlist", "playlist_id": 201, "fields": {}, "if_revision": 9 } }).to_string(), 409, "stale_revision"),
        ("/internal/v1/nothing", "{}".to_owned(), 404, "unknown_path"),
        ("/playlist_authorization/v1/nothing", "{}".to_owned(), 404, "unknown_path"),
        ("/playlist_authorization/v1/check", "{\"viewer\":1}".to_owned(), 400, "bad_body"),
    ];
    for (path, body, status, code) in cases {
        let request = monolith.service(Method::POST, path).body(body.clone());
        let answer = request.send(monolith.address).await;
        let shown = body.chars().take(100).collect::<String>();
        assert_eq!(
            (answer.status.as_u16(), &answer.json()["error"]["code"]),
            (status, &json!(code)),
            "{path} {shown}"
        );
    }
    let wrong_method = monolith.service(Method::DELETE, commands).send(monolith.address).await;
    assert_eq!(wrong_method.status, StatusCode::METHOD_NOT_ALLOWED);
    let query = monolith.service(Method::GET, "/internal/v1/events?after=x").send(monolith.address).await;
    assert_eq!(query.status, StatusCode::BAD_REQUEST);
    let last_id = monolith.service(Method::GET, "/internal/v1/events/stream").header("last-event-id", "x");
    assert_eq!(last_id.send(monolith.address).await.status, StatusCode::BAD_REQUEST);
    let events = monolith.service(Method::GET, "/internal/v1/events").send(monolith.address).await;
    assert_eq!(events.json()["events"], json!([]), "nothing was written");
}

#[tokio::test]
async fn one_call_brings_a_page_with_everything_on_it() {
    let monolith = Monolith::start().await;
    let call = json!({
        "list": { "type": "of_user", "user_id": 1 },
        "viewer": { "token": "tok-fan", "territory": "US" },
        "limit": 4,
        "count": true,
        "records": true,
        "include": ["track_ids", "tracks", "users", "relations"],
        "first_tracks": 5,
    });
    let page = monolith.internal("/internal/v1/playlists/list", &call).await.json();
    let ids = |list: &Value| -> Vec<i64> {
        list.as_array().unwrap().iter().map(|record| record["id"].as_i64().unwrap()).collect()
    };
    assert_eq!(ids(&page["ids"]), [218, 205, 203, 201]);
    assert_eq!(ids(&page["playlists"]), [218, 205, 203, 201]);
    assert_eq!((&page["total"], &page["next_cursor"]), (&json!(4), &Value::Null));
    assert_eq!(page["playlists"][0]["track_ids"].as_array().unwrap().len(), 50);
    assert_eq!(page["playlists"][1]["track_ids"], json!([]));
    let tracks = ids(&page["tracks"]);
    // Five of 218, those of 203, and those of 201 that are not among them already.
    assert_eq!(tracks, [1001, 1002, 1003, 1004, 1005, 101, 104, 105, 110, 102, 103]);
    let users = ids(&page["users"]);
    for track in page["tracks"].as_array().unwrap() {
        assert!(users.contains(&track["user_id"].as_i64().unwrap()));
        assert!(page["relations"]["tracks"].get(track["id"].to_string()).is_some());
    }
    assert!(users.contains(&10), "the label of the album");
    assert_eq!(page["relations"]["playlists"]["203"], json!({ "liked": true, "reposted": true }));
    assert_eq!(page["relations"]["users"]["1"]["follows"], true);
    assert_eq!(page["now"], "2026-01-01T00:00:00Z");
}

#[tokio::test]
async fn things_are_found_by_permalink_and_secret() {
    let monolith = Monolith::start().await;
    for (lookup, found) in [
        (json!({ "user": { "permalink": "ada" } }), json!({ "kind": "user", "id": 1 })),
        (
            json!({ "track": { "user": "ada", "permalink": "public-101" } }),
            json!({ "kind": "track", "id": 101 }),
        ),
        (
            json!({ "playlist": { "user": "ada", "permalink": "everything-201" } }),
            json!({ "kind": "playlist", "id": 201 }),
        ),
        (json!({ "playlist": { "user": "fan", "permalink": "everything-201" } }), Value::Null),
        (json!({ "track_secret": { "token": "s-track102" } }), json!({ "kind": "track", "id": 102 })),
        (
            json!({ "playlist_secret": { "token": "s-playlist202" } }),
            json!({ "kind": "playlist", "id": 202 }),
        ),
        (json!({ "playlist_secret": { "token": "s-track102" } }), Value::Null),
    ] {
        let answer = monolith.internal("/internal/v1/lookup", &lookup).await.json();
        assert_eq!(answer["found"], found, "{lookup}");
    }
}

#[tokio::test]
async fn every_other_list_and_read_answers() {
    let monolith = Monolith::start().await;
    let call = |path: &'static str, body: Value| {
        let monolith = &monolith;
        async move {
            let answer = monolith.internal(path, &body).await;
            assert_eq!(answer.status, StatusCode::OK, "{path} {body}: {:?}", answer.body);
            answer.json()
        }
    };
    let likers = call(
        "/internal/v1/users/list",
        json!({ "list": { "type": "likers_of_playlist", "playlist_id": 201 }, "viewer": { "user_id": 10 } }),
    );
    assert_eq!(ids_of(&likers.await), [7, 3, 2], "the suspended liker is not listed");
    let everyone = call(
        "/internal/v1/users/list",
        json!({ "list": { "type": "likers_of_playlist", "playlist_id": 201 }, "audience": "everything" }),
    );
    assert_eq!(ids_of(&everyone.await), [7, 6, 3, 2]);
    let liked = call(
        "/internal/v1/tracks/list",
        json!({ "list": { "type": "liked_by", "user_id": 2 }, "audience": "streamable", "viewer": { "territory": "DE" } }),
    );
    let liked = ids_of(&liked.await);
    assert!(liked.contains(&105) && !liked.contains(&104) && !liked.contains(&102), "{liked:?}");
    let filtered = call(
        "/internal/v1/tracks/list",
        json!({ "list": { "type": "all", "filter": { "genres": ["cast"], "bpm": { "from": 100 }, "tags": ["two words"] } } }),
    );
    assert_eq!(ids_of(&filtered.await), [101]);
    let comments = call(
        "/internal/v1/comments/list",
        json!({ "list": { "type": "of_track", "track_id": 101 }, "viewer": { "user_id": 1 }, "include": ["users"], "count": true }),
    )
    .await;
    assert_eq!(
        comments["comments"]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| c["id"].as_i64().unwrap())
            .collect::<Vec<_>>(),
        [2, 1]
    );
    assert_eq!((comments["total"].as_i64(), comments["users"].as_array().unwrap().len()), (Some(2), 2));
    let profiles = call("/internal/v1/users/profiles", json!({ "user_id": 1 })).await;
    assert_eq!(profiles["web_profiles"].as_array().unwrap().len(), 2);
    assert_eq!(profiles["connections"][0]["service"], "chirper");
    let feed = call(
        "/internal/v1/feed",
        json!({ "list": { "type": "followings", "user_id": 2 }, "viewer": { "user_id": 2 }, "records": true, "limit": 3 }),
    )
    .await;
    assert_eq!(feed["activities"].as_array().unwrap().len(), 3);
    let relations =
        call("/internal/v1/relations", json!({ "viewer": { "user_id": 4 }, "users": [1, 2] })).await;
    assert_eq!(relations["users"]["1"]["blocked_by"], true);
    assert_eq!(relations["users"]["2"]["blocked_by"], false);
}

#[tokio::test]
async fn a_dry_run_over_http_keeps_nothing_and_says_so() {
    let monolith = Monolith::start().await;
    let command = json!({ "type": "create_playlist", "fields": { "title": "Dry", "description": null, "track_ids": [101] } });
    let mut call = json!({ "viewer": { "token": "tok-fan" }, "command": command, "dry_run": true });
    let dry = monolith.internal("/internal/v1/commands", &call).await.json();
    assert_eq!(dry["dry_run"], true);
    let id = dry["entity"]["playlist"]["id"].clone();
    let read = monolith.internal("/internal/v1/playlists/batch", &json!({ "ids": [id] })).await.json();
    assert_eq!(read["playlists"], json!([]));
    call["dry_run"] = json!(false);
    let wet = monolith.internal("/internal/v1/commands", &call).await.json();
    assert_eq!((&wet["entity"], &wet["events"]), (&dry["entity"], &dry["events"]));
    let read = monolith
        .internal("/internal/v1/playlists/batch", &json!({ "ids": [id], "include": ["track_ids"] }))
        .await
        .json();
    assert_eq!(read["playlists"][0], wet["entity"]["playlist"]);
}

/// The decision table once more, through the authorization engine.
#[tokio::test]
async fn the_authorization_engine_answers_by_the_decision_table() {
    let monolith = Monolith::start().await;
    let members = [
        ("public", 101),
        ("private, of the playlist's owner", 102),
        ("private, of another", 123),
        ("unreleased", 103),
        ("private and unreleased", 108),
        ("blocked in territories", 104),
        ("preview only", 105),
        ("taken down", 107),
        ("of a suspended user", 121),
        ("of a user whom the playlist's owner blocked", 128),
    ];
    let mut asked = 0;
    for case in cases("Tracks in a playlist") {
        let playlist = if case.cell("playlist") == "private" { 202 } else { 201 };
        let viewer = match case.viewer.as_str() {
            "anonymous" => json!({ "territory": "US" }),
            "owner" => json!({ "token": "tok-ada", "territory": "US" }),
            "follower" => json!({ "token": "tok-fan", "territory": "US" }),
            "other" => json!({ "token": "tok-label", "territory": "US" }),
            "link" => {
                json!({ "token": "tok-label", "territory": "US", "secret_token": format!("s-playlist{playlist}") })
            }
            "wrong link" => {
                json!({ "token": "tok-label", "territory": "US", "secret_token": "s-playlist215" })
            }
            "blocked territory" => json!({ "token": "tok-label", "territory": "fr" }),
            "unknown territory" => json!({ "token": "tok-label" }),
            "muter" => json!({ "token": "tok-muter", "territory": "US" }),
            "moderator" => json!({ "token": "tok-mod", "territory": "US" }),
            other => panic!("{other:?}"),
        };
        let call = json!({ "viewer": viewer, "playlist_ids": [playlist] });
        let answer = monolith.internal("/playlist_authorization/v1/check", &call).await.json();
        assert_eq!(answer["playlists"][0]["visible"], true, "row {}", case.row);
        let member = members.iter().find(|(name, _)| *name == case.cell("track")).unwrap().1;
        let tracks = answer["playlists"][0]["tracks"].as_array().unwrap();
        let track = tracks.iter().find(|track| track["id"] == member).unwrap();
        let wanted = case.cell("read");
        let access = if wanted == "hidden" { Value::Null } else { json!(wanted) };
        assert_eq!(track["access"], access, "row {} for {}", case.row, case.viewer);
        asked += 1;
    }
    assert!(asked > 100);
    let hidden =
        json!({ "viewer": { "token": "tok-label" }, "playlist_ids": [202, 999_999], "track_ids": [102] });
    let hidden = monolith.internal("/playlist_authorization/v1/check", &hidden).await.json();
    assert_eq!(hidden["playlists"][0]["tracks"], json!([]), "not even how many there are");
    assert_eq!(hidden["playlists"][1]["reason"], "unknown");
    assert_eq!(
        hidden["tracks"][0],
        json!({ "id": 102, "visible": false, "access": null, "reason": "private", "listed": false })
    );
}

fn ids_of(answer: &Value) -> Vec<i64> {
    answer["ids"].as_array().unwrap().iter().map(|item| item["id"].as_i64().unwrap()).collect()
}
