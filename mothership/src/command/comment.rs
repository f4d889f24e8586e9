//! Comments on tracks.

use serde_json::json;

use crate::{
    command::{
        Applied, COMMENT_CHARS_MAX, CommandError, Entity, Forbidden, Invalid, Missing, Problem,
        context::Context,
    },
    domain::{Comment, CommentId, TrackId, UserId},
    store::Aggregate,
};

pub(super) fn create(
    cx: &mut Context<'_>,
    track_id: TrackId,
    body: &str,
    position_ms: Option<i64>,
) -> Applied {
    let track = cx.visible_track(track_id)?;
    if !track.commentable {
        return Err(CommandError::Forbidden(Forbidden::CommentsOff));
    }
    check(body, position_ms, track.duration_ms)?;
    let (user_id, created_at) = (cx.actor.user_id, cx.viewer.now);
    let id = cx
        .tx
        .prepare_cached(
            "INSERT INTO comments (track_id, user_id, body, position_ms, created_at) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?
        .insert((track_id, user_id, body, position_ms, created_at))?;
    let id = CommentId::try_from(id).expect("SQLite gives positive row ids");
    count(cx, track_id, user_id, 1)?;
    let comment = Comment { id, track_id, user_id, body: body.to_owned(), position_ms, created_at };
    let payload = json!({ "comment_id": id, "user_id": user_id, "position_ms": position_ms });
    cx.tell("comment.created", Aggregate::Track(track_id), payload);
    Ok((true, Entity::Comment(Box::new(comment))))
}

/// By its author, the owner of the track, or a moderator.
pub(super) fn delete(cx: &mut Context<'_>, id: CommentId) -> Applied {
    let missing = || CommandError::NotFound(Missing::Comment(id));
    let comment = cx.reader.comment(id)?.ok_or_else(missing)?;
    if !cx.viewer.is(comment.user_id) {
        let track = cx.visible_track(comment.track_id).map_err(|error| match error {
            CommandError::NotFound(_) => missing(),
            other => other,
        })?;
        cx.check_owner(track.user_id)?;
    }
    cx.execute("DELETE FROM comments WHERE id = ?1", [id])?;
    count(cx, comment.track_id, comment.user_id, -1)?;
    let payload = json!({ "comment_id": id, "user_id": comment.user_id });
    cx.tell("comment.deleted", Aggregate::Track(comment.track_id), payload);
    Ok((true, Entity::Comment(Box::new(comment))))
}

fn check(body: &str, position_ms: Option<i64>, duration_ms: i64) -> Result<(), CommandError> {
    let mut problems = Vec::new();
    if body.trim().is_empty() {
        problems.push(Invalid { field: "body", problem: Problem::Blank });
    }
    let actual = body.chars().count();
    if actual > COMMENT_CHARS_MAX {
        problems
            .push(Invalid { field: "body", problem: Problem::TooLong { max: COMMENT_CHARS_MAX, actual } });
    }
    if position_ms.is_some_and(|position| !(0..=duration_ms).contains(&position)) {
        problems
            .push(Invalid { field: "timestamp", problem: Problem::OutOfRange { min: 0, max: duration_ms } });
    }
    if problems.is_empty() { Ok(()) } else { Err(CommandError::Invalid(problems)) }
}

fn count(cx: &Context<'_>, track: TrackId, user: UserId, by: i64) -> Result<(), CommandError> {
    cx.execute("UPDATE tracks SET comments_count = comments_count + ?2 WHERE id = ?1", (track, by))?;
    cx.execute("UPDATE users SET comments_count = comments_count + ?2 WHERE id = ?1", (user, by))?;
    Ok(())
}
