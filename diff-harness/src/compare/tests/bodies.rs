//! Bodies of all kinds, as they were captured.

use super::*;

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
    // Where control said nothing.
    check(&text("a\n \nb\n"), &text("a\nx\nb\n"), &["exposure text line 2:   / x"]);
    check(&text("a\nx\nb\n"), &text("a\n \nb\n"), &["changed text line 2: x /  "]);
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
fn markup_in_another_layout_differs_in_form_only() {
    let html = |body: &'static str| whole("200|content-type: text/html", body);
    let plain = |body: &'static str| whole("200|content-type: text/plain", body);
    let found = lines(&judge(&html("<ul><li>a b</li></ul>"), &html("<ul>\n  <li>a  b</li>\n</ul>\n")));
    assert!(found.len() == 1 && found[0].starts_with("cosmetic text body (layout): "), "{found:?}");
    let found = lines(&judge(&html("<p>a</p>"), &html("<p>a</p>\n<p>b</p>")));
    assert_eq!(found, ["exposure added line 2: - / <p>b</p>"]);
    let found = lines(&judge(&html("<p>ab</p>"), &html("<p>a b</p>")));
    assert_eq!(found, ["changed text line 1: <p>ab</p> / <p>a b</p>"]);
    // In plain text white space is text.
    let found = lines(&judge(&plain("a: 1"), &plain("  a: 1")));
    assert_eq!(found, ["changed text line 1: a: 1 /   a: 1"]);
}
