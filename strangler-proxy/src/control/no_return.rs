//! Moves that cannot be taken back in effect, and how they are acknowledged.

use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::Stage;

use super::is_forward;

/// Declared in the config: from this stage on, rolling back does not undo what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PointOfNoReturn {
    pub endpoint: EndpointId,
    /// Passed by whoever moves to this stage or beyond it.
    pub stage: Stage,
    /// What cannot be undone, for the person who is about to pass it.
    pub why: String,
}

/// What a move passes that cannot be undone, in sentences.
pub(super) fn passed(
    points: &[PointOfNoReturn],
    endpoint: &EndpointId,
    from: Stage,
    to: Stage,
) -> Vec<String> {
    let reaches = |stage: Stage| is_forward(from, stage) && (to == stage || is_forward(stage, to));
    let declared = points.iter().filter(|point| point.endpoint == *endpoint && reaches(point.stage));
    let mut passed: Vec<_> =
        declared.map(|point| format!("point of no return at {}: {}", point.stage, point.why)).collect();
    if reaches(Stage::Retired) {
        passed.push(
            "after retired, control's handler may be deleted: there is nothing to fall back to".to_owned(),
        );
    }
    passed
}

#[cfg(test)]
mod tests {
    use diff_harness::lifecycle::Weight;

    use super::*;

    #[test]
    fn a_point_is_passed_by_whoever_reaches_it_or_goes_beyond_and_by_nobody_else() {
        let endpoint: EndpointId = "POST /charges".parse().unwrap();
        let canary = |share| Stage::Canary(Weight::new(share).unwrap());
        let points = [PointOfNoReturn {
            endpoint: endpoint.clone(),
            stage: canary(1),
            why: "cards are charged".into(),
        }];
        for (from, to, expected) in [
            (Stage::Record, Stage::Verify, 0),
            (Stage::Verify, canary(1), 1),
            (Stage::Verify, canary(100), 1),
            (Stage::Verify, Stage::Live, 1),
            (canary(100), canary(500), 0),
            (Stage::Live, Stage::Verify, 0),
            (Stage::Soak, Stage::Retired, 1),
            (Stage::Legacy, Stage::Retired, 2),
        ] {
            assert_eq!(passed(&points, &endpoint, from, to).len(), expected, "{from} to {to}");
        }
        assert!(passed(&points, &"POST /other".parse().unwrap(), Stage::Verify, Stage::Live).is_empty());
    }
}
