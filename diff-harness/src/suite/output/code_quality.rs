//! GitLab Code Quality: the subset of the Code Climate format that GitLab reads.

use serde::Serialize;

use super::cut;
use crate::divergence::Severity;
use crate::suite::report::RunReport;

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
    let groups = report.groups();
    let violations: Vec<_> = groups
        .iter()
        .filter(|group| group.accepted.is_none())
        .map(|group| Violation {
            description: cut(&group.sentence(), 1024),
            check_name: group.divergence.get().kind.as_str(),
            fingerprint: group.fingerprint.as_str(),
            severity: match group.severity() {
                Severity::Exposure => "blocker",
                Severity::Breaking => "critical",
                Severity::Changed => "major",
                Severity::Cosmetic => "info",
            },
            location: Place { path: &report.file, lines: Lines { begin: group.line.max(1) } },
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
