//! Every path of the edge.

use axum::{
    Router,
    routing::{get, post},
};

use crate::edges::{
    App, documents,
    web::{likes_and_reposts, lists, playlist_changes, playlists},
};

pub(super) fn table() -> Router<App> {
    Router::new()
        .route("/playlists", get(lists::newest).post(playlist_changes::create))
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
        .route("/playlists/{playlist_id}/like", post(likes_and_reposts::like))
        .route("/playlists/{playlist_id}/unlike", post(likes_and_reposts::unlike))
        .route("/playlists/{playlist_id}/repost", post(likes_and_reposts::repost))
        .route("/playlists/{playlist_id}/unrepost", post(likes_and_reposts::unrepost))
        .route("/sets/{user_permalink}/{playlist_permalink}", get(playlists::by_permalink))
        .route("/secret_sets/{secret_token}", get(playlists::by_secret_token))
        .route("/search/playlists", get(lists::search))
        .route("/charts/playlists", get(lists::charts))
        .route("/tracks/{track_id}/playlists", get(lists::containing_track))
        .route("/users/{user_id}/playlists", get(lists::of_user))
        .route("/users/{user_id}/albums", get(lists::albums_of_user))
        .route("/users/{user_id}/playlist_likes", get(lists::liked_by))
        .route("/users/{user_id}/playlist_reposts", get(lists::reposted_by))
        .route("/me/playlists", get(lists::mine))
        .route("/me/library/playlists", get(lists::my_library))
        .route("/me/playlist_reposts", get(lists::my_reposts))
        .route("/openapi.json", get(|| async { documents::write(documents::WEB) }))
}
