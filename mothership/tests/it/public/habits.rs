//! What clients have come to depend on: one test per row of docs/mothership-habits.md that names this dialect.

use http::Method;
use serde_json::{Value, json};

use crate::{
    public::{get, ids, send, signed},
    support::Monolith,
};

#[tokio::test]
async fn ids_may_carry_a_slug_and_paths_a_suffix() {
    let monolith = Monolith::start().await;
    let plain = get(&monolith, "", "/playlists/201").await.json();
    for path in ["/playlists/201-summer", "/playlists/201.json", "/playlists/201-summer-of-69.json"] {
        assert_eq!(get(&monolith, "", path).await.json(), plain, "{path}");
    }
    for (with, without) in [
        ("/playlists.json?limit=2", "/playlists?limit=2"),
        ("/playlists/201/tracks.json", "/playlists/201/tracks"),
        ("/users/1/likes/playlists.json", "/users/1/likes/playlists"),
    ] {
        assert_eq!(get(&monolith, "", with).await.json(), get(&monolith, "", without).await.json());
    }
    for path in ["/playlists/summer-201", "/playlists/201summer", "/playlists/0", "/playlists/%ff"] {
        assert_eq!(get(&monolith, "", path).await.status.as_u16(), 404, "{path}");
    }
}

#[tokio::test]
async fn bodies_are_json_a_form_or_multipart() {
    let monolith = Monolith::start().await;
    let as_json = json!({ "playlist": { "title": "One & two", "sharing": "private", "tracks": [{ "id": 101 }, { "id": "122" }] } });
    let form = "playlist[title]=One+%26+two&playlist[sharing]=private&playlist[tracks][][id]=101&playlist[tracks][][id]=122";
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    let multipart = part("playlist[title]", "One & two")
        + &part("playlist[sharing]", "private")
        + &part("playlist[tracks][0][id]", "101")
        + &part("playlist[tracks][1][id]", "122")
        + "--x--\r\n";
    for (media_type, body) in [
        ("application/json", as_json.to_string()),
        ("application/x-www-form-urlencoded", form.to_owned()),
        ("multipart/form-data; boundary=x", multipart),
    ] {
        let request = signed(Method::POST, "tok-ada", "/playlists").header("content-type", media_type);
        let answer = request.body(body).send(monolith.address).await;
        assert_eq!(answer.status.as_u16(), 201, "{media_type}");
        let made = answer.json();
        assert_eq!((&made["title"], &made["sharing"]), (&json!("One & two"), &json!("private")));
        assert_eq!(ids(&made["tracks"]), [101, 122], "{media_type}");
    }
    let xml = signed(Method::POST, "tok-ada", "/playlists").header("content-type", "text/xml").body("<a/>");
    assert_eq!(xml.send(monolith.address).await.status.as_u16(), 415);
}

#[tokio::test]
async fn yes_has_many_spellings() {
    let monolith = Monolith::start().await;
    for yes in ["1", "true", "TRUE", "yes", "on", "t"] {
        let answer =
            get(&monolith, "", &format!("/playlists?limit=1&linked_partitioning={yes}")).await.json();
        assert!(answer["collection"].is_array(), "{yes}");
    }
    for no in ["0", "false", "", "maybe"] {
        let answer = get(&monolith, "", &format!("/playlists?limit=1&linked_partitioning={no}")).await.json();
        assert!(answer.is_array(), "{no}");
    }
    let body = json!({ "track": { "commentable": "off", "downloadable": "1" } });
    let track = send(&monolith, Method::PUT, "tok-ada", "/tracks/101", &body).await.json();
    assert_eq!((&track["commentable"], &track["downloadable"]), (&json!(false), &json!(true)));
}

#[tokio::test]
async fn limits_are_clamped_and_bad_ones_ignored() {
    let monolith = Monolith::start().await;
    for (query, items) in [
        ("", 50),
        ("?limit=3", 3),
        ("?limit=0", 50),
        ("?limit=-1", 50),
        ("?limit=ten", 50),
        ("?limit=201", 200),
        ("?limit=99999999999999999999", 200),
    ] {
        let answer = get(&monolith, "", &format!("/playlists{query}")).await;
        assert_eq!(ids(&answer.json()).len(), items, "{query}");
    }
    let first = get(&monolith, "", "/playlists?limit=2").await.json();
    for query in ["offset=-5", "offset=x", "cursor=nonsense", "access=nonsense", "order=nonsense"] {
        let answer = get(&monolith, "", &format!("/playlists?limit=2&{query}")).await;
        assert_eq!(answer.json(), first, "{query}");
    }
}

#[tokio::test]
async fn times_are_written_as_ever() {
    let monolith = Monolith::start().await;
    let album = get(&monolith, "", "/playlists/203").await.json();
    let created = album["created_at"].as_str().unwrap();
    let shape: String = created.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    assert_eq!(shape, "0000/00/00 00:00:00 +0000");
    assert_eq!([&album["release_year"], &album["release_month"], &album["release_day"]], [2020, 2, 29]);
    // What was released at some time of a day still says the day only, and durations are whole milliseconds.
    assert!(album["duration"].is_i64());
    assert!(album["tracks"][0]["duration"].is_i64());
}

#[tokio::test]
async fn what_is_missing_is_null_or_empty_or_no_key_each_in_its_place() {
    let monolith = Monolith::start().await;
    let playlist = get(&monolith, "", "/playlists/210").await.json();
    assert_eq!([&playlist["genre"], &playlist["artwork_url"], &playlist["playlist_type"]], ["", "", ""]);
    assert_eq!([&playlist["ean"], &playlist["label"], &playlist["release_year"]], [&Value::Null; 3]);
    assert!(playlist.as_object().unwrap().contains_key("ean"));
    let track = &playlist["tracks"][0];
    assert_eq!([&track["artwork_url"], &track["bpm"]], [&Value::Null; 2]);
    let keys = track.as_object().unwrap();
    assert!(!keys.contains_key("stream_url"), "the track is not streamable");
    assert!(!keys.contains_key("user_favorite"), "nobody is signed in");
    assert!(get(&monolith, "tok-fan", "/tracks/101").await.json()["user_favorite"].as_bool().unwrap());
    let blank = get(&monolith, "", "/users/9").await.json();
    assert_eq!((&blank["first_name"], blank.get("quota")), (&json!(""), None));
    // The end of a list: no key, but null in comments.
    let playlists = get(&monolith, "", "/users/9/playlists?linked_partitioning=1").await.json();
    assert_eq!(playlists.get("next_href"), None);
    let comments = get(&monolith, "", "/tracks/101/comments?linked_partitioning=1").await.json();
    assert_eq!(comments.get("next_href"), Some(&Value::Null));
}

#[tokio::test]
async fn unchanged_answers_are_not_sent_again() {
    let monolith = Monolith::start().await;
    let first = get(&monolith, "tok-fan", "/playlists/201").await;
    let tag = first.headers["etag"].to_str().unwrap().to_owned();
    assert!(tag.starts_with("W/\""), "{tag}");
    let again = |known: String| {
        let request = signed(Method::GET, "tok-fan", "/playlists/201").header("if-none-match", &known);
        request.send(monolith.address)
    };
    for known in
        [tag.clone(), tag.trim_start_matches("W/").to_owned(), format!("\"other\", {tag}"), "*".to_owned()]
    {
        let answer = again(known.clone()).await;
        assert_eq!(answer.status.as_u16(), 304, "{known}");
        assert!(answer.body.is_empty());
        assert_eq!(answer.headers["etag"], tag.as_str());
    }
    assert_eq!(again("\"other\"".to_owned()).await.status.as_u16(), 200);
    send(&monolith, Method::PUT, "tok-ada", "/playlists/201", &json!({ "playlist": { "genre": "Dub" } }))
        .await;
    assert_eq!(again(tag).await.status.as_u16(), 200);
}

#[tokio::test]
async fn addresses_of_the_site_resolve_by_a_redirect() {
    let monolith = Monolith::start().await;
    let resolve = async |token: &str, url: &str| {
        get(&monolith, token, &format!("/resolve?url=https://mothership.example{url}")).await
    };
    let set = get(&monolith, "tok-ada", "/playlists/202").await.json();
    let address =
        set["permalink_url"].as_str().unwrap().trim_start_matches("https://mothership.example").to_owned();
    for (token, url, to) in [
        ("", "/ada".to_owned(), "/users/1"),
        ("", "/ada/sets/everything-201".to_owned(), "/playlists/201"),
        ("tok-ada", address.clone(), "/playlists/202"),
        ("", format!("{address}/s-playlist202"), "/playlists/202?secret_token=s-playlist202"),
    ] {
        let answer = resolve(token, &url).await;
        assert_eq!(answer.status.as_u16(), 302, "{url}");
        assert_eq!(answer.headers["location"], format!("http://test{to}"), "{url}");
        assert_eq!(answer.json()["location"], format!("http://test{to}"));
    }
    for (token, url) in [
        ("", &address),
        ("tok-other", &address),
        ("", &"/nobody".to_owned()),
        ("", &format!("{address}/s-playlist215")),
    ] {
        assert_eq!(resolve(token, url).await.status.as_u16(), 404, "{url}");
    }
}

#[tokio::test]
async fn what_must_not_be_known_is_answered_like_what_does_not_exist() {
    let monolith = Monolith::start().await;
    let unknown = get(&monolith, "tok-other", "/playlists/999999").await;
    assert_eq!(unknown.status.as_u16(), 404);
    for hidden in [
        "/playlists/202",
        "/playlists/204",
        "/playlists/207",
        "/playlists/216",
        "/playlists/202/tracks",
        "/playlists/202/likers",
        "/playlists/202/counts",
        "/tracks/102",
        "/users/6",
    ] {
        let answer = get(&monolith, "tok-other", hidden).await;
        assert_eq!((answer.status, &answer.body), (unknown.status, &unknown.body), "{hidden}");
    }
    // Writes to what may be seen, but not changed, say the same.
    for (method, path) in [
        (Method::PUT, "/playlists/201"),
        (Method::DELETE, "/playlists/201"),
        (Method::DELETE, "/playlists/202"),
        (Method::DELETE, "/likes/playlists/202"),
        (Method::POST, "/likes/playlists/202"),
        (Method::DELETE, "/likes/playlists/201"),
    ] {
        let token = if path == "/likes/playlists/201" { "tok-label" } else { "tok-other" };
        let answer = send(&monolith, method, token, path, &json!({ "playlist": { "title": "Mine" } })).await;
        assert_eq!((answer.status, &answer.body), (unknown.status, &unknown.body), "{path}");
    }
}

#[tokio::test]
async fn no_json_can_end_a_script_element() {
    let monolith = Monolith::start().await;
    let answer = get(&monolith, "", "/playlists/208").await;
    let text = String::from_utf8(answer.body.to_vec()).unwrap();
    assert!(text.contains("\\u003c"), "{text}");
    assert!(!text.contains(['<', '>', '&', '\u{2028}', '\u{2029}']), "{text}");
    assert!(answer.json()["title"].as_str().unwrap().starts_with("<b>"));
}

#[tokio::test]
async fn ties_are_broken_by_id_and_parts_neither_repeat_nor_lose() {
    let monolith = Monolith::start().await;
    let path = "/users/2/likes/playlists";
    let all = ids(&get(&monolith, "", path).await.json());
    assert_eq!(all[..3], [213, 212, 211], "liked at the same moment");
    let mut next = Some(format!("{path}?linked_partitioning=1&limit=1&show_tracks=false"));
    let mut met = Vec::new();
    while let Some(path) = next {
        let part = get(&monolith, "", &path).await.json();
        met.extend(ids(&part));
        next = part["next_href"].as_str().map(|href| href.trim_start_matches("http://test").to_owned());
    }
    assert_eq!(met, all);
}

#[tokio::test]
async fn links_to_the_next_part_carry_the_host_and_no_token() {
    let monolith = Monolith::start().await;
    let path = "/playlists?linked_partitioning=1&limit=2&oauth_token=tok-fan&q=&offset=1";
    let href = get(&monolith, "", path).await.json()["next_href"].as_str().unwrap().to_owned();
    assert!(href.starts_with("http://test/playlists?"), "{href}");
    assert!(!href.contains("tok-fan") && !href.contains("offset"), "{href}");
    let https =
        signed(Method::GET, "", path).header("x-forwarded-proto", "https").send(monolith.address).await;
    assert!(https.json()["next_href"].as_str().unwrap().starts_with("https://test/"));
}

#[tokio::test]
async fn the_number_of_likes_lags_behind() {
    let monolith = Monolith::start().await;
    let shown = async |path: &str| get(&monolith, "", path).await.json()["likes_count"].as_i64().unwrap();
    // Liking changes the exact count at once and the indexed one when it is off by more than 3.
    let (before, exact) = (shown("/playlists/205").await, shown("/playlists/205/counts").await);
    for (number, token) in (1..).zip(["tok-ada", "tok-fan", "tok-other", "tok-label"]) {
        let liked = send(&monolith, Method::POST, token, "/likes/playlists/205", &Value::Null).await;
        assert_eq!(liked.status.as_u16(), 201);
        assert_eq!(shown("/playlists/205/counts").await, exact + number);
        let indexed = if number <= 3 { before } else { exact + number };
        assert_eq!(shown("/playlists/205").await, indexed, "after {number} likes");
    }
}

#[tokio::test]
async fn head_has_the_head_of_get_and_options_allow_any_origin() {
    let monolith = Monolith::start().await;
    let got = get(&monolith, "tok-fan", "/playlists/201").await;
    let head = signed(Method::HEAD, "tok-fan", "/playlists/201").send(monolith.address).await;
    assert_eq!((head.status, head.body.len()), (got.status, 0));
    for name in ["etag", "content-type", "content-length"] {
        assert_eq!(head.headers[name], got.headers[name], "{name}");
    }
    for path in ["/playlists/201", "/playlists", "/me", "/nothing"] {
        let options = signed(Method::OPTIONS, "", path)
            .header("origin", "https://a.example")
            .send(monolith.address)
            .await;
        assert_eq!(options.status.as_u16(), 200, "{path}");
        assert_eq!(options.headers["access-control-allow-origin"], "*");
        assert_eq!(options.headers["access-control-allow-methods"], "GET, PUT, POST, DELETE");
    }
    assert_eq!(got.headers["access-control-allow-origin"], "*");
    let refused = get(&monolith, "", "/playlists/999999").await;
    assert_eq!(refused.headers["access-control-allow-origin"], "*");
}

#[tokio::test]
async fn every_answer_says_how_long_it_took() {
    let monolith = Monolith::start().await;
    for path in ["/playlists/201", "/playlists/999999", "/nothing"] {
        let answer = get(&monolith, "", path).await;
        let runtime: f64 = answer.headers["x-runtime"].to_str().unwrap().parse().unwrap();
        assert!(runtime > 0.0, "{path}");
    }
}

#[tokio::test]
async fn counts_and_durations_are_of_all_tracks_shown_or_not() {
    let monolith = Monolith::start().await;
    let seen = get(&monolith, "", "/playlists/201").await.json();
    let owned = get(&monolith, "tok-mod", "/playlists/201?access=playable,preview,blocked").await.json();
    assert_eq!((&seen["track_count"], &seen["duration"]), (&owned["track_count"], &owned["duration"]));
    assert_eq!(owned["tracks"].as_array().unwrap().len(), 20);
    assert!(seen["tracks"].as_array().unwrap().len() < 20);
}

#[tokio::test]
async fn lists_show_the_first_twenty_tracks() {
    let monolith = Monolith::start().await;
    let listed = get(&monolith, "tok-ada", "/me/playlists").await.json();
    let fifty = listed.as_array().unwrap().iter().find(|playlist| playlist["id"] == 218).unwrap();
    assert!(fifty["tracks"].as_array().unwrap().len() <= 20);
    assert!(
        get(&monolith, "tok-ada", "/playlists/218").await.json()["tracks"].as_array().unwrap().len() > 20
    );
    let without = get(&monolith, "tok-ada", "/playlists/218?show_tracks=no").await.json();
    assert_eq!(without.get("tracks"), None);
}

#[tokio::test]
async fn writes_answer_with_the_playlist_as_it_once_was() {
    let monolith = Monolith::start().await;
    let answer =
        send(&monolith, Method::PUT, "tok-ada", "/playlists/203", &json!({ "playlist": { "genre": "" } }))
            .await
            .json();
    for key in ["likes_count", "label", "tags", "tracks_uri"] {
        assert_eq!(answer.get(key), None, "{key}");
    }
    assert_eq!(answer["tracks"][0].get("access"), None);
    assert_eq!((&answer["genre"], &answer["label_id"]), (&json!(""), &json!(10)));
}

#[tokio::test]
async fn an_old_token_parameter_still_signs_in() {
    let monolith = Monolith::start().await;
    assert_eq!(get(&monolith, "", "/me?oauth_token=tok-ada").await.json()["permalink"], "ada");
    let bearer = crate::support::Request::new(Method::GET, "/me").header("authorization", "Bearer tok-fan");
    assert_eq!(bearer.send(monolith.address).await.json()["permalink"], "fan");
}
