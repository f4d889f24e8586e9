//! Nothing is left of what upstreams and clients do wrong: no byte of memory, no file, no task.

use std::io::Write;
use std::net::{Shutdown, SocketAddr};
use std::time::{Duration, Instant};

use strangler_proxy::data_plane::Present;

use super::client::Client;
use super::faults::{SHORT, play};
use super::origin::Origin;
use super::proxy::{Plan, Proxy};
use crate::allocations;
use crate::alone::alone;
use crate::shadow::rig::PATIENCE;

/// Each fault comes from so many clients at once, several times: what every one of them leaves behind adds up to more
/// than tables that have grown.
const AT_ONCE: usize = 48;
const TIMES: usize = 3;
const LOOK: Duration = Duration::from_millis(1);
const SLACK: isize = 16 << 10;
/// Tables grow when more come together than ever before, and not each time. What leaks does so each time.
const GROWTHS: usize = 3;

/// What a fault may leave behind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Left {
    bytes: isize,
    files: usize,
    present: [Present; 2],
}

/// One that waits for as long as it takes, and one whose patience is soon at its end.
struct Proxies {
    control: Origin,
    patient: Proxy,
    hasty: Proxy,
}

impl Left {
    fn of(proxies: &Proxies) -> Self {
        proxies.control.forget();
        let present = [&proxies.patient, &proxies.hasty].map(|proxy| proxy.plane().counts().present());
        // What is looked for may not be moved by the looking.
        let files = std::fs::read_dir("/proc/self/fd").unwrap().count();
        Self { bytes: allocations::live(), files, present }
    }

    fn is_no_more_than(&self, base: &Self) -> bool {
        self.bytes <= base.bytes + SLACK && self.holds_no_more_than(base)
    }

    /// Connections, requests, tasks and files, of which nothing has any slack.
    fn holds_no_more_than(&self, base: &Self) -> bool {
        // A task that was about to end may have been counted in the base.
        let is_no_more = |(there, then): (&Present, &Present)| {
            there.tasks <= then.tasks && Present { tasks: then.tasks, ..*there } == *then
        };
        self.files <= base.files && self.present.iter().zip(&base.present).all(is_no_more)
    }

    /// What there is when it is no more than `base`, or when patience is at its end.
    fn after(proxies: &Proxies, base: &Self) -> Self {
        let start = Instant::now();
        loop {
            let left = Self::of(proxies);
            if left.is_no_more_than(base) || start.elapsed() > PATIENCE {
                return left;
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Of a client of one of the proxies.
#[derive(Clone, Copy)]
enum Fault {
    OfPatient(fn(SocketAddr)),
    OfHasty(fn(SocketAddr)),
}

use Fault::{OfHasty, OfPatient};

const FAULTS: [(&str, Fault); 16] = [
    (
        "an upstream that closes when its connection is used again",
        OfPatient(|proxy| {
            let mut client = Client::connect(proxy);
            client.get("/fine");
            assert_eq!(client.get("/closes").status, 502);
        }),
    ),
    ("an upstream that resets in mid body", OfPatient(|proxy| to_the_end(proxy, "/resets"))),
    ("a body that is short", OfPatient(|proxy| to_the_end(proxy, "/short"))),
    (
        "a body that is long",
        OfPatient(|proxy| {
            assert_eq!(Client::connect(proxy).get("/long").text(), "abc");
        }),
    ),
    ("chunks that are none", OfPatient(|proxy| to_the_end(proxy, "/chunks"))),
    (
        "ten megabytes of fields",
        OfPatient(|proxy| {
            assert_eq!(Client::connect(proxy).get("/fields").status, 502);
        }),
    ),
    (
        "interim responses without end",
        OfHasty(|proxy| whatever_comes(proxy, "GET /hints HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")),
    ),
    (
        "an upstream that never answers",
        OfHasty(|proxy| whatever_comes(proxy, "GET /hangs HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")),
    ),
    (
        "an upstream that never reads",
        OfHasty(|proxy| {
            let mut client = Client::connect(proxy);
            let head = b"POST /deaf HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n";
            let _ = client.stream().write_all(head);
            client.stream().set_write_timeout(Some(SHORT)).unwrap();
            while client.stream().write_all(&[0; 64 << 10]).is_ok() {}
            client.rest();
        }),
    ),
    ("a client that vanishes in its head", OfPatient(|proxy| vanish(proxy, "GET / HTTP/1.1\r\nHost"))),
    (
        "a client that vanishes in its body",
        OfPatient(|proxy| {
            vanish(proxy, "POST /fine HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
        }),
    ),
    (
        "a client that vanishes while it is answered",
        OfHasty(|proxy| {
            vanish(proxy, "GET /hangs HTTP/1.1\r\nHost: a\r\n\r\n");
        }),
    ),
    (
        "a client that closes its half",
        OfPatient(|proxy| {
            let mut client = Client::connect(proxy);
            client.send("GET /fine HTTP/1.1\r\nHost: a\r\n\r\n");
            client.stream().shutdown(Shutdown::Write).unwrap();
            assert_eq!(client.response().text(), "fine");
        }),
    ),
    (
        "a client that sends many requests at once",
        OfPatient(|proxy| {
            let mut client = Client::connect(proxy);
            client.send("GET /fine HTTP/1.1\r\nHost: a\r\n\r\n".repeat(20));
            (0..20).for_each(|_| assert_eq!(client.response().text(), "fine"));
        }),
    ),
    (
        "a head that does not end",
        OfHasty(|proxy| whatever_comes(proxy, &format!("GET / HTTP/1.1\r\nX: {}", "x".repeat(10_000)))),
    ),
    (
        "a body that does not end",
        OfHasty(|proxy| {
            whatever_comes(proxy, "POST /slow HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
        }),
    ),
];

fn to_the_end(proxy: SocketAddr, path: &str) {
    let mut client = Client::connect(proxy);
    client.send(format!("GET {path} HTTP/1.1\r\nHost: a\r\n\r\n"));
    client.rest();
}

/// The patience of a hasty proxy may be at its end before a client, one of many, is at its first byte: then nothing is
/// answered. What is answered otherwise is held by `faults`.
fn whatever_comes(proxy: SocketAddr, request: &str) {
    let mut client = Client::connect(proxy);
    let _ = client.stream().write_all(request.as_bytes());
    client.rest();
}

fn vanish(proxy: SocketAddr, request: &str) {
    let mut client = Client::connect(proxy);
    let _ = client.stream().write_all(request.as_bytes());
    client.leave();
}

fn from_all(proxies: &Proxies, fault: Fault) {
    let (proxy, fault) = match fault {
        OfPatient(fault) => (proxies.patient.address, fault),
        OfHasty(fault) => (proxies.hasty.address, fault),
    };
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(move || fault(proxy));
        }
    });
}

fn proxy(control: &Origin, patience: Duration) -> Proxy {
    Plan::new(control.address)
        .with(move |config| {
            config.forwarding.informational = false;
            config.control.head_timeout = patience;
            config.control.wait_max = PATIENCE;
            config.control.idle_timeout = SHORT;
            config.timeouts.head = patience;
            config.timeouts.body = patience;
            // Everybody reads. A short one has the threads look often at what is open.
            config.timeouts.write = 4 * SHORT;
        })
        .start()
}

#[test]
fn nothing_is_left_of_a_fault() {
    alone("data_plane::leaks::nothing_is_left_of_a_fault", || {
        let control = Origin::scripted(|line| {
            play(line, |path| {
                if path == "/deaf" {
                    // Longer than the hasty one has patience for it.
                    std::thread::sleep(8 * SHORT);
                }
            });
        });
        let (patient, hasty) = (proxy(&control, PATIENCE), proxy(&control, 4 * SHORT));
        let proxies = Proxies { control, patient, hasty };
        // Tables grow to what is asked of them, once.
        for (_, fault) in FAULTS {
            from_all(&proxies, fault);
        }
        let (start, mut base) = (Instant::now(), Left::of(&proxies));
        let is_busy = |there: &Present| there.connections + there.upstream_busy + there.upstream_idle > 0;
        while base.present.iter().any(is_busy) {
            assert!(start.elapsed() < PATIENCE, "{base:?}");
            std::thread::sleep(LOOK);
            base = Left::of(&proxies);
        }
        for (name, fault) in FAULTS {
            for growth in 1.. {
                for _ in 0..TIMES {
                    from_all(&proxies, fault);
                }
                let left = Left::after(&proxies, &base);
                if left.is_no_more_than(&base) {
                    break;
                }
                let may_be_a_table = left.holds_no_more_than(&base) && growth < GROWTHS;
                assert!(may_be_a_table, "{name}: there is {left:?}, and was {base:?}");
                base = left;
            }
        }
    });
}
