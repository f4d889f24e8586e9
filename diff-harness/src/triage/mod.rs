//! What people decided about groups, and what became of it since.
//!
//! A decision never changes what was observed. The state of a group is derived, at any time, from the latest decision
//! that was not taken back, from where the group was seen, and from the clock that the caller passes in; nothing has to
//! run for a waiver to expire or for a group to regress.
//!
//! - [`decision`]: what a person may say, what it takes, and the log of it.
//! - [`part`]: a named part of a group, into which later divergences fall by themselves.
//! - [`until`]: when a waiver ends, as a person types it.
//! - [`masks`]: rules and waivers that hide everything, or nothing any more.
//! - [`waivers`]: the file in which decisions travel between proxies and CI.
//! - [`state`]: where a group stands, and what is open.

pub mod decision;
pub mod part;
pub mod until;
pub mod masks;
pub mod waivers;
pub mod state;

#[cfg(test)]
mod tests;

pub use decision::{Act, Call, Decided, Decision, Entry, Refusal, Wish, check};
pub use part::{Part, Predicate, PredicateError};
pub use state::{Sightings, State, Triaged, Weighed, state, weigh};
pub use until::until;
pub use waivers::{Waiver, Waivers, part_of};
