//! What was learned to differ between control and control, kept by deployment of control.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use diff_harness::comparison::Comparison;
use diff_harness::endpoint::EndpointId;
use diff_harness::noise::book::{EndpointNoise, NoiseBook};

/// Deployments of control at once, as in the middle of a rollout. The one that comes after takes the place of another.
const BOOKS_MAX: usize = 4;

/// The books, shared by the threads that compare and the thread that writes.
#[derive(Debug)]
pub(super) struct Noise {
    books: Mutex<BTreeMap<String, NoiseBook>>,
    is_kept_to_itself: AtomicBool,
}

impl Noise {
    /// With what the store knows of this deployment of control.
    pub(super) fn new(control: String, known: Vec<(EndpointId, EndpointNoise)>) -> Self {
        let book = NoiseBook::with(NoiseBook::default().maturity(), known);
        Self { books: Mutex::new([(control, book)].into()), is_kept_to_itself: AtomicBool::new(false) }
    }

    /// Learns from control compared with itself.
    pub(super) fn learn(&self, control: &str, endpoint: &EndpointId, control_with_itself: &Comparison) {
        let mut books = self.books();
        if books.len() >= BOOKS_MAX && !books.contains_key(control) {
            books.pop_first();
        }
        books.entry(control.to_owned()).or_default().learn(endpoint, control_with_itself);
    }

    /// Moves what is noise from the divergences to the tolerated.
    pub(super) fn quiet(&self, control: &str, endpoint: &EndpointId, comparison: &mut Comparison) {
        if comparison.divergences.is_empty() {
            return;
        }
        if let Some(book) = self.books().get_mut(control) {
            book.quiet(endpoint, comparison);
        }
    }

    /// The same of what was quieted before, with what was learned since.
    pub(super) fn quiet_again(&self, control: &str, endpoint: &EndpointId, comparison: &mut Comparison) {
        if let Some(book) = self.books().get_mut(control) {
            book.quiet_again(endpoint, comparison);
        }
    }

    /// The same without counting it: for a divergence that no request had.
    pub(super) fn try_quiet(&self, control: &str, endpoint: &EndpointId, comparison: &mut Comparison) {
        let mut books = self.books();
        if let Some(book) = books.get_mut(control) {
            book.try_quiet(endpoint, comparison);
        }
    }

    /// Gives nothing out, for as long as this holds.
    pub(super) fn keep_to_itself(&self, is_kept: bool) {
        self.is_kept_to_itself.store(is_kept, Ordering::Release);
    }

    /// What is new since the last call, by deployment of control.
    pub(super) fn take_changed(&self) -> Vec<(String, Vec<(EndpointId, EndpointNoise)>)> {
        if self.is_kept_to_itself.load(Ordering::Acquire) {
            return Vec::new();
        }
        let mut books = self.books();
        let changed = books.iter_mut().map(|(control, book)| (control.clone(), book.take_changed()));
        changed.filter(|(_, endpoints)| !endpoints.is_empty()).collect()
    }

    fn books(&self) -> MutexGuard<'_, BTreeMap<String, NoiseBook>> {
        // Whatever panicked left counts that are whole.
        self.books.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
