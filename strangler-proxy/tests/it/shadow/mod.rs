//! Shadowing, comparing and recording, against servers that behave and servers that do not.

mod accounting;
mod clients;
mod exchanges;
mod limits;
mod recording;
pub(crate) mod rig;
pub(crate) mod store;
pub(crate) mod upstream;
