//! JSON for comparing: nothing of the document is lost.
//!
//! Numbers stay text (any size, `1` and `1.0` apart), members keep their order and their duplicates, and every value
//! knows the bytes that it was written with, so that equal subtrees are found by `memcmp`.

mod number;
mod tree;
mod parse;
mod hash;

pub use hash::Hashes;
pub use number::Number;
pub use parse::{JsonError, parse, parse_lines};
pub use tree::{JsonType, NodeId, Tree};
