//! The Tracks VAS: answers which tracks a viewer may see, and returns the aggregates of those.
//!
//! A service of its own, with its own binary and port. It shares the leaves of this package with the Playlists VAS (the
//! plain values of [`crate::domain`], the rules of [`crate::authorization`], the client of [`crate::foundation`], and
//! what is generated from `proto/`), and neither imports the other: the Playlists VAS asks it by RPC, and it asks the
//! monolith only, so no call can go in a circle.

mod service;
mod aggregate;
mod server;

pub use server::{Tracks, TracksConfig};
