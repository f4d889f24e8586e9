//! A fallback that the store does not take holds all the same, and is written when the store works again.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::gate::Policy;
use diff_harness::lifecycle::{Declaration, Hold, Route, Stage, Standing};
use diff_harness::store::{Epoch, Store};
use strangler_proxy::control::{Control, Effects, Promote, Refusal, SetHold};
use strangler_proxy::fallback::{Alarm, Recent, Trigger};

use crate::shadow::store::MemoryStore;

struct Desk {
    control: Control,
    store: Arc<MemoryStore>,
    published: Arc<Mutex<Vec<Route>>>,
    resumed: Arc<Mutex<Vec<EndpointId>>>,
}

fn endpoint() -> EndpointId {
    "GET /a".parse().unwrap()
}

impl Desk {
    fn live() -> Self {
        let store = Arc::new(MemoryStore::knowing(Route {
            endpoint: endpoint(),
            standing: Standing { stage: Stage::Live, hold: Hold::None },
            revision: 3,
            since: UnixMillis(0),
            declaration: Declaration::default(),
        }));
        let (published, resumed) = (Arc::<Mutex<Vec<_>>>::default(), Arc::<Mutex<Vec<_>>>::default());
        let (table, opened) = (Arc::clone(&published), Arc::clone(&resumed));
        let effects = Effects {
            publish: Box::new(move |routes| *table.lock().unwrap() = routes.to_vec()),
            reach_candidate: Box::new(|| Ok(())),
            flush: Box::new(|| {}),
            epoch: Box::new(|| Arc::new(Epoch::default())),
            resumed: Box::new(move |endpoint| opened.lock().unwrap().push(endpoint.clone())),
            now: || UnixMillis(7),
        };
        let kept: Arc<dyn Store> = store.clone();
        let control = Control::open(kept, Policy::default(), effects).unwrap();
        Self { control, store, published, resumed }
    }

    fn falls_back(&self) -> Result<strangler_proxy::control::Moved, Refusal> {
        let trigger = Trigger::Failures {
            recent: Recent { asked: 12, failed: 10 },
            window: Duration::from_secs(10),
            last: "timeout",
            exchange: "r9".to_owned(),
        };
        self.control.fall_back(&Alarm { endpoint: endpoint(), trigger })
    }

    fn published_hold(&self) -> Hold {
        self.published.lock().unwrap()[0].standing.hold
    }

    fn resume(&self) -> Result<strangler_proxy::control::Moved, Refusal> {
        self.control.resume(&SetHold {
            endpoint: endpoint(),
            expected_revision: Some(self.control.route(&endpoint()).unwrap().revision),
            reason: "mended".to_owned(),
            actor: "bob".to_owned(),
        })
    }
}

#[test]
fn a_store_that_fails_keeps_no_client_at_a_candidate_that_does() {
    let desk = Desk::live();
    desk.store.refuse(true);
    let Err(Refusal::Store(error)) = desk.falls_back() else { panic!("the store took it") };
    assert!(error.to_string().contains("the disk is full"));
    assert_eq!(desk.published_hold(), Hold::Fallback, "the table does not say so");
    assert_eq!(desk.control.route(&endpoint()).unwrap().standing.hold, Hold::Fallback);
    assert_eq!(desk.control.unwritten().len(), 1);
    let forced = desk.control.promote(&Promote {
        endpoint: endpoint(),
        to: Some(Stage::Soak),
        expected_revision: None,
        force: true,
        reason: "hurry".to_owned(),
        actor: "bob".to_owned(),
        acknowledge: None,
    });
    assert!(matches!(forced, Err(Refusal::Held { hold: Hold::Fallback, .. })));

    desk.control.write_unwritten();
    assert_eq!((desk.control.unwritten().len(), desk.store.flips().len()), (1, 0), "it still refuses");
    desk.store.refuse(false);
    desk.control.write_unwritten();
    assert!(desk.control.unwritten().is_empty());
    let [flip] = &desk.store.flips()[..] else { panic!("{:?}", desk.store.flips()) };
    assert_eq!((flip.to.hold, flip.actor.as_str(), flip.expected_revision), (Hold::Fallback, "strangler", 3));
    assert!(flip.reason.contains("10 of 12") && flip.evidence.contains("\"exchange\":\"r9\""), "{flip:?}");
    assert_eq!(desk.control.route(&endpoint()).unwrap().revision, 4);
}

#[test]
fn declaring_endpoints_meanwhile_does_not_undo_it() {
    let desk = Desk::live();
    desk.store.refuse(true);
    assert!(desk.falls_back().is_err());
    desk.control.declare(&[]).unwrap();
    assert_eq!(desk.published_hold(), Hold::Fallback);
}

#[test]
fn a_resume_writes_the_fallback_down_first_and_opens_the_guard() {
    let desk = Desk::live();
    desk.store.refuse(true);
    assert!(desk.falls_back().is_err());
    assert!(desk.resume().is_err(), "nothing can be resumed that cannot be written down");
    assert_eq!((desk.published_hold(), desk.resumed.lock().unwrap().len()), (Hold::Fallback, 0));
    desk.store.refuse(false);
    desk.resume().unwrap();
    let holds: Vec<_> = desk.store.flips().iter().map(|flip| flip.to.hold).collect();
    assert_eq!(holds, [Hold::Fallback, Hold::None]);
    assert_eq!(desk.published_hold(), Hold::None);
    assert_eq!(*desk.resumed.lock().unwrap(), [endpoint()]);
    assert_eq!(desk.control.route(&endpoint()).unwrap().revision, 5);
}

#[test]
fn a_fallback_that_holds_already_is_not_written_twice() {
    let desk = Desk::live();
    desk.falls_back().unwrap();
    assert_eq!(desk.falls_back().unwrap().sequence, None);
    assert_eq!(desk.store.flips().len(), 1);
}
