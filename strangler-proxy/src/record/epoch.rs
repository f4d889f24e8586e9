//! Which deployment of both sides, under which rules, evidence belongs to.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;
use diff_harness::exchange::{Observation, Outcome};
use diff_harness::store::Epoch;
use http::HeaderName;

/// A longer name is no name of a deployment.
const NAME_MAX: usize = 128;

/// The current epoch, behind one atomic pointer.
#[derive(Debug)]
pub struct Epochs {
    current: ArcSwap<Epoch>,
    /// Counts the deployments of the candidate that this process has seen.
    deployment: AtomicU64,
    candidate_header: Option<HeaderName>,
    control_header: Option<HeaderName>,
}

impl Epochs {
    pub fn new(
        first: Epoch,
        candidate_header: Option<HeaderName>,
        control_header: Option<HeaderName>,
    ) -> Self {
        Self {
            current: ArcSwap::from_pointee(first),
            deployment: AtomicU64::new(0),
            candidate_header,
            control_header,
        }
    }

    pub fn current(&self) -> Arc<Epoch> {
        self.current.load_full()
    }

    /// Another number for each deployment of the candidate since the process started.
    pub(crate) fn deployment(&self) -> u64 {
        self.deployment.load(Ordering::Acquire)
    }

    /// A new deployment of the candidate, told by a person or a pipeline.
    pub fn set_candidate(&self, name: &str) {
        self.change(|epoch| epoch.candidate = name.to_owned());
    }

    /// The same for control.
    pub fn set_control(&self, name: &str) {
        self.change(|epoch| epoch.control = name.to_owned());
    }

    pub(super) fn set_rules(&self, rules: &str) {
        self.change(|epoch| epoch.rules = rules.to_owned());
    }

    /// The epoch of an exchange that was judged under `rules`: what the responses name, else the current one.
    /// What they name becomes the current one.
    pub(super) fn of(&self, control: &Observation, candidate: &Observation, rules: &str) -> Arc<Epoch> {
        let current = self.current.load();
        let control = named(self.control_header.as_ref(), control).unwrap_or(&current.control);
        let candidate = named(self.candidate_header.as_ref(), candidate).unwrap_or(&current.candidate);
        let same_sides = control == current.control && candidate == current.candidate;
        if same_sides && rules == current.rules {
            return Arc::clone(&current);
        }
        if !same_sides {
            tracing::info!(control, candidate, "a response names another deployment: a new epoch begins");
            self.change(|epoch| {
                control.clone_into(&mut epoch.control);
                candidate.clone_into(&mut epoch.candidate);
            });
        }
        Arc::new(Epoch {
            candidate: candidate.to_owned(),
            control: control.to_owned(),
            rules: rules.to_owned(),
        })
    }

    /// The deployment of control that made this observation, as far as it is known.
    pub(super) fn control_of<'a>(&'a self, observation: &'a Observation, current: &'a Epoch) -> &'a str {
        named(self.control_header.as_ref(), observation).unwrap_or(&current.control)
    }

    fn change(&self, change: impl Fn(&mut Epoch)) {
        let mut is_another = false;
        self.current.rcu(|epoch| {
            let mut next = Epoch::clone(epoch);
            change(&mut next);
            is_another = next.candidate != epoch.candidate;
            next
        });
        if is_another {
            self.deployment.fetch_add(1, Ordering::AcqRel);
        }
    }
}

fn named<'a>(header: Option<&HeaderName>, observation: &'a Observation) -> Option<&'a str> {
    let Outcome::Response(response) = &observation.outcome else { return None };
    let name = response.headers.get(header?)?.to_str().ok()?.trim();
    (1..=NAME_MAX).contains(&name.len()).then_some(name)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use diff_harness::exchange::{CapturedBody, Response, TransportFailure};
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    const HEADER: HeaderName = HeaderName::from_static("x-version");

    fn epochs() -> Epochs {
        let first = Epoch { candidate: "c1".into(), control: "m1".into(), rules: "r1".into() };
        Epochs::new(first, Some(HEADER), None)
    }

    fn response(version: Option<&'static str>) -> Observation {
        let headers: HeaderMap =
            version.map(|version| (HEADER, HeaderValue::from_static(version))).into_iter().collect();
        let response = Response { status: StatusCode::OK, headers, body: CapturedBody::empty() };
        Observation { outcome: Outcome::Response(response), latency: Duration::ZERO }
    }

    #[test]
    fn an_exchange_belongs_to_the_epoch_that_its_own_response_names() {
        let epochs = epochs();
        let epoch = epochs.of(&response(Some("m9")), &response(Some("c2")), "r1");
        assert_eq!((epoch.candidate.as_str(), epoch.control.as_str()), ("c2", "m1"), "control has no header");
        assert_eq!(epochs.current(), epoch, "and it is the current one from there on");
        assert_eq!(epochs.of(&response(None), &response(None), "r1"), epoch);
    }

    #[test]
    fn a_failure_or_a_name_without_end_changes_nothing() {
        let epochs = epochs();
        let before = epochs.current();
        let failure =
            Observation { outcome: Outcome::Failure(TransportFailure::Closed), latency: Duration::ZERO };
        let endless: &'static str = "x".repeat(NAME_MAX + 1).leak();
        for candidate in [failure, response(Some(endless)), response(Some(""))] {
            assert_eq!(epochs.of(&response(None), &candidate, "r1"), before);
        }
        assert_eq!(epochs.current(), before);
    }

    #[test]
    fn a_pair_judged_under_old_rules_does_not_bring_them_back() {
        let epochs = epochs();
        epochs.set_rules("r2");
        let late = epochs.of(&response(None), &response(None), "r1");
        assert_eq!(late.rules, "r1");
        assert_eq!(epochs.current().rules, "r2");
    }

    #[test]
    fn each_deployment_of_the_candidate_has_a_number_of_its_own() {
        let epochs = epochs();
        let first = epochs.deployment();
        epochs.of(&response(None), &response(Some("c1")), "r1");
        epochs.set_control("m2");
        epochs.set_rules("r2");
        assert_eq!(epochs.deployment(), first, "neither control nor the rules deploy the candidate");
        epochs.of(&response(None), &response(Some("c2")), "r2");
        assert_eq!(epochs.deployment(), first + 1);
        epochs.set_candidate("c3");
        assert_eq!(epochs.deployment(), first + 2);
    }

    #[test]
    fn a_person_can_name_a_deployment() {
        let epochs = epochs();
        epochs.set_candidate("c7");
        epochs.set_control("m7");
        let epoch = epochs.of(&response(None), &response(None), "r1");
        assert_eq!((epoch.candidate.as_str(), epoch.control.as_str()), ("c7", "m7"));
    }
}
