//! What it costs to match a route: `cargo run --release -p strangler-proxy --example match_routes [TEMPLATES]`.
//!
//! Prints the time of one match, and its ratio to copying the same path once, measured in the same run.

use std::hint::black_box;
use std::time::{Duration, Instant};

use http::Method;
use strangler_proxy::routes::{MatchPolicy, Matcher, PathPolicy, PathView, Template};

const ROUNDS: usize = 2_000;

fn main() {
    let wanted = std::env::args().nth(1).and_then(|text| text.parse().ok()).unwrap_or(1_200);
    let templates: Vec<_> = templates().take(wanted).collect();
    let paths: Vec<_> = templates.iter().map(|text| path_of(text)).collect();
    let routes = templates.iter().enumerate().map(|(n, text)| {
        (Method::GET, Template::parse(text).expect("the templates of this benchmark are well-formed"), n)
    });
    let (matcher, ties) = Matcher::build(routes, MatchPolicy::default());
    assert!(ties.is_empty(), "no two templates of this benchmark are the same");

    let policy = PathPolicy::default();
    let views: Vec<_> = paths
        .iter()
        .map(|path| PathView::of(path, &policy).expect("the paths of this benchmark are unambiguous"))
        .collect();
    let copying = timed(&paths, String::clone);
    let viewing = timed(&paths, |path| black_box(PathView::of(path, &policy)).is_ok());
    let finding = timed(&views, |view| matcher.find(&Method::GET, view).copied());
    let both = timed(&paths, |path| {
        let view = PathView::of(path, &policy).expect("the paths of this benchmark are unambiguous");
        matcher.find(&Method::GET, &view).copied()
    });

    let ratio = |time: Duration| time.as_secs_f64() / copying.as_secs_f64();
    println!("{} templates, each path in turn, {ROUNDS} rounds", templates.len());
    for (name, time) in
        [("copy the path", copying), ("view", viewing), ("find", finding), ("view and find", both)]
    {
        println!("{name:<14} {:>7.1} ns  {:>5.2} x copying", time.as_secs_f64() * 1e9, ratio(time));
    }
}

/// The mean time of one call.
fn timed<T, R>(inputs: &[T], work: impl Fn(&T) -> R) -> Duration {
    let start = Instant::now();
    for _ in 0..ROUNDS {
        for input in inputs {
            black_box(work(black_box(input)));
        }
    }
    let calls = ROUNDS * inputs.len();
    Duration::from_secs_f64(start.elapsed().as_secs_f64() / calls as f64)
}

/// The shapes of a large public API, over many resources.
fn templates() -> impl Iterator<Item = String> {
    const SHAPES: [&str; 8] = [
        "/repos/{owner}/{repo}/res",
        "/repos/{owner}/{repo}/res/{id}",
        "/repos/{owner}/{repo}/res/{base}...{head}",
        "/repos/{owner}/{repo}/res/{id}.{format}",
        "/orgs/{org}/res/{id}/members/{user}",
        "/orgs/{org}/res/latest",
        "/res/{id}@{time}",
        "/files/res/{path*}",
    ];
    (0..).flat_map(|n| SHAPES.map(|shape| shape.replace("/res", &format!("/resource-{n}"))))
}

fn path_of(template: &str) -> String {
    let mut path = template.to_owned();
    for (name, value) in [
        ("{owner}", "ferris"),
        ("{repo}", "crab"),
        ("{id}", "4711"),
        ("{path*}", "a/b/c"),
        ("{org}", "rust-lang"),
    ] {
        path = path.replace(name, value);
    }
    for (name, value) in
        [("{base}", "main"), ("{head}", "topic"), ("{format}", "json"), ("{user}", "me"), ("{time}", "9")]
    {
        path = path.replace(name, value);
    }
    path
}
