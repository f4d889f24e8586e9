//! What closes guards.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, Instant};

use diff_harness::divergence::Divergence;
use diff_harness::evidence::sprt::Sprt;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::lifecycle::Stage;
use diff_harness::noise::confirm::Confirmation;
use diff_harness::store::Epoch;
use http::HeaderValue;

use super::drift::Found;
use super::trigger::{Alarm, Trigger};
use super::window::{Recent, Window};
use super::{FallbackConfig, Guard};
use crate::routes::table::ActiveRoute;

/// Cheap to clone; every call returns at once.
#[derive(Clone, Debug)]
pub struct FallbackHandle(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    config: FallbackConfig,
    start: Instant,
    /// Milliseconds.
    tick: u64,
    alarms: Sender<Message>,
}

/// What the thread that makes fallbacks durable is told. At most one alarm of an endpoint waits here at a time.
#[derive(Debug)]
pub(super) enum Message {
    Alarm(Box<Alarm>),
    /// There may be something that no store has taken.
    Look,
    Stop,
}

/// The other end of the handle.
#[derive(Debug)]
pub struct Alarms(pub(super) Receiver<Message>);

impl FallbackHandle {
    pub fn new(config: FallbackConfig, start: Instant) -> (Self, Alarms) {
        let (alarms, receiver) = channel();
        let tick = (config.window.as_millis() as u64 / Window::BUCKETS).max(1);
        (Self(Arc::new(Shared { config, start, tick, alarms })), Alarms(receiver))
    }

    /// The candidate answered a request that was asked then.
    pub fn answered(&self, route: &ActiveRoute, asked: Instant) {
        route.counters.guard().window.add(self.tick(asked), false);
    }

    /// The candidate failed at a request. `what` says how, for a person.
    pub fn failed(
        &self,
        route: &ActiveRoute,
        id: &HeaderValue,
        what: &'static str,
        asked: Instant,
        now: Instant,
    ) {
        if self.counts(route.counters.guard(), asked) {
            route.counters.guard().window.add(self.tick(now), true);
            self.look(route, id, what, now);
        }
    }

    /// The candidate broke off in the body of an answer that was counted already.
    pub fn broke_off(&self, route: &ActiveRoute, id: &HeaderValue, asked: Instant, now: Instant) {
        if self.counts(route.counters.guard(), asked) {
            route.counters.guard().window.add_late_failure(self.tick(now));
            self.look(route, id, "the response broke off", now);
        }
    }

    /// A comparison of an endpoint that clients are on found nothing. Equal 5xx say nothing and are not told. For the
    /// threads that compare.
    pub fn matched(&self, route: &ActiveRoute, epoch: &Arc<Epoch>) {
        if self.compares(route) {
            let (sprt, stage) = (self.sprt(route), route.standing.stage);
            route.counters.guard().drift().add(&sprt, epoch, stage, false);
        }
    }

    /// A comparison of an endpoint that clients are on found something.
    pub fn mismatched(&self, route: &ActiveRoute, epoch: &Arc<Epoch>, found: &Found<'_>) {
        if !self.compares(route) {
            return;
        }
        let (sprt, stage) = (self.sprt(route), route.standing.stage);
        let rejected = {
            let mut watched = route.counters.guard().drift();
            watched.counts(epoch, stage, found).then(|| watched.add(&sprt, epoch, stage, true)).flatten()
        };
        if let Some(run) = rejected {
            self.trip(route, Trigger::Rejected { run, sprt, exchange: found.exchange.to_owned() });
        }
    }

    fn sprt(&self, route: &ActiveRoute) -> Sprt {
        self.0.config.policy.of(&route.endpoint).1.sprt
    }

    fn compares(&self, route: &ActiveRoute) -> bool {
        compares_for_clients(route.standing.stage) && !route.counters.guard().is_closed()
    }

    /// The candidate showed what control withheld, beyond doubt. `true` where clients were on it, so that this takes
    /// them away.
    pub fn exposed(
        &self,
        route: &ActiveRoute,
        found: &Divergence,
        confirmation: Confirmation,
        exchange: &str,
    ) -> bool {
        if !compares_for_clients(route.standing.stage) {
            return false;
        }
        let trigger = Trigger::Exposure {
            fingerprint: Fingerprint::of(&route.endpoint, found),
            location: found.location.generalized().to_string(),
            confirmation,
            exchange: exchange.to_owned(),
        };
        self.trip(route, trigger)
    }

    /// Takes the endpoint back to control from its next request on. Whether this was what did it: it may have
    /// fallen back already.
    pub fn trip(&self, route: &ActiveRoute, trigger: Trigger) -> bool {
        let closed = route.counters.guard().close();
        if closed {
            let alarm = Alarm { endpoint: route.endpoint.clone(), trigger };
            // Without a receiver the proxy is ending; the guard holds until it has.
            let _ = self.0.alarms.send(Message::Alarm(Box::new(alarm)));
        }
        closed
    }

    /// A person resumed the endpoint: nothing that was counted or asked before counts any more.
    pub fn open(&self, guard: &Guard, now: Instant) {
        guard.open(self.millis(now));
    }

    /// Has the thread try again what no store has taken.
    pub fn look_again(&self) {
        // Without a receiver the proxy is ending, which tries it once more.
        let _ = self.0.alarms.send(Message::Look);
    }

    pub(super) fn stop(&self) {
        // The thread has ended already when nobody listens.
        let _ = self.0.alarms.send(Message::Stop);
    }

    fn counts(&self, guard: &Guard, asked: Instant) -> bool {
        !guard.is_closed() && guard.is_of_now(self.millis(asked))
    }

    fn look(&self, route: &ActiveRoute, id: &HeaderValue, last: &'static str, now: Instant) {
        let recent = route.counters.guard().window.recent(self.tick(now));
        if self.is_burst(recent) {
            let exchange = id.to_str().unwrap_or_default().to_owned();
            self.trip(route, Trigger::Failures { recent, window: self.0.config.window, last, exchange });
        }
    }

    fn is_burst(&self, Recent { asked, failed }: Recent) -> bool {
        let FallbackConfig { failures, share, .. } = self.0.config;
        failed >= u64::from(failures) && failed * u64::from(FallbackConfig::WHOLE) >= asked * u64::from(share)
    }

    fn tick(&self, at: Instant) -> u64 {
        // One window after the start of time, so that an empty bucket is always an old one.
        self.millis(at) / self.0.tick + Window::BUCKETS
    }

    fn millis(&self, at: Instant) -> u64 {
        let since: Duration = at.saturating_duration_since(self.0.start);
        since.as_millis() as u64
    }
}

/// Stages at which the candidate answers clients and is compared with control.
fn compares_for_clients(stage: Stage) -> bool {
    matches!(stage, Stage::Canary(_) | Stage::Live)
}

#[cfg(test)]
mod tests {
    use diff_harness::endpoint::SafeMethod;
    use diff_harness::lifecycle::{Hold, Standing};

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn route() -> ActiveRoute {
        ActiveRoute {
            endpoint: "GET /a".parse().unwrap(),
            safe: Some(SafeMethod::Get),
            standing: Standing { stage: Stage::Live, hold: Hold::None },
            revision: 1,
            salt: "".into(),
            counters: Arc::default(),
        }
    }

    fn desk(failures: u32, share: u16) -> (FallbackHandle, Alarms, Instant) {
        let start = Instant::now();
        let (handle, alarms) = FallbackHandle::new(
            FallbackConfig { window: 10 * SECOND, failures, share, ..FallbackConfig::default() },
            start,
        );
        (handle, alarms, start)
    }

    fn fail(handle: &FallbackHandle, route: &ActiveRoute, at: Instant) {
        handle.failed(route, &HeaderValue::from_static("r1"), "status 503", at, at);
    }

    fn alarms(alarms: &Alarms) -> usize {
        alarms.0.try_iter().count()
    }

    #[test]
    fn it_takes_the_number_and_the_share() {
        let (handle, raised, start) = desk(3, 5_000);
        let route = route();
        for _ in 0..4 {
            handle.answered(&route, start);
        }
        (0..3).for_each(|_| fail(&handle, &route, start));
        assert!(!route.counters.guard().is_closed(), "3 of 7 is less than half");
        fail(&handle, &route, start);
        assert!(route.counters.guard().is_closed(), "4 of 8 is half");
        assert_eq!(alarms(&raised), 1);
    }

    #[test]
    fn failures_that_are_far_apart_are_no_burst() {
        let (handle, _alarms, start) = desk(3, 1);
        let route = route();
        (0..20).for_each(|n| fail(&handle, &route, start + n * 6 * SECOND));
        assert!(!route.counters.guard().is_closed());
    }

    #[test]
    fn it_falls_back_once_until_it_is_resumed() {
        let (handle, raised, start) = desk(1, 1);
        let route = route();
        fail(&handle, &route, start);
        fail(&handle, &route, start);
        assert_eq!(alarms(&raised), 1);
        handle.open(route.counters.guard(), start + SECOND);
        assert!(!route.counters.guard().is_closed());
        fail(&handle, &route, start + SECOND);
        assert_eq!(alarms(&raised), 1);
    }

    #[test]
    fn what_was_asked_before_a_resume_does_not_count_after_it() {
        let (handle, _alarms, start) = desk(2, 1);
        let route = route();
        fail(&handle, &route, start);
        handle.open(route.counters.guard(), start + SECOND);
        let id = HeaderValue::from_static("r1");
        handle.failed(&route, &id, "timeout", start, start + 2 * SECOND);
        fail(&handle, &route, start + 2 * SECOND);
        assert!(!route.counters.guard().is_closed());
        handle.broke_off(&route, &id, start + SECOND, start + 2 * SECOND);
        assert!(route.counters.guard().is_closed());
    }

    #[test]
    fn the_alarm_says_what_was_counted() {
        let (handle, raised, start) = desk(2, 1);
        let route = route();
        handle.answered(&route, start);
        fail(&handle, &route, start);
        fail(&handle, &route, start);
        let Ok(Message::Alarm(alarm)) = raised.0.recv() else { panic!("no alarm") };
        let said = alarm.trigger.to_string();
        assert_eq!(
            said,
            "the candidate failed 2 of 3 requests within 10 s, at last exchange r1 (status 503)"
        );
        let evidence = alarm.trigger.evidence();
        assert_eq!((evidence["failed"].as_u64(), evidence["exchange"].as_str()), (Some(2), Some("r1")));
    }
}
