use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

use diff_harness::ledger::Ledger;
use diff_harness::lifecycle::{Declaration, Hold, Stage, Standing, Weight};
use diff_harness::store::{Store, StoreError};
use http::Method;

use super::*;

#[test]
fn a_declared_endpoint_is_legacy_and_keeps_its_declaration() {
    let home = Home::new();
    let ledger = home.open();
    let declared = declared(&ledger);
    let routes = ledger.routes().unwrap();
    assert_eq!(routes.len(), 1);
    assert_eq!(routes[0].endpoint, declared);
    assert_eq!(routes[0].standing, Standing::default());
    assert_eq!((routes[0].revision, routes[0].since), (0, UnixMillis(1)));
    assert_eq!(routes[0].declaration.parameters[0].name, "id");
    assert_eq!(routes[0].declaration.statuses, ["200", "4XX"]);
}

#[test]
fn declaring_again_updates_the_declaration_and_never_moves_an_endpoint() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    ledger.flip(&flip(&endpoint, 0, Stage::Shadow)).unwrap();

    let other = Declaration { source: "traffic.har".to_owned(), ..Declaration::default() };
    let fresh = EndpointId::new(Method::POST, "/playlists");
    let both = [(endpoint.clone(), other.clone()), (fresh.clone(), other.clone())];
    let first = ledger.declare(&both, UnixMillis(9)).unwrap();
    assert_eq!((first.added, first.updated, first.unchanged), (vec![fresh], vec![endpoint.clone()], 0));
    assert_eq!(ledger.declare(&both, UnixMillis(10)).unwrap().unchanged, 2);

    let routes = ledger.routes().unwrap();
    let route = routes.iter().find(|route| route.endpoint == endpoint).unwrap();
    assert_eq!((route.standing.stage, route.revision), (Stage::Shadow, 1));
    assert_eq!(route.declaration, other);
}

#[test]
fn a_flip_moves_the_endpoint_and_is_in_the_audit_log() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let canary = Stage::Canary(Weight::new(525).unwrap());
    let first = ledger.flip(&flip(&endpoint, 0, Stage::Shadow)).unwrap();
    let mut held = flip(&endpoint, 1, canary);
    held.to.hold = Hold::Paused;
    held.forced = true;
    let second = ledger.flip(&held).unwrap();

    drop(ledger);
    let ledger = home.open();
    assert_eq!(ledger.transitions(None, 10).unwrap(), [second.clone(), first.clone()]);
    assert_eq!(ledger.transitions(Some(&endpoint), 1).unwrap(), [second]);
    assert!(ledger.transitions(Some(&super::endpoint("GET /other")), 9).unwrap().is_empty());
    let route = &ledger.routes().unwrap()[0];
    assert_eq!(route.standing, Standing { stage: canary, hold: Hold::Paused });
    assert_eq!((route.revision, route.since), (2, held.at));
}

#[test]
fn a_hold_does_not_change_since_when_the_stage_stands() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    ledger.flip(&flip(&endpoint, 0, Stage::Shadow)).unwrap();
    let mut pause = flip(&endpoint, 1, Stage::Shadow);
    pause.to.hold = Hold::Paused;
    ledger.flip(&pause).unwrap();
    assert_eq!(ledger.routes().unwrap()[0].since, UnixMillis(1000));
}

#[test]
fn a_stale_revision_conflicts_and_changes_nothing() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    ledger.flip(&flip(&endpoint, 0, Stage::Shadow)).unwrap();
    let error = ledger.flip(&flip(&endpoint, 0, Stage::Live)).unwrap_err();
    assert!(matches!(error, StoreError::Conflict { expected: 0, current: 1, .. }), "{error}");
    assert_eq!(ledger.routes().unwrap()[0].standing.stage, Stage::Shadow);
    assert_eq!(ledger.transitions(None, 9).unwrap().len(), 1);
}

#[test]
fn of_flips_that_race_exactly_one_wins() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let won = std::thread::scope(|scope| {
        let racers: Vec<_> =
            (0..8).map(|_| scope.spawn(|| ledger.flip(&flip(&endpoint, 0, Stage::Shadow)).is_ok())).collect();
        racers.into_iter().map(|racer| u32::from(racer.join().unwrap())).sum::<u32>()
    });
    assert_eq!(won, 1);
    assert_eq!(ledger.routes().unwrap()[0].revision, 1);
}

#[test]
fn an_unknown_endpoint_and_an_unsuitable_stage_are_refused() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let unknown = ledger.flip(&flip(&super::endpoint("GET /nowhere"), 0, Stage::Shadow)).unwrap_err();
    assert!(matches!(unknown, StoreError::UnknownEndpoint(_)));
    let record = ledger.flip(&flip(&endpoint, 0, Stage::Record)).unwrap_err();
    assert!(matches!(record, StoreError::Unsuitable { .. }), "{record}");
    let post = super::endpoint("POST /playlists");
    ledger.declare(&[(post.clone(), Declaration::default())], UnixMillis(1)).unwrap();
    let shadow = ledger.flip(&flip(&post, 0, Stage::Shadow)).unwrap_err();
    assert!(matches!(shadow, StoreError::Unsuitable { .. }), "{shadow}");
}

#[test]
fn the_audit_log_takes_no_change_even_from_outside() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    ledger.flip(&flip(&endpoint, 0, Stage::Shadow)).unwrap();
    let outside = rusqlite::Connection::open(home.path()).unwrap();
    for statement in ["UPDATE transitions SET actor = 'bob'", "DELETE FROM transitions"] {
        let error = outside.execute(statement, ()).unwrap_err();
        assert!(error.to_string().contains("append-only"), "{error}");
    }
    assert_eq!(ledger.transitions(None, 9).unwrap()[0].flip.actor, "ann");
}

#[test]
fn a_setting_is_kept_and_replaced() {
    let home = Home::new();
    let ledger = home.open();
    assert_eq!(ledger.setting("cohort_salt").unwrap(), None);
    ledger.set_setting("cohort_salt", "a").unwrap();
    ledger.set_setting("cohort_salt", "b").unwrap();
    drop(ledger);
    assert_eq!(home.open().setting("cohort_salt").unwrap().as_deref(), Some("b"));
}

/// This test is its own child: with a store in the environment it flips until it is killed, and says so after each.
#[test]
fn an_acknowledged_flip_survives_kill_9() {
    const STORE: &str = "STRANGLER_TEST_STORE";
    const NAME: &str = "ledger::routes::an_acknowledged_flip_survives_kill_9";
    if let Some(path) = std::env::var_os(STORE) {
        let ledger = Ledger::open(path, Retention::default()).unwrap();
        let endpoint = playlists();
        for revision in 0.. {
            let stage = if revision % 2 == 0 { Stage::Shadow } else { Stage::Live };
            ledger.flip(&flip(&endpoint, revision, stage)).unwrap();
            println!("flipped {}", revision + 1);
            ledger.record(&batch("v1", vec![record("r", revision, &[])])).unwrap();
        }
    }
    let home = Home::new();
    declared(&home.open());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", NAME, "--nocapture"])
        .env(STORE, home.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut acknowledged = 0;
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let Some(revision) = line.unwrap().rsplit_once("flipped ").and_then(|(_, n)| n.parse::<u64>().ok())
        else {
            continue;
        };
        acknowledged = revision;
        if revision == 25 {
            child.kill().unwrap();
        }
    }
    child.wait().unwrap();
    assert!(acknowledged >= 25, "the child flipped {acknowledged} times");

    let ledger = home.open();
    let revision = ledger.routes().unwrap()[0].revision;
    // One more may have been committed and not yet been said.
    assert!((acknowledged..=acknowledged + 1).contains(&revision), "{acknowledged} said, {revision} found");
    let transitions = ledger.transitions(None, usize::MAX).unwrap();
    assert_eq!(transitions.len() as u64, revision);
    assert_eq!(transitions[0].flip.to, ledger.routes().unwrap()[0].standing);
}
