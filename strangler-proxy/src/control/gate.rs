//! Asks for the evidence that a move must pass.

use diff_harness::exchange::UnixMillis;
use diff_harness::gate::{Evidence, GateAnswer, Policy, Ruling, judge};
use diff_harness::lifecycle::{Route, Stage};
use diff_harness::store::{Epoch, EpochFilter, GroupFilter, Store, StoreError};
use diff_harness::triage::weigh;

/// Judges what the store holds of an endpoint in this epoch.
pub(super) fn ask(
    store: &dyn Store,
    policy: &Policy,
    epoch: &Epoch,
    route: &Route,
    to: Stage,
    now: UnixMillis,
) -> Result<Ruling, StoreError> {
    let tally = store
        .tallies(EpochFilter::Only(epoch))?
        .into_iter()
        .find_map(|(of, tally)| (of.as_ref() == Some(&route.endpoint)).then_some(tally))
        .unwrap_or_default();
    let groups = store.triaged(&GroupFilter {
        endpoint: Some(&route.endpoint),
        epoch: EpochFilter::Only(epoch),
        least_severity: None,
        limit: usize::MAX,
    })?;
    let weighed = weigh(groups, policy.min_comparisons, now);
    let open: Vec<_> = weighed.open.into_iter().map(|(triaged, _)| triaged.group).collect();
    Ok(judge(policy, &Evidence { standing: route.standing, to, tally: &tally, open: &open }))
}

/// Judges a move after which the candidate answers no client: all that it takes is a candidate that is there.
pub(super) fn reach(to: Stage, reached: Result<(), String>) -> Ruling {
    let (answer, stated) = match reached {
        Ok(()) => (GateAnswer::Pass, vec!["the candidate takes connections".to_owned()]),
        Err(why) => {
            let reason =
                format!("the candidate cannot be reached ({why}), so nothing could be compared at {to}");
            (GateAnswer::Fail(vec![reason]), Vec::new())
        }
    };
    Ruling {
        answer,
        stated,
        unforceable: Vec::new(),
        compared: 0,
        mismatched: 0,
        both_failed: 0,
        open_groups: 0,
        open_exposures: 0,
    }
}
