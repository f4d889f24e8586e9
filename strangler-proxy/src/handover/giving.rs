//! The side of the process that is running.

use std::fs::File;
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::line::{DESCRIPTORS_MAX, Line};
use super::message::{FellBack, FromNew, FromOld, PROTOCOL};
use super::{HandoverError, NamedSocket};

/// For the new process to read its config and its store. Nothing is stopped meanwhile.
const READY_PATIENCE: Duration = Duration::from_secs(60);
/// For it to begin to serve. No transition is made meanwhile.
const SERVING_PATIENCE: Duration = Duration::from_secs(20);
/// For it to take a fallback.
const TAKEN_PATIENCE: Duration = Duration::from_secs(10);

/// A new process that has the sockets and is ready to serve.
#[derive(Debug)]
pub struct Giver {
    line: Line,
    process: u32,
}

/// A new process that serves.
#[derive(Debug)]
pub struct Successor {
    line: Line,
    process: u32,
}

impl Giver {
    /// Gives copies of the sockets and of the store's lock to whoever has come, and waits until it is ready. Blocks for up
    /// to a minute.
    pub fn offer(
        stream: UnixStream,
        store: &Path,
        sockets: &[NamedSocket],
        lock: &File,
    ) -> Result<Self, HandoverError> {
        let mut line = Line::new(stream);
        line.patience(READY_PATIENCE)?;
        let process = match line.receive()?.0 {
            FromNew::Hello { protocol, process, store: theirs } => {
                if let Some(why) = why_not(protocol, &theirs, store) {
                    line.send(&FromOld::Refused { why: why.clone() }, &[])?;
                    return Err(HandoverError::Refused(why));
                }
                process
            }
            other => return Err(unexpected(&other)),
        };
        for sockets in sockets.chunk_by(|one, next| one.name == next.name) {
            for sockets in sockets.chunks(DESCRIPTORS_MAX) {
                let descriptors: Vec<BorrowedFd<'_>> =
                    sockets.iter().map(|named| named.socket.as_fd()).collect();
                line.send(&FromOld::Sockets { name: sockets[0].name.clone() }, &descriptors)?;
            }
        }
        line.send(&FromOld::Lock { process: std::process::id() }, &[lock.as_fd()])?;
        match line.receive()?.0 {
            FromNew::Ready => Ok(Self { line, process }),
            other => Err(unexpected(&other)),
        }
    }

    /// The store is as the new process is to find it: it may begin. Blocks until it serves, for up to twenty seconds.
    pub fn go(mut self) -> Result<Successor, HandoverError> {
        self.line.patience(SERVING_PATIENCE)?;
        self.line.send(&FromOld::Go, &[])?;
        match self.line.receive()?.0 {
            FromNew::Serving => Ok(Successor { line: self.line, process: self.process }),
            other => Err(unexpected(&other)),
        }
    }

    pub fn process(&self) -> u32 {
        self.process
    }
}

impl Successor {
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Has an endpoint fall back over there, and waits until it has.
    pub fn fell_back(&mut self, what: FellBack) -> Result<(), HandoverError> {
        self.line.patience(TAKEN_PATIENCE)?;
        self.line.send(&FromOld::FellBack(what), &[])?;
        match self.line.receive()?.0 {
            FromNew::Taken => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Nothing is written from here any more.
    pub fn done(&mut self) -> Result<(), HandoverError> {
        Ok(self.line.send(&FromOld::Done, &[])?)
    }
}

fn why_not(protocol: u32, theirs: &Path, ours: &Path) -> Option<String> {
    if protocol != PROTOCOL {
        return Some(format!(
            "it speaks version {PROTOCOL} of the handover and was asked for {protocol}: stop it, and start the new one \
             without --take-over"
        ));
    }
    (theirs != ours).then(|| format!("it keeps its store at {}, not at {}", ours.display(), theirs.display()))
}

fn unexpected(message: &FromNew) -> HandoverError {
    HandoverError::Unexpected(format!("{message:?}"))
}
