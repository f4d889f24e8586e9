//! Statuses, headers and failures.

use super::*;

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
