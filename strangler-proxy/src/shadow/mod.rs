//! Asks the other side, off the client's path.
//!
//! A request that is to be shadowed goes, once the head of the answer is there, through a bounded queue to a thread
//! of its own. That thread asks the other side over connections of its own, under its own deadlines, and hands
//! both observations to [`record`](crate::record). Nothing here can hold up the thread that answers the client:
//! every way in is a try, and what does not fit is dropped and counted.
//!
//! - [`ShadowHandle`]: what the data plane holds. It admits a request and gives an [`AnswerSlot`] for the answer.
//! - [`Twice`]: a request of which control is asked once more; mismatches are asked again too.
//! - [`DryRunRequest`]: an unsafe request that the candidate computes and does not carry out.
//! - [`Ahead`]: a dry run that is sent before control is asked, where that is declared; a client waits for it, within limits.
//! - [`Capture`]: a body kept up to a limit, and under the one [`MemoryBudget`] of all bodies.
//! - [`Circuit`]: when a side that cannot be connected to is tried again.
//! - [`ShadowWorker`]: the thread that asks.

mod again;
mod ask;
mod budget;
mod capture;
mod circuit;
mod config;
mod dry_run;
mod first;
mod read_back;
mod recorded;
mod deadlines;
mod flight;
mod handle;
mod worker;

pub use again::Twice;
pub use budget::{MemoryBudget, Reservation};
pub use capture::{Capture, Captured};
pub use circuit::Circuit;
pub use config::ShadowConfig;
pub use dry_run::{DryRunHeader, DryRunRequest, Unmarked};
pub use first::{Ahead, FirstConfig, WaitEnd, Waits};
pub use flight::{AnswerSlot, Answered, Ending, Pair, ShadowedRequest};
pub use handle::{ShadowHandle, ShadowRequest, Ticket};
pub use read_back::{ReadBack, ReadBackRequest, ReadBacks, ReadPath};
pub use recorded::RecordSlot;
pub use worker::ShadowWorker;

/// Marks a request that no client waits for. The proxy sets it on every shadow request, to either side, and takes
/// it from every request that a client sends.
pub const SHADOW_HEADER: http::HeaderName = http::HeaderName::from_static("x-strangler-shadow");
