//! What a step demands of an answer before anything can be said of it.

use http::StatusCode;

use crate::exchange::{Observation, Outcome, Response};
use crate::suite::Step;

/// Control's answer is the truth; is it the one that the suite is about?
pub(super) fn of_control(step: &Step, response: &Response) -> Result<(), String> {
    if step.expect.is_some() || step.setup { check(step, "control", response) } else { Ok(()) }
}

/// What others build on must be there on both sides.
pub(super) fn of_candidate(step: &Step, observation: &Observation) -> Result<(), String> {
    match &observation.outcome {
        Outcome::Response(response) => check(step, "the candidate", response),
        Outcome::Failure(failure) => {
            Err(format!("the candidate gave no whole response ({})", failure.as_str()))
        }
    }
}

fn check(step: &Step, side: &str, response: &Response) -> Result<(), String> {
    let status: StatusCode = response.status;
    match step.expect {
        Some(expected) if expected == status => Ok(()),
        Some(expected) => {
            Err(format!("{side} answered {}, and {} is expected", status.as_u16(), expected.as_u16()))
        }
        None if status.is_success() || status.is_redirection() => Ok(()),
        None => Err(format!("{side} answered {} to a request that others build on", status.as_u16())),
    }
}
