//! Follows the feed of semantic events. Nothing depends on it: what is remembered is checked when it is used. Whoever
//! follows only forgets sooner, and does not share a read with those who asked before a change.

use std::time::Duration;

use crate::{
    domain::PlaylistId,
    foundation::{Event, Foundation, FoundationError},
};

/// Events in one answer, at most.
const LIMIT: u32 = 500;
/// How long an answer without events is waited for.
const WAIT: Duration = Duration::from_secs(20);
/// After a failure; doubled with every one that follows, up to the maximum.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(10);

/// Calls `react` with every event from now on, in order. Never ends; goes on where it was when the feed comes back.
///
/// `feed` is used for nothing else: a call that waits takes the turn of others.
pub async fn follow(feed: Foundation, react: impl Fn(&Event)) {
    let mut pause = PAUSE;
    let mut after = None;
    loop {
        match step(&feed, after, &react).await {
            Ok(last) => {
                after = Some(last);
                pause = PAUSE;
            }
            Err(error) => {
                tracing::warn!(%error, "the feed of events cannot be followed for now");
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

/// The playlist whose name or secret an event ends.
pub fn ends_names_of(event: &Event) -> Option<PlaylistId> {
    let ends = matches!(event.event_type.as_str(), "playlist.deleted" | "playlist.secret_rotated");
    PlaylistId::try_from(event.aggregate.id).ok().filter(|_| ends)
}

async fn step(
    feed: &Foundation,
    after: Option<i64>,
    react: &impl Fn(&Event),
) -> Result<i64, FoundationError> {
    let Some(after) = after else { return end_of_feed(feed).await };
    let answer = feed.events(after, LIMIT, WAIT).await?;
    answer.events.iter().for_each(react);
    Ok(answer.last_sequence)
}

/// The last sequence there is. What happened before we began has nothing to tell; the feed is as long as the monolith is
/// old, so it is not read through but probed: twice as far while there is something after, then by halves.
async fn end_of_feed(feed: &Foundation) -> Result<i64, FoundationError> {
    let is_behind = async |sequence| -> Result<bool, FoundationError> {
        Ok(!feed.events(sequence, 1, Duration::ZERO).await?.events.is_empty())
    };
    if !is_behind(0).await? {
        return Ok(0);
    }
    let (mut behind, mut step) = (0_i64, 1_i64);
    while is_behind(behind + step).await? {
        behind += step;
        step = step.saturating_mul(2);
    }
    let mut end = behind + step;
    while end - behind > 1 {
        let middle = behind + (end - behind) / 2;
        if is_behind(middle).await? {
            behind = middle;
        } else {
            end = middle;
        }
    }
    Ok(end)
}
