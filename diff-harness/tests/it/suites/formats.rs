//! Every output, held against its own schema, from runs against servers that send what breaks outputs.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use diff_harness::suite::accept::{Acceptance, write_baseline};
use diff_harness::suite::load::load;
use diff_harness::suite::outcome::FailOn;
use diff_harness::suite::output;
use diff_harness::suite::report::RunReport;
use diff_harness::suite::schema;
use serde_json::Value;

use super::server::{Asked, Reply, Server, json, nowhere};
use super::sides::Sides;

const SUITE: &str = "
suite: 'hostile <&> ]]>'
personas: { 'a|b': {}, c: { headers: { X-Who: c } } }
cases:
- { name: 'x | <y> :: %0A', personas: [all], request: { path: /hostile } }
- { name: same, personas: [all], request: { path: /same } }
- { name: refused, personas: [all], request: { path: /refused } }
- { name: 'not judged', request: { path: /same }, expect: { status: 418 } }
- { name: text, request: { path: /text } }
- { name: long, request: { path: /long } }
- name: steps
  steps:
  - { request: { method: POST, path: /same }, capture: { v: { json: $.none } } }
  - { request: { path: '/${v}' } }
";

fn control(asked: &Asked) -> Reply {
    match asked.target.as_str() {
        "/refused" => json(403, "{}"),
        "/text" => Reply::Headers(200, vec![("content-type", "text/plain".to_owned())], "line\n".to_owned()),
        "/long" => json(200, format!("\"{}\"", "a".repeat(500_000))),
        _ => json(200, r#"{"n":1}"#),
    }
}

fn candidate(asked: &Asked) -> Reply {
    let hostile =
        "\\u0000\\u0008\\ufffe]]><script>alert(1)</script>::error::x%0A\\r\\n| `a` & \\u202e \u{1F600}";
    match asked.target.as_str() {
        "/hostile" => json(200, format!(r#"{{"n":"{hostile}","{hostile}":["{hostile}"]}}"#)),
        "/text" => Reply::Headers(
            200,
            vec![("content-type", "text/plain".to_owned())],
            "\u{1}::error::\u{1b}[31m\r\n".to_owned(),
        ),
        "/long" => json(200, format!("\"{}\"", "b".repeat(500_000))),
        _ => json(200, r#"{"n":1}"#),
    }
}

/// A run in which everything goes wrong, one that passes, one that has nothing, and one with everything accepted.
fn reports() -> Vec<RunReport> {
    let (control, candidate) = (Server::start(control), Server::start(candidate));
    let mut sides = Sides::of(SUITE, &control, &candidate);
    let hostile = sides.run();
    assert!(hostile.groups().len() > 4 && hostile.totals.failed == 2, "{:?}", hostile.totals);
    let mut acceptance = Acceptance::default();
    acceptance.add_baseline(&write_baseline(&hostile).0, "b.json").unwrap();
    sides.judge.acceptance = acceptance;
    let accepted = sides.run();
    assert!(accepted.totals.accepted > 0, "{:?}", accepted.totals);
    let one = "suite: x\ncases: [{ name: a, request: { path: /same } }]\n";
    let healthy = Sides::of(one, &control, &candidate).run();
    let gone = Sides::new(one, &control.url(), &nowhere()).run();
    vec![hostile, accepted, healthy, gone, RunReport::new("empty", "e.yaml", 0)]
}

fn valid(schema: &str, document: &str) {
    let schema: Value = serde_json::from_str(schema).unwrap();
    let document: Value = serde_json::from_str(document).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> =
        validator.iter_errors(&document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

fn our_schema(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas").join(name);
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn sarif_is_valid_by_the_schema_of_oasis() {
    for report in reports() {
        // The schema has one pattern that is no regular expression, for a member that we do not write.
        let schema = our_schema("sarif-2.1.0.json").replace("^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$", "");
        valid(&schema, &output::sarif::render(&report, FailOn::Any));
    }
}

#[test]
fn code_quality_has_the_members_that_gitlab_reads() {
    for report in reports() {
        valid(&our_schema("code-quality.json"), &output::code_quality::render(&report));
    }
}

#[test]
fn the_json_is_valid_by_the_published_schema() {
    for report in reports() {
        valid(schema::RUN, &output::json::render(&report, FailOn::Any));
    }
}

#[test]
fn junit_is_valid_by_the_schema_of_jenkins() {
    let folder = tempfile::tempdir().unwrap();
    let xsd = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas/junit-10.xsd");
    for report in reports() {
        let file = folder.path().join("junit.xml");
        std::fs::write(&file, output::junit::render(&report, FailOn::Any)).unwrap();
        let checked =
            Command::new("xmllint").arg("--noout").arg("--schema").args([&xsd, &file]).output().expect(
                "xmllint checks XML by a schema: Debian's libxml2-utils has it, and scripts/test installs it",
            );
        assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stderr));
    }
}

#[test]
fn annotations_read_back_and_none_is_made_by_a_server() {
    for report in reports() {
        let text = output::github::render(&report, FailOn::Any);
        let groups = report.groups().len();
        assert!(text.lines().count() <= groups.min(20) + 1, "{text}");
        for line in text.lines() {
            let (head, message) = line.strip_prefix("::").unwrap().split_once("::").unwrap();
            let (level, properties) = head.split_once(' ').unwrap();
            assert!(matches!(level, "error" | "warning"), "{line}");
            for property in properties.split(',') {
                let (name, _) = property.split_once('=').unwrap();
                assert!(matches!(name, "file" | "line" | "title"), "{line}");
            }
            assert!(!message.is_empty() && message.len() < 16 * 1024);
        }
    }
}

#[test]
fn markdown_and_html_hold_no_markup_of_a_server() {
    for report in reports() {
        let markdown = output::markdown::render(&report, FailOn::Any);
        assert!(!markdown.contains("<script") && markdown.len() < 1024 * 1024, "{markdown}");
        let html = output::html::render(&report, FailOn::Any);
        assert_eq!(html.matches("<script").count(), 1, "the report's own");
    }
}

const EVERYTHING: &str = r#"
suite: everything
personas: { a: { headers: { X: yy }, cookies: { k: v } } }
variables: { v: 1, w: x, b: true }
defaults: { personas: [a], headers: { Y: z }, timeout_ms: 500 }
reset: { control: { command: "true" }, candidate: { url: "http://127.0.0.1:1/reset" } }
pair: isolated
ids: { learn: everything }
cases:
- name: one
  tags: [t]
  personas: [all]
  setup: [two]
  timeout_ms: 10
  request:
    method: POST
    path: "/x?y=1"
    endpoint: "/{x}"
    query: { q: 1 }
    headers: { Z: a }
    body: { json: { a: [1, null] } }
  capture: { c: { json: $.a }, d: { header: location } }
  expect: { status: 200 }
- name: two
  steps:
  - { name: s, request: { path: /, body: { form: { a: 1 } } }, capture: {}, expect: { status: 599 } }
  - { request: { path: /, headers: { Content-Type: text/plain }, body: { text: t } } }
"#;

fn as_json(yaml: &str) -> Value {
    serde_saphyr::from_str(yaml).unwrap()
}

#[test]
fn the_schema_of_suites_takes_what_the_loader_takes() {
    load(EVERYTHING, "s.yaml", |_| None).unwrap_or_else(|errors| panic!("{errors}"));
    valid(schema::SUITE, &as_json(EVERYTHING).to_string());
    let schema: Value = serde_json::from_str(schema::SUITE).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for (find, put) in [
        ("suite: everything", "name: everything"),
        ("learn: everything", "learn: all"),
        ("pair: isolated", "pair: both"),
        ("method: POST", "method: post"),
        ("status: 599", "status: 600"),
        ("timeout_ms: 10", "timeout_ms: 0"),
        ("- name: two\n", "- name: two\n  request: { path: / }\n"),
        ("json: $.a", "body: $.a"),
        ("form: { a: 1 }", "form: [1]"),
        ("tags: [t]", "tags: t"),
    ] {
        let bent = EVERYTHING.replacen(find, put, 1);
        assert_ne!(bent, EVERYTHING, "{find}");
        assert!(load(&bent, "s.yaml", |_| None).is_err(), "the loader takes {put}");
        assert!(!validator.is_valid(&as_json(&bent)), "the schema takes {put}");
    }
}

/// The loader names the members that it knows when it meets one that it does not.
#[test]
fn the_schema_and_the_loader_know_the_same_members() {
    let schema: Value = serde_json::from_str(schema::SUITE).unwrap();
    for (pointer, find) in [
        ("", "suite: everything\n"),
        ("/$defs/persona", "a: { "),
        ("/properties/defaults", "defaults: { "),
        ("/properties/reset", "reset: { "),
        ("/properties/ids", "ids: { "),
        ("/$defs/case", "- name: one\n  "),
        ("/$defs/request", "request:\n    "),
        ("/$defs/step", "- { name: s, "),
        ("/$defs/expect", "expect: { "),
    ] {
        let separator = if find.ends_with("{ ") || find.ends_with("s, ") { ", " } else { "\n" };
        let indent = if separator == "\n" { find.rsplit('\n').next().unwrap() } else { "" };
        let bent = EVERYTHING.replacen(find, &format!("{find}zzz: 1{separator}{indent}"), 1);
        let error = load(&bent, "s.yaml", |_| None).unwrap_err().to_string();
        let (_, known) = error.split_once("expected ").unwrap();
        let words = known.trim_start_matches("one of ").split([',', ' ']);
        let known: BTreeSet<&str> =
            words.map(|word| word.trim_matches('`')).filter(|word| !matches!(*word, "" | "or")).collect();
        let members = schema.pointer(&format!("{pointer}/properties")).unwrap().as_object().unwrap();
        let ours: BTreeSet<&str> = members.keys().map(String::as_str).collect();
        assert_eq!(ours, known, "{pointer}: {error}");
    }
}
