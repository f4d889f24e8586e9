//! The side of the process that takes over.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::line::Line;
use super::message::{FellBack, FromNew, FromOld, PROTOCOL};
use super::{Door, HandoverError, Inherited, NamedSocket};

/// For the old process to answer: it may have a flip, or a batch, to write to the end.
const PATIENCE: Duration = Duration::from_secs(60);
/// Between two things that a draining process says.
const DRAIN_PATIENCE: Duration = Duration::from_secs(24 * 3600);

/// A running proxy that has given its sockets, and goes on until it is told that they are served.
#[derive(Debug)]
pub struct TakeOver {
    line: Line,
    process: u32,
    sockets: Vec<NamedSocket>,
    lock: Option<File>,
}

/// The old process, which drains.
#[derive(Debug)]
pub struct Predecessor {
    line: Line,
    process: u32,
}

impl TakeOver {
    /// Asks whoever writes this store. `None`: nobody does.
    ///
    /// # Errors
    /// When it does not hand over, or does not answer within a minute.
    pub fn ask(store: &Path) -> Result<Option<Self>, HandoverError> {
        let store = store.canonicalize().unwrap_or_else(|_| store.to_owned());
        let door = Door::beside(&store);
        let stream = match UnixStream::connect(&door) {
            Ok(stream) => stream,
            Err(error)
                if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) =>
            {
                return Ok(None);
            }
            Err(source) => return Err(HandoverError::Socket { path: door, source }),
        };
        let mut line = Line::new(stream);
        line.patience(PATIENCE)?;
        line.send(&FromNew::Hello { protocol: PROTOCOL, process: std::process::id(), store }, &[])?;
        let mut sockets = Vec::new();
        loop {
            let (message, descriptors): (FromOld, Vec<OwnedFd>) = line.receive()?;
            match message {
                FromOld::Sockets { name } => sockets
                    .extend(descriptors.into_iter().map(|socket| NamedSocket { name: name.clone(), socket })),
                FromOld::Lock { process } => {
                    let lock = descriptors.into_iter().next().map(File::from);
                    return Ok(Some(Self { line, process, sockets, lock }));
                }
                FromOld::Refused { why } => return Err(HandoverError::Refused(why)),
                other => return Err(unexpected(&other)),
            }
        }
    }

    /// The process that is taken over.
    pub fn process(&self) -> u32 {
        self.process
    }

    /// Its sockets, once.
    pub fn sockets(&mut self) -> Inherited {
        Inherited::new(std::mem::take(&mut self.sockets))
    }

    /// The lock of its store, once.
    pub fn lock(&mut self) -> Result<File, HandoverError> {
        self.lock.take().ok_or_else(|| HandoverError::Unexpected("no lock of the store".to_owned()))
    }

    /// Everything that could fail has been tried. When this returns, the other process writes no transition any more, and
    /// its last ones are in the store.
    pub fn ready(&mut self) -> Result<(), HandoverError> {
        self.line.send(&FromNew::Ready, &[])?;
        match self.line.receive()?.0 {
            FromOld::Go => Ok(()),
            other => Err(unexpected(&other)),
        }
    }

    /// Connections are taken here: the other process drains.
    pub fn serving(mut self) -> Result<Predecessor, HandoverError> {
        self.line.send(&FromNew::Serving, &[])?;
        Ok(Predecessor { line: self.line, process: self.process })
    }
}

impl Predecessor {
    pub fn process(&self) -> u32 {
        self.process
    }

    /// The next endpoint that fell back over there; `None` once it writes nothing any more, however it ended. What this
    /// gives must be [`taken`](Self::taken).
    pub fn hear(&mut self) -> Option<FellBack> {
        self.line.patience(DRAIN_PATIENCE).ok()?;
        match self.line.receive() {
            Ok((FromOld::FellBack(what), _)) => Some(what),
            Ok((FromOld::Done, _)) => None,
            Ok((other, _)) => {
                tracing::warn!(said = ?other, "the process before this one said something that does not belong there");
                None
            }
            Err(error) => {
                tracing::warn!(%error, process = self.process, "the process before this one ended without a word");
                None
            }
        }
    }

    pub fn taken(&mut self) {
        if let Err(error) = self.line.send(&FromNew::Taken, &[]) {
            tracing::warn!(%error, "the process before this one does not hear that its fallback was taken");
        }
    }
}

fn unexpected(message: &FromOld) -> HandoverError {
    HandoverError::Unexpected(format!("{message:?}"))
}
