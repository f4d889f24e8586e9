//! Starting and draining.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use http::{Method, StatusCode};
use serde_json::json;

use crate::support::{Database, Monolith, Request, SEED};

#[tokio::test]
async fn a_request_under_way_is_finished_and_the_listener_is_closed() {
    let monolith = Monolith::start().await;
    let address = monolith.address;
    let waiting = monolith.service(Method::GET, "/internal/v1/events?wait_ms=30000").start(address);
    // Asking the counters twice makes sure that the long poll has been taken before the drain starts.
    let counted = async {
        loop {
            let counters = monolith.service(Method::GET, "/internal/v1/counters").send(address).await.json();
            let operations = counters["operations"].as_array().unwrap().clone();
            if operations.iter().any(|operation| operation["path"] == "/internal/v1/events") {
                break;
            }
        }
        monolith.stop().await
    };
    let (answer, drained) = tokio::join!(waiting, counted);
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(drained.cut, 0);
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test]
async fn requests_are_counted_by_engine_and_operation() {
    let monolith = Monolith::start().await;
    for _ in 0..3 {
        monolith.internal("/internal/v1/playlists/batch", &json!({ "ids": [201] })).await;
    }
    monolith.internal("/playlist_authorization/v1/check", &json!({})).await;
    let refused = Request::new(Method::GET, "/internal/v1/clock").send(monolith.address).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
    monolith.service(Method::GET, "/internal/v1/nothing/here").send(monolith.address).await;
    let counters = monolith.service(Method::GET, "/internal/v1/counters").send(monolith.address).await.json();
    let operation = |engine: &str, method: &str, path: &str, requests: u64| json!({ "engine": engine, "method": method, "path": path, "requests": requests });
    assert_eq!(
        counters["operations"],
        json!([
            operation("internal", "GET", "(unmatched)", 1),
            operation("internal", "GET", "/internal/v1/clock", 1),
            operation("internal", "GET", "/internal/v1/counters", 1),
            operation("internal", "POST", "/internal/v1/playlists/batch", 3),
            operation("playlist_authorization", "POST", "/playlist_authorization/v1/check", 1),
        ])
    );
}

struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[tokio::test]
async fn the_program_prints_its_address_serves_and_stops_on_sigterm() {
    let database = Database::fresh();
    let mut program = Killed(
        Command::new(env!("CARGO_BIN_EXE_mothership"))
            .args([
                "--listen",
                "127.0.0.1:0",
                "--now",
                "2026-01-01T00:00:00Z",
                "--seed",
                &SEED.to_string(),
                "--db",
            ])
            .arg(database.path())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap(),
    );
    let mut line = String::new();
    BufReader::new(program.0.stdout.as_mut().unwrap()).read_line(&mut line).unwrap();
    let address = line.trim().strip_prefix("http://").unwrap().parse().unwrap();
    let clock = Request::new(Method::GET, "/internal/v1/clock").header("authorization", "Bearer svc-local");
    assert_eq!(clock.send(address).await.json(), json!({ "now": "2026-01-01T00:00:00Z" }));
    let signalled = Command::new("kill").args(["-TERM", &program.0.id().to_string()]).status().unwrap();
    assert!(signalled.success());
    assert!(program.0.wait().unwrap().success());
}

#[test]
fn a_database_of_another_seed_is_refused_with_what_to_do() {
    let database = Database::fresh();
    let output = Command::new(env!("CARGO_BIN_EXE_mothership"))
        .args(["--listen", "127.0.0.1:0", "--seed", "8", "--db"])
        .arg(database.path())
        .output()
        .unwrap();
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("was made with --scale small --seed 7"), "{message}");
}
