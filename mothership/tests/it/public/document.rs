//! Every operation answers as its document says.

use http::Method;

use crate::{
    public::get,
    support::{Document, Monolith, Operation},
};

/// Who calls an operation, and with which path where the examples would not succeed. Ada otherwise.
const OTHERWISE: [(&str, &str, &str); 13] = [
    ("unlikePlaylist", "tok-fan", ""),
    ("unlikeTrack", "tok-fan", ""),
    ("unrepostPlaylist", "tok-fan", ""),
    ("unrepostTrack", "tok-fan", ""),
    ("deletePlaylist", "tok-ada", "/playlists/205"),
    ("deleteTrack", "tok-ada", "/tracks/110"),
    ("follow", "tok-ada", "/me/followings/2"),
    ("unfollow", "tok-ada", "/me/followings/3"),
    ("getMyFollowing", "tok-ada", "/me/followings/3"),
    ("getTrackPlaylists", "", ""),
    ("getPlaylist", "", ""),
    ("getMyLikedTracks", "tok-fan", ""),
    ("getMyLikedPlaylists", "tok-fan", ""),
];

#[tokio::test]
async fn every_operation_succeeds_as_documented() {
    let monolith = Monolith::start().await;
    let document = Document::of("public");
    let mut operations = document.operations();
    assert!(operations.len() >= 60, "the document lost operations");
    // Deletions last, so that they leave something for the others.
    operations.sort_by_key(|operation| order(&operation.method));
    for operation in &operations {
        let mut request = document.example(operation);
        let otherwise = OTHERWISE.iter().find(|(id, ..)| *id == operation.id);
        let (token, path) = otherwise.map_or(("tok-ada", ""), |(_, token, path)| (*token, *path));
        if !path.is_empty() {
            path.clone_into(&mut request.path);
        }
        if !token.is_empty() {
            request = request.header("authorization", &format!("OAuth {token}"));
        }
        let answer = request.clone().header("x-country", "US").send(monolith.address).await;
        let what = format!("{} {}", request.method, request.path);
        assert!(
            answer.status.is_success() || answer.status.is_redirection(),
            "{} {what}: {} {}",
            operation.id,
            answer.status,
            String::from_utf8_lossy(&answer.body)
        );
        document.check(operation, &answer, &what);
    }
}

#[tokio::test]
async fn lists_are_as_documented_in_parts_and_for_those_with_odd_data() {
    let monolith = Monolith::start().await;
    let document = Document::of("public");
    for operation in document.operations().iter().filter(|operation| operation.method == Method::GET) {
        let path = document.example(operation).path;
        let separator = if path.contains('?') { '&' } else { '?' };
        for (token, more) in [
            ("tok-unicode", "linked_partitioning=1&limit=2&access=playable,preview,blocked"),
            ("tok-blank", "show_tracks=false"),
            ("tok-mod", "linked_partitioning=true&q=everything&order=hotness"),
            ("", "ids=201,208,210,101,125,126,1,8,9"),
        ] {
            let path = format!("{path}{separator}{more}");
            let answer = get(&monolith, token, &path).await;
            document.check(operation, &answer, &format!("GET {path} as {token:?}"));
        }
    }
}

#[tokio::test]
async fn refusals_are_as_documented() {
    let monolith = Monolith::start().await;
    let document = Document::of("public");
    for operation in &document.operations() {
        let Operation { id, .. } = operation;
        let example = || document.example(operation);
        let unknown = example().header("authorization", "OAuth nobody").send(monolith.address).await;
        assert_eq!(unknown.status.as_u16(), 401, "{id} with an unknown token");
        document.check(operation, &unknown, "with an unknown token");
        let expired = example().header("authorization", "OAuth tok-expired").send(monolith.address).await;
        assert_eq!(expired.status.as_u16(), 401, "{id} with an expired token");
        let territory = example().header("x-country", "Germany").send(monolith.address).await;
        assert_eq!(territory.status.as_u16(), 400, "{id} from a wrong territory");
        document.check(operation, &territory, "from a wrong territory");
        if operation.method != Method::GET || operation.path.starts_with("/me") {
            let anonymous = example().send(monolith.address).await;
            assert_eq!(anonymous.status.as_u16(), 401, "{id} without a token");
            document.check(operation, &anonymous, "without a token");
        }
        if operation.has_body() {
            let signed = || example().header("authorization", "OAuth tok-ada");
            for (body, status) in
                [("{\"playlist\":".to_owned(), 400), ("[]".to_owned(), 400), ("x".repeat(300_000), 413)]
            {
                let answer = signed().body(body).send(monolith.address).await;
                assert_eq!(answer.status.as_u16(), status, "{id}");
                document.check(operation, &answer, "with a bad body");
            }
        }
    }
    let events = monolith.service(Method::GET, "/internal/v1/events").send(monolith.address).await;
    assert_eq!(events.json()["events"], serde_json::json!([]), "refused requests wrote something");
}

#[tokio::test]
async fn the_document_is_served() {
    let monolith = Monolith::start().await;
    let answer = get(&monolith, "", "/openapi.json").await;
    assert_eq!(answer.json()["info"]["title"], "mothership, public dialect");
}

fn order(method: &Method) -> u8 {
    match method.as_str() {
        "GET" => 0,
        "POST" => 1,
        "PUT" => 2,
        _ => 3,
    }
}
