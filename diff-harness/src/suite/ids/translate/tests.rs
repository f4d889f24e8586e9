use http::StatusCode;

use super::*;

fn response(body: &str) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    Response { status: StatusCode::OK, headers, body: CapturedBody::Whole(Bytes::from(body.to_owned())) }
}

const WRITE: Asked<'_> = Asked { endpoint: "/posts", is_safe: false, by_name: false };
const READ: Asked<'_> = Asked { endpoint: "/posts", is_safe: true, by_name: false };

fn translated(names: &mut Names, asked: Asked<'_>, control: &str, candidate: &str) -> (String, usize, usize) {
    let (left, right) = (response(control), response(candidate));
    let Translated { response, learned, violations } = names.translate(asked, &left, &right);
    let body = response.unwrap_or(right).body.kept().to_vec();
    (String::from_utf8(body).unwrap(), learned.len(), violations.len())
}

fn names(learn: Learn) -> Names {
    Names::new(learn, "control.test:1", "candidate.test:2")
}

#[test]
fn what_a_write_made_is_learned_and_said_in_controls_names() {
    let mut names = names(Learn::Writes);
    let control = r#"{"id":17,"title":"a","n":17}"#;
    let (body, learned, violations) =
        translated(&mut names, WRITE, control, r#"{ "id" : 9004,"title":"a","n":17.0}"#);
    assert_eq!(body, r#"{ "id" : 17,"title":"a","n":17.0}"#, "the rest stays as it was, to the byte");
    assert_eq!((learned, violations, names.len()), (1, 0, 1));
    let list = r#"[{"id":1,"x":0},{"id":17,"x":1}]"#;
    let (body, ..) = translated(&mut names, READ, list, r#"[{"id":1,"x":0},{"id":9004,"x":1}]"#);
    assert_eq!(body, list);
}

#[test]
fn a_read_teaches_nothing_unless_it_asks_for_what_was_made() {
    let mut own = names(Learn::Writes);
    let (control, candidate) = (r#"{"id":1,"owner_id":5}"#, r#"{"id":1,"owner_id":6}"#);
    assert_eq!(translated(&mut own, READ, control, candidate), (candidate.to_owned(), 0, 0));
    let by_name = Asked { by_name: true, ..READ };
    assert_eq!(translated(&mut own, by_name, control, candidate).0, control);
    assert_eq!(translated(&mut names(Learn::Captures), WRITE, control, candidate).0, candidate);
    assert_eq!(translated(&mut names(Learn::Everything), READ, control, candidate).0, control);
}

#[test]
fn somebody_elses_identifier_is_a_violation_even_if_both_say_the_same() {
    let mut names = names(Learn::Writes);
    translated(&mut names, WRITE, r#"{"id":17}"#, r#"{"id":9004}"#);
    let (_, _, violations) = translated(&mut names, READ, r#"{"id":17}"#, r#"{"id":17}"#);
    assert_eq!(violations, 1, "the candidate's 17 is something else");
    let (body, _, violations) = translated(&mut names, READ, r#"{"id":17}"#, r#"{"id":9005}"#);
    assert_eq!((body.as_str(), violations), (r#"{"id":9005}"#, 1));
    let (_, _, violations) = translated(&mut names, READ, r#"{"post_id":18}"#, r#"{"post_id":9004}"#);
    assert_eq!(violations, 1, "one candidate identifier for two of control's");
}

#[test]
fn links_and_urns_are_translated_with_their_origin() {
    let mut names = names(Learn::Writes);
    let control = r#"{"id":"a1","url":"http://control.test:1/posts/a1/x?p=a1","urn":"urn:post:a1"}"#;
    let candidate = r#"{"id":"b2","url":"http://candidate.test:2/posts/b2/x?p=b2","urn":"urn:post:b2"}"#;
    assert_eq!(translated(&mut names, WRITE, control, candidate).0, control);
    let elsewhere = r#"{"next":"http://candidate.test:2/posts?cursor=zz"}"#;
    let (body, ..) = translated(&mut names, READ, r#"{"next":null,"n":1}"#, elsewhere);
    assert_eq!(body, elsewhere, "what has no counterpart stays");
}

#[test]
fn headers_are_translated_too() {
    let mut names = names(Learn::Writes);
    let (mut left, mut right) = (response("{}"), response("{}"));
    left.headers.insert(LOCATION, HeaderValue::from_static("/posts/17"));
    right.headers.insert(LOCATION, HeaderValue::from_static("/posts/9004"));
    let headers = names.translate(WRITE, &left, &right).response.unwrap().headers;
    assert_eq!(headers[LOCATION], "/posts/17");
    assert_eq!(translated(&mut names, READ, r#"{"id":17}"#, r#"{"id":9004}"#).0, r#"{"id":17}"#);
}

#[test]
fn elements_are_found_by_name_by_content_and_by_what_is_left() {
    let mut names = names(Learn::Everything);
    let control = r#"[{"id":"a1","t":"x"},{"id":"a2","t":"y"},{"id":"a3","t":"z"}]"#;
    let candidate = r#"[{"id":"b2","t":"y"},{"id":"b1","t":"x"},{"id":"b3","t":"changed"}]"#;
    let (body, learned, _) = translated(&mut names, READ, control, candidate);
    assert_eq!(body, r#"[{"id":"a2","t":"y"},{"id":"a1","t":"x"},{"id":"a3","t":"changed"}]"#);
    assert_eq!(learned, 3);
    let (body, ..) =
        translated(&mut names, READ, r#"[{"id":"a3","t":1}]"#, r#"[{"id":"b1","t":1},{"id":"b3","t":2}]"#);
    assert_eq!(body, r#"[{"id":"b1","t":1},{"id":"a3","t":2}]"#, "known names come before equal contents");
}

#[test]
fn a_count_is_no_identifier() {
    let mut names = names(Learn::Writes);
    translated(&mut names, WRITE, r#"{"id":3}"#, r#"{"id":5}"#);
    let candidate = r#"{"count":5,"text":"5 of 5"}"#;
    assert_eq!(translated(&mut names, READ, r#"{"count":3,"text":"3 of 3"}"#, candidate).0, candidate);
}

#[test]
fn a_name_that_nobody_else_has_is_translated_in_every_text() {
    let mut names = names(Learn::Writes);
    let (a, b) = ("0b0f5e2c-8a4f-4a53-9d57-0a8b7c1f2e3d", "6f1a2b3c-1111-4222-8333-944445555666");
    translated(&mut names, WRITE, &format!(r#"{{"id":"{a}"}}"#), &format!(r#"{{"id":"{b}"}}"#));
    let control = format!(r#"{{"message":"made {a}.","by":{{"whatever":"{a}"}}}}"#);
    let candidate = format!(r#"{{"message":"made {b}.","by":{{"whatever":"{b}"}}}}"#);
    assert_eq!(translated(&mut names, READ, &control, &candidate).0, control);
}

#[test]
fn other_formats_and_other_types_are_not_learned() {
    let mut names = names(Learn::Everything);
    for (control, candidate) in [
        (r#"{"id":17}"#, r#"{"id":"17"}"#),
        (r#"{"id":"17"}"#, r#"{"id":"none"}"#),
        (r#"{"id":17}"#, r#"{"id":null}"#),
        (r#"{"id":[1]}"#, r#"{"id":{"a":1}}"#),
    ] {
        assert_eq!(translated(&mut names, WRITE, control, candidate), (candidate.to_owned(), 0, 0));
    }
}

#[test]
fn a_number_of_any_size_survives() {
    let mut names = names(Learn::Writes);
    let control = r#"{"id":123456789012345678901234567890,"x":1e400}"#;
    let candidate = r#"{"id":923456789012345678901234567890,"x":1e400}"#;
    assert_eq!(translated(&mut names, WRITE, control, candidate).0, control);
}

#[test]
fn a_name_in_a_link_is_known_although_it_is_learned_behind_it() {
    let mut names = names(Learn::Writes);
    let control = r#"{"self":"/posts/abcd","id":"abcd"}"#;
    assert_eq!(translated(&mut names, WRITE, control, r#"{"self":"/posts/wxyz","id":"wxyz"}"#).0, control);
}

/// What is not compared is not learned from either.
#[test]
fn a_body_that_becomes_too_large_by_decoding_is_left_as_it_is() {
    let gzip = |text: &str| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        std::io::Write::write_all(&mut encoder, text.as_bytes()).unwrap();
        let mut response = response(text);
        response.headers.insert(CONTENT_ENCODING, http::HeaderValue::from_static("gzip"));
        response.body = CapturedBody::Whole(encoder.finish().unwrap().into());
        response
    };
    let (control, candidate) = (gzip(r#"{"id":17,"title":"a"}"#), gzip(r#"{"id":94,"title":"a"}"#));
    for (most, learned) in [(20, 0), (21, 1)] {
        let mut names = names(Learn::Writes);
        names.decoded_bytes_max = most;
        assert_eq!(names.translate(WRITE, &control, &candidate).learned.len(), learned, "{most}");
    }
}
