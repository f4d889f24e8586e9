//! Ways to other domains.

mod tracks;

pub use tracks::{MembersOf, TracksConfig, TracksGateway};
