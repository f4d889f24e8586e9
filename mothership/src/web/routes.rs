//! Every path of the dialect.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{get, post},
};
use http::header;

use crate::{
    app::App,
    web::{DOCUMENT, comments, edges, people, playlist_changes, playlists, tracks},
};

pub(super) fn table() -> Router<App> {
    Router::new()
        .route("/playlists", get(playlists::newest).post(playlist_changes::create))
        .route("/playlists/batch", get(playlists::batch))
        .route(
            "/playlists/{playlist_id}",
            get(playlists::one)
                .put(playlist_changes::update)
                .delete(playlist_changes::delete)
                .post(playlist_changes::overridden),
        )
        .route("/playlists/{playlist_id}/tracks", get(playlists::tracks))
        .route("/playlists/{playlist_id}/tracks/add", post(playlist_changes::add_tracks))
        .route("/playlists/{playlist_id}/tracks/remove", post(playlist_changes::remove_tracks))
        .route("/playlists/{playlist_id}/tracks/order", post(playlist_changes::order_tracks))
        .route("/playlists/{playlist_id}/likers", get(playlists::likers))
        .route("/playlists/{playlist_id}/reposters", get(playlists::reposters))
        .route("/playlists/{playlist_id}/related", get(playlists::related))
        .route("/playlists/{playlist_id}/stats", get(playlists::stats))
        .route("/playlists/{playlist_id}/secret", post(playlist_changes::rotate_secret))
        .route("/playlists/{playlist_id}/like", post(edges::like_playlist))
        .route("/playlists/{playlist_id}/unlike", post(edges::unlike_playlist))
        .route("/playlists/{playlist_id}/repost", post(edges::repost_playlist))
        .route("/playlists/{playlist_id}/unrepost", post(edges::unrepost_playlist))
        .route("/sets/{user_permalink}/{playlist_permalink}", get(playlists::by_permalink))
        .route("/secret_sets/{secret_token}", get(playlists::by_secret_token))
        .route("/search/playlists", get(playlists::search))
        .route("/charts/playlists", get(playlists::charts))
        .route("/search/tracks", get(tracks::search))
        .route("/tracks/{track_id}", get(tracks::one))
        .route("/tracks/{track_id}/playlists", get(tracks::playlists))
        .route("/tracks/{track_id}/like", post(edges::like_track))
        .route("/tracks/{track_id}/unlike", post(edges::unlike_track))
        .route("/tracks/{track_id}/repost", post(edges::repost_track))
        .route("/tracks/{track_id}/unrepost", post(edges::unrepost_track))
        .route("/tracks/{track_id}/comments", get(comments::of_track).post(comments::create))
        .route("/comments/{comment_id}/delete", post(comments::delete))
        .route("/users/{user_id}", get(people::one))
        .route("/users/{user_id}/playlists", get(people::playlists))
        .route("/users/{user_id}/albums", get(people::albums))
        .route("/users/{user_id}/playlist_likes", get(people::liked_playlists))
        .route("/users/{user_id}/playlist_reposts", get(people::reposted_playlists))
        .route("/users/{user_id}/tracks", get(people::tracks))
        .route("/users/{user_id}/followers", get(people::followers))
        .route("/users/{user_id}/followings", get(people::followings))
        .route("/users/{user_id}/follow", post(edges::follow))
        .route("/users/{user_id}/unfollow", post(edges::unfollow))
        .route("/me", get(people::me))
        .route("/me/playlists", get(people::my_playlists))
        .route("/me/library/playlists", get(people::my_library))
        .route("/me/playlist_reposts", get(people::my_reposted_playlists))
        .route("/openapi.json", get(document))
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
