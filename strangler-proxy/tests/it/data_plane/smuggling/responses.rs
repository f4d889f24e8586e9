//! Responses that are broken, or that could be read in two ways: the client gets what is sure of them, and never a byte
//! of one as the answer to another request.

use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};

use serde::Deserialize;

use super::super::client::field;
use super::super::origin::{Origin, ok};
use super::super::proxy::Proxy;
use super::bytes;
use super::demand::{Demand, Judged, departures};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    response: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    source: String,
    demand: Demand,
    why: Option<String>,
    departs: Option<String>,
    /// With escapes, as in a request.
    raw: String,
    #[serde(default = "get")]
    method: String,
    /// The upstream closes behind it.
    #[serde(default)]
    closes: bool,
    /// What the client gets: status and body, status and `cut` and what came of the body, or status and the reason of a
    /// refusal.
    client: String,
    /// Whether the connection is used for the next request.
    reused: bool,
}

fn get() -> String {
    "GET".to_owned()
}

#[test]
fn what_is_expected_of_responses_is_what_the_rfcs_demand() {
    let corpus: Corpus = toml::from_str(include_str!("responses.toml")).unwrap();
    let judged = corpus.response.iter().map(|entry| Judged {
        name: &entry.name,
        source: &entry.source,
        demand: entry.demand,
        why: entry.why.as_deref(),
        departs: entry.departs.as_deref(),
        is_kept: entry.demand.is_kept_by_response(&entry.client, entry.reused),
    });
    assert_eq!(departures(judged), [""; 0]);
}

#[test]
fn every_broken_response_is_told_as_that_and_nothing_of_it_answers_another_request() {
    let corpus: Corpus = toml::from_str(include_str!("responses.toml")).unwrap();
    let mut wrong = String::new();
    for entry in &corpus.response {
        let (raw, closes, was_sent) = (bytes(&entry.raw), entry.closes, AtomicBool::new(false));
        let control = Origin::scripted(move |line| {
            while line.request().is_some() {
                if was_sent.swap(true, Ordering::SeqCst) {
                    line.send(ok("the second"));
                    continue;
                }
                line.send(&raw);
                if closes {
                    return;
                }
            }
        });
        let proxy = Proxy::to(&control);
        let mut client = proxy.client();
        client.send(format!("{} /first HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", entry.method));
        let mut got = Vec::new();
        let _ = client.stream().read_to_end(&mut got);
        let got = understood(&got, &entry.method);
        for _ in 0..3 {
            assert_eq!(proxy.client().get("/second").text(), "the second", "{}", entry.name);
        }
        let reused = control.connections() == 1;
        if (&got, reused) != (&entry.client, entry.reused) {
            wrong += &format!(
                "{} ({})\n  expected {:?}, reused {}\n  got      {got:?}, reused {reused}\n",
                entry.name, entry.source, entry.client, entry.reused
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(corpus.response.len() >= 40);
}

/// The final response, in the words of an entry.
fn understood(mut got: &[u8], method: &str) -> String {
    loop {
        let Some(end) = got.windows(4).position(|four| four == b"\r\n\r\n") else {
            return "nothing".to_owned();
        };
        let head = String::from_utf8_lossy(&got[..end + 2]).into_owned();
        let body = &got[end + 4..];
        let status = &head[9..12];
        if status.starts_with('1') {
            got = body;
            continue;
        }
        if field(&head, "content-type") == Some("application/problem+json") {
            let problem: serde_json::Value = serde_json::from_slice(body).unwrap();
            return format!("{status} {}", problem["reason"].as_str().unwrap());
        }
        let (body, is_whole) = if method == "HEAD" || status == "204" || status == "304" {
            let length =
                field(&head, "content-length").map_or(String::new(), |length| format!("of {length}"));
            (format!("{length}{}", body.escape_ascii()), true)
        } else if field(&head, "transfer-encoding") == Some("chunked") {
            chunks(body)
        } else {
            let length: usize = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
            (body.escape_ascii().to_string(), body.len() == length)
        };
        let cut = if is_whole { "" } else { "cut " };
        return format!("{status} {cut}{body}").trim_end().to_owned();
    }
}

fn chunks(mut bytes: &[u8]) -> (String, bool) {
    let mut body = String::new();
    loop {
        let Some(end) = bytes.windows(2).position(|two| two == b"\r\n") else { return (body, false) };
        let size = usize::from_str_radix(std::str::from_utf8(&bytes[..end]).unwrap(), 16).unwrap();
        if size == 0 {
            return (body, bytes[end..].ends_with(b"\r\n\r\n"));
        }
        let data = &bytes[end + 2..];
        body += &data[..size.min(data.len())].escape_ascii().to_string();
        let Some(rest) = data.get(size + 2..) else { return (body, false) };
        bytes = rest;
    }
}
