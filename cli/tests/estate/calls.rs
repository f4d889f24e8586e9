//! The calls of the Playlists VAS by RPC, over a real monolith.

use std::{net::SocketAddr, time::Duration};

use estate_traffic::{ask::Ask, client::Client, estate::Services};
use http::{HeaderMap, HeaderName, HeaderValue, Method, header};
use playlists_vas::{
    regressions::Regressions,
    rpc::{
        self, FieldMask,
        authorization::v1::Viewer,
        playlists::v1::{GetRequest, GetResponse, Playlists as _, twirp},
    },
};
use serde_json::{Value, json};

use crate::estate::{Estate, ask, services, told};

const GET: &str = "/twirp/playlists.v1.Playlists/Get";

struct Service {
    estate: Estate,
    services: Services,
}

impl Service {
    async fn start() -> Self {
        let estate = Estate::control().await;
        let services = services(estate.address, &Regressions::default()).await;
        Self { estate, services }
    }

    fn playlists(&self) -> SocketAddr {
        self.services.playlists().unwrap()
    }

    /// With JSON, as curl would.
    async fn post(&self, path: &str, content_type: &str, body: &str) -> (u16, Value) {
        let headers = [("authorization", "Bearer svc-local"), ("content-type", content_type)];
        self.send(Method::POST, path, &headers, body).await
    }

    async fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> (u16, Value) {
        let mut map = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("playlists"))]);
        for (name, value) in headers {
            map.insert(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        let ask: Ask = ask(method, path, map, body);
        let response = told(Client::new(self.playlists()).ask(&ask).await);
        (response.status.as_u16(), serde_json::from_slice(response.body.kept()).unwrap_or_default())
    }

    fn client(&self) -> twirp::Client {
        let url = format!("http://{}", self.playlists());
        rpc::client(&url, "svc-local", Duration::from_secs(60), 4).unwrap()
    }

    async fn calls_to_tracks(&self) -> u64 {
        let (_, counters) = self.send(Method::GET, "/counters", &[], "").await;
        counters["tracks"].as_u64().unwrap()
    }
}

fn request(user_id: i64, mask: &[&str]) -> GetRequest {
    let paths = mask.iter().map(|path| (*path).to_owned()).collect();
    GetRequest {
        viewer: Some(Viewer {
            user_id: Some(user_id),
            territory: Some("US".to_owned()),
            ..Viewer::default()
        }),
        playlist_ids: vec![203, 201, 202, 77_777],
        field_mask: Some(FieldMask { paths }),
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_call_with_json_and_one_with_protobuf_give_the_same_aggregate() {
    let service = Service::start().await;
    for mask in [&[][..], &["title", "revision", "tracks.title", "tracks.access"]] {
        let request = request(1, mask);
        let (status, json) =
            service.post(GET, "application/json", &serde_json::to_string(&request).unwrap()).await;
        assert_eq!(status, 200, "{json}");
        let by_json: GetResponse = serde_json::from_value(json).unwrap();
        let by_protobuf = service.client().get(twirp::Request::new(request)).await.unwrap().into_body();
        assert_eq!(by_json, by_protobuf);
        let titles: Vec<&str> = by_json.playlists.iter().map(|playlist| playlist.title.as_str()).collect();
        assert_eq!(titles, ["Album", "Everything", "Private set"]);
        assert!(by_json.playlists[1].tracks.iter().any(|track| track.title == "Private"));
    }
    service.estate.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mask_without_tracks_asks_the_tracks_service_nothing() {
    let service = Service::start().await;
    let client = service.client();
    let get = async |mask: &[&str]| {
        client.get(twirp::Request::new(request(1, mask))).await.unwrap().into_body().playlists
    };
    let narrow = get(&["title", "track_count"]).await;
    assert_eq!(service.calls_to_tracks().await, 0);
    assert_eq!((narrow[1].title.as_str(), narrow[1].track_count), ("Everything", 20));
    assert_eq!((narrow[1].id, narrow[1].tracks.len()), (0, 0));
    // One for all three playlists.
    let wide = get(&["title", "tracks"]).await;
    assert_eq!(service.calls_to_tracks().await, 1);
    assert!(wide[1].tracks.len() > 10, "{wide:?}");
    service.estate.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_show_nobody_what_is_hidden_and_refuse_what_is_no_call() {
    let service = Service::start().await;
    let body =
        json!({ "viewer": { "territory": "DE" }, "playlistIds": [201, 202, 203, 204, 207] }).to_string();
    let (status, shown) = service.post(GET, "application/json; charset=utf-8", &body).await;
    assert_eq!(status, 200, "{shown}");
    let ids: Vec<&str> =
        shown["playlists"].as_array().unwrap().iter().filter_map(|it| it["id"].as_str()).collect();
    assert_eq!(ids, ["201", "203"]);
    let shown = shown.to_string();
    for hidden in ["s-playlist", "s-track", "\"Private\"", "\"Unreleased\"", "\"Taken down\""] {
        assert!(!shown.contains(hidden), "{hidden} is shown: {shown}");
    }

    let code = |answer: (u16, Value)| (answer.0, answer.1["code"].as_str().unwrap_or_default().to_owned());
    let wrong = |status: u16, word: &str| (status, word.to_owned());
    assert_eq!(code(service.post(GET, "text/plain", &body).await), wrong(404, "bad_route"));
    let token = [("authorization", "Bearer svc-local"), ("content-type", "application/json")];
    assert_eq!(code(service.send(Method::GET, GET, &token, "").await), wrong(404, "bad_route"));
    let nowhere = "/twirp/playlists.v1.Playlists/Nothing";
    assert_eq!(code(service.post(nowhere, "application/json", "{}").await), wrong(404, "bad_route"));
    let nobody = [("content-type", "application/json")];
    assert_eq!(code(service.send(Method::POST, GET, &nobody, &body).await), wrong(401, "unauthenticated"));
    assert_eq!(code(service.post(GET, "application/json", "{").await), wrong(400, "malformed"));
    let misspelt = r#"{"playlistIds":[201],"fieldMask":"titel"}"#;
    assert_eq!(code(service.post(GET, "application/json", misspelt).await), wrong(400, "invalid_argument"));
    service.estate.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_by_call_are_made_once_or_with_a_dry_run_not_at_all() {
    let service = Service::start().await;
    let change = async |call: &str, body: Value| {
        let path = format!("/twirp/playlists.v1.Playlists/{call}");
        service.post(&path, "application/json", &body.to_string()).await
    };
    let tried =
        json!({ "viewer": { "userId": 1 }, "playlistId": 203, "fields": { "title": "New" }, "dryRun": true });
    let (status, answer) = change("Update", tried.clone()).await;
    assert_eq!((status, &answer["dryRun"], &answer["playlist"]["title"]), (200, &json!(true), &json!("New")));
    let title = async || {
        let read = service.client().get(twirp::Request::new(request(1, &["title"]))).await.unwrap();
        read.into_body().playlists[0].title.clone()
    };
    assert_eq!(title().await, "Album");
    let mut meant = tried;
    meant["dryRun"] = json!(false);
    let (status, answer) = change("Update", meant).await;
    assert_eq!((status, title().await.as_str()), (200, "New"), "{answer}");

    // A track that the actor may not see is as one that does not exist.
    let hidden =
        json!({ "viewer": { "userId": 1, "territory": "US" }, "playlistId": 203, "trackIds": [123] });
    let (status, answer) = change("AddTracks", hidden).await;
    assert_eq!((status, &answer["code"]), (400, &json!("invalid_argument")), "{answer}");
    let foreign = json!({ "viewer": { "userId": 10 }, "playlistId": 203 });
    let (status, answer) = change("Delete", foreign).await;
    assert_eq!((status, &answer["code"]), (403, &json!("permission_denied")), "{answer}");
    service.estate.stop().await;
}

/// Calls to the monolith but for the events that are followed: of the Playlists VAS and of the Tracks VAS.
async fn calls_to_the_monolith(service: &Service) -> u64 {
    let mut calls = 0;
    for address in [service.playlists(), service.services.tracks()] {
        let headers = HeaderMap::from_iter([(header::HOST, HeaderValue::from_static("counters"))]);
        let answer = Client::new(address).ask(&ask(Method::GET, "/counters", headers, "")).await;
        let counters: Value = serde_json::from_slice(told(answer).body.kept()).unwrap();
        let foundation = counters["foundation"].as_object().unwrap();
        calls += foundation.values().filter_map(Value::as_u64).sum::<u64>();
    }
    calls
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_costs_as_many_calls_whatever_its_length() {
    let service = Service::start().await;
    let page = async |target: &str| {
        let before = (calls_to_the_monolith(&service).await, service.calls_to_tracks().await);
        let (status, body) = service.send(Method::GET, target, &[("x-country", "US")], "").await;
        assert_eq!(status, 200, "{target}: {body}");
        let after = (calls_to_the_monolith(&service).await, service.calls_to_tracks().await);
        (body.to_string().len(), (after.0 - before.0, after.1 - before.1))
    };
    // The list and the tracks behind it; that the user may be read; the tracks.
    for (short, long, calls) in [
        ("/playlists/205", "/playlists/218", (1, 0)..=(2, 1)),
        ("/playlists?limit=2", "/playlists?limit=50", (2, 1)..=(2, 1)),
        ("/users/1/playlists?limit=2", "/users/1/playlists?limit=50", (3, 1)..=(3, 1)),
        ("/web/playlists?per_page=1", "/web/playlists?per_page=50", (1, 0)..=(1, 0)),
        ("/mobile/playlists?limit=1", "/mobile/playlists?limit=100", (1, 0)..=(1, 0)),
    ] {
        let ((small, few), (large, many)) = (page(short).await, page(long).await);
        assert!(large > small, "{long} is no longer than {short}: {large} and {small}");
        assert_eq!((&few, &many), (calls.start(), calls.end()), "{short}, {long}");
    }
    service.estate.stop().await;
}
