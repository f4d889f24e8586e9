//! Integration tests: what needs files, processes or both sides of an interface. One module per subject.

// Clippy's allowance for `unwrap` in tests asks for the attribute.
#[cfg(test)]
mod gate;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod suites;
