//! What there is to ask for: read from control's own database, so that questions hit things that exist.

use std::collections::HashMap;

use fastrand::Rng;
use mothership::{
    domain::{PlaylistId, TrackId, UserId},
    seed::cast,
    store::{Reader, Store, StoreError},
};

use crate::endpoint::Endpoint;

/// A playlist or a track.
#[derive(Clone, Debug)]
pub struct Thing {
    pub id: i64,
    pub owner: i64,
    pub secret: String,
    pub permalink: String,
    pub revision: i64,
    /// Of a playlist: its first tracks.
    pub members: Vec<i64>,
}

/// What one request is about.
#[derive(Clone, Debug)]
pub struct Subject {
    pub playlist: Option<i64>,
    pub track: Option<i64>,
    pub user: Option<i64>,
    pub owner: i64,
    pub secret: String,
    pub owner_permalink: String,
    pub permalink: String,
}

pub struct World {
    store: Store,
    playlists: Vec<Thing>,
    /// Ids that clients made in this chapter.
    made: Vec<i64>,
    deleted: Vec<i64>,
    pub tracks: Vec<Thing>,
    users: HashMap<i64, String>,
    next_playlist: i64,
    /// By endpoint: positions that its own pages gave out.
    cursors: HashMap<usize, Vec<String>>,
    /// Targets with the ETag that they had.
    tags: Vec<(String, String)>,
}

const CAST_PLAYLISTS: std::ops::RangeInclusive<i64> = 201..=218;
const GENERATED_PLAYLISTS: i64 = 80;
const MEMBERS_KNOWN: usize = 20;

impl World {
    pub async fn load(store: Store, rng: &mut Rng) -> Self {
        let mut ids: Vec<i64> = CAST_PLAYLISTS.collect();
        ids.extend((0..GENERATED_PLAYLISTS).map(|_| rng.i64(1001..=2000)));
        ids.sort_unstable();
        ids.dedup();
        let mut track_ids: Vec<i64> = cast::TRACKS.map(TrackId::get).to_vec();
        track_ids.extend((0..80).map(|_| rng.i64(1001..=4000)));
        let mut user_ids: Vec<i64> = (1..=10).collect();
        user_ids.extend(1001..=1300);
        let loaded = store.read(move |reader| {
            let playlists = playlists(reader, &ids)?;
            let tracks = reader.tracks(&track_ids.into_iter().map(TrackId::new).collect::<Vec<_>>())?;
            let tracks = tracks.into_iter().map(|track| Thing {
                id: track.id.get(),
                owner: track.user_id.get(),
                secret: track.secret_token,
                permalink: track.permalink,
                revision: 0,
                members: Vec::new(),
            });
            let users = reader.users(&user_ids.into_iter().map(UserId::new).collect::<Vec<_>>())?;
            let users = users.into_iter().map(|user| (user.id.get(), user.permalink)).collect();
            Ok((playlists, tracks.collect(), users))
        });
        let (playlists, tracks, users) = loaded.await.expect("the seeded database can be read");
        Self {
            store,
            playlists,
            made: Vec::new(),
            deleted: vec![999_999],
            tracks,
            users,
            next_playlist: 2001,
            cursors: HashMap::new(),
            tags: Vec::new(),
        }
    }

    /// Reads the playlist again after a write, and whatever playlists are new.
    pub async fn refresh(&mut self, written: Option<i64>) {
        let first_new = self.next_playlist;
        let mut ids: Vec<i64> = (first_new..first_new + 2).collect();
        ids.extend(written);
        let read = self.store.read(move |reader| playlists(reader, &ids));
        let found = read.await.expect("control's database can be read");
        if let Some(written) = written
            && !found.iter().any(|thing| thing.id == written)
            && self.playlists.iter().any(|thing| thing.id == written)
        {
            self.playlists.retain(|thing| thing.id != written);
            self.made.retain(|id| *id != written);
            self.deleted.push(written);
        }
        for thing in found {
            if thing.id >= self.next_playlist {
                self.made.push(thing.id);
                self.next_playlist = thing.id + 1;
            }
            match self.playlists.iter_mut().find(|known| known.id == thing.id) {
                Some(known) => *known = thing,
                None => self.playlists.push(thing),
            }
        }
    }

    /// Gets to know more playlists where many were deleted.
    pub async fn replenish(&mut self, rng: &mut Rng) {
        let missing = (GENERATED_PLAYLISTS as usize).saturating_sub(self.playlists.len());
        let ids: Vec<i64> = (0..missing).map(|_| rng.i64(1001..=2000)).collect();
        let read = self.store.read(move |reader| playlists(reader, &ids));
        for thing in read.await.expect("the database can be read") {
            if self.playlist(thing.id).is_none() {
                self.playlists.push(thing);
            }
        }
    }

    pub fn playlist(&self, id: i64) -> Option<&Thing> {
        self.playlists.iter().find(|thing| thing.id == id)
    }

    pub fn newest_made(&self) -> Option<i64> {
        self.made.last().copied()
    }

    /// What a request to this endpoint is about. `actor` is the user who asks, where that is known.
    pub fn subject(&self, rng: &mut Rng, endpoint: &Endpoint, actor: Option<i64>) -> Subject {
        let template = endpoint.id.template();
        if template.contains("{track_id}") || template.contains("{track_urn}") {
            let track = &self.tracks[self.biased(rng, self.tracks.len(), 20)];
            if !template.contains("{playlist") {
                return self.about(None, Some(track.id), None, track);
            }
        }
        if template.contains("{user_id}") || template.contains("{user_urn}") {
            let user = if rng.u8(..10) < 7 { rng.i64(1..=10) } else { rng.i64(1001..=1300) };
            let thing = Thing { owner: user, ..self.any(rng).clone() };
            return self.about(None, None, Some(user), &thing);
        }
        let deletes = endpoint.is_write()
            && (endpoint.id.method() == http::Method::DELETE || template == "/web/playlists/{playlist_id}");
        let owned = |id: &&i64| self.playlist(**id).is_some_and(|thing| Some(thing.owner) == actor);
        let mine: Vec<i64> = self.made.iter().filter(owned).copied().collect();
        let id = match rng.u8(..100) {
            _ if endpoint.is_write() && !mine.is_empty() && rng.u8(..100) < 40 => {
                mine[rng.usize(..mine.len())]
            }
            0..6 => self.deleted[rng.usize(..self.deleted.len())],
            6..25 if !self.made.is_empty() => self.made[rng.usize(..self.made.len())],
            // The cast is kept for the reads: what is deleted are mostly generated things.
            6..85 if !deletes || rng.u8(..100) < 4 => rng.i64(CAST_PLAYLISTS),
            _ => self.any(rng).id,
        };
        match self.playlist(id) {
            Some(thing) => self.about(Some(id), None, None, thing),
            None => Subject { playlist: Some(id), ..self.about(None, None, None, self.any(rng)) },
        }
    }

    fn about(&self, playlist: Option<i64>, track: Option<i64>, user: Option<i64>, thing: &Thing) -> Subject {
        Subject {
            playlist,
            track,
            user,
            owner: thing.owner,
            secret: thing.secret.clone(),
            owner_permalink: self.users.get(&thing.owner).cloned().unwrap_or_default(),
            permalink: thing.permalink.clone(),
        }
    }

    fn any(&self, rng: &mut Rng) -> &Thing {
        &self.playlists[rng.usize(..self.playlists.len())]
    }

    /// Mostly one of the first few, which are the cast.
    pub fn biased(&self, rng: &mut Rng, all: usize, first: usize) -> usize {
        if rng.u8(..10) < 7 { rng.usize(..first.min(all)) } else { rng.usize(..all) }
    }

    pub fn cursor(&self, endpoint: usize, rng: &mut Rng) -> Option<&str> {
        let known = self.cursors.get(&endpoint)?;
        Some(&known[rng.usize(..known.len())])
    }

    pub fn keep_cursor(&mut self, endpoint: usize, cursor: String) {
        let known = self.cursors.entry(endpoint).or_default();
        known.push(cursor);
        if known.len() > 8 {
            known.remove(0);
        }
    }

    pub fn tag(&self, target: &str) -> Option<&str> {
        self.tags.iter().rev().find(|(known, _)| known == target).map(|(_, tag)| tag.as_str())
    }

    pub fn tagged(&self, rng: &mut Rng) -> Option<(&str, &str)> {
        if self.tags.is_empty() {
            return None;
        }
        let (target, tag) = &self.tags[rng.usize(..self.tags.len())];
        Some((target, tag))
    }

    pub fn keep_tag(&mut self, target: &str, tag: &str) {
        self.tags.push((target.to_owned(), tag.to_owned()));
        if self.tags.len() > 64 {
            self.tags.remove(0);
        }
    }

    /// All that was told of the changes, oldest first, without what two databases may number differently.
    pub async fn events(store: &Store) -> Vec<String> {
        let read = store.read(|reader| {
            let (mut events, mut after) = (Vec::new(), 0);
            loop {
                let some = reader.events_after(after, 1000)?;
                let Some(last) = some.last() else { return Ok(events) };
                after = last.sequence;
                events.extend(some.iter().map(|event| format!("{event:?}")));
            }
        });
        read.await.expect("the events can be read")
    }
}

fn playlists(reader: &Reader<'_>, ids: &[i64]) -> Result<Vec<Thing>, StoreError> {
    let ids: Vec<PlaylistId> = ids.iter().copied().map(PlaylistId::new).collect();
    let mut members = reader.track_ids_of(&ids)?;
    let mut first = |id: PlaylistId| {
        let all = members.remove(&id).unwrap_or_default();
        all.into_iter().take(MEMBERS_KNOWN).map(TrackId::get).collect()
    };
    let found = reader.playlists(&ids)?.into_iter().map(|playlist| Thing {
        members: first(playlist.id),
        id: playlist.id.get(),
        owner: playlist.user_id.get(),
        secret: playlist.secret_token,
        permalink: playlist.permalink,
        revision: playlist.revision,
    });
    Ok(found.collect())
}

pub fn token_of(user: i64) -> Option<String> {
    let cast = cast::TOKENS.iter().find(|(token, of)| of.get() == user && *token != "tok-expired");
    cast.map(|(token, _)| (*token).to_owned())
        .or_else(|| (user > 1000).then(|| format!("tok-user-{}", user - 1000)))
}
