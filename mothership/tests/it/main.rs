//! One binary for all integration tests of the crate. A new test goes where its subject is:
//!
//! - `visibility`: the decision table, row by row, and a second opinion by generated cases;
//! - `listing`: lists and paging, SQL against the pure rules;
//! - `commands`: what writes do, refuse, and keep right;
//! - `events`: the outbox and its feed;
//! - `seed`: the generator and the cast;
//! - `public`: the public dialect over HTTP, with its decision table, habits and document;
//! - `endpoints`: every playlist endpoint of every dialect, by every persona;
//! - `mobile`: the mobile dialect over HTTP, with its decision table, habits and document;
//! - `web`: the web dialect, likewise;
//! - `internal`: the internal and authorization engines over HTTP;
//! - `server`: starting and draining.
//!
//! `support` seeds one database per test run and copies it for every test; its `generated` and `oracle` are the second
//! opinion that every dialect is held against.

#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test, also in what tests share")]

mod support;
mod visibility;
mod listing;
mod commands;
mod events;
mod seed;
mod public;
mod endpoints;
mod mobile;
mod web;
mod internal;
mod server;
