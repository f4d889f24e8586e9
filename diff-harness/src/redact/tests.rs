use std::io::Write;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};

use super::*;
use crate::divergence::{JsonPath, Kind, Severity};
use crate::endpoint::EndpointId;
use crate::exchange::{CapturedBody, UnixMillis};

const SECRET: &str = "s3cr3t-value-1";

fn redactor() -> Redactor {
    let config = RedactionConfig {
        json_paths: vec!["$.user.email".to_owned(), "$..ssn".to_owned()],
        show_cookies: vec!["locale".to_owned()],
        ..RedactionConfig::default()
    };
    Redactor::new(&config, RedactionKey::new([7; 32])).unwrap()
}

fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let pair = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
    };
    pairs.iter().map(pair).collect()
}

fn response(pairs: &[(&'static str, &str)], body: impl Into<Bytes>) -> Observation {
    Observation {
        outcome: Outcome::Response(Response {
            status: StatusCode::OK,
            headers: headers(pairs),
            body: CapturedBody::Whole(body.into()),
        }),
        latency: Duration::from_millis(1),
    }
}

fn exchange(target: &str, request: &[(&'static str, &str)], body: &str, control: Observation) -> Exchange {
    Exchange {
        id: "r1".to_owned(),
        at: UnixMillis(1),
        endpoint: EndpointId::new(Method::GET, "/a/{id}"),
        request: Request {
            method: Method::GET,
            target: target.to_owned(),
            headers: headers(request),
            body: CapturedBody::Whole(Bytes::copy_from_slice(body.as_bytes())),
        },
        candidate: control.clone(),
        control,
    }
}

fn redact(exchange: &Exchange) -> (Exchange, Vec<String>) {
    let (redacted, notes) = redactor().begin(exchange).exchange(exchange.clone());
    (redacted.into_inner(), notes)
}

fn control(exchange: &Exchange) -> &Response {
    let Outcome::Response(response) = &exchange.control.outcome else { panic!("no response") };
    response
}

fn body_text(exchange: &Exchange) -> String {
    String::from_utf8(control(exchange).body.kept().to_vec()).unwrap()
}

/// What a body of this type is stored as.
fn stored(content_type: &str, body: &str) -> String {
    body_text(
        &redact(&exchange("/a/1", &[], "", response(&[("content-type", content_type)], body.to_owned()))).0,
    )
}

#[test]
fn secrets_of_the_request_head_are_hidden() {
    let (clean, _) = redact(&exchange(
        "/a/1?page=2&access_token=s3cr3t-value-1&x=1",
        &[
            ("authorization", "Bearer s3cr3t-value-2"),
            ("cookie", "session=s3cr3t-value-3; locale=de"),
            ("x-api-key", "s3cr3t value-4"),
            ("referer", "https://x/?token=s3cr3t-value-5"),
            ("client-cert", ":s3cr3t/value+6=:"),
            ("client-cert-chain", ":s3cr3t/value+7=:, :s3cr3t/value+8=:"),
            ("accept", "application/json"),
        ],
        "",
        response(&[], ""),
    ));
    assert!(!format!("{clean:?}").contains("s3cr3t"), "{clean:?}");
    assert!(
        clean.request.target.starts_with("/a/1?page=2&access_token=<redacted:"),
        "{}",
        clean.request.target
    );
    assert!(clean.request.target.ends_with("&x=1"));
    let header = |name: &str| clean.request.headers[name].to_str().unwrap();
    assert!(header("authorization").starts_with("Bearer <redacted:"));
    assert!(header("cookie").starts_with("session=<redacted:") && header("cookie").ends_with("; locale=de"));
    assert_eq!(header("accept"), "application/json");
}

#[test]
fn a_secret_path_parameter_is_hidden() {
    let mut given = exchange("/a/s3cr3t-value-1/b", &[], "", response(&[], ""));
    given.endpoint = EndpointId::new(Method::GET, "/a/{secret_token}/b");
    let (clean, _) = redact(&given);
    assert!(clean.request.target.starts_with("/a/<redacted:") && clean.request.target.ends_with("/b"));
}

/// To its end, whatever is in it, and however its name is written.
#[test]
fn a_secret_of_the_query_is_hidden_whole() {
    for query in [
        "token=s3cr3t;s3cr3t",
        "sig=s3cr3t)s3cr3t'",
        "access%5Ftoken=s3cr3t",
        "user%5Bpassword%5D=s3cr3t,s3cr3t",
        "a=1&secret=s3cr3t#s3cr3t",
    ] {
        let (clean, _) = redact(&exchange(&format!("/a/1?{query}"), &[], "", response(&[], "")));
        assert!(!clean.request.target.contains("s3cr3t"), "{query}: {}", clean.request.target);
        assert!(!redactor().target(&format!("/a?{query}")).get().contains("s3cr3t"), "{query}");
    }
}

#[test]
fn a_set_cookie_keeps_its_name_and_attributes() {
    let given = response(&[("set-cookie", "session=s3cr3t-value-1; Path=/; HttpOnly")], "");
    let (clean, _) = redact(&exchange("/a/1", &[], "", given));
    let value = control(&clean).headers["set-cookie"].to_str().unwrap();
    assert!(value.starts_with("session=<redacted:") && value.ends_with("; Path=/; HttpOnly"), "{value}");
}

#[test]
fn json_loses_its_secrets_and_nothing_else() {
    let body = r#"{ "id": 123456789012345678901234567890, "id": 1.50, "Password" : "s3cr3t",
        "user": {"email": "s3cr3t@x", "name": "n\u00e4"}, "l": [{"ssn": 12}], "clientSecret": {"a": ["s3cr3t"]},
        "token": null, "link": "https://x/?a=1&token=s3cr3t#f", "e": 1e400 }"#;
    let clean = stored("application/json; charset=utf-8", body);
    assert!(!clean.contains("s3cr3t"), "{clean}");
    for kept in [
        r#""id": 123456789012345678901234567890, "id": 1.50, "Password" : "<redacted:"#,
        r#""name": "n\u00e4""#,
        r#""ssn": "<redacted:"#,
        r#""clientSecret": "<redacted:"#,
        r#""token": null, "link": "https://x/?a=1&token=<redacted:"#,
        r#"#f", "e": 1e400 }"#,
    ] {
        assert!(clean.contains(kept), "{kept} is not in {clean}");
    }
}

#[test]
fn other_texts_lose_their_secrets() {
    for (media, body) in [
        ("application/x-www-form-urlencoded", "a=1&user%5Bpassword%5D=s3cr3t&token=s3%63r3t"),
        ("application/x-ndjson", "{\"token\":\"s3cr3t\"}\n\n{\"token\":\"s3cr3t\"}\n"),
        (
            "text/html",
            "<input type=hidden name=\"csrf_token\" value=\"s3cr3t\"><a href='?token=s3cr3t&amp;a'>",
        ),
        (
            "text/html",
            "<script>var x = {\"token\": \"s3cr3t\", 'secret':'s3cr3t'}; password = s3cr3t;</script>",
        ),
        ("application/xml", "<a><password>s3cr3t</password></a>"),
        ("text/plain", "Authorization: Bearer s3cr3t\nredirect=https%3A%2F%2Fx%3Ftoken%3Ds3cr3t%26a"),
        ("", "{\"token\":\"s3cr3t\"}"),
        ("application/json", "<html>?token=s3cr3t"),
        (
            "multipart/form-data; boundary=XX",
            "--XX\r\nContent-Disposition: form-data; name=\"password\"\r\n\r\ns3cr3t\r\n--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--\r\n",
        ),
    ] {
        let clean = stored(media, body);
        assert!(!clean.contains("s3cr3t") && clean.contains("<redacted:"), "{media}: {clean}");
    }
}

#[test]
fn what_has_no_secret_stays_as_it_is() {
    for (media, body) in [
        ("application/json", "[1, {\"a\": \"b: c = d\"}, \"token_type\"]\n"),
        ("text/html", "<p>The token is nice; tokens=5</p>"),
        ("application/x-www-form-urlencoded", "a=1&b=%20&c"),
        (
            "multipart/form-data; boundary=XX",
            "--XX\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\nb\r\n--XX--\r\n",
        ),
    ] {
        assert_eq!(stored(media, body), body, "{media}");
    }
}

#[test]
fn an_echoed_secret_is_hidden_wherever_it_comes_back() {
    let body = format!("{{\"seen\": \"you sent {SECRET}!\"}}");
    let given = exchange(
        "/a/1",
        &[("authorization", &format!("Bearer {SECRET}"))],
        "",
        response(&[("content-type", "application/json"), ("x-echo", SECRET)], body),
    );
    assert!(!format!("{:?}", redact(&given).0).contains(SECRET));
}

/// Where nothing says that it is one: in a path, and in bytes that are no text.
#[test]
fn a_secret_that_is_known_is_hidden_in_paths_and_in_bytes() {
    let image = [&b"\x89PNG\xff"[..], SECRET.as_bytes(), b"\xfe", SECRET.as_bytes()].concat();
    let given = exchange(
        &format!("/a/{SECRET}?x={SECRET}"),
        &[("authorization", &format!("Bearer {SECRET}"))],
        "",
        response(&[("content-type", "image/png")], image.clone()),
    );
    let (clean, _) = redact(&given);
    assert!(!clean.request.target.contains(SECRET), "{}", clean.request.target);
    let kept = control(&clean).body.kept();
    assert_eq!(kept.len(), image.len());
    assert!(kept.starts_with(b"\x89PNG\xff*") && memchr::memmem::find(kept, SECRET.as_bytes()).is_none());
}

/// What is encoded cannot be searched before it is decoded, and a part cannot be decoded.
#[test]
fn the_head_of_an_encoded_body_is_not_kept() {
    let mut given = exchange("/a/1", &[], "", response(&[("content-encoding", "gzip")], ""));
    let Outcome::Response(response) = &mut given.control.outcome else { unreachable!() };
    let head = Bytes::from_static(b"{\"password\":\"s3cr3t\"}");
    response.body = CapturedBody::Hashed { head, length: 1 << 30, hash: [1; 32] };
    let (clean, notes) = redact(&given);
    assert!(control(&clean).body.kept().is_empty(), "{clean:?}");
    assert_eq!(notes, ["control response: body not kept: encoded and incomplete"]);
}

#[test]
fn an_encoded_body_is_kept_decoded() {
    let plain = format!("{{\"token\":\"{SECRET}\",\"a\":1}}");
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    let mut deflate = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(plain.as_bytes()).unwrap();
    for (coding, bytes) in [
        ("gzip", gzip.finish().unwrap()),
        ("deflate", deflate.finish().unwrap()),
        ("zstd", zstd::encode_all(plain.as_bytes(), 1).unwrap()),
    ] {
        let given = response(&[("content-type", "application/json"), ("content-encoding", coding)], bytes);
        let (clean, notes) = redact(&exchange("/a/1", &[], "", given));
        assert!(body_text(&clean).starts_with("{\"token\":\"<redacted:"), "{coding}: {}", body_text(&clean));
        assert!(!control(&clean).headers.contains_key("content-encoding"));
        assert_eq!(notes.len(), 2, "{notes:?}");
    }
}

#[test]
fn a_body_that_becomes_too_large_by_decoding_is_withheld() {
    let plain = "x".repeat(1000);
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(plain.as_bytes()).unwrap();
    let encoded =
        response(&[("content-encoding", "gzip"), ("content-type", "text/plain")], gzip.finish().unwrap());
    let exchange = exchange("/a/1", &[], "", encoded);
    for (most, kept) in [(999, false), (1000, true)] {
        let redactor = redactor().decoding_up_to(most);
        let (redacted, notes) = redactor.begin(&exchange).exchange(exchange.clone());
        assert_eq!(control(redacted.get()).body.kept() == plain.as_bytes(), kept, "{notes:?}");
        assert_eq!(
            notes.iter().any(|note| note.contains("decodes to more than 999 bytes")),
            !kept,
            "{notes:?}"
        );
    }
}

#[test]
fn a_body_that_cannot_be_searched_is_withheld_and_the_notes_say_so() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    for (pairs, body) in [
        (vec![("content-type", "application/json")], format!("{{\"password\":\"{SECRET}").into_bytes()),
        (vec![("content-type", "application/json")], deep.into_bytes()),
        (vec![("content-type", "application/json")], b"{\"password\":\"\xff\"}".to_vec()),
        (vec![("content-encoding", "gzip")], b"\x1f\x8b truncated".to_vec()),
        (vec![("content-encoding", "rot13")], SECRET.as_bytes().to_vec()),
        (vec![("content-type", "multipart/form-data; boundary=ZZ")], SECRET.as_bytes().to_vec()),
        (
            vec![("content-type", "multipart/form-data; boundary=Z")],
            b"--Z\r\nname=password\r\n\r\n\xff".to_vec(),
        ),
    ] {
        let length = body.len() as u64;
        let (clean, notes) = redact(&exchange("/a/1", &[], "", response(&pairs, body)));
        let CapturedBody::Hashed { head, length: kept, .. } = &control(&clean).body else {
            panic!("{pairs:?} was kept: {clean:?}")
        };
        assert!(head.is_empty() && *kept == length);
        assert!(notes[0].starts_with("control response: body not kept: "), "{notes:?}");
    }
}

#[test]
fn the_head_of_a_long_body_is_kept_up_to_its_last_whole_value() {
    let head = Bytes::from_static(br#"{"a":1,"b":[2,3],"password":"s3cr"#);
    let mut given = exchange("/a/1", &[], "", response(&[("content-type", "application/json")], ""));
    let Outcome::Response(response) = &mut given.control.outcome else { unreachable!() };
    response.body = CapturedBody::Hashed { head, length: 1 << 30, hash: [1; 32] };
    let clean = redact(&given).0;
    assert_eq!(body_text(&clean), r#"{"a":1,"b":[2,3]"#);
}

#[test]
fn a_divergence_shows_whether_secrets_were_equal_and_not_what_they_were() {
    let key = |name: &str| Segment::Key(name.to_owned());
    let given = exchange("/a/1", &[("authorization", &format!("Bearer {SECRET}"))], "", response(&[], ""));
    let redactor = redactor();
    let redaction = redactor.begin(&given);
    let check = |location: Location, control: &str, candidate: &str| {
        let divergence = Divergence {
            kind: Kind::Value,
            severity: Severity::Changed,
            location,
            detail: None,
            control: Some(control.to_owned()),
            candidate: Some(candidate.to_owned()),
        };
        let clean = redaction.divergence(&divergence).into_inner();
        (clean.control.unwrap(), clean.candidate.unwrap())
    };

    let place = || Location::Json(JsonPath(vec![key("token"), Segment::Index(0)]));
    let (a, b) = check(place(), "\"s3cr3t-a\"", "\"s3cr3t-b\"");
    assert!(a.starts_with("<redacted:") && b.starts_with("<redacted:") && a != b, "{a} {b}");
    let (a, b) = check(place(), "\"s3cr3t-a\"", "\"s3cr3t-a\"");
    assert_eq!(a, b);

    // Each has its own: what is known already is hidden everywhere.
    for (location, own) in [
        (Location::Json(JsonPath(vec![key("user"), key("email")])), "s3cr3t-c"),
        (Location::Json(JsonPath(vec![key("user"), key("email"), Segment::Index(0)])), "s3cr3t-d"),
        (Location::Header { name: "authorization".to_owned(), part: None }, "s3cr3t-e"),
        (Location::Header { name: "set-cookie".to_owned(), part: None }, "a=s3cr3t-f"),
        (Location::Field("password".to_owned()), "s3cr3t-g"),
    ] {
        let (control, candidate) = check(location.clone(), own, &format!("\"{own}-too\""));
        assert!(
            !control.contains("s3cr3t") && !candidate.contains("s3cr3t"),
            "{location}: {control} {candidate}"
        );
    }
    for (location, text) in [
        (Location::Json(JsonPath(vec![key("user")])), r#"{"a":1,"email":"s3cr3t","b":"cut a…"#),
        (Location::Json(JsonPath::default()), r#"[{"token":"s3cr3t"},{"token":"s3cr…"#),
        (Location::Json(JsonPath(vec![key("url")])), r#""https://x?token=s3cr3t…"#),
        (Location::Json(JsonPath(vec![key("echo")])), "\"it was s3cr3t-value-1\""),
        (Location::Header { name: "location".to_owned(), part: None }, "/x?secret_token=s3cr3t"),
        (
            Location::Header { name: "set-cookie".to_owned(), part: None },
            "a=s3cr3t; Path=/, b=s3cr3t; Secure",
        ),
        (Location::Json(JsonPath::default()), "…cr3t\",\"a\":1,\"token\":\"s3cr3t\"}"),
        (Location::Line(3), "password=s3cr3t"),
    ] {
        let clean = check(location.clone(), text, "").0;
        assert!(!clean.contains("cr3t"), "{location}: {clean}");
    }
    let cookie = Location::Header { name: "set-cookie".to_owned(), part: Some("a; samesite".to_owned()) };
    assert_eq!(check(cookie, "lax", "session, session; path: /").1, "session, session; path: /");
    let (shown, _) = check(Location::Json(JsonPath(vec![key("title")])), "\"a title", "1");
    assert_eq!(shown, "\"a title");
}

#[test]
fn another_key_gives_another_hash() {
    let mask = |byte| {
        let redactor = Redactor::new(&RedactionConfig::default(), RedactionKey::new([byte; 32])).unwrap();
        redactor.target("/a?token=1").into_inner()
    };
    assert_ne!(mask(1), mask(2));
    assert_eq!(mask(1), mask(1));
}
