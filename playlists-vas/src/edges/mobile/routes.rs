//! Every path of the edge.

use axum::{
    Router,
    routing::{delete, get, post, put},
};

use crate::edges::{
    App, documents,
    mobile::{likes_and_reposts, lists, playlist_changes, playlists},
};

pub(super) fn table() -> Router<App> {
    Router::new()
        .route("/playlists", get(lists::newest).post(playlist_changes::create))
        .route("/playlists/search", get(lists::search))
        .route("/playlists/popular", get(lists::popular))
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
        .route(
            "/likes/playlists/{playlist_urn}",
            put(likes_and_reposts::like).delete(likes_and_reposts::unlike),
        )
        .route(
            "/reposts/playlists/{playlist_urn}",
            put(likes_and_reposts::repost).delete(likes_and_reposts::unrepost),
        )
        .route("/tracks/{track_urn}/playlists", get(lists::containing_track))
        .route("/users/{user_urn}/playlists", get(lists::of_user))
        .route("/users/{user_urn}/albums", get(lists::albums_of_user))
        .route("/users/{user_urn}/likes/playlists", get(lists::liked_by))
        .route("/users/{user_urn}/reposts/playlists", get(lists::reposted_by))
        .route("/me/playlists", get(lists::mine))
        .route("/me/likes/playlists", get(lists::my_likes))
        .route("/me/reposts/playlists", get(lists::my_reposts))
        .route("/openapi.json", get(|| async { documents::write(documents::MOBILE) }))
}
