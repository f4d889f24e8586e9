//! Writes: commands in the name of a user.

use axum::{Json, body::Body, extract::State};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    app::App,
    command::{Command, Entity, Mode, Outcome},
    internal::{
        ApiError, records,
        requests::{ViewerSpec, read},
    },
    request::read_json,
};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Call {
    viewer: ViewerSpec,
    command: Command,
    /// Validates, authorizes and computes, and keeps nothing.
    #[serde(default)]
    dry_run: bool,
}

pub(super) async fn run(State(app): State<App>, body: Body) -> Result<Json<Value>, ApiError> {
    let Call { viewer, command, dry_run } = read_json(body).await?;
    let now = app.clock.now();
    let viewer = read(&app, move |reader| viewer.resolve(reader, now)).await?;
    let mode = if dry_run { Mode::DryRun } else { Mode::Commit };
    let outcome = app.store.execute(command, viewer, mode).await?;
    Ok(Json(write(&outcome, dry_run)))
}

fn write(outcome: &Outcome, dry_run: bool) -> Value {
    let entity = match &outcome.entity {
        Entity::Playlist(entity) => {
            let mut playlist = records::playlist(&entity.playlist);
            playlist["track_ids"] = json!(entity.track_ids);
            json!({ "playlist": playlist })
        }
        Entity::Track(track) => json!({ "track": records::track(track) }),
        Entity::User(user) => json!({ "user": records::user(user) }),
        Entity::Comment(comment) => json!({ "comment": records::comment(comment) }),
    };
    json!({
        "dry_run": dry_run,
        "changed": outcome.changed,
        "entity": entity,
        "events": outcome.events.iter().map(records::event).collect::<Vec<_>>(),
    })
}
