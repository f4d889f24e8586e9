//! How the dialect writes each thing: compact, and without a key where there is no value, where a text is empty, and
//! where a flag would be false.

use serde_json::{Map, Value, json};

use crate::{
    domain::{
        Access, Mark, Person, Playlist, Profile, Sharing, Timestamp, Track, TrackId, UserRelation, Viewer,
    },
    edges::mobile::{Caller, urn::urn},
    regressions::Regression,
};

pub(super) fn playlist(playlist: &Playlist, owner: Option<&Person>, mark: Mark, caller: &Caller) -> Value {
    let on = |regression| caller.regressions.on(regression);
    let mine = caller.viewer.is(playlist.owner) || on(Regression::SecretToken);
    let mut written = Written::default();
    written.put("urn", urn(playlist.id));
    written.put("title", json!(playlist.title));
    written.put("permalink", json!(playlist.permalink));
    written.put("user", owner.map_or(Value::Null, short_user));
    written.put("is_public", json!(playlist.sharing == Sharing::Public));
    written.flag("is_album", playlist.kind.is_release());
    written.put("set_type", json!(playlist.kind));
    written.put("duration", seconds(playlist.counts.duration_ms));
    written.put("track_count", json!(playlist.counts.tracks));
    written.put("likes_count", json!(playlist.counts.likes));
    written.put("reposts_count", json!(playlist.counts.reposts));
    written.text("description", playlist.description.as_deref());
    written.text("genre", playlist.genre.as_deref());
    written.text("artwork_url", playlist.artwork_url.as_deref());
    written.text("label_name", playlist.label.name.as_deref());
    written.text("purchase_url", playlist.purchase.url.as_deref());
    written.put("tags", tags(&playlist.tag_list));
    written.put("release_date", playlist.release.at.map_or(Value::Null, date));
    written.put("created_at", time(playlist.created_at));
    written.put("updated_at", time(playlist.last_modified));
    written.put("revision", json!(playlist.revision));
    written.flag("user_like", mark.liked);
    written.flag("user_repost", mark.reposted);
    written.text("secret_token", mine.then(|| playlist.secret.reveal()));
    if on(Regression::IntegerSeconds) {
        written.put("duration", json!(playlist.counts.duration_ms / 1000));
    }
    if on(Regression::NullKeys) {
        for key in ["description", "genre", "artwork_url", "label_name", "purchase_url", "release_date"] {
            written.0.entry(key).or_insert(Value::Null);
        }
    }
    written.done()
}

/// With the URNs of the tracks that the caller sees.
pub(super) fn with_tracks(mut written: Value, tracks: impl Iterator<Item = TrackId>) -> Value {
    written["track_urns"] = tracks.map(urn).collect();
    written
}

pub(super) fn counts(playlist: &Playlist) -> Value {
    json!({
        "urn": urn(playlist.id),
        "tracks": playlist.counts.tracks,
        "likes": playlist.counts.likes,
        "reposts": playlist.counts.reposts,
        "duration": seconds(playlist.counts.duration_ms),
    })
}

pub(super) fn track(track: &Track, play: Play, owner: Option<&Person>, viewer: &Viewer) -> Value {
    let secret = viewer.is(track.user_id) && track.sharing == Sharing::Private;
    let mut written = Written::default();
    written.put("urn", urn(track.id));
    written.put("title", json!(track.title));
    written.put("permalink", json!(track.permalink));
    written.put("user", owner.map_or(Value::Null, short_user));
    written.put("play", json!(play.as_str()));
    written.put("is_public", json!(track.sharing == Sharing::Public));
    written.put("duration", seconds(track.duration_ms));
    written.put("plays_count", json!(track.playback_count));
    written.put("likes_count", json!(track.likes_count));
    written.put("reposts_count", json!(track.reposts_count));
    written.put("comments_count", json!(track.comments_count));
    written.text("genre", track.genre.as_deref());
    written.text("description", track.description.as_deref());
    written.text("artwork_url", track.artwork_url.as_deref());
    written.put("tags", tags(&track.tag_list));
    written.put("created_at", time(track.created_at));
    written.flag("comments_off", !track.commentable);
    written.flag("user_like", track.liked);
    written.flag("user_repost", track.reposted);
    written.text("secret_token", track.secret_token.as_deref().filter(|_| secret));
    written.done()
}

pub(super) fn user(user: &Profile, relation: UserRelation) -> Value {
    let mut written = Written::default();
    written.put("urn", urn(user.id));
    written.put("username", json!(user.username));
    written.put("permalink", json!(user.permalink));
    written.text("avatar_url", user.avatar_url.as_deref());
    written.text("full_name", Some(&user.full_name()));
    written.text("city", user.city.as_deref());
    written.text("country", user.country.as_deref());
    written.text("description", user.description.as_deref());
    written.put("followers_count", json!(user.counts.followers));
    written.put("followings_count", json!(user.counts.followings));
    written.put("tracks_count", json!(user.counts.public_tracks));
    written.put("playlists_count", json!(user.counts.public_playlists));
    written.put("created_at", time(user.created_at));
    written.flag("user_follow", relation.follows);
    written.done()
}

/// How much of a track the apps play. What may not be played is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Play {
    Full,
    Snippet,
}

impl Play {
    /// `None`: the dialect hides such a track.
    pub(super) fn of(access: Access) -> Option<Self> {
        match access {
            Access::Playable => Some(Self::Full),
            Access::Preview => Some(Self::Snippet),
            Access::Blocked => None,
        }
    }

    const fn as_str(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Snippet => "snippet",
        }
    }
}

fn short_user(user: &Person) -> Value {
    let mut written = Written::default();
    written.put("urn", urn(user.id));
    written.put("username", json!(user.username));
    written.put("permalink", json!(user.permalink));
    written.text("avatar_url", user.avatar_url.as_deref());
    written.done()
}

/// An object that takes no nulls and no empty texts.
#[derive(Default)]
struct Written(Map<String, Value>);

impl Written {
    fn put(&mut self, key: &str, value: Value) {
        if !value.is_null() {
            self.0.insert(key.to_owned(), value);
        }
    }

    fn text(&mut self, key: &str, text: Option<&str>) {
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            self.put(key, json!(text));
        }
    }

    fn flag(&mut self, key: &str, flag: bool) {
        if flag {
            self.put(key, json!(true));
        }
    }

    fn done(self) -> Value {
        Value::Object(self.0)
    }
}

/// `180.0`: always with a decimal point.
fn seconds(millis: i64) -> Value {
    #[allow(clippy::cast_precision_loss, reason = "exact below 2^53 ms, some 285,000 years")]
    let millis = millis as f64;
    json!(millis / 1000.0)
}

fn time(time: Timestamp) -> Value {
    json!(time.as_jiff().strftime("%Y-%m-%dT%H:%M:%SZ").to_string())
}

fn date(time: Timestamp) -> Value {
    json!(time.as_jiff().strftime("%Y-%m-%d").to_string())
}

/// `rock "drum and bass"` is two tags. Null, so no key, if there are none.
fn tags(list: &str) -> Value {
    let parts = list.split('"').enumerate();
    let tags: Vec<&str> = parts
        .flat_map(|(nth, part)| {
            // Every other part stands between quotes.
            if nth % 2 == 1 { vec![part] } else { part.split_whitespace().collect() }
        })
        .filter(|tag| !tag.trim().is_empty())
        .collect();
    if tags.is_empty() { Value::Null } else { json!(tags) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_of_several_words_stand_in_quotes() {
        assert_eq!(tags("rock \"drum and bass\" live"), json!(["rock", "drum and bass", "live"]));
        assert_eq!(tags(" \"\" "), Value::Null);
        assert_eq!(tags("open \"quote"), json!(["open", "quote"]));
    }

    #[test]
    fn seconds_always_have_a_point() {
        assert_eq!(seconds(180_000).to_string(), "180.0");
        assert_eq!(seconds(1).to_string(), "0.001");
    }
}
