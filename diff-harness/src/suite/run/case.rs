//! One case as one persona: its steps in order, each side with its own values.

use std::sync::Arc;

use http::StatusCode;
use tokio::time::Instant;

use super::capture::{Taken, take};
use super::client::{Client, Message};
use super::judge::confirm;
use super::message::{Built, build};
use super::pace::Pace;
use super::plan::Planned;
use super::{Run, demand};
use crate::comparison::Verdict;
use crate::endpoint::SafeMethod;
use crate::exchange::{CapturedBody, Exchange, Observation, Outcome, Request, UnixMillis};
use crate::suite::ids::Names;
use crate::suite::outcome::{CaseResult, StepOutcome, StepResult};
use crate::suite::values::Values;
use crate::suite::{Learn, Pair, Persona, Step};

/// Runs cases one after the other, over one connection to each side.
pub(super) struct Worker<'r> {
    run: &'r Run<'r>,
    pace: Option<&'r Pace>,
    control: Client<'r>,
    candidate: Client<'r>,
}

/// How far a case has come.
struct Course<'c> {
    planned: &'c Planned,
    persona: Option<&'c Persona>,
    control: Values,
    candidate: Values,
    names: Names,
}

impl<'r> Worker<'r> {
    pub(super) fn new(run: &'r Run<'r>, pace: Option<&'r Pace>) -> Self {
        let settings = run.settings;
        let client = |target| Client::new(target, settings.body_bytes_max);
        Self { run, pace, control: client(&settings.control), candidate: client(&settings.candidate) }
    }

    pub(super) async fn case(&mut self, planned: &Planned) -> CaseResult {
        let started = Instant::now();
        let (suite, settings) = (self.run.suite, self.run.settings);
        // A case that only reads and captures nothing can learn nothing: it is spared the book-keeping.
        let learns_nothing = |step: &Step| SafeMethod::of(&step.method).is_some() && step.capture.is_empty();
        let learn = match suite.learn {
            Learn::Writes if planned.case.steps.iter().all(learns_nothing) => Learn::Captures,
            learn => learn,
        };
        let mut course = Course {
            planned,
            persona: planned.persona.as_deref().and_then(|name| suite.personas.get(name)),
            control: suite.values.clone(),
            candidate: suite.values.clone(),
            names: Names::new(learn, &settings.control.authority(), &settings.candidate.authority())
                .decoding_up_to(self.run.judge.comparator.limits().decoded_bytes_max),
        };
        let mut steps = Vec::with_capacity(planned.case.steps.len());
        let mut goes_on = true;
        for step in &planned.case.steps {
            let result = if goes_on {
                let (result, next) = self.step(step, &mut course).await;
                goes_on = next;
                result
            } else {
                result(step, None, StepOutcome::NotRun)
            };
            steps.push(result);
        }
        CaseResult {
            index: planned.index,
            case: Arc::from(planned.case.name.as_str()),
            line: planned.case.line,
            persona: planned.persona.clone(),
            steps,
            duration: started.elapsed(),
        }
    }

    /// Runs one step; says too whether the next one can be run.
    async fn step(&mut self, step: &Step, course: &mut Course<'_>) -> (StepResult, bool) {
        let failed = |answers: Option<&Exchange>, why: String| {
            (result(step, answers, StepOutcome::Failed(why)), false)
        };
        let (suite, settings) = (self.run.suite, self.run.settings);
        let side = |values: &Values, target| {
            build(suite, course.persona, &course.planned.case, step, values, target)
        };
        let (control, candidate) =
            match (side(&course.control, &settings.control), side(&course.candidate, &settings.candidate)) {
                (Ok(control), Ok(candidate)) => (control, candidate),
                (Err(why), _) => return failed(None, format!("control cannot be asked: {why}")),
                (_, Err(why)) => return failed(None, format!("the candidate cannot be asked: {why}")),
            };
        let bodies = (&control.message.body[..], &candidate.message.body[..]);
        let by_name = course.names.asked(&control.path, &candidate.path, bodies);
        let answers = self.ask(step, course.planned, &control, &candidate.message).await;
        let first = self.judged(step, course, answers, by_name);
        let needs_second = settings.confirm
            && SafeMethod::of(&step.method).is_some()
            && !step.setup
            && match &first.outcome {
                StepOutcome::Compared(compared) => compared.verdict == Verdict::Mismatch,
                StepOutcome::Failed(_) => first.is_transport,
                _ => false,
            };
        let mut judged = first;
        if needs_second {
            let answers = self.ask(step, course.planned, &control, &candidate.message).await;
            let second = self.judged(step, course, answers, by_name);
            judged = match judged.outcome {
                StepOutcome::Compared(first) => Judged { outcome: confirm(first, second.outcome), ..second },
                _ => second,
            };
        }
        let Judged { answers, outcome, bound, .. } = judged;
        let goes_on = match bound {
            Some(bound) => {
                (course.control, course.candidate, course.names) = bound;
                true
            }
            None => false,
        };
        if goes_on && step.method == http::Method::DELETE && both_succeeded(&answers) {
            forget(&mut course.names, &control.path, &candidate.path);
        }
        (result(step, Some(&answers), outcome), goes_on)
    }

    /// Both at once, but for a write to what the two sides share: there control goes first.
    async fn ask(&mut self, step: &Step, planned: &Planned, built: &Built, candidate: &Message) -> Exchange {
        let control = &built.message;
        if let Some(pace) = self.pace {
            tokio::time::sleep_until(pace.reserve()).await;
        }
        let at_once = SafeMethod::of(&step.method).is_some() || self.run.suite.pair == Pair::Isolated;
        let (control, candidate) = if at_once {
            tokio::join!(self.control.ask(control), self.candidate.ask(candidate))
        } else {
            (self.control.ask(control).await, self.candidate.ask(candidate).await)
        };
        Exchange {
            id: format!("case-{}", planned.index),
            at: UnixMillis(0),
            endpoint: step.endpoint.clone(),
            request: Request {
                method: step.method.clone(),
                target: built.path.clone(),
                headers: built.message.headers.clone(),
                body: CapturedBody::Whole(built.message.body.clone()),
            },
            control,
            candidate,
        }
    }

    fn judged(&self, step: &Step, course: &Course<'_>, answers: Exchange, by_name: bool) -> Judged {
        let reached = self.reached(step, course, &answers, by_name);
        let is_transport = matches!(answers.control.outcome, Outcome::Failure(_));
        match reached {
            Ok((outcome, bound)) => Judged { answers, outcome, bound, is_transport },
            Err(why) => Judged { answers, outcome: StepOutcome::Failed(why), bound: None, is_transport },
        }
    }

    /// The outcome, and what the following steps build on if they can be run; or why nothing can be said.
    fn reached(
        &self,
        step: &Step,
        course: &Course<'_>,
        answers: &Exchange,
        by_name: bool,
    ) -> Result<(StepOutcome, Option<Bound>), String> {
        let control = match &answers.control.outcome {
            Outcome::Response(response) => response,
            Outcome::Failure(failure) => {
                return Err(format!("control gave no whole response ({})", failure.as_str()));
            }
        };
        demand::of_control(step, control)?;
        if step.setup {
            demand::of_candidate(step, &answers.candidate)?;
        }
        let candidate = match &answers.candidate.outcome {
            Outcome::Response(response) => Some(response),
            Outcome::Failure(_) => None,
        };
        let mut values = (course.control.clone(), course.candidate.clone());
        let mut names = course.names.clone();
        let Taken { violations, learned, missing } = take(step, control, candidate, &mut values, &mut names)?;
        if step.setup {
            return match missing {
                None => Ok((StepOutcome::Prepared, Some((values.0, values.1, names)))),
                Some(why) => Err(why),
            };
        }
        let mut outcome = self.run.judge.judge(&mut names, by_name, answers, violations, learned);
        match (missing, &mut outcome) {
            (None, _) => Ok((outcome, Some((values.0, values.1, names)))),
            // What was found stands; what would need the value cannot be asked.
            (Some(why), StepOutcome::Compared(compared)) if compared.verdict == Verdict::Mismatch => {
                compared.notes.push(why);
                Ok((outcome, None))
            }
            (Some(why), _) => Err(why),
        }
    }
}

/// What later steps build on: each side's values, and the names.
type Bound = (Values, Values, Names);

/// A judged step, with what the following ones build on if they can.
struct Judged {
    answers: Exchange,
    outcome: StepOutcome,
    bound: Option<Bound>,
    is_transport: bool,
}

/// What was deleted on both sides gives its names back.
fn forget(names: &mut Names, control: &str, candidate: &str) {
    let last = |path: &str| {
        let path = path.split('?').next().unwrap_or_default();
        path.trim_end_matches('/').rsplit('/').next().unwrap_or_default().to_owned()
    };
    names.forget(&last(control), &last(candidate));
}

fn both_succeeded(answers: &Exchange) -> bool {
    [&answers.control, &answers.candidate]
        .into_iter()
        .all(|side| status(side).is_some_and(|s| s.is_success()))
}

fn status(observation: &Observation) -> Option<StatusCode> {
    match &observation.outcome {
        Outcome::Response(response) => Some(response.status),
        Outcome::Failure(_) => None,
    }
}

fn result(step: &Step, answers: Option<&Exchange>, outcome: StepOutcome) -> StepResult {
    StepResult {
        name: step.name.clone(),
        line: step.line,
        endpoint: step.endpoint.clone(),
        control: answers.and_then(|answers| status(&answers.control)),
        candidate: answers.and_then(|answers| status(&answers.candidate)),
        outcome,
    }
}
