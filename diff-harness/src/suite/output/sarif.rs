//! SARIF 2.1.0 (OASIS), with fingerprints that stay the same from run to run.

use serde_json::{Value, json};

use super::cut;
use crate::divergence::{Kind, Severity};
use crate::suite::outcome::{Accepted, FailOn};
use crate::suite::report::{Group, RunReport};

/// One result a group: the place is the step in the suite file that shows it first.
pub fn render(report: &RunReport, fail_on: FailOn) -> String {
    let results: Vec<_> = report.groups().into_iter().map(|group| result(report, group, fail_on)).collect();
    let rules: Vec<_> = Kind::ALL.iter().map(|kind| rule(*kind)).collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "strangler",
                "semanticVersion": env!("CARGO_PKG_VERSION"),
                "rules": rules,
            }},
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    serde_json::to_string_pretty(&log).expect("plain data is serializable")
}

fn rule(kind: Kind) -> Value {
    let text = match kind {
        Kind::Status => "The status differs",
        Kind::Header => "A header that carries meaning differs",
        Kind::Missing => "The candidate lacks what control has",
        Kind::Added => "The candidate shows what control does not have",
        Kind::Type => "The same place holds another type",
        Kind::Value => "A value differs",
        Kind::Order => "The same elements come in another order",
        Kind::Text => "Lines of text differ",
        Kind::Binary => "Bytes differ",
        Kind::Transport => "One side gave no whole response",
    };
    json!({ "id": kind.as_str(), "shortDescription": { "text": text } })
}

fn result(report: &RunReport, group: &Group, fail_on: FailOn) -> Value {
    let divergence = group.divergence.get();
    let level = match divergence.severity {
        _ if !group.fails(fail_on) => "note",
        Severity::Exposure | Severity::Breaking => "error",
        Severity::Changed => "warning",
        Severity::Cosmetic => "note",
    };
    let suppressions: Vec<_> = group
        .accepted
        .iter()
        .map(|accepted| match accepted {
            Accepted::Baseline => json!({ "kind": "external", "justification": "in the baseline" }),
            Accepted::Waiver { owner, reason } => {
                json!({ "kind": "external", "justification": format!("{reason} (owner: {owner})") })
            }
        })
        .collect();
    json!({
        "ruleId": divergence.kind.as_str(),
        "level": level,
        "message": { "text": cut(&group.sentence(), 4096) },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(&report.file) },
            "region": { "startLine": group.line.max(1) },
        }}],
        "partialFingerprints": { "stranglerGroup/v1": group.fingerprint.as_str() },
        "occurrenceCount": group.count,
        "suppressions": suppressions,
        "properties": {
            "severity": divergence.severity.as_str(),
            "endpoint": group.endpoint.to_string(),
            "location": divergence.location.to_string(),
        },
    })
}

/// A relative reference by RFC 3986: a colon in the first segment would read as a scheme.
fn uri(path: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const PATH: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'<')
        .add(b'>')
        .add(b'`')
        .add(b'#')
        .add(b'?')
        .add(b'{')
        .add(b'}')
        .add(b'%')
        .add(b':')
        .add(b'\\');
    utf8_percent_encode(path, PATH).to_string()
}

#[cfg(test)]
mod tests {
    use super::super::fixture;
    use super::*;

    fn log(report: &RunReport) -> Value {
        serde_json::from_str(&render(report, FailOn::Any)).unwrap()
    }

    #[test]
    fn the_fingerprint_of_a_group_is_the_same_in_every_run() {
        let (first, second) = (log(&fixture::report()), log(&fixture::report()));
        let of =
            |log: &Value| log["runs"][0]["results"][0]["partialFingerprints"]["stranglerGroup/v1"].clone();
        assert_eq!(of(&first), of(&second));
        assert!(of(&first).as_str().unwrap().starts_with("v1-"));
    }

    #[test]
    fn what_was_accepted_is_suppressed_with_its_reason() {
        let log = log(&fixture::report());
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(
            (results[0]["level"].as_str(), results[1]["level"].as_str()),
            (Some("error"), Some("note"))
        );
        assert_eq!(results[1]["suppressions"][0]["justification"], "agreed | with <mobile> (owner: grace)");
        assert_eq!(results[0]["suppressions"], json!([]));
    }

    #[test]
    fn every_rule_that_a_result_names_is_declared() {
        let log = log(&fixture::report());
        let rules: Vec<_> = log["runs"][0]["tool"]["driver"]["rules"]
            .as_array()
            .unwrap()
            .iter()
            .map(|rule| &rule["id"])
            .collect();
        for result in log["runs"][0]["results"].as_array().unwrap() {
            assert!(rules.contains(&&result["ruleId"]), "{result}");
        }
    }

    #[test]
    fn a_file_name_becomes_a_uri() {
        assert_eq!(uri("a b/c:d.yaml"), "a%20b/c%3Ad.yaml");
    }
}
