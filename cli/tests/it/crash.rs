//! `kill -9` during flips and load.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::rig::{Rig, get};

/// Flips go back and forth while clients ask, until the process is killed in the middle of it. What was
/// acknowledged last is what stands after the restart, and nothing that was acknowledged is missing from the audit.
#[test]
fn after_a_kill_every_acknowledged_flip_is_there() {
    let mut rig = Rig::new();
    let endpoints = ["/same/a", "/same/b"];
    for path in endpoints {
        rig.expect(0, &["routes", "add", "GET", path]);
    }
    let mut acknowledged = 0;
    for round in 0..3 {
        let (address, admin) = (rig.proxy().listening.clone(), rig.proxy().admin.clone());
        let done = AtomicBool::new(false);
        // What each flipper was told last, and how often it was told so.
        let told = std::thread::scope(|scope| {
            scope.spawn(|| {
                while !done.load(Ordering::Acquire) {
                    let _ = std::panic::catch_unwind(|| get(&address, "/same/a"));
                }
            });
            let flippers: Vec<_> = endpoints
                .iter()
                .map(|path| {
                    let (rig, admin) = (&rig, &admin);
                    scope.spawn(move || flip_until_it_is_gone(rig, admin, path))
                })
                .collect();
            let killer = scope.spawn(|| {
                crate::rig::eventually("there were some flips", || {
                    let audit = rig.json(0, &["audit", "--limit", "1000"]);
                    audit["data"]["transitions"].as_array().unwrap().len() >= acknowledged + 6
                });
                let pid = rig.proxy().pid().to_string();
                assert!(std::process::Command::new("kill").args(["-9", &pid]).status().unwrap().success());
            });
            killer.join().unwrap();
            let told: Vec<_> = flippers.into_iter().map(|flipper| flipper.join().unwrap()).collect();
            done.store(true, Ordering::Release);
            told
        });
        rig.kill();
        rig.start();
        let audit = rig.json(0, &["audit", "--limit", "1000"]);
        let transitions = audit["data"]["transitions"].as_array().unwrap();
        for (path, (last, count)) in endpoints.iter().zip(&told) {
            let endpoint = format!("GET {path}");
            let of_it: Vec<_> = transitions.iter().filter(|t| t["endpoint"] == endpoint.as_str()).collect();
            let revision =
                rig.json(0, &["routes", "show", "GET", path])["data"]["revision"].as_u64().unwrap();
            assert_eq!(of_it.len() as u64, revision, "round {round}: the audit has every transition");
            // One flip may have become durable without its answer getting out.
            assert!(
                revision >= *last && revision <= last + 1,
                "round {round}: {last} acknowledged, {revision} found"
            );
            assert!(*count > 0, "round {round}: {path} was never flipped");
            assert_eq!(rig.stage(&endpoint), of_it[0]["to"]["stage"].as_str().unwrap());
        }
        acknowledged = transitions.len();
    }
}

/// The last revision that was acknowledged, and how many were.
fn flip_until_it_is_gone(rig: &Rig, admin: &str, path: &str) -> (u64, u64) {
    let (mut last, mut count) = (0, 0);
    for step in 0.. {
        let words: &[&str] = if step % 2 == 0 {
            &["promote", "GET", path, "--to", "shadow", "--format", "json"]
        } else {
            &["rollback", "GET", path, "--format", "json"]
        };
        let said = rig.run_with(words, &[("STRANGLER_ADMIN", admin)]);
        if said.code != 0 {
            assert_eq!(said.code, 1, "{said:?}");
            break;
        }
        let moved = said.json();
        last = moved["data"]["revision"].as_u64().unwrap();
        count += u64::from(moved["data"]["changed"] == true);
    }
    (last, count)
}
