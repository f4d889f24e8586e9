//! Group by group in the terminal: what a person sees, and what a key does.
//!
//! - [`machine`]: keys in, wishes out. Pure.
//! - [`screen`]: what is shown of it. Pure.
//! - [`run`]: the terminal and the proxy around them.

pub(crate) mod machine;
pub(crate) mod run;
pub(crate) mod screen;

#[cfg(test)]
mod tests;
