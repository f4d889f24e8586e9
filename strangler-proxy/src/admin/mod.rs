//! The JSON API that the command line speaks, metrics and health, on a listener of their own.

mod access;
pub mod wire;

pub use access::{AdminConfig, Token};
