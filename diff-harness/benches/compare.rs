//! What a comparison costs, as a ratio to parsing both bodies with serde_json in the same run:
//!
//! ```text
//! cargo bench -p diff-harness --bench compare
//! ```
//!
//! Each figure is the median of many rounds in which the measured things take turns.

use std::hint::black_box;
use std::time::{Duration, Instant};

use bytes::Bytes;
use diff_harness::compare::{Comparator, Limits};
use diff_harness::comparison::{Judgement, Verdict};
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{CapturedBody, Observation, Outcome, Request, Response};
use diff_harness::rules::Rules;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

const RULES: &str = r#"
[[rules]]
id = "created-at"
path = "$..created_at"
action = "format"
format = "timestamp"
reason = "each side writes its own"

[[rules]]
id = "tags"
path = "$.collection[*].tags"
action = "unordered"
reason = "a set"
"#;

fn main() {
    // Cargo asks every target for its tests; there are none here.
    if std::env::args().any(|argument| argument == "--test" || argument == "--list") {
        return;
    }
    let plain = Comparator::new(Rules::default(), Limits::default());
    let ruled =
        Comparator::new(Rules::parse(RULES, "rules.toml").expect("the rules are right"), Limits::default());
    println!(
        "{:<34} {:>10} {:>12} {:>8} {:>14} {:>8}",
        "", "body", "compare", "ratio", "with 2 rules", "ratio"
    );
    for (size, tracks) in [("10 KB", 27), ("1 MB", 2800)] {
        let original = collection(tracks);
        let anonymous = anonymous(&original);
        let mut cases: Vec<_> = variants(&original).into_iter().map(|case| (&original, case)).collect();
        let without_ids = variants_without_ids(&anonymous);
        cases.extend(without_ids.into_iter().map(|case| (&anonymous, case)));
        for (original, (name, changed, verdict)) in cases {
            let control = serde_json::to_vec(original).expect("a value can be written");
            let candidate = serde_json::to_vec(&changed).expect("a value can be written");
            let measured = measure(&plain, &ruled, &control, &candidate, verdict);
            let [parse, compare, with_rules] = measured;
            let ratio = |time: Duration| time.as_secs_f64() / parse.as_secs_f64();
            println!(
                "{:<34} {:>10} {:>12} {:>8.3} {:>14} {:>8.3}",
                format!("{size}, {name}"),
                control.len(),
                format!("{compare:.1?}"),
                ratio(compare),
                format!("{with_rules:.1?}"),
                ratio(with_rules),
            );
        }
    }
    println!(
        "\nratio: to parsing both bodies into serde_json::Value. Aim: equal at memcmp speed, others up to 1.5."
    );
}

fn measure(
    plain: &Comparator,
    ruled: &Comparator,
    control: &[u8],
    candidate: &[u8],
    verdict: Verdict,
) -> [Duration; 3] {
    let endpoint = EndpointId::new(Method::GET, "/tracks");
    let request = Request {
        method: Method::GET,
        target: "/tracks".to_owned(),
        headers: HeaderMap::new(),
        body: CapturedBody::empty(),
    };
    let sides = (observation(control), observation(candidate));
    let compare = |comparator: &Comparator| match comparator.compare(&endpoint, &request, &sides.0, &sides.1)
    {
        Judgement::Compared(comparison) => comparison,
        Judgement::Skipped(reason) => panic!("skipped: {}", reason.as_str()),
    };
    assert_eq!(compare(plain).verdict(), verdict, "{:?}", compare(plain));

    let rounds = (40_000_000 / control.len()).clamp(25, 2000);
    let mut times: [Vec<Duration>; 3] = Default::default();
    for _ in 0..rounds {
        times[0].push(timed(|| {
            black_box(serde_json::from_slice::<Value>(black_box(control)).expect("it was just written"));
            black_box(serde_json::from_slice::<Value>(black_box(candidate)).expect("it was just written"));
        }));
        times[1].push(timed(|| drop(black_box(compare(plain)))));
        times[2].push(timed(|| drop(black_box(compare(ruled)))));
    }
    times.map(|mut times| {
        times.sort();
        times[times.len() / 2]
    })
}

fn timed(work: impl FnOnce()) -> Duration {
    let start = Instant::now();
    work();
    start.elapsed()
}

/// Bodies of the two sides never share memory, as they do not in the proxy.
fn observation(body: &[u8]) -> Observation {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json; charset=utf-8"));
    let body = CapturedBody::Whole(Bytes::copy_from_slice(body));
    Observation {
        outcome: Outcome::Response(Response { status: StatusCode::OK, headers, body }),
        latency: Duration::ZERO,
    }
}

/// Something like a page of tracks: nested objects, short strings, URLs, numbers, nulls.
fn collection(tracks: u64) -> Value {
    let track = |n: u64| {
        let mixed = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        json!({
            "id": 1_000_000 + n,
            "title": format!("Track number {n} – “live” {mixed:x}"),
            "duration": mixed % 600_000,
            "created_at": format!("20{:02}-0{}-1{}T10:{:02}:00Z", mixed % 24, n % 9 + 1, n % 10, n % 60),
            "streamable": !n.is_multiple_of(7),
            "description": if n.is_multiple_of(3) { Value::Null } else { json!("words ".repeat((mixed % 12) as usize)) },
            "permalink_url": format!("https://media.example/user-{}/track-{n}", mixed % 97),
            "tags": ["ambient", "live", format!("tag-{}", mixed % 31)],
            "user": { "id": mixed % 97, "username": format!("user-{}", mixed % 97), "avatar_url": null },
            "playback": { "count": mixed % 100_000, "rate": (mixed % 1000) as f64 / 1000.0 },
        })
    };
    json!({ "collection": (0..tracks).map(track).collect::<Vec<_>>(), "next_href": null })
}

fn variants(original: &Value) -> Vec<(&'static str, Value, Verdict)> {
    let with = |change: &dyn Fn(&mut Vec<Value>)| {
        let mut changed = original.clone();
        change(changed["collection"].as_array_mut().expect("a collection is an array"));
        changed
    };
    let middle = |tracks: &Vec<Value>| tracks.len() / 2;
    vec![
        ("equal", original.clone(), Verdict::Match),
        (
            "one leaf differs",
            with(&|tracks| {
                let at = middle(tracks);
                tracks[at]["playback"]["count"] = json!(-1);
            }),
            Verdict::Mismatch,
        ),
        (
            "one element inserted",
            with(&|tracks| {
                let mut extra = tracks[0].clone();
                extra["id"] = json!(7);
                tracks.insert(middle(tracks), extra);
            }),
            Verdict::Mismatch,
        ),
        ("elements reversed", with(&|tracks| tracks.reverse()), Verdict::Mismatch),
        ("members reordered", reordered(original), Verdict::Match),
    ]
}

fn variants_without_ids(original: &Value) -> Vec<(&'static str, Value, Verdict)> {
    let mut reversed = original.clone();
    reversed["collection"].as_array_mut().expect("a collection is an array").reverse();
    vec![("elements without ids reversed", reversed, Verdict::Mismatch)]
}

/// The same elements without an id: they can only be matched by what they hold.
fn anonymous(original: &Value) -> Value {
    let mut changed = original.clone();
    for track in changed["collection"].as_array_mut().expect("a collection is an array") {
        let fields = track.as_object_mut().expect("a track is an object");
        let id = fields.remove("id").expect("a track has an id");
        fields.insert("number".to_owned(), id);
        fields.remove("permalink_url");
    }
    changed
}

/// The same value with the members of every object written in the opposite order.
fn reordered(value: &Value) -> Value {
    match value {
        Value::Object(members) => {
            Value::Object(members.iter().rev().map(|(key, value)| (key.clone(), reordered(value))).collect())
        }
        Value::Array(elements) => Value::Array(elements.iter().map(reordered).collect()),
        other => other.clone(),
    }
}
