//! What both sides show after a write.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use super::estate::{Estate, is_shadow, json_of, status_of};
use crate::data_plane::origin::{Origin, Received};
use crate::shadow::rig::eventually;

const CONFIG: &str = "[[verify.read_back]]\nendpoint = \"PUT /a/{id}\"\nread = \"/a/{id}\"\n";

/// Keeps what is put, as `keep` makes of it, in data that both sides may share.
fn server(data: &Arc<Mutex<BTreeMap<String, String>>>, keep: fn(&str) -> String) -> Origin {
    let data = Arc::clone(data);
    Origin::new(move |request: &Received| {
        let mut words = request.first_line().split(' ');
        let (method, path) = (words.next().unwrap(), words.next().unwrap().to_owned());
        let mut data = data.lock().unwrap();
        if method == "PUT" {
            let body = keep(std::str::from_utf8(&request.body).unwrap());
            data.insert(path, body.clone());
            return json_of(&body);
        }
        match data.get(&path) {
            Some(body) => json_of(body),
            None => status_of(404, "{}"),
        }
    })
}

fn put(estate: &Estate, path: &str, body: &str) {
    let mut client = estate.client();
    client.send(format!(
        "PUT {path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    ));
    assert_eq!(client.response().status, 200);
    estate.settled();
}

fn reads(origin: &Origin) -> usize {
    origin.received().iter().filter(|it| it.first_line().starts_with("GET") && is_shadow(it)).count()
}

#[test]
fn after_a_write_of_the_candidate_both_sides_are_read_as_whoever_wrote() {
    let data = Arc::default();
    let estate = Estate::start(server(&data, str::to_owned), server(&data, str::to_owned), CONFIG);
    estate.at("PUT /a/{id}", "live");
    put(&estate, "/a/7", r#"{"title":"x"}"#);
    eventually(|| reads(&estate.control) == 1 && reads(&estate.candidate) == 1);
    for origin in [&estate.control, &estate.candidate] {
        let read = origin.received().into_iter().find(|it| it.first_line().starts_with("GET")).unwrap();
        assert_eq!(read.first_line(), "GET /a/7 HTTP/1.1");
        assert_eq!((read.field("authorization"), read.body.len()), (Some("Bearer x"), 0));
    }
    let writes =
        |origin: &Origin| origin.received().iter().filter(|it| it.first_line().starts_with("PUT")).count();
    assert_eq!((writes(&estate.control), writes(&estate.candidate)), (0, 1), "a write was repeated");
    let traffic = estate.route("PUT /a/{id}")["traffic"].clone();
    assert_eq!((&traffic["seen"], &traffic["compared"]), (&1.into(), &0.into()), "{traffic}");
}

/// The response is right, and what was written is not: only a read shows it.
#[test]
fn a_candidate_that_answers_well_and_writes_wrong_is_found_and_taken_back() {
    let (theirs, ours) = (Arc::default(), Arc::default());
    let control = server(&theirs, str::to_owned);
    let candidate = {
        let data: Arc<Mutex<BTreeMap<String, String>>> = Arc::clone(&ours);
        Origin::new(move |request: &Received| {
            let path = request.first_line().split(' ').nth(1).unwrap().to_owned();
            if request.first_line().starts_with("PUT") {
                let body = String::from_utf8(request.body.clone()).unwrap();
                data.lock().unwrap().insert(path, body.clone());
                return json_of(&body);
            }
            json_of(r#"{"title":null}"#)
        })
    };
    let estate = Estate::start(control, candidate, CONFIG);
    estate.at("PUT /a/{id}", "live");
    // What control shows is what an earlier write left there.
    theirs.lock().unwrap().extend((0..10).map(|n| (format!("/a/{n}"), r#"{"title":"x"}"#.to_owned())));
    for n in 0..5 {
        put(&estate, &format!("/a/{n}"), r#"{"title":"x"}"#);
    }
    let transition = estate.fallen_back("PUT /a/{id}");
    assert_eq!(transition["evidence"]["trigger"], "rejected", "{transition}");
    let group = estate.group();
    assert_eq!(
        (&group["endpoint"], &group["location"]),
        (&"PUT /a/{id}".into(), &"$.title".into()),
        "{group}"
    );
    // From here on control carries writes out.
    put(&estate, "/a/9", r#"{"title":"y"}"#);
    assert_eq!(theirs.lock().unwrap()["/a/9"], r#"{"title":"y"}"#);
}

#[test]
fn a_write_that_failed_is_not_read_back() {
    let side = || {
        Origin::new(|request: &Received| {
            let is_bad = request.first_line().starts_with("PUT /a/bad");
            if is_bad { status_of(422, "{}") } else { json_of("{}") }
        })
    };
    let estate = Estate::start(side(), side(), CONFIG);
    estate.at("PUT /a/{id}", "live");
    let mut client = estate.client();
    client.send("PUT /a/bad HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\n{}");
    assert_eq!(client.response().status, 422);
    drop(client);
    put(&estate, "/a/good", "{}");
    // They are read in the order in which they were written.
    eventually(|| reads(&estate.control) == 1 && reads(&estate.candidate) == 1);
    let read = estate.control.received().into_iter().find(is_shadow).unwrap();
    assert_eq!(read.first_line(), "GET /a/good HTTP/1.1");
}
