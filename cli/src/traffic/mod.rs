//! The reference estate, and what clients ask of it: seeded requests to every playlist endpoint, by every persona.
//!
//! The demo sends them through a proxy, the parity test to two isolated sides.
//!
//! - [`estate`]: the monolith and the services, in this process.
//! - [`endpoint`]: the playlist endpoints, out of the OpenAPI documents.
//! - [`persona`]: who asks; [`world`]: what there is to ask for, and what answers tell of it.
//! - [`ask`]: one request; its parameters are made in [`value`], its body in [`body`].
//! - [`client`]: sends it over a connection that is kept.

pub mod estate;
pub mod endpoint;
pub mod persona;
pub mod world;
pub mod value;
pub mod body;
pub mod ask;
mod learned;
pub mod client;
