//! Broken HAR files, and live traffic of any kind.

use http::Method;
use strangler_proxy::inventory::{Discovery, har};
use strangler_proxy::record::Discover;
use strangler_proxy::routes::Template;

use crate::mutation;

const HAR: &str = r#"{"log": {"version": "1.2", "entries": [
  {"time": 1.5, "request": {"method": "GET", "url": "https://api.example.com/users/1/playlists?limit=2&a=%20", "headers": []},
   "response": {"status": 200, "content": {"text": "{\"a\": 1}", "encoding": "base64"}}},
  {"request": {"method": "POST", "url": "https://api.example.com/users/0b5b3a50-4b5e-4f0c-9d0e-1c0f9e7f2a11.json"},
   "response": {"status": 201}},
  {"request": {"method": "GET", "url": "https://api.example.com/a/2026-11-22/soundcloud%3Atracks%3A1"}, "response": null}
]}}"#;

#[test]
fn a_broken_har_file_is_imported_whole_or_refused_with_words() {
    let hosts = ["api.example.com".to_owned()];
    mutation::of(HAR, 1, 20_000, |mutant| match har::import(mutant, "mutant", &hosts) {
        Ok(import) => {
            assert!(!import.endpoints.is_empty());
            for (endpoint, _) in &import.endpoints {
                Template::parse(endpoint.template()).unwrap();
            }
        }
        Err(error) => assert!(error.to_string().starts_with("mutant"), "{error}"),
    });
}

#[test]
fn whatever_is_asked_for_every_request_is_proposed_or_overlooked() {
    let paths = "/users/1/me\n/users/ann.json\n/a/2026-11-22:cancel\n//x\n/%7B{id}\n/a;b=c/@me\n/v1/x/y/z/\n/caf%c3%a9/é";
    mutation::of(paths, 1, 3_000, |mutant| {
        let mut discovery = Discovery::default();
        let requests: Vec<_> = mutant.lines().filter(|line| line.starts_with('/')).collect();
        for path in &requests {
            discovery.seen(&Method::GET, path);
        }
        let proposals = discovery.proposals();
        let learned: u64 = proposals.iter().map(|proposal| proposal.count).sum();
        assert_eq!(learned + discovery.overlooked(), requests.len() as u64);
        for proposal in proposals {
            Template::parse(proposal.endpoint.template()).unwrap_or_else(|error| panic!("{error}"));
        }
        let taken: u64 = discovery.take().iter().map(|one| one.count).sum();
        assert_eq!(taken, learned);
    });
}
