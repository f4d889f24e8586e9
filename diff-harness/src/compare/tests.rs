//! What a comparison finds, by table.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Method, StatusCode};

use super::*;
use crate::divergence::Divergence;
use crate::exchange::{CapturedBody, TransportFailure};

/// A response as `STATUS [name: value]…` and a body.
fn response(head: &str, body: CapturedBody) -> Observation {
    let mut lines = head.split('|').map(str::trim);
    let status: StatusCode = lines.next().unwrap().parse().unwrap();
    let mut headers = HeaderMap::new();
    for line in lines {
        let (name, value) = line.split_once(": ").unwrap();
        headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
    }
    Observation { outcome: Outcome::Response(Response { status, headers, body }), latency: Duration::ZERO }
}

fn whole(head: &str, body: impl AsRef<[u8]>) -> Observation {
    response(head, CapturedBody::Whole(Bytes::copy_from_slice(body.as_ref())))
}

fn failure(failure: TransportFailure) -> Observation {
    Observation { outcome: Outcome::Failure(failure), latency: Duration::ZERO }
}

fn judge_with(method: Method, rules: &str, control: &Observation, candidate: &Observation) -> Judgement {
    let comparator = Comparator::new(Rules::parse(rules, "rules.toml").unwrap(), Limits::default());
    let endpoint = EndpointId::new(method.clone(), "/x/{id}");
    comparator.compare(&endpoint, &request(method), control, candidate)
}

fn request(method: Method) -> Request {
    Request { method, target: "/x/1".to_owned(), headers: HeaderMap::new(), body: CapturedBody::empty() }
}

fn judge(control: &Observation, candidate: &Observation) -> Judgement {
    judge_with(Method::GET, "", control, candidate)
}

fn line(divergence: &Divergence) -> String {
    let Divergence { kind, severity, location, detail, control, candidate } = divergence;
    let value = |value: &Option<String>| value.clone().unwrap_or_else(|| "-".to_owned());
    let detail = detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
    format!(
        "{} {} {location}{detail}: {} / {}",
        severity.as_str(),
        kind.as_str(),
        value(control),
        value(candidate)
    )
}

/// Divergences as lines; what a rule hid has the rule's id before it.
fn lines(judgement: &Judgement) -> Vec<String> {
    match judgement {
        Judgement::Compared(comparison) => {
            let tolerated = comparison.tolerated.iter();
            let tolerated = tolerated.map(|hidden| format!("[{}] {}", hidden.rule, line(&hidden.divergence)));
            comparison.divergences.iter().map(line).chain(tolerated).collect()
        }
        Judgement::Skipped(reason) => vec![format!("skipped {}", reason.as_str())],
    }
}

#[track_caller]
fn check(control: &Observation, candidate: &Observation, expected: &[&str]) {
    assert_eq!(lines(&judge(control, candidate)), expected);
}

#[track_caller]
fn check_json(control: &str, candidate: &str, expected: &[&str]) {
    check_rules("", control, candidate, expected);
}

#[track_caller]
fn check_rules(rules: &str, control: &str, candidate: &str, expected: &[&str]) {
    let json = |body: &str| whole("200|content-type: application/json", body);
    let judgement = judge_with(Method::GET, rules, &json(control), &json(candidate));
    assert_eq!(lines(&judgement), expected, "{control} / {candidate}");
}

/// A rule with everything but its target and action.
fn rule(target_and_action: &str) -> String {
    format!("[[rules]]\nid = 'r'\nreason = 'test'\n{target_and_action}\n")
}

#[test]
fn values_members_and_types() {
    check_json(r#"{"a":1}"#, "{ \"a\" : 1 }", &[]);
    check_json(r#"{"a":1,"b":2}"#, r#"{"b":2,"a":1}"#, &[]);
    check_json(r#"{"a":"é\n"}"#, r#"{"\u0061":"\u00e9\u000a"}"#, &[]);
    check_json(r#"{"a":1}"#, r#"{"a":2}"#, &["changed value $.a: 1 / 2"]);
    check_json(r#"{"a":1}"#, r#"{"a":1.0}"#, &["cosmetic value $.a (form): 1 / 1.0"]);
    check_json(r#"{"a":"x","b":1}"#, r#"{"a":"x"}"#, &["breaking missing $.b: 1 / -"]);
    check_json(r#"{"b":1}"#, r#"{"a":{"x":2},"b":1}"#, &[r#"exposure added $.a: - / {"x":2}"#]);
    check_json(r#"{"a":"x"}"#, r#"{"a":null}"#, &[r#"breaking type $.a (string → null): "x" / null"#]);
    check_json(r#"{"a":1}"#, r#"{"a":"1"}"#, &[r#"breaking type $.a (number → string): 1 / "1""#]);
    check_json("{}", "[]", &["breaking type $ (object → array): {} / []"]);
    check_json("true", "false", &["changed value $: true / false"]);
    check_json(
        r#"{"a b":{"it's":1}}"#,
        r#"{"a b":{"it's":2}}"#,
        &[r"changed value $['a b']['it\'s']: 1 / 2"],
    );
}

#[test]
fn something_where_control_had_nothing_is_an_exposure() {
    check_json(r#"{"a":null}"#, r#"{"a":"x"}"#, &[r#"exposure type $.a (null → string): null / "x""#]);
    check_json(r#"{"a":null}"#, r#"{"a":false}"#, &["exposure type $.a (null → boolean): null / false"]);
    check_json(r#"{"a":""}"#, r#"{"a":"x"}"#, &[r#"exposure value $.a: "" / "x""#]);
    check_json(r#"{"a":""}"#, r#"{"a":[1]}"#, &[r#"exposure type $.a (string → array): "" / [1]"#]);
    check_json(r#"{"a":[]}"#, r#"{"a":[1]}"#, &["exposure added $.a[0]: - / 1"]);
    check_json(r#"{"a":null}"#, r#"{"a":""}"#, &[r#"breaking type $.a (null → string): null / """#]);
}

#[test]
fn numbers_of_any_size_are_kept() {
    let (a, b) = ("[10000000000000000001]", "[10000000000000000002]");
    check_json(a, b, &["changed value $[0]: 10000000000000000001 / 10000000000000000002"]);
    check_json(
        "[1e999999999]",
        "[10e999999998]",
        &["cosmetic value $[0] (form): 1e999999999 / 10e999999998"],
    );
    check_json("[1e999999999]", "[1e999999998]", &["changed value $[0]: 1e999999999 / 1e999999998"]);
}

#[test]
fn duplicate_keys_are_kept() {
    check_json(r#"{"a":1,"a":2}"#, r#"{"a":1,"a":3}"#, &["changed value $.a: 2 / 3"]);
    check_json(r#"{"a":1,"b":0,"a":2}"#, r#"{"b":0,"a":1}"#, &["breaking missing $.a: 2 / -"]);
    check_json(r#"{"a":1}"#, r#"{"a":1,"a":1}"#, &["exposure added $.a: - / 1"]);
}

#[test]
fn one_insertion_is_one_divergence() {
    check_json("[1,2,3]", "[1,9,2,3]", &["exposure added $[1]: - / 9"]);
    check_json("[1,2,3]", "[2,3]", &["breaking missing $[0]: 1 / -"]);
    check_json("[1,2,1,2]", "[1,2,7,1,2]", &["exposure added $[2]: - / 7"]);
    check_json(
        r#"[{"id":1,"v":1},{"id":2,"v":2}]"#,
        r#"[{"id":3,"v":3},{"id":1,"v":1},{"id":2,"v":9}]"#,
        &["changed value $[1].v: 2 / 9", r#"exposure added $[0]: - / {"id":3,"v":3}"#],
    );
    check_json(
        r#"{"l":[{"slug":"a","n":1},{"slug":"b","n":2},{"slug":"c","n":3}]}"#,
        r#"{"l":[{"slug":"a","n":1},{"slug":"c","n":3}]}"#,
        &[r#"breaking missing $.l[1]: {"slug":"b","n":2} / -"#],
    );
}

#[test]
fn a_reordering_is_one_divergence() {
    check_json("[1,2,3]", "[3,1,2]", &["changed order $: [1,2,3] / [3,1,2]"]);
    check_json(
        r#"[{"id":1,"v":1},{"id":2,"v":2}]"#,
        r#"[{"id":2,"v":2},{"id":1,"v":7}]"#,
        &["changed order $: [1,2] / [2,1]", "changed value $[0].v: 1 / 7"],
    );
    check_json("[1,2,3]", "[3,2,1,4]", &["changed order $: [1,2,3] / [3,2,1]", "exposure added $[3]: - / 4"]);
}

#[test]
fn changed_elements_are_compared_as_changes() {
    check_json("[1,2,3]", "[1,9,3]", &["changed value $[1]: 2 / 9"]);
    check_json("[1,null,3]", "[1,9,3]", &["exposure type $[1] (null → number): null / 9"]);
    check_json(r#"[{"v":1}]"#, r#"[{"v":2}]"#, &["changed value $[0].v: 1 / 2"]);
    check_json("[[1,2],[3]]", "[[1,2,5],[3]]", &["exposure added $[0][2]: - / 5"]);
    // Ids that each side makes by itself tell nothing; the rest of the element does.
    check_json(
        r#"[{"id":"a1","t":"x","n":1},{"id":"a2","t":"y","n":2}]"#,
        r#"[{"id":"b1","t":"x","n":1},{"id":"b2","t":"y","n":2}]"#,
        &[r#"changed value $[0].id: "a1" / "b1""#, r#"changed value $[1].id: "a2" / "b2""#],
    );
    // Another element in place of one is shown as what it is.
    check_json(
        r#"[{"id":1,"t":"x"},{"id":2,"t":"y"}]"#,
        r#"[{"id":1,"t":"x"},{"id":5,"t":"private"}]"#,
        &[
            r#"breaking missing $[1]: {"id":2,"t":"y"} / -"#,
            r#"exposure added $[1]: - / {"id":5,"t":"private"}"#,
        ],
    );
}

#[test]
fn what_the_candidate_adds_is_placed_by_the_candidates_indices() {
    check_json(
        r#"[{"id":1},{"id":2,"l":[{"id":7}]}]"#,
        r#"[{"id":2,"l":[{"id":7,"x":1}]}]"#,
        &[r#"breaking missing $[0]: {"id":1} / -"#, "exposure added $[0].l[0].x: - / 1"],
    );
}

#[test]
fn statuses() {
    let ok = |status: &str| whole(status, "");
    check(&ok("200"), &ok("200"), &[]);
    check(&ok("404"), &ok("200"), &["exposure status status (4xx → 2xx): 404 Not Found / 200 OK"]);
    check(&ok("200"), &ok("404"), &["breaking status status (2xx → 4xx): 200 OK / 404 Not Found"]);
    check(&ok("401"), &ok("403"), &["changed status status (401 → 403): 401 Unauthorized / 403 Forbidden"]);
    check(
        &ok("500"),
        &ok("200"),
        &["breaking status status (5xx → 2xx): 500 Internal Server Error / 200 OK"],
    );
    check(
        &ok("302|location: /Login?next=x"),
        &ok("200"),
        &["exposure status status (3xx → 2xx): 302 Found / 200 OK"],
    );
    check(&ok("302|location: /x"), &ok("200"), &["breaking status status (3xx → 2xx): 302 Found / 200 OK"]);
}

#[test]
fn another_status_class_does_not_drown_the_report() {
    let json = "content-type: application/json";
    let judgement =
        judge(&whole(&format!("404|{json}"), r#"{"error":1}"#), &whole(&format!("200|{json}"), r#"{"a":1}"#));
    assert_eq!(lines(&judgement), ["exposure status status (4xx → 2xx): 404 Not Found / 200 OK"]);
    let Judgement::Compared(comparison) = judgement else { panic!("skipped") };
    assert!(comparison.notes[0].contains("the candidate sent 7 bytes"), "{:?}", comparison.notes);
}

#[test]
fn equal_server_errors_are_no_evidence() {
    let Judgement::Compared(equal) = judge(&whole("502", "x"), &whole("502", "x")) else { panic!("skipped") };
    assert!(equal.both_failed);
    let Judgement::Compared(other) = judge(&whole("500", "x"), &whole("502", "x")) else { panic!("skipped") };
    assert!(!other.both_failed);
}

#[test]
fn a_failure_of_one_side_is_a_mismatch() {
    let (ok, timeout) = (whole("200", "x"), failure(TransportFailure::Timeout));
    check(&ok, &timeout, &["breaking transport exchange (response → timeout): 200 OK / timeout"]);
    check(&timeout, &ok, &["breaking transport exchange (timeout → response): timeout / 200 OK"]);
    check(&timeout, &timeout, &["skipped answer_failed"]);
    let closed = failure(TransportFailure::Closed);
    check(&timeout, &closed, &["breaking transport exchange (timeout → closed): timeout / closed"]);
}

#[test]
fn an_ignore_rule_hides_changes_and_no_exposure() {
    let ignore = rule("path = '$.meta'\naction = 'ignore'");
    check_rules(
        &ignore,
        r#"{"meta":{"a":1}}"#,
        r#"{"meta":{"a":2}}"#,
        &["[r] changed value $.meta.a: 1 / 2"],
    );
    check_rules(&ignore, r#"{"meta":1,"x":1}"#, r#"{"x":1}"#, &["[r] breaking missing $.meta: 1 / -"]);
    check_rules(&ignore, r#"{"meta":{}}"#, r#"{"meta":{"a":2}}"#, &["exposure added $.meta.a: - / 2"]);
    check_rules(&ignore, r#"{"metadata":1}"#, r#"{"metadata":2}"#, &["changed value $.metadata: 1 / 2"]);
    check_rules(&ignore, r#"{"x":{"meta":1}}"#, r#"{"x":{"meta":2}}"#, &["changed value $.x.meta: 1 / 2"]);
    let exposing = rule("path = '$.meta'\naction = 'ignore'\nallow_exposure = true");
    check_rules(&exposing, r#"{"meta":{}}"#, r#"{"meta":{"a":2}}"#, &["[r] exposure added $.meta.a: - / 2"]);
    check_rules(&exposing, r#"{"x":1}"#, r#"{"x":1,"meta":2}"#, &["[r] exposure added $.meta: - / 2"]);
}

#[test]
fn a_rule_is_only_for_its_endpoints() {
    let rules = rule("endpoint = 'POST *'\npath = '$.a'\naction = 'ignore'");
    check_rules(&rules, r#"{"a":1}"#, r#"{"a":2}"#, &["changed value $.a: 1 / 2"]);
    let rules = rule("endpoint = ['POST *', 'GET /x/*']\npath = '$.a'\naction = 'ignore'");
    check_rules(&rules, r#"{"a":1}"#, r#"{"a":2}"#, &["[r] changed value $.a: 1 / 2"]);
}

#[test]
fn a_format_rule_still_checks_the_format() {
    let format = rule("path = '$..at'\naction = 'format'\nformat = 'timestamp'");
    let at = |value: &str| format!(r#"{{"x":{{"at":{value}}}}}"#);
    let (one, two) = (at(r#""2024-05-01T10:00:00Z""#), at(r#""2025-06-02T11:11:11Z""#));
    check_rules(
        &format,
        &one,
        &two,
        &[r#"[r] changed value $.x.at: "2024-05-01T10:00:00Z" / "2025-06-02T11:11:11Z""#],
    );
    check_rules(
        &format,
        &one,
        &at("null"),
        &[r#"breaking type $.x.at (string → null): "2024-05-01T10:00:00Z" / null"#],
    );
    check_rules(
        &format,
        &one,
        &at(r#""soon""#),
        &[r#"changed value $.x.at: "2024-05-01T10:00:00Z" / "soon""#],
    );
}

#[test]
fn a_tolerance_rule_hides_up_to_its_end() {
    let tolerance = rule("path = '$.n[*]'\naction = 'tolerance'\nabsolute = 2");
    check_rules(
        &tolerance,
        r#"{"n":[10,20]}"#,
        r#"{"n":[11,23]}"#,
        &["changed value $.n[1]: 20 / 23", "[r] changed value $.n[0]: 10 / 11"],
    );
}

#[test]
fn an_unordered_rule_hides_the_order_alone() {
    let unordered = rule("path = '$.l'\naction = 'unordered'");
    check_rules(
        &unordered,
        r#"{"l":[1,2,3]}"#,
        r#"{"l":[3,1,2]}"#,
        &["[r] changed order $.l: [1,2,3] / [3,1,2]"],
    );
    check_rules(
        &unordered,
        r#"{"l":[1,2,3]}"#,
        r#"{"l":[3,4,1]}"#,
        &["changed value $.l[1]: 2 / 4", "[r] changed order $.l: [1,3] / [3,1]"],
    );
    check_rules(&unordered, r#"{"m":[1,2]}"#, r#"{"m":[2,1]}"#, &["changed order $.m: [1,2] / [2,1]"]);
}

#[test]
fn a_keyed_rule_says_which_elements_belong_together() {
    let keyed = rule("path = '$'\naction = 'keyed'\nby = '$.track.number'");
    check_rules(
        &keyed,
        r#"[{"track":{"number":1},"p":5},{"track":{"number":2},"p":6}]"#,
        r#"[{"track":{"number":3},"p":5},{"track":{"number":1},"p":7}]"#,
        &[
            "changed value $[0].p: 5 / 7",
            r#"breaking missing $[1]: {"track":{"number":2},"p":6} / -"#,
            r#"exposure added $[0]: - / {"track":{"number":3},"p":5}"#,
        ],
    );
}

#[test]
fn a_rule_has_applied_where_it_found_its_place() {
    let applied = |rules: &str, control: &str, candidate: &str| {
        let json = |body: &str| whole("200|content-type: application/json", body);
        match judge_with(Method::GET, rules, &json(control), &json(candidate)) {
            Judgement::Compared(comparison) => comparison.applied,
            Judgement::Skipped(reason) => panic!("skipped {}", reason.as_str()),
        }
    };
    let deep = rule("path = '$.a..at'\naction = 'format'\nformat = 'timestamp'");
    // Found in a part that is equal on both sides.
    assert_eq!(applied(&deep, r#"{"a":[{"at":"x"}],"b":1}"#, r#"{"a":[{"at":"x"}],"b":2}"#), ["r"]);
    assert_eq!(applied(&deep, r#"{"at":"x","b":1}"#, r#"{"at":"x","b":2}"#), [""; 0]);
    assert_eq!(applied(&deep, r#"{"a":{"at":{}},"b":1}"#, r#"{"a":{"at":{}},"b":2}"#), [""; 0]);
    let status = rule("status = true\naction = 'ignore'");
    assert_eq!(applied(&status, "1", "2"), ["r"]);
}

#[test]
fn headers_are_compared_by_what_they_say() {
    let headers = |control: &str, candidate: &str, expected: &[&str]| {
        check(&whole(&format!("200{control}"), ""), &whole(&format!("200{candidate}"), ""), expected);
    };
    headers("|date: a|server: x|x-request-id: 1", "|date: b|x-request-id: 2", &[]);
    headers(
        "|cache-control: private, max-age=5|vary: Accept, Origin",
        "|vary: origin|vary: accept|cache-control: Max-Age=5,private",
        &[],
    );
    headers(
        "|cache-control: private, max-age=5",
        "|cache-control: max-age=9",
        &[
            "changed header header cache-control (max-age) (value): 5 / 9",
            "breaking header header cache-control (private) (missing): present / -",
        ],
    );
    headers(
        "|allow: GET, PUT",
        "|allow: GET",
        &["breaking header header allow (PUT) (missing): present / -"],
    );
    headers("|etag: \"a\"", "|etag: W/\"b\"", &[]);
    headers("|etag: \"a\"", "", &["breaking header header etag (missing): present / -"]);
    headers(
        "|link: <https://a/?p=2>; rel=\"next\", <https://a/?p=9>; rel=last",
        "|link: <https://a/?p=9>; rel=\"last\"|link: <https://a/?p=3>; rel=next",
        &["changed header header link (rel=next) (value): <https://a/?p=2> / <https://a/?p=3>"],
    );
    headers(
        "|set-cookie: s=1; Secure; HttpOnly; Expires=Wed, 01 Jan 2031 00:00:00 GMT|set-cookie: t=1",
        "|set-cookie: s=secret; httponly; Expires=Thu, 02 Jan 2031 00:00:00 GMT",
        &[
            "breaking header header set-cookie (s; secure) (missing): present / -",
            "breaking header header set-cookie (t) (missing): present / -",
        ],
    );
    headers("|retry-after: 5", "|retry-after: 6", &["changed header header retry-after (value): 5 / 6"]);
    headers("|location: /a", "", &["breaking header header location (missing): /a / -"]);
    headers(
        "|content-disposition: Attachment; filename=\"a.csv\"",
        "|content-disposition: attachment;filename=a.csv",
        &[],
    );
}

#[test]
fn content_types_are_compared_parsed() {
    let types = |control: &str, candidate: &str, body: &str, expected: &[&str]| {
        let of = |media: &str| whole(&format!("200|content-type: {media}"), body);
        check(&of(control), &of(candidate), expected);
    };
    types("application/json", "Application/JSON;charset=UTF-8", "{}", &[]);
    types(
        "text/html",
        "text/html; charset=utf-8",
        "x",
        &["changed header header content-type (charset) (added): - / utf-8"],
    );
    // Equal bytes are no match when they mean another thing.
    types(
        "application/json",
        "text/html",
        "{}",
        &["breaking type header content-type (application/json → text/html): application/json / text/html"],
    );
    types("multipart/mixed; boundary=a", "multipart/mixed; boundary=b", "x", &[]);
    check(
        &whole("200|content-type: text/json", "{\"a\":1}"),
        &whole("200", "{\"a\":2}"),
        &["breaking header header content-type (missing): text/json / -", "changed value $.a: 1 / 2"],
    );
}

#[test]
fn header_rules() {
    let with = |rules: &str, control: &str, candidate: &str| {
        lines(&judge_with(Method::GET, rules, &whole(control, ""), &whole(candidate, "")))
    };
    let compare = rule("header = 'X-Version'\naction = 'compare'");
    let found = with(&compare, "200|x-version: 1", "200|x-version: 2");
    assert_eq!(found, ["changed header header x-version (value): 1 / 2"]);
    let etag = rule("header = 'ETag'\naction = 'compare'");
    let found = with(&etag, "200|etag: \"1\"", "200|etag: \"2\"");
    assert_eq!(found, ["changed header header etag (value): \"1\" / \"2\""]);
    let tolerance = rule("header = 'retry-after'\naction = 'tolerance'\nabsolute = 2");
    let found = with(&tolerance, "200|retry-after: 5", "200|retry-after: 6");
    assert_eq!(found, ["[r] changed header header retry-after (value): 5 / 6"]);
    let found = with(&tolerance, "200|retry-after: 5", "200|retry-after: never");
    assert_eq!(found, ["changed header header retry-after (value): 5 / never"]);
    let ignore = rule("header = 'vary'\naction = 'ignore'");
    let found = with(&ignore, "200|vary: a", "200");
    assert_eq!(found, ["[r] breaking header header vary (missing): a / -"]);
}

#[test]
fn a_hidden_status_does_not_hide_the_bodies() {
    let rules = rule("status = true\naction = 'ignore'");
    let json = "content-type: application/json";
    let judgement = judge_with(
        Method::GET,
        &rules,
        &whole(&format!("500|{json}"), "[1]"),
        &whole(&format!("200|{json}"), "[2]"),
    );
    let expected = [
        "changed value $[0]: 1 / 2",
        "[r] breaking status status (5xx → 2xx): 500 Internal Server Error / 200 OK",
    ];
    assert_eq!(lines(&judgement), expected);
    // And no rule makes a match of what was not compared.
    let part = judge_with(Method::GET, &rules, &whole("206", "a"), &whole("200", "ab"));
    assert_eq!(lines(&part), ["skipped partial"]);
}

#[test]
fn bodies_that_are_not_what_they_say() {
    let json = |body: &[u8]| whole("200|content-type: application/json", body);
    check(&json(b"{}"), &json(b"<html>"), &["breaking type body (JSON → not JSON): {} / <html>"]);
    check(&json(b"oops\n1"), &json(b"oops\n2"), &["changed text line 2: 1 / 2"]);
    check(&json(b"[1]"), &json(b""), &["breaking missing body: [1] / -"]);
    check(&json(b""), &json(b"[1]"), &["exposure added body: - / [1]"]);
    // Lone surrogates are JSON that no string can hold.
    check(&json(br#""\ud800""#), &json(br#""\ud801""#), &[r#"changed text line 1: "\ud800" / "\ud801""#]);
    let found = lines(&judge(&json(b"[1]"), &json(b"[\"\xff\"]")));
    assert!(found[0].starts_with("breaking binary body: 3 bytes, BLAKE3 "), "{found:?}");
}

#[test]
fn depth_is_a_limit_and_never_an_overflow() {
    let json = |body: String| whole("200|content-type: application/json", body);
    let deep = |depth: usize, leaf: &str| json("[".repeat(depth) + leaf + &"]".repeat(depth));
    let objects = |depth: usize, leaf: &str| json("{\"a\":".repeat(depth) + leaf + &"}".repeat(depth));
    check(&deep(256, "1"), &deep(256, "2"), &[&format!("changed value ${}: 1 / 2", "[0]".repeat(256))]);
    check(&objects(256, "1"), &objects(256, "2"), &[&format!("changed value ${}: 1 / 2", ".a".repeat(256))]);
    check(&deep(10_000, "1"), &deep(10_000, "1"), &[]);
    let found = judge(&deep(10_000, "1"), &deep(10_000, "2"));
    assert!(lines(&found)[0].starts_with("changed text line 1: …[["), "{found:?}");
    let Judgement::Compared(comparison) = found else { panic!("skipped") };
    assert!(comparison.notes[0].contains("nested deeper than 256"), "{:?}", comparison.notes);
}

#[test]
fn codings_are_undone_for_comparison() {
    let gzip = |text: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        std::io::Write::write_all(&mut encoder, text).unwrap();
        encoder.finish().unwrap()
    };
    let json = "200|content-type: application/json";
    let zipped = |body: &[u8]| whole(&format!("{json}|content-encoding: gzip"), body);
    let plain = |body: &str| whole(json, body);
    let encoded = gzip(br#"{"a":1}"#);
    check(&zipped(&encoded), &plain(r#"{ "a": 1 }"#), &[]);
    check(&zipped(&encoded), &plain(r#"{"a":2}"#), &["changed value $.a: 1 / 2"]);
    let cut = &encoded[..encoded.len() - 3];
    check(
        &plain(r#"{"a":1}"#),
        &zipped(cut),
        &["breaking binary body (decodable → broken gzip): decodable / broken gzip"],
    );
    check(&zipped(cut), &zipped(&encoded[..9]), &["skipped undecodable"]);
    check(&zipped(cut), &zipped(cut), &[]);
    check(&whole("200|content-encoding: lzma", "a"), &whole("200", "b"), &["skipped undecodable"]);
    // A skip never hides what was found before it.
    check(
        &whole("200|content-encoding: lzma|allow: GET", "a"),
        &whole("200", "b"),
        &["breaking header header allow (missing): GET / -"],
    );
    let limits = Limits { decoded_bytes_max: 1000, ..Limits::default() };
    let comparator = Comparator::new(Rules::default(), limits);
    let bomb = zipped(&gzip(&vec![b' '; 100_000]));
    let judgement =
        comparator.compare(&"GET /x".parse().unwrap(), &request(Method::GET), &plain("{}"), &bomb);
    let expected = "decodes to more than 1000 bytes";
    assert_eq!(
        lines(&judgement),
        [format!("breaking binary body (decodable → {expected}): decodable / {expected}")]
    );
}

#[test]
fn methods_and_statuses_without_a_body_have_none() {
    let (a, b) = (whole("200", "a"), whole("200", "b"));
    assert_eq!(lines(&judge_with(Method::HEAD, "", &a, &b)), [""; 0]);
    check(&whole("304", "a"), &whole("304", "b"), &[]);
    check(&whole("204", "a"), &whole("204", ""), &[]);
    check(
        &whole("200", "a"),
        &whole("204", ""),
        &["changed status status (200 → 204): 200 OK / 204 No Content", "breaking missing body: a / -"],
    );
    check(&whole("101", ""), &whole("101", ""), &["skipped upgrade"]);
}

#[test]
fn captured_bodies_say_no_more_than_they_know() {
    let hash = |body: &str| *blake3::hash(body.as_bytes()).as_bytes();
    let hashed = |head: &str, body: &str| {
        let body = CapturedBody::Hashed {
            head: Bytes::copy_from_slice(&body.as_bytes()[..2]),
            length: body.len() as u64,
            hash: hash(body),
        };
        response(head, body)
    };
    let cut = |head: &str| response(head, CapturedBody::Cut { head: Bytes::from_static(b"ab") });
    let equal = judge(&hashed("200", "abcd"), &hashed("200", "abcd"));
    let Judgement::Compared(comparison) = &equal else { panic!("skipped") };
    assert_eq!((comparison.divergences.len(), comparison.notes.len()), (0, 1));
    for (a, b) in [
        (hashed("200", "abcd"), hashed("200", "abce")),
        (hashed("200", "abcd"), whole("200", "ab")),
        (whole("200", "ab"), hashed("200", "abcde")),
    ] {
        let found = lines(&judge(&a, &b));
        assert!(found[0].starts_with("changed binary body: "), "{found:?}");
    }
    let zipped = "200|content-encoding: gzip";
    check(&hashed(zipped, "abcd"), &hashed("200", "abcd"), &["skipped undecodable"]);
    check(&cut("200"), &cut("200"), &["skipped client_gone"]);
    check(
        &cut("200|content-type: text/event-stream"),
        &whole("200", ""),
        &["breaking header header content-type (missing): text/event-stream / -"],
    );
    let stream = "200|content-type: text/event-stream";
    check(&cut(stream), &cut(stream), &["skipped stream"]);
    let ranges = "206|content-type: multipart/byteranges; boundary=";
    check(&whole(&format!("{ranges}a"), "--a"), &whole(&format!("{ranges}b"), "--b"), &["skipped partial"]);
}

#[test]
fn lines_of_text() {
    let text = |body: &str| whole("200|content-type: text/plain", body);
    check(&text("a\nb\nc\n"), &text("a\nx\nc\n"), &["changed text line 2: b / x"]);
    check(&text("a\nb\n"), &text("a\nx\ny\nb\n"), &["exposure added line 2: - / x\ny"]);
    check(&text("a\nb\nc\n"), &text("c\n"), &["breaking missing line 1: a\nb / -"]);
    check(&text("a\n\nb"), &text("a\nb"), &["cosmetic missing line 2:  / -"]);
    check(
        &text("a\nb\n"),
        &text("a\r\nb"),
        &["cosmetic text body (line ends): 0 CRLF, 2 LF / 1 CRLF, 0 LF, none at the end"],
    );
    let latin = whole("200|content-type: text/plain; charset=iso-8859-1", b"caf\xe9");
    check(
        &latin,
        &text("café"),
        &["breaking header header content-type (charset) (missing): iso-8859-1 / -"],
    );
}

#[test]
fn ndjson_is_a_list_of_documents() {
    let ndjson = |body: &str| whole("200|content-type: application/x-ndjson", body);
    check(
        &ndjson("{\"id\":1}\n{\"id\":2}\n"),
        &ndjson("{\"id\":1}\n{\"id\":5}\n{\"id\":2}"),
        &["exposure added $[1]: - / {\"id\":5}"],
    );
    check(&ndjson("{\"id\":1,\"a\":1}\n"), &ndjson("{\"id\":1,\"a\":2}\n"), &["changed value $[0].a: 1 / 2"]);
}

#[test]
fn fields_of_forms() {
    let form = |body: &str| whole("200|content-type: application/x-www-form-urlencoded", body);
    check(&form("a=1&b=x+y"), &form("b=x%20y&%61=1"), &[]);
    check(
        &form("a=1&a=2&c="),
        &form("a=1&a=3&b=4&c=5"),
        &["changed value field a: 2 / 3", "exposure added field b: - / 4", "exposure value field c:  / 5"],
    );
    check(&form("a=%ff"), &form("a=%fe"), &["changed value field a: %ff / %fe"]);
}

#[test]
fn a_report_has_a_limit_and_says_what_it_left_out() {
    let json = |body: String| whole("200|content-type: application/json", body);
    let list = |items: usize| json(format!("[{}]", vec!["7"; items].join(",")));
    let Judgement::Compared(comparison) = judge(&list(0), &list(800)) else { panic!("skipped") };
    assert_eq!(comparison.divergences.len(), Limits::default().divergences_max);
    assert_eq!(comparison.notes, ["800 divergences of severity exposure, 500 of them listed"]);
    let long = |end: &str| json(format!("\"{}{end}\"", "x".repeat(10_000)));
    let Judgement::Compared(comparison) = judge(&long("a"), &long("b")) else { panic!("skipped") };
    let value = comparison.divergences[0].control.as_ref().unwrap();
    assert!(value.len() < 1100 && value.contains("xa\""), "{value}");
}
