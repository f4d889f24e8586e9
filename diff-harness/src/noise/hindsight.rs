//! Groups that were opened before their noise was known.
//!
//! A place counts as noise after some sightings, and each of them may have opened a group. Once it is known, all that was
//! seen of such a group can be held against it.

use super::book::{EndpointNoise, Learned, Maturity, Place};
use crate::store::{Group, Sample};

/// The place whose noise hides everything that was ever seen of this group; `None` where it does not, and where not all
/// of it can be looked at. `group` is counted over all epochs, and `samples` are all that is kept of it.
pub fn explains<'n>(
    noise: &'n EndpointNoise,
    maturity: Maturity,
    group: &Group,
    samples: &[Sample],
) -> Option<(&'n Place, &'n Learned)> {
    let seen = || {
        let all = samples.iter().flat_map(|sample| &sample.divergences);
        all.filter(|(of, _)| *of == group.fingerprint).map(|(_, divergence)| divergence.get())
    };
    if samples.len() as u64 != group.exchanges || seen().count() as u64 != group.count {
        return None;
    }
    let place = noise.hides(maturity, seen().next()?)?;
    seen().all(|divergence| noise.hides(maturity, divergence) == Some(place)).then_some(place)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::Comparator;
    use crate::divergence::Divergence;
    use crate::endpoint::EndpointId;
    use crate::exchange::{
        CapturedBody, Exchange, Observation, Outcome, Request, TransportFailure, UnixMillis,
    };
    use crate::fingerprint::Fingerprint;
    use crate::noise::book::NoiseBook;
    use crate::redact::Redacted;

    fn endpoint() -> EndpointId {
        "GET /a".parse().unwrap()
    }

    fn divergences(control: &str, candidate: &str) -> Vec<Divergence> {
        let (control, candidate) = (control.as_bytes(), candidate.as_bytes());
        Comparator::default().compare_contents(&endpoint(), None, control, candidate).divergences
    }

    /// Control never says the same time twice.
    fn noise() -> EndpointNoise {
        let mut book = NoiseBook::default();
        for day in 1..9 {
            let at = |hour: u32| format!("{{\"at\":\"2026-01-0{day}T0{hour}:00:00Z\"}}");
            let (control, again) = (at(1), at(2));
            let itself = Comparator::default().compare_contents(
                &endpoint(),
                None,
                control.as_bytes(),
                again.as_bytes(),
            );
            book.learn(&endpoint(), &itself);
        }
        book.endpoint(&endpoint()).unwrap().clone()
    }

    fn sample(divergence: &Divergence) -> Sample {
        let observed = || Observation {
            outcome: Outcome::Failure(TransportFailure::Closed),
            latency: std::time::Duration::ZERO,
        };
        Sample {
            exchange: Redacted::stored(Exchange {
                id: "1".to_owned(),
                at: UnixMillis(1),
                endpoint: endpoint(),
                request: Request {
                    method: http::Method::GET,
                    target: "/a".to_owned(),
                    headers: http::HeaderMap::new(),
                    body: CapturedBody::empty(),
                },
                control: observed(),
                candidate: observed(),
            }),
            divergences: vec![(
                Fingerprint::of(&endpoint(), divergence),
                Redacted::stored(divergence.clone()),
            )],
            notes: Vec::new(),
        }
    }

    /// A group of what the candidate answered with each of these, where control answered with a time.
    fn group(candidate: &[&str]) -> (Group, Vec<Sample>) {
        let found: Vec<_> = candidate
            .iter()
            .flat_map(|answer| divergences("{\"at\":\"2026-02-01T00:00:00Z\"}", answer))
            .collect();
        let first = &found[0];
        let group = Group {
            fingerprint: Fingerprint::of(&endpoint(), first),
            endpoint: endpoint(),
            kind: first.kind,
            severity: first.severity,
            location: first.location.generalized().to_string(),
            detail: None,
            count: found.len() as u64,
            exchanges: found.len() as u64,
            first_seen: UnixMillis(1),
            last_seen: UnixMillis(2),
            example: Redacted::stored(first.clone()),
        };
        (group, found.iter().map(sample).collect())
    }

    fn explained(group: &Group, samples: &[Sample]) -> bool {
        explains(&noise(), Maturity::default(), group, samples).is_some()
    }

    const OTHER_TIMES: [&str; 2] = [r#"{"at":"2026-02-02T00:00:00Z"}"#, r#"{"at":"2026-02-03T00:00:00Z"}"#];

    #[test]
    fn sightings_of_what_is_known_to_be_noise_by_now_are_explained() {
        let (group, samples) = group(&OTHER_TIMES);
        assert!(explained(&group, &samples));
    }

    #[test]
    fn one_sighting_that_broke_the_format_leaves_the_group_open() {
        let (group, samples) = group(&[OTHER_TIMES[0], r#"{"at":"soon"}"#]);
        assert!(!explained(&group, &samples));
    }

    #[test]
    fn what_cannot_all_be_looked_at_is_not_explained() {
        let (group, samples) = group(&OTHER_TIMES);
        assert!(!explained(&group, &samples[1..]), "an exchange is not kept any more");
        assert!(
            !explained(&Group { count: 3, ..group.clone() }, &samples),
            "it was there twice in one of them"
        );
        assert!(!explained(&Group { exchanges: 0, count: 0, ..group }, &[]), "nothing is kept");
    }

    #[test]
    fn another_type_and_what_control_withheld_are_never_explained() {
        for worse in [r#"{"at":null}"#, r#"{"at":"2026-02-01T00:00:00Z","secret":1}"#, "{}"] {
            let (group, samples) = group(&[worse]);
            assert!(!explained(&group, &samples), "{worse}");
        }
    }

    #[test]
    fn what_was_not_seen_often_enough_explains_nothing() {
        let (group, samples) = group(&OTHER_TIMES);
        let young = Maturity { sightings_min: 100, ..Maturity::default() };
        assert!(explains(&noise(), young, &group, &samples).is_none());
    }
}
