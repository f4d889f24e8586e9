//! The reference estate, both sides of it: the monolith and the service that takes its playlist endpoints over get the
//! same generated requests, and the comparator says what differs. docs/parity.md tells how to run it.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod estate;
mod run;
mod outcomes;
mod report;
mod parity;
mod gate;
mod detection;
mod suites;
mod suite_detection;
mod calls;
mod regressions;
mod documents;
