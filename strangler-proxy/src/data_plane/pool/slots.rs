//! How many exchanges an upstream may be asked for at once, and who waits for the next.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Notify, oneshot};

use super::quota::{Quota, Waiting};

/// The slots of one thread, as far as the quota of all threads has some, with a bounded queue before them.
pub(super) struct Slots(Rc<Inner>);

struct Inner {
    quota: Arc<Quota>,
    /// Taken from the quota, used or not.
    held: Cell<usize>,
    in_use: Cell<usize>,
    /// Of these, such as were handed over to a request that has not taken up its own yet: it has no connection so far, and
    /// will use one that is idle.
    handed_over: Cell<usize>,
    waiting: RefCell<VecDeque<Waiter>>,
    /// A slot came free here while requests wait elsewhere.
    freed: Notify,
}

/// The right to one exchange. Dropped, it goes to whoever waits longest.
pub(super) struct Slot(Option<Rc<Inner>>);

/// A request in the queue.
struct Waiter {
    slot: oneshot::Sender<HandedOver>,
    _told: Told,
}

/// That all threads know of a request that waits here. The queue has one and the request has one, and they are told that it
/// waits no more as soon as either goes: a slot that is on its way already is not asked for twice.
#[derive(Clone)]
struct Told(Rc<Cell<Option<Waiting>>>);

/// A slot on its way to a request that waited for it.
struct HandedOver {
    _counted: OnItsWay,
    slot: Slot,
}

struct OnItsWay(Rc<Inner>);

/// The queue was full, or the wait too long.
#[derive(Debug)]
pub(super) struct NoSlot;

impl Slots {
    pub(super) fn new(quota: Arc<Quota>) -> Self {
        let (held, in_use, handed_over) = (Cell::new(0), Cell::new(0), Cell::new(0));
        let (waiting, freed) = (RefCell::default(), Notify::new());
        Self(Rc::new(Inner { quota, held, in_use, handed_over, waiting, freed }))
    }

    /// A slot, if one is free.
    pub(super) fn try_take(&self) -> Option<Slot> {
        let inner = &self.0;
        if inner.in_use.get() >= inner.held.get() && !self.grow() {
            return None;
        }
        Some(inner.used())
    }

    /// Takes more from the quota. Whether there was any.
    pub(super) fn grow(&self) -> bool {
        let inner = &self.0;
        let taken = inner.quota.take(inner.quota.step());
        inner.held.set(inner.held.get() + taken);
        taken > 0
    }

    /// A slot that someone else gives back, here or on another thread.
    pub(super) async fn wait(&self, wait_max: Duration) -> Result<Slot, NoSlot> {
        let inner = &self.0;
        let (handed_over, _told) = {
            let told = Told(Rc::new(Cell::new(Some(inner.quota.wait().ok_or(NoSlot)?))));
            let mut waiting = inner.waiting.borrow_mut();
            // Those that were given up make room, and are seldom many.
            if waiting.len() == waiting.capacity() {
                waiting.retain(|waiter| !waiter.slot.is_closed());
            }
            let (slot, receiver) = oneshot::channel();
            waiting.push_back(Waiter { slot, _told: told.clone() });
            (receiver, told)
        };
        let slot = async {
            tokio::select! {
                biased;
                slot = handed_over => slot.map(|handed_over| handed_over.slot).map_err(|_| NoSlot),
                () = inner.quota.next() => {
                    inner.held.set(inner.held.get() + 1);
                    Ok(inner.used())
                }
            }
        };
        tokio::time::timeout(wait_max, slot).await.unwrap_or(Err(NoSlot))
    }

    /// Whether one more connection may be made beside `idle` ones, by a request that has a slot.
    pub(super) fn have_room(&self, idle: usize) -> bool {
        self.0.needed(idle) <= self.0.held.get()
    }

    /// Whether one of `idle` connections is there for nobody, so that a slot comes free when it is closed.
    pub(super) fn can_spare(&self, idle: usize) -> bool {
        idle > self.0.handed_over.get()
    }

    /// Gives back to the quota what is neither used nor needed for `idle` connections, but for a few; those too, when
    /// requests wait elsewhere. How many more of these wait.
    pub(super) fn give_back(&self, idle: usize) -> usize {
        let inner = &self.0;
        let wanted = inner.wanted_elsewhere();
        let kept = if wanted > 0 { 0 } else { inner.quota.step() };
        let surplus = inner.held.get().saturating_sub(inner.needed(idle) + kept);
        inner.held.set(inner.held.get() - surplus);
        inner.quota.give(surplus);
        wanted.saturating_sub(surplus)
    }

    pub(super) fn quota(&self) -> &Arc<Quota> {
        &self.0.quota
    }

    /// Ends when a slot came free here while requests wait elsewhere.
    pub(super) async fn freed(&self) {
        self.0.freed.notified().await;
    }

    pub(super) fn is_waited_for(&self) -> bool {
        self.0.waits()
    }

    pub(super) fn in_use(&self) -> usize {
        self.0.in_use.get()
    }

    #[cfg(test)]
    fn held(&self) -> usize {
        self.0.held.get()
    }
}

impl Inner {
    fn used(self: &Rc<Self>) -> Slot {
        self.in_use.set(self.in_use.get() + 1);
        Slot(Some(Rc::clone(self)))
    }

    fn waits(&self) -> bool {
        self.waiting.borrow().iter().any(|waiter| !waiter.slot.is_closed())
    }

    /// Slots for all that are in use and for all connections. A request whose slot was handed over to it takes an idle one.
    fn needed(&self, idle: usize) -> usize {
        self.in_use.get() + idle.saturating_sub(self.handed_over.get())
    }

    fn wanted_elsewhere(&self) -> usize {
        let all = self.quota.waiting();
        if all == 0 {
            return 0;
        }
        let here = self.waiting.borrow().iter().filter(|waiter| !waiter.slot.is_closed()).count();
        all.saturating_sub(here)
    }
}

impl OnItsWay {
    fn begin(inner: &Rc<Inner>) -> Self {
        inner.handed_over.set(inner.handed_over.get() + 1);
        Self(Rc::clone(inner))
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        self.0.handed_over.set(self.0.handed_over.get() - 1);
    }
}

impl Drop for Told {
    fn drop(&mut self) {
        self.0.take();
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let Some(inner) = self.0.take() else { return };
        // Nobody waits: nothing of other threads is touched, but for one number that is seldom written.
        let wanted = inner.wanted_elsewhere() > 0;
        if wanted && inner.held.get() > inner.quota.share() {
            // More than an even share: others come first.
            inner.in_use.set(inner.in_use.get() - 1);
            inner.freed.notify_one();
            return;
        }
        let mut slot = Self(Some(inner));
        loop {
            let inner = slot.0.as_ref().expect("only this function empties a slot");
            let next = inner.waiting.borrow_mut().pop_front();
            let Some(waiter) = next else { break };
            let handed_over = HandedOver { _counted: OnItsWay::begin(inner), slot };
            match waiter.slot.send(handed_over) {
                Ok(()) => return,
                Err(back) => slot = back.slot,
            }
        }
        let inner = slot.0.take().expect("only this function empties a slot");
        inner.in_use.set(inner.in_use.get() - 1);
        if wanted {
            inner.freed.notify_one();
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_slot_goes_to_whoever_waits_longest() {
        let slots = Slots::new(Quota::new(1, 2, 1));
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
        let slots = Slots::new(Quota::new(1, 1, 1));
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
        let slots = Slots::new(Quota::new(1, 1, 1));
        let held = slots.try_take().unwrap();
        let mut waiting = Box::pin(slots.wait(LONG));
        assert!((&mut waiting).now_or_never().is_none());
        drop(held);
        drop(waiting);
        assert_eq!(slots.in_use(), 0);
    }

    /// Such a request will use the connection that came back with its slot.
    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn who_was_handed_a_slot_waits_no_more_and_has_a_connection_kept_for_it() {
        let quota = Quota::new(2, 9, 2);
        let slots = Slots::new(Arc::clone(&quota));
        let mut held: Vec<_> = std::iter::from_fn(|| slots.try_take()).collect();
        let mut waiting = Box::pin(slots.wait(LONG));
        assert!((&mut waiting).now_or_never().is_none());
        assert_eq!((quota.waiting(), slots.give_back(0)), (1, 0), "nobody waits elsewhere");
        held.pop();
        assert_eq!(quota.waiting(), 0, "another thread would close a connection for it");
        assert_eq!(slots.give_back(1), 0, "this one would");
        assert!(slots.have_room(1) && !slots.have_room(2));
        assert!(!slots.can_spare(1) && slots.can_spare(2));
        // It was given up: what was kept for it is there for nobody.
        drop(waiting);
        assert!(slots.can_spare(1) && slots.have_room(1));
        let waiting = slots.wait(LONG);
        held.push(slots.try_take().unwrap());
        let mut waiting = Box::pin(waiting);
        assert!((&mut waiting).now_or_never().is_none());
        held.pop();
        let taken_up = waiting.await.unwrap();
        assert!(slots.can_spare(1) && !slots.have_room(1), "it has a connection by now");
        drop((held, taken_up));
        assert_eq!(slots.give_back(0), 0);
    }

    #[test]
    fn one_thread_may_have_all_and_all_together_have_no_more() {
        let quota = Quota::new(10, 9, 3);
        let (one, other) = (Slots::new(Arc::clone(&quota)), Slots::new(Arc::clone(&quota)));
        let mut held: Vec<_> = std::iter::from_fn(|| one.try_take()).collect();
        assert_eq!(held.len(), 10);
        assert!(other.try_take().is_none());
        held.truncate(3);
        assert!(other.try_take().is_none(), "what came free is given back by the next sweep");
        // Two connections are kept for later, and one slot is for what comes next.
        assert_eq!(one.give_back(2), 0);
        let theirs: Vec<_> = std::iter::from_fn(|| other.try_take()).collect();
        assert_eq!((held.len(), theirs.len(), one.held()), (3, 4, 6));
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn who_waits_gets_what_another_thread_does_not_use() {
        let quota = Quota::new(4, 9, 2);
        let (one, other) = (Slots::new(Arc::clone(&quota)), Slots::new(Arc::clone(&quota)));
        let mut held: Vec<_> = std::iter::from_fn(|| one.try_take()).collect();
        let told = quota.told();
        let mut waiting = Box::pin(other.wait(LONG));
        assert!((&mut waiting).now_or_never().is_none());
        assert!(told.now_or_never().is_some(), "nobody is told that it waits");
        // The one has two more than its share, and somebody waits there, too.
        let mut here = Box::pin(one.wait(LONG));
        assert!((&mut here).now_or_never().is_none());
        held.pop();
        assert!(one.freed().now_or_never().is_some());
        assert!((&mut here).now_or_never().is_none(), "it has more than its share already");
        assert_eq!(one.give_back(0), 0);
        let theirs = (&mut waiting).now_or_never().expect("it is its turn").unwrap();
        assert_eq!((one.held(), other.held()), (3, 1));
        held.pop();
        held.pop();
        drop(here);
        assert_eq!(one.give_back(0), 0);
        drop((held, theirs));
    }

    #[tokio::test(flavor = "current_thread", start_paused = true)]
    async fn a_wait_that_is_given_up_costs_nobody_a_slot() {
        let quota = Quota::new(2, 9, 2);
        let (one, other) = (Slots::new(Arc::clone(&quota)), Slots::new(Arc::clone(&quota)));
        let held: Vec<_> = std::iter::from_fn(|| one.try_take()).collect();
        assert!(other.wait(Duration::from_secs(1)).await.is_err());
        assert_eq!(quota.waiting(), 0);
        drop(held);
        one.give_back(0);
        assert!(other.try_take().is_some());
    }
}
