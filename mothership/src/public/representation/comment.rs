//! Comments on tracks.

use serde_json::{Value, json};

use crate::{
    domain::Comment,
    public::{
        representation::{short_user, time},
        scene::Scene,
    },
};

/// `timestamp` is in milliseconds from the beginning of the track, null for a comment on the whole of it.
pub(crate) fn comment(comment: &Comment, scene: &Scene<'_>) -> Value {
    let caller = scene.caller;
    let author = scene.user(comment.user_id).map(|author| {
        let mut written = short_user(author, caller);
        written["followers_count"] = json!(author.counts.followers);
        written["followings_count"] = json!(author.counts.followings);
        written["reposts_count"] = json!(author.counts.reposts);
        written["public_favorites_count"] = json!(author.counts.liked_tracks);
        written
    });
    json!({
        "kind": "comment",
        "id": comment.id,
        "body": comment.body,
        "created_at": time(comment.created_at),
        "timestamp": comment.position_ms,
        "track_id": comment.track_id,
        "user_id": comment.user_id,
        "user": author,
        "uri": caller.links.api(&format!("/comments/{}", comment.id)),
    })
}
