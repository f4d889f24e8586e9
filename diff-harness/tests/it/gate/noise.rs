//! A field that always differs between control and control hides nothing but what it is known for.

use diff_harness::compare::Comparator;
use diff_harness::comparison::Comparison;
use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::ledger::{Ledger, Retention};
use diff_harness::lifecycle::Declaration;
use diff_harness::noise::book::{Maturity, NoiseBook};
use diff_harness::store::{Batch, Epoch, Store};

fn compared(endpoint: &EndpointId, control: &str, candidate: &str) -> Comparison {
    Comparator::default().compare_contents(endpoint, None, control.as_bytes(), candidate.as_bytes())
}

#[test]
fn a_field_that_always_differs_is_found_when_it_is_null_of_another_type_or_of_another_format() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("strangler.db");
    let endpoint: EndpointId = "GET /a".parse().unwrap();
    let epoch = Epoch { control: "m1".to_owned(), ..Epoch::default() };
    let body = |minute: usize| format!(r#"{{"at":"2026-01-01T00:{minute:02}:00Z","id":{minute}}}"#);
    {
        // Control is asked twice, and never says the same.
        let ledger = Ledger::open(&path, Retention::default()).unwrap();
        ledger.declare(&[(endpoint.clone(), Declaration::default())], UnixMillis(1)).unwrap();
        let mut book = NoiseBook::default();
        for minute in 0..20 {
            book.learn(&endpoint, &compared(&endpoint, &body(minute), &body(minute + 20)));
        }
        let noise = book.take_changed();
        ledger.record(&Batch { epoch: epoch.clone(), noise, ..Batch::default() }).unwrap();
    }
    // After a restart it is known from the store.
    let ledger = Ledger::open(&path, Retention::default()).unwrap();
    let mut book = NoiseBook::with(Maturity::default(), ledger.noise(&epoch.control).unwrap());
    let mut left = |candidate: &str| {
        let mut comparison = compared(&endpoint, &body(1), candidate);
        book.quiet(&endpoint, &mut comparison);
        comparison.divergences
    };
    assert_eq!(left(&body(59)), [], "what it is known for is quiet");
    for (what, candidate) in [
        ("null", r#"{"at":null,"id":1}"#),
        ("another type", r#"{"at":5,"id":1}"#),
        ("another type", r#"{"at":"2026-01-01T00:01:00Z","id":"1"}"#),
        ("another format", r#"{"at":"yesterday","id":1}"#),
        ("another format", r#"{"at":"01/01/2026 00:01","id":1}"#),
        ("nothing", r#"{"id":1}"#),
    ] {
        assert_eq!(left(candidate).len(), 1, "{what} went through: {candidate}");
    }
    let more = left(r#"{"at":"2026-01-01T00:59:00Z","id":9,"private":true}"#);
    assert_eq!(more.iter().map(|found| found.severity).collect::<Vec<_>>(), [Severity::Exposure]);
    // What it hid and what it refused to hide is counted, and kept.
    let noise = book.take_changed();
    ledger.record(&Batch { epoch: epoch.clone(), noise, ..Batch::default() }).unwrap();
    let known = ledger.noise("m1").unwrap();
    let hidden: u64 = known[0].1.places.values().map(|learned| learned.hidden).sum();
    let refused: u64 = known[0].1.places.values().map(|learned| learned.refused).sum();
    assert_eq!((known[0].1.asked_twice, hidden >= 4, refused), (20, true, 2), "{known:?}");
}
