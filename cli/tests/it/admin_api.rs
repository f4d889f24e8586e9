//! Who may speak to the admin API, and what it does with what it should not be sent.

use std::io::Write;
use std::net::TcpStream;

use serde_json::Value;

use crate::rig::{Answered, Proxy, Rig, eventually, raw};

const ALICE: &str = "alice-0123456789abcdef";

fn with_tokens(address: &str) -> String {
    format!("[admin]\naddress = \"{address}\"\n[[admin.tokens]]\nname = \"alice\"\ntoken = \"{ALICE}\"\n")
}

fn ask(admin: &str, method: &str, path: &str, headers: &str, body: &str) -> Answered {
    let length = body.len();
    raw(
        admin,
        &format!(
            "{method} {path} HTTP/1.1\r\nconnection: close\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
        ),
    )
}

fn code(answered: &Answered) -> String {
    let envelope: Value = serde_json::from_str(&answered.body).unwrap_or_else(|_| panic!("{answered:?}"));
    assert_eq!(envelope["version"], 1);
    envelope["error"]["code"].as_str().unwrap_or("none").to_owned()
}

/// A proxy whose admin API asks for a token.
fn closed(address: &str) -> (Rig, Proxy) {
    beside(&with_tokens(address))
}

/// Another proxy before the same upstreams, whose admin API is as told.
fn beside(admin: &str) -> (Rig, Proxy) {
    let rig = Rig::new();
    let dir = rig.dir.path();
    let config = format!(
        "[upstreams]\ncontrol = \"{}\"\ncandidate = \"{}\"\n[listen]\naddress = \"127.0.0.1:0\"\n[store]\npath = \"beside.db\"\n{admin}",
        rig.control.url(),
        rig.candidate.url(),
    );
    std::fs::write(dir.join("beside.toml"), config).unwrap();
    let proxy = Proxy::start(dir, &["serve", "--config", "beside.toml"]);
    (rig, proxy)
}

#[test]
fn a_token_is_asked_for_where_there_are_tokens() {
    let (rig, proxy) = closed("127.0.0.1:0");
    let admin = &proxy.admin;
    let host = "host: localhost\r\n";
    for headers in [
        host.to_owned(),
        format!("{host}authorization: Bearer wrong-0123456789abcdef\r\n"),
        format!("{host}authorization: Bearer {ALICE}x\r\n"),
        format!("{host}authorization: Basic {ALICE}\r\n"),
        format!("{host}authorization: {ALICE}\r\n"),
    ] {
        for (method, path) in [
            ("GET", "/api/v1/status"),
            ("POST", "/api/v1/promote"),
            ("GET", "/metrics"),
            ("GET", "/api/v1/nope"),
        ] {
            let answered = ask(admin, method, path, &headers, "");
            assert!(matches!(answered.status, 401 | 404), "{path} {headers:?}: {answered:?}");
            assert!(!answered.body.contains("endpoints"), "{path}: {answered:?}");
        }
        assert_eq!(ask(admin, "GET", "/api/v1/status", &headers, "").status, 401, "{headers:?}");
    }
    let right = format!("{host}authorization: Bearer {ALICE}\r\n");
    assert_eq!(ask(admin, "GET", "/api/v1/status", &right, "").status, 200);
    for path in ["/healthz", "/readyz"] {
        assert_eq!(ask(admin, "GET", path, host, "").status, 200, "{path} is for whoever watches");
    }

    let env = [("STRANGLER_ADMIN", admin.as_str()), ("STRANGLER_TOKEN", ALICE)];
    assert_eq!(rig.run_with(&["routes", "add", "GET", "/same"], &env).code, 0);
    assert_eq!(rig.run_with(&["promote", "GET", "/same"], &env).code, 0);
    let audit = rig.run_with(&["audit", "--format", "json"], &env).json();
    assert_eq!(audit["data"]["transitions"][0]["actor"], "alice", "the token names who it was");
    let denied = rig.run_with(&["status"], &env[..1]);
    assert_eq!(denied.code, 1);
    assert!(denied.err.contains("--token"), "{denied:?}");
}

#[test]
fn on_every_address_a_token_opens_it() {
    let (_rig, proxy) = closed("0.0.0.0:0");
    let port = proxy.admin.rsplit(':').next().unwrap();
    let admin = format!("127.0.0.1:{port}");
    // Behind a name of its own any Host is right, and the token decides.
    let answered = ask(
        &admin,
        "GET",
        "/api/v1/status",
        &format!("host: strangler.internal\r\nauthorization: Bearer {ALICE}\r\n"),
        "",
    );
    assert_eq!(answered.status, 200, "{answered:?}");
    assert_eq!(ask(&admin, "GET", "/api/v1/status", "host: strangler.internal\r\n", "").status, 401);
}

#[test]
fn a_page_that_rebinds_a_name_to_loopback_gets_nothing() {
    let rig = Rig::new();
    let admin = &rig.proxy().admin;
    for headers in [
        "host: evil.example\r\n",
        "host: 127.0.0.1.evil.example\r\n",
        "host: localhost\r\nhost: evil.example\r\n",
        "host: localhost\r\norigin: http://evil.example\r\n",
        "host: localhost\r\norigin: null\r\n",
    ] {
        for (method, path) in [("GET", "/api/v1/status"), ("POST", "/api/v1/flush"), ("GET", "/metrics")] {
            let answered = ask(admin, method, path, headers, "");
            assert!(matches!(answered.status, 421 | 400), "{headers:?} {path}: {answered:?}");
        }
    }
    let absolute = raw(
        admin,
        "GET http://evil.example/api/v1/status HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(absolute.status, 421, "{absolute:?}");
}

#[test]
fn a_form_of_another_page_cannot_flip() {
    let rig = Rig::new();
    rig.expect(0, &["routes", "add", "GET", "/same"]);
    let body = r#"{"endpoint":"GET /same"}"#;
    for kind in ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"] {
        let headers = format!("host: localhost\r\ncontent-type: {kind}\r\n");
        let answered = ask(&rig.proxy().admin, "POST", "/api/v1/promote", &headers, body);
        assert_eq!((answered.status, code(&answered).as_str()), (400, "bad_request"), "{kind}");
    }
    assert_eq!(rig.stage("GET /same"), "legacy");
}

#[test]
fn what_is_not_a_request_is_refused_in_the_envelope() {
    let rig = Rig::new();
    let admin = &rig.proxy().admin;
    let json = "host: localhost\r\ncontent-type: application/json\r\n";
    for (method, path, body, status, expected) in [
        ("GET", "/nothing", "", 404, "not_found"),
        ("GET", "/api/v1/", "", 404, "not_found"),
        ("GET", "/api/v1/../v1/status", "", 404, "not_found"),
        ("GET", "/api/v1/%73tatus/..", "", 404, "not_found"),
        ("GET", "//api/v1/status", "", 404, "not_found"),
        ("GET", "/api/v1/groups/..%2f..%2fstatus", "", 400, "bad_request"),
        ("GET", "/api/v1/exchanges/%00", "", 404, "not_found"),
        ("GET", "/api/v1/exchanges/%ff", "", 400, "none"),
        ("PUT", "/api/v1/promote", "{}", 405, "method_not_allowed"),
        ("GET", "/api/v1/promote", "", 405, "method_not_allowed"),
        ("POST", "/api/v1/promote", "", 400, "bad_request"),
        ("POST", "/api/v1/promote", "{", 400, "bad_request"),
        ("POST", "/api/v1/promote", "[]", 400, "bad_request"),
        ("POST", "/api/v1/promote", "{\"endpoint\":\"GET /a\",\"stage\":\"live\"}", 400, "bad_request"),
        ("POST", "/api/v1/promote", "{\"endpoint\":\"nonsense\"}", 400, "bad_request"),
        ("POST", "/api/v1/promote", "{\"endpoint\":\"GET /a\",\"to\":\"everywhere\"}", 400, "bad_request"),
        ("POST", "/api/v1/promote", "{\"endpoint\":\"GET /a\"}", 404, "unknown_endpoint"),
        (
            "POST",
            "/api/v1/routes",
            "{\"endpoints\":[{\"endpoint\":\"GET /a{\",\"source\":\"x\"}]}",
            400,
            "bad_request",
        ),
        ("POST", "/api/v1/epochs", "{\"candidate\":\"\"}", 400, "bad_request"),
        ("GET", "/api/v1/plan", "", 400, "bad_request"),
        ("GET", "/api/v1/groups?severity=huge", "", 400, "bad_request"),
        ("GET", "/api/v1/groups?limit=-1", "", 400, "bad_request"),
        ("GET", "/api/v1/transitions?nonsense=1", "", 400, "bad_request"),
    ] {
        let answered = ask(admin, method, path, json, body);
        assert_eq!(answered.status, status, "{method} {path} {body}: {answered:?}");
        if expected != "none" {
            assert_eq!(code(&answered), expected, "{method} {path} {body}");
        }
    }
}

#[test]
fn of_many_endpoints_with_a_wrong_one_none_is_added() {
    let rig = Rig::new();
    let body = r#"{"endpoints":[{"endpoint":"GET /a","source":"x"},{"endpoint":"GET b","source":"x"}]}"#;
    let answered = ask(
        &rig.proxy().admin,
        "POST",
        "/api/v1/routes",
        "host: localhost\r\ncontent-type: application/json\r\n",
        body,
    );
    assert_eq!(answered.status, 400, "{answered:?}");
    assert_eq!(rig.json(0, &["routes"])["data"]["routes"].as_array().unwrap().len(), 0);
}

#[test]
fn bodies_that_have_no_room_beside_others_are_to_come_again() {
    let (_rig, proxy) =
        beside("[admin]\naddress = \"127.0.0.1:0\"\nrequest_body = \"64KiB\"\nrequest_bodies = \"64KiB\"\n");
    let promote = || {
        let headers = "host: localhost\r\ncontent-type: application/json\r\n";
        ask(&proxy.admin, "POST", "/api/v1/promote", headers, r#"{"endpoint":"GET /a"}"#)
    };
    assert_eq!(promote().status, 404, "there is room while nobody takes it");
    // All the room there is, for a body that does not come.
    let mut slow = TcpStream::connect(&proxy.admin).unwrap();
    let head = "POST /api/v1/promote HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 65536\r\n\r\n{";
    slow.write_all(head.as_bytes()).unwrap();
    eventually("the body that does not come has its room", || promote().status == 503);
    let refused = promote();
    assert_eq!(code(&refused), "busy", "{refused:?}");
    assert!(refused.head.contains("retry-after: 1"), "{refused:?}");
    assert_eq!(ask(&proxy.admin, "GET", "/api/v1/status", "host: localhost\r\n", "").status, 200);
    drop(slow);
    eventually("its room is there for others", || promote().status == 404);
}

#[test]
fn a_huge_body_is_refused_before_it_is_read() {
    let rig = Rig::new();
    let admin = &rig.proxy().admin;
    let head = "POST /api/v1/routes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\nconnection: close\r\n";
    let declared = raw(admin, &format!("{head}content-length: 99999999999\r\n\r\n"));
    assert_eq!((declared.status, code(&declared).as_str()), (413, "too_large"));
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, "a".repeat(1 << 20));
    let sent = raw(admin, &format!("{head}transfer-encoding: chunked\r\n\r\n{}0\r\n\r\n", chunk.repeat(20)));
    // It may close before the client has sent everything, and then the client may not see the answer.
    assert!(matches!(sent.status, 413 | 0), "{sent:?}");
    assert_eq!(rig.get("/same").status, 200);
    rig.expect(0, &["status"]);
}

#[test]
fn a_deployment_can_be_named_and_is_remembered() {
    let mut rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 5);
    rig.expect(0, &["plan", "GET", "/same", "--to", "live"]);
    let json = "host: localhost\r\ncontent-type: application/json\r\n";
    let named = ask(&rig.proxy().admin, "POST", "/api/v1/epochs", json, r#"{"candidate":"v2"}"#);
    assert_eq!(named.status, 200, "{named:?}");
    rig.expect(4, &["plan", "GET", "/same", "--to", "live"]);
    rig.kill();
    rig.start();
    assert_eq!(rig.json(0, &["status"])["data"]["epoch"]["candidate"], "v2");
}

#[test]
fn metrics_say_what_the_status_says() {
    let rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 4);
    let page = ask(&rig.proxy().admin, "GET", "/metrics", "host: localhost\r\n", "").body;
    for line in [
        "strangler_requests_total{endpoint=\"GET /same\",disposition=\"compared\",reason=\"match\"} 4",
        "strangler_requests_started_total{endpoint=\"GET /same\"} 4",
        "strangler_answers_total{endpoint=\"GET /same\",by=\"control\"} 4",
        "strangler_endpoint_info{endpoint=\"GET /same\",stage=\"shadow\",hold=\"none\"} 1",
        "strangler_store_failing 0",
    ] {
        assert!(page.lines().any(|found| found == line), "{line} is missing in\n{page}");
    }
    for line in page.lines().filter(|line| !line.starts_with('#')) {
        let value = line.rsplit(' ').next().unwrap();
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[test]
fn a_proxy_without_its_control_is_not_ready() {
    let mut rig = Rig::new();
    let ready = |rig: &Rig| ask(&rig.proxy().admin, "GET", "/readyz", "host: localhost\r\n", "");
    assert_eq!(ready(&rig).status, 200);
    rig.control = crate::upstream::Upstream::start(crate::rig::control);
    crate::rig::eventually("control is gone", || ready(&rig).status == 503);
    assert!(ready(&rig).body.contains("control cannot be reached"));
    assert_eq!(ask(&rig.proxy().admin, "GET", "/healthz", "host: localhost\r\n", "").status, 200);
}

/// A load balancer that takes the proxy out because of its store would make an outage of it.
#[test]
fn a_store_that_takes_nothing_is_told_and_clients_are_served() {
    let rig = Rig::new();
    rig.expect(0, &["routes", "add", "GET", "/same"]);
    let elsewhere = rusqlite::Connection::open(rig.dir.path().join("strangler.db")).unwrap();
    elsewhere.execute_batch("BEGIN IMMEDIATE").unwrap();
    let ready = || ask(&rig.proxy().admin, "GET", "/readyz", "host: localhost\r\n", "");
    assert_eq!(rig.get("/same").status, 200);
    crate::rig::eventually("it is told", || ready().body.contains("the store takes nothing"));
    assert_eq!(ready().status, 200);
    assert_eq!(rig.get("/same").status, 200);
    elsewhere.execute_batch("ROLLBACK").unwrap();
    crate::rig::eventually("it has recovered", || ready().body == "ready\n");
}
