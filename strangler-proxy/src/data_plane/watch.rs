//! Who is waited for on a client connection, and until when.
//!
//! Timers cost more than what they guard: one look over all connections of a thread, a few times a second, takes the
//! place of a timer for every step of every request. Deadlines are therefore kept to within a tick.

use std::io::{self, IoSlice};
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::config::Timeouts;
use super::head::RawHead;
use super::names::{Names, Respelling, Spelling, end_of_head};
use super::stream::Stream;

/// What a connection waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Waiting {
    /// The first byte of the first request.
    FirstByte,
    /// The rest of a request head.
    Head,
    /// The proxy itself, under limits of its own: a connection to an upstream.
    Proxy,
    ClientBody,
    UpstreamHead,
    UpstreamBody,
    /// The client, to take what was sent to it.
    Write,
    /// The client, to take the end of a response.
    LastWrite,
    /// The next request.
    Idle,
    /// The streams of a connection, each of which has a watch of its own.
    Streams,
    /// The client of a connection with streams, to take anything at all.
    Stalled,
}

/// The state of one client connection that its parts share: the socket, the request in progress, and the sweep.
#[derive(Debug)]
pub(super) struct Watch {
    clock: Arc<Clock>,
    timeouts: Arc<Timeouts>,
    waiting: AtomicU8,
    deadline: AtomicU64,
    expired: AtomicBool,
    waker: OnceLock<Waker>,
    head: Mutex<Head>,
    /// The head is that of a request which the library has read, and not of the next one.
    head_is_read: AtomicBool,
    /// The request in progress, or the last one, has a body, behind which nobody here knows where the next head begins.
    has_body: AtomicBool,
    /// Where the socket is put when the protocol is done with it.
    socket: Mutex<Option<Stream>>,
    /// Status of an error that the HTTP library wanted to answer by itself.
    refused: AtomicU64,
    /// A response was begun for the request in progress.
    answering: AtomicBool,
    /// The body of the request in progress, or of the last one, was not read to its end.
    body_unread: AtomicBool,
    /// It was over its limit.
    body_too_large: AtomicBool,
    /// Everything that was written so far has gone to the kernel.
    flushed: AtomicBool,
    /// How the names of the response are to be written.
    answer: Mutex<Respelling>,
    interim: Mutex<Vec<u8>>,
    has_interim: AtomicBool,
    /// The limit that the deadline comes from, in milliseconds.
    limit: AtomicU64,
    /// A socket tells here when all that was written has gone to the kernel.
    is_flushed_here: AtomicBool,
    /// Something waits for that.
    flush_is_awaited: AtomicBool,
    /// The connection is to be reset: its end would look like the end of the response.
    reset: AtomicBool,
    /// No further request is taken on this connection.
    last: AtomicBool,
    /// Nothing is kept of the connection but its socket.
    rests: AtomicBool,
    /// Nothing was asked for so long that nothing else need be kept.
    is_to_rest: AtomicBool,
}

/// Bytes of the request head in progress as they came from the socket, while it is read, and of what came with them.
#[derive(Debug, Default)]
struct Head {
    bytes: Vec<u8>,
    /// Where the head begins; what stands before it was of requests that are over.
    begin: usize,
    /// Where it ends, if that was looked for.
    end: Option<usize>,
}

/// Milliseconds since the thread began, as of its last tick.
#[derive(Debug)]
pub(super) struct Clock {
    start: Instant,
    now: AtomicU64,
    tick: Duration,
}

/// By when something is to have come.
#[derive(Clone, Copy, Debug)]
pub(super) struct Due(u64);

const NEVER: u64 = u64::MAX;
/// What an idle connection may keep of memory for its next head.
const HEAD_KEPT_MAX: usize = 2048;
/// An idle connection keeps all of its memory for so many milliseconds: one that is used again soon finds it there.
const RESTS_AFTER: u64 = 1000;

impl Watch {
    pub(super) fn new(clock: Arc<Clock>, timeouts: Arc<Timeouts>) -> Arc<Self> {
        let limit = AtomicU64::new(clock.with_a_tick(timeouts.head));
        let watch = Self {
            deadline: AtomicU64::new(clock.after(timeouts.head)),
            clock,
            timeouts,
            waiting: AtomicU8::new(Waiting::FirstByte as u8),
            expired: AtomicBool::new(false),
            waker: OnceLock::new(),
            head: Mutex::default(),
            head_is_read: AtomicBool::new(false),
            has_body: AtomicBool::new(false),
            socket: Mutex::default(),
            refused: AtomicU64::new(0),
            answering: AtomicBool::new(false),
            body_unread: AtomicBool::new(false),
            body_too_large: AtomicBool::new(false),
            flushed: AtomicBool::new(true),
            answer: Mutex::default(),
            interim: Mutex::default(),
            has_interim: AtomicBool::new(false),
            limit,
            is_flushed_here: AtomicBool::new(false),
            flush_is_awaited: AtomicBool::new(false),
            reset: AtomicBool::new(false),
            last: AtomicBool::new(false),
            rests: AtomicBool::new(false),
            is_to_rest: AtomicBool::new(false),
        };
        Arc::new(watch)
    }

    pub(super) fn waiting(&self) -> Waiting {
        const ALL: [Waiting; 11] = [
            Waiting::FirstByte,
            Waiting::Head,
            Waiting::Proxy,
            Waiting::ClientBody,
            Waiting::UpstreamHead,
            Waiting::UpstreamBody,
            Waiting::Write,
            Waiting::LastWrite,
            Waiting::Idle,
            Waiting::Streams,
            Waiting::Stalled,
        ];
        ALL[usize::from(self.waiting.load(Ordering::Relaxed))]
    }

    /// From now on this is waited for, under the limit that belongs to it.
    pub(super) fn wait_for(&self, waiting: Waiting) {
        let limit = match waiting {
            Waiting::FirstByte | Waiting::Head => self.timeouts.head,
            Waiting::ClientBody => self.timeouts.body,
            Waiting::Write | Waiting::LastWrite | Waiting::Stalled => self.timeouts.write,
            Waiting::Idle => self.timeouts.idle,
            Waiting::Proxy | Waiting::UpstreamHead | Waiting::UpstreamBody | Waiting::Streams => {
                Duration::MAX
            }
        };
        self.wait(waiting, limit);
    }

    /// The same under a limit of the upstream.
    pub(super) fn wait(&self, waiting: Waiting, limit: Duration) {
        self.waiting.store(waiting as u8, Ordering::Relaxed);
        let limit = self.clock.with_a_tick(limit);
        self.limit.store(limit, Ordering::Relaxed);
        self.deadline.store(self.clock.now().saturating_add(limit), Ordering::Relaxed);
    }

    /// The client has sent a piece of its body, and whoever takes it is waited for under this limit.
    pub(super) fn body_came(&self, limit: Duration) {
        if self.is_answering() {
            // A client that sends and an upstream that listens are alive, whoever else is waited for.
            let limit = self.limit.load(Ordering::Relaxed);
            self.deadline.store(self.clock.now().saturating_add(limit), Ordering::Relaxed);
        } else {
            self.wait(Waiting::UpstreamHead, limit);
        }
    }

    /// The client is to send more of its body, by when it was to already if `due` says so. Once there is a response,
    /// that is what is waited for.
    pub(super) fn body_is_due(&self, due: Option<Due>) -> Option<Due> {
        if self.is_answering() || self.waiting() == Waiting::ClientBody {
            return due;
        }
        self.wait_for(Waiting::ClientBody);
        match due {
            Some(Due(due)) => self.deadline.store(due, Ordering::Relaxed),
            None => return Some(Due(self.deadline.load(Ordering::Relaxed))),
        }
        due
    }

    /// Whether a request is in progress: its head was read and its response is not all written.
    pub(super) fn is_in_request(&self) -> bool {
        use Waiting::{FirstByte, Head, Idle, Stalled, Streams};
        !matches!(self.waiting(), FirstByte | Head | Idle | Streams | Stalled)
    }

    /// Whether the client has sent its request and waits with us for an upstream.
    pub(super) fn is_waited_with(&self) -> bool {
        let waits = matches!(self.waiting(), Waiting::Proxy | Waiting::UpstreamHead | Waiting::UpstreamBody);
        waits && !self.is_body_unread()
    }

    /// What was waited for too long, if anything.
    pub(super) fn expired(&self) -> Option<Waiting> {
        self.expired.load(Ordering::Relaxed).then(|| self.waiting())
    }

    /// What expired is dealt with; the request goes on to something else.
    pub(super) fn forgive(&self) {
        self.expired.store(false, Ordering::Relaxed);
    }

    pub(super) fn wake_with(&self, waker: &Waker) {
        // A task keeps one waker for life.
        self.waker.get_or_init(|| waker.clone());
    }

    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake_by_ref();
        }
    }

    fn check(&self, now: u64) {
        if now > self.deadline.load(Ordering::Relaxed) && !self.expired.swap(true, Ordering::Relaxed) {
            self.wake();
        }
        let may_rest = self.is_idle() && !self.rests.load(Ordering::Relaxed);
        if may_rest
            && now >= self.began().saturating_add(RESTS_AFTER)
            && !self.is_to_rest.swap(true, Ordering::Relaxed)
        {
            self.wake();
        }
    }

    /// Since when it waits for what it waits for.
    fn began(&self) -> u64 {
        self.deadline.load(Ordering::Relaxed).saturating_sub(self.limit.load(Ordering::Relaxed))
    }

    /// The connection has nothing but its socket from here on, or all that it needs.
    pub(super) fn rests(&self, rests: bool) {
        self.rests.store(rests, Ordering::Relaxed);
        if rests {
            self.forget_head();
        }
    }

    /// What was read of the next request is read again, or was nothing.
    pub(super) fn forget_head(&self) {
        *lock(&self.head) = Head::default();
    }

    /// Whether the connection was idle for so long that it is to rest. Asked once, it is answered once.
    pub(super) fn is_to_rest(&self) -> bool {
        self.is_to_rest.swap(false, Ordering::Relaxed) && self.is_idle() && !self.is_body_unread()
    }

    /// Whether nothing is asked and nothing has come.
    fn is_idle(&self) -> bool {
        matches!(self.waiting(), Waiting::FirstByte | Waiting::Idle)
    }

    /// Bytes came from the client.
    pub(super) fn was_read(&self, bytes: &[u8]) {
        match self.waiting() {
            Waiting::FirstByte | Waiting::Idle => {
                // It came just in time.
                self.forgive();
                self.wait_for(Waiting::Head);
                lock(&self.head).add(bytes);
            }
            Waiting::Head => lock(&self.head).add(bytes),
            _ => {}
        }
    }

    /// A request head was read whole.
    pub(super) fn request_begins(&self, has_body: bool) {
        if !matches!(self.waiting(), Waiting::FirstByte | Waiting::Head) {
            // It came with the request before it. That one may not have gone to the kernel yet.
            self.go_on_to_the_next_head();
        }
        self.head_is_read.store(true, Ordering::Relaxed);
        self.has_body.store(has_body, Ordering::Relaxed);
        self.body_unread.store(has_body, Ordering::Relaxed);
        self.body_too_large.store(false, Ordering::Relaxed);
        self.answering.store(false, Ordering::Relaxed);
        self.wait(Waiting::Proxy, Duration::MAX);
    }

    /// The request whose head was read last is over.
    fn go_on_to_the_next_head(&self) {
        if self.head_is_read.swap(false, Ordering::Relaxed) {
            lock(&self.head).go_on(self.has_body.load(Ordering::Relaxed));
        }
    }

    pub(super) fn body_was_read(&self) {
        self.body_unread.store(false, Ordering::Relaxed);
    }

    /// The body of the request in progress is over its limit. Over HTTP/2 an upstream's connection forgets why it failed.
    pub(super) fn body_is_too_large(&self) {
        self.body_too_large.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_body_too_large(&self) -> bool {
        self.body_too_large.load(Ordering::Relaxed)
    }

    pub(super) fn is_body_unread(&self) -> bool {
        self.body_unread.load(Ordering::Relaxed)
    }

    /// The response to the request in progress has begun.
    pub(super) fn response_begins(&self) {
        self.answering.store(true, Ordering::Relaxed);
    }

    fn is_answering(&self) -> bool {
        self.answering.load(Ordering::Relaxed)
    }

    /// A socket will tell when all that was written has gone to the kernel.
    pub(super) fn is_flushed_here(&self) {
        self.is_flushed_here.store(true, Ordering::Relaxed);
    }

    /// Whether the connection has no streams: what is read and written on it is of one request after the other.
    pub(super) fn is_of_http_1(&self) -> bool {
        self.is_flushed_here.load(Ordering::Relaxed)
    }

    /// Asks to be woken when all that was written so far has gone to the kernel; `false` where nobody would tell.
    pub(super) fn await_flush(&self) -> bool {
        let tells = self.is_flushed_here.load(Ordering::Relaxed);
        self.flush_is_awaited.store(tells, Ordering::Relaxed);
        if tells {
            // It may have been flushed for the last time already, and is asked to once more.
            self.wake();
        }
        tells
    }

    pub(super) fn flush_is_awaited(&self) -> bool {
        self.flush_is_awaited.load(Ordering::Relaxed)
    }

    /// The connection ends with a reset, so that nobody takes its end for that of the response.
    pub(super) fn reset(&self) {
        self.reset.store(true, Ordering::Relaxed);
    }

    /// The connection ends with the request in progress.
    pub(super) fn take_no_more(&self) {
        self.last.store(true, Ordering::Relaxed);
        self.wake();
    }

    pub(super) fn takes_no_more(&self) -> bool {
        self.last.load(Ordering::Relaxed)
    }

    pub(super) fn is_to_be_reset(&self) -> bool {
        self.reset.load(Ordering::Relaxed)
    }

    /// What a connection began with and the library could not read as HTTP/1: for whoever can.
    pub(super) fn take_first_bytes(&self, readable: impl FnOnce(&[u8]) -> bool) -> Option<Vec<u8>> {
        // After the first response it is known that one was begun, until the next request.
        if self.waiting() != Waiting::Head || self.is_answering() {
            return None;
        }
        let mut head = lock(&self.head);
        readable(head.in_progress()).then(|| std::mem::take(&mut *head).bytes)
    }

    /// The client took a piece of the response, and is waited for to take the next.
    pub(super) fn took_a_piece(&self) {
        if let waiting @ (Waiting::Write | Waiting::LastWrite) = self.waiting() {
            self.wait_for(waiting);
        }
    }

    pub(super) fn was_written(&self) {
        self.flushed.store(false, Ordering::Relaxed);
        self.took_a_piece();
    }

    /// All that was written has gone to the kernel.
    pub(super) fn was_flushed(&self) {
        self.flushed.store(true, Ordering::Relaxed);
        if self.flush_is_awaited.swap(false, Ordering::Relaxed) {
            self.wake();
        }
        if self.waiting() == Waiting::LastWrite {
            self.wait_for(Waiting::Idle);
            self.go_on_to_the_next_head();
        }
    }

    /// How the names of the response were written by the upstream.
    pub(super) fn answer_is_spelled(&self, names: Names) {
        lock(&self.answer).expect(|last| *last = names);
    }

    /// Writes what the library wants written to the client.
    pub(super) fn poll_write(
        &self,
        slices: &[IoSlice<'_>],
        write: impl FnOnce(&[IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<io::Result<usize>> {
        lock(&self.answer).poll_write(slices, write)
    }

    /// Keeps an interim response to be written before the final one. Only between two responses can it be put in.
    pub(super) fn interject(&self, interim: &[u8]) {
        if self.flushed.load(Ordering::Relaxed) && !self.answering.load(Ordering::Relaxed) {
            lock(&self.interim).extend_from_slice(interim);
            self.has_interim.store(true, Ordering::Relaxed);
            self.wake();
        }
    }

    pub(super) fn has_interim(&self) -> bool {
        self.has_interim.load(Ordering::Relaxed)
    }

    pub(super) fn take_interim(&self) -> Vec<u8> {
        self.has_interim.store(false, Ordering::Relaxed);
        std::mem::take(&mut lock(&self.interim))
    }

    /// The HTTP library refuses what it read with this status.
    pub(super) fn refuse(&self, status: u16) {
        self.refused.store(u64::from(status), Ordering::Relaxed);
    }

    pub(super) fn refused(&self) -> Option<u16> {
        u16::try_from(self.refused.load(Ordering::Relaxed)).ok().filter(|status| *status != 0)
    }

    pub(super) fn put_socket(&self, socket: Stream) {
        *lock(&self.socket) = Some(socket);
    }

    pub(super) fn take_socket(&self) -> Option<Stream> {
        lock(&self.socket).take()
    }
}

/// Those of the request that has just begun, if its head did not come with the body of another.
impl Spelling for Watch {
    fn names(&self, names: &mut Names) {
        let mut head = lock(&self.head);
        // One that is not here is written in lower case.
        let length = names.read(head.in_progress());
        head.end = length.map(|length| head.begin + length);
    }
}

/// That of the request that has just begun, if it did not come with the body of another.
impl RawHead for Watch {
    fn with<T>(&self, look: impl FnOnce(&[u8]) -> T) -> T {
        look(lock(&self.head).in_progress())
    }
}

impl Head {
    fn in_progress(&self) -> &[u8] {
        &self.bytes[self.begin..]
    }

    fn add(&mut self, bytes: &[u8]) {
        if self.begin > 0 {
            self.bytes.drain(..std::mem::take(&mut self.begin));
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// The next head begins where this one ends. Behind a body nobody here knows where that ends.
    fn go_on(&mut self, has_body: bool) {
        let end = match self.end.take() {
            _ if has_body => None,
            None => end_of_head(self.in_progress()).map(|length| self.begin + length),
            known => known,
        };
        match end.filter(|end| *end < self.bytes.len()) {
            Some(end) => self.begin = end,
            None => {
                self.begin = 0;
                self.bytes.clear();
                if self.bytes.capacity() > HEAD_KEPT_MAX {
                    self.bytes = Vec::new();
                }
            }
        }
    }
}

impl Clock {
    pub(super) fn new(tick: Duration) -> Arc<Self> {
        Arc::new(Self { start: Instant::now(), now: AtomicU64::new(0), tick })
    }

    pub(super) fn tick(&self) {
        self.now.store(self.start.elapsed().as_millis() as u64, Ordering::Relaxed);
    }

    /// The time is up to a tick old, so that one is added: nothing expires early.
    fn with_a_tick(&self, limit: Duration) -> u64 {
        u64::try_from((limit.saturating_add(self.tick)).as_millis()).unwrap_or(NEVER)
    }

    fn after(&self, limit: Duration) -> u64 {
        self.now().saturating_add(self.with_a_tick(limit))
    }

    fn now(&self) -> u64 {
        self.now.load(Ordering::Relaxed)
    }
}

/// All connections of a thread.
#[derive(Debug, Default)]
pub(super) struct Sweep(Vec<Entry>);

#[derive(Debug)]
struct Entry {
    watch: Weak<Watch>,
    /// Which listener of the config it came by; a stream came by none of its own.
    listener: Option<usize>,
}

impl Sweep {
    pub(super) fn add(&mut self, watch: &Arc<Watch>, listener: Option<usize>) {
        self.0.push(Entry { watch: Arc::downgrade(watch), listener });
    }

    /// Wakes the connections that have waited too long, and forgets the closed ones.
    pub(super) fn run(&mut self, clock: &Clock) {
        clock.tick();
        let now = clock.now();
        self.0.retain(|entry| entry.watch.upgrade().inspect(|watch| watch.check(now)).is_some());
    }

    /// Closes the connection that came first of those that wait for their next request: of this listener, or of all.
    /// Whether there was one.
    pub(super) fn let_one_go(&self, listener: Option<usize>) -> bool {
        let idle = |watch: &Arc<Watch>| watch.waiting() == Waiting::Idle && watch.expired().is_none();
        let of_listener =
            self.0.iter().filter(|entry| listener.is_none_or(|only| entry.listener == Some(only)));
        let Some(watch) = of_listener.filter_map(|entry| entry.watch.upgrade()).find(idle) else {
            return false;
        };
        watch.expired.store(true, Ordering::Relaxed);
        watch.wake();
        true
    }

    fn watches(&self) -> impl Iterator<Item = Arc<Watch>> {
        self.0.iter().filter_map(|entry| entry.watch.upgrade())
    }

    /// On how many connections a request is in progress. Streams are not among them: what is left of a request may hold
    /// its watch after its answer.
    pub(super) fn in_request(&self) -> usize {
        let connections = self.0.iter().filter(|entry| entry.listener.is_some());
        connections.filter_map(|entry| entry.watch.upgrade()).filter(|watch| watch.is_in_request()).count()
    }

    pub(super) fn wake_all(&self) {
        for watch in self.watches() {
            watch.wake();
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    // Held for single moves of plain data only.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
