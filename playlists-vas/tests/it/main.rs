//! Tests against a monolith that is made up here, on a real socket: what it answers, how late, and what it was asked. With
//! the real one the service is tested in `cli/tests/estate`. A new test goes into the file of what it is about.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod monolith;
mod foundation;
mod events;
mod service;
mod houses;
