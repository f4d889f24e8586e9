//! A second opinion on who may see what: written from the sentences of docs/mothership-visibility.md, by exclusion, and
//! without the crate's rules. It knows no dialect; the tests of one that deviates adjust its answers.

use super::generated::{Fact, Question, Shelf};

/// The tracks that are seen in the playlist, in its order, and how much of each, in the page's words. `None`: there is
/// no such playlist.
pub(crate) fn playlist(asked: &Question) -> Option<Vec<(i64, &'static str)>> {
    let shelf = &asked.shelf;
    let link = asked.secret == Some(format!("s-shelf-{}", shelf.id));
    let power = asked.viewer == Some(5) || asked.viewer == Some(shelf.owner);
    let closed = (shelf.private || shelf.early) && !link;
    if !power && (stands_against(asked.viewer, shelf.owner) || closed) {
        return None;
    }
    let along = |track: &Fact| link && shelf.private && track.owner == shelf.owner;
    let seen = shelf.tracks.iter().filter_map(|track| Some((track.id, sight(asked, track, along(track))?)));
    Some(seen.collect())
}

/// The track that is asked for by itself.
pub(crate) fn track(asked: &Question) -> Option<&'static str> {
    sight(asked, &asked.track, false)
}

/// Whether the viewer meets the playlist in its owner's list.
pub(crate) fn lists(shelf: &Shelf, viewer: Option<i64>) -> bool {
    let mine = viewer == Some(shelf.owner);
    let apart = stands_against(viewer, shelf.owner) || blocked_by_viewer(viewer, shelf.owner);
    mine || !(shelf.private || shelf.early || apart)
}

/// Ada blocked Outcast, Muter blocked Ada.
pub(crate) fn blocked_by_viewer(viewer: Option<i64>, owner: i64) -> bool {
    (viewer == Some(1) && owner == 4) || (viewer == Some(7) && owner == 1)
}

/// Ghost is suspended; the others by the same two blocks from the other side.
fn stands_against(viewer: Option<i64>, owner: i64) -> bool {
    owner == 6 || (owner == 1 && viewer == Some(4)) || (owner == 7 && viewer == Some(1))
}

/// `along`: the playlist's link opens the track.
fn sight(asked: &Question, track: &Fact, along: bool) -> Option<&'static str> {
    let (mine, moderator) = (asked.viewer == Some(track.owner), asked.viewer == Some(5));
    let link = asked.secret == Some(format!("s-fact-{}", track.id));
    let hidden = stands_against(asked.viewer, track.owner)
        || track.taken_down
        || (track.private && !link && !along)
        || (track.early && !link);
    if !mine && !moderator && hidden {
        return None;
    }
    Some(match (mine, moderator) {
        (true, _) if track.taken_down => "blocked",
        (true, _) | (_, true) => "playable",
        _ if track.not_in_germany && asked.germany => "blocked",
        _ if track.preview => "preview",
        _ => "playable",
    })
}
