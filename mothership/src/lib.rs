//! The reference monolith: engines side by side over one SQLite database. The map of the crate, and how to add an
//! operation to a dialect, is docs/mothership.md.
//!
//! A request goes down this list: [`server`] mounts the engines and drains them, [`request`] reads what the client
//! sent, an engine ([`public`], [`mobile`], [`web`], [`internal`], [`playlist_authorization`]) answers it from
//! [`visibility`], [`command`] and [`store`], which speak of [`domain`] values. [`seed`] makes the database.

#![recursion_limit = "256"] // `json!` recurses once per token, and records have many fields.

pub mod server;
pub mod app;
pub mod counters;
pub mod request;
pub mod public;
pub mod mobile;
pub mod web;
pub mod internal;
pub mod playlist_authorization;
pub mod visibility;
pub mod command;
pub mod store;
pub mod domain;
pub mod seed;
