//! A reverse proxy that routes each endpoint by itself, shadows requests, and moves endpoints on evidence.
//!
//! Reading order, the way a request flows:
//!
//! - [`config`]: `strangler.toml`, parsed and checked once.
//! - [`inventory`]: which endpoints there are: from documents, from traffic.
//! - [`routes`]: which endpoint a request is for, and who answers it.
//! - [`data_plane`]: listeners, forwarding, upstream connections, refusals, drain.
//! - [`shadow`]: asks the other side, off the client's path.
//! - [`record`]: compares, redacts, and hands batches to the store.
//! - [`fallback`]: takes an endpoint back to control by itself.
//! - [`counters`]: what became of every request, counted in memory.
//! - [`control`]: moves endpoints: the store first, then the route table.
//! - [`admin`]: the JSON API that the command line speaks, metrics and health.
//! - [`pages`]: the review page, on the same listener.
//! - [`handover`]: gives the listening sockets to the process that takes this one's place.
//! - [`serve`]: builds all of it from the config and runs it.
//!
//! The client of a request waits for the side that answers it and for nothing else: what is shadowed, compared
//! and stored runs on threads of its own, behind bounded queues that drop and count.

pub mod config;
pub mod inventory;
pub mod routes;
pub mod data_plane;
mod behind;
pub mod shadow;
pub mod record;
pub mod fallback;
pub mod counters;
pub mod control;
pub mod admin;
pub mod pages;
pub mod handover;
pub mod serve;
