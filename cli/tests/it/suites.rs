//! `strangler suite`.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::Value;

use crate::rig::{Rig, Said, candidate, control, eventually, run};
use crate::upstream::Upstream;

const SUITE: &str = "\
suite: titles
personas: { anonymous: {} }
defaults: { personas: [all] }
cases:
- { name: same, tags: [quick], request: { path: /same } }
- { name: leak, request: { path: /leak } }
- { name: title, request: { path: /title } }
";

struct Pair {
    dir: tempfile::TempDir,
    control: Upstream,
    candidate: Upstream,
}

impl Pair {
    fn new(suite: &str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("s.yaml"), suite).unwrap();
        Self { dir, control: Upstream::start(control), candidate: Upstream::start(candidate) }
    }

    fn words<'w>(&'w self, urls: &'w [String; 2], more: &[&'w str]) -> Vec<&'w str> {
        [&["suite", "run", "s.yaml", "--control", &urls[0], "--candidate", &urls[1]], more].concat()
    }

    fn run(&self, more: &[&str]) -> Said {
        let urls = [self.control.url(), self.candidate.url()];
        run(self.dir.path(), &self.words(&urls, more), &[])
    }

    fn expect(&self, code: i32, more: &[&str]) -> Said {
        let said = self.run(more);
        assert_eq!(said.code, code, "{more:?}: {said:#?}");
        said
    }

    fn file(&self, name: &str) -> String {
        fs::read_to_string(self.dir.path().join(name)).unwrap()
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&self.file(name)).unwrap()
    }
}

#[test]
fn the_exit_code_says_how_it_ended() {
    let pair = Pair::new(SUITE);
    assert!(pair.expect(3, &[]).out.contains("exposure: GET /leak added at $.private"));
    assert!(pair.expect(0, &["--tag", "quick"]).out.ends_with("pass\n"));
    assert!(pair.expect(3, &["--filter", "leak", "--fail-on", "exposure"]).err.is_empty());
    pair.expect(0, &["--filter", "title", "--fail-on", "breaking"]);
    for more in [&["--filter", "nothing"][..], &["--tag", "nothing"], &["--shard", "4/4"]] {
        let said = pair.expect(4, more);
        assert!(said.err.contains("no case is selected"), "{said:?}");
    }
    pair.expect(4, &["--filter", "nothing", "--format", "json"]);
    assert_eq!(Pair::new("suite: x\ncases: []\n").run(&[]).code, 4, "an empty suite is no pass");
}

#[test]
fn what_is_wrong_is_told_with_its_place_and_nothing_is_sent() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let count = |_: &str| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        (200, "{}".to_owned())
    };
    let mut pair = Pair::new(&SUITE.replace("[all]", "[ownr]").replace("/title", "'/${id}'"));
    (pair.control, pair.candidate) = (Upstream::start(count), Upstream::start(count));
    let said = pair.expect(2, &[]);
    assert!(said.err.contains("s.yaml:3:24: no persona is named `ownr`"), "{said:?}");
    assert!(said.err.contains("s.yaml:7:35: the variable `id` is not bound here"), "{said:?}");
    fs::write(pair.dir.path().join("s.yaml"), SUITE).unwrap();
    fs::write(pair.dir.path().join("bad"), "[").unwrap();
    for more in [
        &["--rules", "missing"][..],
        &["--rules", "bad"],
        &["--baseline", "bad"],
        &["--waivers", "bad"],
        &["--resume", "bad"],
        &["--rate", "0"],
        &["--jobs", "0"],
        &["--shard", "3/2"],
        &["--fail-on", "nothing"],
    ] {
        pair.expect(2, more);
    }
    let dir = pair.dir.path();
    for url in ["https://x", "x", "ftp://x"] {
        assert_eq!(run(dir, &["suite", "run", "s.yaml", "--control", url, "--candidate", url], &[]).code, 2);
    }
    assert_eq!(ASKED.load(Ordering::Relaxed), 0);
}

#[test]
fn every_report_that_is_asked_for_is_written() {
    let pair = Pair::new(SUITE);
    let summary = pair.dir.path().join("summary.md").display().to_string();
    let urls = [pair.control.url(), pair.candidate.url()];
    let more = [
        "--junit",
        "out/junit.xml",
        "--json",
        "out/run.json",
        "--html",
        "out/run.html",
        "--markdown",
        "out/run.md",
        "--sarif",
        "out/run.sarif",
        "--code-quality",
        "out/quality.json",
        "--github",
    ];
    let said = run(pair.dir.path(), &pair.words(&urls, &more), &[("GITHUB_STEP_SUMMARY", &summary)]);
    assert_eq!(said.code, 3, "{said:?}");
    assert!(said.out.starts_with("::error file=s.yaml,line=6,title=Exposure::"), "{said:?}");
    for (file, content) in [
        ("out/junit.xml", "<testcase name=\"leak [anonymous]\""),
        ("out/run.json", "\"verdict\": \"diverged\""),
        ("out/run.html", "What each side allowed each persona"),
        ("out/run.md", "| exposure |"),
        ("out/run.sarif", "\"version\": \"2.1.0\""),
        ("out/quality.json", "\"blocker\""),
        ("summary.md", "| exposure |"),
    ] {
        assert!(pair.file(file).contains(content), "{file}: {}", pair.file(file));
    }
}

#[test]
fn a_baseline_fails_on_what_is_new_and_never_covers_an_exposure() {
    let pair = Pair::new(SUITE);
    let said = pair.expect(3, &["--write-baseline", "b.json"]);
    assert!(said.out.contains("1 groups are exposures"), "{said:?}");
    pair.expect(0, &["--baseline", "b.json", "--filter", "title"]);
    pair.expect(3, &["--baseline", "b.json"]);
}

#[test]
fn a_waiver_lets_a_group_pass_until_it_ends() {
    let pair = Pair::new(SUITE);
    pair.expect(3, &["--json", "run.json"]);
    let groups = pair.json("run.json")["groups"].clone();
    let waivers = |expires: &str| {
        let waivers = groups.as_array().unwrap().iter().map(|group| {
            serde_json::json!({ "group": group["group"], "call": "expected", "owner": "ada", "reason": "agreed", "expires": expires })
        });
        serde_json::json!({ "format": "strangler-waivers", "version": 1, "waivers": waivers.collect::<Vec<_>>() })
    };
    fs::write(pair.dir.path().join("w.json"), waivers("2999-01-01T00:00:00Z").to_string()).unwrap();
    pair.expect(0, &["--waivers", "w.json"]);
    fs::write(pair.dir.path().join("w.json"), waivers("2001-01-01T00:00:00Z").to_string()).unwrap();
    assert!(pair.expect(3, &["--waivers", "w.json"]).out.contains("ended at 2001-01-01T00:00:00Z"));
}

#[test]
fn shards_merge_into_one_report_with_the_exit_code_of_one_run() {
    let pair = Pair::new(SUITE);
    for shard in ["1/2", "2/2"] {
        pair.run(&["--shard", shard, "--json", &format!("{}.json", &shard[..1])]);
    }
    let dir = pair.dir.path();
    let merged = run(dir, &["suite", "merge", "1.json", "2.json", "--json", "all.json"], &[]);
    assert_eq!(merged.code, 3, "{merged:?}");
    pair.expect(3, &["--json", "one.json"]);
    let (all, one) = (pair.json("all.json"), pair.json("one.json"));
    for member in ["totals", "groups", "matrix", "verdict", "planned", "open"] {
        assert_eq!(all[member], one[member], "{member}");
    }
    let twice = run(dir, &["suite", "merge", "1.json", "1.json"], &[]);
    assert_eq!(twice.code, 2, "{twice:?}");
    assert!(twice.err.contains("not the shards of one run"), "{twice:?}");
    assert_eq!(run(dir, &["suite", "merge", "s.yaml"], &[]).code, 2);
}

#[test]
fn an_interrupted_run_is_gone_on_with() {
    static ASKED: AtomicUsize = AtomicUsize::new(0);
    let counting = |_: &str| {
        ASKED.fetch_add(1, Ordering::Relaxed);
        (200, "{}".to_owned())
    };
    let cases: String =
        (0..300).map(|n| format!("- {{ name: c{n}, request: {{ path: /{n} }} }}\n")).collect();
    let mut pair = Pair::new(&format!("suite: many\ncases:\n{cases}"));
    (pair.control, pair.candidate) = (Upstream::start(counting), Upstream::start(counting));
    let urls = [pair.control.url(), pair.candidate.url()];
    let child = Command::new(env!("CARGO_BIN_EXE_strangler"))
        .args(pair.words(&urls, &["--rate", "40", "--json", "part.json"]))
        .current_dir(pair.dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    eventually("some cases were run", || ASKED.load(Ordering::Relaxed) > 20);
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let ended = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&ended.stderr);
    assert_eq!(ended.status.code(), Some(4), "{said}");
    assert!(said.contains("--resume s.yaml.resume.json goes on"), "{said}");
    assert_eq!(pair.json("part.json")["verdict"], "interrupted");
    let done = pair.json("part.json")["totals"]["cases"].as_u64().unwrap();

    let before = ASKED.load(Ordering::Relaxed) as u64;
    let said = pair.expect(0, &["--resume", "s.yaml.resume.json", "--json", "all.json"]);
    assert!(said.err.contains(&format!("going on after {done} cases")), "{said:?}");
    assert_eq!(pair.json("all.json")["totals"]["cases"], 300);
    let asked = ASKED.load(Ordering::Relaxed) as u64 - before;
    assert_eq!(asked, (300 - done) * 2, "what was done is not asked again");
    assert!(
        !Path::new(&pair.dir.path().join("s.yaml.resume.json")).exists(),
        "nothing is left to go on with"
    );
}

#[test]
fn recorded_cases_are_run_as_written_ones_are() {
    let pair = Pair::new(SUITE);
    let lines = "{\"suite\":\"r\"}\n{\"path\":\"/same?x=${y}\"}\n".replace("${y}", "%24");
    fs::write(pair.dir.path().join("r.ndjson"), lines).unwrap();
    let (control, candidate) = (pair.control.url(), pair.candidate.url());
    let words = ["suite", "run", "r.ndjson", "--control", &control, "--candidate", &candidate];
    let said = run(pair.dir.path(), &words, &[]);
    assert_eq!(said.code, 0, "{said:?}");
    fs::write(pair.dir.path().join("r.ndjson"), "{\"suite\":\"r\"}\n{\"pat\":\"/same\"}\n").unwrap();
    let said = run(pair.dir.path(), &words, &[]);
    assert_eq!(said.code, 2, "{said:?}");
    assert!(said.err.contains("r.ndjson:2:1: unknown field `pat`"), "{said:?}");
}

#[test]
fn a_suite_is_made_of_a_document_and_runs() {
    let pair = Pair::new(SUITE);
    let dir = pair.dir.path();
    let har = r#"{"log":{"entries":[{"request":{"method":"GET","url":"http://x.test/same/1?a=1","headers":[{"name":"Authorization","value":"Bearer hunter2hunter2"}]},"response":{"status":200}}]}}"#;
    fs::write(dir.join("traffic.har"), har).unwrap();
    let openapi = "openapi: 3.0.0\npaths:\n  /same/{id}:\n    get:\n      parameters:\n      - { name: id, in: path, required: true, example: 7 }\n";
    fs::write(dir.join("api.yaml"), openapi).unwrap();
    for (words, env) in [
        (["suite", "import", "har", "traffic.har", "-o", "s.yaml"], "SUITE_AUTHORIZATION"),
        (["suite", "import", "openapi", "api.yaml", "-o", "s.yaml"], "X"),
    ] {
        assert_eq!(run(dir, &words, &[]).code, 2, "what is there is not replaced");
        let said = run(dir, &[&words[..], &["--overwrite"]].concat(), &[]);
        assert_eq!(said.code, 0, "{said:?}");
        let yaml = pair.file("s.yaml");
        assert!(yaml.contains("/same/{id}") || yaml.contains("/same/1"), "{yaml}");
        assert!(!yaml.contains("hunter2"), "{yaml}");
        let urls = [pair.control.url(), pair.candidate.url()];
        let said = run(dir, &pair.words(&urls, &[]), &[(env, "Bearer x")]);
        assert_eq!(said.code, 0, "{said:?}\n{yaml}");
    }
    assert_eq!(run(dir, &["suite", "import", "har", "api.yaml"], &[]).code, 2);
    assert_eq!(run(dir, &["suite", "import", "ledger", "api.yaml"], &[]).code, 1);
}

#[test]
fn what_the_proxy_found_becomes_a_case_that_finds_it_again() {
    let rig = Rig::new();
    rig.shadowed("/leak");
    rig.requests("/leak", 3);
    rig.settle();
    let groups = rig.json(0, &["divergences", "list"]);
    let group = groups["data"]["groups"][0]["id"].as_str().unwrap().to_owned();
    rig.expect(0, &["suite", "add", &group, "--suite", "found.yaml"]);
    let yaml = fs::read_to_string(rig.dir.path().join("found.yaml")).unwrap();
    assert!(yaml.contains(&format!("group {group}")), "{yaml}");
    let (control, candidate) = (rig.control.url(), rig.candidate.url());
    let words =
        ["suite", "run", "found.yaml", "--control", &control, "--candidate", &candidate, "--json", "r.json"];
    let said = rig.run_with(&words, &[]);
    assert_eq!(said.code, 3, "{said:?}");
    let report = fs::read_to_string(rig.dir.path().join("r.json")).unwrap();
    assert!(report.contains(&group), "the same group in CI as on the page: {report}");
    assert_eq!(rig.run(&["suite", "add", &group, "--suite", "found.yaml"]).code, 2, "it is there already");
    assert_eq!(rig.run(&["suite", "add", "v1-0000000000000000", "--suite", "found.yaml"]).code, 1);
}

#[test]
fn the_schema_is_printed_for_editors() {
    let dir = tempfile::tempdir().unwrap();
    for (words, title) in [
        (&["suite", "schema"][..], "Strangler suite"),
        (&["suite", "schema", "--report"], "Strangler suite run, version 1"),
    ] {
        let said = run(dir.path(), words, &[]);
        let schema: Value = serde_json::from_str(&said.out).unwrap();
        assert_eq!((said.code, schema["title"].as_str()), (0, Some(title)));
    }
}
