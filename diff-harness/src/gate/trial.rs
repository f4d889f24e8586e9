//! Whether the gate can fire at all: a known divergence is put into the comparison path, and must be found.

use super::reason::{Code, Reason, long};
use super::{Demands, Evidence, time};

/// What is wrong with the negative control of this endpoint in this epoch and this process.
pub(super) fn missing(demands: &Demands, evidence: &Evidence<'_>) -> Option<Reason> {
    let trial = evidence.observed.negative_control.as_ref().filter(|trial| trial.tried >= evidence.started);
    let Some(trial) = trial else {
        return Some(Reason::new(
            Code::NegativeControlNever,
            "the negative control has not run: no known divergence was put into the comparison path in this epoch, so \
             nothing shows that one would be found",
        ));
    };
    if !trial.missed.is_empty() {
        let last = match trial.found {
            Some(found) => format!("last found at {}", time(found)),
            None => "never found in this epoch".to_owned(),
        };
        return Some(Reason::new(
            Code::NegativeControlFailed,
            format!(
                "the negative control failed at {}: known divergences were not found ({}); {last}. What is not found here \
                 is not found in real responses",
                time(trial.tried),
                trial.missed.join(", "),
            ),
        ));
    }
    let age = evidence.now.0.saturating_sub(trial.tried.0) / 1000;
    let most = demands.negative_control_age.as_secs();
    (age > most).then(|| {
        Reason::new(
            Code::NegativeControlOld,
            format!("the negative control last ran {} ago, and may be {} old", long(age), long(most)),
        )
    })
}

/// When it last was found.
pub(super) fn stated(evidence: &Evidence<'_>) -> String {
    match evidence.observed.negative_control.as_ref().and_then(|trial| trial.found) {
        Some(found) => format!("negative control: last found at {}", time(found)),
        None => "negative control: never found in this epoch".to_owned(),
    }
}
