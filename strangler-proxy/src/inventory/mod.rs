//! Which endpoints there are: imported from documents, discovered from traffic.
//!
//! - [`openapi`], [`har`]: documents, read whole or refused with the place and a hint.
//! - [`discover`]: proposals from traffic that matched no endpoint.
//! - [`Import`], [`Note`]: what a document gave, and what a person should know of it.
//! - [`ImportError`]: why a document gave nothing.

mod error;
mod document;
mod note;
mod collector;
pub mod openapi;
mod identifier;
pub mod discover;
pub mod har;

use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::Declaration;

pub use discover::Discovery;
pub use error::{ImportError, Place};
pub use note::Note;

/// What a document gave. Nothing of it is applied yet.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Import {
    /// In the order of [`EndpointId`], each once, and no two that match the same requests.
    pub endpoints: Vec<(EndpointId, Declaration)>,
    /// What was merged, settled, left out or guessed.
    pub notes: Vec<Note>,
}
