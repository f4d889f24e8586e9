//! Requests that servers read in different ways: each is refused, or reaches the upstream in exactly one reading.
//!
//! `requests.toml` has one entry for each, with what RFCs demand and what it comes to; `responses.toml` the same of upstreams. A line
//! behind every request asks for `/marker`: it is seen as the request that it is, or not at all.

mod demand;
mod downgrade;
mod readers;
mod recorder;
mod responses;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use serde::Deserialize;

use super::client::field;
use super::proxy::{Plan, Proxy};
use crate::shadow::rig::PATIENCE;
use demand::{Demand, Judged, departures};
use recorder::{Recorder, shown};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Corpus {
    request: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Entry {
    name: String,
    /// The sections that it is judged by.
    source: String,
    demand: Demand,
    /// Which way is taken where the sections leave a choice, and why.
    why: Option<String>,
    /// Why what is demanded is not done.
    departs: Option<String>,
    /// With `\r`, `\n`, `\t`, `\\`, `\xNN`, and `\*5:x` for five times x.
    raw: String,
    /// What the client gets, one after the other: the status and the reason of a refusal, or 200 and the request as the
    /// upstream has read it. Nothing more comes to the upstream. The connection is closed after the last of them.
    answers: Vec<String>,
}

impl Entry {
    fn judged(&self) -> Judged<'_> {
        Judged {
            name: &self.name,
            source: &self.source,
            demand: self.demand,
            why: self.why.as_deref(),
            departs: self.departs.as_deref(),
            is_kept: self.demand.is_kept_by(&self.answers),
        }
    }
}

const MARKER: &[u8] = b"GET /marker HTTP/1.1\r\nHost: marker\r\nConnection: close\r\n\r\n";

fn corpus() -> Vec<Entry> {
    let corpus: Corpus = toml::from_str(include_str!("requests.toml")).unwrap();
    corpus.request
}

fn proxy(recorder: &Recorder) -> Proxy {
    let plan = Plan::new(recorder.address);
    // The recorder never asks for a body that is held back.
    plan.with(|config| config.timeouts.expect = Duration::from_millis(1)).start()
}

#[test]
fn every_ambiguous_request_is_refused_or_has_one_reading() {
    let recorder = Recorder::start();
    let proxy = proxy(&recorder);
    let corpus = corpus();
    assert!(corpus.len() >= 200, "{} entries", corpus.len());
    let mut wrong = String::new();
    for entry in &corpus {
        let before: Vec<_> = proxy.plane().refusals().by_reason().collect();
        let answers = send(proxy.address, &[&bytes(&entry.raw), MARKER].concat());
        check(&recorder, &answers, &entry.name);
        for reason in answers.iter().filter_map(|answer| answer.split_once(' ')).filter_map(refusal) {
            let counted = before.iter().find(|(word, _)| *word == reason).map_or(0, |(_, n)| *n);
            if proxy.refused(reason) != counted + 1 {
                wrong += &format!("{}: {reason} was not counted once\n", entry.name);
            }
        }
        if answers != entry.answers {
            wrong += &format!(
                "{} ({})\n  expected {:?}\n  got      {answers:?}\n",
                entry.name, entry.source, entry.answers
            );
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

/// What the corpus expects is derived from what the RFCs demand, not from what the proxy does.
#[test]
fn what_is_expected_of_requests_is_what_the_rfcs_demand() {
    let corpus = corpus();
    assert_eq!(departures(corpus.iter().map(Entry::judged)), ["chunked: a comma after it"]);
}

/// What comes in one piece with the request before it is read by other code than what comes by itself.
#[test]
fn an_ambiguous_request_behind_another_has_one_reading_too() {
    const FIRST: &[u8] = b"GET /first HTTP/1.1\r\nHost: first\r\n\r\n";
    let recorder = Recorder::start();
    let proxy = proxy(&recorder);
    for entry in corpus() {
        let answers = send(proxy.address, &[FIRST, &bytes(&entry.raw), MARKER].concat());
        check(&recorder, &answers, &entry.name);
        assert_eq!(answers[0], "200 GET /first", "{}", entry.name);
        // What the library does not tell of is seen in the bytes of the head, where they come by themselves. Else a message
        // with both lengths is read by its chunks alone and the connection ends with it (RFC 9112 §6.3), and a fragment
        // is left out: both ways are safe.
        // So it is where OPTIONS without a path would ask for the server as a whole: it asks for `/`.
        if !["400 two_lengths", "400 fragment", "200 OPTIONS *"].contains(&entry.answers[0].as_str()) {
            assert_eq!(answers[1..], entry.answers, "{}", entry.name);
        }
    }
}

/// Cases that are the same ones every time. `STRANGLER_TEST_SEED` makes others of them, as many as `STRANGLER_TEST_CASES`.
fn seed_and_cases() -> (u64, u64) {
    let given = |name| std::env::var(name).ok().map(|text| text.parse().expect(name));
    (given("STRANGLER_TEST_SEED").unwrap_or(1), given("STRANGLER_TEST_CASES").unwrap_or(1_500))
}

/// Requests that nobody has thought of: entries cut, spliced and garbled at random.
#[test]
fn garbled_requests_have_one_reading() {
    let (seed, cases) = seed_and_cases();
    let mut random = fastrand::Rng::with_seed(seed);
    let recorder = Recorder::start();
    let proxy = proxy(&recorder);
    let raws: Vec<_> =
        corpus().iter().map(|entry| bytes(&entry.raw)).filter(|raw| raw.len() < 2_000).collect();
    for case in 0..cases {
        let raw = [&garbled(&mut random, &raws), MARKER].concat();
        let told = format!("STRANGLER_TEST_SEED={seed}, case {case}: {}", raw.escape_ascii());
        let answers = send(proxy.address, &raw);
        check(&recorder, &answers, &told);
    }
}

/// What the upstream has seen is what the client was answered, in the same order, and each of it has one reading.
fn check(recorder: &Recorder, answers: &[String], told: &str) {
    let seen: Vec<_> = recorder.take(told).iter().map(|request| format!("200 {}", shown(request))).collect();
    let answered: Vec<_> = answers.iter().filter(|answer| answer.starts_with("200 ")).cloned().collect();
    assert_eq!(seen, answered, "{told}\nthe upstream has seen other requests than were answered");
}

/// Sends all of it, closes its half, and gives what was answered until the proxy closed.
fn send(address: SocketAddr, raw: &[u8]) -> Vec<String> {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // The proxy may have refused it and closed before its end.
    let _ = stream.write_all(raw).and_then(|()| stream.shutdown(Shutdown::Write));
    let mut got = Vec::new();
    if let Err(error) = stream.read_to_end(&mut got) {
        assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset, "{}", raw.escape_ascii());
    }
    answers(&got)
}

fn answers(mut got: &[u8]) -> Vec<String> {
    let mut answers = Vec::new();
    while !got.is_empty() {
        let end = got.windows(4).position(|four| four == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8_lossy(&got[..end + 2]).into_owned();
        got = &got[end + 4..];
        let status = &head[9..12];
        if status.starts_with('1') {
            continue;
        }
        let seen = field(&head, "x-seen");
        // A response to HEAD has a length and no body.
        let is_refusal = field(&head, "content-type") == Some("application/problem+json");
        let length: usize = field(&head, "content-length").map_or(0, |length| length.parse().unwrap());
        let is_there = is_refusal && got.first() == Some(&b'{');
        let (body, rest) = got.split_at(if is_there { length } else { 0 });
        got = rest;
        let reason = serde_json::from_slice::<serde_json::Value>(body).ok();
        let reason = reason.map(|problem| problem["reason"].as_str().unwrap().to_owned());
        answers.push(format!("{status} {}", seen.map(str::to_owned).or(reason).unwrap_or_default()));
    }
    answers
}

/// The reason of an answer that is a refusal.
fn refusal<'a>((status, rest): (&'a str, &'a str)) -> Option<&'a str> {
    (status != "200" && !rest.is_empty()).then_some(rest)
}

fn garbled(random: &mut fastrand::Rng, raws: &[Vec<u8>]) -> Vec<u8> {
    const PIECES: [&[u8]; 24] = [
        b"\r\n",
        b"\n",
        b"\r",
        b" ",
        b"\t",
        b"\0",
        b"\x0b",
        b":",
        b",",
        b";",
        b"0",
        b"0\r\n\r\n",
        b"3\r\nabc\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: ",
        b"chunked",
        b"Content-Length: 3\r\n",
        b"Content-Length: 0\r\n",
        b"Host: b\r\n",
        b"Connection: close\r\n",
        b"GET /hidden HTTP/1.1\r\nHost: a\r\n\r\n",
        b"HTTP/1.0",
        b"\xff",
        b"Expect: 100-continue\r\n",
    ];
    let pick = |random: &mut fastrand::Rng| raws[random.usize(..raws.len())].clone();
    let mut raw = pick(random);
    for _ in 0..random.usize(1..=4) {
        let at = random.usize(..=raw.len());
        match random.u8(..7) {
            0 => drop(raw.splice(at..at, PIECES[random.usize(..PIECES.len())].iter().copied())),
            1 => drop(raw.drain(at..raw.len().min(at + random.usize(..8)))),
            2 => raw.iter_mut().skip(at).take(1).for_each(|byte| *byte = random.u8(..)),
            3 => {
                // A line once more, somewhere else.
                let lines: Vec<_> = raw.split_inclusive(|byte| *byte == b'\n').map(<[u8]>::to_vec).collect();
                if !lines.is_empty() {
                    let line = lines[random.usize(..lines.len())].clone();
                    let before: usize = lines[..random.usize(..=lines.len())].iter().map(Vec::len).sum();
                    drop(raw.splice(before..before, line));
                }
            }
            4 => raw.iter_mut().skip(at).take(12).for_each(|byte| {
                *byte = if random.bool() { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
            }),
            5 => {
                let other = pick(random);
                raw.truncate(at);
                raw.extend_from_slice(&other[random.usize(..=other.len())..]);
            }
            _ => raw.extend_from_slice(&pick(random)),
        }
    }
    raw
}

/// The bytes that an entry is written for.
fn bytes(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes().iter();
    while let Some(byte) = rest.next() {
        if *byte != b'\\' {
            bytes.push(*byte);
            continue;
        }
        let byte = match rest.next() {
            Some(b'r') => b'\r',
            Some(b'n') => b'\n',
            Some(b't') => b'\t',
            Some(b'\\') => b'\\',
            Some(b'*') => {
                let (times, of) = std::str::from_utf8(rest.as_slice()).unwrap().split_once(':').unwrap();
                bytes.extend(std::iter::repeat_n(of.as_bytes()[0], times.parse::<usize>().unwrap() - 1));
                rest = of.as_bytes()[1..].iter();
                of.as_bytes()[0]
            }
            Some(b'x') => {
                let digits = [*rest.next().unwrap(), *rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => panic!("\\{other:?} is no escape, in {text}"),
        };
        bytes.push(byte);
    }
    bytes
}
