//! The review page, on the admin listener: what QA and engineers look at, decide and flip.
//!
//! Reading order, the way a request flows: [`guard`] says who asks and that the request is one of a page of ours;
//! [`site`] which page it is, and [`visit`] what of it; the others fill it. The views themselves are pure and stand in `diff_harness::pages`.

mod guard;
mod session;
mod site;
mod visit;
mod sign_in;
mod reply;
mod overview;
mod endpoint;
mod flips;
mod groups;
mod group;
mod matrix;
mod rules;
mod audit;
mod pulse;
mod live;

pub(crate) use endpoint::flip;
pub use site::{Site, hardened, router};
