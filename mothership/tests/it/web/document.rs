//! Every operation answers as its document says.

use http::Method;
use mothership::web::DOCUMENT;
use serde_json::{Value, json};

use super::get;
use crate::support::{Document, Monolith, Operation};

/// Who calls an operation, and with which path below the mount where the example would not do. Ada otherwise.
const OTHERWISE: [(&str, &str, &str); 4] = [
    ("deletePlaylist", "tok-ada", "/playlists/205"),
    ("follow", "tok-ada", "/users/2/follow"),
    ("unfollow", "tok-ada", "/users/3/unfollow"),
    ("deleteComment", "tok-fan", ""),
];

#[tokio::test]
async fn every_operation_succeeds_as_documented() {
    let monolith = Monolith::start().await;
    let document = Document::of("web");
    let mut operations = document.operations();
    // Deletions last, so that they leave something for the others.
    operations.sort_by_key(|operation| ["delete", "remove"].iter().any(|it| operation.id.starts_with(it)));
    for operation in &operations {
        let mut request = document.example(operation);
        let otherwise = OTHERWISE.iter().find(|(id, ..)| *id == operation.id);
        let (token, path) = otherwise.map_or(("tok-ada", ""), |(_, token, path)| (*token, *path));
        if !path.is_empty() {
            request.path = format!("/web{path}");
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
    let document = Document::of("web");
    for operation in document.operations().iter().filter(|operation| operation.method == Method::GET) {
        for token in ["nobody", "tok-expired", "tok-unicode", "tok-blank", "tok-mod", ""] {
            for of in ["201", "208", "210"] {
                let example = document.example(operation).path.replace("/201", &format!("/{of}"));
                let path = example.strip_prefix("/web").unwrap();
                let separator = if path.contains('?') { '&' } else { '?' };
                let answer = get(&monolith, token, &format!("{path}{separator}limit=2&per_page=2")).await;
                document.check(operation, &answer, &format!("GET {path} as {token:?}"));
            }
        }
    }
}

#[tokio::test]
async fn refusals_are_as_documented_and_write_nothing() {
    let monolith = Monolith::start().await;
    let document = Document::of("web");
    for operation in &document.operations() {
        let Operation { id, .. } = operation;
        let example = || document.example(operation);
        let territory = example().header("x-country", "Germany").send(monolith.address).await;
        assert_eq!(territory.status.as_u16(), 400, "{id} from a wrong territory");
        document.check(operation, &territory, "from a wrong territory");
        if operation.method != Method::GET || operation.path.starts_with("/me") {
            for token in ["", "nobody", "tok-expired"] {
                let request = example().header("authorization", &format!("Bearer {token}"));
                let answer = request.send(monolith.address).await;
                assert_eq!(answer.status.as_u16(), 401, "{id} with the token {token:?}");
                document.check(operation, &answer, "without a good token");
            }
        }
        if operation.has_body() {
            let signed = || example().header("authorization", "Bearer tok-ada");
            let bodies = [
                ("{".to_owned(), 400),
                ("[]".to_owned(), 400),
                ("{\"trackIds\":{\"a\":true},\"timestampMs\":[]}".to_owned(), 400),
            ];
            for (body, status) in bodies.into_iter().chain([("x".repeat(300_000), 413)]) {
                let answer = signed().body(body.clone()).send(monolith.address).await;
                assert_eq!(answer.status.as_u16(), status, "{id}: {}", &body[..body.len().min(40)]);
                document.check(operation, &answer, "with a bad body");
            }
        }
    }
    let ada = "tok-ada";
    let long = json!({ "title": "t".repeat(101) });
    let many: Vec<i64> = (1001..=1501).collect();
    let hidden = json!({ "trackIds": [123] });
    let bad: [(Method, &str, &str, Value, u16); 9] = [
        (Method::POST, ada, "/playlists", long.clone(), 400),
        (Method::POST, ada, "/playlists", json!({ "title": " " }), 400),
        (Method::POST, ada, "/playlists", json!({ "title": [5] }), 400),
        (Method::PUT, ada, "/playlists/205", json!({ "releaseDate": "soon" }), 400),
        (Method::POST, ada, "/playlists/205", json!({ "_method": "STEAL" }), 400),
        (Method::POST, ada, "/playlists/205/tracks/add", json!({ "trackIds": many }), 400),
        (Method::POST, ada, "/playlists/205/tracks/add", hidden, 400),
        (Method::POST, ada, "/playlists/205/tracks/add", json!({ "trackIds": "x" }), 400),
        (Method::PUT, ada, "/playlists/999999", json!({ "title": "x" }), 404),
    ];
    for (method, token, path, body, status) in bad {
        let answer = super::send(&monolith, method, token, path, &body).await;
        assert_eq!(answer.status.as_u16(), status, "{path}: {}", answer.json());
        assert_eq!(answer.json()["success"], false);
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
