//! One address of an upstream, and how it is.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::ejection::Ejection;

/// Whose requests: what shadows meet never takes an address from clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    Clients,
    Shadows,
}

/// Shared by all threads that connect to it.
#[derive(Debug)]
pub struct Address {
    /// As it was declared: `monolith.internal:80`.
    pub authority: Arc<str>,
    pub socket: SocketAddr,
    pub(super) clients: Ejection,
    pub(super) shadows: Ejection,
    /// By the active check.
    unhealthy: AtomicBool,
    /// The last one.
    answers_checks: AtomicBool,
    /// When the log last said that a request failed here, plus one.
    told: AtomicU64,
    pub counts: AddressCounts,
}

/// What was done with an address so far, by all threads.
#[derive(Debug, Default)]
pub struct AddressCounts {
    requests: AtomicU64,
    connects: AtomicU64,
    connects_failed: AtomicU64,
    races: AtomicU64,
    probes: AtomicU64,
    probes_failed: AtomicU64,
}

/// The same at one moment.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AddressTally {
    /// Requests that were sent to it.
    pub requests: u64,
    pub connects: u64,
    pub connects_failed: u64,
    /// Requests that met a close on a connection that had served before.
    pub races: u64,
    /// How often it was asked how it is, while it was left alone, and how often it was not well.
    pub probes: u64,
    pub probes_failed: u64,
}

/// How an address is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddressState {
    Used,
    /// It failed too often, and is left alone until it is found to be well.
    Ejected,
    /// The active check fails.
    Unhealthy,
}

impl Address {
    pub(super) fn new(authority: Arc<str>, socket: SocketAddr) -> Self {
        Self {
            authority,
            socket,
            clients: Ejection::default(),
            shadows: Ejection::default(),
            unhealthy: AtomicBool::new(false),
            answers_checks: AtomicBool::new(false),
            told: AtomicU64::new(0),
            counts: AddressCounts::default(),
        }
    }

    pub(super) fn ejection(&self, of: Use) -> &Ejection {
        match of {
            Use::Clients => &self.clients,
            Use::Shadows => &self.shadows,
        }
    }

    /// How often it was left alone since the start.
    pub fn ejections(&self, of: Use) -> u64 {
        self.ejection(of).total()
    }

    pub(super) fn state(&self, of: Use) -> AddressState {
        if self.unhealthy.load(Ordering::Relaxed) {
            AddressState::Unhealthy
        } else if self.ejection(of).is_out() {
            AddressState::Ejected
        } else {
            AddressState::Used
        }
    }

    /// Whether the log may say that something failed: it does so now and then, and not for every request.
    pub(super) fn may_be_told(&self, now: u64) -> bool {
        const EVERY: u64 = 10_000;
        let told = self.told.load(Ordering::Relaxed);
        let is_due = told == 0 || now + 1 >= told + EVERY;
        is_due && self.told.compare_exchange(told, now + 1, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// When it is to be asked how it is, if clients or shadows leave it alone; in milliseconds since the upstream was started.
    pub(super) fn due(&self) -> Option<u64> {
        [Use::Clients, Use::Shadows].into_iter().filter_map(|of| self.ejection(of).due()).min()
    }

    /// Whether it was well when the active check last asked.
    pub(super) fn answers_checks(&self) -> bool {
        self.answers_checks.load(Ordering::Relaxed)
    }

    pub(super) fn set_answers_checks(&self, answers: bool) {
        self.answers_checks.store(answers, Ordering::Relaxed);
    }

    pub(super) fn is_unhealthy(&self) -> bool {
        self.unhealthy.load(Ordering::Relaxed)
    }

    pub(super) fn set_unhealthy(&self, unhealthy: bool) {
        self.unhealthy.store(unhealthy, Ordering::Relaxed);
    }
}

impl AddressCounts {
    pub(in crate::data_plane) fn requests(&self, n: u64) {
        self.requests.fetch_add(n, Ordering::Relaxed);
    }

    pub(in crate::data_plane) fn connect(&self) {
        self.connects.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::data_plane) fn connect_failed(&self) {
        self.connects_failed.fetch_add(1, Ordering::Relaxed);
    }

    pub(in crate::data_plane) fn race(&self) {
        self.races.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn probe(&self, was_well: bool) {
        self.probes.fetch_add(1, Ordering::Relaxed);
        self.probes_failed.fetch_add(u64::from(!was_well), Ordering::Relaxed);
    }

    pub fn tally(&self) -> AddressTally {
        let load = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        AddressTally {
            requests: load(&self.requests),
            connects: load(&self.connects),
            connects_failed: load(&self.connects_failed),
            races: load(&self.races),
            probes: load(&self.probes),
            probes_failed: load(&self.probes_failed),
        }
    }
}

impl AddressState {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Ejected => "ejected",
            Self::Unhealthy => "unhealthy",
        }
    }
}
