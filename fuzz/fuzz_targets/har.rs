//! Any text as a HAR file: imported whole, or refused in words.

#![no_main]

use libfuzzer_sys::fuzz_target;
use strangler_proxy::inventory::har;
use strangler_proxy::routes::Template;

fuzz_target!(|text: &str| {
    match har::import(text, "fuzzed", &[]) {
        Ok(import) => {
            assert!(!import.endpoints.is_empty());
            for (endpoint, _) in &import.endpoints {
                Template::parse(endpoint.template()).expect("an import has templates only");
            }
        }
        Err(error) => assert!(error.to_string().starts_with("fuzzed")),
    }
});
