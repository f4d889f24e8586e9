//! The two calls: tracks on their own, and tracks as members of playlists.

use std::collections::{HashMap, HashSet};

use futures_util::future::try_join_all;
use twirp::{Request, Response, TwirpErrorResponse, async_trait::async_trait};

use crate::{
    authorization::{TrackFacts, member, read_track},
    domain::{Profile, Sharing, Timestamp, TrackId, UserId, Viewer},
    foundation::{Bundle, Foundation, IDS_MAX, Include, Relations, TrackRecord},
    regressions::{Regression, Regressions},
    rpc::{
        FieldMask, MEMBERS_MAX,
        mask::Mask,
        tracks::v1::{
            self, GetMembersRequest, GetMembersResponse, GetRequest, GetResponse, Member, Members, Tracks,
        },
        twirp_error, viewer,
    },
    tracks::aggregate,
};

#[derive(Clone)]
pub(super) struct Service {
    pub(super) foundation: Foundation,
    pub(super) regressions: Regressions,
}

/// Records of one moment, or of several close ones if they took more than one call.
struct Records {
    now: Timestamp,
    tracks: HashMap<TrackId, TrackRecord>,
    users: HashMap<UserId, Profile>,
    relations: Relations,
}

#[async_trait]
impl Tracks for Service {
    async fn get(&self, request: Request<GetRequest>) -> twirp::Result<Response<GetResponse>> {
        let GetRequest { viewer, track_ids, field_mask } = request.into_body();
        let viewer = viewer::read(viewer)?;
        let mask = mask(field_mask)?;
        if track_ids.len() > IDS_MAX {
            return Err(twirp::invalid_argument(format!("track_ids: at most {IDS_MAX}")));
        }
        let ids = ids(&track_ids);
        let records = self.records(&viewer, &ids, &mask).await?;
        let seen = ids.iter().filter_map(|id| {
            let record = records.tracks.get(id)?;
            let block = records.relations.block(record.user_id);
            read_track(record.facts(), block, &viewer, records.now).access.map(|_| record)
        });
        let seen: Vec<&TrackRecord> = seen.collect();
        let (tracks, creators) = records.write(&seen, &viewer, &mask);
        Ok(Response::new(GetResponse { tracks, creators }))
    }

    async fn get_members(
        &self,
        request: Request<GetMembersRequest>,
    ) -> twirp::Result<Response<GetMembersResponse>> {
        let GetMembersRequest { viewer, playlists, field_mask } = request.into_body();
        let viewer = viewer::read(viewer)?;
        let mask = mask(field_mask)?;
        if playlists.iter().map(|playlist| playlist.track_ids.len()).sum::<usize>() > MEMBERS_MAX {
            return Err(twirp::invalid_argument(format!(
                "playlists: at most {MEMBERS_MAX} members together"
            )));
        }
        let all: Vec<i64> = playlists.iter().flat_map(|playlist| &playlist.track_ids).copied().collect();
        let records = self.records(&viewer, &ids(&all), &mask).await?;
        let members = playlists
            .iter()
            .map(|playlist| records.members(playlist, &viewer, &self.regressions))
            .collect::<Vec<_>>();
        let mut told = HashSet::new();
        let seen = members.iter().flat_map(|of| &of.members).filter(|seen| told.insert(seen.track_id));
        let seen = seen.filter_map(|seen| records.tracks.get(&TrackId::try_from(seen.track_id).ok()?));
        let seen: Vec<&TrackRecord> = seen.collect();
        let (tracks, creators) = records.write(&seen, &viewer, &mask);
        Ok(Response::new(GetMembersResponse { members, tracks, creators }))
    }
}

impl Service {
    /// One call for every thousand tracks, all at once.
    async fn records(
        &self,
        viewer: &Viewer,
        ids: &[TrackId],
        mask: &Mask,
    ) -> Result<Records, TwirpErrorResponse> {
        let mut include = vec![Include::Relations];
        if mask.wants("user_id") {
            include.push(Include::Users);
        }
        let calls = ids.chunks(IDS_MAX).map(|ids| self.foundation.tracks(viewer, ids, &include));
        let bundles: Vec<Bundle> = try_join_all(calls).await.map_err(|error| twirp_error(&error))?;
        let mut records = Records {
            // Nothing was asked for, so nothing is decided by it.
            now: Timestamp::from_millis(0).expect("1970 is in range"),
            tracks: HashMap::new(),
            users: HashMap::new(),
            relations: Relations::default(),
        };
        for bundle in bundles {
            records.now = bundle.now;
            records.tracks.extend(bundle.tracks.into_iter().map(|track| (track.id, track)));
            records.users.extend(bundle.users.into_iter().map(|user| (user.id, user)));
            records.relations.users.extend(bundle.relations.users);
            records.relations.tracks.extend(bundle.relations.tracks);
        }
        Ok(records)
    }
}

impl Records {
    fn members(&self, playlist: &v1::Playlist, viewer: &Viewer, regressions: &Regressions) -> Members {
        let shared_by = UserId::try_from(playlist.owner_id).ok().filter(|_| playlist.private_by_link);
        let seen = playlist.track_ids.iter().filter_map(|id| {
            let record = self.tracks.get(&TrackId::try_from(*id).ok()?)?;
            let block = self.relations.block(record.user_id);
            let facts = mistaken(record.facts(), regressions);
            let sight = member(facts, shared_by, block, viewer, self.now);
            sight.access?;
            Some(Member { track_id: *id, access: aggregate::access(sight.access).into() })
        });
        Members { playlist_id: playlist.playlist_id, members: seen.collect() }
    }

    fn write(
        &self,
        seen: &[&TrackRecord],
        viewer: &Viewer,
        mask: &Mask,
    ) -> (Vec<v1::Track>, Vec<v1::Creator>) {
        let mut told = HashSet::new();
        let creators = seen.iter().filter(|record| told.insert(record.user_id));
        let creators = creators.filter_map(|record| self.users.get(&record.user_id)).map(aggregate::creator);
        let tracks = seen.iter().map(|record| {
            let track = aggregate::track(record, &self.relations, viewer, self.now);
            mask.applied_to_track(track)
        });
        (tracks.collect(), creators.collect())
    }
}

/// What is known of a track, less what a regression forgets to look at.
fn mistaken<'t>(facts: TrackFacts<'t>, regressions: &Regressions) -> TrackFacts<'t> {
    let mut facts = facts;
    if regressions.on(Regression::PrivateTrack) {
        facts.sharing = Sharing::Public;
    }
    if regressions.on(Regression::UnreleasedTrack) {
        facts.release_at = None;
    }
    if regressions.on(Regression::GeoBlockedTrack) {
        facts.blocked_territories = &[];
    }
    if regressions.on(Regression::SuspendedOwner) {
        facts.owner_suspended = false;
    }
    facts
}

fn mask(field_mask: Option<FieldMask>) -> Result<Mask, TwirpErrorResponse> {
    Mask::of_track(field_mask).map_err(|unknown| twirp::invalid_argument(unknown.to_string()))
}

/// Each once. What is no id names nothing.
fn ids(asked: &[i64]) -> Vec<TrackId> {
    let mut seen = HashSet::new();
    asked.iter().filter_map(|id| TrackId::try_from(*id).ok()).filter(|id| seen.insert(*id)).collect()
}
