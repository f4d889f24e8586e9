//! Requests by the minute, of the last two hours, in memory.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use diff_harness::endpoint::EndpointId;
use diff_harness::pages::Minute;
use tokio::sync::watch;
use tokio::time::MissedTickBehavior;

use crate::admin::Api;

const MINUTES_MAX: usize = 120;
const MINUTE: Duration = Duration::from_secs(60);

#[derive(Debug, Default)]
pub(super) struct Pulse(Mutex<BTreeMap<EndpointId, Beats>>);

#[derive(Debug, Default)]
struct Beats {
    /// What was counted up to the end of the newest whole minute.
    seen: u64,
    mismatched: u64,
    minutes: VecDeque<Minute>,
}

impl Pulse {
    pub(super) async fn keep(&self, api: &Api, mut stopped: watch::Receiver<bool>) {
        self.beat(api, false);
        let mut ticks = tokio::time::interval(MINUTE);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        ticks.tick().await;
        loop {
            tokio::select! {
                _ = ticks.tick() => self.beat(api, true),
                _ = stopped.wait_for(|stopped| *stopped) => return,
            }
        }
    }

    /// The whole minutes that were counted, and the one that runs.
    pub(super) fn minutes(&self, api: &Api, endpoint: &EndpointId) -> Vec<Minute> {
        let tally = api.registry.get(endpoint).snapshot().tally;
        let all = self.lock();
        // One that was declared within this minute was counted from nothing.
        let none = Beats::default();
        let beats = all.get(endpoint).unwrap_or(&none);
        let running = Minute {
            at: api.control.now(),
            seen: tally.seen().saturating_sub(beats.seen),
            mismatched: tally.mismatched.saturating_sub(beats.mismatched),
        };
        beats.minutes.iter().copied().chain([running]).collect()
    }

    /// Ends a minute; or only remembers from where on to count.
    fn beat(&self, api: &Api, ends: bool) {
        let now = api.control.now();
        let mut all = self.lock();
        for route in api.control.routes() {
            let tally = api.registry.get(&route.endpoint).snapshot().tally;
            let beats = all.entry(route.endpoint).or_default();
            if ends {
                if beats.minutes.len() == MINUTES_MAX {
                    beats.minutes.pop_front();
                }
                beats.minutes.push_back(Minute {
                    at: now,
                    seen: tally.seen().saturating_sub(beats.seen),
                    mismatched: tally.mismatched.saturating_sub(beats.mismatched),
                });
            }
            beats.seen = tally.seen();
            beats.mismatched = tally.mismatched;
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<EndpointId, Beats>> {
        // A panic while it was locked leaves at worst a minute too few.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
