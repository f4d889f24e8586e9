//! GitLab Code Quality: the subset of the Code Climate format that GitLab reads.

use serde::Serialize;

use super::cut;
use crate::divergence::Severity;
use crate::suite::outcome::RunReport;

#[derive(Serialize)]
struct Violation<'a> {
    description: String,
    check_name: &'a str,
    fingerprint: &'a str,
    severity: &'a str,
    location: Place<'a>,
}

#[derive(Serialize)]
struct Place<'a> {
    path: &'a str,
    lines: Lines,
}

#[derive(Serialize)]
struct Lines {
    begin: u64,
}

/// One violation a group; what was accepted is left out, because GitLab has no word for it.
pub fn render(report: &RunReport) -> String {
    let violations: Vec<_> = report
        .groups()
        .into_iter()
        .filter(|(found, _)| found.finding.accepted.is_none())
        .map(|(found, _)| Violation {
            description: cut(&found.sentence(), 1024),
            check_name: found.finding.divergence.get().kind.as_str(),
            fingerprint: found.finding.fingerprint.as_str(),
            severity: match found.severity() {
                Severity::Exposure => "blocker",
                Severity::Breaking => "critical",
                Severity::Changed => "major",
                Severity::Cosmetic => "info",
            },
            location: Place { path: &report.file, lines: Lines { begin: found.step.line } },
        })
        .collect();
    serde_json::to_string_pretty(&violations).expect("plain data is serializable")
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    /// What GitLab's documentation asks of every element.
    #[test]
    fn every_violation_has_the_members_that_gitlab_reads() {
        let json: serde_json::Value = serde_json::from_str(&render(&fixture::report())).unwrap();
        let violations = json.as_array().unwrap();
        assert_eq!(violations.len(), 1, "the accepted group is left out");
        for violation in violations {
            assert!(violation["description"].as_str().is_some_and(|text| !text.is_empty()));
            assert!(violation["check_name"].is_string());
            assert!(violation["fingerprint"].as_str().unwrap().starts_with("v1-"));
            let severities = ["info", "minor", "major", "critical", "blocker"];
            assert!(severities.contains(&violation["severity"].as_str().unwrap()));
            assert_eq!(violation["location"]["path"], "suites/playlists.yaml");
            assert_eq!(violation["location"]["lines"]["begin"], 15);
        }
    }

    #[test]
    fn a_healthy_run_is_an_empty_list() {
        assert_eq!(render(&fixture::healthy()), "[]");
    }
}
