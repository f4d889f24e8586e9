//! The integration tests of the proxy, one binary. A new test goes into the module of the behaviour it holds.

#![allow(clippy::unwrap_used, reason = "a panic is how a test fails")]

mod admin;
mod allocations;
mod alone;
mod docs;
mod har;
mod mutation;
mod openapi;
mod ports;
mod data_plane;
mod control;
mod lifecycle;
mod routes;
mod shadow;
