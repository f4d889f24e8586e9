//! An end of a connection that sends frames of HTTP/2 as it is told to, also those that no library would send.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use crate::shadow::rig::PATIENCE;

pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RST_STREAM: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const PING: u8 = 6;
pub(crate) const GOAWAY: u8 = 7;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

pub(crate) struct Frames(TcpStream);

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    pub kind: u8,
    pub flags: u8,
    pub stream: u32,
    pub payload: Vec<u8>,
}

impl Frames {
    /// With the preface and empty settings sent.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut frames = Self::silent(address);
        frames.raw(PREFACE);
        frames.send(SETTINGS, 0, 0, b"");
        frames
    }

    /// The other end of a client, whose preface was read and answered with empty settings.
    pub(crate) fn accepted(mut stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        let mut preface = [0; PREFACE.len()];
        // Whoever leaves before is told by the first frame that does not come.
        let _ = stream.read_exact(&mut preface);
        let mut frames = Self(stream);
        frames.try_send(SETTINGS, 0, 0, b"");
        frames
    }

    /// With nothing sent.
    pub(crate) fn silent(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    pub(crate) fn try_raw(&mut self, bytes: &[u8]) -> bool {
        self.0.write_all(bytes).is_ok()
    }

    /// Ends the connection in both directions.
    pub(crate) fn close(&mut self) {
        // The other end may have closed it already.
        let _ = self.0.shutdown(std::net::Shutdown::Both);
    }

    /// Another handle to the same connection.
    pub(crate) fn try_clone(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    /// Whether it could be sent.
    pub(crate) fn try_send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) -> bool {
        self.0.write_all(&bytes(kind, flags, stream, payload)).is_ok()
    }

    pub(crate) fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        assert!(self.try_send(kind, flags, stream, payload), "the connection is closed");
    }

    /// The head of a request with these fields beside those that each has.
    pub(crate) fn head(&mut self, stream: u32, method: &str, fields: &[(&str, &str)], ends: bool) {
        let pseudo = [(":method", method), (":scheme", "http"), (":path", "/"), (":authority", "a")];
        let all: Vec<_> = pseudo.iter().chain(fields).copied().collect();
        self.send(HEADERS, END_HEADERS | u8::from(ends), stream, &block(&all));
    }

    /// The next frame; `None` at the end of the connection.
    pub(crate) fn next(&mut self) -> Option<Frame> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]) & !(1 << 31);
        Some(Frame { kind: head[3], flags: head[4], stream, payload })
    }

    /// The next frame of one of these kinds; settings and window updates pass by.
    pub(crate) fn until(&mut self, kinds: &[u8]) -> Frame {
        loop {
            let frame = self.next().expect("the connection was closed");
            if kinds.contains(&frame.kind) {
                return frame;
            }
        }
    }
}

impl Frame {
    /// What RST_STREAM and GOAWAY say (RFC 9113 §7).
    pub(crate) fn code(&self) -> u32 {
        let at = if self.kind == GOAWAY { 4 } else { 0 };
        u32::from_be_bytes(self.payload[at..at + 4].try_into().unwrap())
    }
}

pub(crate) fn bytes(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut bytes = vec![length[1], length[2], length[3], kind, flags];
    bytes.extend_from_slice(&stream.to_be_bytes());
    bytes.extend_from_slice(payload);
    bytes
}

/// Fields as literals without indexing, which need no table (RFC 7541 §6.2.2).
pub(crate) fn block<T: AsRef<[u8]>>(fields: &[(T, T)]) -> Vec<u8> {
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        for text in [name.as_ref(), value.as_ref()] {
            let length = u8::try_from(text.len()).ok().filter(|length| *length < 127);
            block.push(length.expect("one byte is enough for the length"));
            block.extend_from_slice(text);
        }
    }
    block
}
