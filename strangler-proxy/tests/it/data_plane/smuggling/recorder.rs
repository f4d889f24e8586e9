//! An upstream that keeps every byte it gets, and answers each request with what it has understood.

use std::io::{Read as _, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use super::readers::{End, LENIENT, Reading, strict};
use crate::shadow::rig::eventually;

pub(super) struct Recorder {
    pub(super) address: SocketAddr,
    lines: Lines,
}

type Lines = Arc<Mutex<Vec<Arc<Mutex<Line>>>>>;

#[derive(Default)]
struct Line {
    /// What came since the last look.
    bytes: Vec<u8>,
    closed: bool,
}

impl Recorder {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let lines = Lines::default();
        let all = Arc::clone(&lines);
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, line) = (stream.unwrap(), Arc::<Mutex<Line>>::default());
                stream.set_nodelay(true).unwrap();
                all.lock().unwrap().push(Arc::clone(&line));
                thread::spawn(move || {
                    serve(&stream, &line);
                    let _ = stream.shutdown(Shutdown::Both);
                    line.lock().unwrap().closed = true;
                });
            }
        });
        Self { address, lines }
    }

    /// The requests that came since the last look, in the order of their connections.
    ///
    /// Fails when any of the readers would have seen others.
    pub(super) fn take(&self, told: &str) -> Vec<Reading> {
        let lines = self.lines.lock().unwrap().clone();
        let mut all = Vec::new();
        for line in lines {
            // The proxy is done with the client: a connection within a request is about to be closed.
            eventually(|| {
                let line = line.lock().unwrap();
                line.closed || strict(&line.bytes).end == End::Whole
            });
            let bytes = std::mem::take(&mut line.lock().unwrap().bytes);
            let read = strict(&bytes);
            let shown = bytes.escape_ascii();
            assert!(
                !matches!(read.end, End::Refused(_)),
                "{told}\nreached the upstream as {:?}: {shown}",
                read.end
            );
            for reader in LENIENT {
                let lenient = reader.read(&bytes);
                assert_eq!(lenient, read, "{told}\na server that {} reads otherwise: {shown}", reader.name);
            }
            all.extend(read.requests);
        }
        self.lines.lock().unwrap().retain(|line| !line.lock().unwrap().closed);
        all
    }
}

fn serve(mut stream: &TcpStream, line: &Mutex<Line>) {
    let mut pending = Vec::new();
    let mut buffer = [0; 16 << 10];
    loop {
        let read = match stream.read(&mut buffer) {
            Ok(0) | Err(_) => return,
            Ok(read) => &buffer[..read],
        };
        pending.extend_from_slice(read);
        line.lock().unwrap().bytes.extend_from_slice(read);
        let so_far = strict(&pending);
        for request in &so_far.requests {
            let answer =
                format!("HTTP/1.1 200 OK\r\nX-Seen: {}\r\nContent-Length: 0\r\n\r\n", shown(request));
            if stream.write_all(answer.as_bytes()).is_err() {
                return;
            }
        }
        match so_far.end {
            End::Whole => pending.clear(),
            End::Within if so_far.requests.is_empty() => {}
            // Nobody sends a second request before the first was answered.
            End::Within | End::Refused(_) => return,
        }
    }
}

/// On one line.
pub(super) fn shown(request: &Reading) -> String {
    let Reading { method, target, body } = request;
    format!("{method} {target} {}", body.escape_ascii()).trim_end().to_owned()
}
