//! The JSON API that the command line speaks, metrics and health, on a listener of their own.
//!
//! Reading order, the way a request flows: [`server`] takes the connection, [`access`] says who asks, [`api`] which
//! answer is asked for; the others give it.

mod server;
mod access;
mod api;
mod routes;
mod moves;
mod evidence;
mod triage;
mod exchange;
mod report;
mod health;
mod metrics;
mod answer;
pub mod wire;

pub use access::{AdminConfig, Token};
pub use answer::command_words;
pub use api::{About, Api, ApiEffects, Before, Matched, router};
pub use server::serve;
