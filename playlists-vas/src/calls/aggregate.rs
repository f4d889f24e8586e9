//! The playlist aggregate as a message.

use crate::{
    domain::{Mark, Playlist, PlaylistKind, Sharing, Timestamp, UserId, Viewer},
    rpc::playlists::v1::{self, Kind},
};

/// Without tracks.
pub(super) fn playlist(playlist: &Playlist, mark: Mark, viewer: &Viewer) -> v1::Playlist {
    let mine = viewer.is(playlist.owner);
    v1::Playlist {
        id: playlist.id.get(),
        user_id: playlist.owner.get(),
        permalink: playlist.permalink.clone(),
        title: playlist.title.clone(),
        description: playlist.description.clone(),
        genre: playlist.genre.clone(),
        tag_list: playlist.tag_list.clone(),
        kind: kind(playlist.kind).into(),
        private: playlist.sharing == Sharing::Private,
        secret_token: mine.then(|| playlist.secret.reveal().to_owned()),
        license: playlist.license.as_str().to_owned(),
        release: playlist.release.text.clone(),
        release_at_ms: playlist.release.at.map(Timestamp::millis),
        ean: playlist.release.ean.clone(),
        label_id: playlist.label.id.map(UserId::get),
        label_name: playlist.label.name.clone(),
        purchase_title: playlist.purchase.title.clone(),
        purchase_url: playlist.purchase.url.clone(),
        embeddable_by: playlist.embeddable_by.as_str().to_owned(),
        artwork_url: playlist.artwork_url.clone(),
        track_count: playlist.counts.tracks,
        duration_ms: playlist.counts.duration_ms,
        likes_count: playlist.counts.likes,
        reposts_count: playlist.counts.reposts,
        revision: playlist.revision,
        created_at_ms: playlist.created_at.millis(),
        last_modified_ms: playlist.last_modified.millis(),
        liked: mark.liked,
        reposted: mark.reposted,
        tracks: Vec::new(),
    }
}

fn kind(kind: PlaylistKind) -> Kind {
    match kind {
        PlaylistKind::Playlist => Kind::Playlist,
        PlaylistKind::Album => Kind::Album,
        PlaylistKind::Ep => Kind::Ep,
        PlaylistKind::Single => Kind::Single,
        PlaylistKind::Compilation => Kind::Compilation,
    }
}

/// `None` for the kind that stands for none.
pub(super) fn read_kind(kind: Kind) -> Option<PlaylistKind> {
    match kind {
        Kind::Unspecified => None,
        Kind::Playlist => Some(PlaylistKind::Playlist),
        Kind::Album => Some(PlaylistKind::Album),
        Kind::Ep => Some(PlaylistKind::Ep),
        Kind::Single => Some(PlaylistKind::Single),
        Kind::Compilation => Some(PlaylistKind::Compilation),
    }
}
