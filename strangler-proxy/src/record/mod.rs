//! Compares, redacts, and hands batches to the store.
//!
//! A pair of observations comes from [`shadow`](crate::shadow), is judged, counted, and remembered: a mismatch by
//! itself with its exchange, redacted; everything else as a count by shape. About once a second one thread writes
//! what has gathered to the store. When the store fails, counts are kept and merged until it works again, and
//! details up to a limit; beyond it they are counted as unrecorded. Serving never waits for any of this.
//!
//! - [`CompareHandle`]: the way in. Small pairs are judged where they come from, the others on threads of their own.
//! - [`Judge`]: what says whether two observations agree.
//! - [`AskAgain`]: what asks both sides again about a pair that mismatched; [`Suspect`] is such a pair.
//! - [`Epochs`]: which deployment of both sides, under which rules, evidence belongs to.
//! - [`UndeclaredHandle`]: the way in for requests that match no endpoint.
//! - [`Recorder`]: starts the threads, flushes, tells its health, drains.

mod compare;
mod config;
mod draft;
mod epoch;
mod gathered;
mod judge;
mod noise;
mod written;
mod suspect;
mod judging;
mod keeping;
mod read_back;
mod recorder;
mod waiting;
mod remember;
mod storage;
mod trial;
mod undeclared;

pub use compare::CompareHandle;
pub use config::RecordConfig;
pub use epoch::Epochs;
pub use judge::{Judge, RulesJudge};
pub use recorder::{Effects, Recorder};
pub use storage::{Failing, FlushError, RecordHealth};
pub use suspect::{AskAgain, SecondRound, Suspect};
pub use undeclared::{Discover, UndeclaredHandle};
