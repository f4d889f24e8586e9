//! Clients of HTTP/2, by prior knowledge.

pub(crate) mod client;
mod conformance;
mod drain;
mod floods;
mod limits;
mod messages;
