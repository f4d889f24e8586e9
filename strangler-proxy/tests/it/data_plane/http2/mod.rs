//! Clients of HTTP/2, by prior knowledge.

pub(crate) mod client;
mod frames;
mod limits;
mod messages;
