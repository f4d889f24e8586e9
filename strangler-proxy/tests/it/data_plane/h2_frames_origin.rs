//! An upstream that does with the frames of HTTP/2 what a script says.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::h2_frames::{END_HEADERS, END_STREAM, Frames, HEADERS};
use crate::ports::Port;

/// `:status: 200`, of the table that every connection begins with (RFC 7541 appendix A).
const STATUS_200: u8 = 0x88;

pub(super) struct FramesOrigin {
    pub(super) address: SocketAddr,
    asked: Arc<AtomicUsize>,
    _port: Port,
}

impl FramesOrigin {
    /// Runs a script for each connection, with its number and one that counts the requests of all.
    pub(super) fn new(script: impl Fn(usize, &mut Line) + Send + Sync + 'static) -> Self {
        let port = Port::taken();
        let (listener, address) = (port.listen(), port.address);
        let asked = Arc::new(AtomicUsize::new(0));
        let (script, count) = (Arc::new(script), Arc::clone(&asked));
        std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let (script, asked) = (Arc::clone(&script), Arc::clone(&count));
                std::thread::spawn(move || {
                    let frames = Frames::accepted(stream.unwrap());
                    script(number, &mut Line { frames, asked });
                });
            }
        });
        Self { address, asked, _port: port }
    }

    /// Requests of which a head came.
    pub(super) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

/// One connection.
pub(super) struct Line {
    pub(super) frames: Frames,
    asked: Arc<AtomicUsize>,
}

impl Line {
    /// The stream of the next request, as soon as its head is there; `None` when the proxy has left.
    pub(super) fn head(&mut self) -> Option<u32> {
        loop {
            let frame = self.frames.next()?;
            if frame.kind == HEADERS {
                self.asked.fetch_add(1, Ordering::SeqCst);
                return Some(frame.stream);
            }
        }
    }

    /// Reads until a stream has ended, and gives the bytes of its body.
    pub(super) fn body(&mut self, stream: u32) -> Vec<u8> {
        let mut body = Vec::new();
        while let Some(frame) = self.frames.next() {
            if frame.stream == stream {
                body.extend_from_slice(&frame.payload);
                if frame.flags & END_STREAM != 0 {
                    break;
                }
            }
        }
        body
    }

    pub(super) fn answer(&mut self, stream: u32) {
        self.frames.try_send(HEADERS, END_HEADERS | END_STREAM, stream, &[STATUS_200]);
    }
}
