//! The suite of writes on an isolated pair, before any write may go to the service.
//!
//! A dry run shows what the service would answer, not what it would leave behind: a write that is said to be done and is not
//! shows only where it is carried out, and read. So both sides get a copy of the data and all cases of the suite; what a
//! person would approve by its report, the demo approves.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use diff_harness::compare::{Comparator, Limits};
use diff_harness::comparison::Verdict;
use diff_harness::divergence::Location;
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::rules::Rules;
use diff_harness::suite::accept::Acceptance;
use diff_harness::suite::outcome::{CaseResult, StepOutcome};
use diff_harness::suite::report::RunReport;
use diff_harness::suite::run::{Done, Judge, Run, Selection, Settings, Target};
use diff_harness::suite::source::Source;
use estate_traffic::estate::{EstateError, Monolith, Services, Setup};
use playlists_vas::regressions::{Regression, Regressions};
use tokio::runtime::Runtime;

use crate::exit::Failure;

/// What the suite found.
#[derive(Clone, Debug, Default, serde::Serialize)]
pub(super) struct Rehearsal {
    pub(super) cases: u64,
    pub(super) compared: u64,
    pub(super) mismatched: u64,
    /// By endpoint that writes: the steps for which nobody would approve it, and why.
    pub(super) against: BTreeMap<String, BTreeMap<String, String>>,
}

struct Pair {
    control: Monolith,
    behind: Monolith,
    services: Services,
}

const SUITE: &str = include_str!("../../../../suites/estate/writes.yaml");
const RULES: &str = include_str!("../../../../suites/estate/rules.toml");

impl Rehearsal {
    /// `database` is copied, for each side. Set, `stop` ends it early.
    pub(super) fn run(
        runtime: &Runtime,
        database: &Path,
        regressions: &[Regression],
        stop: &AtomicBool,
    ) -> Result<Self, Failure> {
        let directory = tempfile::tempdir().map_err(Failure::error)?;
        let suite = directory.path().join("writes.yaml");
        std::fs::write(&suite, SUITE).map_err(Failure::error)?;
        let source = Source::open(&suite, |_| None).map_err(Failure::error)?;
        let pair =
            runtime.block_on(Pair::start(directory.path(), database, regressions)).map_err(Failure::error)?;
        let target = |address: std::net::SocketAddr| -> Result<Target, Failure> {
            format!("http://{address}").parse().map_err(Failure::error)
        };
        let service = pair.services.playlists().expect("nobody kills this one");
        let (control, candidate) = (target(pair.control.address())?, target(service)?);
        // One after the other, so that both sides write in one order; nobody else writes, so nothing is asked again.
        let settings = Settings { jobs: 1, confirm: false, ..Settings::new(control, candidate) };
        let judge = judge()?;
        let selection = Selection::default();
        let planned = source.count(&selection).map_err(Failure::error)?;
        let report = RunReport::new(source.suite().name.clone(), "writes.yaml", planned);
        let runner = Run { suite: source.suite(), judge: &judge, settings: &settings };
        let plan = selection.plan(source.cases());
        let ran = runner.run(plan, report, Done::default(), stop, &mut |_| {});
        runtime.block_on(pair.stop()).map_err(Failure::error)?;
        let (report, _) = ran.map_err(Failure::error)?;
        Ok(Self::of(&report))
    }

    fn of(report: &RunReport) -> Self {
        let mut rehearsal = Self {
            cases: report.totals.cases,
            compared: report.totals.compared(),
            mismatched: report.totals.mismatched,
            against: BTreeMap::new(),
        };
        for (endpoint, step, why) in report.results().into_iter().flat_map(against) {
            // The first persona says it for all.
            rehearsal.against.entry(endpoint).or_default().entry(step).or_insert(why);
        }
        rehearsal
    }
}

/// The writes that speak against themselves in a case: one whose own answer differs, or all since the last read that agreed.
/// What comes after the first difference may come of it, and says nothing.
fn against(result: &CaseResult) -> Vec<(String, String, String)> {
    let mut unread = Vec::new();
    for step in &result.steps {
        let writes = !step.endpoint.is_safe();
        let wrong = match &step.outcome {
            StepOutcome::Compared(compared) if compared.verdict == Verdict::Mismatch => {
                // Of the worst, one in the body says more than its length in a header.
                let of_step = result.found().filter(|found| found.step.name == step.name);
                let worst = of_step.max_by_key(|found| {
                    let divergence = found.finding.divergence.get();
                    (divergence.severity, !matches!(divergence.location, Location::Header { .. }))
                });
                Some(worst.map_or_else(|| "it differs".to_owned(), |found| found.sentence()))
            }
            StepOutcome::Failed(why) => Some(why.clone()),
            _ => None,
        };
        if let Some(wrong) = wrong {
            let why = format!("on the isolated pair, step `{}`: {wrong}", step.name);
            let told = |endpoint| (endpoint, step.name.clone(), why.clone());
            let blamed = if writes { vec![step.endpoint.to_string()] } else { unread };
            return blamed.into_iter().map(told).collect();
        }
        if writes {
            unread.push(step.endpoint.to_string());
        } else {
            unread.clear();
        }
    }
    Vec::new()
}

fn judge() -> Result<Judge, Failure> {
    let rules = Rules::parse(RULES, "rules.toml").map_err(Failure::error)?;
    let key = RedactionKey::random().map_err(Failure::error)?;
    let redactor = Redactor::new(&RedactionConfig::default(), key).map_err(Failure::error)?;
    Ok(Judge {
        comparator: Comparator::new(rules, Limits::default()),
        redactor,
        acceptance: Acceptance::default(),
    })
}

impl Pair {
    async fn start(
        directory: &Path,
        database: &Path,
        regressions: &[Regression],
    ) -> Result<Self, EstateError> {
        let copy = async |name: &str| -> Result<Monolith, EstateError> {
            let path = directory.join(name);
            std::fs::copy(database, &path)?;
            Monolith::start(&path).await
        };
        let (control, behind) = (copy("control.sqlite").await?, copy("candidate.sqlite").await?);
        let services = Services::start(Setup {
            monolith: behind.address(),
            regressions: Regressions::new(regressions.iter().copied()),
            identity_keep: Duration::ZERO,
        });
        Ok(Self { control, behind, services: services.await? })
    }

    async fn stop(self) -> Result<(), EstateError> {
        self.services.stop().await;
        self.behind.stop().await?;
        self.control.stop().await
    }
}

#[cfg(test)]
mod tests {
    use diff_harness::suite::outcome::{Compared, StepResult};

    use super::*;

    /// A case of these steps; `!` marks those that differ.
    fn blamed(steps: &[&str]) -> Vec<String> {
        let steps = steps.iter().map(|step| {
            let (endpoint, verdict) = match step.strip_prefix('!') {
                Some(endpoint) => (endpoint, Verdict::Mismatch),
                None => (*step, Verdict::Match),
            };
            let compared = Compared {
                verdict,
                findings: Vec::new(),
                both_failed: false,
                unconfirmed: false,
                notes: Vec::new(),
            };
            StepResult {
                name: endpoint.to_owned(),
                line: 1,
                endpoint: endpoint.parse().unwrap(),
                control: None,
                candidate: None,
                outcome: StepOutcome::Compared(compared),
            }
        });
        let result = CaseResult {
            index: 0,
            case: "a case".into(),
            line: 1,
            persona: None,
            steps: steps.collect(),
            duration: Duration::ZERO,
        };
        against(&result).into_iter().map(|(endpoint, ..)| endpoint).collect()
    }

    #[test]
    fn a_read_that_differs_speaks_against_every_write_since_the_last_one_that_agreed() {
        assert_eq!(blamed(&["POST /a", "GET /a", "PUT /b", "DELETE /c", "!GET /a"]), ["PUT /b", "DELETE /c"]);
        assert_eq!(blamed(&["POST /a", "GET /a", "!GET /a"]), Vec::<String>::new());
    }

    #[test]
    fn a_write_whose_own_answer_differs_speaks_against_itself_and_what_follows_says_nothing() {
        assert_eq!(blamed(&["POST /a", "!PUT /b", "GET /a", "!DELETE /c"]), ["PUT /b"]);
        assert_eq!(blamed(&["POST /a", "GET /a"]), Vec::<String>::new());
    }
}
