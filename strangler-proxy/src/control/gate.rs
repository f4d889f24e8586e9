//! Gathers the evidence that a move must pass, and has it judged.

use diff_harness::exchange::UnixMillis;
use diff_harness::gate::{Before, Evidence, GroupState, Policy, Ruling, Waiver, judge};
use diff_harness::lifecycle::{Hold, Route, Stage};
use diff_harness::store::{Epoch, EpochFilter, GroupFilter, Observed, Store, StoreError};
use diff_harness::triage::Triaged;

/// Earlier epochs that are looked through for evidence of an endpoint. More of them without any say nothing.
const EPOCHS_BACK: usize = 8;
/// Transitions of an endpoint that are looked through for its last fallback.
const TRANSITIONS_BACK: usize = 200;

/// What an endpoint is judged by besides what the store holds.
pub(super) struct Question<'a> {
    pub(super) policy: &'a Policy,
    pub(super) epoch: &'a Epoch,
    pub(super) route: &'a Route,
    pub(super) to: Stage,
    /// Whether the candidate takes connections; if not, why not.
    pub(super) candidate: Result<(), String>,
    /// When this process began to serve.
    pub(super) started: UnixMillis,
    pub(super) now: UnixMillis,
}

/// Judges what the store holds of an endpoint in this epoch.
pub(super) fn ask(store: &dyn Store, question: &Question<'_>) -> Result<Ruling, StoreError> {
    let Question { policy, epoch, route, to, candidate, started, now } = question;
    let observed = store.observed(&route.endpoint, epoch)?;
    let enough = policy.of(&route.endpoint).1.clean_needed();
    let groups = store.triaged(&GroupFilter {
        endpoint: Some(&route.endpoint),
        epoch: EpochFilter::Only(epoch),
        least_severity: None,
        limit: usize::MAX,
    })?;
    let groups: Vec<_> = groups.into_iter().map(|group| group_state(group, enough, *now)).collect();
    Ok(judge(
        policy,
        &Evidence {
            endpoint: &route.endpoint,
            standing: route.standing,
            since: route.since,
            to: *to,
            now: *now,
            declaration: &route.declaration,
            epoch,
            observed: &observed,
            groups: &groups,
            before: before(store, route, epoch, &observed)?,
            candidate: candidate.as_ref().copied().map_err(String::as_str),
            started: *started,
            last_fallback: last_fallback(store, route)?,
        },
    ))
}

/// A group as the gate sees it: what people decided, and who answers for it where they let it pass.
fn group_state(triaged: Triaged, enough: u64, now: UnixMillis) -> GroupState {
    let state = triaged.state(enough, now);
    let waiver = triaged
        .decided
        .filter(|decided| decided.decision.call.is_waiver())
        .map(|decided| Waiver { owner: decided.decision.owner, expires: decided.decision.expires });
    GroupState { group: triaged.group, state, waiver }
}

/// The newest epoch before this one in which the endpoint was compared.
fn before(
    store: &dyn Store,
    route: &Route,
    epoch: &Epoch,
    observed: &Observed,
) -> Result<Option<Before>, StoreError> {
    let began = observed.moments.began.unwrap_or(UnixMillis(u64::MAX));
    let earlier = store.epochs()?.into_iter().filter(|span| span.epoch != *epoch && span.first < began);
    for span in earlier.take(EPOCHS_BACK) {
        let compared = store.observed(&route.endpoint, &span.epoch)?.tally.compared();
        if compared > 0 {
            return Ok(Some(Before { epoch: span.epoch, compared, last: span.last }));
        }
    }
    Ok(None)
}

/// When the endpoint last fell back, or was let go after it.
fn last_fallback(store: &dyn Store, route: &Route) -> Result<Option<UnixMillis>, StoreError> {
    let transitions = store.transitions(Some(&route.endpoint), TRANSITIONS_BACK)?;
    let fell = transitions
        .iter()
        .find(|transition| [transition.from.hold, transition.flip.to.hold].contains(&Hold::Fallback));
    Ok(fell.map(|transition| transition.flip.at))
}
