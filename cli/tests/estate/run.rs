//! Drives the same requests against two isolated estates and compares what they answer.
//!
//! A chapter is a sequence: both sides start from equal databases, get the same requests one by one, and so stand at
//! equal states at every step, writes included. Chapters run side by side and are independent: each is made from the
//! seed and its number alone, so that one can be repeated without the others.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use diff_harness::{
    compare::Comparator,
    comparison::Judgement,
    divergence::Severity,
    exchange::{CapturedBody, Observation, Outcome, Request},
};
use fastrand::Rng;
use http::{HeaderValue, Method, header};
use serde_json::Value;
use tokio::{sync::Semaphore, task::JoinSet};

use estate_traffic::{
    ask::{Ask, HOST},
    client::Client,
    endpoint::{Dialect, Endpoint},
    estate::DRY_RUN,
    persona::Persona,
    world::{World, token_of},
};

use crate::{
    estate::{Candidate, Estate},
    outcomes::{Finding, Outcomes, one_sided_headers},
};

#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) seed: u64,
    /// At least so many; a chapter is never cut.
    pub(crate) requests: u64,
    /// Only this chapter.
    pub(crate) chapter: Option<u64>,
    pub(crate) stop: Stop,
    pub(crate) candidate: Candidate,
    pub(crate) comparator: Arc<Comparator>,
}

/// When there is nothing more to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Never,
    AtFirst,
    AtExposure,
}

/// Enough to send every endpoint as every persona once.
pub(crate) const CHAPTER: u64 = 2_000;
/// Chapters at once: while one waits for a writer, others compute.
const LANES: usize = 4;

pub(crate) async fn run(plan: &Plan) -> Outcomes {
    let endpoints = Arc::new(Endpoint::all());
    let chapters: Vec<u64> = match plan.chapter {
        Some(one) => vec![one],
        None => (0..plan.requests.div_ceil(CHAPTER)).collect(),
    };
    let stop = Arc::new(AtomicBool::new(false));
    let lanes = Arc::new(Semaphore::new(LANES));
    let mut running = JoinSet::new();
    for number in chapters {
        let (plan, endpoints) = (plan.clone(), Arc::clone(&endpoints));
        let (stop, lanes) = (Arc::clone(&stop), Arc::clone(&lanes));
        running.spawn(async move {
            let _lane = lanes.acquire().await.expect("nobody closes the semaphore");
            if stop.load(Ordering::Relaxed) {
                return Outcomes::default();
            }
            Chapter::start(&plan, number, &endpoints).await.run(&stop).await
        });
    }
    let mut all = Outcomes::default();
    while let Some(chapter) = running.join_next().await {
        all.add(chapter.expect("a chapter does not panic"));
    }
    all.findings.sort_by_key(|finding| (finding.chapter, finding.step));
    all
}

struct Chapter<'p> {
    plan: &'p Plan,
    number: u64,
    endpoints: &'p [Endpoint],
    rng: Rng,
    world: World,
    control: (Estate, Client),
    candidate: (Estate, Client),
    step: u64,
    outcomes: Outcomes,
}

/// Between writes that go around the service.
const FOREIGN_EVERY: u64 = 25;

impl<'p> Chapter<'p> {
    async fn start(plan: &'p Plan, number: u64, endpoints: &'p [Endpoint]) -> Self {
        let mut rng = Rng::with_seed(plan.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(number));
        let (control, candidate) = tokio::join!(Estate::control(), Estate::start(&plan.candidate));
        let world = World::load(control.store.clone(), &mut rng).await;
        let asked = |estate: Estate| {
            let client = Client::new(estate.address);
            (estate, client)
        };
        let (control, candidate) = (asked(control), asked(candidate));
        Self {
            plan,
            number,
            endpoints,
            rng,
            world,
            control,
            candidate,
            step: 0,
            outcomes: Outcomes::default(),
        }
    }

    async fn run(mut self, stop: &AtomicBool) -> Outcomes {
        let mut pairs: Vec<(usize, Persona)> = Vec::new();
        for endpoint in 0..self.endpoints.len() {
            pairs.extend(Persona::ALL.map(|persona| (endpoint, persona)));
            // Most others are refused before a write has done anything.
            if self.endpoints[endpoint].is_write() {
                pairs.extend([(endpoint, Persona::Owner); 3]);
            }
        }
        self.rng.shuffle(&mut pairs);
        let mut next = pairs.iter().cycle();
        for count in 0..CHAPTER {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            if count % FOREIGN_EVERY == FOREIGN_EVERY - 1 {
                self.foreign().await;
            }
            let (endpoint, persona) = *next.next().expect("a cycle has no end");
            let ask = Ask::make(&mut self.rng, self.endpoints, endpoint, persona, &self.world);
            let dry = self.dry_run(&ask).await;
            let answer = self.compare(&ask).await;
            if let Some((dry_ask, dry)) = dry {
                self.judge(&dry_ask, &answer, &dry);
            }
            self.world.learn(&ask, &answer);
            if self.endpoints[endpoint].is_write() && is_success(&answer) {
                self.read_back(&ask).await;
                // Some clients send everything twice.
                if self.rng.u8(..5) == 0 {
                    self.compare(&ask).await;
                    self.read_back(&ask).await;
                }
            } else {
                self.revalidate(&ask, &answer).await;
            }
            if self.plan.stop.is_reached(&self.outcomes) {
                stop.store(true, Ordering::Relaxed);
            }
        }
        self.end().await
    }

    /// Both sides get the request, and what they answer is judged. Returns control's answer.
    async fn compare(&mut self, ask: &Ask) -> Observation {
        self.step += 1;
        let (control, candidate) = tokio::join!(self.control.1.ask(ask), self.candidate.1.ask(ask));
        if let Outcome::Response(response) = &control.outcome {
            let statuses = self.outcomes.statuses.entry(ask.endpoint).or_default();
            *statuses.entry(response.status.as_u16()).or_default() += 1;
        }
        self.judge(ask, &control, &candidate);
        if is_success(&control) && is_success(&candidate) {
            self.outcomes.time(ask.endpoint, control.latency, candidate.latency);
        }
        control
    }

    fn judge(&mut self, ask: &Ask, control: &Observation, candidate: &Observation) {
        let request = Request {
            method: ask.method.clone(),
            target: ask.target.clone(),
            headers: ask.headers.clone(),
            body: CapturedBody::Whole(ask.body.clone()),
        };
        let id = &self.endpoints[ask.endpoint].id;
        let outcomes = &mut self.outcomes;
        let pair = outcomes.pairs.entry((ask.endpoint, ask.persona)).or_default();
        pair.0 += 1;
        match self.plan.comparator.compare(id, &request, control, candidate) {
            Judgement::Skipped(_) => outcomes.skipped += 1,
            Judgement::Compared(comparison) => {
                outcomes.compared += 1;
                outcomes.both_failed += u64::from(comparison.both_failed);
                for rule in &comparison.applied {
                    if !outcomes.applied.contains(rule) {
                        outcomes.applied.insert(rule.clone());
                    }
                }
                let headers = one_sided_headers(control, candidate);
                if !comparison.divergences.is_empty() || !headers.is_empty() {
                    pair.1 += 1;
                    outcomes.findings.push(Finding {
                        chapter: self.number,
                        step: self.step,
                        after: outcomes.compared,
                        ask: ask.clone(),
                        comparison,
                        headers,
                    });
                }
            }
        }
    }

    /// Some writes are tried by the service first. It must answer as control then answers to the write itself, and
    /// must have kept nothing: else the write that follows, or the events in the end, tell.
    async fn dry_run(&mut self, ask: &Ask) -> Option<(Ask, Observation)> {
        let tried = matches!(self.plan.candidate, Candidate::Service(_))
            && self.endpoints[ask.endpoint].is_write()
            && ask.method == *self.endpoints[ask.endpoint].id.method()
            && self.rng.u8(..4) == 0;
        if !tried {
            return None;
        }
        let mut ask = ask.clone();
        ask.headers.insert(DRY_RUN, HeaderValue::from_static("true"));
        let answer = self.candidate.1.ask(&ask).await;
        Some((ask, answer))
    }

    /// Some of what came with a tag is asked for again by whoever kept it.
    async fn revalidate(&mut self, ask: &Ask, answer: &Observation) {
        let Outcome::Response(response) = &answer.outcome else { return };
        let Some(tag) = response.headers.get(header::ETAG).filter(|_| ask.method == Method::GET) else {
            return;
        };
        if self.rng.u8(..20) == 0 {
            let mut ask = ask.clone();
            ask.headers.insert(header::IF_NONE_MATCH, tag.clone());
            self.compare(&ask).await;
        }
    }

    /// After a write: the playlist as its owner finds it now, in any dialect.
    async fn read_back(&mut self, written: &Ask) {
        self.world.refresh(written.playlist).await;
        let Some(id) = written.playlist.or_else(|| self.world.newest_made()) else { return };
        let owner = self.world.playlist(id).and_then(|thing| token_of(thing.owner));
        let dialect = [Dialect::Public, Dialect::Mobile, Dialect::Web][self.rng.usize(..3)];
        let ask = Ask::read_back(self.endpoints, written, dialect, id, owner);
        self.compare(&ask).await;
    }

    /// A write to what is no playlist endpoint: both monoliths get it, and the service hears of it by events only.
    async fn foreign(&mut self) {
        let track = &self.world.tracks[self.world.biased(&mut self.rng, self.world.tracks.len(), 20)];
        let (id, owner) = (track.id, token_of(track.owner));
        let someone = token_of(self.rng.i64(1..=10));
        let user = self.rng.i64(1..=10);
        let json = |value: Value| value.to_string();
        let (method, target, token, body) = match self.rng.u8(..9) {
            0 => (Method::PUT, format!("/tracks/{id}"), owner, json(sharing("private"))),
            1 | 2 => (Method::PUT, format!("/tracks/{id}"), owner, json(sharing("public"))),
            3 => (Method::POST, format!("/likes/tracks/{id}"), someone, String::new()),
            4 => (Method::DELETE, format!("/likes/tracks/{id}"), someone, String::new()),
            5 => (Method::PUT, format!("/me/followings/{user}"), someone, String::new()),
            6 => (Method::DELETE, format!("/me/followings/{user}"), someone, String::new()),
            7 if id > 1500 => (Method::DELETE, format!("/tracks/{id}"), owner, String::new()),
            _ => (Method::POST, format!("/reposts/tracks/{id}"), someone, String::new()),
        };
        let mut headers = http::HeaderMap::new();
        headers.insert(header::HOST, HeaderValue::from_static(HOST));
        headers.insert("x-country", HeaderValue::from_static("US"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(token) = token {
            let value = format!("OAuth {token}").parse().expect("tokens are visible ASCII");
            headers.insert(header::AUTHORIZATION, value);
        }
        let ask = Ask {
            endpoint: 0,
            persona: Persona::Owner,
            method,
            target,
            headers,
            body: body.into(),
            playlist: None,
        };
        // New connections: kept ones would be idle for so long that a server may be closing them.
        let (mut control, mut candidate) =
            (Client::new(self.control.0.monolith), Client::new(self.candidate.0.monolith));
        let (control, candidate) = tokio::join!(control.ask(&ask), candidate.ask(&ask));
        assert_eq!(status(&control), status(&candidate), "{}", ask.curl());
    }

    async fn end(mut self) -> Outcomes {
        if matches!(self.plan.candidate, Candidate::Service(_)) {
            let answered = self.candidate.0.answered_by_the_monolith(self.endpoints).await;
            assert!(
                answered.is_empty(),
                "the monolith behind the service answered clients itself: {answered:?}"
            );
        }
        if self.plan.stop == Stop::Never {
            let (control, candidate) =
                tokio::join!(World::events(&self.control.0.store), World::events(&self.candidate.0.store));
            let differs = control.iter().zip(&candidate).find(|(a, b)| a != b);
            if differs.is_some() || control.len() != candidate.len() {
                let (many, other) = (control.len(), candidate.len());
                let said = format!("chapter {}: {many} events and {other}; {differs:?}", self.number);
                self.outcomes.other_events.push(said);
            }
        }
        let Self { control, candidate, outcomes, .. } = self;
        // Idle connections are closed first, so that draining has nothing to wait for.
        for (estate, client) in [control, candidate] {
            drop(client);
            estate.stop().await;
        }
        outcomes
    }
}

impl Stop {
    fn is_reached(self, outcomes: &Outcomes) -> bool {
        match self {
            Self::Never => false,
            Self::AtFirst => !outcomes.findings.is_empty() || outcomes.slow.is_some(),
            Self::AtExposure => outcomes.worst() == Some(Severity::Exposure),
        }
    }
}

fn sharing(word: &str) -> Value {
    serde_json::json!({ "track": { "sharing": word } })
}

fn status(observation: &Observation) -> Option<u16> {
    match &observation.outcome {
        Outcome::Response(response) => Some(response.status.as_u16()),
        Outcome::Failure(_) => None,
    }
}

fn is_success(observation: &Observation) -> bool {
    status(observation).is_some_and(|status| (200..300).contains(&status))
}
