//! RPC by the definitions in `proto/`: Twirp, which is protobuf and JSON over HTTP
//! (<https://twitchtv.github.io/twirp/docs/spec_v7.html>).

mod generated;
mod field_mask;
pub mod mask;
mod door;
mod errors;
mod client;
pub mod viewer;

pub use client::{BadAddress, client};
pub use door::{PROTOS, door, proto};
pub use errors::twirp_error;
pub use field_mask::FieldMask;
pub use generated::{authorization, consumer, creator, playlists, tracks};

/// Members of playlists that one call to the Tracks VAS may name.
pub const MEMBERS_MAX: usize = 10_000;
