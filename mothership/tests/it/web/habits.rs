//! One test per row of docs/mothership-habits.md, and what a page costs.

use http::Method;
use mothership::{
    domain::{PlaylistId, UserId, Viewer},
    seed::cast,
    web::{Caller, playlist_page},
};
use serde_json::{Value, json};

use super::{get, ids, send, signed};
use crate::support::{Database, Monolith, now};

#[tokio::test]
async fn keys_are_always_there_and_null_where_there_is_nothing() {
    let monolith = Monolith::start().await;
    let full = get(&monolith, "tok-fan", "/playlists/203").await.json();
    let blank = get(&monolith, "", "/playlists/210").await.json();
    for key in ["genre", "labelName", "purchase_url", "releaseDate", "viewer"] {
        assert!(!full[key].is_null(), "{key} is null: {full}");
        assert_eq!(blank.get(key), Some(&Value::Null), "{key}: {blank}");
    }
    assert_eq!(blank.get("description"), Some(&Value::Null), "an empty text is null");
}

#[tokio::test]
async fn durations_are_whole_milliseconds_and_times_come_in_three_forms() {
    let monolith = Monolith::start().await;
    let playlist = get(&monolith, "", "/playlists/203").await.json();
    let (duration, modified): (i64, i64) = {
        let sql = "SELECT duration_ms, last_modified FROM playlists WHERE id = 203";
        monolith.database.connection().query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
    };
    assert_eq!(playlist["durationMs"], json!(duration));
    assert_eq!(playlist["last_modified"], json!(modified / 1000));
    assert_eq!(playlist["createdAt"], "Fri, 09 Jan 2015 23:00:00 GMT");
    assert_eq!(playlist["releaseDate"], "29.02.2020");
}

#[tokio::test]
async fn pages_count_from_1_and_bad_numbers_are_ignored() {
    let monolith = Monolith::start().await;
    let page = async |query: &str| get(&monolith, "", &format!("/playlists/206/tracks{query}")).await.json();
    let first = page("").await;
    assert_eq!((&first["page"], &first["perPage"]), (&json!(1), &json!(10)));
    for same in ["?page=0", "?page=-1", "?page=x&per_page=", "?per_page=0", "?page=1", "?page=9&page=1"] {
        assert_eq!(ids(&page(same).await), ids(&first), "{same}");
    }
    assert_eq!(page("?per_page=51").await["perPage"], 50);
    let second = page("?page=2&per_page=5").await;
    assert_eq!(ids(&second), ids(&first)[5..10]);
    assert_eq!(ids(&page("?page=99999999999").await), Vec::<i64>::new());
}

#[tokio::test]
async fn next_href_is_a_path_that_keeps_the_query_and_ends_with_null() {
    let monolith = Monolith::start().await;
    for path in ["/playlists/206/tracks?per_page=50", "/charts/playlists?limit=50&x=%26"] {
        let (mut href, mut seen) = (path.to_owned(), Vec::new());
        loop {
            let page = get(&monolith, "tok-other", &href).await.json();
            seen.extend(ids(&page));
            let Some(next) = page["next_href"].as_str() else {
                assert!(page["next_href"].is_null());
                break;
            };
            assert_eq!(next.contains("x=%26"), path.contains("x=%26"), "{next}");
            href = next.strip_prefix("/web").unwrap().to_owned();
        }
        let count = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), count, "{path} repeats itself");
        assert!(count > 50, "{path} has one page only");
    }
}

#[tokio::test]
async fn pages_are_cut_before_they_are_filtered() {
    let monolith = Monolith::start().await;
    // Of the first five tracks of the playlist, strangers may see three.
    let page = get(&monolith, "", "/playlists/201/tracks?per_page=5").await.json();
    assert_eq!(ids(&page), [101, 104, 105]);
    assert!(page["next_href"].is_string());
}

#[tokio::test]
async fn likes_and_reposts_are_things_with_a_playlist_in_them() {
    let monolith = Monolith::start().await;
    let likes = get(&monolith, "", "/users/2/playlist_likes").await.json();
    let first = &likes["collection"][0];
    assert_eq!(first["kind"], "like");
    assert!(first["created_at"].is_i64() && first["playlist"]["id"].is_i64(), "{first}");
    let reposts = get(&monolith, "", "/users/2/playlist_reposts").await.json();
    assert_eq!(reposts["collection"][0]["kind"], "repost");
}

#[tokio::test]
async fn whoever_comes_with_a_bad_token_is_nobody() {
    let monolith = Monolith::start().await;
    let nobody = get(&monolith, "", "/playlists/201").await.json();
    for token in ["nobodys", "tok-expired"] {
        assert_eq!(get(&monolith, token, "/playlists/201").await.json(), nobody, "{token}");
        // The expired token was Other's, whose private playlist this is.
        assert_eq!(get(&monolith, token, "/playlists/215").await.status.as_u16(), 404, "{token}");
        assert_eq!(get(&monolith, token, "/me").await.status.as_u16(), 401, "{token}");
    }
}

#[tokio::test]
async fn post_stands_for_the_method_that_the_body_names() {
    let monolith = Monolith::start().await;
    let form = |body: &str| {
        let request = signed(Method::POST, "tok-ada", "/playlists/205").body(body);
        request.header("content-type", "application/x-www-form-urlencoded").send(monolith.address)
    };
    assert_eq!(form("title=Posted").await.json()["playlist"]["title"], "Posted");
    assert_eq!(form("_method=put&playlist[title]=Put").await.json()["playlist"]["title"], "Put");
    assert_eq!(form("_method=delete").await.json(), json!({ "success": true }));
    assert_eq!(get(&monolith, "tok-ada", "/playlists/205").await.status.as_u16(), 404);
}

#[tokio::test]
async fn what_may_not_be_changed_is_404_as_if_it_were_not_there() {
    let monolith = Monolith::start().await;
    let body = json!({ "title": "Mine" });
    let mut answers = Vec::new();
    for playlist in [201, 202, 999_999] {
        let path = format!("/playlists/{playlist}");
        let answer = send(&monolith, Method::PUT, "tok-label", &path, &body).await;
        assert_eq!(answer.status.as_u16(), 404, "{path}");
        answers.push(answer.json());
    }
    assert_eq!(answers[0], json!({ "success": false, "errors": { "base": ["not found"] } }));
    assert!(answers.iter().all(|answer| *answer == answers[0]));
}

#[tokio::test]
async fn wrong_fields_are_a_400_with_the_problems_by_field() {
    let monolith = Monolith::start().await;
    let body = json!({ "title": "", "genre": "g".repeat(256) });
    let answer = send(&monolith, Method::POST, "tok-ada", "/playlists", &body).await;
    assert_eq!(answer.status.as_u16(), 400);
    let errors = answer.json()["errors"].clone();
    assert!(errors["title"][0].is_string() && errors["genre"][0].is_string(), "{errors}");
}

#[tokio::test]
async fn names_come_in_camel_and_snake_case_and_yes_has_many_spellings() {
    let monolith = Monolith::start().await;
    for (body, sharing) in [
        (
            json!({ "playlist": { "title": "A", "tag_list": "x", "set_type": "ep", "is_public": "on" } }),
            "public",
        ),
        (json!({ "title": "A", "tagList": "x", "setType": "EP", "public": 1 }), "public"),
        (json!({ "title": "A", "tagList": "x", "setType": "ep", "public": "nope", "who": 1 }), "private"),
    ] {
        let made = send(&monolith, Method::POST, "tok-ada", "/playlists", &body).await;
        assert_eq!(made.status.as_u16(), 200, "{body}");
        let made = made.json()["playlist"].clone();
        assert_eq!((&made["tagList"], &made["setType"]), (&json!("x"), &json!("ep")), "{body}");
        assert_eq!(made["sharing"], sharing, "{body}");
    }
}

#[tokio::test]
async fn a_second_like_changes_nothing_and_says_so() {
    let monolith = Monolith::start().await;
    for (action, changed) in [("like", true), ("like", false), ("unlike", true), ("unlike", false)] {
        let request = signed(Method::POST, "tok-label", &format!("/playlists/211/{action}"));
        let answer = request.send(monolith.address).await.json();
        assert_eq!(answer, json!({ "success": true, "changed": changed }), "{action}");
    }
}

#[tokio::test]
async fn a_playlist_is_made_ordered_and_deleted() {
    let monolith = Monolith::start().await;
    let ada = "tok-ada";
    let body =
        json!({ "title": "Road", "public": false, "releaseDate": "2020-05-01", "trackIds": "101, 110" });
    let made = send(&monolith, Method::POST, ada, "/playlists", &body).await.json()["playlist"].clone();
    assert_eq!(ids(&made["tracks"]), [101, 110]);
    let path = format!("/playlists/{}", made["id"]);
    for (action, tracks, wanted) in [
        ("add", json!([105, "101"]), vec![101, 110, 105]),
        ("order", json!([{ "id": 105 }]), vec![105, 101, 110]),
        ("remove", json!([101]), vec![105, 110]),
    ] {
        let path = format!("{path}/tracks/{action}");
        let answer = send(&monolith, Method::POST, ada, &path, &json!({ "trackIds": tracks })).await.json();
        assert_eq!(ids(&answer["playlist"]["tracks"]), wanted, "{action}");
    }
    let link = format!("/secret_sets/{}", made["secretToken"].as_str().unwrap());
    assert_eq!(get(&monolith, "", &link).await.status.as_u16(), 200);
    let rotated = signed(Method::POST, ada, &format!("{path}/secret")).send(monolith.address).await;
    assert_eq!(rotated.status.as_u16(), 200);
    assert_eq!(get(&monolith, "", &link).await.status.as_u16(), 404);
    assert_eq!(signed(Method::DELETE, ada, &path).send(monolith.address).await.status.as_u16(), 200);
    assert_eq!(get(&monolith, ada, &path).await.status.as_u16(), 404);
}

#[tokio::test]
async fn a_playlist_costs_the_same_queries_whatever_its_length() {
    let store = Database::fresh().store();
    let queries = |id: PlaylistId| {
        let viewer = Viewer::user(UserId::new(2), now());
        let caller = Caller { viewer, query: Vec::new(), path: "/web".to_owned() };
        store.read(move |reader| {
            playlist_page(reader, &caller, id).unwrap();
            Ok(reader.queries())
        })
    };
    let short = queries(cast::ALBUM).await.unwrap();
    assert_eq!(queries(PlaylistId::new(206)).await.unwrap(), short);
    assert_eq!(queries(PlaylistId::new(218)).await.unwrap(), short);
}
