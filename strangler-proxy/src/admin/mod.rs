//! The JSON API that the command line speaks, metrics and health, on a listener of their own.
//!
//! Reading order, the way a request flows: [`server`] takes the connection, [`access`] says who asks, [`bodies`] whether there is room for
//! what is sent, [`api`] which
//! answer is asked for; the others give it.

mod server;
mod access;
mod bodies;
mod api;
mod routes;
mod moves;
mod changes;
mod evidence;
mod triage;
mod stream;
mod exchange;
mod report;
mod matrix;
mod health;
mod upstreams;
mod certificates;
mod metrics;
mod answer;
pub mod wire;

pub use access::{AdminConfig, AdminLimits, Admitted, By, Role, Token, TrustedProxy};
pub(crate) use access::{Peer, printable};
pub use answer::command_words;
pub(crate) use answer::status_of;
pub use api::{About, Api, ApiEffects, Before, Matched, router};
pub(crate) use health::warnings;
pub(crate) use moves::effects;
pub use server::serve;
