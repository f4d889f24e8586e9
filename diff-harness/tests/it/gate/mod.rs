//! The gate over simulated fleets and real stores.

mod fleet;
mod noise;

use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::{Side, UnixMillis};
use diff_harness::gate::{Evidence, GroupState, Policy, Ruling, judge};
use diff_harness::lifecycle::{Declaration, Hold, Stage, Standing};
use diff_harness::store::{Epoch, LatencyPair, Moments, NegativeControl, Observed};

const NOW: UnixMillis = UnixMillis(1_000_000);

/// What the gate says of an endpoint in shadow, with everything in order but what was compared.
fn ask(policy: &Policy, endpoint: &EndpointId, observed: &Observed, groups: &[GroupState]) -> Ruling {
    let pair = LatencyPair { control_us: 1_000, candidate_us: 1_000, answered_by: Side::Control };
    let observed = Observed {
        latencies: vec![pair; 50],
        negative_control: Some(NegativeControl { tried: NOW, found: Some(NOW), missed: Vec::new() }),
        moments: Moments { began: Some(NOW), compared: Some(NOW), dropped: None },
        ..observed.clone()
    };
    judge(
        policy,
        &Evidence {
            endpoint,
            standing: Standing { stage: Stage::Shadow, hold: Hold::None },
            since: NOW,
            to: Stage::Live,
            now: NOW,
            declaration: &Declaration::default(),
            epoch: &Epoch::default(),
            observed: &observed,
            groups,
            before: None,
            candidate: Ok(()),
            started: NOW,
            last_fallback: None,
        },
    )
}
