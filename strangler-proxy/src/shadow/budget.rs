//! One limit on all bytes that are kept for comparison.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A number of bytes that all captures share. Cloning gives another handle to the same budget.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<Pool>);

#[derive(Debug)]
struct Pool {
    limit: usize,
    used: AtomicUsize,
}

/// Bytes taken from a budget. They go back when it is dropped.
#[derive(Debug)]
pub struct Reservation {
    budget: MemoryBudget,
    bytes: usize,
}

impl MemoryBudget {
    pub fn new(limit: usize) -> Self {
        Self(Arc::new(Pool { limit, used: AtomicUsize::new(0) }))
    }

    pub fn limit(&self) -> usize {
        self.0.limit
    }

    pub fn used(&self) -> usize {
        self.0.used.load(Ordering::Acquire)
    }

    /// A reservation of nothing, to grow.
    pub fn nothing(&self) -> Reservation {
        Reservation { budget: self.clone(), bytes: 0 }
    }

    fn take(&self, bytes: usize) -> bool {
        let fits = |used: usize| used.checked_add(bytes).filter(|sum| *sum <= self.0.limit);
        self.0.used.fetch_update(Ordering::AcqRel, Ordering::Acquire, fits).is_ok()
    }
}

impl Reservation {
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Takes `more` bytes, or none at all when they would pass the limit.
    #[must_use = "without the bytes nothing more may be kept"]
    pub fn grow(&mut self, more: usize) -> bool {
        let taken = self.budget.take(more);
        if taken {
            self.bytes += more;
        }
        taken
    }

    /// Gives back all but `bytes`.
    pub fn shrink_to(&mut self, bytes: usize) {
        let back = self.bytes.saturating_sub(bytes);
        self.budget.0.used.fetch_sub(back, Ordering::AcqRel);
        self.bytes -= back;
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        self.shrink_to(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_over_the_limit_is_refused_whole() {
        let budget = MemoryBudget::new(100);
        let mut one = budget.nothing();
        assert!(one.grow(60));
        assert!(!one.grow(41));
        assert!(!one.grow(usize::MAX));
        assert_eq!(budget.used(), 60);
        assert!(budget.nothing().grow(40));
    }

    #[test]
    fn everything_comes_back() {
        let budget = MemoryBudget::new(100);
        let mut one = budget.nothing();
        assert!(one.grow(80));
        one.shrink_to(30);
        assert_eq!((one.bytes(), budget.used()), (30, 30));
        drop(one);
        assert_eq!(budget.used(), 0);
    }
}
