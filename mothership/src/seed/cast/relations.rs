//! What they did to each other and said.

use super::*;

pub(super) fn insert_pairs(tx: &Connection) -> Result<(), StoreError> {
    let at = time("2018-08-08T08:08:08Z");
    let later =
        |minutes: i64| Timestamp::from_millis(at.millis() + minutes * 60_000).expect("a time in 2018");
    for (minutes, follower, followee) in
        [(1, FAN, ADA), (2, OTHER, ADA), (3, GHOST, ADA), (4, ADA, OTHER), (5, ADA, UNICODE), (6, FAN, GHOST)]
    {
        insert::pair(
            tx,
            "follows",
            ["follower_id", "followee_id"],
            follower,
            followee.get(),
            later(minutes),
        )?;
    }
    for (blocker, blocked) in [(ADA, OUTCAST), (MUTER, ADA)] {
        insert::pair(tx, "blocks", ["blocker_id", "blocked_id"], blocker, blocked.get(), at)?;
    }
    // The ties are liked in one instant, so that lists ordered by the time of the like tie as well.
    let mut playlist_likes: Vec<(UserId, PlaylistId, Timestamp)> = vec![
        (FAN, EVERYTHING, later(1)),
        (OTHER, EVERYTHING, later(2)),
        (GHOST, EVERYTHING, later(3)),
        (MUTER, EVERYTHING, later(4)),
        (FAN, ALBUM, later(5)),
        (FAN, PRIVATE_PLAYLIST, later(6)),
        (FAN, PLAYLIST_OF_SUSPENDED, later(7)),
        (ADA, PRIVATE_PLAYLIST, later(8)),
        (ADA, PLAYLIST_OF_OTHER, later(9)),
    ];
    playlist_likes.extend(TIES.map(|tie| (FAN, tie, later(10))));
    for (user, playlist, at) in playlist_likes {
        insert::pair(tx, "playlist_likes", ["user_id", "playlist_id"], user, playlist.get(), at)?;
    }
    for (minutes, user, playlist) in [
        (1, FAN, EVERYTHING),
        (2, OTHER, EVERYTHING),
        (3, GHOST, EVERYTHING),
        (4, FAN, ALBUM),
        (5, FAN, EP_IN_JULY),
    ] {
        insert::pair(
            tx,
            "playlist_reposts",
            ["user_id", "playlist_id"],
            user,
            playlist.get(),
            later(minutes),
        )?;
    }
    for (minutes, track) in (1..).zip(TRACKS) {
        insert::pair(tx, "track_likes", ["user_id", "track_id"], FAN, track.get(), later(minutes))?;
    }
    insert::pair(tx, "track_likes", ["user_id", "track_id"], GHOST, PUBLIC.get(), later(30))?;
    insert::pair(tx, "track_likes", ["user_id", "track_id"], OTHER, PUBLIC.get(), later(31))?;
    for (minutes, user, track) in
        [(1, FAN, PUBLIC), (2, GHOST, PUBLIC), (3, FAN, PRIVATE), (4, OTHER, PREVIEW)]
    {
        insert::pair(tx, "track_reposts", ["user_id", "track_id"], user, track.get(), later(minutes))?;
    }
    Ok(())
}

pub(super) fn insert_texts(tx: &Connection) -> Result<(), StoreError> {
    let at = time("2019-09-09T09:09:09Z");
    insert::comment(tx, PUBLIC, FAN, "First!", Some(0), at)?;
    insert::comment(tx, PUBLIC, OTHER, "<3 \"this\" 🎉 & more", Some(41_500), at)?;
    insert::comment(tx, PUBLIC, GHOST, "By a suspended user", Some(50_000), at)?;
    insert::comment(tx, PUBLIC, OUTCAST, "By someone whom Ada blocked", None, at)?;
    insert::comment(tx, PRIVATE, ADA, "A note to myself", None, at)?;
    insert::comment(tx, OF_OTHER, ADA, "Nice.", Some(1_234), at)?;
    insert::web_profile(tx, ADA, "videos", "Ada's videos", Some("ada"), at)?;
    insert::web_profile(tx, ADA, "shop", "", None, at)?;
    insert::web_profile(tx, UNICODE, "pictures", "Bilder <&> 写真", Some("zoë"), at)?;
    insert::connection(tx, ADA, "chirper", "@ada", at)?;
    insert::connection(tx, ADA, "facepage", "Ada Example", at)?;
    Ok(())
}
