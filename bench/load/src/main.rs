//! So many requests a second, whatever the server does: `open-loop ADDRESS PATH RATE SECONDS CONNECTIONS [BODY_FILE]`.
//!
//! Requests are due at even distances. Each is sent over a free connection at once, or waits for one; its time is
//! counted from when it was due, so that a server that stalls is charged for all that it kept waiting. With a body file
//! it is a POST. Prints one line of JSON, times in microseconds. Any answer but a 200 is a failure, and so is a
//! connection that breaks; the exit code is 0 all the same.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use polling::{Event, Events, Poller};

/// What still has to be answered when all was sent may take so long, from one answer to the next.
const PATIENCE: Duration = Duration::from_secs(10);

struct Plan {
    address: SocketAddr,
    request: Vec<u8>,
    gap: Duration,
    count: u32,
    connections: usize,
}

struct Connection {
    stream: TcpStream,
    /// When the request that is on its way was due.
    due: Option<Instant>,
    unsent: usize,
    received: Vec<u8>,
    /// Bytes of the response, head and body, once the head was read.
    length: Option<usize>,
    /// Bytes of it so far: those of the body are counted, not kept.
    seen: usize,
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match plan(&words).and_then(|plan| run(&plan).map_err(|error| error.to_string())) {
        Ok(line) => println!("{line}"),
        Err(error) => {
            eprintln!("error: {error}\nusage: open-loop ADDRESS PATH RATE SECONDS CONNECTIONS [BODY_FILE]");
            std::process::exit(2);
        }
    }
}

fn plan(words: &[String]) -> Result<Plan, String> {
    let (address, path, rate, seconds, connections, body) = match words {
        [address, path, rate, seconds, connections] => (address, path, rate, seconds, connections, None),
        [address, path, rate, seconds, connections, body] => {
            let bytes = std::fs::read(body).map_err(|error| format!("{body}: {error}"))?;
            (address, path, rate, seconds, connections, Some(bytes))
        }
        _ => return Err("five or six words are needed".to_owned()),
    };
    let number = |text: &String| {
        let value = text.parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
        value.ok_or_else(|| format!("`{text}` is no positive number"))
    };
    let (rate, seconds) = (number(rate)?, number(seconds)?);
    let mut request = match &body {
        None => format!("GET {path} HTTP/1.1\r\nHost: {address}\r\n\r\n").into_bytes(),
        Some(body) => format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes(),
    };
    request.extend(body.unwrap_or_default());
    Ok(Plan {
        address: address.parse().map_err(|_| format!("`{address}` is no address with a port"))?,
        request,
        gap: Duration::from_secs_f64(1.0 / rate),
        count: (rate * seconds) as u32,
        connections: number(connections)? as usize,
    })
}

fn run(plan: &Plan) -> std::io::Result<String> {
    let poller = Poller::new()?;
    let mut connections = Vec::new();
    for key in 0..plan.connections {
        connections.push(Connection::open(plan, &poller, key)?);
    }
    let mut free: Vec<usize> = (0..plan.connections).collect();
    let mut waiting: VecDeque<Instant> = VecDeque::new();
    let (mut taken, mut failed) = (Vec::with_capacity(plan.count as usize), 0_u32);
    let mut events = Events::new();
    let begun = Instant::now();
    let (mut sent, mut progress) = (0, begun);
    while (taken.len() as u32) + failed < plan.count && (sent < plan.count || progress.elapsed() < PATIENCE) {
        while sent < plan.count && begun + plan.gap * sent <= Instant::now() {
            waiting.push_back(begun + plan.gap * sent);
            sent += 1;
        }
        while !waiting.is_empty() && !free.is_empty() {
            let (Some(due), Some(key)) = (waiting.pop_front(), free.pop()) else { break };
            if connections[key].send(plan, due).is_err() {
                failed += 1;
                connections[key].replace(plan, &poller, key)?;
                free.push(key);
            } else if connections[key].unsent > 0 {
                poller.modify(&connections[key].stream, Event::all(key))?;
            }
        }
        let next = if sent < plan.count { begun + plan.gap * sent } else { progress + PATIENCE };
        events.clear();
        poller.wait(&mut events, Some(next.saturating_duration_since(Instant::now())))?;
        for event in events.iter() {
            let connection = &mut connections[event.key];
            match connection.go_on(plan) {
                Ok(None) => {}
                Ok(Some((due, is_good))) => {
                    progress = Instant::now();
                    if is_good {
                        taken.push(due.elapsed().as_micros() as u64);
                    } else {
                        failed += 1;
                    }
                    free.push(event.key);
                }
                Err(_) => {
                    if connection.due.is_some() {
                        failed += 1;
                        free.push(event.key);
                    }
                    connection.replace(plan, &poller, event.key)?;
                    continue;
                }
            }
            let interest = match connection.unsent {
                0 => Event::readable(event.key),
                _ => Event::all(event.key),
            };
            poller.modify(&connection.stream, interest)?;
        }
    }
    failed += plan.count - failed - taken.len() as u32;
    taken.sort_unstable();
    let at =
        |share: f64| taken.get(((taken.len() as f64 * share) as usize).min(taken.len().max(1) - 1)).copied();
    let text = |value: Option<u64>| value.map_or_else(|| "null".to_owned(), |value| value.to_string());
    Ok(format!(
        r#"{{"requests":{},"failed":{failed},"p50":{},"p90":{},"p99":{},"p999":{},"max":{}}}"#,
        plan.count,
        text(at(0.5)),
        text(at(0.9)),
        text(at(0.99)),
        text(at(0.999)),
        text(taken.last().copied()),
    ))
}

impl Connection {
    fn open(plan: &Plan, poller: &Poller, key: usize) -> std::io::Result<Self> {
        let stream = TcpStream::connect(plan.address)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        // SAFETY: every connection is taken out of the poller before it is closed (`replace`), or lives until the end.
        unsafe { poller.add(&stream, Event::readable(key))? };
        Ok(Self { stream, due: None, unsent: 0, received: Vec::new(), length: None, seen: 0 })
    }

    fn replace(&mut self, plan: &Plan, poller: &Poller, key: usize) -> std::io::Result<()> {
        poller.delete(&self.stream)?;
        *self = Self::open(plan, poller, key)?;
        Ok(())
    }

    fn send(&mut self, plan: &Plan, due: Instant) -> std::io::Result<()> {
        self.due = Some(due);
        self.unsent = plan.request.len();
        self.write(plan)
    }

    fn write(&mut self, plan: &Plan) -> std::io::Result<()> {
        while self.unsent > 0 {
            match self.stream.write(&plan.request[plan.request.len() - self.unsent..]) {
                Ok(bytes) => self.unsent -= bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// When the request that was answered was due, and whether the answer was a 200.
    fn go_on(&mut self, plan: &Plan) -> std::io::Result<Option<(Instant, bool)>> {
        self.write(plan)?;
        let mut buffer = [0; 64 << 10];
        loop {
            let bytes = match self.stream.read(&mut buffer) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(bytes) => bytes,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            };
            self.seen += bytes;
            if self.length.is_none() {
                self.received.extend_from_slice(&buffer[..bytes]);
                self.length = length(&self.received)?;
            }
            if self.length.is_some_and(|length| self.seen >= length) {
                let due = self.due.take().ok_or(ErrorKind::InvalidData)?;
                let is_good = self.received.starts_with(b"HTTP/1.1 200");
                self.received.clear();
                (self.length, self.seen) = (None, 0);
                return Ok(Some((due, is_good)));
            }
        }
    }
}

/// Bytes of head and body together, once the head is complete.
fn length(received: &[u8]) -> std::io::Result<Option<usize>> {
    let Some(end) = received.windows(4).position(|four| four == b"\r\n\r\n") else { return Ok(None) };
    let head = String::from_utf8_lossy(&received[..end]).to_ascii_lowercase();
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length:")?.trim().parse::<usize>().ok());
    length.map(|length| Some(end + 4 + length)).ok_or_else(|| ErrorKind::Unsupported.into())
}
