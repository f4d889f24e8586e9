//! The examples in the documentation are what they say they are.

use std::path::Path;

use diff_harness::suite::load::load;
use diff_harness::suite::source::Source;
use serde_json::Value;

fn page(name: &str) -> String {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
    std::fs::read_to_string(docs.join(name)).unwrap()
}

/// The code blocks of a page in one language, without their indentation.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut block: Option<String> = None;
    for line in page.lines() {
        let text = line.trim_start();
        match &mut block {
            None if text == format!("```{language}") => block = Some(String::new()),
            None => {}
            Some(_) if text == "```" => blocks.extend(block.take()),
            Some(block) => {
                block.push_str(line);
                block.push('\n');
            }
        }
    }
    blocks
}

#[test]
fn the_suite_on_the_page_is_a_suite() {
    let yaml = &blocks(&page("suites.md"), "yaml")[0];
    let suite = load(yaml, "suites.md", |name| (name == "OWNER_TOKEN").then(|| "x".to_owned()))
        .unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(suite.cases.len(), 3);
    assert_eq!(suite.cases[2].steps.len(), 5, "the set-up comes in front");
}

#[test]
fn the_recorded_cases_on_the_page_are_recorded_cases() {
    let json = blocks(&page("suites.md"), "json");
    let lines = json.iter().find(|block| block.contains("recorded")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("page.ndjson");
    std::fs::write(&file, lines).unwrap();
    let source = Source::open(&file, |_| None).unwrap_or_else(|errors| panic!("{errors}"));
    assert_eq!(source.cases().count(), 2);
}

#[test]
fn the_jobs_on_the_page_are_yaml_with_the_parts_that_each_server_asks_for() {
    let jobs = blocks(&page("ci.md"), "yaml");
    let [github, publishing, gitlab] = jobs.as_slice() else { panic!("{} blocks", jobs.len()) };
    let github: Value = serde_saphyr::from_str(github).unwrap_or_else(|error| panic!("{error}"));
    for job in ["suite", "report"] {
        let job = &github["jobs"][job];
        assert!(job["runs-on"].is_string(), "{job}");
        for step in job["steps"].as_array().unwrap() {
            assert!(step["uses"].is_string() != step["run"].is_string(), "{step}");
        }
    }
    let steps: Value = serde_saphyr::from_str(publishing).unwrap_or_else(|error| panic!("{error}"));
    for step in steps.as_array().unwrap() {
        assert!(step["run"].as_str().unwrap().starts_with("strangler suite publish "), "{step}");
    }
    let gitlab: Value = serde_saphyr::from_str(gitlab).unwrap_or_else(|error| panic!("{error}"));
    for job in ["suite", "report"] {
        assert!(gitlab["stages"].as_array().unwrap().contains(&gitlab[job]["stage"]));
        assert!(
            gitlab[job]["script"].is_array() && gitlab[gitlab[job]["extends"].as_str().unwrap()].is_object()
        );
    }
}
