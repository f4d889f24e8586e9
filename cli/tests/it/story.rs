//! The main job, by command line.

use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::rig::{Proxy, Rig, get};

#[test]
fn an_endpoint_goes_to_the_candidate_on_evidence_and_comes_back_in_one_command() {
    let rig = Rig::new();
    let added = rig.expect(0, &["routes", "add", "get", "/same/{id}"]);
    assert_eq!(added.out, "added GET /same/{id} at legacy\n");
    assert!(added.err.contains("strangler promote GET '/same/{id}'"), "{added:?}");

    rig.expect(0, &["promote", "GET", "/same/{id}"]);
    let too_early = rig.expect(4, &["promote", "GET", "/same/{id}", "--to", "live"]);
    assert!(too_early.err.contains("comparisons: 0 of the 5"), "{too_early:?}");
    rig.requests("/same/7", 5);

    let plan = rig.expect(0, &["plan", "GET", "/same/{id}", "--to", "live"]);
    assert!(plan.out.contains("gate: pass"), "{plan:?}");
    let moved = rig.expect(0, &["promote", "GET", "/same/{id}", "--to", "live"]);
    assert!(moved.out.starts_with("GET /same/{id}: shadow -> live"), "{moved:?}");
    assert!(moved.err.contains("take it back: strangler rollback GET '/same/{id}' --to shadow"), "{moved:?}");

    let back = rig.expect(0, &["rollback", "GET", "/same/{id}", "--reason", "enough seen"]);
    assert!(back.out.starts_with("GET /same/{id}: live -> legacy"), "{back:?}");
    let audit = rig.json(0, &["audit"]);
    let stages: Vec<_> = audit["data"]["transitions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["to"]["stage"].as_str().unwrap())
        .collect();
    assert_eq!(stages, ["legacy", "live", "shadow"]);
    assert_eq!(audit["data"]["transitions"][0]["reason"], "enough seen");
    assert_eq!(audit["data"]["transitions"][1]["evidence"]["answer"], "pass");
}

#[test]
fn a_flip_takes_effect_on_the_next_request() {
    let rig = Rig::new();
    rig.shadowed("/other");
    assert!(rig.get("/other").body.contains("from control"));
    rig.expect(0, &["promote", "GET", "/other", "--to", "live", "--force", "--reason", "shown"]);
    assert!(rig.get("/other").body.contains("from candidate"));
    rig.expect(0, &["rollback", "GET", "/other"]);
    assert!(rig.get("/other").body.contains("from control"));
}

#[test]
fn what_diverged_is_listed_shown_and_reported() {
    let rig = Rig::new();
    rig.shadowed("/other");
    rig.requests("/other", 5);
    let listed = rig.json(0, &["divergences", "list"]);
    let groups = listed["data"]["groups"].as_array().unwrap();
    assert_eq!(groups.len(), 1, "{listed}");
    assert_eq!((groups[0]["kind"].as_str(), groups[0]["count"].as_u64()), (Some("value"), Some(5)));
    assert_eq!(groups[0]["location"], "$.title");

    let refused = rig.expect(3, &["promote", "GET", "/other", "--to", "live"]);
    let id = groups[0]["id"].as_str().unwrap();
    assert!(refused.err.contains(id), "the group is named: {refused:?}");
    let shown = rig.expect(0, &["divergences", "show", id]);
    for part in ["from control", "from candidate", "curl -sS"] {
        assert!(shown.out.contains(part), "{part} is missing: {}", shown.out);
    }
    for side in [&rig.control, &rig.candidate] {
        assert!(shown.out.contains(&side.url()), "{}", shown.out);
    }

    let file = rig.dir.path().join("report.html");
    rig.expect(0, &["report", "--html", file.to_str().unwrap()]);
    let html = std::fs::read_to_string(file).unwrap();
    assert!(html.contains("GET /other") && html.contains("$.title"), "the report says nothing of it");
    assert!(rig.expect(0, &["report"]).out.contains("GET /other"));
}

#[test]
fn force_overrides_an_open_group_with_a_reason_and_is_audited() {
    let rig = Rig::new();
    rig.shadowed("/other");
    rig.requests("/other", 5);
    rig.expect(2, &["promote", "GET", "/other", "--to", "live", "--force"]);
    let forced =
        rig.expect(0, &["promote", "GET", "/other", "--to", "live", "--force", "--reason", "new title"]);
    assert!(forced.out.contains("against the gate"), "{forced:?}");
    let audit = rig.json(0, &["audit", "GET", "/other"]);
    let newest = &audit["data"]["transitions"][0];
    assert_eq!((newest["forced"].as_bool(), newest["reason"].as_str()), (Some(true), Some("new title")));
    assert_eq!(newest["evidence"]["answer"], "fail");
}

#[test]
fn no_force_shows_clients_what_control_withheld() {
    let rig = Rig::new();
    rig.shadowed("/leak");
    rig.requests("/leak", 5);
    let refused = rig.expect(3, &["promote", "GET", "/leak", "--to", "live", "--force", "--reason", "hurry"]);
    assert!(refused.err.contains("exposure"), "{refused:?}");
    assert_eq!(rig.stage("GET /leak"), "shadow");
}

#[test]
fn a_held_endpoint_moves_only_after_it_is_resumed() {
    let rig = Rig::new();
    rig.expect(0, &["routes", "add", "GET", "/same"]);
    let held = rig.expect(0, &["hold", "GET", "/same", "--reason", "release freeze"]);
    assert!(held.err.contains("strangler resume GET /same"), "{held:?}");
    let refused = rig.expect(3, &["promote", "GET", "/same"]);
    assert!(refused.err.contains("release freeze"), "{refused:?}");
    rig.expect(0, &["resume", "GET", "/same", "--reason", "over"]);
    rig.expect(0, &["promote", "GET", "/same"]);
}

#[test]
fn traffic_without_an_endpoint_is_listed_and_can_be_declared() {
    let rig = Rig::new();
    for id in 1..5 {
        rig.get(&format!("/tracks/{id}"));
    }
    rig.settle();
    let found = rig.json(0, &["routes", "discover"]);
    let proposed = &found["data"]["undeclared"][0];
    assert_eq!(proposed["count"], 4, "{found}");
    let endpoint = proposed["endpoint"].as_str().unwrap().to_owned();
    assert!(endpoint.starts_with("GET /tracks/{"), "{endpoint}");
    rig.expect(0, &["routes", "discover", "--accept"]);
    assert_eq!(rig.stage(&endpoint), "legacy");
    let left = rig.json(0, &["routes", "discover"]);
    assert_eq!(left["data"]["undeclared"].as_array().unwrap().len(), 0, "{left}");
}

#[test]
fn documents_are_imported_once_and_move_nothing() {
    let rig = Rig::new();
    let document = "openapi: 3.0.0\ninfo: {title: t, version: '1'}\npaths:\n  /same/{id}:\n    get:\n      parameters:\n        - {name: id, in: path, required: true, schema: {type: string}}\n      responses: {'200': {description: ok}, '404': {description: no}}\n";
    std::fs::write(rig.dir.path().join("api.yaml"), document).unwrap();
    let dry = rig.expect(0, &["routes", "import", "openapi", "api.yaml", "--dry-run"]);
    assert_eq!(dry.out, "GET /same/{id}\n");
    assert_eq!(rig.json(0, &["routes"])["data"]["routes"].as_array().unwrap().len(), 0);
    rig.expect(0, &["routes", "import", "openapi", "api.yaml"]);
    rig.expect(0, &["promote", "GET", "/same/{id}"]);
    let again = rig.json(0, &["routes", "import", "openapi", "api.yaml"]);
    assert_eq!(again["data"]["unchanged"], 1, "{again}");
    let shown = rig.json(0, &["routes", "show", "GET", "/same/{id}"]);
    assert_eq!(shown["data"]["stage"], "shadow");
    assert_eq!(shown["data"]["statuses"], serde_json::json!(["200", "404"]));
}

#[test]
fn the_sums_add_up_over_all_endpoints_and_over_a_restart() {
    let mut rig = Rig::new();
    rig.shadowed("/same");
    rig.requests("/same", 6);
    rig.requests("/elsewhere", 3);
    let check = |rig: &Rig, seen: u64| {
        let total = rig.json(0, &["status"])["data"]["total"].clone();
        let n = |name: &str| total[name].as_u64().unwrap();
        assert_eq!(n("seen"), seen, "{total}");
        assert_eq!(n("compared") + n("skipped") + n("dropped"), seen, "{total}");
        assert_eq!((n("compared"), total["skipped_by"]["unmatched"].as_u64()), (6, Some(3)), "{total}");
    };
    check(&rig, 9);
    assert_eq!(rig.stop(), 0);
    rig.start();
    check(&rig, 9);
    let of_it = rig.json(0, &["routes", "show", "GET", "/same"]);
    assert_eq!(of_it["data"]["traffic"]["compared"], 6, "{of_it}");
}

#[test]
fn a_deployment_that_a_response_names_is_the_epoch_also_after_a_restart() {
    let config = "[epochs]\ncandidate_header = \"x-deployment\"";
    let mut rig = Rig::with(crate::rig::control, crate::rig::candidate, config);
    rig.shadowed("/same");
    rig.requests("/same", 1);
    assert_eq!(rig.json(0, &["status"])["data"]["epoch"]["candidate"], "v7");
    rig.stop();
    rig.start();
    assert_eq!(rig.json(0, &["status"])["data"]["epoch"]["candidate"], "v7");
}

#[test]
fn a_store_can_be_read_with_and_without_its_proxy() {
    let mut rig = Rig::new();
    rig.shadowed("/other");
    rig.requests("/other", 1);
    let read = |rig: &Rig| {
        let audit = rig.run_with(&["audit", "--store", "strangler.db", "--format", "json"], &[]);
        assert_eq!(audit.json()["data"]["transitions"].as_array().unwrap().len(), 1, "{audit:?}");
        let report = rig.run_with(&["report", "--store", "strangler.db"], &[]);
        assert!(report.code == 0 && report.out.contains("GET /other"), "{report:?}");
    };
    rig.expect(0, &["report"]);
    read(&rig);
    rig.stop();
    read(&rig);
}

#[test]
fn rules_are_reloaded_without_a_restart_and_begin_a_new_epoch() {
    let rig = Rig::with(crate::rig::control, crate::rig::candidate, "rules_file = \"rules.toml\"");
    let rules = rig.dir.path().join("rules.toml");
    assert!(rules.exists());
    rig.shadowed("/other");
    rig.requests("/other", 5);
    let post = |path: &str| {
        let admin = &rig.proxy().admin;
        crate::rig::raw(
            admin,
            &format!(
                "POST {path} HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
            ),
        )
    };
    std::fs::write(&rules, "[[rules]]\nid = \"t\"\npath = \"$.title\"\naction = \"ignor\"\nreason = \"r\"\n")
        .unwrap();
    let wrong = post("/api/v1/rules/reload");
    assert!(wrong.status == 400 && wrong.body.contains("rules.toml:4:10"), "{wrong:?}");
    rig.expect(3, &["promote", "GET", "/other", "--to", "live"]);

    std::fs::write(
        &rules,
        "[[rules]]\nid = \"t\"\npath = \"$.title\"\naction = \"ignore\"\nreason = \"r\"\n",
    )
    .unwrap();
    assert_eq!(post("/api/v1/rules/reload").status, 200);
    rig.expect(4, &["promote", "GET", "/other", "--to", "live"]);
    rig.requests("/other", 5);
    rig.expect(0, &["promote", "GET", "/other", "--to", "live"]);
}

#[test]
fn two_urls_on_the_command_line_are_enough() {
    let rig = Rig::new();
    let dir = tempfile::tempdir().unwrap();
    let (control, candidate) = (rig.control.url(), rig.candidate.url());
    let words = [
        "serve",
        "--control",
        &control,
        "--candidate",
        &candidate,
        "--listen",
        "127.0.0.1:0",
        "--admin",
        "127.0.0.1:0",
    ];
    let proxy = Proxy::start(dir.path(), &words);
    assert!(get(&proxy.listening, "/other").body.contains("from control"));
    assert!(dir.path().join("strangler.db").exists());
}

#[test]
fn a_request_that_is_being_answered_at_sigterm_is_answered() {
    static RELEASED: AtomicBool = AtomicBool::new(false);
    fn slow(_: &str) -> (u16, String) {
        crate::rig::eventually("the proxy takes no more connections", || RELEASED.load(Ordering::Acquire));
        (200, "{}".to_owned())
    }
    let mut rig = Rig::with(slow, slow, "");
    let address = rig.proxy().listening.clone();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| get(&address, "/slow"));
        crate::rig::eventually("the request has begun", || rig.json(0, &["status"])["data"]["pending"] == 1);
        // The upstream answers only once the drain is under way.
        scope.spawn(|| {
            crate::rig::eventually("the listener is closed", || TcpStream::connect(&address).is_err());
            RELEASED.store(true, Ordering::Release);
        });
        assert_eq!(rig.stop(), 0);
        assert_eq!(asked.join().unwrap().status, 200);
    });
}
