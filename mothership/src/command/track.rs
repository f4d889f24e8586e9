//! Updating and deleting tracks.

use rusqlite::ToSql;
use serde_json::json;

use crate::{
    command::{
        Applied, CommandError, TrackFields,
        context::Context,
        playlist::{set_columns, sql},
        tracklist,
    },
    domain::{Sharing, TrackId, UserId},
    store::Aggregate,
};

pub(super) fn update(cx: &mut Context<'_>, id: TrackId, fields: &TrackFields) -> Applied {
    let before = cx.own_track(id)?;
    fields.check()?;
    let now = Some(cx.viewer.now);
    let columns: [(&str, Option<&dyn ToSql>); 16] = [
        ("title", fields.title.as_ref().map(sql)),
        ("description", fields.description.as_ref().map(sql)),
        ("genre", fields.genre.as_ref().map(sql)),
        ("tag_list", fields.tag_list.as_ref().map(sql)),
        ("sharing", fields.sharing.as_ref().map(sql)),
        ("license", fields.license.as_ref().map(sql)),
        ("release", fields.release.as_ref().map(sql)),
        ("release_at", fields.release_at.as_ref().map(sql)),
        ("isrc", fields.isrc.as_ref().map(sql)),
        ("label_name", fields.label_name.as_ref().map(sql)),
        ("purchase_url", fields.purchase_url.as_ref().map(sql)),
        ("embeddable_by", fields.embeddable_by.as_ref().map(sql)),
        ("commentable", fields.commentable.as_ref().map(sql)),
        ("downloadable", fields.downloadable.as_ref().map(sql)),
        ("streamable", fields.streamable.as_ref().map(sql)),
        ("last_modified", now.as_ref().map(sql)),
    ];
    set_columns(cx, "tracks", id.get(), &columns)?;
    if let Some(sharing) = fields.sharing.filter(|sharing| *sharing != before.sharing) {
        count_for_owner(cx, before.user_id, before.sharing, -1)?;
        count_for_owner(cx, before.user_id, sharing, 1)?;
    }
    let after = cx.visible_track(id)?;
    let payload = json!({
        "user_id": after.user_id,
        "title": after.title,
        "sharing": after.sharing,
        "release_at": after.release_at,
    });
    cx.tell("track.updated", Aggregate::Track(id), payload);
    Ok((true, cx.track_entity(id)?))
}

pub(super) fn delete(cx: &mut Context<'_>, id: TrackId) -> Applied {
    let before = cx.own_track(id)?;
    let entity = cx.track_entity(id)?;
    tracklist::remove_everywhere(cx, id)?;
    for sql in [
        "UPDATE users SET liked_tracks_count = liked_tracks_count - 1 \
         WHERE id IN (SELECT user_id FROM track_likes WHERE track_id = ?1)",
        "UPDATE users SET reposts_count = reposts_count - 1 \
         WHERE id IN (SELECT user_id FROM track_reposts WHERE track_id = ?1)",
        "UPDATE users SET comments_count = comments_count - \
             (SELECT count(*) FROM comments WHERE track_id = ?1 AND user_id = users.id) \
         WHERE id IN (SELECT user_id FROM comments WHERE track_id = ?1)",
        "DELETE FROM track_likes WHERE track_id = ?1",
        "DELETE FROM track_reposts WHERE track_id = ?1",
        "DELETE FROM comments WHERE track_id = ?1",
        "DELETE FROM tracks WHERE id = ?1",
    ] {
        cx.execute(sql, [id])?;
    }
    count_for_owner(cx, before.user_id, before.sharing, -1)?;
    cx.tell("track.deleted", Aggregate::Track(id), json!({ "user_id": before.user_id }));
    Ok((true, entity))
}

fn count_for_owner(cx: &Context<'_>, owner: UserId, sharing: Sharing, by: i64) -> Result<(), CommandError> {
    let sql = match sharing {
        Sharing::Public => "UPDATE users SET public_tracks_count = public_tracks_count + ?2 WHERE id = ?1",
        Sharing::Private => "UPDATE users SET private_tracks_count = private_tracks_count + ?2 WHERE id = ?1",
    };
    cx.execute(sql, (owner, by))?;
    Ok(())
}
