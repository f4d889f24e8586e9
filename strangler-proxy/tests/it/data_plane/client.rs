//! A client that sends bytes and reads responses, and knows no more HTTP than that.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::shadow::rig::PATIENCE;

pub(crate) struct Client<S = TcpStream> {
    reader: BufReader<S>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Response {
    pub status: u16,
    /// The head as it came, without the empty line.
    pub head: String,
    pub body: Vec<u8>,
    /// The end of a chunked body: its trailer lines.
    pub trailers: String,
}

impl Client {
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.set_write_timeout(Some(PATIENCE)).unwrap();
        Self::over(stream)
    }

    /// Whether the proxy has closed the connection.
    pub(crate) fn is_closed(&mut self) -> bool {
        match self.reader.fill_buf() {
            Ok(bytes) => bytes.is_empty(),
            Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
        }
    }

    /// For good: a connection that was only closed could be one that waits for its response.
    pub(crate) fn leave(self) {
        let socket = socket2::SockRef::from(self.reader.get_ref());
        let _ = socket.set_linger(Some(Duration::ZERO));
    }
}

impl<S: Read + Write> Client<S> {
    /// Over a connection of any kind.
    pub(crate) fn over(stream: S) -> Self {
        Self { reader: BufReader::new(stream) }
    }

    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.reader.get_mut().write_all(bytes.as_ref()).unwrap();
    }

    /// Sends a request without a body, by its first line, and reads the response.
    pub(crate) fn get(&mut self, target: &str) -> Response {
        self.send(format!("GET {target} HTTP/1.1\r\nHost: a.example\r\n\r\n"));
        self.response()
    }

    pub(crate) fn response(&mut self) -> Response {
        self.response_to("GET")
    }

    pub(crate) fn response_to(&mut self, method: &str) -> Response {
        let head = self.head().expect("the connection was closed before a response");
        let status: u16 = head[9..12].parse().unwrap();
        let mut response = Response { status, head, body: Vec::new(), trailers: String::new() };
        if method == "HEAD" || status < 200 || matches!(status, 204 | 304) {
            return response;
        }
        if response.field("transfer-encoding").is_some_and(|coding| coding.contains("chunked")) {
            loop {
                let size = usize::from_str_radix(self.line().trim(), 16).unwrap();
                if size == 0 {
                    break;
                }
                let mut chunk = vec![0; size + 2];
                self.reader.read_exact(&mut chunk).unwrap();
                response.body.extend_from_slice(&chunk[..size]);
            }
            loop {
                let line = self.line();
                if line == "\r\n" {
                    break;
                }
                response.trailers.push_str(&line);
            }
        } else if let Some(length) = response.field("content-length") {
            response.body = vec![0; length.parse().unwrap()];
            self.reader.read_exact(&mut response.body).unwrap();
        } else {
            self.reader.read_to_end(&mut response.body).unwrap();
        }
        response
    }

    /// `None` at the end of the stream, also when it is a reset.
    pub(crate) fn head(&mut self) -> Option<String> {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            match self.reader.read_line(&mut line) {
                Ok(0) | Err(_) if head.is_empty() => return None,
                Ok(0) => panic!("the connection was closed in the head {head:?}"),
                Ok(_) if line == "\r\n" => return Some(head),
                Ok(_) => head.push_str(&line),
                Err(error) => panic!("{error} in the head {head:?}"),
            }
        }
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.reader.read_line(&mut line).unwrap();
        line
    }

    pub(crate) fn read(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.reader.read_exact(&mut bytes).unwrap();
        bytes
    }

    /// At least one byte.
    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> usize {
        let read = self.reader.read(buffer).unwrap();
        assert!(read > 0, "the connection was closed");
        read
    }

    /// One chunk of a chunked body.
    pub(crate) fn read_chunk(&mut self) -> Vec<u8> {
        let size = usize::from_str_radix(self.line().trim(), 16).unwrap();
        let mut chunk = self.read(size + 2);
        chunk.truncate(size);
        chunk
    }

    /// What comes until the end of the stream, however it ends.
    pub(crate) fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        let _ = self.reader.read_to_end(&mut rest);
        rest
    }

    pub(crate) fn stream(&mut self) -> &mut S {
        self.reader.get_mut()
    }
}

impl Response {
    /// The value of the first field of this name.
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        field(&self.head, name)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The `reason` of a problem that the proxy made.
    pub(crate) fn reason(&self) -> String {
        assert_eq!(self.field("content-type"), Some("application/problem+json"), "{self:?}");
        let problem: serde_json::Value = serde_json::from_slice(&self.body).unwrap();
        assert_eq!(problem["status"], self.status);
        assert_eq!(problem["request_id"].as_str(), self.field("x-request-id"));
        problem["reason"].as_str().unwrap().to_owned()
    }
}

pub(crate) fn field<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    fields(head, name).next()
}

pub(crate) fn fields<'a>(head: &'a str, name: &str) -> impl Iterator<Item = &'a str> {
    head.lines().skip(1).filter_map(move |line| {
        let (known, value) = line.split_once(':')?;
        known.eq_ignore_ascii_case(name).then(|| value.trim())
    })
}
