//! What keeps a thread busy for long, one step after the other, with everything else in between.
//!
//! A TLS handshake signs and agrees on keys, which takes as long as many requests. When hundreds of clients come back at
//! once, their handshakes would be done in a row, and those who are connected already would wait for all of them.

use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::task::Poll;

use tokio::sync::Semaphore;

/// Whose turn it is, of all that is done in turns on one thread.
#[derive(Clone)]
pub(super) struct Turns(Rc<Semaphore>);

struct Turn(Rc<Semaphore>);

impl Default for Turns {
    fn default() -> Self {
        Self(Rc::new(Semaphore::new(1)))
    }
}

impl Turns {
    /// Drives a future step by step. After each step everything on this thread that can go on does, and the sockets are
    /// looked at, before the next step of this or of another one.
    pub(super) async fn drive<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            let turn = self.next().await;
            let step = poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            turn.end();
            if let Poll::Ready(output) = step {
                return output;
            }
            // It wakes this task when it can go on.
            let mut is_woken = false;
            poll_fn(|_| if std::mem::replace(&mut is_woken, true) { Poll::Ready(()) } else { Poll::Pending })
                .await;
        }
    }

    async fn next(&self) -> Turn {
        self.0.acquire().await.expect("it is never closed").forget();
        Turn(Rc::clone(&self.0))
    }
}

impl Turn {
    fn end(self) {
        tokio::task::spawn_local(async move {
            tokio::task::yield_now().await;
            drop(self);
        });
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use tokio::runtime::{Builder, LocalOptions};
    use tokio::task::{spawn_local, yield_now};

    use super::*;

    /// Some steps, after each of which it could go on at once.
    async fn long(log: Rc<RefCell<Vec<&'static str>>>) {
        for _ in 0..3 {
            log.borrow_mut().push("long");
            let mut again = false;
            poll_fn(|cx| {
                cx.waker().wake_by_ref();
                if std::mem::replace(&mut again, true) { Poll::Ready(()) } else { Poll::Pending }
            })
            .await;
        }
    }

    #[test]
    fn between_two_steps_of_whatever_takes_long_others_go_on() {
        let log: Rc<RefCell<Vec<&'static str>>> = Rc::default();
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).unwrap();
        runtime.block_on(async {
            let turns = Turns::default();
            let all: Vec<_> = (0..10)
                .map(|_| {
                    let (turns, log) = (turns.clone(), Rc::clone(&log));
                    spawn_local(async move { turns.drive(long(log)).await })
                })
                .collect();
            let other = Rc::clone(&log);
            let other = spawn_local(async move {
                loop {
                    other.borrow_mut().push("other");
                    yield_now().await;
                }
            });
            for one in all {
                one.await.unwrap();
            }
            other.abort();
        });
        let log = log.borrow();
        assert_eq!(log.iter().filter(|entry| **entry == "long").count(), 30);
        let first = log.iter().position(|entry| *entry == "other").unwrap();
        let in_a_row = log[first..].windows(2).filter(|pair| pair == &["long", "long"]).count();
        assert_eq!(in_a_row, 0, "{log:?}");
    }

    #[test]
    fn what_waits_for_something_is_woken_by_it() {
        let runtime = Builder::new_current_thread().build_local(LocalOptions::default()).unwrap();
        let heard = runtime.block_on(async {
            let (say, hear) = tokio::sync::oneshot::channel();
            let turns = Turns::default();
            let waiting = spawn_local({
                let turns = turns.clone();
                async move { turns.drive(hear).await }
            });
            // Whoever waits keeps nobody from a turn.
            turns.drive(yield_now()).await;
            say.send(7).unwrap();
            waiting.await.unwrap()
        });
        assert_eq!(heard, Ok(7));
    }
}
