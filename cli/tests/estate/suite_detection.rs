//! Each known bug of the service alone: whether the committed suites find it, and what they say.

use std::{fmt, sync::Arc};

use playlists_vas::regressions::{Harm, Regression, Regressions};
use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    estate::{Candidate, Estate},
    suites::{Ran, SUITES, run},
};

/// Bugs that are looked for at once.
const LANES: usize = 2;
const TAGS: [&str; 3] = ["public", "mobile", "web"];
/// Its answers are equal. What takes time is for the gate to find, which has the latencies of many requests.
const SLOW: Regression = Regression::SlowRelated;

struct Row {
    regression: Regression,
    found: Option<Found>,
}

/// The worst group of the first part of a suite that found the bug.
struct Found {
    part: String,
    endpoint: String,
    what: String,
    severity: String,
    group: String,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suites_find_every_regression_alone_and_every_leak_as_an_exposure() {
    let lanes = Arc::new(Semaphore::new(LANES));
    let mut looking = JoinSet::new();
    for regression in Regression::ALL.iter().copied().filter(|regression| *regression != SLOW) {
        let lanes = Arc::clone(&lanes);
        looking.spawn(async move {
            let _lane = lanes.acquire().await.expect("nobody closes the semaphore");
            Row { regression, found: look_for(regression).await }
        });
    }
    let mut rows = looking.join_all().await;
    rows.sort_by_key(|row| row.regression);
    println!("| regression | harm | found by | endpoint | what differed | severity | group |");
    println!("|---|---|---|---|---|---|---|");
    for row in &rows {
        println!("{row}");
    }
    let missed = rows.iter().filter(|row| row.found.is_none()).map(|row| row.regression.name());
    let missed: Vec<_> = missed.collect();
    assert!(missed.is_empty(), "no suite fails with {missed:?}");
}

/// Part by part, until one fails with exit code 3; of a leak, with an exposure. What a part finds the whole suite finds.
async fn look_for(regression: Regression) -> Option<Found> {
    let candidate = Candidate::Service(Regressions::new([regression]));
    let (control, candidate) = tokio::join!(Estate::control(), Estate::start(&candidate));
    let mut found = None;
    'parts: for (suite, jobs) in SUITES {
        for tag in TAGS.into_iter().filter(|tag| concerns(regression, tag)) {
            let ran = run(suite, jobs, &["--tag", tag], &control, &candidate).await;
            if ran.exit == 0 {
                continue;
            }
            assert_eq!(ran.exit, 3, "{regression}, {suite}, {tag}: {}", ran.said);
            let worst = worst(&ran, format!("{suite}, {tag}"));
            if regression.harm() == Harm::Wrong || worst.severity == "exposure" {
                found = Some(worst);
                break 'parts;
            }
        }
    }
    control.stop().await;
    candidate.stop().await;
    found
}

/// A bug of one dialect is said to be so, and is looked for there alone.
fn concerns(regression: Regression, tag: &str) -> bool {
    let of_one = TAGS.iter().find(|tag| regression.sentence().starts_with(&format!("{tag}:")));
    of_one.is_none_or(|one| *one == tag)
}

/// Groups are told worst first.
fn worst(ran: &Ran, part: String) -> Found {
    let group = &ran.report["groups"][0];
    let text = |name: &str| match &group[name] {
        Value::String(text) => text.clone(),
        other => panic!("a group has no {name}: {other} in {group}"),
    };
    Found {
        part,
        endpoint: text("endpoint"),
        what: format!("{} at `{}`", text("kind"), text("location")),
        severity: text("severity"),
        group: text("group"),
    }
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.regression.name();
        let harm = if self.regression.harm() == Harm::Leak { "leak" } else { "wrong" };
        let Some(Found { part, endpoint, what, severity, group }) = &self.found else {
            return write!(f, "| {name} | {harm} | none | | | | |");
        };
        write!(f, "| {name} | {harm} | {part} | `{endpoint}` | {what} | {severity} | {group} |")
    }
}
