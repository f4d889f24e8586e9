//! Which thread serves a connection. Whoever accepts it gives it to the one that has the least to do.
//!
//! The kernel spreads connections over the listening sockets by a hash of their addresses (SO_REUSEPORT). That is even for
//! thousands of them, and may put all of a few on one thread. So the one that has accepted a connection looks at what
//! all threads have, and gives it on before anything is read from it, while it is still a mere descriptor.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::bound::Accepted;
use super::gauges::Gauges;
use super::seats::Seat;
use super::socket::IdleSocket;

/// What all threads have to do, and the way to each.
#[derive(Debug)]
pub(super) struct Spread {
    threads: Vec<Thread>,
    /// Of two that accept at the same moment, the second one counts what the first has given.
    choosing: Mutex<()>,
}

#[derive(Debug)]
struct Thread {
    /// That were given to it and have not ended.
    connections: AtomicUsize,
    gauges: Arc<Gauges>,
    door: UnboundedSender<Message>,
}

/// What one thread tells another.
#[derive(Debug)]
pub(super) enum Message {
    Arrival(Arrival),
    /// A connection waits for a seat, here or of this listener: one on which nothing is asked is to make room.
    MakeRoom(Option<usize>),
}

/// A connection on its way to another thread.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) socket: IdleSocket,
    pub(super) peer: Option<SocketAddr>,
    /// By which listener of the config it came.
    pub(super) listener: usize,
    /// None while the queue of a socket that is closed is emptied: those have been let in.
    pub(super) seat: Option<Seat>,
    pub(super) load: Load,
}

/// That a thread has a connection, until it is dropped.
#[derive(Debug)]
pub(super) struct Load {
    spread: Arc<Spread>,
    thread: usize,
}

impl Spread {
    /// For threads with these gauges. Gives what arrives at each.
    pub(super) fn over(gauges: &[Arc<Gauges>]) -> (Arc<Self>, Vec<UnboundedReceiver<Message>>) {
        let (threads, arriving) = gauges
            .iter()
            .map(|gauges| {
                let (door, arriving) = unbounded_channel();
                (Thread { connections: AtomicUsize::new(0), gauges: Arc::clone(gauges), door }, arriving)
            })
            .unzip();
        (Arc::new(Self { threads, choosing: Mutex::default() }), arriving)
    }

    /// Chooses a thread for a connection that was accepted on thread `here`, and counts it there.
    pub(super) fn choose(self: &Arc<Self>, here: usize) -> Load {
        let _choosing = self.choosing.lock().unwrap_or_else(PoisonError::into_inner);
        let loads = self.threads.iter().map(Thread::load).enumerate();
        let (least, of_least) = loads.min_by_key(|(_, load)| *load).unwrap_or((here, 0));
        let thread = if is_worth_it(self.threads[here].load(), of_least) { least } else { here };
        self.take(thread)
    }

    /// Counts a connection that stays where it is.
    pub(super) fn stay(self: &Arc<Self>, here: usize) -> Load {
        self.take(here)
    }

    /// Gives a connection to the thread that was chosen for it, or back when that one takes no more.
    pub(super) fn give(&self, arrival: Arrival) -> Result<(), Arrival> {
        let door = &self.threads[arrival.load.thread].door;
        door.send(Message::Arrival(arrival)).map_err(|refused| match refused.0 {
            Message::Arrival(arrival) => arrival,
            Message::MakeRoom(_) => unreachable!("it is given back what it was given"),
        })
    }

    /// Asks another thread to let an idle connection go: at each attempt the next one.
    pub(super) fn ask_for_room(&self, here: usize, attempt: usize, listener: Option<usize>) {
        let others = self.threads.len() - 1;
        if others > 0 {
            let other = (here + 1 + attempt % others) % self.threads.len();
            // One that has ended has no connections.
            let _ = self.threads[other].door.send(Message::MakeRoom(listener));
        }
    }

    fn take(self: &Arc<Self>, thread: usize) -> Load {
        self.threads[thread].connections.fetch_add(1, Ordering::Relaxed);
        Load { spread: Arc::clone(self), thread }
    }
}

/// Going to another thread costs a wake-up, so that among many a small difference is left as it is; among few none is.
fn is_worth_it(here: usize, least: usize) -> bool {
    here > least + least / 8
}

impl Thread {
    /// Connections, and requests besides: one connection of HTTP/2 may have a hundred, and one of HTTP/1.1 that has a request
    /// is more work than one that has none. A connection that was upgraded is counted as its tunnel.
    fn load(&self) -> usize {
        let connections = self.connections.load(Ordering::Relaxed);
        connections + self.gauges.requests.get() + self.gauges.tunnels.get()
    }
}

impl Arrival {
    pub(super) fn new((socket, peer): Accepted, listener: usize, seat: Option<Seat>, load: Load) -> Self {
        Self { socket, peer, listener, seat, load }
    }
}

impl Load {
    pub(super) fn thread(&self) -> usize {
        self.thread
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.spread.threads[self.thread].connections.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(threads: usize) -> (Arc<Spread>, Vec<Arc<Gauges>>) {
        let gauges: Vec<_> = (0..threads).map(|_| Arc::default()).collect();
        (Spread::over(&gauges).0, gauges)
    }

    fn counts(spread: &Spread) -> Vec<usize> {
        spread.threads.iter().map(|thread| thread.connections.load(Ordering::Relaxed)).collect()
    }

    #[test]
    fn connections_that_one_thread_accepts_are_spread_over_all() {
        let (spread, _) = spread(4);
        let mut held: Vec<_> = (0..8).map(|_| spread.choose(2)).collect();
        assert_eq!(counts(&spread), [2, 2, 2, 2]);
        held.retain(|load| load.thread() != 1);
        assert_eq!(counts(&spread), [2, 0, 2, 2]);
        assert_eq!((spread.choose(0).thread(), spread.choose(3).thread()), (1, 1));
    }

    #[test]
    fn requests_weigh_like_connections() {
        let (spread, gauges) = spread(2);
        gauges[0].requests.set(5);
        let _held: Vec<_> = (0..5).map(|_| spread.choose(0)).collect();
        assert_eq!(counts(&spread), [0, 5]);
        assert_eq!(spread.choose(0).thread(), 0, "the two have as much to do as each other");
        gauges[1].tunnels.set(1);
        assert_eq!(spread.choose(1).thread(), 0);
    }

    #[test]
    fn among_many_a_connection_stays_unless_the_difference_is_large() {
        for (here, least, worth) in [
            (0, 0, false),
            (1, 0, true),
            (8, 7, true),
            (9, 8, false),
            (10, 8, true),
            (1124, 1000, false),
            (1126, 1000, true),
        ] {
            assert_eq!(is_worth_it(here, least), worth, "{here} here and {least} elsewhere");
        }
    }

    #[test]
    fn a_thread_that_takes_no_more_gives_a_connection_back() {
        let gauges = [Arc::default(), Arc::default()];
        let (spread, mut arriving) = Spread::over(&gauges);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let arrival = |load| Arrival {
            socket: IdleSocket::Tcp(std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap()),
            peer: None,
            listener: 0,
            seat: None,
            load,
        };
        let one = spread.take(1);
        assert!(spread.give(arrival(one)).is_ok());
        arriving[1].close();
        let other = spread.take(1);
        let back = spread.give(arrival(other)).unwrap_err();
        assert_eq!(back.load.thread(), 1);
        // What was on its way is not lost.
        assert!(arriving[1].try_recv().is_ok());
        drop(back);
        assert_eq!(counts(&spread), [0, 0]);
    }
}
