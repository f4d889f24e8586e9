//! One client connection, from its first byte to its last.

use std::net::SocketAddr;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::client_io::ClientIo;
use super::door::Door;
use super::exchange::Client;
use super::head::{RawHead, announces_too_much, is_all_target};
use super::http2;
use super::peer::Peer;
use super::refusal::Refusal;
use super::request_id;
use super::socket::Socket;
use super::stream::Stream;
use super::watch::{Waiting, Watch};
use super::worker::{Manner, Worker};

/// How a connection ended.
pub(super) enum End {
    /// By itself, or by the client.
    Closed,
    /// The library gave up on it, in the middle of something.
    Failed(hyper::Error),
    /// It was waited for too long.
    Expired(Waiting),
    /// It has not, but nothing was asked on it for a while.
    Rested,
}

pub(super) async fn serve(
    worker: Rc<Worker>,
    door: Rc<Door>,
    socket: Socket,
    peer: Option<SocketAddr>,
    watch: Arc<Watch>,
) {
    let forwarding = &worker.config.forwarding;
    let (stream, peer) = if door.is_plain() {
        (Stream::Plain(socket), Rc::new(Peer::new(peer, forwarding)))
    } else {
        // What is rare is boxed, so that what is common is small.
        let entered = match Box::pin(door.enter(socket, peer)).await {
            Ok(entered) => entered,
            Err(why) => return worker.counts.turn_away(why),
        };
        // It was waited for under other limits until now.
        watch.forgive();
        watch.wait_for(Waiting::FirstByte);
        let http2 = entered.secured.as_ref().is_some_and(|secured| secured.http2);
        let peer = Rc::new(Peer::new(entered.peer, forwarding).secured(entered.secured));
        if http2 {
            return Box::pin(http2::serve(worker, door, entered.stream, Vec::new(), peer, watch)).await;
        }
        (entered.stream, peer)
    };
    let client = Rc::new(Client {
        worker: Rc::clone(&worker),
        door: Rc::clone(&door),
        watch: Arc::clone(&watch),
        peer: Rc::clone(&peer),
    });
    let end = speak(&worker, &watch, &client, stream).await;
    // Looked at only when it could not be read as HTTP/1, so that those who speak that pay nothing for it.
    if worker.config.http2.enabled
        && matches!(end, End::Failed(_) | End::Closed)
        && let Some(begun) = watch.take_first_bytes(http2::is_preface)
        && let Some(socket) = watch.take_socket()
    {
        return Box::pin(http2::serve(worker, door, socket, begun, peer, watch)).await;
    }
    close(&worker, &watch, end).await;
}

/// Speaks HTTP/1. What the library keeps of a connection, of which its read buffer alone is 8 KiB, is there only while
/// it is used: it goes when nothing has come for a while, and comes back with the next byte.
async fn speak(worker: &Rc<Worker>, watch: &Arc<Watch>, client: &Rc<Client>, mut stream: Stream) -> End {
    let mut begun = Bytes::new();
    loop {
        // The beginning of another request may have come with the last one.
        if begun.is_empty() {
            let rested = rest(worker, watch, &mut stream).await;
            if let Err(end) = rested {
                watch.put_socket(stream);
                return end;
            }
        }
        let io = ClientIo::new(stream, begun, Arc::clone(watch), worker.config.forwarding.half_close);
        let io = TokioIo::new(io);
        let client = Rc::clone(client);
        let service = service_fn(move |request| client.handle(request));
        let mut connection = Box::new(http1(worker).serve_connection(io, service).with_upgrades());
        match run(worker, watch, Pin::new(&mut *connection)).await {
            End::Rested => {}
            end => return end,
        }
        let Some(parts) = connection.into_parts() else { return End::Closed };
        begun = parts.read_buf;
        watch.forget_head();
        // It puts its socket back.
        drop(parts.io);
        match watch.take_socket() {
            Some(socket) => stream = socket,
            None => return End::Closed,
        }
    }
}

fn http1(worker: &Worker) -> http1::Builder {
    let limits = &worker.config.limits;
    let mut http = http1::Builder::new();
    // Its own header timeout runs on an idle connection too; the sweep knows one from the other. It looks for the end
    // of a connection by reading ahead, into a buffer made for it; the socket wrapper has a cheaper look.
    http.header_read_timeout(None).half_close(true).max_buf_size(limits.head_bytes_max.max(8192));
    if limits.fields_max > 100 {
        http.max_headers(limits.fields_max);
    }
    http
}

/// Waits until there is something to read on a connection on which nothing is asked.
///
/// # Errors
/// How it ended.
async fn rest(worker: &Rc<Worker>, watch: &Watch, stream: &mut Stream) -> Result<(), End> {
    let _resting = worker.rest_begins();
    watch.rests(true);
    let rested = std::future::poll_fn(|cx| {
        watch.wake_with(cx.waker());
        if worker.draining() == Some(Manner::AtOnce) && watch.waiting() != Waiting::FirstByte {
            return Poll::Ready(Err(End::Closed));
        }
        if stream.poll_readable(cx).is_ready() {
            return Poll::Ready(Ok(()));
        }
        match watch.expired() {
            Some(waiting) => Poll::Ready(Err(End::Expired(waiting))),
            None => Poll::Pending,
        }
    })
    .await;
    watch.rests(false);
    rested
}

/// Drives the connection until it ends, the sweep ends it, or it is to rest.
async fn run<C>(worker: &Worker, watch: &Watch, mut connection: Pin<&mut C>) -> End
where
    C: Future<Output = hyper::Result<()>> + Graceful,
{
    let mut told = false;
    std::future::poll_fn(|cx| {
        watch.wake_with(cx.waker());
        let is_time = match worker.draining() {
            None => false,
            // A connection that has not said anything yet is about to: its request is answered before it closes.
            Some(Manner::AtOnce) => watch.waiting() != Waiting::FirstByte,
            // While its response has no head yet, so that the client reads there that the connection ends.
            Some(Manner::WithTheNextAnswer) => {
                matches!(watch.waiting(), Waiting::Proxy | Waiting::ClientBody | Waiting::UpstreamHead)
            }
        };
        if !told && (is_time || watch.takes_no_more()) {
            told = true;
            connection.as_mut().finish_soon();
        }
        if let Poll::Ready(result) = connection.as_mut().poll(cx) {
            return Poll::Ready(result.map_or_else(End::Failed, |()| End::Closed));
        }
        match watch.expired() {
            // These are dealt with by the request that is in progress.
            Some(Waiting::Proxy | Waiting::ClientBody | Waiting::UpstreamHead | Waiting::UpstreamBody) => {
                Poll::Pending
            }
            None if watch.is_to_rest() => Poll::Ready(End::Rested),
            None => Poll::Pending,
            Some(waiting) => Poll::Ready(End::Expired(waiting)),
        }
    })
    .await
}

/// Says the last word, where there is one, and lets the client hear it.
async fn close(worker: &Worker, watch: &Watch, end: End) {
    // It was put back when the connection was dropped; an upgraded one has it still.
    let Some(mut socket) = watch.take_socket() else { return };
    if watch.is_to_be_reset() {
        return socket.reset();
    }
    let refusal = match end {
        End::Expired(Waiting::Head) => Some(Refusal::HeadTimeout),
        End::Expired(Waiting::Write | Waiting::LastWrite) => {
            // It takes nothing, so that waiting for it to take the rest is no use.
            return socket.reset();
        }
        End::Failed(error) if !watch.is_in_request() => malformed(&error, watch.refused()),
        _ => watch.refused().map(|status| by_status(status, false)),
    };
    let refusal = match refusal {
        // The library says so of a length that it cannot count to, too.
        Some(Refusal::HeadTooLarge) if watch.with(announces_too_much) => Some(Refusal::BodyTooLarge),
        Some(Refusal::HeadTooLarge) if watch.with(is_all_target) => Some(Refusal::TargetTooLong),
        refusal => refusal,
    };
    let may_come = refusal.is_some() || watch.is_body_unread();
    if let Some(refusal) = refusal {
        let id = request_id::make();
        worker.refusals.count(refusal, &id);
        let _ = socket.write_all(&refusal.to_bytes(id)).await;
    }
    linger(socket, may_come).await;
}

/// What an error of the library means while no request is in progress.
fn malformed(error: &hyper::Error, status: Option<u16>) -> Option<Refusal> {
    if error.is_parse() || status.is_some() {
        return Some(by_status(status.unwrap_or(400), error.is_parse_too_large()));
    }
    // The client left, or its connection broke.
    None
}

fn by_status(status: u16, too_large: bool) -> Refusal {
    match status {
        414 => Refusal::TargetTooLong,
        431 => Refusal::HeadTooLarge,
        _ if too_large => Refusal::HeadTooLarge,
        _ => Refusal::Malformed,
    }
}

/// Closes our half and, where something may still come, reads it for a while: closing with unread bytes makes the
/// kernel reset the connection, and the reset can overtake the response (RFC 9112 §9.6).
pub(super) async fn linger(mut stream: Stream, may_come: bool) {
    const PATIENCE: Duration = Duration::from_secs(2);
    const READ_MAX: usize = 1 << 20;

    // TLS has a last word, which a client that takes nothing would keep.
    let ended = tokio::time::timeout(PATIENCE, stream.shutdown()).await;
    let mut socket = stream.into_socket();
    if !matches!(ended, Ok(Ok(()))) || !(may_come || socket.try_read(&mut [0]).is_ok_and(|n| n > 0)) {
        return;
    }
    // Not within the task, which is as large as it ever gets for as long as the connection lives.
    let mut buffer = vec![0; 4096];
    let reading = async {
        let mut read = 0;
        while read < READ_MAX {
            match socket.read(&mut buffer).await {
                Ok(0) | Err(_) => return,
                Ok(bytes) => read += bytes,
            }
        }
    };
    let _ = tokio::time::timeout(PATIENCE, reading).await;
}

/// Finishes the request in progress, if any, and takes no other.
trait Graceful {
    fn finish_soon(self: Pin<&mut Self>);
}

impl<S> Graceful for http1::UpgradeableConnection<TokioIo<ClientIo>, S>
where
    S: hyper::service::HttpService<hyper::body::Incoming>,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    S::ResBody: http_body::Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>> + 'static,
{
    fn finish_soon(self: Pin<&mut Self>) {
        self.graceful_shutdown();
    }
}
