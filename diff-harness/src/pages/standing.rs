//! Where an endpoint stands, in the words of a page.

use crate::lifecycle::ladder::{climb, is_forward};
use crate::lifecycle::{Hold, Route, Stage, Standing};

/// One stage of the ladder.
#[derive(Clone, Debug)]
pub struct LadderStep {
    pub name: String,
    pub is_here: bool,
    pub is_past: bool,
}

impl LadderStep {
    pub fn all(route: &Route) -> Vec<Self> {
        let here = route.standing.stage;
        let mut steps: Vec<Stage> = climb(route.endpoint.is_safe()).collect();
        // A canary of a weight that is no step of the ladder stands in its place on it.
        if !steps.contains(&here) {
            let place = steps.iter().position(|step| is_forward(here, *step)).unwrap_or(steps.len());
            steps.insert(place, here);
        }
        let step = |step: Stage| Self {
            name: step.to_string(),
            is_here: step == here,
            is_past: is_forward(step, here),
        };
        steps.into_iter().map(step).collect()
    }
}

/// Of the clients that the candidate answers.
pub fn share(standing: Standing) -> String {
    match (standing.hold, standing.stage) {
        (Hold::Fallback, _) | (_, Stage::Legacy | Stage::Shadow | Stage::Record | Stage::Verify) => {
            "0 %".to_owned()
        }
        (_, Stage::Canary(weight)) => weight.to_string().replace('%', " %"),
        (_, Stage::Live | Stage::Soak | Stage::Retired) => "100 %".to_owned(),
    }
}

/// Nothing where nothing holds it.
pub fn held(hold: Hold) -> &'static str {
    match hold {
        Hold::None => "",
        hold => hold.as_str(),
    }
}

/// Whether the candidate answers all clients there.
pub fn is_moved(stage: Stage) -> bool {
    matches!(stage, Stage::Live | Stage::Soak | Stage::Retired)
}
