use diff_harness::fingerprint::Fingerprint;
use diff_harness::search::Search;
use diff_harness::store::{
    Among, DecisionsOf, EpochFilter, Group, GroupFilter, GroupListing, PlainTally, Spread, StoreError, Tally,
    Took,
};
use diff_harness::triage::{Act, Call, Entry, Part, Predicate, Refusal, State, Triaged, Wish, weigh};

use super::*;

const DAY: u64 = 86_400_000;

fn wish(group: &Fingerprint, act: Act, at: u64) -> Wish {
    Wish {
        group: group.clone(),
        act,
        actor: "ada".into(),
        reason: "agreed".into(),
        at: UnixMillis(at),
        expected: None,
    }
}

fn call(call: Call, epoch: &str) -> Act {
    let expires = call.is_waiver().then_some(UnixMillis(10 * DAY));
    Act::Decide { call, owner: "grace".into(), expires, epoch: epoch.into() }
}

fn of_shape(shape: &str, mut record: ComparisonRecord) -> ComparisonRecord {
    record.shape = shape.to_owned();
    record
}

fn groups(ledger: &Ledger, candidate: &str) -> Vec<Triaged> {
    let epoch = epoch(candidate);
    let filter = GroupFilter {
        endpoint: None,
        epoch: EpochFilter::Only(&epoch),
        least_severity: None,
        limit: usize::MAX,
    };
    ledger.triaged(&filter).unwrap()
}

fn refusal(result: Result<Entry, StoreError>) -> Refusal {
    match result {
        Err(StoreError::Triage(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

/// A group that was seen once in this candidate epoch.
fn seen(ledger: &Ledger, candidate: &str, at: u64) -> Fingerprint {
    declared(ledger);
    let found = [divergence("title", Severity::Changed)];
    let records = vec![record(&format!("r{at}"), at, &found)];
    ledger.record(&Batch { at: UnixMillis(at), ..batch(candidate, records) }).unwrap();
    Fingerprint::of(&playlists(), &found[0])
}

/// Comparisons that found nothing.
fn clean(ledger: &Ledger, candidate: &str, at: u64, count: u64) {
    let tally = Tally { matched: count, ..Tally::default() };
    let plain = PlainTally {
        endpoint: playlists(),
        shape: "2xx".into(),
        status: Some(200),
        spread: Spread::default(),
        verdict: Verdict::Match,
        both_failed: false,
        count,
        tolerated: vec![],
        applied: vec![],
        latencies: vec![],
    };
    let batch = Batch {
        at: UnixMillis(at),
        tallies: vec![(Some(playlists()), tally)],
        plain: vec![plain],
        ..batch(candidate, vec![])
    };
    ledger.record(&batch).unwrap();
}

fn state(ledger: &Ledger, group: &Fingerprint, now: u64) -> State {
    ledger.triaged_group(group).unwrap().unwrap().state(100, UnixMillis(now))
}

#[test]
fn a_decision_survives_a_restart_and_is_never_rewritten() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    assert_eq!(state(&ledger, &group, 20), State::New);
    let entry = ledger.decide(&wish(&group, call(Call::Expected, "v1"), 20)).unwrap();
    assert_eq!((entry.sequence, entry.endpoint.as_ref()), (1, Some(&playlists())));
    drop(ledger);

    let again = home.open();
    assert_eq!(state(&again, &group, 30), State::Expected);
    assert_eq!(state(&again, &group, 10 * DAY), State::Expired);
    let log = again.decisions(DecisionsOf::Endpoint(&playlists()), 10).unwrap();
    assert_eq!(log, [entry]);
    assert_eq!(again.in_force().unwrap()[0].decision.owner, "grace");
    drop(again);
    let raw = rusqlite::Connection::open(home.path()).unwrap();
    for sql in ["UPDATE decisions SET reason = 'other'", "DELETE FROM decisions"] {
        assert!(raw.execute(sql, ()).unwrap_err().to_string().contains("append-only"), "{sql}");
    }
}

#[test]
fn an_undo_takes_the_latest_decision_back_and_then_the_one_before() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    ledger.decide(&wish(&group, call(Call::Bug, "v1"), 20)).unwrap();
    ledger.decide(&wish(&group, call(Call::Expected, "v1"), 21)).unwrap();
    let undone = ledger.decide(&wish(&group, Act::Undo, 22)).unwrap();
    assert_eq!(undone.takes_back, Some(2));
    assert_eq!(state(&ledger, &group, 30), State::Bug);
    assert_eq!(ledger.decide(&wish(&group, Act::Undo, 23)).unwrap().takes_back, Some(1));
    assert_eq!(state(&ledger, &group, 30), State::New);
    let nothing = refusal(ledger.decide(&wish(&group, Act::Undo, 24)));
    assert_eq!(nothing, Refusal::NothingToUndo(group.clone()));
    assert_eq!(ledger.decisions(DecisionsOf::Group(&group), 10).unwrap().len(), 4);
}

#[test]
fn of_two_who_saw_the_same_only_the_first_decides() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    let both = Wish { expected: Some(0), ..wish(&group, call(Call::Bug, "v1"), 20) };
    ledger.decide(&both).unwrap();
    let late = refusal(ledger.decide(&both));
    assert_eq!(late, Refusal::Conflict { group: group.clone(), expected: 0, current: 1 });
    assert_eq!(ledger.triaged_group(&group).unwrap().unwrap().newest_entry, 1);
    let unknown: Fingerprint = "v1-0000000000000000".parse().unwrap();
    let nobody = refusal(ledger.decide(&wish(&unknown, call(Call::Bug, "v1"), 20)));
    assert_eq!(nobody, Refusal::UnknownGroup(unknown));
}

#[test]
fn a_fix_is_verified_by_comparisons_of_its_epoch_and_regresses_by_itself() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    clean(&ledger, "v1", 15, 500);
    ledger.decide(&wish(&group, call(Call::Fixed, "v2"), 20)).unwrap();
    assert_eq!(state(&ledger, &group, 30), State::Fixed, "v2 was never seen");
    seen(&ledger, "v1", 31);
    clean(&ledger, "v1", 32, 500);
    assert_eq!(state(&ledger, &group, 40), State::Fixed, "what the old deployment does says nothing");
    assert_eq!(weigh(groups(&ledger, "v1"), |_| 100, UnixMillis(40)).open.len(), 1);
    clean(&ledger, "v2", 50, 99);
    assert_eq!(state(&ledger, &group, 60), State::Fixed);
    clean(&ledger, "v2", 61, 1);
    assert_eq!(state(&ledger, &group, 70), State::Verified);
    seen(&ledger, "v3", 80);
    assert_eq!(state(&ledger, &group, 90), State::Regressed);
    assert_eq!(weigh(groups(&ledger, "v3"), |_| 100, UnixMillis(90)).open[0].1, State::Regressed);
}

#[test]
fn a_fix_of_the_running_deployment_counts_what_is_compared_after_it_was_said() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    clean(&ledger, "v1", 15, 500);
    ledger.decide(&wish(&group, call(Call::Fixed, "v1"), 20)).unwrap();
    assert_eq!(state(&ledger, &group, 30), State::Fixed);
    clean(&ledger, "v1", 35, 100);
    assert_eq!(state(&ledger, &group, 40), State::Verified);
    seen(&ledger, "v1", 50);
    assert_eq!(state(&ledger, &group, 60), State::Regressed);
}

/// Mismatches by the one group that they belong to.
fn mismatches(ledger: &Ledger, group: &Fingerprint) -> u64 {
    let observed = ledger.observed(&playlists(), &epoch("v1")).unwrap();
    let of_it = observed.mismatches.iter().filter(|tally| tally.groups == std::slice::from_ref(group));
    of_it.map(|tally| tally.count).sum()
}

/// Counts and kept exchanges of a group.
fn held(ledger: &Ledger, group: &Fingerprint) -> (u64, u64, usize) {
    let known: Option<Group> = ledger.group(group).unwrap();
    let samples = ledger.samples(group, 100).unwrap();
    for sample in &samples {
        assert!(sample.divergences.iter().any(|(of, _)| of == group), "{group}: {sample:?}");
    }
    known.map_or((0, 0, samples.len()), |known| (known.count, known.exchanges, samples.len()))
}

#[test]
fn a_part_by_shape_takes_what_was_counted_and_what_comes() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    let found = [divergence("title", Severity::Changed)];
    let more = |id: &str, at, shape| of_shape(shape, record(id, at, &found));
    ledger
        .record(&batch("v1", vec![more("a", 20, "2xx auth ?array json"), more("b", 21, "2xx auth json")]))
        .unwrap();
    let array = Predicate::new(Some("?array"), None).unwrap();
    let split = ledger.decide(&wish(&group, Act::Split(array.clone()), 30)).unwrap();
    let part = split.part.clone().unwrap();
    assert_eq!((held(&ledger, &part), held(&ledger, &group)), ((1, 1, 1), (2, 2, 2)));
    ledger.record(&batch("v1", vec![more("c", 40, "2xx anon ?array,limit json")])).unwrap();
    assert_eq!((held(&ledger, &part), held(&ledger, &group)), ((2, 2, 2), (2, 2, 2)));
    assert_eq!((mismatches(&ledger, &part), mismatches(&ledger, &group)), (2, 2));

    let of = Part { of: group.clone(), predicate: array.clone() };
    let triaged = groups(&ledger, "v1");
    assert_eq!(triaged.iter().filter_map(|triaged| triaged.part.clone()).collect::<Vec<_>>(), [of]);
    ledger.decide(&wish(&part, call(Call::Expected, "v1"), 50)).unwrap();
    assert_eq!((state(&ledger, &part, 60), state(&ledger, &group, 60)), (State::Expected, State::New));
    let again = refusal(ledger.decide(&wish(&group, Act::Split(array), 61)));
    assert_eq!(again, Refusal::SplitAlready { of: group.clone(), part: part.clone() });

    let joined = ledger.decide(&wish(&part, Act::Join, 70)).unwrap();
    assert_eq!(joined.takes_back, Some(split.sequence));
    assert_eq!((held(&ledger, &part), held(&ledger, &group)), ((0, 0, 0), (4, 4, 4)));
    assert_eq!((mismatches(&ledger, &part), mismatches(&ledger, &group)), (0, 4));
    ledger.record(&batch("v1", vec![more("d", 80, "2xx auth ?array json")])).unwrap();
    assert_eq!(held(&ledger, &group), (5, 5, 5));
    assert_eq!(refusal(ledger.decide(&wish(&part, Act::Join, 90))), Refusal::NotAPart(part));
}

#[test]
fn a_part_by_place_takes_what_is_kept_of_it_and_what_comes() {
    let home = Home::new();
    let ledger = home.open();
    let at = |index| {
        let mut found = divergence("title", Severity::Changed);
        found.location = format!("$.tracks[{index}].title").parse().unwrap();
        found
    };
    declared(&ledger);
    let group = Fingerprint::of(&playlists(), &at(0));
    ledger
        .record(&batch("v1", vec![record("a", 10, &[at(0), at(1), at(2)]), record("b", 11, &[at(1)])]))
        .unwrap();
    let first = Predicate::new(None, Some("$.tracks[0].title")).unwrap();
    let part = ledger.decide(&wish(&group, Act::Split(first), 20)).unwrap().part.unwrap();
    assert_eq!((held(&ledger, &part), held(&ledger, &group)), ((1, 1, 1), (3, 2, 2)));
    ledger.record(&batch("v1", vec![record("c", 30, &[at(0), at(3)])])).unwrap();
    assert_eq!((held(&ledger, &part), held(&ledger, &group)), ((2, 2, 2), (4, 3, 3)));
    let nowhere = Predicate::new(None, Some("$.tracks[9].title")).unwrap();
    let refused = refusal(ledger.decide(&wish(&group, Act::Split(nowhere), 40)));
    assert_eq!(refused, Refusal::NothingInPart(group.clone()));
    assert_eq!(ledger.parts().unwrap().len(), 1, "a refused split leaves nothing");
}

#[test]
fn a_part_of_a_part_is_joined_before_it() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    let found = [divergence("title", Severity::Changed)];
    ledger.record(&batch("v1", vec![of_shape("2xx auth ?a json", record("a", 20, &found))])).unwrap();
    let split = |of: &Fingerprint, shape| {
        let predicate = Predicate::new(Some(shape), None).unwrap();
        ledger.decide(&wish(of, Act::Split(predicate), 30)).unwrap().part.unwrap()
    };
    let outer = split(&group, "auth");
    let inner = split(&outer, "?a");
    assert_eq!((held(&ledger, &outer), held(&ledger, &inner)), ((0, 0, 0), (1, 1, 1)));
    ledger.record(&batch("v1", vec![of_shape("2xx auth ?a json", record("b", 40, &found))])).unwrap();
    assert_eq!(held(&ledger, &inner), (2, 2, 2), "it falls through both");
    assert_eq!(refusal(ledger.decide(&wish(&outer, Act::Join, 50))), Refusal::HasParts(outer.clone()));
    ledger.decide(&wish(&inner, Act::Join, 51)).unwrap();
    ledger.decide(&wish(&outer, Act::Join, 52)).unwrap();
    assert_eq!(held(&ledger, &group), (3, 3, 3));
}

#[test]
fn shapes_of_a_group_are_counted() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    let found = [divergence("title", Severity::Changed)];
    let records = ["a", "b"].map(|id| of_shape("2xx auth", record(id, 20, &found)));
    ledger.record(&batch("v1", records.to_vec())).unwrap();
    let shapes = ledger.group_shapes(&group, EpochFilter::Only(&epoch("v1"))).unwrap();
    let named: Vec<_> = shapes.iter().map(|shape| (shape.shape.as_str(), shape.exchanges)).collect();
    assert_eq!(named, [("2xx auth", 2), ("2xx", 1)]);
    assert_eq!(ledger.group_shapes(&group, EpochFilter::Only(&epoch("v9"))).unwrap(), []);
}

#[test]
fn a_waiver_from_elsewhere_counts_before_its_group_is_seen_and_is_taken_once() {
    let home = Home::new();
    let ledger = home.open();
    let found = divergence("title", Severity::Changed);
    let group = Fingerprint::of(&playlists(), &found);
    let predicate = Predicate::new(Some("auth"), None).unwrap();
    let part = predicate.part_of(&group);
    let parts = [wish(&group, Act::Split(predicate), 5)];
    let waivers = [wish(&part, call(Call::Expected, "v1"), 5)];
    assert!(matches!(ledger.import(&parts, &waivers).unwrap()[..], [Took::Added(_)]));
    assert_eq!(ledger.import(&parts, &waivers).unwrap(), [Took::Known], "once is enough");
    assert_eq!(ledger.decisions(DecisionsOf::All, 10).unwrap().len(), 2);
    declared(&ledger);
    let records = [("a", "2xx auth"), ("b", "2xx anon")]
        .map(|(id, shape)| of_shape(shape, record(id, 10, std::slice::from_ref(&found))));
    ledger.record(&batch("v1", records.to_vec())).unwrap();
    let weighed = weigh(groups(&ledger, "v1"), |_| 100, UnixMillis(20));
    let id = |list: &[(Triaged, State)]| list[0].0.group.fingerprint.clone();
    assert_eq!((id(&weighed.waived), id(&weighed.open)), (part, group));
}

#[test]
fn what_was_decided_here_wins_over_a_waiver_from_elsewhere() {
    let home = Home::new();
    let ledger = home.open();
    let group = seen(&ledger, "v1", 10);
    let waiver = [wish(&group, call(Call::Expected, "v1"), 20)];
    assert!(matches!(ledger.import(&[], &waiver).unwrap()[..], [Took::Added(_)]));
    ledger.decide(&wish(&group, Act::Undo, 30)).unwrap();
    assert_eq!(ledger.import(&[], &waiver).unwrap(), [Took::Known]);
    assert_eq!(state(&ledger, &group, 40), State::New, "what was taken back stays so");
    ledger.decide(&wish(&group, call(Call::Bug, "v1"), 50)).unwrap();
    let other = Wish { reason: "another".into(), ..waiver[0].clone() };
    assert_eq!(ledger.import(&[], &[other]).unwrap(), [Took::DecidedHere(Call::Bug)]);
    assert_eq!(state(&ledger, &group, 60), State::Bug);
}

/// The schema of the first version is never changed, so this is what a store of it is.
#[test]
fn a_store_of_the_first_version_is_brought_up_to_date_and_keeps_its_groups() {
    let home = Home::new();
    let raw = rusqlite::Connection::open(home.path()).unwrap();
    raw.execute_batch(include_str!("../../../src/ledger/schema_1.sql")).unwrap();
    raw.execute_batch(
        "PRAGMA user_version = 1;
         INSERT INTO endpoints VALUES (1, 'GET', '/playlists/{id}', 'shadow', 'none', 1, 1, 'x', '[]', '[]');
         INSERT INTO epochs VALUES (1, 'v1', 'c1', 'r1', 1, 2);
         INSERT INTO groups VALUES (1, 'v1-0123456789abcdef', 1, 'value', 1, '$.title', NULL);
         INSERT INTO group_counts VALUES (1, 1, 7, 7, 1, 2,
             '{\"kind\":\"value\",\"severity\":\"changed\",\"at\":\"body\"}');",
    )
    .unwrap();
    drop(raw);
    let ledger = home.open();
    let known = groups(&ledger, "v1");
    assert_eq!((known[0].group.count, known[0].newest_entry), (7, 0));
    let group = known[0].group.fingerprint.clone();
    ledger.decide(&wish(&group, call(Call::Bug, "v1"), 5)).unwrap();
    assert_eq!(state(&ledger, &group, 6), State::Bug);
    let epoch = Epoch { candidate: "v1".into(), control: "c1".into(), rules: "r1".into() };
    let found = |typed: &str| {
        let search = Search::new(typed);
        let listing = GroupListing { search: &search, ..GroupListing::first(9, Among::All, &epoch) };
        ledger.list_groups(&listing).unwrap().found
    };
    assert_eq!((found("itl"), found("other")), (1, 0), "what was recorded before is searched too");
}
