//! Hands a running proxy's listening sockets to the process that takes its place, so that no connection is refused.
//!
//! The two meet at a Unix socket beside the store. What they say to each other, in order:
//!
//! | from | message | after that |
//! |---|---|---|
//! | new | `hello` | |
//! | old | `sockets`, each with descriptors; `lock` | both have the sockets, the old one accepts |
//! | new | `ready` | the old one takes no admin request and makes no transition any more |
//! | old | `go` | the store is as the new one is to find it |
//! | new | `serving` | the new one accepts; the old one drains |
//! | old | `fell_back`, each answered by `taken` | a fallback is written by one process only |
//! | old | `done` | nothing is written by it any more |
//!
//! Whoever fails before `serving` closes the line, and the old process goes on as if nobody had come.
//!
//! - [`line`]: messages and descriptors over a socket.
//! - [`message`]: what is said.
//! - [`inherited`]: sockets that somebody else made; [`activation`]: those of the service manager.
//! - [`door`]: where the old process is found; [`giving`] and [`taking`]: its side, and that of the new one.

mod line;
mod message;
mod inherited;
mod activation;
mod door;
mod giving;
mod taking;

use std::io;
use std::path::PathBuf;

pub use door::Door;
pub use giving::{Giver, Successor};
pub use inherited::{Inherited, NamedSocket};
pub(crate) use inherited::{admin, listening};
pub use message::FellBack;
pub use taking::{Predecessor, TakeOver};

/// Why a proxy could not be taken over, or could not be handed over.
#[derive(Debug, thiserror::Error)]
pub enum HandoverError {
    #[error("the handover socket {}: {source}", .path.display())]
    Socket { path: PathBuf, source: io::Error },
    #[error("the other process: {0}")]
    Line(#[from] io::Error),
    #[error("the other process said something that does not belong here: {0}")]
    Unexpected(String),
    #[error("the running process does not hand over: {0}")]
    Refused(String),
}
