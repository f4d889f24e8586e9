use diff_harness::comparison::{DropReason, SkipReason};
use diff_harness::fingerprint::Fingerprint;
use diff_harness::noise::book::{EndpointNoise, Learned, Place};
use diff_harness::noise::confirm::Confirmation;
use diff_harness::rules::Format;
use diff_harness::store::{
    EpochFilter, GroupFilter, NegativeControl, Observed, PlainTally, Spread, Tally, Undeclared,
};

use super::*;

fn all_groups(ledger: &Ledger) -> Vec<diff_harness::store::Group> {
    groups_of(ledger, EpochFilter::All)
}

fn groups_of(ledger: &Ledger, epoch: EpochFilter<'_>) -> Vec<diff_harness::store::Group> {
    ledger.groups(&GroupFilter { endpoint: None, epoch, least_severity: None, limit: 100 }).unwrap()
}

#[test]
fn tallies_add_up_over_batches_and_epochs() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let tally = Tally {
        matched: 5,
        tolerated: 2,
        mismatched: 1,
        both_failed: 1,
        racing: 1,
        skipped: [(SkipReason::Sampled, 7), (SkipReason::Stage, 3)].into(),
        dropped: [(DropReason::Expired, 4)].into(),
        answered_control: 20,
        answered_candidate: 1,
        fallbacks: 1,
        answered_proxy: 1,
    };
    let unmatched = Tally { skipped: [(SkipReason::Unmatched, 9)].into(), ..Tally::default() };
    for candidate in ["v1", "v1", "v2"] {
        let tallies = vec![(Some(endpoint.clone()), tally.clone()), (None, unmatched.clone())];
        ledger.record(&Batch { tallies, epoch: epoch(candidate), ..Batch::default() }).unwrap();
    }
    let all = ledger.tallies(EpochFilter::All).unwrap();
    assert_eq!(all.len(), 2);
    assert_eq!((all[0].0.as_ref(), all[0].1.seen()), (None, 27));
    let mut thrice = tally.clone();
    thrice.add(&tally);
    thrice.add(&tally);
    assert_eq!(all[1], (Some(endpoint.clone()), thrice));
    assert_eq!(ledger.tallies(EpochFilter::Only(&epoch("v2"))).unwrap()[1], (Some(endpoint), tally));
    assert!(ledger.tallies(EpochFilter::Only(&epoch("v3"))).unwrap().is_empty());
}

#[test]
fn epochs_are_listed_with_the_time_they_span() {
    let home = Home::new();
    let ledger = home.open();
    for (candidate, at) in [("v1", 10), ("v2", 20), ("v1", 15)] {
        ledger.record(&Batch { at: UnixMillis(at), ..batch(candidate, Vec::new()) }).unwrap();
    }
    let epochs = ledger.epochs().unwrap();
    let spans: Vec<_> = epochs.iter().map(|e| (e.epoch.candidate.as_str(), e.first.0, e.last.0)).collect();
    assert_eq!(spans, [("v2", 20, 20), ("v1", 10, 15)]);
}

#[test]
fn a_batch_with_an_unknown_endpoint_is_not_recorded_at_all() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let tally = Tally { matched: 1, ..Tally::default() };
    let tallies = vec![(Some(endpoint), tally.clone()), (Some(super::endpoint("GET /nowhere")), tally)];
    ledger.record(&Batch { tallies, ..Batch::default() }).unwrap_err();
    assert!(ledger.tallies(EpochFilter::All).unwrap().is_empty());
}

#[test]
fn groups_are_counted_by_epoch_worst_first() {
    let home = Home::new();
    let ledger = home.open();
    declared(&ledger);
    let title = divergence("title", Severity::Changed);
    let secret = divergence("secret", Severity::Exposure);
    let twice = [title.clone(), title.clone(), secret.clone()];
    ledger.record(&batch("v1", vec![record("a", 10, &twice), record("b", 20, &twice[..1])])).unwrap();
    ledger.record(&batch("v2", vec![record("c", 30, &twice[..1])])).unwrap();

    let all = all_groups(&ledger);
    assert_eq!(
        all.iter().map(|group| group.severity).collect::<Vec<_>>(),
        [Severity::Exposure, Severity::Changed]
    );
    assert_eq!((all[1].count, all[1].exchanges), (4, 3));
    assert_eq!((all[1].first_seen, all[1].last_seen), (UnixMillis(10), UnixMillis(30)));
    assert_eq!(all[1].location, "$.tracks[*].title");
    assert_eq!(all[1].example.get(), &title);
    assert_eq!(ledger.group(&all[1].fingerprint).unwrap().as_ref(), Some(&all[1]));

    let second = groups_of(&ledger, EpochFilter::Only(&epoch("v2")));
    assert_eq!((second.len(), second[0].count), (1, 1));
    let worst = GroupFilter {
        endpoint: Some(&playlists()),
        epoch: EpochFilter::All,
        least_severity: Some(Severity::Breaking),
        limit: 9,
    };
    assert_eq!(ledger.groups(&worst).unwrap().len(), 1);
}

#[test]
fn a_sample_comes_back_as_it_was_kept() {
    let home = Home::new();
    let ledger = home.open();
    declared(&ledger);
    let found = [divergence("title", Severity::Changed), divergence("secret", Severity::Exposure)];
    ledger.record(&batch("v1", vec![record("a", 10, &found), record("b", 20, &found)])).unwrap();
    let group = &all_groups(&ledger)[0];
    let samples = ledger.samples(&group.fingerprint, 10).unwrap();
    let ids: Vec<_> = samples.iter().map(|sample| sample.exchange.get().id.as_str()).collect();
    assert_eq!(ids, ["b", "a"], "newest first");

    let kept = ledger.exchange("a").unwrap().unwrap();
    assert_eq!(format!("{:?}", kept.exchange.get()), format!("{:?}", exchange("a", 10)));
    assert_eq!(kept.divergences, record("a", 10, &found).divergences);
    assert_eq!(kept.notes, ["a note"]);
    assert!(ledger.exchange("z").unwrap().is_none());
}

#[test]
fn every_location_comes_back() {
    let home = Home::new();
    let ledger = home.open();
    declared(&ledger);
    let path = JsonPath(vec![Segment::Key("0".to_owned()), Segment::Index(0), Segment::Any]);
    let found: Vec<_> = [
        Location::Status,
        Location::Header { name: "vary".to_owned(), part: None },
        Location::Header { name: "set-cookie".to_owned(), part: Some("a; Secure".to_owned()) },
        Location::Json(path),
        Location::Field("f".to_owned()),
        Location::Line(7),
        Location::Body,
        Location::Exchange,
    ]
    .into_iter()
    .map(|location| Divergence { location, ..divergence("x", Severity::Breaking) })
    .collect();
    let given = record("a", 10, &found);
    ledger.record(&batch("v1", vec![given.clone()])).unwrap();
    assert_eq!(ledger.exchange("a").unwrap().unwrap().divergences, given.divergences);
}

#[test]
fn shapes_rules_latencies_and_undeclared_traffic_are_kept() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let mut tolerated = record("a", 10, &[]);
    tolerated.verdict = Verdict::Tolerated;
    tolerated.tolerated = vec![("times".to_owned(), 3)];
    tolerated.applied = vec!["times".to_owned(), "ids".to_owned()];
    let plain = PlainTally {
        endpoint: endpoint.clone(),
        shape: "4xx".to_owned(),
        verdict: Verdict::Match,
        status: Some(404),
        both_failed: false,
        count: 40,
        spread: Spread::default(),
        tolerated: vec![("times".to_owned(), 4)],
        applied: vec![("times".to_owned(), 4)],
        latencies: vec![LatencyPair { control_us: 1, candidate_us: 2, answered_by: Side::Candidate }],
    };
    let mut given = batch("v1", vec![tolerated, record("b", 11, &[divergence("x", Severity::Changed)])]);
    given.plain = vec![plain];
    let proposed = super::endpoint("GET /users/{id}");
    let examples = vec!["/users/1?token=s".to_owned(), "/users/2".to_owned()];
    given.undeclared = vec![Undeclared { proposed: proposed.clone(), count: 2, examples }];
    ledger.record(&given).unwrap();
    ledger.record(&Batch { undeclared: given.undeclared.clone(), ..Batch::default() }).unwrap();

    let shapes = ledger.observed(&endpoint, &epoch("v1")).unwrap().shapes;
    let shapes: Vec<_> = shapes.iter().map(|s| (s.shape.as_str(), s.compared, s.mismatched)).collect();
    assert_eq!(shapes, [("4xx", 40, 0), ("2xx", 2, 1)]);
    let rules = ledger.rules(&epoch("v1")).unwrap();
    let rules: Vec<_> = rules.iter().map(|r| (r.rule.as_str(), r.applied, r.hidden)).collect();
    assert_eq!(rules, [("ids", 1, 0), ("times", 5, 7)]);
    let latencies = ledger.latencies(&endpoint, &epoch("v1")).unwrap();
    let latencies: Vec<_> = latencies.iter().map(|pair| (pair.control_us, pair.candidate_us)).collect();
    assert_eq!(latencies, [(2000, 3000), (2000, 3000), (1, 2)]);
    assert!(ledger.observed(&endpoint, &epoch("v2")).unwrap().shapes.is_empty());

    let undeclared = ledger.undeclared(9).unwrap();
    let examples = vec!["/users/1".to_owned(), "/users/2".to_owned()];
    assert_eq!(undeclared, [Undeclared { proposed, count: 4, examples }]);
}

#[test]
fn a_sweep_deletes_exchanges_and_keeps_every_count() {
    let home = Home::new();
    let retention = Retention { samples_per_group: 3, matches_per_endpoint: 2, ..Retention::default() };
    let ledger = home.open_with(retention);
    declared(&ledger);
    let found = [divergence("title", Severity::Changed)];
    // A minute apart, so that the group takes every one of them as a fresh one.
    let minute = 60_000;
    for n in 0..8 {
        let mismatch = record(&format!("d{n}"), n * minute, &found);
        let same = record(&format!("m{n}"), n * minute, &[]);
        let tally = Tally { matched: 1, mismatched: 1, ..Tally::default() };
        let mut given = batch("v1", vec![mismatch, same]);
        given.tallies = vec![(Some(playlists()), tally)];
        ledger.record(&given).unwrap();
    }
    let counts = |ledger: &Ledger| {
        let shapes = ledger.observed(&playlists(), &epoch("v1")).unwrap().shapes;
        (ledger.tallies(EpochFilter::All).unwrap(), all_groups(ledger), shapes)
    };
    let before = counts(&ledger);
    let group = before.1[0].fingerprint.clone();
    assert_eq!(ledger.samples(&group, 99).unwrap().len(), 8);

    let swept = ledger.sweep(UnixMillis(8 * minute)).unwrap();
    assert_eq!(swept.exchanges, 5 + 6);
    assert!(swept.bytes > 0);
    let left: Vec<_> =
        ledger.samples(&group, 99).unwrap().iter().map(|sample| sample.exchange.get().id.clone()).collect();
    assert_eq!(left, ["d7", "d6", "d5"], "the newest stay");
    assert!(ledger.exchange("m7").unwrap().is_some() && ledger.exchange("m5").unwrap().is_none());
    assert_eq!(ledger.sweep(UnixMillis(8 * minute)).unwrap().exchanges, 0);

    drop(ledger);
    let small = Retention { exchange_bytes_max: 1, ..retention };
    let ledger = home.open_with(small);
    assert_eq!(ledger.sweep(UnixMillis(8 * minute)).unwrap().exchanges, 5);
    assert!(ledger.samples(&group, 99).unwrap().is_empty());
    assert_eq!(counts(&ledger), before);
}

#[test]
fn a_sweep_keeps_a_sample_that_one_of_its_groups_still_wants() {
    let home = Home::new();
    let ledger = home.open_with(Retention { samples_per_group: 1, ..Retention::default() });
    declared(&ledger);
    let (title, rare) = (divergence("title", Severity::Changed), divergence("rare", Severity::Changed));
    let minute = 60_000;
    ledger.record(&batch("v1", vec![record("both", 0, &[title.clone(), rare])])).unwrap();
    ledger.record(&batch("v1", vec![record("title", minute, &[title])])).unwrap();
    assert_eq!(ledger.sweep(UnixMillis(minute)).unwrap().exchanges, 0);
    assert!(ledger.exchange("both").unwrap().is_some());
}

#[test]
fn a_sweep_deletes_what_is_too_old() {
    let home = Home::new();
    let retention = Retention { exchange_age_max: Duration::from_secs(10), ..Retention::default() };
    let ledger = home.open_with(retention);
    declared(&ledger);
    ledger.record(&batch("v1", vec![record("old", 1000, &[]), record("new", 5000, &[])])).unwrap();
    assert_eq!(ledger.sweep(UnixMillis(12_000)).unwrap().exchanges, 1);
    assert!(ledger.exchange("old").unwrap().is_none() && ledger.exchange("new").unwrap().is_some());
}

#[test]
fn a_group_in_a_new_epoch_gets_samples_of_its_own() {
    let home = Home::new();
    let ledger = home.open_with(Retention { samples_per_group: 2, ..Retention::default() });
    declared(&ledger);
    let found = [divergence("title", Severity::Changed)];
    let many = |prefix: &str| (0..5).map(|n| record(&format!("{prefix}{n}"), n, &found)).collect();
    ledger.record(&batch("v1", many("a"))).unwrap();
    ledger.record(&batch("v2", many("b"))).unwrap();
    let group = &all_groups(&ledger)[0];
    assert_eq!(group.exchanges, 10);
    assert_eq!(ledger.samples(&group.fingerprint, 99).unwrap().len(), 4);
}

#[test]
fn endless_groups_are_counted_together_and_an_exposure_stays_one() {
    let home = Home::new();
    let ledger = home.open_with(Retention { groups_per_endpoint: 3, ..Retention::default() });
    declared(&ledger);
    let mut found: Vec<_> = (0..10).map(|n| divergence(&format!("key{n}"), Severity::Changed)).collect();
    found.push(divergence("leak", Severity::Exposure));
    ledger.record(&batch("v1", vec![record("a", 1, &found)])).unwrap();
    let groups = all_groups(&ledger);
    assert_eq!(groups.len(), 5);
    assert_eq!(groups.iter().map(|group| group.count).sum::<u64>(), 11);
    assert_eq!((groups[0].severity, groups[0].count), (Severity::Exposure, 1));
    assert_eq!((groups[1].location.as_str(), groups[1].count), ("body", 7));
}

#[test]
fn twenty_thousand_comparisons_are_recorded_in_batches() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let found = [divergence("title", Severity::Changed)];
    let sample = record("a", 1, &found);
    for n in 0..40 {
        let mut given = batch("v1", vec![sample.clone(); 500]);
        given.tallies = vec![(Some(endpoint.clone()), Tally { mismatched: 500, ..Tally::default() })];
        given.at = UnixMillis(n);
        ledger.record(&given).unwrap();
    }
    assert_eq!(ledger.tallies(EpochFilter::All).unwrap()[0].1.mismatched, 20_000);
    let group = &all_groups(&ledger)[0];
    assert_eq!((group.count, group.exchanges), (20_000, 20_000));
    let kept = ledger.samples(&group.fingerprint, usize::MAX).unwrap().len();
    assert_eq!(kept, Retention::default().samples_per_group as usize);
    assert!(ledger.latencies(&endpoint, &epoch("v1")).unwrap().len() <= 2000);
}

#[test]
fn a_reader_does_not_wait_for_a_writer() {
    let home = Home::new();
    let ledger = home.open();
    declared(&ledger);
    // A write transaction of another connection, left open.
    let outside = rusqlite::Connection::open(home.path()).unwrap();
    outside.execute_batch("BEGIN IMMEDIATE; INSERT INTO settings VALUES ('half', 'done')").unwrap();
    assert_eq!(ledger.routes().unwrap().len(), 1);
    assert_eq!(ledger.setting("half").unwrap(), None);
}

#[test]
fn what_the_gate_judges_by_is_read_at_one_moment() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let (title, plays) = (divergence("title", Severity::Changed), divergence("plays", Severity::Changed));
    let mut confirmed = record("a", 10, std::slice::from_ref(&title));
    (confirmed.confirmation, confirmed.place) = (Some(Confirmation::Confirmed), 1);
    let both = record("b", 11, &[title.clone(), plays.clone()]);
    let mut given = batch("v1", vec![confirmed.clone(), confirmed, both]);
    let mut spread = Spread::default();
    spread.add(5, 30);
    spread.add(6, 1);
    let plain = |verdict, both_failed, count, status| PlainTally {
        endpoint: endpoint.clone(),
        shape: "2xx".to_owned(),
        status: Some(status),
        verdict,
        both_failed,
        count,
        spread: spread.clone(),
        tolerated: Vec::new(),
        applied: Vec::new(),
        latencies: Vec::new(),
    };
    given.plain = vec![
        plain(Verdict::Match, false, 31, 200),
        plain(Verdict::Match, true, 31, 503),
        plain(Verdict::Mismatch, false, 31, 200),
    ];
    let tally = Tally { matched: 62, mismatched: 34, racing: 31, both_failed: 31, ..Tally::default() };
    given.tallies = vec![(Some(endpoint.clone()), tally.clone())];
    ledger.record(&given).unwrap();
    let dropped = Tally { dropped: [(DropReason::Unreachable, 1)].into(), ..Tally::default() };
    let tallies = vec![(Some(endpoint.clone()), dropped)];
    ledger.record(&Batch { at: UnixMillis(9), tallies, ..batch("v1", Vec::new()) }).unwrap();

    let observed = ledger.observed(&endpoint, &epoch("v1")).unwrap();
    let [shape] = &observed.shapes[..] else { panic!("{:?}", observed.shapes) };
    assert_eq!((shape.compared, shape.mismatched, shape.both_failed, shape.racing), (96, 34, 31, 31));
    assert_eq!((shape.spread.distinct(), shape.spread.capped(10), shape.spread.capped(100)), (4, 14, 34));
    assert_eq!(observed.statuses, [(200, 65), (503, 31)]);
    let fingerprint = |d: &Divergence| Fingerprint::of(&endpoint, d);
    let mut known: Vec<_> =
        observed.mismatches.iter().map(|m| (m.groups.clone(), m.count, m.confirmed)).collect();
    known.sort_by_key(|(groups, ..)| groups.len());
    assert_eq!(known[0], (vec![fingerprint(&title)], 2, 2));
    assert_eq!((known[1].0.len(), known[1].1, known[1].2), (2, 1, 0));
    assert!(known[1].0.contains(&fingerprint(&plays)));
    let moments = observed.moments;
    assert_eq!(
        (moments.began, moments.compared, moments.dropped),
        (Some(UnixMillis(5)), Some(UnixMillis(5)), Some(UnixMillis(9)))
    );
    assert_eq!(ledger.observed(&endpoint, &epoch("v2")).unwrap(), Observed::default());
}

#[test]
fn noise_is_kept_by_deployment_of_control() {
    let home = Home::new();
    let endpoint = declared(&home.open());
    let place = Place { location: "$.at".to_owned(), kind: Kind::Value };
    let learned = |sightings, hidden| Learned {
        sightings,
        formats: vec![Format::Timestamp, Format::Token],
        hidden,
        refused: 1,
    };
    let noise =
        |asked_twice, learned| EndpointNoise { asked_twice, places: [(place.clone(), learned)].into() };
    let keep = |known: EndpointNoise| {
        let noise = vec![(endpoint.clone(), known)];
        home.open().record(&Batch { noise, ..batch("v1", Vec::new()) }).unwrap();
    };
    keep(noise(3, learned(3, 0)));
    keep(noise(4, learned(4, 7)));
    let ledger = home.open();
    assert_eq!(ledger.noise("c1").unwrap(), [(endpoint, noise(4, learned(4, 7)))]);
    assert!(ledger.noise("c2").unwrap().is_empty());
}

#[test]
fn a_negative_control_keeps_when_it_was_last_found() {
    let home = Home::new();
    let ledger = home.open();
    let endpoint = declared(&ledger);
    let tried = |at, found: Option<u64>, missed: &[&str]| {
        let missed = missed.iter().map(ToString::to_string).collect();
        let trial = NegativeControl { tried: UnixMillis(at), found: found.map(UnixMillis), missed };
        let negative_controls = vec![(endpoint.clone(), trial)];
        ledger.record(&Batch { negative_controls, ..batch("v1", Vec::new()) }).unwrap();
        ledger.observed(&endpoint, &epoch("v1")).unwrap().negative_control.unwrap()
    };
    assert_eq!(tried(10, Some(10), &[]).found, Some(UnixMillis(10)));
    let failed = tried(20, None, &["a changed status"]);
    assert_eq!((failed.tried, failed.found), (UnixMillis(20), Some(UnixMillis(10))));
    assert_eq!(failed.missed, ["a changed status"]);
}
