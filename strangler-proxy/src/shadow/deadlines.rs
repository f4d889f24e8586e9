//! Requests on the way, and how long each has been.
//!
//! All of them have the same deadline, and it is long: one look over all of them now and then takes the place of a
//! timer for each, which would cost more than what it guards. A deadline is kept to within an eighth of it.

use std::cell::RefCell;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

/// Places for as many requests as may be on the way at once.
#[derive(Debug)]
pub(super) struct Deadlines {
    limit: Duration,
    places: RefCell<Vec<Place>>,
    free: RefCell<Vec<usize>>,
    /// Told when a place has become free.
    pub(super) freed: Notify,
}

#[derive(Debug, Default)]
struct Place {
    began: Option<Instant>,
    waker: Option<Waker>,
    is_late: bool,
}

/// A request on the way, until it is dropped.
#[derive(Debug)]
pub(super) struct OnTheWay {
    deadlines: Rc<Deadlines>,
    place: usize,
}

/// It took too long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Late;

impl Deadlines {
    pub(super) fn new(places: usize, limit: Duration) -> Rc<Self> {
        Rc::new(Self {
            limit,
            places: RefCell::new((0..places).map(|_| Place::default()).collect()),
            free: RefCell::new((0..places).rev().collect()),
            freed: Notify::new(),
        })
    }

    /// How many more requests may be on the way.
    pub(super) fn room(&self) -> usize {
        self.free.borrow().len()
    }

    pub(super) fn is_idle(&self) -> bool {
        self.room() == self.places.borrow().len()
    }

    /// A place for a request that begins now, if one is free.
    pub(super) fn begin(self: &Rc<Self>, now: Instant) -> Option<OnTheWay> {
        let place = self.free.borrow_mut().pop()?;
        self.places.borrow_mut()[place] = Place { began: Some(now), ..Place::default() };
        Some(OnTheWay { deadlines: Rc::clone(self), place })
    }

    /// How often [`check`](Self::check) is to be called.
    pub(super) fn tick(&self) -> Duration {
        (self.limit / 8).clamp(Duration::from_millis(1), Duration::from_millis(250))
    }

    /// Wakes the requests that have taken too long.
    pub(super) fn check(&self, now: Instant) {
        for place in self.places.borrow_mut().iter_mut() {
            let is_over = |began| now.saturating_duration_since(began) >= self.limit;
            if place.began.is_some_and(is_over) && !place.is_late {
                place.is_late = true;
                if let Some(waker) = place.waker.take() {
                    waker.wake();
                }
            }
        }
    }
}

impl OnTheWay {
    /// What the work comes to, unless it is late before that.
    pub(super) async fn in_time<T>(&self, work: impl Future<Output = T>) -> Result<T, Late> {
        let mut work = pin!(work);
        std::future::poll_fn(|cx| {
            if let Poll::Ready(done) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(done));
            }
            let place = &mut self.deadlines.places.borrow_mut()[self.place];
            if place.is_late {
                return Poll::Ready(Err(Late));
            }
            match &place.waker {
                Some(waker) if waker.will_wake(cx.waker()) => {}
                _ => place.waker = Some(cx.waker().clone()),
            }
            Poll::Pending
        })
        .await
    }
}

impl Drop for OnTheWay {
    fn drop(&mut self) {
        self.deadlines.places.borrow_mut()[self.place] = Place::default();
        self.deadlines.free.borrow_mut().push(self.place);
        self.deadlines.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[test]
    fn there_are_so_many_places_and_no_more() {
        let deadlines = Deadlines::new(2, SECOND);
        let now = Instant::now();
        let one = deadlines.begin(now);
        let other = deadlines.begin(now);
        assert!(one.is_some() && other.is_some() && deadlines.begin(now).is_none());
        drop(one);
        assert_eq!(deadlines.room(), 1);
        assert!(!deadlines.is_idle());
        drop(other);
        assert!(deadlines.is_idle());
    }

    #[test]
    fn only_what_took_too_long_is_late() {
        let deadlines = Deadlines::new(2, SECOND);
        let now = Instant::now();
        let old = deadlines.begin(now).unwrap();
        let young = deadlines.begin(now + SECOND / 2).unwrap();
        deadlines.check(now + SECOND);
        assert_eq!(old.in_time(std::future::pending::<()>()).now_or_never(), Some(Err(Late)));
        assert_eq!(young.in_time(std::future::pending::<()>()).now_or_never(), None);
        assert_eq!(old.in_time(async { 7 }).now_or_never(), Some(Ok(7)), "what is done is done");
    }

    #[test]
    fn a_place_that_is_taken_again_begins_anew() {
        let deadlines = Deadlines::new(1, SECOND);
        let now = Instant::now();
        let first = deadlines.begin(now).unwrap();
        deadlines.check(now + SECOND);
        drop(first);
        let second = deadlines.begin(now + SECOND).unwrap();
        assert_eq!(second.in_time(std::future::pending::<()>()).now_or_never(), None);
    }
}
