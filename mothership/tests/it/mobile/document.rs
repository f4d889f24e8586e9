//! Every operation answers as its document says.

use http::Method;
use mothership::mobile::DOCUMENT;
use serde_json::{Value, json};

use super::get;
use crate::support::{Document, Monolith, Operation};

/// Who calls an operation, and with which path below the mount where the example would not do. Ada otherwise.
const OTHERWISE: [(&str, &str, &str); 4] = [
    ("deletePlaylist", "tok-ada", "/playlists/205"),
    ("follow", "tok-ada", "/me/followings/2"),
    ("unfollow", "tok-ada", "/me/followings/3"),
    ("deleteComment", "tok-fan", ""),
];

#[tokio::test]
async fn every_operation_succeeds_as_documented() {
    let monolith = Monolith::start().await;
    let document = Document::of("mobile");
    let mut operations = document.operations();
    // Deletions last, so that they leave something for the others.
    operations.sort_by_key(|operation| operation.method == Method::DELETE);
    for operation in &operations {
        let mut request = document.example(operation);
        let otherwise = OTHERWISE.iter().find(|(id, ..)| *id == operation.id);
        let (token, path) = otherwise.map_or(("tok-ada", ""), |(_, token, path)| (*token, *path));
        if !path.is_empty() {
            request.path = format!("/mobile{path}");
        }
        let request = request.header("authorization", &format!("Bearer {token}")).header("x-country", "US");
        let what = format!("{} {}", request.method, request.path);
        let answer = request.send(monolith.address).await;
        let shown = String::from_utf8_lossy(&answer.body);
        assert!(answer.status.is_success(), "{} {what}: {} {shown}", operation.id, answer.status);
        document.check(operation, &answer, &what);
    }
}

#[tokio::test]
async fn pages_are_as_documented_for_those_with_odd_data() {
    let monolith = Monolith::start().await;
    let document = Document::of("mobile");
    for operation in document.operations().iter().filter(|operation| operation.method == Method::GET) {
        for token in ["tok-unicode", "tok-blank", "tok-mod", ""] {
            for of in ["201", "208", "210"] {
                let example = document.example(operation).path.replace(":201", &format!(":{of}"));
                let path = example.strip_prefix("/mobile").unwrap();
                let separator = if path.contains('?') { '&' } else { '?' };
                let answer = get(&monolith, token, &format!("{path}{separator}limit=2")).await;
                document.check(operation, &answer, &format!("GET {path} as {token:?}"));
            }
        }
    }
}

#[tokio::test]
async fn refusals_are_as_documented_and_write_nothing() {
    let monolith = Monolith::start().await;
    let document = Document::of("mobile");
    for operation in &document.operations() {
        let Operation { id, .. } = operation;
        let example = || document.example(operation);
        for token in ["nobody", "tok-expired"] {
            let answer =
                example().header("authorization", &format!("Bearer {token}")).send(monolith.address).await;
            assert_eq!(answer.status.as_u16(), 401, "{id} with {token}");
            document.check(operation, &answer, token);
        }
        let territory = example().header("x-country", "Germany").send(monolith.address).await;
        assert_eq!(territory.status.as_u16(), 400, "{id} from a wrong territory");
        document.check(operation, &territory, "from a wrong territory");
        let reads = operation.method == Method::GET || id == "batchPlaylists";
        if !reads || operation.path.starts_with("/me") {
            let anonymous = example().send(monolith.address).await;
            assert_eq!(anonymous.status.as_u16(), 401, "{id} without a token");
            document.check(operation, &anonymous, "without a token");
        }
        if operation.has_body() {
            let signed = || example().header("authorization", "Bearer tok-ada");
            let bodies = [("{".to_owned(), 400), ("[]".to_owned(), 400), ("{\"who\":1}".to_owned(), 400)];
            for (body, status) in bodies.into_iter().chain([("x".repeat(300_000), 413)]) {
                let answer = signed().body(body.clone()).send(monolith.address).await;
                assert_eq!(answer.status.as_u16(), status, "{id}: {}", &body[..body.len().min(40)]);
                document.check(operation, &answer, "with a bad body");
            }
        }
    }
    let ada = "tok-ada";
    let long = json!({ "title": "t".repeat(101) });
    let many: Vec<String> = (1001..=1501).map(|id| format!("mothership:tracks:{id}")).collect();
    let hidden = json!({ "track_urns": ["mothership:tracks:123"] });
    let bad: [(Method, &str, &str, Value, u16); 8] = [
        (Method::POST, ada, "/playlists", long.clone(), 422),
        (Method::POST, ada, "/playlists", json!({ "title": " " }), 422),
        (Method::POST, ada, "/playlists", json!({ "title": 5 }), 400),
        (Method::PUT, ada, "/playlists/205", json!({ "release_date": "soon" }), 400),
        (Method::PUT, ada, "/playlists/205/tracks", json!({ "track_urns": many }), 422),
        (Method::POST, ada, "/playlists/205/tracks", hidden, 422),
        (Method::POST, ada, "/playlists/205/tracks", json!({ "track_urns": ["mothership:users:1"] }), 400),
        (Method::PUT, ada, "/playlists/999999", json!({ "title": "x" }), 404),
    ];
    for (method, token, path, body, status) in bad {
        let answer = super::send(&monolith, method, token, path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.json());
        assert!(answer.json()["error_key"].is_string());
    }
    let events = monolith.service(Method::GET, "/internal/v1/events").send(monolith.address).await;
    assert_eq!(events.json()["events"], json!([]), "refused requests wrote something");
}

#[tokio::test]
async fn the_document_is_served() {
    let monolith = Monolith::start().await;
    let served = get(&monolith, "", "/openapi.json").await;
    assert_eq!(served.json(), serde_json::from_str::<Value>(DOCUMENT).unwrap());
}
