//! Users: the short form beside their things, the profile, the complete profile, and oneself.

use serde_json::{Value, json};

use crate::{
    domain::{Plan, User},
    public::{Caller, caller::SITE, representation::time},
};

const DEFAULT_AVATAR: &str = "/images/default_avatar_large.png";

pub(crate) fn short_user(user: &User, caller: &Caller) -> Value {
    json!({
        "avatar_url": avatar(user),
        "id": user.id,
        "kind": "user",
        "permalink_url": format!("{SITE}/{}", user.permalink),
        "uri": caller.links.api(&format!("/users/{}", user.id)),
        "username": user.username,
        "permalink": user.permalink,
        "last_modified": time(user.last_modified),
    })
}

/// As in lists.
pub(crate) fn user(user: &User, caller: &Caller) -> Value {
    let mut written = short_user(user, caller);
    let profile = json!({
        "first_name": user.first_name.as_deref().unwrap_or_default(),
        "last_name": user.last_name.as_deref().unwrap_or_default(),
        "full_name": user.full_name(),
        "city": user.city,
        "description": user.description,
        "country": user.country,
        "track_count": user.counts.public_tracks,
        "public_favorites_count": user.counts.liked_tracks,
        "reposts_count": user.counts.reposts,
        "followers_count": user.counts.followers,
        "followings_count": user.counts.followings,
        "playlist_count": user.counts.public_playlists,
        "plan": user.plan,
        "website": user.website,
        "website_title": user.website_title,
        "discogs_name": user.discogs_name,
        "myspace_name": user.myspace_name,
        "created_at": time(user.created_at),
        "subscriptions": subscriptions(user.plan),
    });
    extend(&mut written, profile);
    written
}

/// As asked for by id: with what only its owner is shown left out, not null.
pub(crate) fn complete_user(user_: &User, caller: &Caller) -> Value {
    let mut written = user(user_, caller);
    extend(&mut written, json!({ "comments_count": user_.counts.comments }));
    written
}

/// The signed-in user.
pub(crate) fn me(user: &User, caller: &Caller) -> Value {
    let mut written = complete_user(user, caller);
    let private = json!({
        "locale": user.locale,
        "primary_email_confirmed": user.primary_email_confirmed,
        "private_tracks_count": user.counts.private_tracks,
        "private_playlists_count": user.counts.private_playlists,
        "quota": quota(user),
    });
    extend(&mut written, private);
    written
}

fn avatar(user: &User) -> String {
    match user.avatar_url.as_deref() {
        Some(url) if !url.is_empty() => url.to_owned(),
        _ => format!("{SITE}{DEFAULT_AVATAR}"),
    }
}

fn subscriptions(plan: Plan) -> Value {
    let id = match plan {
        Plan::Free => return json!([]),
        Plan::Pro => "creator-pro",
        Plan::ProUnlimited => "creator-pro-unlimited",
    };
    json!([{ "product": { "id": id, "name": plan } }])
}

/// Seconds of audio.
fn quota(user: &User) -> Value {
    const FREE: i64 = 3 * 60 * 60;
    const PRO: i64 = 6 * 60 * 60;
    let used = user.upload_seconds_used;
    let left = match user.plan {
        Plan::Free => Some((FREE - used).max(0)),
        Plan::Pro => Some((PRO - used).max(0)),
        Plan::ProUnlimited => None,
    };
    json!({
        "unlimited_upload_quota": left.is_none(),
        "upload_seconds_used": used,
        "upload_seconds_left": left,
    })
}

fn extend(written: &mut Value, more: Value) {
    if let (Value::Object(written), Value::Object(more)) = (written, more) {
        written.extend(more);
    }
}
