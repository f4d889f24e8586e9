//! Which id goes by which name: remembered, and checked against the playlist whenever it is used, so that a memory that
//! is out of date costs a call and never a wrong answer. Events only keep it tidy.

use std::sync::Arc;

use crate::{
    cache::Bounded,
    domain::{Playlist, PlaylistId},
    foundation::Lookup,
    queries::Scene,
};

/// Cheap to clone.
#[derive(Clone)]
pub struct Names(Arc<Bounded<Lookup, PlaylistId>>);

impl Names {
    pub fn new(entries_max: usize) -> Self {
        Self(Arc::new(Bounded::new(entries_max)))
    }

    pub(super) fn get(&self, lookup: &Lookup) -> Option<PlaylistId> {
        self.0.get(lookup)
    }

    pub(super) fn learn(&self, lookup: Lookup, id: PlaylistId) {
        self.0.insert(lookup, id);
    }

    pub(super) fn forget(&self, lookup: &Lookup) {
        self.0.remove(lookup);
    }

    /// The playlist was deleted, or has another secret.
    pub fn forget_playlist(&self, id: PlaylistId) {
        self.0.retain(|_, known| *known != id);
    }

    pub fn clear(&self) {
        self.0.clear();
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

pub(super) fn still_names(lookup: &Lookup, playlist: &Playlist, scene: &Scene) -> bool {
    match lookup {
        Lookup::PlaylistSecret { token } => playlist.secret.reveal() == token,
        Lookup::Playlist { user, permalink } => {
            playlist.permalink == *permalink
                && scene.person(playlist.owner).is_some_and(|owner| owner.permalink == *user)
        }
    }
}
