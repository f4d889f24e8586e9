//! How long an endpoint takes to move, told as a value stream: the days on which somebody worked on it against the days
//! on which it waited. Pure: the clock is passed in.
//!
//! Migrations die of waiting, so the waiting is what is shown.

mod open;

pub use open::OpenGroups;

use std::collections::{BTreeMap, BTreeSet};

use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::gate::GateAnswer;
use crate::lifecycle::{Hold, Route, Stage, Transition};
use crate::store::EpochSpan;
use crate::triage::Entry;

/// Who the proxy is in the audit log when it moves an endpoint by itself.
pub const PROXY: &str = "strangler";

const DAY_MS: u64 = 86_400_000;

/// What is known of one endpoint.
#[derive(Clone, Copy, Debug)]
pub struct Past<'a> {
    pub route: &'a Route,
    /// Its transitions, in any order.
    pub transitions: &'a [Transition],
    /// What was decided on its groups, in any order.
    pub decisions: &'a [Entry],
    /// Epochs of all endpoints: a deployment or a rule change is work on all that are on their way.
    pub epochs: &'a [EpochSpan],
}

/// Where an endpoint's time went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Stream {
    /// How long it stood at each stage, in milliseconds, from its first move on.
    pub in_stage_ms: BTreeMap<&'static str, u64>,
    /// Days, in UTC, on which somebody moved, held or resumed it, decided on one of its groups, or deployed either side
    /// or changed the rules. What the proxy did by itself is no work.
    pub working_days: u64,
    /// The other days from its first move until it was retired, or until now.
    pub waiting_days: u64,
    /// When it was last worked on.
    pub last_work: Option<UnixMillis>,
}

/// What an endpoint waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitsFor {
    /// Its first move.
    Begin,
    /// A person to resume it.
    Resume(Hold),
    /// Decisions on this many of its groups.
    Decisions(u64),
    /// Fixes of this many of its groups.
    Fixes(u64),
    /// More evidence: the gate is inconclusive.
    Evidence,
    /// A look at why the gate fails without an open group.
    Gate,
    /// A promotion: the gate passes.
    Promotion,
}

/// What it waits for, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stall {
    pub waits_for: WaitsFor,
    pub since: UnixMillis,
}

impl WaitsFor {
    /// In words, after "waits for".
    pub fn words(self) -> String {
        let groups = |n: u64| if n == 1 { "1 group".to_owned() } else { format!("{n} groups") };
        match self {
            Self::Begin => "its first move".to_owned(),
            Self::Resume(hold) => format!("somebody to resume it ({hold})"),
            Self::Decisions(n) => format!("a decision on {}", groups(n)),
            Self::Fixes(n) => format!("a fix of {}", groups(n)),
            Self::Evidence => "evidence".to_owned(),
            Self::Gate => "a look at the gate".to_owned(),
            Self::Promotion => "a promotion".to_owned(),
        }
    }
}

impl Stream {
    pub fn of(past: &Past<'_>, now: UnixMillis) -> Self {
        let mut transitions: Vec<_> = past.transitions.iter().collect();
        transitions.sort_by_key(|transition| transition.sequence);
        let Some(first) = transitions.first() else { return Self::default() };
        let begun = first.flip.at;
        let retired = transitions
            .iter()
            .rev()
            .find(|transition| transition.from.stage != transition.flip.to.stage)
            .filter(|transition| transition.flip.to.stage == Stage::Retired)
            .map(|transition| transition.flip.at);
        let end = retired.unwrap_or(now).max(begun);

        let mut in_stage_ms: BTreeMap<&'static str, u64> = BTreeMap::new();
        for (place, transition) in transitions.iter().enumerate() {
            let until = transitions.get(place + 1).map_or(now, |next| next.flip.at);
            let stayed = until.0.saturating_sub(transition.flip.at.0);
            *in_stage_ms.entry(transition.flip.to.stage.as_str()).or_default() += stayed;
        }

        let moved = transitions.iter().filter(|transition| transition.flip.actor != PROXY);
        let work = moved
            .map(|transition| transition.flip.at)
            .chain(past.decisions.iter().filter(|entry| entry.wish.actor != PROXY).map(|entry| entry.wish.at))
            .chain(past.epochs.iter().map(|span| span.first))
            .filter(|at| (begun..=end).contains(at));
        let work: Vec<UnixMillis> = work.collect();
        let days: BTreeSet<u64> = work.iter().map(|at| at.0 / DAY_MS).collect();
        let all = end.0 / DAY_MS - begun.0 / DAY_MS + 1;
        let working_days = days.len() as u64;
        Self {
            in_stage_ms,
            working_days,
            waiting_days: all.saturating_sub(working_days),
            last_work: work.into_iter().max(),
        }
    }
}

/// What an endpoint waits for now; `None` once it is retired. `gate` is the answer to its next move, where it was asked.
pub fn stall(
    route: &Route,
    stream: &Stream,
    held_since: Option<UnixMillis>,
    open: &OpenGroups,
    gate: Option<&GateAnswer>,
) -> Option<Stall> {
    let since_work = stream.last_work.unwrap_or(route.since).max(route.since);
    if route.standing.stage == Stage::Retired {
        return None;
    }
    if route.standing.hold != Hold::None {
        let waits_for = WaitsFor::Resume(route.standing.hold);
        return Some(Stall { waits_for, since: held_since.unwrap_or(route.since) });
    }
    if route.standing.stage == Stage::Legacy {
        return Some(Stall { waits_for: WaitsFor::Begin, since: route.since });
    }
    if let Some(oldest) = open.undecided.oldest {
        return Some(Stall { waits_for: WaitsFor::Decisions(open.undecided.groups), since: oldest });
    }
    if let Some(oldest) = open.decided.oldest {
        return Some(Stall { waits_for: WaitsFor::Fixes(open.decided.groups), since: oldest });
    }
    let waits_for = match gate {
        Some(GateAnswer::Fail) => WaitsFor::Gate,
        Some(GateAnswer::Pass) => WaitsFor::Promotion,
        Some(GateAnswer::Inconclusive) | None => WaitsFor::Evidence,
    };
    Some(Stall { waits_for, since: since_work })
}

/// How far an estate is: endpoints that the candidate answers for all, and what is in its way.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BurnDown {
    pub endpoints: u64,
    /// At `legacy`: nothing has begun.
    pub not_begun: u64,
    /// Between `legacy` and `live`.
    pub on_the_way: u64,
    /// At `live` or `soak`, and not fallen back.
    pub moved: u64,
    pub retired: u64,
    /// Held, of all.
    pub held: u64,
    /// With an open exposure, of all.
    pub exposed: u64,
}

impl BurnDown {
    pub fn of<'a>(routes: impl IntoIterator<Item = (&'a Route, Option<Severity>)>) -> Self {
        let mut sum = Self::default();
        for (route, worst) in routes {
            sum.endpoints += 1;
            let fell_back = route.standing.hold == Hold::Fallback;
            *match route.standing.stage {
                Stage::Legacy => &mut sum.not_begun,
                Stage::Live | Stage::Soak if !fell_back => &mut sum.moved,
                Stage::Retired => &mut sum.retired,
                _ => &mut sum.on_the_way,
            } += 1;
            sum.held += u64::from(route.standing.hold != Hold::None);
            sum.exposed += u64::from(worst == Some(Severity::Exposure));
        }
        sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::divergence::{Divergence, Kind, Location};
    use crate::fingerprint::Fingerprint;
    use crate::lifecycle::{Declaration, Flip, Standing};
    use crate::redact::Redacted;
    use crate::store::{Epoch, Group, GroupSum};
    use crate::triage::{Act, Call, Decided, Decision, Sightings, State, Triaged, Wish};

    const GROUP: &str = "v1-0123456789abcdef";

    fn at(day: u64) -> UnixMillis {
        UnixMillis(day * DAY_MS + 1)
    }

    fn route(stage: Stage, hold: Hold) -> Route {
        Route {
            endpoint: "GET /a".parse().unwrap(),
            standing: Standing { stage, hold },
            revision: 1,
            since: at(1),
            declaration: Declaration::default(),
        }
    }

    fn moved(sequence: u64, from: Stage, to: Stage, actor: &str, when: UnixMillis) -> Transition {
        let standing = |stage| Standing { stage, hold: Hold::None };
        let flip = Flip {
            endpoint: "GET /a".parse().unwrap(),
            expected_revision: sequence - 1,
            to: standing(to),
            actor: actor.to_owned(),
            reason: String::new(),
            forced: false,
            evidence: "null".to_owned(),
            at: when,
        };
        Transition { sequence, from: standing(from), revision: sequence, flip }
    }

    fn decided(day: u64) -> Entry {
        let wish = Wish {
            group: GROUP.parse().unwrap(),
            act: Act::Undo,
            actor: "ann".into(),
            reason: String::new(),
            at: at(day),
            expected: None,
        };
        Entry { sequence: 1, endpoint: None, wish, takes_back: None, part: None }
    }

    fn deployed(day: u64) -> EpochSpan {
        EpochSpan { epoch: Epoch::default(), first: at(day), last: at(day) }
    }

    fn stream(
        transitions: &[Transition],
        decisions: &[Entry],
        epochs: &[EpochSpan],
        now: UnixMillis,
    ) -> Stream {
        let route = route(Stage::Shadow, Hold::None);
        Stream::of(&Past { route: &route, transitions, decisions, epochs }, now)
    }

    #[test]
    fn days_on_which_nobody_did_anything_are_waiting_days() {
        let transitions = [
            moved(1, Stage::Legacy, Stage::Shadow, "ann", at(10)),
            moved(2, Stage::Shadow, Stage::Live, "ann", at(17)),
        ];
        let found = stream(&transitions, &[decided(12), decided(12)], &[deployed(3), deployed(14)], at(20));
        // Worked on at days 10, 12, 14 and 17, of the eleven from 10 to 20.
        assert_eq!((found.working_days, found.waiting_days), (4, 7));
        assert_eq!(found.last_work, Some(at(17)));
        assert_eq!(found.in_stage_ms, [("shadow", 7 * DAY_MS), ("live", 3 * DAY_MS)].into());
    }

    #[test]
    fn what_the_proxy_does_by_itself_is_no_work() {
        let transitions = [
            moved(1, Stage::Legacy, Stage::Live, "ann", at(1)),
            moved(2, Stage::Live, Stage::Live, PROXY, at(2)),
        ];
        let found = stream(&transitions, &[], &[], at(3));
        assert_eq!((found.working_days, found.waiting_days), (1, 2));
    }

    #[test]
    fn after_it_is_retired_nothing_waits_and_before_it_began_nothing_did() {
        let transitions = [
            moved(1, Stage::Legacy, Stage::Soak, "ann", at(1)),
            moved(2, Stage::Soak, Stage::Retired, "ann", at(3)),
        ];
        let found = stream(&transitions, &[], &[], at(300));
        assert_eq!((found.working_days, found.waiting_days), (2, 1));
        assert_eq!(stream(&[], &[], &[deployed(1)], at(300)), Stream::default());
        assert_eq!(
            stall(&route(Stage::Retired, Hold::None), &found, None, &OpenGroups::default(), None),
            None
        );
    }

    fn group(state: State, first_seen: u64) -> (Triaged, State) {
        let divergence = Divergence {
            kind: Kind::Value,
            severity: Severity::Changed,
            location: Location::Status,
            detail: None,
            control: None,
            candidate: None,
        };
        let group = Group {
            fingerprint: Fingerprint::of(&"GET /a".parse().unwrap(), &divergence),
            endpoint: "GET /a".parse().unwrap(),
            kind: Kind::Value,
            severity: Severity::Changed,
            location: "status".into(),
            detail: None,
            count: 1,
            exchanges: 1,
            first_seen: at(first_seen),
            last_seen: at(first_seen),
            example: Redacted::stored(divergence),
        };
        let decision = Decision {
            group: GROUP.parse().unwrap(),
            call: Call::Bug,
            actor: String::new(),
            owner: String::new(),
            reason: String::new(),
            expires: Some(at(6)),
            epoch: String::new(),
            at: at(5),
        };
        let decided = (state != State::New).then_some(Decided { sequence: 1, decision });
        (Triaged { group, decided, since: Sightings::default(), part: None, newest_entry: 0 }, state)
    }

    fn opened(groups: &[(Triaged, State)]) -> OpenGroups {
        let mut open = OpenGroups::default();
        groups.iter().for_each(|(triaged, state)| open.add(triaged, *state));
        open
    }

    #[test]
    fn groups_that_are_only_counted_are_waited_for_like_those_that_were_read() {
        let mut open = opened(&[group(State::Bug, 2), group(State::Expired, 3)]);
        let sum = GroupSum {
            endpoint: "GET /a".parse().unwrap(),
            severity: Severity::Breaking,
            groups: 7,
            oldest: at(4),
        };
        open.add_new(&sum);
        assert_eq!(open.worst(), Some(Severity::Breaking));
        let stall = stall(&route(Stage::Shadow, Hold::None), &Stream::default(), None, &open, None).unwrap();
        assert_eq!((stall.waits_for, stall.since), (WaitsFor::Decisions(8), at(4)));
        assert!(opened(&[group(State::Verified, 2)]).is_empty(), "what passes is waited for by nobody");
    }

    #[test]
    fn an_endpoint_waits_for_the_first_thing_that_is_in_its_way() {
        let worked = Stream { last_work: Some(at(4)), ..Stream::default() };
        let shadow = route(Stage::Shadow, Hold::None);
        let of = |route: &Route, open: &[_], gate: Option<&GateAnswer>| {
            stall(route, &worked, Some(at(3)), &opened(open), gate)
                .map(|stall| (stall.waits_for, stall.since))
        };
        let inconclusive = GateAnswer::Inconclusive;
        let fallback = route(Stage::Live, Hold::Fallback);
        assert_eq!(of(&fallback, &[], None), Some((WaitsFor::Resume(Hold::Fallback), at(3))));
        assert_eq!(of(&route(Stage::Legacy, Hold::None), &[], None), Some((WaitsFor::Begin, at(1))));
        let open = [group(State::Bug, 2), group(State::New, 3), group(State::New, 2)];
        assert_eq!(of(&shadow, &open, Some(&inconclusive)), Some((WaitsFor::Decisions(2), at(2))));
        assert_eq!(of(&shadow, &open[..1], Some(&inconclusive)), Some((WaitsFor::Fixes(1), at(5))));
        let expired = [group(State::Expired, 2)];
        assert_eq!(of(&shadow, &expired, None), Some((WaitsFor::Decisions(1), at(6))));
        assert_eq!(of(&shadow, &[], Some(&inconclusive)), Some((WaitsFor::Evidence, at(4))));
        assert_eq!(of(&shadow, &[], Some(&GateAnswer::Pass)), Some((WaitsFor::Promotion, at(4))));
        assert_eq!(of(&shadow, &[], Some(&GateAnswer::Fail)), Some((WaitsFor::Gate, at(4))));
    }

    #[test]
    fn a_burn_down_counts_every_endpoint_once() {
        let routes = [
            route(Stage::Legacy, Hold::None),
            route(Stage::Shadow, Hold::Paused),
            route(Stage::Live, Hold::None),
            route(Stage::Live, Hold::Fallback),
            route(Stage::Retired, Hold::None),
        ];
        let sum = BurnDown::of(routes.iter().map(|route| (route, Some(Severity::Exposure))));
        assert_eq!(sum.not_begun + sum.on_the_way + sum.moved + sum.retired, sum.endpoints);
        assert_eq!((sum.endpoints, sum.moved, sum.on_the_way, sum.held, sum.exposed), (5, 1, 2, 2, 5));
    }
}
