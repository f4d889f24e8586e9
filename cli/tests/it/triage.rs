//! What people decide on groups, by command line.

use crate::rig::{Rig, Said};

/// At `shadow`, with one group of five sightings; its id.
fn diverging(path: &str) -> (Rig, String) {
    let rig = Rig::new();
    rig.shadowed(path);
    rig.requests(path, 5);
    let id = ids(&rig, &[])[0].clone();
    (rig, id)
}

fn ids(rig: &Rig, more: &[&str]) -> Vec<String> {
    let listed = rig.json(0, &[&["divergences", "list"], more].concat());
    let groups = listed["data"]["groups"].as_array().unwrap().iter();
    groups.map(|group| group["id"].as_str().unwrap().to_owned()).collect()
}

fn state(rig: &Rig, id: &str) -> String {
    let shown = rig.json(0, &["divergences", "show", id]);
    shown["data"]["group"]["state"].as_str().unwrap().to_owned()
}

/// The words of the command that takes it back, as it was printed.
fn undo(said: &Said) -> Vec<String> {
    let line = said.err.lines().find_map(|line| line.strip_prefix("take it back: strangler ")).unwrap();
    // As a shell would read it: what it is quoted with is told apart from the rest.
    let mut words = vec![String::new()];
    let mut quoted = false;
    for c in line.chars() {
        match c {
            '\'' => quoted = !quoted,
            ' ' if !quoted => words.push(String::new()),
            c => words.last_mut().unwrap().push(c),
        }
    }
    words
}

fn again(rig: &Rig, words: &[String]) -> Said {
    rig.expect(0, &words.iter().map(String::as_str).collect::<Vec<_>>())
}

const WAIVER: [&str; 8] =
    ["--as", "expected", "--reason", "the new title", "--owner", "grace", "--expires", "14d"];

#[test]
fn a_waiver_lets_an_endpoint_go_and_the_printed_command_takes_it_back() {
    let (rig, id) = diverging("/other");
    rig.expect(3, &["promote", "GET", "/other", "--to", "live"]);
    let waived = rig.expect(0, &[&["divergences", "triage", &id], &WAIVER[..]].concat());
    assert!(waived.out.contains("is expected until"), "{waived:?}");
    assert!(rig.expect(0, &["plan", "GET", "/other", "--to", "live"]).out.contains("gate: pass"));
    assert_eq!(ids(&rig, &["--state", "open"]), Vec::<String>::new());
    assert_eq!(ids(&rig, &["--state", "noise,expected"]), std::slice::from_ref(&id));

    let undone = again(&rig, &undo(&waived));
    assert_eq!(state(&rig, &id), "new");
    rig.expect(3, &["promote", "GET", "/other", "--to", "live"]);
    let redone = again(&rig, &undo(&undone));
    assert_eq!(state(&rig, &id), "expected");
    assert!(redone.out.contains("grace: the new title"), "{redone:?}");

    let shown = rig.expect(0, &["divergences", "show", &id]);
    for part in ["expected until", "undo of entry 1", "2xx anon json{..}", "of 5 comparisons"] {
        assert!(shown.out.contains(part), "{part} is missing: {}", shown.out);
    }
}

#[test]
fn a_waiver_that_hides_everything_or_nothing_any_more_is_told() {
    let (rig, id) = diverging("/other");
    rig.expect(0, &[&["divergences", "triage", &id], &WAIVER[..]].concat());
    let each = format!("the waiver of {id} hides something in each of 5 comparisons of GET /other");
    assert!(rig.expect(0, &["status"]).out.contains(&each));
    assert!(rig.run(&["plan", "GET", "/other", "--to", "live"]).out.contains(&each));
    rig.expect(0, &["epoch", "name", "--candidate", "v8"]);
    assert!(!rig.expect(0, &["status"]).out.contains("the waiver of"));
}

#[test]
fn a_decision_that_may_not_be_made_says_what_is_missing() {
    let (rig, id) = diverging("/leak");
    let triage = |code, words: &[&str]| rig.expect(code, &[&["divergences", "triage", &id], words].concat());
    triage(2, &["--as", "bug"]);
    triage(2, &["--as", "maybe", "--reason", "x"]);
    triage(2, &["--undo", "--as", "bug"]);
    assert!(triage(2, &["--as", "bug", "--reason", " "]).err.contains("needs a reason"));
    assert!(triage(2, &["--as", "expected", "--reason", "x"]).err.contains("--owner"));
    assert!(triage(2, &["--as", "expected", "--reason", "x", "--owner", "o"]).err.contains("--expires"));
    let soon = triage(2, &["--as", "expected", "--reason", "x", "--owner", "o", "--expires", "soon"]);
    assert!(soon.err.contains("2027-01-31"), "{soon:?}");
    let past = ["--as", "expected", "--reason", "x", "--owner", "o", "--expires", "2020-01-01"];
    assert!(triage(2, &past).err.contains("ended already"));
    let noise = ["--as", "noise", "--reason", "x", "--owner", "o", "--expires", "1d"];
    assert!(triage(3, &noise).err.contains("an exposure is never noise"));
    assert!(triage(3, &["--undo"]).err.contains("nothing was decided"));
    triage(5, &["--as", "bug", "--reason", "x", "--entry", "7"]);
    assert_eq!(state(&rig, &id), "new");
    triage(0, &["--as", "bug", "--reason", "x", "--entry", "0"]);
    rig.expect(1, &["divergences", "triage", "v1-0000000000000000", "--as", "bug", "--reason", "x"]);
    rig.expect(2, &["divergences", "list", "--state", "sometimes"]);
}

#[test]
fn who_forced_an_endpoint_does_not_waive_its_groups() {
    let (rig, id) = diverging("/other");
    let by = |user: &str, words: &[&str]| {
        rig.run_with(words, &[("STRANGLER_ADMIN", &rig.proxy().admin), ("USER", user)])
    };
    let forced = ["promote", "GET", "/other", "--to", "live", "--force", "--reason", "hurry"];
    assert_eq!(by("alice", &forced).code, 0);
    let waive = [&["divergences", "triage", &id], &WAIVER[..]].concat();
    let own = by("alice", &waive);
    assert_eq!(own.code, 3, "{own:?}");
    assert!(own.err.contains("alice overrode the gate"), "{own:?}");
    assert_eq!(by("bob", &waive).code, 0);
}

#[test]
fn a_fix_is_verified_or_regresses_by_what_the_named_deployment_does() {
    let (rig, id) = diverging("/other");
    let said =
        rig.expect(0, &["divergences", "triage", &id, "--as", "fixed", "--in", "v8", "--reason", "PR 12"]);
    assert!(said.out.contains("fixed in v8"), "{said:?}");
    rig.requests("/other", 1);
    assert_eq!(state(&rig, &id), "fixed", "the old deployment says nothing of it");
    rig.expect(0, &["epoch", "name", "--candidate", "v8"]);
    rig.requests("/other", 1);
    assert_eq!(state(&rig, &id), "regressed");
    assert_eq!(ids(&rig, &["--state", "open"]), [id]);
}

#[test]
fn a_part_is_a_group_of_its_own_into_which_later_divergences_fall() {
    let rig = Rig::new();
    rig.shadowed("/other");
    rig.requests("/other", 3);
    rig.requests("/other?array=1", 2);
    let whole = ids(&rig, &[])[0].clone();
    let split = rig.expect(0, &["divergences", "split", &whole, "--shape", "?array"]);
    assert!(split.out.contains("requests with ?array"), "{split:?}");
    let part = split.out.split(' ').next().unwrap().to_owned();
    let waived = rig.expect(0, &[&["divergences", "triage", &part], &WAIVER[..]].concat());
    assert_eq!(undo(&waived)[2], part);
    rig.requests("/other?limit=1&array=2", 4);
    let count = |id: &str| rig.json(0, &["divergences", "show", id])["data"]["group"]["count"].clone();
    assert_eq!((count(&part), count(&whole)), (6.into(), 3.into()));
    assert_eq!(ids(&rig, &["--state", "open"]), std::slice::from_ref(&whole));
    assert!(rig.expect(0, &["divergences", "show", &whole]).out.contains("has part"));

    let joined = again(&rig, &undo(&split));
    assert_eq!(count(&whole), 9);
    again(&rig, &undo(&joined));
    assert_eq!((count(&part), state(&rig, &part)), (6.into(), "expected".to_owned()));
    rig.expect(3, &["divergences", "split", &whole, "--shape", "auth"]);
    rig.expect(2, &["divergences", "split", &whole, "--shape", "!"]);
    rig.expect(2, &["divergences", "split", &whole]);
}

#[test]
fn a_waiver_given_in_the_proxy_counts_in_a_suite_and_in_another_proxy() {
    let (rig, id) = diverging("/other");
    rig.requests("/other?array=1", 1);
    let dir = rig.dir.path();
    let suite = "suite: one\ncases:\n  - name: title\n    request: { method: GET, path: /other }\n";
    std::fs::write(dir.join("one.yaml"), suite).unwrap();
    let (control, candidate) = (rig.control.url(), rig.candidate.url());
    let run = |code, more: &[&str]| {
        let words = ["suite", "run", "one.yaml", "--control", &control, "--candidate", &candidate];
        rig.expect(code, &[&words[..], more].concat())
    };
    run(3, &[]);
    let split = rig.expect(0, &["divergences", "split", &id, "--shape", "?array"]);
    let part = split.out.split(' ').next().unwrap().to_owned();
    rig.expect(0, &[&["divergences", "triage", &part], &WAIVER[..]].concat());
    rig.expect(0, &["divergences", "export", "-o", "waivers.json"]);
    run(3, &["--waivers", "waivers.json"]);
    rig.expect(0, &[&["divergences", "triage", &id], &WAIVER[..]].concat());
    let told = rig.expect(0, &["divergences", "export", "-o", "waivers.json"]);
    assert!(told.out.contains("2 waivers and 1 part"), "{told:?}");
    run(0, &["--waivers", "waivers.json"]);

    let (other, same) = diverging("/other");
    assert_eq!(same, id, "a group has one id everywhere");
    let file = dir.join("waivers.json");
    let import = ["divergences", "import", file.to_str().unwrap()];
    let took = other.expect(0, &import);
    assert!(took.out.contains("2 waivers taken over"), "{took:?}");
    assert_eq!(state(&other, &id), "expected");
    assert!(other.expect(0, &import).out.contains("0 waivers taken over"));
    other.requests("/other?array=1", 1);
    assert_eq!(state(&other, &part), "expected", "the part came with it");
    std::fs::write(dir.join("bad.json"), "{}").unwrap();
    rig.expect(2, &["divergences", "import", "bad.json"]);
    rig.expect(2, &["divergences", "import", "nowhere.json"]);
}
