//! Reading: playlists with their people and tracks, as far as a viewer sees them. Changes nothing.
//!
//! Whatever the length of a page, it costs at most one call for what the list hangs on, one for the playlists, and one
//! to the Tracks VAS for their members.

mod scene;
mod names;
mod identities;
mod mistakes;

use std::collections::HashMap;

use futures_util::future::try_join;

pub use identities::{Identities, TokenProblem};
pub use names::Names;
pub use scene::{Members, People, Scene};

use crate::{
    authorization::{read_playlist, read_user},
    domain::{
        Access, Block, Cursor, Page, Playlist, PlaylistId, Profile, Sharing, Track, TrackId, UserId, Viewer,
    },
    foundation::{Audience, Bundle, Foundation, Include, Listed, Lookup, PlaylistList, Relations, UserList},
    gateways::TracksGateway,
    regressions::{Regression, Regressions},
    service::ServiceError,
};

/// Cheap to clone.
#[derive(Clone)]
pub struct Queries {
    pub(crate) foundation: Foundation,
    pub(crate) tracks: TracksGateway,
    pub(crate) names: Names,
    pub(crate) regressions: Regressions,
}

/// What a list hangs on: unless the viewer may read it, there is no such list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    Everything,
    User(UserId),
    Track(TrackId, TrackRule),
    Playlist(PlaylistId),
}

/// Edges differ in which tracks have a page of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrackRule {
    /// Whatever may be seen.
    Seen,
    /// Only what may be played.
    Played,
    /// Not those of people whom the viewer blocked.
    NotMuted,
}

const WITH_PEOPLE: [Include; 2] = [Include::Users, Include::Relations];
const WITH_MEMBERS: [Include; 3] = [Include::TrackIds, Include::Users, Include::Relations];

impl Queries {
    /// The playlist with this id.
    ///
    /// # Errors
    /// Not found if there is none, or none for this viewer.
    pub async fn one(
        &self,
        viewer: &Viewer,
        id: PlaylistId,
        members: Members,
    ) -> Result<Scene, ServiceError> {
        let scene = self.batch(viewer, &[id], members).await?;
        if scene.playlists.is_empty() { Err(ServiceError::NOT_FOUND) } else { Ok(scene) }
    }

    /// Those of the playlists that the viewer may read, in the order asked for. At most 1000.
    pub async fn batch(
        &self,
        viewer: &Viewer,
        ids: &[PlaylistId],
        members: Members,
    ) -> Result<Scene, ServiceError> {
        let scene = self.seen(viewer, ids, include(members)).await?;
        self.with_members(scene, viewer, members).await
    }

    /// The same with nothing but what `include` names: what a field mask leaves out is not read.
    pub async fn seen(
        &self,
        viewer: &Viewer,
        ids: &[PlaylistId],
        include: &[Include],
    ) -> Result<Scene, ServiceError> {
        let Bundle { now, mut playlists, users, relations, .. } =
            self.foundation.playlists(viewer, ids, include).await?;
        playlists.retain(|playlist| {
            let unchecked = self.regressions.on(Regression::PrivatePlaylist);
            let unblocked = self.regressions.on(Regression::BlockedViewer);
            let block = if unblocked { Block::default() } else { relations.block(playlist.owner) };
            unchecked && playlist.sharing == Sharing::Private
                || read_playlist(playlist, block, viewer, now).visible
        });
        Ok(Scene::new(now, playlists, users, relations))
    }

    /// The playlist that goes by a name or a secret.
    ///
    /// # Errors
    /// Not found if there is none, or none for this viewer.
    pub async fn named(
        &self,
        viewer: &Viewer,
        lookup: &Lookup,
        members: Members,
    ) -> Result<Scene, ServiceError> {
        if let Some(id) = self.names.get(lookup) {
            let bundle = self.batch(viewer, &[id], members).await?;
            // A name that was given to something else since is looked up again.
            if bundle.playlists.first().is_some_and(|playlist| names::still_names(lookup, playlist, &bundle))
            {
                return Ok(bundle);
            }
            self.names.forget(lookup);
        }
        let id = self.foundation.lookup(lookup).await?.ok_or(ServiceError::NOT_FOUND)?;
        self.names.learn(lookup.clone(), id);
        self.one(viewer, id, members).await
    }

    /// A page of a list. With [`Audience::Everything`] the caller filters it.
    ///
    /// # Errors
    /// Not found if the viewer may not read what the list hangs on.
    pub async fn list(
        &self,
        viewer: &Viewer,
        of: Of,
        list: &PlaylistList,
        audience: Audience,
        page: Page,
        members: Members,
    ) -> Result<Scene, ServiceError> {
        let audience = self.audience_of(list, audience);
        let page = self.page_of(page);
        let listing = async {
            Ok(self.foundation.list_playlists(viewer, list, audience, page, include(members)).await?)
        };
        let ((), listed) = both(Box::pin(self.check(viewer, of)), listing).await?;
        let Listed { ids, next_cursor, now, playlists, users, relations } = listed;
        let mut scene = Scene::new(now, playlists, users, relations);
        scene.next = next_cursor.as_deref().map(cursor).transpose()?;
        scene.keys = ids.iter().map(|listed| (listed.id, listed.key)).collect();
        if self.regressions.on(Regression::TieOrder) {
            scene.sort_ties_by_id();
        }
        // Links and roles count for nothing in collections, nor for the tracks that are shown there.
        self.with_members(scene, &viewer.clone().without_privileges(), members).await
    }

    /// A page of people.
    ///
    /// # Errors
    /// Not found if the viewer may not read what the list hangs on.
    pub async fn people(
        &self,
        viewer: &Viewer,
        of: Of,
        list: &UserList,
        audience: Audience,
        page: Page,
    ) -> Result<People, ServiceError> {
        let page = self.page_of(page);
        let listing = async {
            Ok(self.foundation.list_users(viewer, list, audience, page, &[Include::Relations]).await?)
        };
        let ((), listed) = both(Box::pin(self.check(viewer, of)), listing).await?;
        let next = listed.next_cursor.as_deref().map(cursor).transpose()?;
        let mut by_id: HashMap<UserId, Profile> =
            listed.users.into_iter().map(|user| (user.id, user)).collect();
        let profiles = listed.ids.iter().filter_map(|listed| by_id.remove(&listed.id)).collect();
        Ok(People { profiles, relations: listed.relations, next })
    }

    /// A playlist as a command has left it, or would have.
    pub async fn after(
        &self,
        viewer: &Viewer,
        playlist: Playlist,
        members: Members,
    ) -> Result<Scene, ServiceError> {
        let people: Vec<UserId> = std::iter::once(playlist.owner).chain(playlist.label.id).collect();
        let relations = self.foundation.relations(viewer, &people, std::slice::from_ref(&playlist.id));
        let users = self.foundation.users(viewer, &people, &[]);
        let (relations, users): (Relations, Bundle) = try_join(relations, users).await?;
        let scene = Scene::new(users.now, vec![playlist], users.users, relations);
        self.with_members(scene, viewer, members).await
    }

    /// The track on its own, if the viewer may see it.
    pub async fn track(&self, viewer: &Viewer, id: TrackId) -> Result<Option<Track>, ServiceError> {
        self.tracks.one(viewer, id).await
    }

    async fn check(&self, viewer: &Viewer, of: Of) -> Result<(), ServiceError> {
        let readable = match of {
            Of::Everything => true,
            Of::User(id) => {
                let bundle = self.foundation.users(viewer, &[id], &[]).await?;
                bundle.users.first().is_some_and(|user| read_user(user, viewer))
            }
            Of::Track(id, rule) => {
                let track = self.track(viewer, id).await?;
                track.is_some_and(|track| rule.allows(&track, viewer))
            }
            Of::Playlist(id) => {
                let bundle = self.foundation.playlists(viewer, &[id], &[Include::Relations]).await?;
                bundle.playlists.first().is_some_and(|playlist| {
                    let block = bundle.relations.block(playlist.owner);
                    read_playlist(playlist, block, viewer, bundle.now).visible
                })
            }
        };
        if readable { Ok(()) } else { Err(ServiceError::NOT_FOUND) }
    }

    /// The scene with what the viewer sees of its playlists' members.
    async fn with_members(
        &self,
        mut scene: Scene,
        viewer: &Viewer,
        members: Members,
    ) -> Result<Scene, ServiceError> {
        let mut asked = scene.members_to_ask_for(viewer, members);
        if self.regressions.now_empty() {
            asked.clear();
        }
        if self.regressions.on(Regression::OverlappingChunks) {
            asked.iter_mut().for_each(mistakes::overlap);
        }
        scene.learn(self.tracks.members(viewer, asked).await?);
        Ok(scene)
    }
}

impl TrackRule {
    fn allows(self, track: &Track, viewer: &Viewer) -> bool {
        match self {
            Self::Seen => true,
            Self::Played => track.access != Access::Blocked,
            Self::NotMuted => !track.owner_muted || viewer.is_moderator(),
        }
    }
}

fn include(members: Members) -> &'static [Include] {
    if members == Members::None { &WITH_PEOPLE } else { &WITH_MEMBERS }
}

fn cursor(text: &str) -> Result<Cursor, ServiceError> {
    text.parse().map_err(|error: crate::domain::InvalidCursor| ServiceError::Unavailable(error.to_string()))
}

/// Both at once. If both fail, it is the first that is told: what a list hangs on decides before the list.
async fn both<A, B>(
    first: impl Future<Output = Result<A, ServiceError>>,
    second: impl Future<Output = Result<B, ServiceError>>,
) -> Result<(A, B), ServiceError> {
    let (first, second) = futures_util::future::join(first, second).await;
    Ok((first?, second?))
}
