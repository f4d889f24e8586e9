//! Who answers a request, and who else is asked. Pure.

use diff_harness::comparison::SkipReason;
use diff_harness::endpoint::SafeMethod;
use diff_harness::exchange::Side;
use diff_harness::lifecycle::{Hold, Stage, Standing};

use super::cohort::Cohort;

/// What happens with one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan {
    /// The side whose response goes to the client.
    pub answer: Side,
    /// The side that is asked off the client's path, or why none is.
    pub shadow: Result<Shadow, SkipReason>,
    /// Whether control answers when the candidate failed. What was sent already limits that: an unsafe request
    /// of which a byte may have been sent is not sent again.
    pub fallback: bool,
}

/// The right to send a request a second time. Only a safe method gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shadow {
    pub method: SafeMethod,
    pub to: Side,
}

/// Decides by the stage alone; a hold of `fallback` sends everything back to control, `paused` changes nothing.
///
/// The cohort is asked for only where it matters, since it costs a hash.
pub fn decide(standing: Standing, safe: Option<SafeMethod>, cohort: impl FnOnce() -> Cohort) -> Plan {
    if standing.hold == Hold::Fallback {
        return Plan::control(Err(SkipReason::Stage));
    }
    let shadow = |to| safe.map(|method| Shadow { method, to }).ok_or(SkipReason::UnsafeMethod);
    match standing.stage {
        Stage::Legacy => Plan::control(Err(SkipReason::Stage)),
        Stage::Record | Stage::Verify => {
            Plan::control(Err(if safe.is_some() { SkipReason::Stage } else { SkipReason::UnsafeMethod }))
        }
        Stage::Canary(weight) if cohort().is_within(weight) => Plan::candidate(shadow(Side::Control), true),
        Stage::Shadow | Stage::Canary(_) => Plan::control(shadow(Side::Candidate)),
        Stage::Live => Plan::candidate(shadow(Side::Control), true),
        Stage::Soak => Plan::candidate(Err(SkipReason::Stage), true),
        Stage::Retired => Plan::candidate(Err(SkipReason::Stage), false),
    }
}

/// What is done with an unsafe request besides forwarding it once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Witness {
    /// It is captured, with control's response.
    Record,
    /// It is captured, and the candidate is asked what it would do.
    Verify,
    /// Its head is kept, to read what it has left behind.
    ReadBack,
}

impl Witness {
    /// What its stage asks for; nothing for a safe request, and nothing after a fallback. `read_back`: whether it is
    /// declared where what it writes is read.
    pub fn of(standing: Standing, safe: Option<SafeMethod>, read_back: bool) -> Option<Self> {
        match (standing.stage, safe, standing.hold) {
            (_, Some(_), _) | (_, _, Hold::Fallback) => None,
            (Stage::Record, ..) => Some(Self::Record),
            (Stage::Verify, ..) => Some(Self::Verify),
            (Stage::Canary(_) | Stage::Live, ..) if read_back => Some(Self::ReadBack),
            _ => None,
        }
    }
}

impl Plan {
    /// What happens with a request that no endpoint matches.
    pub const UNMATCHED: Self = Self::control(Err(SkipReason::Unmatched));

    const fn control(shadow: Result<Shadow, SkipReason>) -> Self {
        Self { answer: Side::Control, shadow, fallback: false }
    }

    const fn candidate(shadow: Result<Shadow, SkipReason>, fallback: bool) -> Self {
        Self { answer: Side::Candidate, shadow, fallback }
    }
}

#[cfg(test)]
mod tests {
    use diff_harness::lifecycle::Weight;

    use super::*;

    const GET: Option<SafeMethod> = Some(SafeMethod::Get);
    const POST: Option<SafeMethod> = None;
    const INSIDE: Cohort = Cohort::Place(99);
    const OUTSIDE: Cohort = Cohort::Place(100);

    fn at(stage: Stage, safe: Option<SafeMethod>, cohort: Cohort) -> Plan {
        decide(Standing { stage, hold: Hold::None }, safe, || cohort)
    }

    fn canary() -> Stage {
        Stage::Canary(Weight::new(100).unwrap())
    }

    fn all_stages() -> [Stage; 8] {
        use Stage::{Legacy, Live, Record, Retired, Soak, Verify};
        [Legacy, Stage::Shadow, Record, Verify, canary(), Live, Soak, Retired]
    }

    #[test]
    fn a_safe_request_goes_where_its_stage_says() {
        let to = |to| Ok(Shadow { method: SafeMethod::Get, to });
        let none = Err(SkipReason::Stage);
        for (stage, cohort, answer, shadow, fallback) in [
            (Stage::Legacy, INSIDE, Side::Control, none, false),
            (Stage::Shadow, INSIDE, Side::Control, to(Side::Candidate), false),
            (canary(), INSIDE, Side::Candidate, to(Side::Control), true),
            (canary(), OUTSIDE, Side::Control, to(Side::Candidate), false),
            (canary(), Cohort::NoKey, Side::Control, to(Side::Candidate), false),
            (Stage::Live, OUTSIDE, Side::Candidate, to(Side::Control), true),
            (Stage::Soak, OUTSIDE, Side::Candidate, none, true),
            (Stage::Retired, OUTSIDE, Side::Candidate, none, false),
        ] {
            assert_eq!(at(stage, GET, cohort), Plan { answer, shadow, fallback }, "{stage} {cohort:?}");
        }
    }

    #[test]
    fn an_unsafe_request_has_no_shadow_at_any_stage() {
        for stage in all_stages() {
            assert!(at(stage, POST, INSIDE).shadow.is_err(), "{stage}");
        }
    }

    #[test]
    fn an_unsafe_request_is_answered_by_control_until_its_canary() {
        for stage in [Stage::Legacy, Stage::Shadow, Stage::Record, Stage::Verify] {
            assert_eq!(at(stage, POST, INSIDE).answer, Side::Control, "{stage}");
        }
        assert_eq!(at(canary(), POST, INSIDE).answer, Side::Candidate);
        assert_eq!(at(canary(), POST, OUTSIDE).answer, Side::Control);
    }

    #[test]
    fn only_what_is_recorded_or_verified_is_captured() {
        for stage in all_stages() {
            let of = |hold, safe| Witness::of(Standing { stage, hold }, safe, false);
            let expected = match stage {
                Stage::Record => Some(Witness::Record),
                Stage::Verify => Some(Witness::Verify),
                _ => None,
            };
            assert_eq!(of(Hold::None, POST), expected, "{stage}");
            assert_eq!(of(Hold::Paused, POST), expected, "{stage}");
            assert_eq!((of(Hold::None, GET), of(Hold::Fallback, POST)), (None, None), "{stage}");
            let read_back = Witness::of(Standing { stage, hold: Hold::None }, POST, true);
            let expected = match stage {
                Stage::Canary(_) | Stage::Live => Some(Witness::ReadBack),
                _ => expected,
            };
            assert_eq!(read_back, expected, "{stage}");
        }
    }

    #[test]
    fn a_hold_of_fallback_takes_everything_back_to_control() {
        for stage in all_stages() {
            let plan = decide(Standing { stage, hold: Hold::Fallback }, GET, || INSIDE);
            assert_eq!(plan, Plan::control(Err(SkipReason::Stage)), "{stage}");
        }
    }

    #[test]
    fn a_paused_endpoint_keeps_its_routing() {
        for stage in all_stages() {
            let paused = decide(Standing { stage, hold: Hold::Paused }, GET, || INSIDE);
            assert_eq!(paused, at(stage, GET, INSIDE), "{stage}");
        }
    }
}
