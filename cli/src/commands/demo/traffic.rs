//! Clients of the estate: seeded requests of every persona through the proxy, in rounds.
//!
//! In a round the reads come first, over many connections at once; the writes come one by one when all reads were compared.
//! A write between the two requests of a comparison would look like a difference of the sides.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use diff_harness::exchange::{Observation, Outcome};
use estate_traffic::ask::Ask;
use estate_traffic::client::Client;
use estate_traffic::endpoint::Endpoint;
use estate_traffic::persona::Persona;
use estate_traffic::world::World;
use fastrand::Rng;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::json;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::burndown::Burndown;
use super::stand::Stand;
use crate::exit::Failure;

pub(super) struct Traffic {
    endpoints: Vec<Endpoint>,
    rng: Rng,
    world: World,
    lanes: Vec<Client>,
    /// By endpoint: how many requests it had, so that the personas take turns.
    turns: Vec<usize>,
    stop: Arc<AtomicBool>,
    pub(super) requests: u64,
    /// Answered with 5xx, or not at all: what a client would have noticed.
    pub(super) failed: u64,
    /// The first of them.
    pub(super) failures: Vec<String>,
}

/// How many requests an endpoint is to get in a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wanted {
    pub(super) endpoint: usize,
    pub(super) requests: usize,
}

/// What became of a playlist that was to be made.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) title: String,
    pub(super) outcome: Outcome,
}

/// What became of a write, and how many changes the monolith told of meanwhile.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) outcome: Outcome,
    pub(super) events: i64,
}

/// Connections that are kept alive over all rounds.
const LANES: usize = 12;
/// Devices that a canary tells apart.
const DEVICES: u32 = 500;
/// Requests of a round to endpoints that nobody moves.
const ELSEWHERE: usize = 20;
const BODY_BYTES_MAX: usize = 128 << 10;
/// Failures that are told one by one.
const FAILURES_SHOWN: usize = 5;

impl Traffic {
    /// Once `stop` is set, nothing more is sent.
    pub(super) fn new(stand: &Stand, seed: u64, stop: &Arc<AtomicBool>) -> Self {
        let mut rng = Rng::with_seed(seed);
        let endpoints = Endpoint::all();
        let world = stand.runtime().block_on(World::load(stand.monolith.store().clone(), &mut rng));
        let turns = vec![0; endpoints.len()];
        let lanes = (0..LANES).map(|_| Client::new(stand.address())).collect();
        let stop = Arc::clone(stop);
        Self { endpoints, rng, world, lanes, turns, stop, requests: 0, failed: 0, failures: Vec::new() }
    }

    /// The endpoints that are moved.
    pub(super) fn endpoints(&self) -> &[Endpoint] {
        &self.endpoints
    }

    pub(super) fn round(
        &mut self,
        stand: &Stand,
        wanted: &[Wanted],
        burndown: &Burndown,
    ) -> Result<(), Failure> {
        let (reads, mut writes): (Vec<_>, Vec<_>) = wanted
            .iter()
            .flat_map(|wanted| std::iter::repeat_n(wanted.endpoint, wanted.requests))
            .partition(|endpoint| self.endpoints[*endpoint].id.is_safe());
        burndown.expect(reads.len() + writes.len() + ELSEWHERE);
        stand.runtime().block_on(self.read(reads, burndown));
        stand.settle()?;
        self.rng.shuffle(&mut writes);
        stand.runtime().block_on(self.write(writes, burndown));
        stand.settle()
    }

    async fn read(&mut self, endpoints: Vec<usize>, burndown: &Burndown) {
        let mut asks: Vec<_> = endpoints.into_iter().map(|endpoint| self.ask(endpoint)).collect();
        asks.extend((0..ELSEWHERE).map(|_| elsewhere(&mut self.rng)));
        self.rng.shuffle(&mut asks);
        let (asks, answers) = self.send(asks, burndown, None).await;
        for (ask, answer) in asks.iter().zip(&answers) {
            self.count(ask, answer);
            self.world.learn(ask, answer);
        }
    }

    /// Over all connections at once. The answers are in the order of the questions, so that what is learned does not
    /// depend on who was quicker. When `kill` says so many were answered, the service dies.
    async fn send(
        &mut self,
        asks: Vec<Ask>,
        burndown: &Burndown,
        kill: Option<(usize, &mut Stand)>,
    ) -> (Arc<Vec<Ask>>, Vec<Observation>) {
        let (asks, next, due) = (Arc::new(asks), Arc::new(AtomicUsize::new(0)), Arc::new(Notify::new()));
        let kill_at = kill.as_ref().map(|(kill_at, _)| *kill_at);
        let mut lanes = JoinSet::new();
        for mut client in std::mem::take(&mut self.lanes) {
            let (asks, next, due) = (Arc::clone(&asks), Arc::clone(&next), Arc::clone(&due));
            let (bar, stop) = (burndown.counter(), Arc::clone(&self.stop));
            lanes.spawn(async move {
                let mut answers = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if Some(index) == kill_at {
                        due.notify_one();
                    }
                    let Some(ask) = asks.get(index) else { break };
                    answers.push((index, client.ask(ask).await));
                    bar.inc(1);
                }
                // Due at the latest when nothing more is sent, which may be because somebody wants it to end.
                due.notify_one();
                (client, answers)
            });
        }
        if let Some((_, stand)) = kill {
            due.notified().await;
            stand.kill_service();
        }
        let mut answers = Vec::with_capacity(asks.len());
        while let Some(lane) = lanes.join_next().await {
            let (client, some) = lane.expect("a lane does not panic");
            self.lanes.push(client);
            answers.extend(some);
        }
        answers.sort_by_key(|(index, _)| *index);
        (asks, answers.into_iter().map(|(_, answer)| answer).collect())
    }

    /// Playlists to be made, all at once; when a part of them is on its way, the service dies.
    pub(super) fn writes_while_it_dies(
        &mut self,
        stand: &mut Stand,
        writes: usize,
        kill_after: usize,
        burndown: &Burndown,
    ) -> Vec<Written> {
        let titles: Vec<_> =
            (0..writes).map(|number| format!("made while the service dies, {number}")).collect();
        let asks = titles.iter().map(|title| making(&mut self.rng, title)).collect();
        burndown.expect(writes);
        let runtime = stand.runtime().handle().clone();
        let (_, answers) = runtime.block_on(self.send(asks, burndown, Some((kill_after, stand))));
        titles
            .into_iter()
            .zip(answers)
            .map(|(title, answer)| Written { title, outcome: answer.outcome })
            .collect()
    }

    /// Reads of every endpoint, as many as are wanted of each. How many there were, and how many failed for their client.
    pub(super) fn reads(&mut self, stand: &Stand, each: usize, burndown: &Burndown) -> (u64, u64) {
        let safe = (0..self.endpoints.len()).filter(|endpoint| self.endpoints[*endpoint].id.is_safe());
        let asked: Vec<_> = safe.flat_map(|endpoint| std::iter::repeat_n(endpoint, each)).collect();
        let (requests, failed) = (self.requests, self.failed);
        burndown.expect(asked.len() + ELSEWHERE);
        stand.runtime().block_on(self.read(asked, burndown));
        (self.requests - requests, self.failed - failed)
    }

    /// Writes of every endpoint, one by one, as many as are wanted of each; with what the monolith told of its changes
    /// meanwhile. They are no part of what clients may count on: the service is dead.
    pub(super) fn writes(&mut self, stand: &Stand, each: usize, burndown: &Burndown) -> Vec<Attempt> {
        let unsafe_ones = (0..self.endpoints.len()).filter(|index| !self.endpoints[*index].id.is_safe());
        let asked: Vec<_> = unsafe_ones.flat_map(|endpoint| std::iter::repeat_n(endpoint, each)).collect();
        burndown.expect(asked.len());
        let told = stand.monolith.store().last_event();
        stand.runtime().block_on(async {
            let mut attempts = Vec::with_capacity(asked.len());
            for endpoint in asked {
                if self.stop.load(Ordering::Relaxed) {
                    break;
                }
                let ask = self.ask_for(endpoint);
                let before = *told.borrow();
                let outcome = self.lanes[0].ask(&ask).await.outcome;
                burndown.counter().inc(1);
                attempts.push(Attempt { outcome, events: *told.borrow() - before });
                self.world.refresh(ask.playlist).await;
            }
            attempts
        })
    }

    async fn write(&mut self, endpoints: Vec<usize>, burndown: &Burndown) {
        for endpoint in endpoints {
            if self.stop.load(Ordering::Relaxed) {
                return;
            }
            let ask = self.ask(endpoint);
            let answer = self.lanes[0].ask(&ask).await;
            burndown.counter().inc(1);
            self.count(&ask, &answer);
            self.world.refresh(ask.playlist).await;
            self.world.replenish(&mut self.rng).await;
        }
    }

    /// A request that is one for this endpoint, and not for a method or a path beside it.
    fn ask_for(&mut self, endpoint: usize) -> Ask {
        loop {
            let ask = self.ask(endpoint);
            let path = ask.target.split('?').next().unwrap_or_default();
            let same_length =
                path.split('/').count() == self.endpoints[endpoint].id.template().split('/').count();
            if ask.method == *self.endpoints[endpoint].id.method() && same_length {
                return ask;
            }
        }
    }

    fn ask(&mut self, endpoint: usize) -> Ask {
        let turn = &mut self.turns[endpoint];
        let persona = Persona::ALL[(*turn + endpoint) % Persona::ALL.len()];
        *turn += 1;
        // A body over the limit is refused before it was read to its end. Whether a client sees the refusal or a closed
        // connection is a race on any way to a server, and no difference between the sides.
        let mut ask = loop {
            let ask = Ask::make(&mut self.rng, &self.endpoints, endpoint, persona, &self.world);
            if ask.body.len() < BODY_BYTES_MAX {
                break ask;
            }
        };
        ask.headers.insert("x-client-id", device(&mut self.rng));
        ask
    }

    fn count(&mut self, ask: &Ask, answer: &Observation) {
        self.requests += 1;
        let why = match &answer.outcome {
            Outcome::Response(response) if response.status.is_server_error() => response.status.to_string(),
            Outcome::Response(_) => return,
            Outcome::Failure(failure) => format!("{failure:?}"),
        };
        self.failed += 1;
        if self.failures.len() < FAILURES_SHOWN {
            let bytes = ask.body.len();
            self.failures.push(format!("{} {} with {bytes} bytes: {why}", ask.method, ask.target));
        }
    }
}

/// A request to what stays with the monolith.
fn elsewhere(rng: &mut Rng) -> Ask {
    let targets = [
        format!("/tracks/{}", rng.u32(101..=129)),
        format!("/users/{}", rng.u32(1..=10)),
        "/me".to_owned(),
        format!("/tracks/{}/comments", rng.u32(101..=129)),
        "/resolve?url=https://mothership.example/ada".to_owned(),
    ];
    let target = &targets[rng.usize(..targets.len())];
    plain(rng, Method::GET, target, bytes::Bytes::new())
}

/// A playlist under a title that is found again, made by a dialect at random.
fn making(rng: &mut Rng, title: &str) -> Ask {
    let (target, body) = match rng.u8(..3) {
        0 => ("/playlists", json!({ "playlist": { "title": title, "sharing": "public" } })),
        1 => ("/mobile/playlists", json!({ "title": title })),
        _ => ("/web/playlists", json!({ "title": title })),
    };
    plain(rng, Method::POST, target, body.to_string().into())
}

/// By a follower with some device.
fn plain(rng: &mut Rng, method: Method, target: &str, body: bytes::Bytes) -> Ask {
    let mut headers = HeaderMap::new();
    headers.insert("host", HeaderValue::from_static(estate_traffic::ask::HOST));
    headers.insert("authorization", HeaderValue::from_static("OAuth tok-fan"));
    headers.insert("x-client-id", device(rng));
    if !body.is_empty() {
        headers.insert("content-type", HeaderValue::from_static("application/json"));
    }
    let target = target.to_owned();
    Ask { endpoint: usize::MAX, persona: Persona::Follower, method, target, headers, body, playlist: None }
}

fn device(rng: &mut Rng) -> HeaderValue {
    format!("device-{}", rng.u32(..DEVICES)).parse().expect("a device is visible ASCII")
}
