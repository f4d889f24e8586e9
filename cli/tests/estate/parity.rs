//! mothership against what is to take its playlist endpoints over: the same requests, the same answers.

use std::sync::Arc;

use diff_harness::{
    compare::{Comparator, Limits},
    divergence::Severity,
    rules::Rules,
};

use estate_traffic::{endpoint::Endpoint, persona::Persona};

use crate::{
    estate::Candidate,
    outcomes::Outcomes,
    report::Report,
    run::{Plan, Stop, run},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_monolith_has_parity_with_itself() {
    let plan = plan(Candidate::Monolith, 4_000);
    let outcomes = run(&plan).await;
    check(&plan, &outcomes);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_private_track_that_became_public_is_found_as_an_exposure() {
    let candidate = Candidate::Altered("UPDATE tracks SET sharing = 'public' WHERE id = 102");
    let plan = Plan { stop: Stop::AtExposure, ..plan(candidate, 4_000) };
    let outcomes = run(&plan).await;
    let report = Report { plan: &plan, outcomes: &outcomes };
    assert_eq!(outcomes.worst(), Some(Severity::Exposure), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_title_that_differs_is_found_where_it_stands() {
    let candidate = Candidate::Altered("UPDATE playlists SET title = title || '.' WHERE id = 203");
    let plan = Plan { stop: Stop::AtFirst, ..plan(candidate, 4_000) };
    let outcomes = run(&plan).await;
    let report = Report { plan: &plan, outcomes: &outcomes }.to_string();
    assert!(report.contains("title"), "{report}");
}

/// Enough for every endpoint, as every persona, ten times.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_has_parity_with_the_monolith() {
    let plan = plan(Candidate::healthy(), 20_000);
    let outcomes = run(&plan).await;
    check(&plan, &outcomes);
}

/// `PARITY_REQUESTS`, `PARITY_SEED` and `PARITY_CHAPTER` say otherwise.
pub(crate) fn plan(candidate: Candidate, requests: u64) -> Plan {
    let number = |name: &str| {
        let text = std::env::var(name).ok()?;
        Some(text.parse::<u64>().unwrap_or_else(|_| panic!("{name}={text}: expected a whole number")))
    };
    let rules = Rules::parse(include_str!("../../../suites/estate/rules.toml"), "rules.toml")
        .expect("the declared rules are well-formed");
    Plan {
        seed: number("PARITY_SEED").unwrap_or(1),
        requests: number("PARITY_REQUESTS").unwrap_or(requests),
        chapter: number("PARITY_CHAPTER"),
        stop: Stop::Never,
        candidate,
        comparator: Arc::new(Comparator::new(rules, Limits::default())),
    }
}

/// Nothing differed, and it was not for want of asking.
fn check(plan: &Plan, outcomes: &Outcomes) {
    let report = Report { plan, outcomes };
    assert!(outcomes.findings.is_empty() && outcomes.other_events.is_empty(), "{report}");
    assert_eq!((outcomes.skipped, outcomes.both_failed), (0, 0), "{report}");
    println!("{report}");
    if plan.chapter.is_some() {
        return;
    }
    assert!(outcomes.compared >= plan.requests, "{report}");
    for (index, endpoint) in Endpoint::all().iter().enumerate() {
        for persona in Persona::ALL {
            let sent = outcomes.pairs.contains_key(&(index, persona));
            assert!(sent, "{} was never asked for as {}", endpoint.id, persona.name());
        }
        let statuses = &outcomes.statuses[&index];
        let good: u64 = statuses.range(200..300).map(|(_, count)| count).sum();
        // Of a handful of requests each, none of some need be one that may change anything.
        let enough = plan.requests >= 10_000;
        assert!(good > 0 || !enough, "{} never succeeded: {statuses:?}", endpoint.id);
    }
    let unused: Vec<_> =
        plan.comparator.rules().iter().filter(|rule| !outcomes.applied.contains(&rule.id)).collect();
    assert!(unused.is_empty(), "rules that found nothing to apply to: {unused:?}");
}
