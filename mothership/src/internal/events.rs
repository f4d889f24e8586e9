//! The feed of semantic events. A consumer keeps the last sequence it has handled and asks for what came after it:
//! whatever happened to the consumer, it misses nothing, and may see again what it had not noted as handled.

use std::{convert::Infallible, time::Duration};

use axum::{
    Json,
    extract::{Query, State, rejection::QueryRejection},
    response::{
        IntoResponse, Response, Sse,
        sse::{self, KeepAlive},
    },
};
use futures_util::stream;
use http::HeaderMap;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::{
    app::App,
    internal::{ApiError, records},
    store::{Event, Store},
};

const LIMIT: u32 = 100;
const LIMIT_MAX: u32 = 1000;
const WAIT_MS_MAX: u64 = 30_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Poll {
    /// The last sequence that the consumer has; 0 for the beginning.
    #[serde(default)]
    after: i64,
    #[serde(default)]
    limit: Option<u32>,
    /// How long to wait, in milliseconds, if there is nothing yet; 0 answers at once.
    #[serde(default)]
    wait_ms: u64,
}

/// Long poll: answers as soon as there is an event, or empty when the time is over or the server drains.
pub(super) async fn poll(
    State(app): State<App>,
    query: Result<Query<Poll>, QueryRejection>,
) -> Result<Json<Value>, ApiError> {
    let Query(poll) = query.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let limit = poll.limit.unwrap_or(LIMIT).clamp(1, LIMIT_MAX);
    if poll.wait_ms > 0 {
        let wait = Duration::from_millis(poll.wait_ms.min(WAIT_MS_MAX));
        // All three endings lead to the same read.
        let _ = tokio::time::timeout(wait, news(&app, poll.after)).await;
    }
    let events = app.store.read(move |reader| reader.events_after(poll.after, limit)).await?;
    let last = events.last().map_or(poll.after, |event| event.sequence);
    let events: Vec<Value> = events.iter().map(records::event).collect();
    Ok(Json(json!({ "events": events, "last_sequence": last })))
}

/// Server-sent events; `id` is the sequence, so that a client's `Last-Event-ID` resumes where it was.
pub(super) async fn stream(
    State(app): State<App>,
    headers: HeaderMap,
    query: Result<Query<Poll>, QueryRejection>,
) -> Result<Response, ApiError> {
    let Query(poll) = query.map_err(|error| ApiError::BadRequest(error.body_text()))?;
    let after = match headers.get("last-event-id") {
        None => poll.after,
        Some(id) => id.to_str().ok().and_then(|id| id.trim().parse().ok()).ok_or_else(|| {
            ApiError::BadRequest("Last-Event-ID: expected the sequence of an event".to_owned())
        })?,
    };
    let source = Source { app, after, read: Vec::new().into_iter() };
    let messages = stream::unfold(source, |mut source| async move {
        let event = source.next().await?;
        Some((Ok::<_, Infallible>(message(&event)), source))
    });
    Ok(Sse::new(messages).keep_alive(KeepAlive::default()).into_response())
}

struct Source {
    app: App,
    after: i64,
    read: std::vec::IntoIter<Event>,
}

impl Source {
    /// `None` ends the stream: the server drains, or the store is gone. The client comes back with Last-Event-ID.
    async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(event) = self.read.next() {
                self.after = event.sequence;
                return Some(event);
            }
            if !news(&self.app, self.after).await {
                return None;
            }
            self.read = read_after(&self.app.store, self.after).await?.into_iter();
        }
    }
}

async fn read_after(store: &Store, after: i64) -> Option<Vec<Event>> {
    match store.read(move |reader| reader.events_after(after, LIMIT)).await {
        Ok(events) => Some(events),
        Err(error) => {
            tracing::error!(%error, "an event stream ends because its events cannot be read");
            None
        }
    }
}

/// Waits until there is an event after `after`; false if the server drains or the store is gone before that.
async fn news(app: &App, after: i64) -> bool {
    let mut last_event = app.store.last_event();
    tokio::select! {
        biased;
        () = drained(app.draining.clone()) => false,
        news = last_event.wait_for(|last| *last > after) => news.is_ok(),
    }
}

/// Ends when draining starts; never if nobody can start it any more.
pub(crate) async fn drained(mut draining: watch::Receiver<bool>) {
    if draining.wait_for(|draining| *draining).await.is_err() {
        std::future::pending::<()>().await;
    }
}

fn message(event: &Event) -> sse::Event {
    let data = records::event(event).to_string();
    sse::Event::default().id(event.sequence.to_string()).event(event.event_type.clone()).data(data)
}
