//! One test per row of docs/mothership-habits.md, and what a page costs.

use http::Method;
use mothership::{
    domain::{PlaylistId, UserId, Viewer},
    mobile::{Caller, playlist_page},
    seed::cast,
};
use serde_json::{Value, json};

use super::{get, send, signed, urns};
use crate::support::{Database, Monolith, now};

#[tokio::test]
async fn things_are_named_by_urns_and_bare_numbers_are_taken() {
    let monolith = Monolith::start().await;
    let by_urn = get(&monolith, "", "/playlists/mothership:playlists:201").await.json();
    assert_eq!(by_urn["urn"], "mothership:playlists:201");
    assert_eq!(get(&monolith, "", "/playlists/201").await.json(), by_urn);
    for other in ["mothership:tracks:201", "201-summer", "201.json", "soundcloud:playlists:201"] {
        assert_eq!(get(&monolith, "", &format!("/playlists/{other}")).await.status.as_u16(), 404, "{other}");
    }
}

#[tokio::test]
async fn keys_without_a_value_are_missing() {
    let monolith = Monolith::start().await;
    let full = get(&monolith, "tok-fan", "/playlists/203").await.json();
    let blank = get(&monolith, "tok-fan", "/playlists/210").await.json();
    for key in ["genre", "label_name", "purchase_url", "release_date", "user_like", "is_album"] {
        assert!(full.get(key).is_some(), "{key} is missing: {full}");
        assert!(blank.get(key).is_none(), "{key} is there: {blank}");
    }
}

#[tokio::test]
async fn durations_are_decimal_seconds_and_times_iso_without_fractions() {
    let monolith = Monolith::start().await;
    let counts = get(&monolith, "", "/playlists/205/counts").await;
    let text = String::from_utf8(counts.body.to_vec()).unwrap();
    assert!(text.contains("\"duration\":0.0"), "{text}");
    let playlist = get(&monolith, "", "/playlists/203").await.json();
    let exact: i64 = {
        let sql = "SELECT duration_ms FROM playlists WHERE id = 203";
        monolith.database.connection().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    assert!((playlist["duration"].as_f64().unwrap() * 1000.0 - exact as f64).abs() < 0.001);
    let time = playlist["created_at"].as_str().unwrap();
    assert_eq!((time.len(), &time[10..11], &time[19..]), (20, "T", "Z"), "{time}");
    assert_eq!(playlist["release_date"], "2020-02-29");
}

#[tokio::test]
async fn limits_are_clamped_and_bad_ones_refused() {
    let monolith = Monolith::start().await;
    let length = async |query: &str| {
        let page = get(&monolith, "", &format!("/playlists/206/tracks{query}")).await.json();
        urns(&page).len()
    };
    assert_eq!(length("").await, 30);
    assert_eq!(length("?limit=100").await, 100);
    assert_eq!(length("?limit=1000").await, 100);
    assert_eq!(length("?limit=2&limit=9").await, 2, "the first one counts");
    for bad in ["limit=0", "limit=-1", "limit=x", "limit=", "cursor=x", "cursor=", "cursor=3a"] {
        let answer = get(&monolith, "", &format!("/playlists/206/tracks?{bad}")).await;
        assert_eq!(answer.status.as_u16(), 400, "{bad}");
        assert_eq!(answer.json()["error_key"], "bad_parameter");
    }
}

#[tokio::test]
async fn opaque_cursors_lead_through_a_list_and_end_without_next() {
    let monolith = Monolith::start().await;
    for (path, limit) in [("/playlists/206/tracks", 100), ("/playlists", 100), ("/playlists/201/likers", 1)] {
        let mut seen: Vec<String> = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = get(&monolith, "", &format!("{path}?limit={limit}{cursor}")).await.json();
            seen.extend(urns(&page).into_iter().map(str::to_owned));
            let Some(next) = page.get("next") else { break };
            assert_eq!(urns(&page).len(), limit, "only the last page may be short");
            cursor = format!("&cursor={}", next.as_str().unwrap());
        }
        let mut once = seen.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), seen.len(), "{path} repeats itself");
        assert!(seen.len() > limit, "{path} has one page only");
    }
}

#[tokio::test]
async fn only_json_is_taken_and_unknown_fields_are_refused() {
    let monolith = Monolith::start().await;
    let form = signed(Method::POST, "tok-ada", "/playlists")
        .header("content-type", "application/x-www-form-urlencoded")
        .body("title=Summer");
    let answer = form.send(monolith.address).await;
    assert_eq!((answer.status.as_u16(), &answer.json()["error_key"]), (415, &json!("json_only")));
    let unknown = json!({ "title": "Summer", "sharing": "public" });
    let answer = send(&monolith, Method::POST, "tok-ada", "/playlists", &unknown).await;
    assert_eq!(answer.status.as_u16(), 400);
}

#[tokio::test]
async fn likes_are_put_and_deleted_any_number_of_times() {
    let monolith = Monolith::start().await;
    let likes = async || get(&monolith, "tok-label", "/playlists/211").await.json()["likes_count"].clone();
    let before = likes().await.as_i64().unwrap();
    for (method, count) in [(Method::PUT, before + 1), (Method::DELETE, before)] {
        for _ in 0..2 {
            let request = signed(method.clone(), "tok-label", "/likes/playlists/mothership:playlists:211");
            let answer = request.send(monolith.address).await;
            assert_eq!((answer.status.as_u16(), answer.body.len()), (204, 0));
            assert_eq!(likes().await, json!(count), "{method}");
        }
    }
}

#[tokio::test]
async fn what_may_be_seen_and_not_changed_is_403_and_what_is_hidden_404() {
    let monolith = Monolith::start().await;
    let body = json!({ "title": "Mine" });
    for (playlist, status, key) in
        [(201, 403, "forbidden"), (202, 404, "not_found"), (999_999, 404, "not_found")]
    {
        let path = format!("/playlists/{playlist}");
        let answer = send(&monolith, Method::PUT, "tok-label", &path, &body).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["error_key"]), (status, &json!(key)), "{path}");
    }
}

#[tokio::test]
async fn an_update_of_an_old_revision_is_a_conflict() {
    let monolith = Monolith::start().await;
    let revision = get(&monolith, "tok-ada", "/playlists/205").await.json()["revision"].clone();
    let body = json!({ "title": "First", "revision": revision });
    let first = send(&monolith, Method::PUT, "tok-ada", "/playlists/205", &body).await;
    assert_eq!((first.status.as_u16(), &first.json()["title"]), (200, &json!("First")));
    let second = send(&monolith, Method::PUT, "tok-ada", "/playlists/205", &body).await;
    assert_eq!((second.status.as_u16(), &second.json()["error_key"]), (409, &json!("stale")));
}

#[tokio::test]
async fn wrong_fields_are_all_named_in_one_422() {
    let monolith = Monolith::start().await;
    let body = json!({ "title": "", "genre": "g".repeat(256) });
    let answer = send(&monolith, Method::POST, "tok-ada", "/playlists", &body).await;
    assert_eq!(answer.status.as_u16(), 422);
    let answer = answer.json();
    let names: Vec<&Value> = answer["fields"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
    assert_eq!(names, ["title", "genre"]);
}

#[tokio::test]
async fn a_playlist_is_made_changed_ordered_and_deleted() {
    let monolith = Monolith::start().await;
    let ada = "tok-ada";
    let body = json!({ "title": "Road", "is_public": false, "tags": ["a", "b c"], "set_type": "album",
        "release_date": "2020-05-01", "track_urns": ["mothership:tracks:101", "110"] });
    let made = send(&monolith, Method::POST, ada, "/playlists", &body).await;
    assert_eq!(made.status.as_u16(), 201);
    let made = made.json();
    assert_eq!(
        (&made["tags"], &made["is_album"], &made["is_public"]),
        (&json!(["a", "b c"]), &json!(true), &json!(false))
    );
    assert_eq!(made["track_urns"], json!(["mothership:tracks:101", "mothership:tracks:110"]));
    let path = format!("/playlists/{}", made["urn"].as_str().unwrap());
    let add = json!({ "track_urns": ["105"], "position": 0 });
    let added = send(&monolith, Method::POST, ada, &format!("{path}/tracks"), &add).await.json();
    assert_eq!(added["track_urns"][0], "mothership:tracks:105");
    let order = json!({ "track_urns": ["110"] });
    let ordered = send(&monolith, Method::POST, ada, &format!("{path}/tracks/reorder"), &order).await.json();
    assert_eq!(ordered["track_urns"][0], "mothership:tracks:110");
    let link = format!("/playlist_links/{}", made["secret_token"].as_str().unwrap());
    assert_eq!(get(&monolith, "", &link).await.status.as_u16(), 200);
    let rotated =
        signed(Method::POST, ada, &format!("{path}/share_link")).send(monolith.address).await.json();
    assert_ne!(rotated["secret_token"], made["secret_token"]);
    assert_eq!(get(&monolith, "", &link).await.status.as_u16(), 404);
    let removed = signed(Method::DELETE, ada, &format!("{path}/tracks/110")).send(monolith.address).await;
    assert_eq!(removed.status.as_u16(), 204);
    let replaced = send(&monolith, Method::PUT, ada, &format!("{path}/tracks"), &order).await.json();
    assert_eq!(replaced["track_urns"], json!(["mothership:tracks:110"]));
    assert_eq!(signed(Method::DELETE, ada, &path).send(monolith.address).await.status.as_u16(), 204);
    assert_eq!(get(&monolith, ada, &path).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_playlist_costs_the_same_queries_whatever_its_length() {
    let store = Database::fresh().store();
    let queries = |id: PlaylistId| {
        let caller = Caller { viewer: Viewer::user(UserId::new(2), now()), query: Vec::new() };
        store.read(move |reader| {
            playlist_page(reader, &caller, id).unwrap();
            Ok(reader.queries())
        })
    };
    let short = queries(cast::ALBUM).await.unwrap();
    assert_eq!(queries(PlaylistId::new(206)).await.unwrap(), short);
    assert_eq!(queries(PlaylistId::new(218)).await.unwrap(), short);
}
