//! The integration tests of the command line, one binary. Every test runs the real `strangler` in front of two real
//! servers, with a store in a directory of its own. A new test goes into the module of the behaviour it holds.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod rig;
mod upstream;
mod story;
mod gate;
mod exit_codes;
mod audit;
mod bad_input;
mod admin_api;
mod crash;
mod handover;
mod handover_http2;
mod threads;
mod certificates;
#[path = "../../../strangler-proxy/tests/it/data_plane/tls_origin.rs"]
#[allow(dead_code, reason = "the tests of the proxy, whose it is, use more of it")]
mod tls_origin;
mod diff;
mod suites;
mod triage;
mod review_page;
mod demo;
mod review;
mod sets;
