//! Counts add up, whatever happens.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use diff_harness::comparison::SkipReason;

use super::rig::{PATIENCE, Setup, json};
use super::upstream::{Behaviour, Upstream};

#[test]
fn counts_add_up_over_a_mixed_run_in_which_the_candidate_is_killed() {
    const THREADS: usize = 4;
    const EACH: usize = 200;
    let candidate = Upstream::start(Behaviour::json("{}"));
    let mut setup = Setup::candidate(&candidate);
    setup.shadow.concurrency_max = 8;
    setup.shadow.queue_max = 16;
    setup.shadow.circuit_probe_every = Duration::from_millis(1);
    setup.record.write_every = Duration::from_millis(1);
    setup.record.inline_max = 0;
    setup.record.queue_max = 4;
    let rig = setup.start();
    let killed = AtomicBool::new(false);
    thread::scope(|scope| {
        for thread in 0..THREADS {
            let (rig, candidate, killed) = (&rig, &candidate, &killed);
            scope.spawn(move || {
                for n in 0..EACH {
                    if thread == 0 && n == EACH / 2 {
                        candidate.kill();
                        killed.store(true, Ordering::SeqCst);
                    }
                    // Waits now and then, so that not everything finds the queue full.
                    if n % 8 == 0 {
                        rig.settled_mostly();
                    }
                    let Ok(slot) = rig.submit(rig.request(&format!("r{thread}-{n}"))) else { continue };
                    match n % 5 {
                        0 => drop(slot),
                        1 => slot.skip(SkipReason::AnswerFailed),
                        2 => slot.complete(json("[]"), None),
                        _ => slot.complete(json("{}"), None),
                    }
                }
            });
        }
        scope.spawn(|| {
            while rig.registry.total().started < (THREADS * EACH) as u64 {
                let now = rig.registry.total();
                assert_eq!(now.started, now.tally.seen() + now.pending());
                rig.recorder.flush(PATIENCE).unwrap();
            }
        });
    });
    assert!(killed.load(Ordering::SeqCst));
    let tally = rig.settled();
    assert_eq!(tally.seen(), (THREADS * EACH) as u64);
    assert!(tally.matched > 0 && tally.mismatched > 0, "{tally:?}");
    assert!(tally.skipped_total() > 0 && tally.dropped_total() > 0, "{tally:?}");
    let store = rig.drain();
    assert_eq!(store.total(), tally, "the store and the memory disagree");
}
