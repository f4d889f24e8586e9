//! Takes an endpoint back to control by itself, at once, and keeps it there until a person resumes it.
//!
//! Two steps, so that no lock and no disk stands between a trigger and the next request: the trigger closes the
//! endpoint's [`Guard`], which every request looks at before it is sent to the candidate; then a thread of its own
//! swaps the route table, writes the transition, and tries that again for as long as the store refuses it.
//!
//! - [`Guard`]: one endpoint's latch, with what the candidate did lately ([`Window`]). Lives beside its counters.
//! - [`FallbackHandle`]: what the data plane and the recorder hold. It closes guards.
//! - [`Trigger`]: why, with the evidence that stands in the audit log.
//! - [`FallbackThread`]: makes it durable.

mod config;
mod window;
mod drift;
mod guard;
mod trigger;
mod handle;
mod thread;

pub use config::FallbackConfig;
pub use drift::{Again, Found, is_unsteady};
pub use guard::Guard;
pub use handle::{Alarms, FallbackHandle};
pub use thread::FallbackThread;
pub use trigger::{Alarm, Trigger};
pub use window::{Recent, Window};
