//! Several addresses of one upstream: which is used, and what becomes of one that fails.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use diff_harness::lifecycle::Stage;
use strangler_proxy::data_plane::DataPlaneConfig;
use strangler_proxy::data_plane::upstream::{Address, AddressState, Check, Use};

use super::origin::{Origin, ok};
use super::proxy::{Plan, Proxy};
use crate::ports::Port;
use crate::shadow::rig::{PATIENCE, eventually};

/// Control is at all of these.
fn at(addresses: &[SocketAddr]) -> impl FnOnce(&mut DataPlaneConfig) + use<> {
    let authorities = addresses.iter().map(SocketAddr::to_string).collect();
    move |config| config.control.authorities = authorities
}

fn control(proxy: &Proxy, socket: SocketAddr) -> Arc<Address> {
    let addresses = proxy.upstreams.control.addresses();
    Arc::clone(addresses.iter().find(|address| address.socket == socket).unwrap())
}

fn state(proxy: &Proxy, socket: SocketAddr) -> AddressState {
    proxy.upstreams.control.state(&control(proxy, socket), Use::Clients)
}

#[test]
fn requests_are_spread_over_all_addresses() {
    let origins: Vec<_> = (0..3).map(|_| Origin::saying("x")).collect();
    let addresses: Vec<_> = origins.iter().map(|origin| origin.address).collect();
    let proxy = Plan::new(addresses[0]).with(at(&addresses)).start();
    let mut client = proxy.client();
    for _ in 0..150 {
        assert_eq!(client.get("/").status, 200);
    }
    for origin in &origins {
        let share = origin.received().len();
        assert!((20..=80).contains(&share), "{share} of 150");
        assert_eq!(origin.connections(), 1, "each has a connection that is used again");
    }
    let counted =
        || addresses.iter().map(|socket| control(&proxy, *socket).counts.tally().requests).sum::<u64>();
    eventually(|| counted() == 150);
}

#[test]
fn a_connection_that_cannot_be_made_is_tried_at_another_address() {
    let well = Origin::saying("x");
    let nowhere = Port::refused();
    let proxy = Plan::new(well.address).with(at(&[nowhere, well.address])).start();
    let mut client = proxy.client();
    for n in 0..50 {
        assert_eq!(client.get("/").status, 200);
        client.send(format!("POST /{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"));
        assert_eq!(client.response().status, 200);
    }
    let posts = well.received().into_iter().filter(|request| request.first_line().starts_with("POST"));
    assert!(posts.map(|request| request.body).eq(std::iter::repeat_n(b"abc".to_vec(), 50)));
    // After some failures in a row it is not asked any more.
    assert_eq!(state(&proxy, nowhere), AddressState::Ejected);
    assert_eq!(control(&proxy, nowhere).counts.tally().connects_failed, 5);
}

#[test]
fn what_an_address_broke_off_is_answered_by_another_if_it_is_safe() {
    let broken = Origin::scripted(|line| {
        line.request();
    });
    let well = Origin::saying("x");
    let proxy = Plan::new(well.address).with(at(&[broken.address, well.address])).with(|config| {
        config.control.health.failures_max = 0;
    });
    let proxy = proxy.start();
    for _ in 0..50 {
        assert_eq!(proxy.client().get("/").status, 200);
    }
    assert!(!broken.received().is_empty(), "it was never asked");
    let mut lost = 0;
    for n in 0..50 {
        let mut client = proxy.client();
        client.send(format!("POST /once-{n} HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx"));
        lost += usize::from(client.response().status == 502);
        let line = format!("POST /once-{n} HTTP/1.1");
        let all = [broken.received(), well.received()].concat();
        assert_eq!(all.iter().filter(|request| request.first_line() == line).count(), 1);
    }
    assert!(lost > 0, "it was never asked");
}

#[test]
fn an_address_that_comes_back_is_used_again() {
    let is_broken = Arc::new(AtomicBool::new(true));
    let broken = Arc::clone(&is_broken);
    let failing = Origin::scripted(move |line| {
        while line.request().is_some() && !broken.load(Ordering::SeqCst) {
            line.send(ok("back"));
        }
    });
    let well = Origin::saying("well");
    let proxy = Plan::new(well.address)
        .with(at(&[failing.address, well.address]))
        .with(|config| {
            config.control.health.failures_max = 2;
            config.control.health.eject_for = Duration::from_millis(20);
            config.control.health.eject_for_max = Duration::from_millis(40);
        })
        .start();
    eventually(|| {
        assert_eq!(proxy.client().get("/").status, 200, "no client sees any of it");
        control(&proxy, failing.address).ejections(Use::Clients) > 0
    });
    is_broken.store(false, Ordering::SeqCst);
    eventually(|| proxy.client().get("/").text() == "back");
}

/// The proxy asks for itself; no client is the one that finds out.
#[test]
fn an_address_that_was_left_alone_is_asked_how_it_is_before_it_gets_requests() {
    let (well, nowhere) = (Origin::saying("x"), Port::refused());
    let proxy =
        Plan::new(well.address).with(at(&[nowhere, well.address])).with(leave_alone_for_a_moment).start();
    eventually(|| {
        assert_eq!(proxy.client().get("/").status, 200);
        state(&proxy, nowhere) == AddressState::Ejected
    });
    let tally = || control(&proxy, nowhere).counts.tally();
    // Its time is over again and again, and all that comes of it is a question.
    eventually(|| {
        assert_eq!(proxy.client().get("/").status, 200);
        tally().probes_failed >= 3
    });
    assert_eq!(tally().connects_failed, 2, "a client's request found out");
    assert_eq!(state(&proxy, nowhere), AddressState::Ejected);
    assert_eq!(control(&proxy, nowhere).ejections(Use::Clients), 1);
}

fn leave_alone_for_a_moment(config: &mut DataPlaneConfig) {
    config.control.health.failures_max = 2;
    config.control.health.eject_for = Duration::from_millis(20);
    config.control.health.eject_for_max = Duration::from_millis(40);
}

/// It takes connections, which says nothing of whether it answers.
#[test]
fn where_there_is_a_health_check_it_says_whether_an_address_may_come_back() {
    let is_sick = Arc::new(AtomicBool::new(false));
    let sick = Arc::clone(&is_sick);
    let failing = Origin::scripted(move |line| {
        while let Some(request) = line.request() {
            match (request.first_line().contains("/health"), sick.load(Ordering::SeqCst)) {
                (true, true) => line.send("HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n"),
                (false, true) => return,
                (_, false) => line.send(ok("back")),
            };
        }
    });
    let well = Origin::saying("well");
    let proxy = Plan::new(well.address)
        .with(at(&[failing.address, well.address]))
        // It asks once at the start, and then not for a long time.
        .with(checked(Duration::from_secs(3600)))
        .with(leave_alone_for_a_moment)
        .start();
    eventually(|| failing.received().len() == 1);
    is_sick.store(true, Ordering::SeqCst);
    eventually(|| {
        assert_eq!(proxy.client().get("/").status, 200);
        state(&proxy, failing.address) == AddressState::Ejected
    });
    eventually(|| control(&proxy, failing.address).counts.tally().probes_failed >= 2);
    assert_eq!(state(&proxy, failing.address), AddressState::Ejected);
    is_sick.store(false, Ordering::SeqCst);
    eventually(|| proxy.client().get("/").text() == "back");
}

fn reach(proxy: &Proxy) -> Result<(), String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(proxy.upstreams.control.reach())
}

#[test]
fn an_upstream_can_be_reached_when_an_address_takes_connections() {
    let (well, nowhere) = (Origin::saying("x"), Port::refused());
    let proxy = Plan::new(well.address).with(at(&[nowhere, well.address])).start();
    assert_eq!(reach(&proxy), Ok(()));
    let proxy = Plan::new(nowhere).start();
    let why = reach(&proxy).unwrap_err();
    assert!(why.starts_with(&format!("{nowhere}: ")), "{why}");
    let proxy = Name::of(&[]).plan().start();
    assert_eq!(reach(&proxy), Err("monolith.test:80 has no address".to_owned()));
}

#[test]
fn the_health_check_says_whether_an_upstream_can_be_reached_where_there_is_one() {
    let is_sick = Arc::new(AtomicBool::new(false));
    let sick = Arc::clone(&is_sick);
    let origin = Origin::new(move |_| match sick.load(Ordering::SeqCst) {
        true => "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned(),
        false => ok("x"),
    });
    let proxy = Plan::new(origin.address).with(checked(Duration::from_millis(10))).start();
    eventually(|| reach(&proxy) == Ok(()));
    is_sick.store(true, Ordering::SeqCst);
    // It takes connections all the time.
    eventually(|| reach(&proxy) == Err(format!("{} fails its health check", origin.address)));
    is_sick.store(false, Ordering::SeqCst);
    eventually(|| reach(&proxy) == Ok(()));
}

#[test]
fn never_are_all_addresses_ejected() {
    let (one, other) = (Port::refused(), Port::refused());
    let proxy = Plan::new(one).with(at(&[one, other])).start();
    for _ in 0..30 {
        assert_eq!(proxy.client().get("/").reason(), "unreachable");
    }
    let ejected =
        [one, other].iter().filter(|socket| state(&proxy, **socket) == AddressState::Ejected).count();
    assert_eq!(ejected, 1);
}

#[test]
fn a_5xx_ejects_only_where_it_is_said_to() {
    let failing = |_: &super::origin::Received| "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n";
    for counted in [false, true] {
        let (one, other) = (Origin::new(failing), Origin::saying("x"));
        let proxy = Plan::new(one.address)
            .with(at(&[one.address, other.address]))
            .with(move |config| config.control.health.count_5xx = counted)
            .start();
        let mut client = proxy.client();
        for _ in 0..60 {
            client.get("/");
        }
        let expected = if counted { AddressState::Ejected } else { AddressState::Used };
        assert_eq!(state(&proxy, one.address), expected);
        if counted {
            assert_eq!(one.received().len(), 5);
        }
    }
}

#[test]
fn an_address_that_hangs_is_ejected() {
    let hung = Origin::scripted(|line| {
        line.request();
        line.wait_for_end();
    });
    let well = Origin::saying("x");
    let proxy = Plan::new(well.address)
        .with(at(&[hung.address, well.address]))
        .with(|config| {
            config.control.health.failures_max = 1;
            config.control.health.eject_for = Duration::from_secs(3600);
            config.control.health.eject_for_max = Duration::from_secs(3600);
            // The one that is well has to answer in time.
            config.control.head_timeout = Duration::from_secs(3);
        })
        .start();
    eventually(|| {
        proxy.client().get("/");
        state(&proxy, hung.address) == AddressState::Ejected
    });
    for _ in 0..20 {
        assert_eq!(proxy.client().get("/").status, 200);
    }
}

#[test]
fn what_shadows_meet_takes_no_address_from_clients() {
    let well = Origin::saying("x");
    let (broken, other) = (Port::refused(), Origin::saying("x"));
    let proxy = Plan::new(well.address)
        .candidate(&other)
        .endpoint("GET /a", Stage::Shadow)
        .with(move |config| {
            config.candidate.as_mut().unwrap().authorities.push(broken.to_string());
        })
        .start();
    for _ in 0..50 {
        assert_eq!(proxy.client().get("/a").status, 200);
    }
    assert_eq!(proxy.tally().matched, 50, "no shadow is lost by it either");
    let candidate = proxy.upstreams.candidate.as_ref().unwrap();
    let addresses = candidate.addresses();
    let broken = addresses.iter().find(|address| address.socket == broken).unwrap();
    assert_eq!(candidate.state(broken, Use::Shadows), AddressState::Ejected);
    assert_eq!(candidate.state(broken, Use::Clients), AddressState::Used);
}

fn checked(every: Duration) -> impl FnOnce(&mut DataPlaneConfig) {
    move |config| {
        config.control.health.check = Some(Check {
            path: "/health?deep=1".to_owned(),
            every,
            timeout: PATIENCE,
            unhealthy: 2,
            healthy: 2,
            ..Check::default()
        });
    }
}

#[test]
fn an_address_that_fails_its_check_is_not_used_until_it_is_well() {
    let is_sick = Arc::new(AtomicBool::new(true));
    let sick = Arc::clone(&is_sick);
    let patient = Origin::new(move |request| {
        if request.first_line().starts_with("GET /health") && sick.load(Ordering::SeqCst) {
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else {
            ok("patient")
        }
    });
    let well = Origin::saying("well");
    let proxy = Plan::new(well.address)
        .with(at(&[patient.address, well.address]))
        .with(checked(Duration::from_millis(10)))
        .start();
    eventually(|| state(&proxy, patient.address) == AddressState::Unhealthy);
    assert_eq!(state(&proxy, well.address), AddressState::Used);
    for _ in 0..30 {
        assert_eq!(proxy.client().get("/").text(), "well");
    }
    let asked = patient.received().into_iter().find(|request| request.head.contains("/health")).unwrap();
    assert_eq!(asked.first_line(), "GET /health?deep=1 HTTP/1.1");
    assert_eq!(asked.field("host"), Some(patient.address.to_string().as_str()));
    is_sick.store(false, Ordering::SeqCst);
    eventually(|| proxy.client().get("/").text() == "patient");
}

#[test]
fn unhealthy_addresses_are_used_when_there_are_no_others() {
    let sick = |request: &super::origin::Received| {
        if request.first_line().starts_with("GET /health") {
            "HTTP/1.1 503 No\r\nContent-Length: 0\r\n\r\n".to_owned()
        } else {
            ok("x")
        }
    };
    let (one, other) = (Origin::new(sick), Origin::new(sick));
    let proxy = Plan::new(one.address)
        .with(at(&[one.address, other.address]))
        .with(checked(Duration::from_millis(10)))
        .start();
    let is_sick = |origin: &Origin| state(&proxy, origin.address) == AddressState::Unhealthy;
    eventually(|| is_sick(&one) && is_sick(&other));
    assert_eq!(proxy.client().get("/").status, 200);
}

/// A name whose addresses a test can change.
struct Name {
    addresses: Arc<Mutex<Option<Vec<SocketAddr>>>>,
    asked: Arc<AtomicUsize>,
}

impl Name {
    fn of(addresses: &[SocketAddr]) -> Self {
        Self { addresses: Arc::new(Mutex::new(Some(addresses.to_vec()))), asked: Arc::default() }
    }

    fn set(&self, addresses: Option<&[SocketAddr]>) {
        *self.addresses.lock().unwrap() = addresses.map(<[_]>::to_vec);
        let asked = self.asked.load(Ordering::SeqCst);
        // The one that was under way may have seen the old ones.
        eventually(|| self.asked.load(Ordering::SeqCst) >= asked + 2);
    }

    fn plan(&self) -> Plan {
        let (addresses, asked) = (Arc::clone(&self.addresses), Arc::clone(&self.asked));
        Plan::new(Port::refused())
            .with(|config| {
                config.control.authorities = vec!["monolith.test:80".to_owned()];
                config.control.resolve_every = Duration::from_millis(10);
            })
            .resolver(Arc::new(move |name| {
                assert_eq!(name, "monolith.test:80");
                asked.fetch_add(1, Ordering::SeqCst);
                let addresses = addresses.lock().unwrap().clone();
                addresses.ok_or_else(|| std::io::Error::other("no such name"))
            }))
    }
}

#[test]
fn a_name_that_gets_other_addresses_is_followed_and_what_is_on_its_way_ends_well() {
    let (go, gate) = std::sync::mpsc::channel::<()>();
    let gate = Mutex::new(gate);
    let old = Origin::scripted(move |line| {
        while let Some(request) = line.request() {
            if request.first_line().contains("/slow") {
                let _ = gate.lock().unwrap().recv();
            }
            line.send(ok("old"));
        }
    });
    let new = Origin::saying("new");
    let name = Name::of(&[old.address]);
    let proxy = name.plan().start();
    assert_eq!(proxy.client().get("/").text(), "old");
    let mut slow = proxy.client();
    slow.send("GET /slow HTTP/1.1\r\nHost: a\r\n\r\n");
    eventually(|| old.received().len() == 2);
    name.set(Some(&[new.address]));
    eventually(|| proxy.client().get("/").text() == "new");
    go.send(()).unwrap();
    assert_eq!(slow.response().text(), "old");
    // Its connections are closed, and none is made any more.
    eventually(|| old.finished() == old.connections());
    for _ in 0..10 {
        assert_eq!(proxy.client().get("/").text(), "new");
    }
}

#[test]
fn a_name_that_is_not_found_any_more_keeps_its_addresses() {
    let origin = Origin::saying("x");
    let name = Name::of(&[origin.address]);
    let proxy = name.plan().start();
    assert_eq!(proxy.client().get("/").status, 200);
    name.set(None);
    eventually(|| proxy.upstreams.control.resolve_tally().is_failing);
    assert!(proxy.upstreams.control.resolve_tally().failed > 0);
    assert_eq!(proxy.client().get("/").status, 200);
    name.set(Some(&[origin.address]));
    eventually(|| !proxy.upstreams.control.resolve_tally().is_failing);
}

#[test]
fn a_name_that_is_found_late_is_served_then() {
    let origin = Origin::saying("x");
    let name = Name::of(&[]);
    let proxy = name.plan().start();
    assert_eq!(proxy.client().get("/").reason(), "unreachable");
    name.set(Some(&[origin.address]));
    eventually(|| proxy.client().get("/").status == 200);
}

/// The system's own resolver: `localhost` may have two addresses, of which only one is listened on.
#[test]
fn a_name_with_addresses_of_both_families_is_served() {
    let origin = Origin::scripted_at(Port::taken_at(Ipv4Addr::LOCALHOST), |line| {
        while line.request().is_some_and(|_| line.send(ok("x"))) {}
    });
    let authority = format!("localhost:{}", origin.address.port());
    let proxy =
        Plan::new(origin.address).with(move |config| config.control.authorities = vec![authority]).start();
    for _ in 0..20 {
        assert_eq!(proxy.client().get("/").status, 200);
    }
}

#[test]
fn the_connections_of_all_addresses_together_are_bounded() {
    let origins: Vec<_> = (0..4).map(|_| Origin::saying("x")).collect();
    let addresses: Vec<_> = origins.iter().map(|origin| origin.address).collect();
    let proxy = Plan::new(addresses[0])
        .with(at(&addresses))
        .with(|config| {
            config.control.connections_max = 2;
            config.control.idle_timeout = Duration::from_secs(3600);
        })
        .start();
    let mut client = proxy.client();
    for _ in 0..60 {
        assert_eq!(client.get("/").status, 200);
        // One is closed by the proxy before another is made; its end has to arrive.
        let open = || origins.iter().map(|origin| origin.connections() - origin.finished()).sum::<usize>();
        eventually(|| open() <= 2);
    }
}
