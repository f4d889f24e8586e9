//! An upstream that does what a test tells it to.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use super::client;
use crate::ports::Port;

/// A request as it arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Received {
    /// Which connection it came on, from 0.
    pub connection: usize,
    /// Request line and fields, without the empty line.
    pub head: String,
    pub body: Vec<u8>,
    pub trailers: String,
}

/// One connection to the upstream, for a script to play on.
pub(crate) struct Line {
    pub number: usize,
    reader: BufReader<TcpStream>,
    received: Arc<Mutex<Vec<Received>>>,
}

pub(crate) struct Origin {
    pub address: SocketAddr,
    received: Arc<Mutex<Vec<Received>>>,
    open: Arc<Mutex<Vec<TcpStream>>>,
    connections: Arc<AtomicUsize>,
    finished: Arc<AtomicUsize>,
    closed: Arc<AtomicBool>,
    // What comes to the address after this has been killed is refused.
    _port: Port,
}

impl Origin {
    /// Answers every request with what `answer` gives: a whole response as bytes.
    pub(crate) fn new<T: AsRef<[u8]>>(answer: impl Fn(&Received) -> T + Send + Sync + 'static) -> Self {
        Self::scripted(move |line| {
            while let Some(request) = line.request() {
                line.send(answer(&request).as_ref());
            }
        })
    }

    /// Answers every request with 200 and this body.
    pub(crate) fn saying(body: &'static str) -> Self {
        Self::new(move |_| ok(body))
    }

    /// Plays the script on every connection, each on a thread of its own, and closes it after that.
    pub(crate) fn scripted(script: impl Fn(&mut Line) + Send + Sync + 'static) -> Self {
        Self::scripted_at(Port::taken(), script)
    }

    pub(crate) fn scripted_at(port: Port, script: impl Fn(&mut Line) + Send + Sync + 'static) -> Self {
        let (listener, address) = (port.listen(), port.address);
        let origin = Self {
            address,
            _port: port,
            received: Arc::default(),
            open: Arc::default(),
            connections: Arc::default(),
            finished: Arc::default(),
            closed: Arc::default(),
        };
        let (received, open, connections, finished, closed) = (
            Arc::clone(&origin.received),
            Arc::clone(&origin.open),
            Arc::clone(&origin.connections),
            Arc::clone(&origin.finished),
            Arc::clone(&origin.closed),
        );
        let script = Arc::new(script);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if closed.load(Ordering::SeqCst) {
                    return;
                }
                stream.set_nodelay(true).unwrap();
                open.lock().unwrap().push(stream.try_clone().unwrap());
                let number = connections.fetch_add(1, Ordering::SeqCst);
                let (script, received, finished) =
                    (Arc::clone(&script), Arc::clone(&received), Arc::clone(&finished));
                thread::spawn(move || {
                    let mut line = Line { number, reader: BufReader::new(stream), received };
                    script(&mut line);
                    let _ = line.reader.get_ref().shutdown(Shutdown::Both);
                    finished.fetch_add(1, Ordering::SeqCst);
                });
            }
        });
        origin
    }

    pub(crate) fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The only request that came.
    pub(crate) fn only(&self) -> Received {
        let received = self.received();
        assert_eq!(received.len(), 1, "{received:?}");
        received.into_iter().next().unwrap()
    }

    /// Lets go of all that was kept of requests and connections, where what is left in memory is looked at.
    pub(crate) fn forget(&self) {
        *self.received.lock().unwrap() = Vec::new();
        *self.open.lock().unwrap() = Vec::new();
    }

    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::SeqCst)
    }

    /// Connections whose script has come to its end.
    pub(crate) fn finished(&self) -> usize {
        self.finished.load(Ordering::SeqCst)
    }

    /// Refuses connections from now on, and resets those that are open.
    pub(crate) fn kill(&self) {
        self.closed.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then drops its socket.
        let _ = TcpStream::connect(self.address);
        for stream in self.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        if !self.closed.load(Ordering::SeqCst) {
            self.kill();
        }
    }
}

impl Line {
    /// The next request with its body, noted as received; `None` when the proxy has closed.
    pub(crate) fn request(&mut self) -> Option<Received> {
        let head = self.head()?;
        self.body_of(head)
    }

    /// The next request head only.
    pub(crate) fn head(&mut self) -> Option<String> {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) | Err(_) => return None,
                Ok(_) if line == "\r\n" => return Some(head),
                Ok(_) => head.push_str(&line),
            }
        }
    }

    /// Reads the body that belongs to a head.
    pub(crate) fn body_of(&mut self, head: String) -> Option<Received> {
        let (mut body, mut trailers) = (Vec::new(), String::new());
        if client::field(&head, "transfer-encoding").is_some() {
            loop {
                let size = usize::from_str_radix(self.line()?.trim(), 16).ok()?;
                if size == 0 {
                    break;
                }
                let mut chunk = vec![0; size + 2];
                self.reader.read_exact(&mut chunk).ok()?;
                body.extend_from_slice(&chunk[..size]);
            }
            loop {
                let line = self.line()?;
                if line == "\r\n" {
                    break;
                }
                trailers.push_str(&line);
            }
        } else if let Some(length) = client::field(&head, "content-length") {
            body = vec![0; length.parse().unwrap()];
            self.reader.read_exact(&mut body).ok()?;
        }
        let received = Received { connection: self.number, head, body, trailers };
        self.received.lock().unwrap().push(received.clone());
        Some(received)
    }

    fn line(&mut self) -> Option<String> {
        let mut line = String::new();
        self.reader.read_line(&mut line).ok().filter(|read| *read > 0).map(|_| line)
    }

    /// Whether it could be sent; the proxy may have closed.
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) -> bool {
        self.reader.get_mut().write_all(bytes.as_ref()).is_ok()
    }

    pub(crate) fn read(&mut self, buffer: &mut [u8]) -> usize {
        self.reader.read(buffer).unwrap_or(0)
    }

    /// The socket, past what was read ahead.
    pub(crate) fn stream(&self) -> &TcpStream {
        self.reader.get_ref()
    }

    /// Waits until the proxy has closed.
    pub(crate) fn wait_for_end(&mut self) {
        let _ = self.reader.read_to_end(&mut Vec::new());
    }
}

impl Received {
    /// The value of the first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        client::field(&self.head, name)
    }

    pub(crate) fn first_line(&self) -> &str {
        self.head.lines().next().unwrap()
    }
}

/// A response of 200 with a length.
pub(crate) fn ok(body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len())
}
