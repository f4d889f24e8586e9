//! Messages with descriptors over a Unix socket: a length in four bytes, then JSON. Descriptors come with the length.

use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Duration;

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer, SendAncillaryMessage,
    SendFlags,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A message is a handful of names and counts; that of the counts of very many endpoints fits.
const MESSAGE_BYTES_MAX: usize = 64 << 20;
/// Descriptors that come with one message. The kernel takes up to 253 (SCM_MAX_FD).
pub(super) const DESCRIPTORS_MAX: usize = 64;

/// One end of the line.
#[derive(Debug)]
pub(super) struct Line(UnixStream);

impl Line {
    pub(super) fn new(stream: UnixStream) -> Self {
        Self(stream)
    }

    /// How long the next message may take.
    pub(super) fn patience(&self, patience: Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(patience))?;
        self.0.set_write_timeout(Some(patience))
    }

    pub(super) fn send(
        &mut self,
        message: &impl Serialize,
        descriptors: &[BorrowedFd<'_>],
    ) -> io::Result<()> {
        let text = serde_json::to_vec(message)?;
        let length = u32::try_from(text.len()).map_err(io::Error::other)?.to_be_bytes();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !descriptors.is_empty() && !control.push(SendAncillaryMessage::ScmRights(descriptors)) {
            return Err(io::Error::other("too many descriptors for one message"));
        }
        let sent = loop {
            let sent =
                rustix::net::sendmsg(&self.0, &[IoSlice::new(&length)], &mut control, SendFlags::NOSIGNAL);
            match sent {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?,
            }
        };
        self.0.write_all(&length[sent..])?;
        self.0.write_all(&text)
    }

    pub(super) fn receive<M: DeserializeOwned>(&mut self) -> io::Result<(M, Vec<OwnedFd>)> {
        let mut length = [0; 4];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(DESCRIPTORS_MAX))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let received = loop {
            let mut into = [IoSliceMut::new(&mut length)];
            match rustix::net::recvmsg(&self.0, &mut into, &mut control, RecvFlags::CMSG_CLOEXEC) {
                Err(rustix::io::Errno::INTR) => {}
                other => break other?.bytes,
            }
        };
        if received == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "it has gone"));
        }
        let mut descriptors = Vec::new();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = message {
                descriptors.extend(rights);
            }
        }
        self.0.read_exact(&mut length[received..])?;
        let length = u32::from_be_bytes(length) as usize;
        if length > MESSAGE_BYTES_MAX {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "a message over the limit"));
        }
        let mut text = vec![0; length];
        self.0.read_exact(&mut text)?;
        Ok((serde_json::from_slice(&text)?, descriptors))
    }
}

impl AsFd for Line {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Seek;

    use super::*;

    fn pair() -> (Line, Line) {
        let (left, right) = UnixStream::pair().unwrap();
        (Line::new(left), Line::new(right))
    }

    #[test]
    fn a_descriptor_comes_with_its_own_message() {
        let (mut left, mut right) = pair();
        let mut file: File = tempfile::tempfile().unwrap();
        left.send(&"none", &[]).unwrap();
        left.send(&"one", &[file.as_fd()]).unwrap();
        left.send(&"none again", &[]).unwrap();
        let (said, none) = right.receive::<String>().unwrap();
        assert_eq!((said.as_str(), none.len()), ("none", 0));
        let (said, mut one) = right.receive::<String>().unwrap();
        assert_eq!((said.as_str(), one.len()), ("one", 1));
        assert_eq!(right.receive::<String>().unwrap().1.len(), 0);
        // It is the same open file: what is written through one is read through the other.
        File::from(one.pop().unwrap()).write_all(b"here").unwrap();
        let mut text = String::new();
        file.rewind().unwrap();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "here");
    }

    #[test]
    fn an_end_that_has_gone_and_a_message_without_end_are_errors() {
        let (left, mut right) = pair();
        drop(left);
        assert_eq!(right.receive::<String>().unwrap_err().kind(), io::ErrorKind::UnexpectedEof);
        let (mut left, mut right) = pair();
        left.0.write_all(&u32::MAX.to_be_bytes()).unwrap();
        assert_eq!(right.receive::<String>().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}
