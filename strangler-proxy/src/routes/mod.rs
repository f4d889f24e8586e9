//! Which endpoint a request is for, and who answers it.
//!
//! Reading order, the way a request target flows:
//!
//! - [`path_view`]: the normalised view of a target that routes are matched on, and what is refused.
//! - [`template`]: path templates as real documents write them.
//! - [`matcher`]: from method and path to the endpoint, without allocating.
//! - [`cohort`]: who a canary takes in.
//! - [`table`], [`decide`]: the endpoints with their stages, and who answers.

mod literal;
mod path_policy;
mod ambiguous;
pub mod path_view;
mod pattern;
pub mod template;
pub mod matcher;
mod overlap;
pub mod cohort;
pub mod table;
pub mod decide;

pub use ambiguous::AmbiguousPath;
pub use matcher::{MatchPolicy, Matcher, Tie, TrailingSlash};
pub use path_policy::{Encoded, Hazard, PathPolicy};
pub use path_view::PathView;
pub use template::{Template, TemplateError};
