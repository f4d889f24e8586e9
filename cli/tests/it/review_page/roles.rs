//! Every address of the admin listener, every role: the addresses are read from where the routers are built, so that a new
//! one has no test until it is said here what it takes.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpStream;
use std::path::Path;

use super::safety::{Person, guarded};
use crate::rig::Rig;

/// Nobody, and the roles in the order of what they may do.
const WHO: [&str; 4] =
    ["", "viewer-viewer-viewer", "reviewer-reviewer-reviewer", "operator-operator-operator"];
const VIEWER: usize = 1;
const REVIEWER: usize = 2;
const OPERATOR: usize = 3;

/// Answered to whoever reaches the listener.
const OPEN: [&str; 4] = ["/healthz", "/readyz", "/login", "/assets/{name}"];

/// What it takes to change something. To look takes a viewer.
const CHANGES: [(&str, usize); 26] = [
    ("/api/v1/routes", OPERATOR),
    ("/api/v1/plan", OPERATOR),
    ("/api/v1/promote", OPERATOR),
    ("/api/v1/rollback", OPERATOR),
    ("/api/v1/hold", OPERATOR),
    ("/api/v1/resume", OPERATOR),
    ("/api/v1/groups/{id}/decide", REVIEWER),
    ("/api/v1/groups/{id}/undo", REVIEWER),
    ("/api/v1/groups/{id}/split", REVIEWER),
    ("/api/v1/groups/{id}/join", REVIEWER),
    ("/api/v1/waivers", OPERATOR),
    ("/api/v1/matrix", REVIEWER),
    ("/api/v1/epochs", OPERATOR),
    ("/api/v1/rules/reload", OPERATOR),
    ("/api/v1/certificates/reload", OPERATOR),
    ("/api/v1/flush", VIEWER),
    ("/endpoint/promote", OPERATOR),
    ("/endpoint/rollback", OPERATOR),
    ("/endpoint/hold", OPERATOR),
    ("/endpoint/resume", OPERATOR),
    ("/groups/{id}/decide", REVIEWER),
    ("/groups/{id}/undo", REVIEWER),
    ("/groups/{id}/split", REVIEWER),
    ("/groups/{id}/join", REVIEWER),
    ("/name", VIEWER),
    ("/logout", VIEWER),
];

#[derive(Debug)]
struct Place {
    method: &'static str,
    path: String,
}

impl Place {
    fn is_api(&self) -> bool {
        self.path.starts_with("/api/") || self.path == "/metrics"
    }

    /// The least of [`WHO`] that may; `None` where everybody may.
    fn least(&self) -> Option<usize> {
        if OPEN.contains(&self.path.as_str()) {
            return None;
        }
        if self.method == "GET" {
            return Some(VIEWER);
        }
        let known = CHANGES.iter().find(|(path, _)| *path == self.path);
        Some(known.unwrap_or_else(|| panic!("{self:?}: it is not said here which role it takes")).1)
    }

    fn address(&self) -> String {
        self.path.replace("{id}", "v1-0123456789abcdef").replace("{name}", "nothing")
    }
}

/// All that the listener answers.
fn places() -> Vec<Place> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("../strangler-proxy/src");
    let (api, pages) = (src.join("admin/api.rs"), src.join("pages/site.rs"));
    for file in rust_files(&src) {
        let text: String = fs::read_to_string(&file).unwrap().split_whitespace().collect();
        let is_known = file == api || file == pages;
        assert!(is_known || !text.contains(".route(\"/"), "{} has addresses of its own", file.display());
    }
    let mut places = Vec::new();
    for file in [api, pages] {
        let text = fs::read_to_string(&file).unwrap();
        let nested = text.find(".nest(\"/api/v1\"").unwrap_or(0);
        for (at, _) in text.match_indices(".route(") {
            let route = text[at..].split_once('"').unwrap().1;
            let (path, methods) = route.split_once('"').unwrap();
            let methods = methods.split_once(".route(").map_or(methods, |(own, _)| own);
            let methods = methods.split(['\n', ';']).next().unwrap();
            let prefix = if at < nested { "/api/v1" } else { "" };
            let before = places.len();
            for (word, method) in [("get(", "GET"), ("post(", "POST")] {
                if methods.contains(word) {
                    places.push(Place { method, path: format!("{prefix}{path}") });
                }
            }
            let other =
                ["put(", "patch(", "delete(", "any(", "on("].iter().any(|word| methods.contains(word));
            assert!(
                !other && places.len() > before,
                "{path} is of a method that is not known here: {methods}"
            );
        }
    }
    places
}

fn rust_files(folder: &Path) -> Vec<std::path::PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.append(&mut rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files
}

/// Of the API, or of a page with the session's own form. Only the head is read: some answers have no end.
fn status(rig: &Rig, place: &Place, token: &str) -> u16 {
    let admin = &rig.proxy().admin;
    let mut fields = format!("host: {admin}\r\nconnection: close\r\n");
    let mut body = String::new();
    if place.is_api() {
        fields += &format!("authorization: Bearer {token}\r\ncontent-type: application/json\r\n");
        body += "{}";
    } else if !token.is_empty() {
        let person = Person::signed_in(rig, token);
        fields += &format!("cookie: {}\r\n", person.cookie());
        body += &format!("form_token={}", person.form_token());
    }
    if !place.is_api() {
        fields += &format!("origin: http://{admin}\r\ncontent-type: application/x-www-form-urlencoded\r\n");
    }
    if place.method == "GET" {
        body.clear();
    }
    let mut stream = TcpStream::connect(admin).unwrap();
    let (method, address, length) = (place.method, place.address(), body.len());
    write!(stream, "{method} {address} HTTP/1.1\r\n{fields}content-length: {length}\r\n\r\n{body}").unwrap();
    let mut line = String::new();
    BufReader::new(stream).read_line(&mut line).unwrap();
    line.split(' ').nth(1).and_then(|code| code.parse().ok()).unwrap_or_else(|| panic!("{place:?}: {line:?}"))
}

#[test]
fn every_address_takes_its_role_and_no_less() {
    let rig = guarded();
    let places = places();
    assert!(places.len() > 50, "{}", places.len());
    for (path, _) in CHANGES {
        let is_there = places.iter().any(|place| place.path == path && place.method == "POST");
        assert!(is_there, "{path} is not there any more");
    }
    for place in &places {
        let least = place.least();
        for (who, token) in WHO.iter().enumerate() {
            let status = status(&rig, place, token);
            let Some(least) = least else {
                assert!(status < 500, "{place:?}: {status}");
                continue;
            };
            match who {
                // A page asks for the token.
                0 if place.method == "GET" && !place.is_api() && place.path != "/events" => {
                    assert_eq!(status, 303, "{place:?}");
                }
                0 => assert_eq!(status, 401, "{place:?}"),
                _ if who < least => assert_eq!(status, 403, "{place:?} as {token}"),
                _ => assert!(!matches!(status, 401 | 403 | 405 | 500..), "{place:?} as {token}: {status}"),
            }
        }
    }
}

/// What a page of another origin can send, with whatever a browser adds to it by itself.
#[test]
fn every_form_is_taken_from_our_own_pages_only() {
    let rig = guarded();
    let otto = Person::signed_in(&rig, "operator-operator-operator");
    let of_another = Person::signed_in(&rig, "reviewer-reviewer-reviewer").form_token();
    let token = otto.form_token();
    let forms: Vec<_> =
        places().into_iter().filter(|place| place.method == "POST" && !place.is_api()).collect();
    assert!(forms.len() >= 11, "{forms:?}");
    for place in &forms {
        let own = otto.own_origin();
        let send = |fields: &str, form_token: &str| {
            otto.post(&place.address(), &format!("of=GET+/a&form_token={form_token}"), fields).status
        };
        for fields in ["", "origin: http://evil.example\r\n", "origin: null\r\n"] {
            assert_eq!(send(fields, &token), 421, "{place:?} {fields:?}");
        }
        assert_eq!(send(&format!("{own}sec-fetch-site: cross-site\r\n"), &token), 421, "{place:?}");
        if place.path == "/login" {
            continue;
        }
        for wrong in ["", "x", &of_another] {
            assert_eq!(send(&own, wrong), 403, "{place:?} {wrong:?}");
        }
        assert_ne!(send(&own, &token), 403, "{place:?}");
    }
}
