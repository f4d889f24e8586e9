//! Likes, reposts and follows. PUT puts one there and DELETE takes it away, be it there already or gone already: 204.

use axum::extract::State;
use http::StatusCode;

use crate::{
    app::App,
    command::{Command, Mode},
    domain::{PlaylistId, TrackId, UserId},
    mobile::{ApiError, Caller, lists::Of, urn::PathUrn},
};

type Done = Result<StatusCode, ApiError>;

pub(super) async fn like_playlist(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Playlist(playlist_id), Command::LikePlaylist { playlist_id }).await
}

pub(super) async fn unlike_playlist(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Everything, Command::UnlikePlaylist { playlist_id }).await
}

pub(super) async fn repost_playlist(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Playlist(playlist_id), Command::RepostPlaylist { playlist_id }).await
}

pub(super) async fn unrepost_playlist(
    State(app): State<App>,
    PathUrn(playlist_id): PathUrn<PlaylistId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Everything, Command::UnrepostPlaylist { playlist_id }).await
}

pub(super) async fn like_track(
    State(app): State<App>,
    PathUrn(track_id): PathUrn<TrackId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Track(track_id), Command::LikeTrack { track_id }).await
}

pub(super) async fn unlike_track(
    State(app): State<App>,
    PathUrn(track_id): PathUrn<TrackId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Everything, Command::UnlikeTrack { track_id }).await
}

pub(super) async fn repost_track(
    State(app): State<App>,
    PathUrn(track_id): PathUrn<TrackId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Track(track_id), Command::RepostTrack { track_id }).await
}

pub(super) async fn unrepost_track(
    State(app): State<App>,
    PathUrn(track_id): PathUrn<TrackId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Everything, Command::UnrepostTrack { track_id }).await
}

pub(super) async fn follow(
    State(app): State<App>,
    PathUrn(user_id): PathUrn<UserId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::User(user_id), Command::Follow { user_id }).await
}

pub(super) async fn unfollow(
    State(app): State<App>,
    PathUrn(user_id): PathUrn<UserId>,
    caller: Caller,
) -> Done {
    run(&app, caller, Of::Everything, Command::Unfollow { user_id }).await
}

/// `seen` must be visible by the rules of the dialect, which are stricter than those that commands know.
async fn run(app: &App, caller: Caller, seen: Of, command: Command) -> Done {
    caller.user()?;
    let viewer = caller.viewer.clone();
    app.store.read(move |reader| Ok(seen.check(reader, &caller))).await??;
    app.store.execute(command, viewer, Mode::Commit).await?;
    Ok(StatusCode::NO_CONTENT)
}
