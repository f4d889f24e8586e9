//! The order of the stages, and which moves along it there are.

use super::{Stage, Weight};

/// The steps of a canary, in ten-thousandths: 1, 5, 10, 25 and 50 %.
const CANARY_STEPS: [u16; 5] = [100, 500, 1_000, 2_500, 5_000];

/// What a move from one stage to another is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// The endpoint stands there already.
    Stay,
    /// Towards the candidate.
    Forward {
        /// Whether clients would be answered by the candidate who are not now: that takes evidence.
        gated: bool,
    },
    /// Towards control. Never gated.
    Back,
}

/// The stage after this one; `None` after `retired`.
pub fn next(stage: Stage, safe: bool) -> Option<Stage> {
    let step = |share| Weight::new(share).map(Stage::Canary);
    match stage {
        Stage::Legacy if safe => Some(Stage::Shadow),
        Stage::Legacy => Some(Stage::Record),
        Stage::Record => Some(Stage::Verify),
        Stage::Shadow | Stage::Verify => step(CANARY_STEPS[0]),
        Stage::Canary(weight) => CANARY_STEPS
            .into_iter()
            .find(|share| *share > weight.ten_thousandths())
            .map_or(Some(Stage::Live), step),
        Stage::Live => Some(Stage::Soak),
        Stage::Soak => Some(Stage::Retired),
        Stage::Retired => None,
    }
}

pub fn direction(from: Stage, to: Stage) -> Direction {
    use std::cmp::Ordering;
    match place(to).cmp(&place(from)) {
        Ordering::Equal => Direction::Stay,
        Ordering::Less => Direction::Back,
        Ordering::Greater => Direction::Forward { gated: answers_clients(to) },
    }
}

/// Whether a move goes towards the candidate.
pub fn is_forward(from: Stage, to: Stage) -> bool {
    matches!(direction(from, to), Direction::Forward { .. })
}

/// Whether the candidate answers any client at this stage.
pub fn answers_clients(stage: Stage) -> bool {
    match stage {
        Stage::Legacy | Stage::Shadow | Stage::Record | Stage::Verify => false,
        Stage::Canary(_) | Stage::Live | Stage::Soak | Stage::Retired => true,
    }
}

/// All stages that an endpoint of this kind climbs.
pub fn climb(safe: bool) -> impl Iterator<Item = Stage> {
    std::iter::successors(Some(Stage::Legacy), move |stage| next(*stage, safe))
}

/// A number that grows along the ladder. Safe and unsafe endpoints share it: no endpoint can stand at both
/// `shadow` and `record`.
fn place(stage: Stage) -> (u8, u16) {
    match stage {
        Stage::Legacy => (0, 0),
        Stage::Shadow | Stage::Record => (1, 0),
        Stage::Verify => (2, 0),
        Stage::Canary(weight) => (3, weight.ten_thousandths()),
        Stage::Live => (4, 0),
        Stage::Soak => (5, 0),
        Stage::Retired => (6, 0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn climb(safe: bool) -> Vec<String> {
        std::iter::successors(Some(Stage::Legacy), |stage| next(*stage, safe))
            .map(|stage| stage.to_string())
            .collect()
    }

    #[test]
    fn a_safe_endpoint_climbs_by_shadow_and_canary() {
        let steps = "legacy shadow canary:1% canary:5% canary:10% canary:25% canary:50% live soak retired";
        assert_eq!(climb(true).join(" "), steps);
    }

    #[test]
    fn an_unsafe_endpoint_is_recorded_and_verified_and_never_shadowed() {
        let steps =
            "legacy record verify canary:1% canary:5% canary:10% canary:25% canary:50% live soak retired";
        assert_eq!(climb(false).join(" "), steps);
    }

    #[test]
    fn every_stage_of_a_climb_suits_the_method() {
        for safe in [true, false] {
            let mut stages = std::iter::successors(Some(Stage::Legacy), |stage| next(*stage, safe));
            assert!(stages.all(|stage| stage.suits(safe)));
        }
    }

    #[test]
    fn only_what_gives_the_candidate_clients_takes_evidence() {
        let canary = |share| Stage::Canary(Weight::new(share).unwrap());
        let gated = |from, to| direction(from, to) == Direction::Forward { gated: true };
        assert!(!gated(Stage::Legacy, Stage::Shadow));
        assert!(!gated(Stage::Legacy, Stage::Record));
        assert!(!gated(Stage::Record, Stage::Verify));
        assert!(gated(Stage::Legacy, Stage::Live));
        assert!(gated(Stage::Shadow, Stage::Live));
        assert!(gated(Stage::Verify, canary(100)));
        assert!(gated(canary(100), canary(500)));
        assert!(gated(Stage::Live, Stage::Soak));
    }

    #[test]
    fn a_smaller_canary_is_a_step_back() {
        let canary = |share| Stage::Canary(Weight::new(share).unwrap());
        assert_eq!(direction(canary(500), canary(100)), Direction::Back);
        assert_eq!(direction(Stage::Live, canary(5_000)), Direction::Back);
        assert_eq!(direction(Stage::Live, Stage::Live), Direction::Stay);
    }
}
