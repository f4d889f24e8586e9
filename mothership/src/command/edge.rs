//! Likes, reposts, follows and blocks: pairs that are there or not, with counts on both sides.

use serde_json::json;

use crate::{
    command::{Applied, CommandError, Forbidden, INDEX_LAG_MAX, Missing, Problem, context::Context},
    domain::{PlaylistId, TrackId, UserId},
    store::Aggregate,
};

/// A kind of pair between a user and a thing.
pub(super) struct Kind {
    table: &'static str,
    column: &'static str,
    /// The thing's table and count.
    things: &'static str,
    count: &'static str,
    /// The user's count.
    user_count: &'static str,
    added: &'static str,
    removed: &'static str,
}

pub(super) const PLAYLIST_LIKE: Kind = Kind {
    table: "playlist_likes",
    column: "playlist_id",
    things: "playlists",
    count: "likes_count",
    user_count: "liked_playlists_count",
    added: "playlist.liked",
    removed: "playlist.unliked",
};

pub(super) const PLAYLIST_REPOST: Kind = Kind {
    table: "playlist_reposts",
    column: "playlist_id",
    things: "playlists",
    count: "reposts_count",
    user_count: "reposts_count",
    added: "playlist.reposted",
    removed: "playlist.unreposted",
};

pub(super) const TRACK_LIKE: Kind = Kind {
    table: "track_likes",
    column: "track_id",
    things: "tracks",
    count: "likes_count",
    user_count: "liked_tracks_count",
    added: "track.liked",
    removed: "track.unliked",
};

pub(super) const TRACK_REPOST: Kind = Kind {
    table: "track_reposts",
    column: "track_id",
    things: "tracks",
    count: "reposts_count",
    user_count: "reposts_count",
    added: "track.reposted",
    removed: "track.unreposted",
};

pub(super) fn playlist(cx: &mut Context<'_>, kind: &Kind, id: PlaylistId, on: bool) -> Applied {
    let changed = set(cx, kind, id.get(), on)?;
    // Taking back needs no sight: what one liked may have been hidden since. A pair that is not there tells nothing.
    if on || !changed {
        cx.visible_playlist(id)?;
    }
    if changed {
        if kind.count == "likes_count" {
            cx.execute(
                "UPDATE playlists SET indexed_likes_count = likes_count \
                 WHERE id = ?1 AND abs(likes_count - indexed_likes_count) > ?2",
                (id, INDEX_LAG_MAX),
            )?;
        }
        tell(cx, kind, Aggregate::Playlist(id), on);
    }
    Ok((changed, cx.playlist_entity(id)?))
}

pub(super) fn track(cx: &mut Context<'_>, kind: &Kind, id: TrackId, on: bool) -> Applied {
    let changed = set(cx, kind, id.get(), on)?;
    if on || !changed {
        cx.visible_track(id)?;
    }
    if changed {
        tell(cx, kind, Aggregate::Track(id), on);
    }
    Ok((changed, cx.track_entity(id)?))
}

pub(super) fn follow(cx: &mut Context<'_>, user: UserId) -> Applied {
    not_yourself(cx, user)?;
    cx.visible_user(user)?;
    let blocks = cx.reader.blocks(cx.viewer.user_id(), &[user])?;
    if blocks.block(user).by_owner {
        return Err(CommandError::Forbidden(Forbidden::BlockedByUser));
    }
    let added = cx.execute(
        "INSERT OR IGNORE INTO follows (follower_id, followee_id, created_at) VALUES (?1, ?2, ?3)",
        (cx.actor.user_id, user, cx.viewer.now),
    )?;
    if added > 0 {
        count_follow(cx, cx.actor.user_id, user, 1)?;
        cx.tell("user.followed", Aggregate::User(user), json!({ "follower_id": cx.actor.user_id }));
    }
    Ok((added > 0, cx.user_entity(user)?))
}

pub(super) fn unfollow(cx: &mut Context<'_>, user: UserId) -> Applied {
    let changed = end_follow(cx, cx.actor.user_id, user)?;
    if !changed {
        cx.visible_user(user)?;
    }
    Ok((changed, cx.user_entity(user)?))
}

pub(super) fn block(cx: &mut Context<'_>, user: UserId) -> Applied {
    not_yourself(cx, user)?;
    cx.visible_user(user)?;
    let added = cx.execute(
        "INSERT OR IGNORE INTO blocks (blocker_id, blocked_id, created_at) VALUES (?1, ?2, ?3)",
        (cx.actor.user_id, user, cx.viewer.now),
    )?;
    if added > 0 {
        end_follow(cx, cx.actor.user_id, user)?;
        end_follow(cx, user, cx.actor.user_id)?;
        cx.tell("user.blocked", Aggregate::User(user), json!({ "blocker_id": cx.actor.user_id }));
    }
    Ok((added > 0, cx.user_entity(user)?))
}

pub(super) fn unblock(cx: &mut Context<'_>, user: UserId) -> Applied {
    cx.visible_user(user)?;
    let removed =
        cx.execute("DELETE FROM blocks WHERE blocker_id = ?1 AND blocked_id = ?2", (cx.actor.user_id, user))?;
    if removed > 0 {
        cx.tell("user.unblocked", Aggregate::User(user), json!({ "blocker_id": cx.actor.user_id }));
    }
    Ok((removed > 0, cx.user_entity(user)?))
}

/// Adds or removes the pair and keeps the counts of both sides. Says whether anything changed.
fn set(cx: &Context<'_>, kind: &Kind, id: i64, on: bool) -> Result<bool, CommandError> {
    let Kind { table, column, things, count, user_count, .. } = kind;
    let user = cx.actor.user_id;
    let exists = format!("SELECT EXISTS (SELECT 1 FROM {things} WHERE id = ?1)");
    if !cx.tx.prepare_cached(&exists)?.query_row([id], |row| row.get::<_, bool>(0))? {
        return Err(CommandError::NotFound(kind.missing(id)));
    }
    let rows = if on {
        let insert =
            format!("INSERT OR IGNORE INTO {table} (user_id, {column}, created_at) VALUES (?1, ?2, ?3)");
        cx.execute(&insert, (user, id, cx.viewer.now))?
    } else {
        cx.execute(&format!("DELETE FROM {table} WHERE user_id = ?1 AND {column} = ?2"), (user, id))?
    };
    if rows == 0 {
        return Ok(false);
    }
    let by = if on { 1 } else { -1 };
    cx.execute(&format!("UPDATE {things} SET {count} = {count} + ?2 WHERE id = ?1"), (id, by))?;
    cx.execute(&format!("UPDATE users SET {user_count} = {user_count} + ?2 WHERE id = ?1"), (user, by))?;
    Ok(true)
}

fn tell(cx: &mut Context<'_>, kind: &Kind, aggregate: Aggregate, on: bool) {
    let event_type = if on { kind.added } else { kind.removed };
    let payload = json!({ "user_id": cx.actor.user_id });
    cx.tell(event_type, aggregate, payload);
}

fn end_follow(cx: &mut Context<'_>, follower: UserId, followee: UserId) -> Result<bool, CommandError> {
    let removed =
        cx.execute("DELETE FROM follows WHERE follower_id = ?1 AND followee_id = ?2", (follower, followee))?;
    if removed > 0 {
        count_follow(cx, follower, followee, -1)?;
        cx.tell("user.unfollowed", Aggregate::User(followee), json!({ "follower_id": follower }));
    }
    Ok(removed > 0)
}

fn count_follow(cx: &Context<'_>, follower: UserId, followee: UserId, by: i64) -> Result<(), CommandError> {
    cx.execute("UPDATE users SET followings_count = followings_count + ?2 WHERE id = ?1", (follower, by))?;
    cx.execute("UPDATE users SET followers_count = followers_count + ?2 WHERE id = ?1", (followee, by))?;
    Ok(())
}

fn not_yourself(cx: &Context<'_>, user: UserId) -> Result<(), CommandError> {
    if cx.viewer.is(user) { Err(CommandError::invalid("user", Problem::Yourself)) } else { Ok(()) }
}

impl Kind {
    fn missing(&self, id: i64) -> Missing {
        const POSITIVE: &str = "commands carry checked ids";
        if self.things == "playlists" {
            Missing::Playlist(id.try_into().expect(POSITIVE))
        } else {
            Missing::Track(id.try_into().expect(POSITIVE))
        }
    }
}
