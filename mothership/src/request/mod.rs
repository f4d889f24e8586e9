//! What dialects do alike with a request before their own habits begin. Nothing here decides how a dialect answers:
//! every failure is a typed value that the dialect maps to its own error shape.

mod bearer;
mod body;
mod brackets;
mod multipart;
mod viewer;

pub use bearer::bearer_token;
pub use body::{BODY_BYTES_MAX, BodyError, MediaType, read_body, read_fields, read_json};
pub use viewer::{COUNTRY_HEADER, ViewerError, viewer};
