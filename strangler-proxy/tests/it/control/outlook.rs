//! The gate's answers for many endpoints at once.

use diff_harness::gate::GateAnswer;

use super::*;

fn answers(desk: &Desk, asked_max: usize) -> Vec<Option<GateAnswer>> {
    let outlooks = desk.control.look_ahead(asked_max).unwrap();
    let answer = |route: &Route| outlooks.of(route).unwrap().map(|outlook| outlook.ruling.answer);
    desk.control.routes().iter().map(answer).collect()
}

#[test]
fn the_gate_is_asked_anew_where_something_changed_and_only_so_often() {
    let (yes, no) = (Some(GateAnswer::Pass), Some(GateAnswer::Inconclusive));
    let desk = Desk::with(&["GET /a", "GET /b"]);
    for endpoint in ["GET /a", "GET /b"] {
        desk.promote(endpoint, "shadow").unwrap();
    }
    assert_eq!(answers(&desk, 0), [None, None]);
    assert_eq!(answers(&desk, 1), [no, None]);
    assert_eq!(answers(&desk, 1), [no, no], "the first is known, so the second is asked for");
    assert_eq!(answers(&desk, 0), [no, no], "both are known");

    desk.observed("GET /a", MIN_COMPARISONS, &[]);
    assert_eq!(answers(&desk, 0), [no, no], "an older answer is better than none");
    let asked = answers(&desk, 2);
    assert_eq!(
        asked[0],
        desk.control.plan(&id("GET /a"), None, None).unwrap().gate.map(|ruling| ruling.answer)
    );
    assert_eq!(asked[0], yes);

    // What an answer may never outlive: a flip, a decision, a candidate that is gone.
    desk.reachable.store(false, Ordering::Relaxed);
    assert_eq!(answers(&desk, 0), [None, None]);
    assert_ne!(answers(&desk, 2)[0], yes);
    desk.reachable.store(true, Ordering::Relaxed);
    desk.promote("GET /a", "canary:1%").unwrap();
    assert_eq!(answers(&desk, 0)[0], None);
}
