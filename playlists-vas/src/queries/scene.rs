//! Everything that belongs on one page: playlists, their people, what the viewer sees of their members.

use std::collections::HashMap;

use crate::{
    domain::{
        Access, Block, Cursor, Mark, Person, Playlist, PlaylistId, Profile, Timestamp, Track, TrackId,
        UserId, UserRelation, Viewer,
    },
    foundation::Relations,
    gateways::MembersOf,
    rpc::tracks::v1,
};

/// How much of their tracks playlists show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Members {
    /// The Tracks VAS is not asked.
    None,
    First(usize),
    All,
    /// Those from the place `skip` on, counted from 0, before hidden ones are taken out.
    Some {
        skip: usize,
        take: usize,
    },
}

#[derive(Debug)]
pub struct Scene {
    /// The monolith's time.
    pub now: Timestamp,
    pub playlists: Vec<Playlist>,
    /// The last place of a page, if there is more after it.
    pub next: Option<Cursor>,
    /// What a list is ordered by: for likes and reposts the time of it in milliseconds.
    pub keys: HashMap<PlaylistId, i64>,
    relations: Relations,
    profiles: HashMap<UserId, Profile>,
    people: HashMap<UserId, Person>,
    members: HashMap<PlaylistId, Vec<(TrackId, Access)>>,
    tracks: HashMap<TrackId, Track>,
}

/// A page of people.
#[derive(Debug)]
pub struct People {
    pub profiles: Vec<Profile>,
    pub relations: Relations,
    pub next: Option<Cursor>,
}

impl Scene {
    pub(super) fn new(
        now: Timestamp,
        playlists: Vec<Playlist>,
        users: Vec<Profile>,
        relations: Relations,
    ) -> Self {
        Self {
            now,
            playlists,
            next: None,
            keys: HashMap::new(),
            relations,
            people: users.iter().map(|user| (user.id, user.person())).collect(),
            profiles: users.into_iter().map(|user| (user.id, user)).collect(),
            members: HashMap::new(),
            tracks: HashMap::new(),
        }
    }

    /// What the Tracks VAS is to be asked for; nothing if there are no members.
    pub(crate) fn members_to_ask_for(&self, viewer: &Viewer, members: Members) -> Vec<v1::Playlist> {
        let (skip, take) = match members {
            Members::None => return Vec::new(),
            Members::First(first) => (0, first),
            Members::All => (0, usize::MAX),
            Members::Some { skip, take } => (skip, take),
        };
        let wanted = self.playlists.iter().filter_map(|playlist| {
            let all = playlist.track_ids.as_deref().unwrap_or_default();
            let track_ids: Vec<i64> = all.iter().skip(skip).take(take).map(|id| id.get()).collect();
            (!track_ids.is_empty()).then(|| v1::Playlist {
                playlist_id: playlist.id.get(),
                owner_id: playlist.owner.get(),
                private_by_link: playlist.shares_private_tracks_with(viewer),
                track_ids,
            })
        });
        wanted.collect()
    }

    pub(super) fn learn(&mut self, answer: MembersOf) {
        for (playlist, members) in answer.members {
            if let Ok(playlist) = PlaylistId::try_from(playlist) {
                self.members.insert(playlist, members);
            }
        }
        self.tracks.extend(answer.tracks);
        self.people.extend(answer.creators.into_iter().map(|person| (person.id, person)));
    }

    /// Of [`crate::regressions::Regression::TieOrder`].
    pub(super) fn sort_ties_by_id(&mut self) {
        let key = |id| self.keys.get(&id).copied().unwrap_or_default();
        self.playlists.sort_by_key(|playlist| (std::cmp::Reverse(key(playlist.id)), playlist.id));
    }

    pub fn person(&self, id: UserId) -> Option<&Person> {
        self.people.get(&id)
    }

    /// Of owners and labels of the playlists only.
    pub fn profile(&self, id: UserId) -> Option<&Profile> {
        self.profiles.get(&id)
    }

    pub fn block(&self, owner: UserId) -> Block {
        self.relations.block(owner)
    }

    pub fn user_relation(&self, id: UserId) -> UserRelation {
        self.relations.user(id)
    }

    /// Whether the viewer likes and reposted the playlist.
    pub fn mark(&self, id: PlaylistId) -> Mark {
        self.relations.playlist(id)
    }

    /// The members that the viewer sees, in playing order.
    pub fn members(&self, id: PlaylistId) -> Vec<(&Track, Access)> {
        let members = self.members.get(&id).map_or(&[][..], Vec::as_slice);
        members.iter().filter_map(|(id, access)| Some((self.tracks.get(id)?, *access))).collect()
    }
}
