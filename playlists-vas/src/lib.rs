//! The value-added service for playlists, and the small tracks service beside it.

pub mod domain;
pub mod authorization;
pub mod foundation;
pub mod rpc;
pub mod serve;
pub mod tracks;
pub mod service;
pub mod cache;
pub mod gateways;
pub mod queries;
pub mod commands;
pub mod edges;
pub mod server;
pub mod flags;
