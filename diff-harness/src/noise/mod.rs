//! What differs by nature: learned by asking the same side twice, never guessed.
//!
//! - [`book`]: places at which control differs from itself, with counts and the format that its values share. It hides
//!   divergences there as long as type and format hold.
//! - [`hindsight`]: whether a group is nothing but noise that was learned after it.
//! - [`confirm`]: what asking both sides again says of a mismatch.
//!
//! Neither ever hides an exposure, something missing, or another type.

pub mod book;
pub mod confirm;
pub mod hindsight;
