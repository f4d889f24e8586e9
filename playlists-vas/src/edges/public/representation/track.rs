//! Tracks, as members of playlists.

use serde_json::{Value, json};

use crate::{
    domain::{Access, PlaylistId, Sharing, Track},
    edges::public::{
        caller::{Caller, SITE},
        representation::{
            short_user,
            time::{release, time},
        },
    },
    queries::Scene,
    regressions::Regression,
};

/// The members that the caller sees and asked for: blocked ones only if `access` names them.
pub(crate) fn tracks(of: PlaylistId, scene: &Scene, caller: &Caller) -> Vec<Value> {
    let asked = caller.query.access();
    let lenient =
        caller.regressions.on(Regression::BlockedByDefault) && caller.query.text("access").is_none();
    let members = scene.members(of).into_iter().filter(|(_, access)| lenient || asked.contains(*access));
    members.map(|(it, access)| track(it, access, scene, caller)).collect()
}

/// `stream_url`, `download_url` and `user_favorite` are keys that may be missing: where there is no stream, no download
/// and nobody signed in.
fn track(track: &Track, access: Access, scene: &Scene, caller: &Caller) -> Value {
    let uri = caller.links.api(&format!("/tracks/{}", track.id));
    let owner = scene.person(track.user_id);
    let permalink = owner.map_or("", |owner| owner.permalink.as_str());
    let secret = track.secret_token.as_deref().filter(|_| track.sharing == Sharing::Private);
    let secret = secret.filter(|_| caller.viewer.is(track.user_id));
    let [release_year, release_month, release_day] = release(track.release_at);
    let mut written = json!({
        "kind": "track",
        "id": track.id,
        "created_at": time(track.created_at),
        "duration": track.duration_ms,
        "commentable": track.commentable,
        "comment_count": track.comments_count,
        "sharing": track.sharing,
        "tag_list": track.tag_list,
        "streamable": track.streamable,
        "embeddable_by": track.embeddable_by,
        "purchase_url": track.purchase_url,
        "purchase_title": track.purchase_title,
        "genre": track.genre,
        "title": track.title,
        "description": track.description,
        "label_name": track.label_name,
        "release": track.release,
        "key_signature": track.key_signature,
        "isrc": track.isrc,
        "bpm": track.bpm,
        "release_year": release_year,
        "release_month": release_month,
        "release_day": release_day,
        "license": track.license,
        "uri": uri,
        "user": owner.map(|owner| short_user(owner, caller)),
        "permalink_url": format!("{SITE}/{permalink}/{}", track.permalink),
        "artwork_url": track.artwork_url,
        "waveform_url": format!("{SITE}/waveforms/{}.png", track.id),
        "available_country_codes": null,
        "secret_uri": secret.map(|secret| format!("{uri}?secret_token={secret}")),
        "playback_count": track.playback_count,
        "download_count": track.download_count,
        "favoritings_count": track.likes_count,
        "reposts_count": track.reposts_count,
        "downloadable": track.downloadable,
        "access": access.as_str(),
    });
    if track.streamable && access != Access::Blocked {
        written["stream_url"] = json!(format!("{uri}/stream"));
    }
    if track.downloadable && access == Access::Playable {
        written["download_url"] = json!(format!("{uri}/download"));
    }
    if caller.viewer.user_id().is_some() {
        written["user_favorite"] = json!(track.liked);
    }
    written
}
