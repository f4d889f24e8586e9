//! The foundation below the services: mothership's internal API. There is no way around it to the database.
//!
//! A page of any edge costs a fixed number of calls, whatever its length: one that lists and brings the records along
//! ([`Include`]), or one that reads a batch of ids. Every call has a deadline and waits for its turn among a limited
//! number; equal reads under way at once are one call.

mod error;
mod connection;
mod coalesce;
mod refusal;
mod requests;
mod records;
mod client;

pub use client::{Foundation, FoundationConfig, IDS_MAX};
pub use connection::Limits;
pub use error::{FoundationError, Invalid, Problem, Refused};
pub use records::{
    Aggregate, Bundle, Event, Events, Introspection, Listed, ListedId, Outcome, Relations, TokenState,
    TrackRecord,
};
pub use requests::{
    Audience, Command, Include, KindFilter, Lookup, Order, PlaylistFields, PlaylistList, UserList,
};
