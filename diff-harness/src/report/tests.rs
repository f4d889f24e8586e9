use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};

use super::side_by_side::{Mark, SideBySide, bodies};
use super::*;
use crate::compare::{Comparator, Limits};
use crate::comparison::Judgement;
use crate::exchange::{CapturedBody, Outcome, Response, TransportFailure};
use crate::redact::{RedactionConfig, RedactionKey, Redactor};
use crate::rules::Rules;

#[test]
fn a_report_in_text() {
    insta::assert_snapshot!(text::render(&fixture::report()));
}

#[test]
fn a_report_in_json() {
    insta::assert_snapshot!(json::render(&fixture::report()));
}

#[test]
fn a_report_in_html() {
    insta::assert_snapshot!(html::render(&fixture::report()));
}

#[test]
fn a_sample_in_text() {
    let report = fixture::report();
    insta::assert_snapshot!(text::render_sample(&report.groups[0].samples[0], &report.upstreams));
}

#[test]
fn the_text_fits_80_columns_and_holds_nothing_that_a_terminal_acts_on() {
    let text = text::render(&fixture::report());
    for line in text.lines() {
        assert!(line.chars().count() <= 80, "{} columns: {line}", line.chars().count());
        assert!(!line.chars().any(|c| c.is_control() || curl::is_deceptive(c)), "{line:?}");
        assert_eq!(line.trim_end(), line);
    }
}

#[test]
fn hostile_values_stay_values_in_html() {
    let report = fixture::report();
    let group = html::render_group(&report.groups[0], &report.upstreams);
    for page in [html::render(&report), group] {
        assert_eq!(page.matches("<script>").count(), 1, "only the page's own script");
        assert_eq!(page.matches("</script>").count(), 1);
        assert!(!page.contains("<img") && !page.contains("\u{202e}") && !page.contains('\u{1b}'));
        assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;"));
    }
}

#[test]
fn the_html_needs_no_network() {
    // A fragment of the page itself is no reference to another.
    let page = html::render(&fixture::report()).replace("url(#", "");
    for reference in ["src=\"", "href=\"http", "@import", "url(", "<link", "<iframe", "style=\""] {
        assert!(!page.contains(reference), "{reference}");
    }
    assert!(page.contains("default-src 'none'"));
}

#[test]
fn no_secret_is_in_any_view() {
    let report = fixture::report();
    for view in [text::render(&report), json::render(&report), html::render(&report)] {
        assert!(!view.contains("s3cr3t"));
        assert!(view.contains("redacted:"));
    }
}

#[test]
fn the_sums_of_a_report_add_up() {
    let report = fixture::report();
    let mut sum = report.unmatched.clone();
    for endpoint in &report.endpoints {
        sum.add(&endpoint.tally);
    }
    assert_eq!(sum, report.total);
    assert_eq!(report.total.seen(), 1626);
}

#[test]
fn what_needs_somebody_stands_first() {
    let report = fixture::report();
    let order: Vec<_> = report.endpoints.iter().take(3).map(|e| e.route.endpoint.to_string()).collect();
    assert_eq!(order, ["GET /tracks/{id}", "GET /playlists/{id}", "GET /about"]);
    let remarks: Vec<_> = report.rules.iter().map(|rule| (rule.tally.rule.as_str(), rule.remark)).collect();
    let expected = [
        ("created-at", Some(RuleRemark::HidEverywhere)),
        ("etag", None),
        ("old-field", Some(RuleRemark::NeverApplied)),
    ];
    assert_eq!(remarks, expected);
}

#[test]
fn a_report_says_what_it_leaves_out() {
    let directory = tempfile::tempdir().unwrap();
    let ledger = fixture::fill(directory.path());
    let scope = Scope { groups_max: 2, ..Scope::new(UnixMillis(1)) };
    let report = Report::build(&ledger, &scope).unwrap();
    assert_eq!((report.groups.len(), report.groups_left_out), (2, 9));
    assert!(text::render(&report).contains("9 more: `strangler divergences list`"));
    assert!(html::render(&report).contains("9 more groups are in the store"));
}

#[test]
fn an_empty_store_does_not_look_like_a_match() {
    let directory = tempfile::tempdir().unwrap();
    let ledger =
        crate::ledger::Ledger::open(directory.path().join("a.db"), crate::ledger::Retention::default())
            .unwrap();
    let report = Report::build(&ledger, &Scope::new(UnixMillis(1))).unwrap();
    for view in [text::render(&report), html::render(&report)] {
        assert!(view.contains("Nothing was compared, so nothing is known."), "{view}");
        assert!(!view.contains("100 %"), "{view}");
    }
}

#[test]
fn a_share_is_never_rounded_to_all_or_nothing() {
    let shares = [(0, 0), (0, 9), (9, 9), (1, 100_000), (99_999, 100_000), (1, 3)];
    let text: Vec<_> = shares.iter().map(|(part, whole)| percent(*part, *whole)).collect();
    assert_eq!(text, ["–", "0 %", "100 %", "0.1 %", "99.9 %", "33.3 %"]);
}

/// Both bodies beside each other, `control | candidate`, with a letter for the mark of each row that is not equal.
fn rows(media: &'static str, control: &str, candidate: &str) -> String {
    let (side, _) = compared(media, control.to_owned(), candidate.to_owned());
    let cell = |cell: &Option<side_by_side::Cell>| match cell {
        None => String::new(),
        Some(cell) => {
            let mut text = cell.text.clone();
            for changed in cell.changed.iter().rev() {
                text.insert(changed.end, '}');
                text.insert(changed.start, '{');
            }
            text
        }
    };
    let line = |row: &side_by_side::Row| {
        let mark = match row.mark {
            Mark::Equal => return None,
            Mark::Tolerated => 't',
            Mark::Diverged(severity) => severity.as_str().chars().next().unwrap(),
        };
        Some(format!("{mark} {} | {}", cell(&row.control), cell(&row.candidate)).trim_end().to_owned())
    };
    side.rows.iter().filter_map(line).collect::<Vec<_>>().join("\n")
}

fn compared(media: &'static str, control: String, candidate: String) -> (SideBySide, GroupReport) {
    let mut exchange = fixture::exchange("r", 1);
    let outcome = |body: String| {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static(media));
        Outcome::Response(Response {
            status: StatusCode::OK,
            headers,
            body: CapturedBody::Whole(Bytes::from(body)),
        })
    };
    exchange.control.outcome = outcome(control);
    exchange.candidate.outcome = outcome(candidate);
    let comparator = Comparator::new(Rules::default(), Limits::default());
    let Judgement::Compared(comparison) = comparator.compare_exchange(&exchange) else { panic!("skipped") };
    let found: Vec<_> = comparison.divergences.iter().collect();
    let side = bodies(&exchange, &found);

    let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([1; 32])).unwrap();
    let redaction = redactor.begin(&exchange);
    let divergences = redaction.divergences(&exchange, &comparison.divergences);
    let (fingerprint, example) = divergences[0].clone();
    let group = Group {
        fingerprint,
        endpoint: exchange.endpoint.clone(),
        kind: example.get().kind,
        severity: example.get().severity,
        location: example.get().location.generalized().to_string(),
        detail: None,
        count: 1,
        exchanges: 1,
        first_seen: UnixMillis(1),
        last_seen: UnixMillis(1),
        example,
    };
    let sample = Sample { exchange: redaction.exchange(exchange).0, divergences, notes: Vec::new() };
    (side, GroupReport::new(group, vec![sample]))
}

#[test]
fn an_inserted_element_is_marked_from_its_brace_to_its_brace() {
    let marked = rows(
        "application/json",
        r#"{"l":[{"id":1,"a":1},{"id":2,"a":1}]}"#,
        r#"{"l":[{"id":1,"a":1},{"id":9,"a":1},{"id":2,"a":1}]}"#,
    );
    assert_eq!(marked, "e  |     {\ne  |       \"id\": 9,\ne  |       \"a\": 1\ne  |     },");
}

#[test]
fn a_changed_value_stands_beside_its_partner_and_shows_the_words() {
    let marked = rows("application/json", r#"{"a":"one two","b":1,"c":5}"#, r#"{"a":"one three","c":5}"#);
    assert_eq!(marked, "c   \"a\": \"one {two}\", |   \"a\": \"one {three}\",\nb   \"b\": 1, |");
}

#[test]
fn a_value_that_became_an_object_is_marked_whole() {
    let marked = rows("application/json", r#"{"a":1,"z":0}"#, r#"{"a":{"b":2},"z":0}"#);
    assert_eq!(marked, "b   \"a\": {1}, |   \"a\": {{}\nb  |     \"b\": 2\nb  |   },");
}

#[test]
fn what_no_divergence_covers_is_shown_and_not_marked_as_one() {
    let mut exchange = fixture::exchange("r", 1);
    let body = |text: &'static str| {
        let Outcome::Response(response) = fixture::exchange("r", 1).control.outcome else { unreachable!() };
        Outcome::Response(Response {
            body: CapturedBody::Whole(Bytes::from_static(text.as_bytes())),
            ..response
        })
    };
    exchange.control.outcome = body(r#"{"at":1}"#);
    exchange.candidate.outcome = body(r#"{"at":2}"#);
    let marks: Vec<_> = bodies(&exchange, &[]).rows.iter().map(|row| row.mark).collect();
    assert_eq!(marks, [Mark::Equal, Mark::Tolerated, Mark::Equal]);
}

#[test]
fn text_is_marked_by_line_and_word() {
    let marked = rows("text/plain", "same\nthe old line\nend\n", "same\nthe new line\nend\nmore\n");
    assert_eq!(marked, "c the {old} line | the {new} line\ne  | more");
}

#[test]
fn a_side_without_a_response_says_so() {
    let mut exchange = fixture::exchange("r", 1);
    exchange.candidate.outcome = Outcome::Failure(TransportFailure::Timeout);
    let side = bodies(&exchange, &[]);
    assert_eq!(side.candidate_notes, ["no response"]);
    assert!(side.rows.iter().all(|row| row.candidate.is_none()));
}

#[test]
fn bodies_of_different_status_classes_belong_to_the_status() {
    let report = fixture::report();
    let group =
        report.groups.iter().find(|group| group.group.kind == crate::divergence::Kind::Status).unwrap();
    let sample = &group.samples[0];
    let found: Vec<_> = sample.divergences.iter().map(|(_, divergence)| divergence.get()).collect();
    let marks: std::collections::BTreeSet<_> =
        bodies(sample.exchange.get(), &found).rows.iter().map(|row| row.mark).collect();
    assert_eq!(marks, [Mark::Equal, Mark::Diverged(Severity::Exposure)].into());
}

/// Every kind of body that must not break the page, nor make it endless.
#[test]
fn large_and_strange_bodies_are_cut_and_the_page_says_so() {
    let element = |x: &str| format!("{{\"a\":\"{x}\",\"b\":\"{}\"}}", "text ".repeat(200));
    let long = |x: &str| format!("[{}]", vec![element(x); 5_000].join(","));
    assert!(long("x").len() > 5_000_000);
    let (_, group) = compared("application/json", long("x"), long("y"));
    let page = html::render_group(&group, &Upstreams::default());
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    assert!(page.contains("more lines are not in this page"));

    let one_line = |x: &str| format!("{}{x}{}", "a ".repeat(300_000), "b ".repeat(300_000));
    let (_, group) = compared("text/plain", one_line("X"), one_line("Y"));
    let page = html::render_group(&group, &Upstreams::default());
    assert!(page.len() < 100_000, "{} bytes", page.len());

    let deep = |x: &str| format!("{}{x}{}", "[".repeat(10_000), "]".repeat(10_000));
    let (_, group) = compared("application/json", deep("1"), deep("2"));
    html::render_group(&group, &Upstreams::default());
}
