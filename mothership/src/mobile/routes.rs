//! Every path of the dialect.

use axum::{
    Router,
    response::{IntoResponse, Response},
    routing::{delete, get, post, put},
};
use http::header;

use crate::{
    app::App,
    mobile::{DOCUMENT, comments, edges, people, playlist_changes, playlists, tracks},
};

pub(super) fn table() -> Router<App> {
    Router::new()
        .route("/playlists", get(playlists::newest).post(playlist_changes::create))
        .route("/playlists/search", get(playlists::search))
        .route("/playlists/popular", get(playlists::popular))
        .route("/playlists/batch", post(playlists::batch))
        .route(
            "/playlists/{playlist_urn}",
            get(playlists::one).put(playlist_changes::update).delete(playlist_changes::delete),
        )
        .route(
            "/playlists/{playlist_urn}/tracks",
            get(playlists::tracks).put(playlist_changes::replace_tracks).post(playlist_changes::add_tracks),
        )
        .route("/playlists/{playlist_urn}/tracks/reorder", post(playlist_changes::reorder_tracks))
        .route("/playlists/{playlist_urn}/tracks/{track_urn}", delete(playlist_changes::remove_track))
        .route("/playlists/{playlist_urn}/likers", get(playlists::likers))
        .route("/playlists/{playlist_urn}/reposters", get(playlists::reposters))
        .route("/playlists/{playlist_urn}/related", get(playlists::related))
        .route("/playlists/{playlist_urn}/counts", get(playlists::counts))
        .route("/playlists/{playlist_urn}/share_link", post(playlist_changes::rotate_secret))
        .route("/permalinks/{user_permalink}/sets/{playlist_permalink}", get(playlists::by_permalink))
        .route("/playlist_links/{secret_token}", get(playlists::by_secret_token))
        .route("/likes/playlists/{playlist_urn}", put(edges::like_playlist).delete(edges::unlike_playlist))
        .route("/likes/tracks/{track_urn}", put(edges::like_track).delete(edges::unlike_track))
        .route(
            "/reposts/playlists/{playlist_urn}",
            put(edges::repost_playlist).delete(edges::unrepost_playlist),
        )
        .route("/reposts/tracks/{track_urn}", put(edges::repost_track).delete(edges::unrepost_track))
        .route("/tracks/search", get(tracks::search))
        .route("/tracks/{track_urn}", get(tracks::one))
        .route("/tracks/{track_urn}/playlists", get(tracks::playlists))
        .route("/tracks/{track_urn}/related", get(tracks::related))
        .route("/tracks/{track_urn}/comments", get(comments::of_track).post(comments::create))
        .route("/comments/{comment_urn}", delete(comments::delete))
        .route("/users/{user_urn}", get(people::one))
        .route("/users/{user_urn}/playlists", get(people::playlists))
        .route("/users/{user_urn}/albums", get(people::albums))
        .route("/users/{user_urn}/tracks", get(people::tracks))
        .route("/users/{user_urn}/likes/playlists", get(people::liked_playlists))
        .route("/users/{user_urn}/reposts/playlists", get(people::reposted_playlists))
        .route("/users/{user_urn}/followers", get(people::followers))
        .route("/users/{user_urn}/followings", get(people::followings))
        .route("/me", get(people::me))
        .route("/me/playlists", get(people::my_playlists))
        .route("/me/likes/playlists", get(people::my_liked_playlists))
        .route("/me/reposts/playlists", get(people::my_reposted_playlists))
        .route("/me/followings/{user_urn}", put(edges::follow).delete(edges::unfollow))
        .route("/openapi.json", get(document))
}

async fn document() -> Response {
    ([(header::CONTENT_TYPE, "application/json")], DOCUMENT).into_response()
}
