//! What writes do, and what they refuse without writing anything.

use http::Method;
use mothership::store::wrong_counts;
use serde_json::{Value, json};

use crate::{
    public::{get, ids, send, signed},
    support::Monolith,
};

#[tokio::test]
async fn a_playlist_lives_and_dies() {
    let monolith = Monolith::start().await;
    let fields = json!({ "playlist": {
        "title": "Summer", "description": "Long", "sharing": "private", "genre": "Dub", "tag_list": "a \"b c\"",
        "playlist_type": "ep", "license": "cc-by", "release_year": 2020, "release_month": "2", "release_day": 29,
        "ean": 123, "label_id": "10", "label_name": "Label", "purchase_url": "https://a.example", "tracks": [{ "id": "101" }],
    } });
    let made = send(&monolith, Method::POST, "tok-ada", "/playlists", &fields).await;
    assert_eq!(made.status.as_u16(), 201);
    let made = made.json();
    let id = made["id"].as_i64().unwrap();
    let path = format!("/playlists/{id}");
    for (key, value) in [
        ("title", json!("Summer")),
        ("permalink", json!("summer")),
        ("sharing", json!("private")),
        ("genre", json!("Dub")),
        ("playlist_type", json!("ep")),
        ("license", json!("cc-by")),
        ("release_day", json!(29)),
        ("release_year", json!(2020)),
        ("ean", json!("123")),
        ("label_id", json!(10)),
        ("user_id", json!(1)),
        ("track_count", json!(1)),
    ] {
        assert_eq!(made[key], value, "{key}");
    }
    assert_eq!(get(&monolith, "tok-other", &path).await.status.as_u16(), 404);
    let secret = made["secret_uri"].as_str().unwrap().trim_start_matches("http://test").to_owned();
    assert_eq!(get(&monolith, "tok-other", &secret).await.status.as_u16(), 200);
    let token = secret.split_once('=').unwrap().1.to_owned();
    assert_eq!(get(&monolith, "", &format!("/playlists/secret/{token}")).await.json()["id"], id);
    assert_eq!(get(&monolith, "", "/playlists/secret/s-nobody").await.status.as_u16(), 404);
    let rotated =
        send(&monolith, Method::POST, "tok-ada", &format!("{path}/secret_token"), &Value::Null).await.json();
    assert_ne!(rotated["secret_uri"], made["secret_uri"]);
    assert_eq!(get(&monolith, "tok-other", &secret).await.status.as_u16(), 404, "the old link is dead");

    let added = json!({ "tracks": [{ "id": 122 }, { "id": 127 }], "position": "0" });
    let added = send(&monolith, Method::POST, "tok-ada", &format!("{path}/tracks"), &added).await.json();
    assert_eq!(ids(&added["tracks"]), [122, 127, 101]);
    let order = json!({ "playlist": { "tracks": "101,122" } });
    let ordered = send(&monolith, Method::PUT, "tok-ada", &format!("{path}/tracks"), &order).await.json();
    assert_eq!(ids(&ordered["tracks"]), [101, 122, 127]);
    let taken = format!("{path}/tracks/122");
    assert_eq!(send(&monolith, Method::DELETE, "tok-ada", &taken, &Value::Null).await.status.as_u16(), 200);
    assert_eq!(send(&monolith, Method::DELETE, "tok-ada", &taken, &Value::Null).await.status.as_u16(), 404);
    assert_eq!(ids(&get(&monolith, "tok-ada", &format!("{path}/tracks")).await.json()), [101, 127]);

    let public = json!({ "playlist": { "sharing": "public", "description": "", "release_year": "" } });
    let public = send(&monolith, Method::PUT, "tok-ada", &path, &public).await.json();
    assert_eq!([&public["description"], &public["release_year"]], [&Value::Null; 2]);
    assert_eq!(public.get("secret_uri"), None, "public playlists have no secret to tell");
    assert_eq!(get(&monolith, "tok-other", &path).await.status.as_u16(), 200);
    assert_eq!(ids(&get(&monolith, "tok-ada", "/me/playlists").await.json())[0], id);
    assert_eq!(get(&monolith, "tok-other", &format!("/me/playlists/{id}")).await.status.as_u16(), 404);

    assert_eq!(
        send(&monolith, Method::DELETE, "tok-ada", &path, &Value::Null).await.json(),
        json!({ "status": "200 - OK" })
    );
    assert_eq!(get(&monolith, "tok-ada", &path).await.status.as_u16(), 404);
    assert_eq!(wrong_counts(&monolith.database.connection()).unwrap(), []);
}

#[tokio::test]
async fn likes_reposts_and_follows_are_put_and_taken_back_once() {
    let monolith = Monolith::start().await;
    let status = async |method: Method, path: &str| {
        send(&monolith, method, "tok-label", path, &Value::Null).await.status.as_u16()
    };
    for (put, path, first, second, taken_again) in [
        (Method::POST, "/likes/playlists/201", 201, 200, 404),
        (Method::POST, "/likes/tracks/101", 200, 200, 404),
        (Method::POST, "/reposts/playlists/201", 201, 201, 404),
        (Method::POST, "/reposts/tracks/101", 201, 201, 404),
        (Method::PUT, "/me/followings/1", 201, 200, 422),
    ] {
        assert_eq!(status(put.clone(), path).await, first, "{path}");
        assert_eq!(status(put, path).await, second, "{path} again");
        assert_eq!(status(Method::DELETE, path).await, 200, "taking {path} back");
        assert_eq!(status(Method::DELETE, path).await, taken_again, "taking {path} back again");
    }
    assert_eq!(status(Method::PUT, "/me/followings/10").await, 422, "oneself");
    assert_eq!(status(Method::PUT, "/me/followings/6").await, 404, "a hidden user");
    let outcast = send(&monolith, Method::PUT, "tok-outcast", "/me/followings/1", &Value::Null).await;
    assert_eq!(outcast.status.as_u16(), 422);
    assert_eq!(
        status(Method::POST, "/likes/playlists/202?secret_token=s-playlist202").await,
        201,
        "by its link"
    );
    assert_eq!(wrong_counts(&monolith.database.connection()).unwrap(), []);
}

#[tokio::test]
async fn what_one_liked_shows_in_ones_lists() {
    let monolith = Monolith::start().await;
    send(&monolith, Method::POST, "tok-label", "/likes/playlists/203", &Value::Null).await;
    send(&monolith, Method::POST, "tok-label", "/reposts/playlists/201", &Value::Null).await;
    for (path, wanted) in [
        ("/me/likes/playlists", vec![203]),
        ("/users/10/likes/playlists", vec![203]),
        ("/me/reposts/playlists", vec![201]),
        ("/users/10/reposts/playlists", vec![201]),
    ] {
        assert_eq!(ids(&get(&monolith, "tok-label", path).await.json()), wanted, "{path}");
    }
    let likers = ids(&get(&monolith, "", "/playlists/203/likers").await.json());
    assert_eq!(likers, [10, 2], "latest first");
    assert_eq!(ids(&get(&monolith, "", "/playlists?ids=203,202,999,201").await.json()), [203, 201]);
    assert!(ids(&get(&monolith, "", "/tracks/122/playlists").await.json()).contains(&201));
    assert_eq!(ids(&get(&monolith, "", "/playlists?q=album").await.json())[..1], [203]);
}

#[tokio::test]
async fn comments_come_and_go() {
    let monolith = Monolith::start().await;
    let comment = |body: Value| json!({ "comment": body });
    let made = send(
        &monolith,
        Method::POST,
        "tok-fan",
        "/tracks/101/comments",
        &comment(json!({ "body": "Ha", "timestamp": "1200.4" })),
    )
    .await;
    assert_eq!((made.status.as_u16(), &made.json()["timestamp"]), (201, &json!(1200)));
    let uri = made.json()["uri"].as_str().unwrap().trim_start_matches("http://test").to_owned();
    assert_eq!(ids(&get(&monolith, "", "/tracks/101/comments").await.json())[0], made.json()["id"]);
    for (token, path, body, status) in [
        ("tok-fan", "/tracks/109/comments", json!({ "body": "Off" }), 422),
        ("tok-fan", "/tracks/102/comments", json!({ "body": "Hidden" }), 404),
        ("tok-fan", "/tracks/101/comments", json!({ "body": "" }), 422),
        ("tok-fan", "/tracks/101/comments", json!({ "body": "x".repeat(1001) }), 422),
        ("tok-fan", "/tracks/101/comments", json!({ "body": "x", "timestamp": "nan" }), 422),
        ("tok-fan", "/tracks/101/comments", json!({ "body": "x", "timestamp": -1 }), 422),
        ("tok-fan", "/tracks/101/comments", json!("x"), 400),
        ("", "/tracks/101/comments", json!({ "body": "x" }), 401),
    ] {
        let answer = send(&monolith, Method::POST, token, path, &comment(body.clone())).await;
        assert_eq!(answer.status.as_u16(), status, "{path} {body}");
    }
    assert_eq!(send(&monolith, Method::DELETE, "tok-other", &uri, &Value::Null).await.status.as_u16(), 404);
    assert_eq!(send(&monolith, Method::DELETE, "tok-fan", &uri, &Value::Null).await.status.as_u16(), 200);
    // Comments on what is hidden are hidden with it.
    assert_eq!(ids(&get(&monolith, "", "/users/1/comments").await.json()), [6]);
    assert_eq!(ids(&get(&monolith, "tok-ada", "/users/1/comments").await.json()), [6, 5]);
}

#[tokio::test]
async fn bad_input_is_refused_in_the_dialects_shape_and_writes_nothing() {
    let monolith = Monolith::start().await;
    let tracks = |count: i64| (1001..1001 + count).map(|id| json!({ "id": id })).collect::<Vec<_>>();
    let playlist = |fields: Value| json!({ "playlist": fields });
    let (post, put) = (Method::POST, Method::PUT);
    let cases = [
        (&post, "/playlists", playlist(json!({})), 422),
        (&post, "/playlists", playlist(json!({ "title": " " })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x".repeat(101) })), 422),
        (&post, "/playlists", playlist(json!({ "title": ["x"] })), 422),
        (&post, "/playlists", playlist(json!({ "title": { "a": 1 } })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "sharing": "secret" })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "playlist_type": "mixtape" })), 422),
        (
            &post,
            "/playlists",
            playlist(json!({ "title": "x", "release_year": 2021, "release_month": 13 })),
            422,
        ),
        (&post, "/playlists", playlist(json!({ "title": "x", "release_date": "soon" })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "release_date": "２０２６-07" })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "label_id": 999_999 })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "label_id": -1 })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "tracks": 5 })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "tracks": [{ "id": "abc" }] })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "tracks": [{}] })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "tracks": [{ "id": 999_999 }] })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "tracks": [{ "id": 123 }] })), 422),
        (&post, "/playlists", playlist(json!({ "title": "x", "tracks": tracks(501) })), 422),
        (&post, "/playlists", json!({ "title": "x" }), 400),
        (&post, "/playlists", json!({ "playlist": "x" }), 400),
        (&post, "/playlists", json!([]), 400),
        (&put, "/playlists/201", playlist(json!({ "title": "x".repeat(101), "genre": "Dub" })), 422),
        (&put, "/playlists/201", playlist(json!({ "title": null })), 422),
        (&put, "/playlists/201", playlist(json!({ "title": "x", "tracks": tracks(501) })), 422),
        (&put, "/playlists/999999", playlist(json!({ "title": "x" })), 404),
        (&put, "/playlists/206", playlist(json!({ "title": "x" })), 404),
        (&post, "/playlists/203/tracks", json!({ "tracks": [{ "id": 123 }] }), 422),
        (&post, "/playlists/201/tracks", json!({ "tracks": [{ "id": 101 }], "position": -1 }), 422),
        (&post, "/playlists/201/tracks", json!({ "tracks": tracks(500) }), 422),
        (&post, "/playlists/201/tracks", json!({}), 400),
        (&put, "/playlists/201/tracks", json!({ "tracks": { "id": [] } }), 422),
        (&put, "/tracks/101", json!({ "track": { "license": "mine" } }), 422),
        (&put, "/tracks/122", json!({ "track": { "title": "Mine" } }), 404),
    ];
    for (method, path, body, status) in cases {
        let answer = send(&monolith, method.clone(), "tok-ada", path, &body).await;
        let shown: String = body.to_string().chars().take(120).collect();
        assert_eq!(answer.status.as_u16(), status, "{method} {path} {shown}: {:?}", answer.body);
        let error = answer.json();
        assert_eq!(error["code"], status, "{method} {path} {shown}");
        assert!(!error["message"].as_str().unwrap().is_empty());
        assert_eq!(error["errors"].as_array().unwrap().is_empty(), status != 422);
    }
    let deep = format!("{{\"playlist\":{}{}}}", "[".repeat(2000), "]".repeat(2000));
    for (media_type, body) in [
        ("application/json", deep.as_str()),
        ("application/json", "{\"playlist\":{\"title\":\"\\ud800\"}}"),
        ("application/x-www-form-urlencoded", "playlist=1&playlist[a]=2"),
        ("multipart/form-data; boundary=x", "--x\r\nnonsense"),
    ] {
        let request = signed(Method::POST, "tok-ada", "/playlists").header("content-type", media_type);
        let answer = request.body(body).send(monolith.address).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (400, &json!(400)), "{media_type}");
    }
    assert_eq!(
        send(&monolith, Method::PATCH, "tok-ada", "/playlists/201", &Value::Null).await.json()["code"],
        405
    );
    assert_eq!(send(&monolith, Method::POST, "tok-ada", "/tracks", &Value::Null).await.json()["code"], 405);
    assert_eq!(get(&monolith, "", "/nothing/here").await.json()["code"], 404);
    let events = monolith.service(Method::GET, "/internal/v1/events").send(monolith.address).await;
    assert_eq!(events.json()["events"], json!([]), "something was written");
}
