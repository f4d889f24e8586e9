//! Every path of the dialect, in one table.

use axum::{
    Router,
    routing::{MethodRouter, delete, get, post},
};

use crate::{
    app::App,
    public::{activities, comments, edges, me, playlist_changes, playlists, resolve, respond, tracks, users},
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
        ("/likes/playlists/{playlist_id}", post(edges::like_playlist).delete(edges::unlike_playlist)),
        ("/likes/tracks/{track_id}", post(edges::like_track).delete(edges::unlike_track)),
        ("/reposts/playlists/{playlist_id}", post(edges::repost_playlist).delete(edges::unrepost_playlist)),
        ("/reposts/tracks/{track_id}", post(edges::repost_track).delete(edges::unrepost_track)),
        ("/tracks", get(tracks::list)),
        ("/tracks/{track_id}", get(tracks::one).put(tracks::update).delete(tracks::delete)),
        ("/tracks/{track_id}/comments", get(comments::of_track).post(comments::create)),
        ("/tracks/{track_id}/favoriters", get(tracks::favoriters)),
        ("/tracks/{track_id}/playlists", get(tracks::playlists)),
        ("/tracks/{track_id}/related", get(tracks::related)),
        ("/tracks/{track_id}/reposters", get(tracks::reposters)),
        ("/tracks/{track_id}/streams", get(tracks::streams)),
        ("/comments/{comment_id}", delete(comments::delete)),
        ("/users", get(users::list)),
        ("/users/{user_id}", get(users::one)),
        ("/users/{user_id}/comments", get(comments::by_user)),
        ("/users/{user_id}/favorites", get(users::liked_tracks)),
        ("/users/{user_id}/followers", get(users::followers)),
        ("/users/{user_id}/followings", get(users::followings)),
        ("/users/{user_id}/followings/{following_id}", get(users::following)),
        ("/users/{user_id}/likes/playlists", get(users::liked_playlists)),
        ("/users/{user_id}/likes/tracks", get(users::liked_tracks)),
        ("/users/{user_id}/playlists", get(users::playlists)),
        ("/users/{user_id}/reposts/playlists", get(users::reposted_playlists)),
        ("/users/{user_id}/tracks", get(users::tracks)),
        ("/users/{user_id}/web-profiles", get(users::web_profiles)),
        ("/me", get(me::one)),
        ("/me/activities", get(activities::everything)),
        ("/me/activities/all/own", get(activities::own)),
        ("/me/activities/tracks", get(activities::tracks)),
        ("/me/connections", get(me::connections)),
        ("/me/connections/{connection_id}", get(me::connection)),
        ("/me/favorites/ids", get(me::favorite_ids)),
        ("/me/followers", get(me::followers)),
        ("/me/followers/{follower_id}", get(me::follower)),
        ("/me/followings", get(me::followings)),
        ("/me/followings/tracks", get(me::tracks_of_followings)),
        ("/me/followings/{user_id}", get(me::following).put(edges::follow).delete(edges::unfollow)),
        ("/me/likes/playlists", get(me::liked_playlists)),
        ("/me/likes/tracks", get(me::liked_tracks)),
        ("/me/playlists", get(me::playlists)),
        ("/me/playlists/{playlist_id}", get(me::playlist)),
        ("/me/reposts/playlists", get(me::reposted_playlists)),
        ("/me/tracks", get(me::tracks)),
        ("/me/tracks/{track_id}", get(me::track)),
        ("/resolve", get(resolve::resolve)),
        ("/openapi.json", get(respond::document)),
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
