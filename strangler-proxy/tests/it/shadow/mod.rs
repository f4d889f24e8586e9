//! Shadowing, comparing and recording, against servers that behave and servers that do not.

mod accounting;
mod exchanges;
mod limits;
mod recording;
mod rig;
mod store;
mod upstream;
