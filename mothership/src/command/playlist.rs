//! Creating, updating and deleting playlists.

use rusqlite::{OptionalExtension, ToSql};
use serde_json::json;

use crate::{
    command::{Applied, CommandError, Entity, Invalid, PlaylistFields, Problem, context::Context, tracklist},
    domain::{Embeddable, License, PlaylistId, PlaylistKind, Sharing, UserId},
    store::Aggregate,
};

pub(super) fn create(cx: &mut Context<'_>, fields: &PlaylistFields) -> Applied {
    fields.check()?;
    let Some(title) = &fields.title else {
        return Err(CommandError::invalid("title", Problem::Blank));
    };
    let id = next_id(cx)?;
    let permalink = free_permalink(cx, cx.actor.user_id, title, id)?;
    let now = cx.viewer.now;
    cx.execute(
        "INSERT INTO playlists (id, user_id, permalink, title, tag_list, kind, sharing, secret_token, license, \
         embeddable_by, created_at, last_modified) VALUES (?1, ?2, ?3, ?4, '', ?5, ?6, ?7, ?8, ?9, ?10, ?10)",
        (
            id,
            cx.actor.user_id,
            permalink,
            title,
            PlaylistKind::Playlist,
            Sharing::Public,
            secret_token(cx.seed, id.get(), 1),
            License::AllRightsReserved,
            Embeddable::All,
            now,
        ),
    )?;
    count_for_owner(cx, cx.actor.user_id, Sharing::Public, 1)?;
    apply(cx, id, cx.actor.user_id, Sharing::Public, fields)?;
    let entity = cx.playlist_entity(id)?;
    cx.tell("playlist.created", Aggregate::Playlist(id), snapshot(&entity));
    Ok((true, entity))
}

pub(super) fn update(
    cx: &mut Context<'_>,
    id: PlaylistId,
    fields: &PlaylistFields,
    if_revision: Option<i64>,
) -> Applied {
    let before = cx.own_playlist(id)?;
    if let Some(expected) = if_revision
        && expected != before.revision
    {
        return Err(CommandError::StaleRevision { expected, actual: before.revision });
    }
    fields.check()?;
    apply(cx, id, before.user_id, before.sharing, fields)?;
    touch(cx, id)?;
    let entity = cx.playlist_entity(id)?;
    cx.tell("playlist.updated", Aggregate::Playlist(id), snapshot(&entity));
    Ok((true, entity))
}

pub(super) fn delete(cx: &mut Context<'_>, id: PlaylistId) -> Applied {
    let before = cx.own_playlist(id)?;
    let entity = cx.playlist_entity(id)?;
    for sql in [
        "UPDATE users SET liked_playlists_count = liked_playlists_count - 1 \
         WHERE id IN (SELECT user_id FROM playlist_likes WHERE playlist_id = ?1)",
        "UPDATE users SET reposts_count = reposts_count - 1 \
         WHERE id IN (SELECT user_id FROM playlist_reposts WHERE playlist_id = ?1)",
        "DELETE FROM playlist_likes WHERE playlist_id = ?1",
        "DELETE FROM playlist_reposts WHERE playlist_id = ?1",
        "DELETE FROM playlist_tracks WHERE playlist_id = ?1",
        "DELETE FROM playlists WHERE id = ?1",
    ] {
        cx.execute(sql, [id])?;
    }
    count_for_owner(cx, before.user_id, before.sharing, -1)?;
    let payload = json!({ "user_id": before.user_id, "revision": before.revision });
    cx.tell("playlist.deleted", Aggregate::Playlist(id), payload);
    Ok((true, entity))
}

pub(super) fn rotate_secret(cx: &mut Context<'_>, id: PlaylistId) -> Applied {
    let before = cx.own_playlist(id)?;
    touch(cx, id)?;
    let token = secret_token(cx.seed, id.get(), before.revision + 1);
    cx.execute("UPDATE playlists SET secret_token = ?2 WHERE id = ?1", (id, token))?;
    // The token itself stays out of the event: whoever reads the feed need not be able to open the playlist.
    cx.tell("playlist.secret_rotated", Aggregate::Playlist(id), json!({ "revision": before.revision + 1 }));
    Ok((true, cx.playlist_entity(id)?))
}

/// A change of the playlist itself: the next revision, and the search index catches up with the likes.
pub(super) fn touch(cx: &Context<'_>, id: PlaylistId) -> Result<(), CommandError> {
    cx.execute(
        "UPDATE playlists SET revision = revision + 1, last_modified = ?2, indexed_likes_count = likes_count \
         WHERE id = ?1",
        (id, cx.viewer.now),
    )?;
    Ok(())
}

/// A token that nobody guesses from the id alone, and that is the same in every run of the same seed.
pub(crate) fn secret_token(seed: u64, id: i64, generation: i64) -> String {
    const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut random = crate::seed::Random::new(&[seed, id.unsigned_abs(), generation.unsigned_abs()]);
    let mut token = String::from("s-");
    for _ in 0..11 {
        let index = usize::try_from(random.below(62)).expect("62 fits a usize");
        token.push(char::from(ALPHABET[index]));
    }
    token
}

fn apply(
    cx: &Context<'_>,
    id: PlaylistId,
    owner: UserId,
    sharing: Sharing,
    fields: &PlaylistFields,
) -> Result<(), CommandError> {
    if let Some(Some(label)) = fields.label_id
        && cx.reader.identity(label)?.is_none()
    {
        let invalid = Invalid { field: "label_id", problem: Problem::UnknownUser };
        return Err(CommandError::Invalid(vec![invalid]));
    }
    let columns: [(&str, Option<&dyn ToSql>); 16] = [
        ("title", fields.title.as_ref().map(sql)),
        ("description", fields.description.as_ref().map(sql)),
        ("genre", fields.genre.as_ref().map(sql)),
        ("tag_list", fields.tag_list.as_ref().map(sql)),
        ("kind", fields.kind.as_ref().map(sql)),
        ("sharing", fields.sharing.as_ref().map(sql)),
        ("license", fields.license.as_ref().map(sql)),
        ("release", fields.release.as_ref().map(sql)),
        ("release_at", fields.release_at.as_ref().map(sql)),
        ("ean", fields.ean.as_ref().map(sql)),
        ("label_id", fields.label_id.as_ref().map(sql)),
        ("label_name", fields.label_name.as_ref().map(sql)),
        ("purchase_title", fields.purchase_title.as_ref().map(sql)),
        ("purchase_url", fields.purchase_url.as_ref().map(sql)),
        ("embeddable_by", fields.embeddable_by.as_ref().map(sql)),
        ("artwork_url", fields.artwork_url.as_ref().map(sql)),
    ];
    set_columns(cx, "playlists", id.get(), &columns)?;
    if let Some(now) = fields.sharing.filter(|now| *now != sharing) {
        count_for_owner(cx, owner, sharing, -1)?;
        count_for_owner(cx, owner, now, 1)?;
    }
    if let Some(tracks) = &fields.track_ids {
        tracklist::replace(cx, id, tracks)?;
    }
    Ok(())
}

pub(super) fn sql<T: ToSql>(value: &T) -> &dyn ToSql {
    value
}

/// Sets the columns that have a value.
pub(super) fn set_columns(
    cx: &Context<'_>,
    table: &str,
    id: i64,
    columns: &[(&str, Option<&dyn ToSql>)],
) -> Result<(), CommandError> {
    let mut assignments = Vec::new();
    let mut values: Vec<&dyn ToSql> = vec![&id];
    for (column, value) in columns {
        if let Some(value) = value {
            values.push(*value);
            assignments.push(format!("{column} = ?{}", values.len()));
        }
    }
    if assignments.is_empty() {
        return Ok(());
    }
    let statement = format!("UPDATE {table} SET {} WHERE id = ?1", assignments.join(", "));
    cx.execute(&statement, &*values)?;
    Ok(())
}

fn count_for_owner(cx: &Context<'_>, owner: UserId, sharing: Sharing, by: i64) -> Result<(), CommandError> {
    let sql = match sharing {
        Sharing::Public => {
            "UPDATE users SET public_playlists_count = public_playlists_count + ?2 WHERE id = ?1"
        }
        Sharing::Private => {
            "UPDATE users SET private_playlists_count = private_playlists_count + ?2 WHERE id = ?1"
        }
    };
    cx.execute(sql, (owner, by))?;
    Ok(())
}

/// Ids are never used again, not even after a delete.
fn next_id(cx: &Context<'_>) -> Result<PlaylistId, CommandError> {
    let sql = "SELECT seq + 1 FROM sqlite_sequence WHERE name = 'playlists'";
    let id: Option<i64> = cx.tx.query_row(sql, [], |row| row.get(0)).optional()?;
    Ok(PlaylistId::try_from(id.unwrap_or(1)).expect("sequences start at 1 and only rise"))
}

/// The title in lower-case ASCII with dashes; a number is added where the owner has that permalink already.
fn free_permalink(
    cx: &Context<'_>,
    owner: UserId,
    title: &str,
    id: PlaylistId,
) -> Result<String, CommandError> {
    /// After this many tries the id is added, which is always free.
    const TRIES: usize = 8;
    let base = slug(title);
    let mut taken = cx
        .tx
        .prepare_cached("SELECT EXISTS (SELECT 1 FROM playlists WHERE user_id = ?1 AND permalink = ?2)")?;
    for number in 1..=TRIES {
        let permalink = if number == 1 { base.clone() } else { format!("{base}-{number}") };
        if !taken.query_row((owner, &permalink), |row| row.get::<_, bool>(0))? {
            return Ok(permalink);
        }
    }
    Ok(format!("{base}-id{id}"))
}

pub(crate) fn slug(title: &str) -> String {
    let lower = title.to_ascii_lowercase();
    let words = lower.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let slug = words.collect::<Vec<_>>().join("-");
    if slug.is_empty() { "untitled".to_owned() } else { slug }
}

/// What subscribers need to follow a playlist without asking back.
fn snapshot(entity: &Entity) -> serde_json::Value {
    let Entity::Playlist(after) = entity else { return serde_json::Value::Null };
    let playlist = &after.playlist;
    json!({
        "user_id": playlist.user_id,
        "title": playlist.title,
        "kind": playlist.kind,
        "sharing": playlist.sharing,
        "release_at": playlist.release_at,
        "revision": playlist.revision,
        "track_ids": after.track_ids,
    })
}
