//! Any rules file: read, or refused with a line that it has.

#![no_main]

use diff_harness::rules::Rules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    match Rules::parse(text, "rules.toml") {
        Ok(rules) => assert_eq!(rules.hash().len(), 16),
        Err(error) => assert!((1..=text.lines().count().max(1) + 1).contains(&error.line), "{error}"),
    }
});
