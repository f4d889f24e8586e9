//! Who may do what.

use diff_harness::suite::outcome::FailOn;
use diff_harness::suite::report::RunVerdict;

use super::server::{Asked, Reply, Server, json};
use super::sides::{Sides, assert_pass, found, judge};

const SUITE: &str = "
suite: x
personas:
  anonymous: {}
  owner: { headers: { X-Who: owner } }
  other: { headers: { X-Who: other } }
defaults: { personas: [all] }
cases:
- { name: private, request: { path: /private } }
- { name: public, request: { path: /public } }
";

fn strict(asked: &Asked) -> Reply {
    match (asked.target.as_str(), asked.header("x-who")) {
        ("/private", Some("owner")) | ("/public", _) => json(200, r#"{"ok":true}"#),
        _ => json(404, "{}"),
    }
}

fn leaking(asked: &Asked) -> Reply {
    match asked.header("x-who") {
        Some(_) => json(200, r#"{"ok":true}"#),
        None => strict(asked),
    }
}

#[test]
fn the_matrix_says_what_each_side_allowed_each_persona() {
    let (control, candidate) = (Server::start(strict), Server::start(strict));
    let report = Sides::of(SUITE, &control, &candidate).run();
    assert_pass(&report);
    let cells: Vec<String> = report
        .matrix
        .iter()
        .map(|(endpoint, persona, cell)| format!("{endpoint} {persona} {}", cell.control))
        .collect();
    assert_eq!(
        cells,
        [
            "GET /private anonymous refused 0/1",
            "GET /private other refused 0/1",
            "GET /private owner allowed 1/1",
            "GET /public anonymous allowed 1/1",
            "GET /public other allowed 1/1",
            "GET /public owner allowed 1/1",
        ]
    );
}

#[test]
fn a_cell_where_the_candidate_allows_more_is_an_exposure_and_fails_the_run() {
    let (control, candidate) = (Server::start(strict), Server::start(leaking));
    let mut sides = Sides::of(SUITE, &control, &candidate);
    let report = sides.run();
    assert_eq!(found(&report), ["exposure status private status"]);
    assert_eq!(report.matrix.exposed(), 1);
    assert_eq!(report.verdict(FailOn::Exposure), RunVerdict::Diverged);
    // Not even a rule that is blind to statuses hides it.
    sides.judge = judge("[[rules]]\nid = 's'\nstatus = true\naction = 'ignore'\nreason = 'x'\n");
    assert_eq!(sides.run().verdict(FailOn::Exposure), RunVerdict::Diverged);
}

#[test]
fn a_candidate_that_allows_less_exposes_nothing() {
    let (control, candidate) = (Server::start(leaking), Server::start(strict));
    let report = Sides::of(SUITE, &control, &candidate).run();
    assert_eq!(report.matrix.exposed(), 0);
    assert_eq!(report.verdict(FailOn::Exposure), RunVerdict::Pass);
    assert_eq!(report.verdict(FailOn::Breaking), RunVerdict::Diverged);
}
