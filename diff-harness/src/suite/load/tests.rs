use super::*;
use crate::suite::Body;
use crate::suite::template::Position;

fn errors(yaml: &str) -> String {
    let result = load(yaml, "s.yaml", |name| (name == "TOKEN").then(|| "t0ken".to_owned()));
    result.expect_err("the suite is wrong").to_string()
}

fn suite(yaml: &str) -> Suite {
    load(yaml, "s.yaml", |name| (name == "TOKEN").then(|| "t0ken".to_owned()))
        .unwrap_or_else(|errors| panic!("{errors}"))
}

const LIFE: &str = r#"
suite: playlists
personas:
  anonymous: {}
  owner:
    headers: { Authorization: "Bearer ${env.TOKEN}" }
    cookies: { theme: dark, lang: en }
defaults:
  personas: [anonymous, owner]
cases:
  - name: list
    tags: [read]
    request: { path: "/playlists?limit=2", query: { offset: 4 } }
  - name: create
    personas: [owner]
    request:
      method: POST
      path: /playlists
      body: { form: { title: "a b&c" } }
    capture: { id: { json: $.id } }
    expect: { status: 201 }
  - name: life
    personas: [owner]
    setup: [create]
    steps:
      - request: { path: "/playlists/${id}" }
      - name: rename
        request: { method: PUT, path: "/playlists/${id}", body: { json: { title: "${id}!" } } }
"#;

#[test]
fn a_suite_is_read_whole() {
    let suite = suite(LIFE);
    assert_eq!(suite.cases.len(), 3);
    let list = &suite.cases[0];
    assert_eq!((list.line, list.personas.len()), (11, 2));
    assert_eq!(list.steps[0].endpoint.to_string(), "GET /playlists");
    let query = list.steps[0].query.iter().map(|pair| pair.fill(&suite.values, Position::Query).unwrap());
    assert_eq!(query.collect::<Vec<_>>(), ["limit=2", "offset=4"]);
    let owner = &suite.personas["owner"];
    assert_eq!(owner.headers.len(), 2, "a header and the cookies");
    assert_eq!(suite.values["env.TOKEN"].as_text(), "t0ken");
}

#[test]
fn a_set_up_brings_its_steps_and_its_variables() {
    let life = &suite(LIFE).cases[2];
    let steps: Vec<_> = life.steps.iter().map(|step| (step.name.as_str(), step.setup)).collect();
    assert_eq!(steps, [("create", true), ("life / step 1", false), ("life / rename", false)]);
    assert_eq!(life.steps[1].endpoint.to_string(), "GET /playlists/{id}");
}

#[test]
fn bodies_are_encoded_once_and_keep_their_variables() {
    let suite = suite(LIFE);
    let Body::Text { media_type, text, .. } = &suite.cases[1].steps[0].body else { panic!("no body") };
    assert_eq!(media_type, "application/x-www-form-urlencoded");
    assert_eq!(text.fill(&Values::new(), Position::Form).unwrap(), "title=a+b%26c");
    let Body::Text { text, .. } = &suite.cases[2].steps[2].body else { panic!("no body") };
    assert_eq!(text.variables().collect::<Vec<_>>(), ["id"]);
}

#[test]
fn an_unknown_persona_is_named_with_its_place_and_the_nearest_known_one() {
    let text = errors(
        "suite: x\npersonas: { owner: {} }\ncases:\n- name: a\n  personas: [ownr]\n  request: { path: / }\n",
    );
    assert_eq!(text, "s.yaml:5:14: no persona is named `ownr`; did you mean `owner`?");
}

#[test]
fn an_unbound_variable_is_found_before_anything_is_sent() {
    let text = errors("suite: x\ncases:\n- name: a\n  request: { path: '/p/${id}' }\n");
    assert!(text.starts_with("s.yaml:4:20: the variable `id` is not bound here"), "{text}");
}

#[test]
fn a_variable_is_not_bound_before_the_step_that_captures_it() {
    let yaml = "suite: x\ncases:\n- name: a\n  steps:\n  - request: { path: '/p/${id}' }\n    capture: { id: { json: $.id } }\n";
    assert!(errors(yaml).contains("`id` is not bound here"));
}

#[test]
fn a_circle_of_set_ups_is_shown_whole() {
    let yaml = "suite: x\ncases:\n- { name: a, setup: [b], request: { path: / } }\n- { name: b, setup: [a], request: { path: / } }\n";
    assert!(errors(yaml).contains("the set-up goes in a circle: `a` → `b` → `a`"), "{}", errors(yaml));
}

#[test]
fn duplicate_names_are_refused_with_both_lines() {
    let yaml = "suite: x\ncases:\n- { name: a, request: { path: / } }\n- { name: a, request: { path: / } }\n";
    assert_eq!(errors(yaml), "s.yaml:4:11: the case `a` was named before, on line 3: a name is given once");
}

#[test]
fn every_mistake_is_told_at_once_in_the_order_of_the_file() {
    let yaml = "suite: x\ncases:\n- name: a\n  request: { method: get, path: p, headers: { 'a b': c } }\n- { name: b }\n- name: c\n  request: { path: / }\n  expect: { status: 99 }\n  capture: { v: { json: 'id' } }\n";
    let text = errors(yaml);
    let lines: Vec<_> = text.lines().map(|line| line.split(':').nth(1).unwrap()).collect();
    assert_eq!(lines, ["4", "4", "4", "5", "8", "9"], "{text}");
}

#[test]
fn a_misspelt_key_is_an_error_with_a_place() {
    let text = errors("suite: x\ncase: []\n");
    assert!(text.starts_with("s.yaml:2:1: unknown field `case`"), "{text}");
    assert!(errors("suite: [").starts_with("s.yaml:1:8: "), "{}", errors("suite: ["));
    assert!(errors("").starts_with("s.yaml:"), "{}", errors(""));
}

#[test]
fn a_missing_environment_variable_is_an_error() {
    let text = errors("suite: x\nvariables: {}\ncases:\n- { name: a, request: { path: '/${env.NOPE}' } }\n");
    assert!(text.contains("the environment variable `NOPE` is not set"), "{text}");
}
