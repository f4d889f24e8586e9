//! How many exchanges an upstream may be asked for at once, and who waits for the next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use tokio::sync::oneshot;

/// A bounded number of slots with a bounded queue before them, first come first served.
pub(super) struct Slots(Rc<Inner>);

struct Inner {
    max: usize,
    waiting_max: usize,
    in_use: Cell<usize>,
    waiting: RefCell<VecDeque<oneshot::Sender<Slot>>>,
}

/// The right to one exchange. Dropped, it goes to whoever waits longest.
pub(super) struct Slot(Option<Rc<Inner>>);

/// The queue was full, or the wait too long.
#[derive(Debug)]
pub(super) struct NoSlot;

impl Slots {
    pub(super) fn new(max: usize, waiting_max: usize) -> Self {
        Self(Rc::new(Inner { max, waiting_max, in_use: Cell::new(0), waiting: RefCell::default() }))
    }

    /// A slot, if one is free.
    pub(super) fn try_take(&self) -> Option<Slot> {
        let inner = &self.0;
        if inner.in_use.get() >= inner.max {
            return None;
        }
        inner.in_use.set(inner.in_use.get() + 1);
        Some(Slot(Some(Rc::clone(inner))))
    }

    /// A slot that someone else gives back.
    pub(super) async fn wait(&self, wait_max: Duration) -> Result<Slot, NoSlot> {
        let inner = &self.0;
        let handed_over = {
            let mut waiting = inner.waiting.borrow_mut();
            if waiting.len() >= inner.waiting_max {
                // Those that were given up make room.
                waiting.retain(|waiter| !waiter.is_closed());
            }
            if waiting.len() >= inner.waiting_max {
                return Err(NoSlot);
            }
            let (sender, receiver) = oneshot::channel();
            waiting.push_back(sender);
            receiver
        };
        match tokio::time::timeout(wait_max, handed_over).await {
            Ok(Ok(slot)) => Ok(slot),
            Ok(Err(_)) | Err(_) => Err(NoSlot),
        }
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.0.waiting.borrow().iter().any(|waiter| !waiter.is_closed())
    }

    pub(super) fn in_use(&self) -> usize {
        self.0.in_use.get()
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        let mut slot = Self(Some(inner));
        loop {
            let inner = slot.0.as_ref().expect("only this function empties a slot");
            let next = inner.waiting.borrow_mut().pop_front();
            let Some(waiter) = next else { break };
            match waiter.send(slot) {
                Ok(()) => return,
                Err(back) => slot = back,
            }
        }
        let inner = slot.0.take().expect("only this function empties a slot");
        inner.in_use.set(inner.in_use.get() - 1);
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_slot_goes_to_whoever_waits_longest() {
        let slots = Slots::new(1, 2);
        let held = slots.try_take().unwrap();
        let mut first = Box::pin(slots.wait(LONG));
        let mut second = Box::pin(slots.wait(LONG));
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        drop(held);
        assert!((&mut second).now_or_never().is_none());
        let held = first.await.unwrap();
        drop(held);
        drop(second.await.unwrap());
        assert_eq!(slots.in_use(), 0);
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn the_queue_is_bounded_in_length_and_time() {
        let slots = Slots::new(1, 1);
        let held = slots.try_take().unwrap();
        let mut waiting = Box::pin(slots.wait(LONG));
        assert!((&mut waiting).now_or_never().is_none());
        assert!(slots.wait(LONG).await.is_err(), "a second one waits");
        drop(waiting);
        // Time stands still but for timers: this returns because the wait is over.
        assert!(slots.wait(Duration::from_secs(1)).await.is_err(), "it waits forever");
        drop(held);
        assert!(slots.try_take().is_some());
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_slot_that_was_handed_over_and_never_taken_is_not_lost() {
        let slots = Slots::new(1, 1);
        let held = slots.try_take().unwrap();
        let mut waiting = Box::pin(slots.wait(LONG));
        assert!((&mut waiting).now_or_never().is_none());
        drop(held);
        drop(waiting);
        assert_eq!(slots.in_use(), 0);
    }
}
