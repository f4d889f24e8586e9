//! The committed suites, run as CI would run them: by the command line, against two sides that listen.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Stdio,
};

use estate_traffic::endpoint::Endpoint;
use serde_json::Value;
use tokio::process::Command;

use crate::estate::{Candidate, Estate};

/// How a run ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) exit: i32,
    pub(crate) report: Value,
    pub(crate) said: String,
}

/// The files, and how many cases at once: both sides must write in one order.
pub(crate) const SUITES: [(&str, &str); 2] = [("reads.yaml", "8"), ("writes.yaml", "1")];

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_suites_pass_on_the_healthy_service_and_ask_for_every_playlist_endpoint() {
    let healthy = Candidate::healthy();
    let (control, candidate) = tokio::join!(Estate::control(), Estate::start(&healthy));
    let mut allowed: BTreeMap<String, u64> = BTreeMap::new();
    let mut personas = BTreeSet::new();
    for (suite, jobs) in SUITES {
        let ran = run(suite, jobs, &[], &control, &candidate).await;
        assert_eq!(ran.exit, 0, "{suite}: {}", ran.said);
        for cell in ran.report["matrix"].as_array().expect("a report has a table of personas") {
            let endpoint =
                cell["endpoint"].as_str().expect("a cell has an endpoint").replacen("HEAD", "GET", 1);
            *allowed.entry(endpoint).or_default() += cell["control"]["allowed"].as_u64().expect("a count");
            personas.insert(cell["persona"].to_string());
        }
        println!("{}", ran.said);
    }
    for endpoint in Endpoint::all() {
        let allowed = allowed.get(&endpoint.id.to_string());
        assert!(
            allowed.is_some_and(|allowed| *allowed > 0),
            "{} is never answered: {allowed:?}",
            endpoint.id
        );
    }
    assert_eq!(personas.len(), 15, "{personas:?}");
    assert_eq!(candidate.answered_by_the_monolith(&Endpoint::all()).await, Vec::<String>::new());
}

/// `more` are options of the command. Nothing is asked again: nobody else writes meanwhile.
pub(crate) async fn run(suite: &str, jobs: &str, more: &[&str], control: &Estate, candidate: &Estate) -> Ran {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../suites/estate");
    let report = tempfile::NamedTempFile::new().expect("a temporary file");
    let output = Command::new(env!("CARGO_BIN_EXE_strangler"))
        .args(["suite", "run"])
        .arg(folder.join(suite))
        .args(["--control", &format!("http://{}", control.address)])
        .args(["--candidate", &format!("http://{}", candidate.address)])
        .arg("--rules")
        .arg(folder.join("rules.toml"))
        .args(more)
        .args(["--jobs", jobs, "--no-confirm", "--quiet", "--json"])
        .arg(report.path())
        .stdin(Stdio::null())
        .output()
        .await
        .expect("the command line runs");
    let text = std::fs::read_to_string(report.path()).expect("the report can be read");
    let said =
        [output.stdout, output.stderr].map(|said| String::from_utf8_lossy(&said).into_owned()).concat();
    Ran {
        exit: output.status.code().expect("it ended by itself"),
        report: serde_json::from_str(&text).unwrap_or_default(),
        said,
    }
}
