//! The reference estate's new side: the value-added service that takes the playlist endpoints over from the monolith, and
//! the small tracks service beside it. See docs/playlists-vas.md.
//!
//! A request enters by an edge ([`edges`]) or a call ([`calls`]), becomes a query ([`queries`]) or a command
//! ([`commands`]) about the playlist aggregate ([`domain`]), is decided about by [`authorization`], and reaches the data
//! by [`foundation`] and, for tracks, by the gateway to the Tracks VAS ([`gateways`], [`tracks`]).

pub mod server;
pub mod edges;
pub mod calls;
pub mod queries;
pub mod commands;
pub mod service;
pub mod gateways;
pub mod events;
pub mod cache;
pub mod tracks;
pub mod authorization;
pub mod domain;
pub mod foundation;
pub mod rpc;
pub mod regressions;
pub mod serve;
pub mod flags;
