//! From a record to what a viewer is told of the track.

use crate::{
    authorization::{TrackSight, read_track},
    domain::{self, Profile, Sharing, Timestamp, Viewer},
    foundation::{Relations, TrackRecord},
    rpc::{authorization::v1::Access, tracks::v1},
};

/// The aggregate, with the access that the viewer has to the track on its own (none if only a playlist opens it).
pub(super) fn track(
    record: &TrackRecord,
    relations: &Relations,
    viewer: &Viewer,
    now: Timestamp,
) -> v1::Track {
    let block = relations.block(record.user_id);
    let mark = relations.track(record.id);
    let mine = viewer.is(record.user_id);
    let TrackSight { access: alone, .. } = read_track(record.facts(), block, viewer, now);
    v1::Track {
        id: record.id.get(),
        user_id: record.user_id.get(),
        permalink: record.permalink.clone(),
        title: record.title.clone(),
        description: record.description.clone(),
        genre: record.genre.clone(),
        tag_list: record.tag_list.clone(),
        duration_ms: record.duration_ms,
        bpm: record.bpm,
        key_signature: record.key_signature.clone(),
        isrc: record.isrc.clone(),
        label_name: record.label_name.clone(),
        license: record.license.as_str().to_owned(),
        release: record.release.clone(),
        release_at_ms: record.release_at.map(Timestamp::millis),
        private: record.sharing == Sharing::Private,
        secret_token: mine.then(|| record.secret_token.clone()),
        commentable: record.commentable,
        downloadable: record.downloadable,
        streamable: record.streamable,
        embeddable_by: record.embeddable_by.as_str().to_owned(),
        purchase_title: record.purchase_title.clone(),
        purchase_url: record.purchase_url.clone(),
        artwork_url: record.artwork_url.clone(),
        playback_count: record.playback_count,
        download_count: record.download_count,
        likes_count: record.likes_count,
        reposts_count: record.reposts_count,
        comments_count: record.comments_count,
        created_at_ms: record.created_at.millis(),
        last_modified_ms: record.last_modified.millis(),
        access: access(alone).into(),
        liked: mark.liked,
        reposted: mark.reposted,
        owner_muted: block.by_viewer && !mine,
    }
}

pub(super) fn creator(profile: &Profile) -> v1::Creator {
    v1::Creator {
        id: profile.id.get(),
        permalink: profile.permalink.clone(),
        username: profile.username.clone(),
        avatar_url: profile.avatar_url.clone(),
        last_modified_ms: profile.last_modified.millis(),
    }
}

pub(super) fn access(access: Option<domain::Access>) -> Access {
    match access {
        None => Access::Unspecified,
        Some(domain::Access::Playable) => Access::Playable,
        Some(domain::Access::Preview) => Access::Preview,
        Some(domain::Access::Blocked) => Access::Blocked,
    }
}
