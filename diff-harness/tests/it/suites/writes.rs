//! Sequences of writes and reads, against sides that give other names to what is made.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::server::{Asked, Reply, Server, json};
use super::sides::{Sides, assert_pass, failures, found, notes};

/// A store of posts that names what it is given as its side does.
struct Posts {
    name: Box<dyn Fn(u32) -> String + Send + Sync>,
    made: AtomicU32,
    kept: Mutex<BTreeMap<String, String>>,
}

impl Posts {
    fn new(name: impl Fn(u32) -> String + Send + Sync + 'static) -> Self {
        Self { name: Box::new(name), made: AtomicU32::new(0), kept: Mutex::default() }
    }

    fn answer(&self, asked: &Asked) -> Reply {
        let mut kept = self.kept.lock().unwrap();
        let id = asked.target.strip_prefix("/posts/").unwrap_or_default().to_owned();
        let shown = |id: &str, title: &str| {
            format!(r#"{{"id":{id},"title":{title},"self":"/posts/{}"}}"#, id.trim_matches('"'))
        };
        let title = || {
            let body: serde_json::Value = serde_json::from_str(&asked.body).unwrap();
            body["title"].to_string()
        };
        match (asked.method.as_str(), id.as_str()) {
            ("POST", "") => {
                let id = (self.name)(self.made.fetch_add(1, Ordering::Relaxed));
                kept.insert(id.clone(), title());
                let headers = vec![
                    ("content-type", "application/json".to_owned()),
                    ("location", format!("/posts/{}", id.trim_matches('"'))),
                ];
                Reply::Headers(201, headers, shown(&id, &title()))
            }
            ("GET", "") => {
                let all: Vec<_> = kept.iter().map(|(id, title)| shown(id, title)).collect();
                json(200, format!("[{}]", all.join(",")))
            }
            (method, id) => {
                let key = [id.to_owned(), format!("\"{id}\"")].into_iter().find(|key| kept.contains_key(key));
                let Some(key) = key else { return json(404, r#"{"error":"gone"}"#) };
                match method {
                    "GET" => json(200, shown(&key, &kept[&key])),
                    "PUT" => {
                        kept.insert(key.clone(), title());
                        json(200, shown(&key, &kept[&key]))
                    }
                    _ => {
                        kept.remove(&key);
                        Reply::Headers(204, vec![], String::new())
                    }
                }
            }
        }
    }
}

fn start(posts: Posts) -> Server {
    Server::start(move |asked| posts.answer(asked))
}

fn life(cases: usize) -> String {
    let mut yaml = "suite: posts\npair: isolated\ncases:\n".to_owned();
    for n in 0..cases {
        yaml.push_str(&format!(
            "
- name: life {n}
  steps:
  - {{ name: create, request: {{ method: POST, path: /posts, body: {{ json: {{ title: 't{n}' }} }} }}, capture: {{ id: {{ json: $.id }}, at: {{ header: location }} }}, expect: {{ status: 201 }} }}
  - {{ name: read, request: {{ path: '/posts/${{id}}' }} }}
  - {{ name: follow, request: {{ path: '${{at}}', endpoint: '/posts/{{id}}' }} }}
  - {{ name: update, request: {{ method: PUT, path: '/posts/${{id}}', body: {{ json: {{ title: 'u{n}' }} }} }} }}
  - {{ name: read again, request: {{ path: '/posts/${{id}}' }} }}
  - {{ name: delete, request: {{ method: DELETE, path: '/posts/${{id}}' }} }}
  - {{ name: gone, request: {{ path: '/posts/${{id}}' }} }}
"
        ));
    }
    yaml
}

#[test]
fn generated_identifiers_are_bound_and_need_no_rule() {
    let numbers = || Posts::new(|n| (17 + n).to_string());
    let tokens = |salt: u64| {
        Posts::new(move |n| {
            format!("\"{:016x}\"", u64::from(n + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt)
        })
    };
    let far = || Posts::new(|n| (900_000 + n * 3).to_string());
    for (control, candidate) in [(numbers(), far()), (tokens(1), tokens(2)), (numbers(), numbers())] {
        let (control, candidate) = (start(control), start(candidate));
        let report = Sides::of(&life(30), &control, &candidate).run();
        assert_pass(&report);
        assert_eq!((report.totals.matched, report.totals.cases), (210, 30));
    }
}

#[test]
fn a_list_shows_what_was_made_under_both_names() {
    let yaml = "
suite: posts
pair: isolated
cases:
- name: list
  steps:
  - { name: create, request: { method: POST, path: /posts, body: { json: { title: a } } } }
  - { name: create more, request: { method: POST, path: /posts, body: { json: { title: b } } } }
  - { name: list, request: { path: /posts } }
";
    let control = start(Posts::new(|n| (10 + n).to_string()));
    let candidate = start(Posts::new(|n| (70 + n).to_string()));
    let report = Sides::of(yaml, &control, &candidate).run();
    assert_pass(&report);
    assert!(
        notes(&report).iter().any(|note| note.contains("bound to each other at")),
        "{:?}",
        notes(&report)
    );
}

#[test]
fn somebody_elses_thing_is_found_although_its_identifier_is_well_formed() {
    let yaml = "
suite: posts
pair: isolated
cases:
- name: mixed up
  steps:
  - { name: first, request: { method: POST, path: /posts }, capture: { first: { json: $.id } } }
  - { name: second, request: { method: POST, path: /posts }, capture: { second: { json: $.id } } }
  - { name: read, request: { path: '/posts/${first}' } }
";
    let side = |base: u32, mixes_up: bool| {
        let made = AtomicU32::new(0);
        Server::start(move |asked| {
            let read = asked.target.strip_prefix("/posts/").map(str::to_owned);
            match read {
                Some(_) if mixes_up => json(200, format!(r#"{{"id":{}}}"#, base + 1)),
                Some(id) => json(200, format!(r#"{{"id":{id}}}"#)),
                None => json(201, format!(r#"{{"id":{}}}"#, base + made.fetch_add(1, Ordering::Relaxed))),
            }
        })
    };
    let control = side(17, false);
    assert_pass(&Sides::of(yaml, &control, &side(9000, false)).run());
    let report = Sides::of(yaml, &side(17, false), &side(9000, true)).run();
    assert_eq!(found(&report), ["changed value mixed up / read $.id"]);
    assert!(notes(&report).iter().any(|note| note.contains("another thing")), "{:?}", notes(&report));
}

#[test]
fn the_same_name_for_two_things_is_a_violation_although_nothing_differs() {
    let yaml = "
suite: posts
pair: isolated
cases:
- name: echo
  steps:
  - { name: create, request: { method: POST, path: /posts }, capture: { id: { json: $.id } } }
  - { name: read, request: { path: '/posts/${id}' } }
";
    // The candidate made 18 and shows 17, which is control's name for it and the candidate's for something else.
    let side = |made: u32| {
        Server::start(move |asked| match asked.method.as_str() {
            "POST" => json(201, format!(r#"{{"id":{made}}}"#)),
            _ => json(200, r#"{"id":17}"#),
        })
    };
    let report = Sides::of(yaml, &side(17), &side(18)).run();
    assert_eq!(found(&report), ["breaking value echo / read $.id"]);
}

#[test]
fn an_unsafe_step_is_sent_once_whatever_it_finds() {
    let yaml = "suite: x\ncases:\n- { name: a, request: { method: POST, path: /posts } }\n";
    let (control, candidate) = (Server::start(|_| json(201, "{}")), Server::start(|_| json(500, "{}")));
    let report = Sides::of(yaml, &control, &candidate).run();
    assert_eq!(found(&report), ["breaking status a status"]);
    assert_eq!((control.asked().len(), candidate.asked().len()), (1, 1));
}

#[test]
fn a_shared_store_is_written_by_control_first() {
    let order = std::sync::Arc::new(Mutex::new(Vec::new()));
    let side = |name: &'static str| {
        let order = std::sync::Arc::clone(&order);
        Server::start(move |_| {
            order.lock().unwrap().push(name);
            json(201, "{}")
        })
    };
    let (control, candidate) = (side("control"), side("candidate"));
    let yaml = "suite: x\npair: shared\ncases:\n- { name: a, request: { method: POST, path: /posts } }\n";
    for _ in 0..20 {
        assert_pass(&Sides::of(yaml, &control, &candidate).run());
    }
    let order = order.lock().unwrap();
    assert!(order.chunks(2).all(|pair| pair == ["control", "candidate"]), "{order:?}");
}

#[test]
fn a_set_up_that_fails_is_no_judgement_and_stops_the_case() {
    let yaml = "
suite: x
cases:
- { name: create, request: { method: POST, path: /posts }, capture: { id: { json: $.id } } }
- { name: read, setup: [create], request: { path: '/posts/${id}' } }
";
    let (control, candidate) =
        (Server::start(|_| json(201, r#"{"id":1}"#)), Server::start(|_| json(403, "{}")));
    let report = Sides::of(yaml, &control, &candidate).run();
    assert_eq!(
        failures(&report),
        ["create: the candidate answered 403 to a request that others build on"],
        "once as a case of its own it diverges, once as a set-up it fails"
    );
    assert_eq!(found(&report), ["breaking status create status"]);
    assert_eq!(report.totals.not_run, 1);
}

#[test]
fn a_value_that_the_candidate_lacks_is_told_and_what_builds_on_it_is_not_sent() {
    let yaml = "
suite: x
cases:
- name: a
  steps:
  - { request: { method: POST, path: /posts }, capture: { id: { json: $.id } } }
  - { request: { path: '/posts/${id}' } }
";
    let (control, candidate) =
        (Server::start(|_| json(201, r#"{"id":1}"#)), Server::start(|_| json(201, "{}")));
    let report = Sides::of(yaml, &control, &candidate).run();
    assert_eq!(found(&report), ["breaking missing a / step 1 $.id"]);
    assert!(
        notes(&report)[0].contains("has nothing at `$.id`, for the variable `id`"),
        "{:?}",
        notes(&report)
    );
    assert_eq!((report.totals.not_run, candidate.asked().len()), (1, 1));
}
