//! Any text as an OpenAPI document: imported whole, or refused in words.

#![no_main]

use std::collections::BTreeSet;

use libfuzzer_sys::fuzz_target;
use strangler_proxy::inventory::openapi;
use strangler_proxy::routes::{MatchPolicy, Matcher, Template};

fuzz_target!(|text: &str| {
    match openapi::import(text, "fuzzed") {
        Ok(import) => {
            let routes = import.endpoints.iter().map(|(endpoint, _)| {
                let template = Template::parse(endpoint.template()).expect("an import has templates only");
                (endpoint.method().clone(), template, ())
            });
            let (_, ties) = Matcher::build(routes, MatchPolicy::default());
            assert!(ties.is_empty() && !import.endpoints.is_empty());
            let distinct: BTreeSet<_> = import.endpoints.iter().map(|(endpoint, _)| endpoint).collect();
            assert_eq!(distinct.len(), import.endpoints.len());
            import.notes.iter().for_each(|note| assert!(!note.to_string().is_empty()));
        }
        Err(error) => assert!(error.to_string().starts_with("fuzzed")),
    }
});
