//! A tiny server that answers by a function of the request's target.

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

pub(crate) type Answer = fn(&str) -> (u16, String);

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    stopped: Arc<AtomicBool>,
}

impl Upstream {
    /// Listens on a free port. Bodies are JSON.
    pub(crate) fn start(answer: Answer) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let stopped = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&stopped);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::Acquire) {
                    return;
                }
                let (Ok(stream), stop) = (stream, Arc::clone(&stop)) else { continue };
                std::thread::spawn(move || serve(&stream, answer, &stop));
            }
        });
        Self { address, stopped }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Upstream {
    /// Takes no connection any more, from the moment that this returns.
    pub(crate) fn stop(&self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the accept; the listener goes with its thread.
        while TcpStream::connect(self.address).is_ok() {
            std::thread::yield_now();
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        // Wakes the accept.
        let _ = TcpStream::connect(self.address);
    }
}

fn serve(stream: &TcpStream, answer: Answer, stop: &AtomicBool) {
    // A connection that nobody uses must not outlive its test.
    let _ = stream.set_read_timeout(Some(Duration::from_secs(30)));
    let mut reader = BufReader::new(stream);
    while let Some(target) = read_request(&mut reader) {
        if stop.load(Ordering::Acquire) {
            return;
        }
        let (status, body) = answer(&target);
        let head = format!(
            "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\nx-deployment: v7\r\ncontent-length: {}\r\n\r\n",
            body.len()
        );
        if (&*stream).write_all(format!("{head}{body}").as_bytes()).is_err() {
            return;
        }
    }
}

/// The target, after the head and a body with a length were read.
fn read_request(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let target = line.split(' ').nth(1)?.to_owned();
    let mut length = 0;
    loop {
        let mut field = String::new();
        reader.read_line(&mut field).ok().filter(|n| *n > 0)?;
        if field == "\r\n" {
            break;
        }
        if let Some((name, value)) = field.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(target)
}
