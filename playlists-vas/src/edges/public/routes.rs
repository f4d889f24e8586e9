//! Every path of the edge, in one table.

use axum::{
    Router,
    routing::{MethodRouter, delete, get, post},
};

use crate::edges::{
    App, documents,
    public::{likes_and_reposts, lists, playlist_changes, playlists},
};

pub(super) fn table() -> Vec<(&'static str, MethodRouter<App>)> {
    vec![
        ("/playlists", get(playlists::list).post(playlist_changes::create)),
        ("/playlists/secret/{secret_token}", get(playlists::by_secret_token)),
        (
            "/playlists/{playlist_id}",
            get(playlists::one).put(playlist_changes::update).delete(playlist_changes::delete),
        ),
        (
            "/playlists/{playlist_id}/tracks",
            get(playlists::tracks).post(playlist_changes::add_tracks).put(playlist_changes::reorder_tracks),
        ),
        ("/playlists/{playlist_id}/tracks/{track_id}", delete(playlist_changes::remove_track)),
        ("/playlists/{playlist_id}/likers", get(playlists::likers)),
        ("/playlists/{playlist_id}/reposters", get(playlists::reposters)),
        ("/playlists/{playlist_id}/related", get(playlists::related)),
        ("/playlists/{playlist_id}/counts", get(playlists::counts)),
        ("/playlists/{playlist_id}/secret_token", post(playlist_changes::rotate_secret)),
        ("/likes/playlists/{playlist_id}", post(likes_and_reposts::like).delete(likes_and_reposts::unlike)),
        (
            "/reposts/playlists/{playlist_id}",
            post(likes_and_reposts::repost).delete(likes_and_reposts::unrepost),
        ),
        ("/tracks/{track_id}/playlists", get(lists::containing_track)),
        ("/users/{user_id}/likes/playlists", get(lists::liked_by)),
        ("/users/{user_id}/playlists", get(lists::of_user)),
        ("/users/{user_id}/reposts/playlists", get(lists::reposted_by)),
        ("/me/likes/playlists", get(lists::my_likes)),
        ("/me/playlists", get(lists::mine)),
        ("/me/playlists/{playlist_id}", get(playlists::my_own)),
        ("/me/reposts/playlists", get(lists::my_reposts)),
        ("/openapi.json", get(|| async { documents::write(documents::PUBLIC) })),
    ]
}

/// Old clients say `/playlists.json`. A path that ends in a parameter needs no second route: the parameter takes the
/// suffix, and [`super::path_id`] drops it.
pub(super) fn with_suffix(
    router: Router<App>,
    path: &'static str,
    handlers: MethodRouter<App>,
) -> Router<App> {
    if path.ends_with('}') || path.ends_with(".json") {
        return router.route(path, handlers);
    }
    router.route(path, handlers.clone()).route(&format!("{path}.json"), handlers)
}
