//! What waits for the store, and how much of it may.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

/// Counts what was made for the store and no store has taken.
#[derive(Debug)]
pub(super) struct Waiting {
    records: AtomicUsize,
    bytes: AtomicUsize,
    records_max: usize,
    bytes_max: usize,
    /// Records that were given up.
    unrecorded: AtomicU64,
}

impl Waiting {
    pub(super) fn new(records_max: usize, bytes_max: usize) -> Self {
        Self {
            records: AtomicUsize::new(0),
            bytes: AtomicUsize::new(0),
            records_max,
            bytes_max,
            unrecorded: AtomicU64::new(0),
        }
    }

    pub(super) fn records(&self) -> usize {
        self.records.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Whether there is no room for anything, so that making it is not worth the work.
    pub(super) fn is_full(&self) -> bool {
        self.records() >= self.records_max || self.bytes() >= self.bytes_max
    }

    /// Room for one record of this size: how many wait with it. `None` takes nothing.
    pub(super) fn take_record(&self, bytes: usize) -> Option<usize> {
        self.take_one(bytes, self.bytes_max)
    }

    /// The same for one with its exchange. The last quarter of the room is for what differs alone, which says more.
    pub(super) fn take_with_exchange(&self, bytes: usize) -> Option<usize> {
        self.take_one(bytes, self.bytes_max - self.bytes_max / 4)
    }

    /// Room for so many bytes of an exchange that was recorded.
    #[must_use = "without the bytes nothing may wait"]
    pub(super) fn take_recorded(&self, bytes: usize) -> bool {
        grow(&self.bytes, bytes, self.bytes_max - self.bytes_max / 4).is_some()
    }

    fn take_one(&self, bytes: usize, bytes_max: usize) -> Option<usize> {
        let before = grow(&self.records, 1, self.records_max)?;
        if grow(&self.bytes, bytes, bytes_max).is_none() {
            self.records.fetch_sub(1, Ordering::Relaxed);
            return None;
        }
        Some(before + 1)
    }

    /// These do not wait any more.
    pub(super) fn give_back(&self, records: usize, bytes: usize) {
        self.records.fetch_sub(records, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }

    pub(super) fn unrecorded(&self) -> u64 {
        self.unrecorded.load(Ordering::Relaxed)
    }

    pub(super) fn gave_up(&self, records: usize) {
        self.unrecorded.fetch_add(records as u64, Ordering::Relaxed);
    }
}

fn grow(count: &AtomicUsize, more: usize, max: usize) -> Option<usize> {
    let fits = |now: usize| now.checked_add(more).filter(|sum| *sum <= max);
    count.fetch_update(Ordering::Relaxed, Ordering::Relaxed, fits).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_does_not_fit_takes_nothing() {
        let waiting = Waiting::new(2, 100);
        assert_eq!(waiting.take_with_exchange(60), Some(1));
        assert_eq!((waiting.take_record(41), waiting.take_with_exchange(16)), (None, None));
        assert!(!waiting.take_recorded(16));
        assert_eq!((waiting.records(), waiting.bytes(), waiting.is_full()), (1, 60, false));
        assert!(waiting.take_recorded(15));
        assert_eq!(waiting.take_record(25), Some(2));
        assert_eq!((waiting.take_record(0), waiting.is_full()), (None, true));
        waiting.give_back(1, 60);
        assert_eq!((waiting.records(), waiting.bytes(), waiting.is_full()), (1, 40, false));
    }
}
