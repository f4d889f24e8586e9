//! Each known bug of the service alone: whether it is found, after how many requests, where, how bad, and whether the gate
//! then refuses the endpoint.

use std::{fmt, sync::Arc};

use diff_harness::{
    divergence::{Divergence, Location, Severity},
    fingerprint::Fingerprint,
};
use estate_traffic::endpoint::Endpoint;
use playlists_vas::regressions::{Harm, Regression, Regressions};
use tokio::{sync::Semaphore, task::JoinSet};

use crate::{
    estate::Candidate,
    gate::{Beside, refuses},
    outcomes::{Finding, Outcomes},
    parity::plan,
    run::{Plan, Stop, run},
};

/// A bug that so many chapters do not show is not found.
const CHAPTERS: u64 = 10;
/// Bugs that are looked for at once.
const LANES: usize = 4;

/// A row of the table in docs/regressions.md.
struct Row {
    regression: Regression,
    found: Option<Found>,
}

struct Found {
    /// Comparisons up to the one that showed it.
    after: u64,
    endpoint: String,
    /// What differed, of the divergences of that comparison the worst.
    what: String,
    severity: Option<Severity>,
    group: String,
    /// Of a leak: comparisons up to the first that was an exposure.
    exposed_after: Option<u64>,
    /// Why the gate does not let the endpoint move. Of a leak: also when it is forced.
    refused: Vec<&'static str>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_regression_alone_is_found_and_every_leak_is_an_exposure() {
    let lanes = Arc::new(Semaphore::new(LANES));
    let mut looking = JoinSet::new();
    for regression in Regression::ALL {
        let lanes = Arc::clone(&lanes);
        looking.spawn(async move {
            let _lane = lanes.acquire().await.expect("nobody closes the semaphore");
            Row { regression: *regression, found: look_for(*regression).await }
        });
    }
    let mut rows = looking.join_all().await;
    rows.sort_by_key(|row| row.regression);
    println!("| regression | harm | found after | endpoint | what differed | severity | group | the gate |");
    println!("|---|---|---|---|---|---|---|---|");
    for row in &rows {
        println!("{row}");
    }
    let missed: Vec<&str> =
        rows.iter().filter(|row| row.found.is_none()).map(|row| row.regression.name()).collect();
    assert!(missed.is_empty(), "not found: {missed:?}");
    let unexposed = rows.iter().filter(|row| {
        let exposed = row.found.as_ref().is_some_and(|found| found.exposed_after.is_some());
        row.regression.harm() == Harm::Leak && !exposed
    });
    let unexposed: Vec<&str> = unexposed.map(|row| row.regression.name()).collect();
    assert!(unexposed.is_empty(), "leaks that are no exposure: {unexposed:?}");
    let let_through = rows.iter().filter(|row| {
        let expected = match row.regression {
            Regression::SlowRelated => "slower",
            regression if regression.harm() == Harm::Leak => "open_exposure",
            _ => "open_",
        };
        let refused = row.found.as_ref().map_or(&[][..], |found| &found.refused);
        !refused.iter().any(|reason| reason.starts_with(expected))
    });
    let let_through: Vec<&str> = let_through.map(|row| row.regression.name()).collect();
    assert!(let_through.is_empty(), "the gate lets these through: {let_through:?}");
}

#[test]
fn the_gate_lets_every_endpoint_through_of_which_nothing_bad_is_known() {
    for endpoint in Endpoint::all().into_iter().step_by(9) {
        assert_eq!(refuses(&endpoint.id, &Beside::Nothing, false), Vec::<&str>::new(), "{}", endpoint.id);
    }
}

#[test]
fn the_page_on_regressions_has_a_row_for_each() {
    let page = include_str!("../../../docs/regressions.md");
    for regression in Regression::ALL {
        assert!(page.contains(&format!("| {} |", regression.name())), "{regression} has no row");
    }
}

/// From chapter to chapter, until it is found; a leak until it is an exposure.
async fn look_for(regression: Regression) -> Option<Found> {
    let candidate = Candidate::Service(Regressions::new([regression]));
    let stop = if regression.harm() == Harm::Leak { Stop::AtExposure } else { Stop::AtFirst };
    let (mut before, mut found) = (0, None);
    for chapter in 0..CHAPTERS {
        let plan = Plan { chapter: Some(chapter), stop, ..plan(candidate.clone(), 0) };
        let outcomes = run(&plan).await;
        let exposure = |finding: &&Finding| finding.comparison.severity() == Some(Severity::Exposure);
        let exposed = outcomes.findings.iter().find(exposure);
        found = found.or_else(|| first(&outcomes, before));
        if let (Some(found), Some(exposed), Stop::AtExposure) = (&mut found, exposed, stop) {
            found.exposed_after.get_or_insert(before + exposed.after);
            let id = &Endpoint::all()[exposed.ask.endpoint].id;
            found.refused = refuses(id, &Beside::Mismatch(exposed), true);
        }
        let done = found.as_ref().is_some_and(|found| stop == Stop::AtFirst || found.exposed_after.is_some());
        if done {
            break;
        }
        before += outcomes.compared;
    }
    found
}

fn first(outcomes: &Outcomes, before: u64) -> Option<Found> {
    let endpoints = Endpoint::all();
    if let Some(finding) = outcomes.findings.first() {
        let id = &endpoints[finding.ask.endpoint].id;
        // Of the worst, one in the body says more than its length in a header.
        let in_body = |divergence: &Divergence| !matches!(divergence.location, Location::Header { .. });
        let worst = finding.comparison.divergences.iter().max_by_key(|it| (it.severity, in_body(it)));
        return Some(Found {
            after: before + finding.after,
            endpoint: id.to_string(),
            what: worst.map_or_else(
                || finding.headers.join("; "),
                |worst| format!("{} at `{}`", worst.kind.as_str(), worst.location.generalized()),
            ),
            severity: worst.map(|worst| worst.severity),
            group: worst.map_or_else(String::new, |worst| Fingerprint::of(id, worst).to_string()),
            exposed_after: None,
            refused: refuses(id, &Beside::Mismatch(finding), false),
        });
    }
    outcomes.slow.as_ref().map(|slow| Found {
        after: before + slow.after,
        endpoint: endpoints[slow.endpoint].id.to_string(),
        what: format!("{} ms at best, control {} ms", slow.candidate.as_millis(), slow.control.as_millis()),
        severity: None,
        group: "latency".to_owned(),
        exposed_after: None,
        refused: refuses(&endpoints[slow.endpoint].id, &Beside::Slow(slow.control, slow.candidate), false),
    })
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.regression.name();
        let harm = if self.regression.harm() == Harm::Leak { "leak" } else { "wrong" };
        let Some(found) = &self.found else {
            return write!(f, "| {name} | {harm} | never | | | | | |");
        };
        let Found { after, endpoint, what, severity, group, exposed_after, refused } = found;
        let severity = severity.map_or("", Severity::as_str);
        let later = match exposed_after {
            Some(exposed) if exposed > after => format!(", `exposure` after {exposed}"),
            _ => String::new(),
        };
        let gate = refused.join(", ");
        write!(
            f,
            "| {name} | {harm} | {after} | `{endpoint}` | {what} | {severity}{later} | {group} | {gate} |"
        )
    }
}
