//! A server that behaves as a test tells it to, over real sockets.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::ports::Port;

/// What the server does with the requests of a connection.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    /// Answers 200 with this body, and these further head lines.
    Answer { head: &'static str, body: Vec<u8> },
    /// Sends these bytes for every request, then closes.
    Raw(Vec<u8>),
    /// Answers the first request of a connection with these bytes, and closes it at the second.
    Once(Vec<u8>),
    /// Sends these bytes, and then nothing; keeps the connection open.
    Stall(Vec<u8>),
    /// Sends the head of a body without end, and the same piece of it over and over.
    Endless(Vec<u8>),
}

impl Behaviour {
    pub(crate) fn json(body: &str) -> Self {
        Self::Answer { head: "content-type: application/json\r\n", body: body.as_bytes().to_vec() }
    }

    /// Accepts, reads, and never says a word.
    pub(crate) fn hang() -> Self {
        Self::Stall(Vec::new())
    }
}

pub(crate) struct Upstream {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    heads: Mutex<Receiver<String>>,
    // What comes to the address after this has been killed is refused.
    _port: Option<Port>,
}

struct Shared {
    behaviour: Mutex<Behaviour>,
    open: Mutex<Vec<TcpStream>>,
    requests: AtomicUsize,
    closed: AtomicBool,
    heads: Mutex<Sender<String>>,
}

impl Upstream {
    pub(crate) fn start(behaviour: Behaviour) -> Self {
        let port = Port::taken();
        Self::start_on(port.listen(), Some(port), behaviour)
    }

    pub(crate) fn start_at(address: SocketAddr, behaviour: Behaviour) -> Self {
        Self::start_on(TcpListener::bind(address).unwrap(), None, behaviour)
    }

    fn start_on(listener: TcpListener, port: Option<Port>, behaviour: Behaviour) -> Self {
        let (sender, heads) = channel();
        let shared = Arc::new(Shared {
            behaviour: Mutex::new(behaviour),
            open: Mutex::default(),
            requests: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
            heads: Mutex::new(sender),
        });
        let address = listener.local_addr().unwrap();
        let accepting = Arc::clone(&shared);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                if accepting.closed.load(Ordering::SeqCst) {
                    return;
                }
                accepting.open.lock().unwrap().push(stream.try_clone().unwrap());
                let serving = Arc::clone(&accepting);
                thread::spawn(move || serving.serve(stream));
            }
        });
        Self { address, shared, heads: Mutex::new(heads), _port: port }
    }

    pub(crate) fn requests(&self) -> usize {
        self.shared.requests.load(Ordering::SeqCst)
    }

    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.shared.behaviour.lock().unwrap() = behaviour;
    }

    /// The head of the next request that came, in lowercase.
    pub(crate) fn head(&self) -> String {
        self.heads.lock().unwrap().recv().unwrap()
    }

    /// Refuses connections from now on, and resets those that are open.
    pub(crate) fn kill(&self) {
        self.shared.closed.store(true, Ordering::SeqCst);
        // Wakes the accepting thread, which then drops its socket.
        let _ = TcpStream::connect(self.address);
        for stream in self.shared.open.lock().unwrap().drain(..) {
            let _ = stream.shutdown(Shutdown::Both);
        }
        while TcpStream::connect(self.address).is_ok() {
            thread::yield_now();
        }
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        if !self.shared.closed.load(Ordering::SeqCst) {
            self.kill();
        }
    }
}

impl Shared {
    fn serve(&self, mut stream: TcpStream) {
        let mut served = 0;
        while let Some(head) = read_head(&mut stream) {
            served += 1;
            self.requests.fetch_add(1, Ordering::SeqCst);
            let is_head = head.starts_with("head ");
            // The test has ended when nobody wants to know.
            let _ = self.heads.lock().unwrap().send(head);
            let behaviour = self.behaviour.lock().unwrap().clone();
            let behaviour = match behaviour {
                Behaviour::Once(_) if served > 1 => Behaviour::Raw(Vec::new()),
                behaviour => behaviour,
            };
            if answer(&mut stream, &behaviour, is_head).is_err() {
                return;
            }
        }
    }
}

/// An error ends the connection.
fn answer(stream: &mut TcpStream, behaviour: &Behaviour, is_head: bool) -> std::io::Result<()> {
    match behaviour {
        Behaviour::Answer { head, body } => {
            let mut whole =
                format!("HTTP/1.1 200 OK\r\n{head}content-length: {}\r\n\r\n", body.len()).into_bytes();
            if !is_head {
                whole.extend_from_slice(body);
            }
            stream.write_all(&whole)
        }
        Behaviour::Raw(bytes) => {
            stream.write_all(bytes)?;
            stream.shutdown(Shutdown::Both)?;
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        Behaviour::Once(bytes) => stream.write_all(bytes),
        Behaviour::Stall(bytes) => {
            stream.write_all(bytes)?;
            // Until the other end closes.
            while stream.read(&mut [0; 1024])? > 0 {}
            Err(std::io::ErrorKind::ConnectionAborted.into())
        }
        Behaviour::Endless(piece) => {
            stream.write_all(
                b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n",
            )?;
            let chunk = [format!("{:x}\r\n", piece.len()).as_bytes(), piece, b"\r\n"].concat();
            loop {
                stream.write_all(&chunk)?;
            }
        }
    }
}

/// Requests in these tests have no body.
fn read_head(stream: &mut TcpStream) -> Option<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        head.push(byte[0]);
    }
    Some(String::from_utf8_lossy(&head).to_ascii_lowercase())
}
