//! Whom the scheduler serves first, as the kernel has it.

#![cfg(target_os = "linux")]

use std::collections::BTreeMap;

use crate::rig::{Rig, candidate, control, eventually};

/// Niceness by name, of the threads of a process that are alive (proc_pid_stat(5)).
fn niceness(pid: u32) -> BTreeMap<String, i32> {
    let tasks = std::fs::read_dir(format!("/proc/{pid}/task")).unwrap();
    let stats = tasks.filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("stat")).ok());
    stats
        .map(|stat| {
            let (_, rest) = stat.split_once('(').unwrap();
            let (name, rest) = rest.rsplit_once(") ").unwrap();
            // Of the whole line it is the 19th field; the state is the third.
            (name.to_owned(), rest.split(' ').nth(16).unwrap().parse().unwrap())
        })
        .collect()
}

fn behind(rig: &Rig) -> Vec<(String, i32)> {
    let all = niceness(rig.proxy().pid());
    // Whoever runs the tests may be nice already.
    let clients = all["data-0"];
    ["shadow", "compare-0", "storage", "fallback", "admin"]
        .map(|name| (name.to_owned(), all.get(name).map_or(-1, |nice| nice - clients)))
        .to_vec()
}

fn expect(rig: &Rig, wanted: [i32; 5]) {
    eventually(&format!("{wanted:?}"), || behind(rig).iter().map(|(_, nice)| *nice).eq(wanted));
}

#[test]
fn clients_come_before_shadowing_comparing_and_storing() {
    expect(&Rig::with(control, candidate, ""), [10, 10, 10, 0, 0]);
}

#[test]
fn how_far_behind_they_stand_is_a_setting_and_a_thread_that_clients_wait_for_stands_beside_them() {
    let config = "[shadow]\nnice = 3\n[record]\nnice = 0\n";
    expect(&Rig::with(control, candidate, config), [3, 0, 0, 0, 0]);
    let first = "[verify]\nheader = \"Dry-Run\"\nvalue = \"1\"\nconfirm_header = \"Dry-Run\"\nfirst = true\n";
    expect(&Rig::with(control, candidate, first), [0, 10, 10, 0, 0]);
}
