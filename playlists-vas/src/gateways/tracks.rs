//! The Tracks VAS, by its generated client.

use std::{
    collections::{HashMap, HashSet},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::sync::Semaphore;
use twirp::{Request, TwirpErrorResponse};

use crate::{
    domain::{Access, Person, Sharing, Timestamp, Track, TrackId, UserId, Viewer},
    rpc::{
        BadAddress, FieldMask,
        authorization::v1::Access as WireAccess,
        client,
        tracks::v1::{self, GetMembersRequest, GetMembersResponse, GetRequest, Tracks},
        viewer,
    },
    service::ServiceError,
};

#[derive(Debug, Clone)]
pub struct TracksConfig {
    /// Such as `http://127.0.0.1:8082`.
    pub url: String,
    pub service_token: String,
    /// For a whole call.
    pub deadline: Duration,
    /// Calls under way at once; more wait.
    pub calls_max: usize,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct TracksGateway {
    client: twirp::Client,
    turns: Arc<Semaphore>,
    calls: Arc<AtomicU64>,
    deadline: Duration,
}

/// The members of playlists that a viewer sees.
#[derive(Debug, Default)]
pub struct MembersOf {
    /// By playlist, in playing order.
    pub members: HashMap<i64, Vec<(TrackId, Access)>>,
    pub tracks: HashMap<TrackId, Track>,
    pub creators: Vec<Person>,
}

impl TracksGateway {
    /// # Errors
    /// The address is no URL, or the token cannot stand in a header.
    pub fn new(config: TracksConfig) -> Result<Self, BadAddress> {
        let TracksConfig { url, service_token, deadline, calls_max } = config;
        Ok(Self {
            client: client(&url, &service_token, deadline, calls_max)?,
            turns: Arc::new(Semaphore::new(calls_max)),
            calls: Arc::default(),
            deadline,
        })
    }

    /// What the viewer sees of these members. One call, whatever their number.
    pub async fn members(
        &self,
        viewer: &Viewer,
        playlists: Vec<v1::Playlist>,
    ) -> Result<MembersOf, ServiceError> {
        let response = self.masked_members(viewer, playlists, None).await?;
        let mut answer = MembersOf::default();
        for of in response.members {
            let members = of.members.into_iter().map(|member| {
                let access = access(member.access()).ok_or_else(|| unreadable("a member without access"))?;
                Ok((track_id(member.track_id)?, access))
            });
            answer.members.insert(of.playlist_id, members.collect::<Result<_, ServiceError>>()?);
        }
        for track in response.tracks {
            let track = read(track)?;
            answer.tracks.insert(track.id, track);
        }
        answer.creators = response.creators.into_iter().map(creator).collect::<Result<_, _>>()?;
        Ok(answer)
    }

    /// The same as it comes, with no more of the tracks than the mask asks for.
    pub async fn masked_members(
        &self,
        viewer: &Viewer,
        playlists: Vec<v1::Playlist>,
        field_mask: Option<FieldMask>,
    ) -> Result<GetMembersResponse, ServiceError> {
        if playlists.is_empty() {
            return Ok(GetMembersResponse::default());
        }
        let request = GetMembersRequest { viewer: Some(viewer::write(viewer)), playlists, field_mask };
        self.call(self.client.get_members(Request::new(request))).await
    }

    /// The track on its own, if the viewer may see it.
    pub async fn one(&self, viewer: &Viewer, id: TrackId) -> Result<Option<Track>, ServiceError> {
        let request =
            GetRequest { viewer: Some(viewer::write(viewer)), track_ids: vec![id.get()], field_mask: None };
        let mut response = self.call(self.client.get(Request::new(request))).await?;
        response.tracks.pop().map(read).transpose()
    }

    /// Those of the tracks that the viewer may see on their own. At most 1000.
    pub async fn visible(&self, viewer: &Viewer, ids: &[TrackId]) -> Result<HashSet<TrackId>, ServiceError> {
        let request = GetRequest {
            viewer: Some(viewer::write(viewer)),
            track_ids: ids.iter().map(|id| id.get()).collect(),
            field_mask: Some(FieldMask { paths: vec!["id".to_owned()] }),
        };
        let response = self.call(self.client.get(Request::new(request))).await?;
        response.tracks.iter().map(|track| track_id(track.id)).collect()
    }

    /// Calls made so far.
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::Relaxed)
    }

    async fn call<T>(
        &self,
        call: impl Future<Output = Result<twirp::Response<T>, TwirpErrorResponse>>,
    ) -> Result<T, ServiceError> {
        self.calls.fetch_add(1, Ordering::Relaxed);
        let answer = tokio::time::timeout(self.deadline, async {
            let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
            call.await
        });
        match answer.await {
            Ok(Ok(response)) => Ok(response.into_body()),
            Ok(Err(error)) => Err(ServiceError::Unavailable(format!("the Tracks VAS: {error}"))),
            Err(_) => {
                let millis = self.deadline.as_millis();
                Err(ServiceError::Unavailable(format!("the Tracks VAS did not answer within {millis} ms")))
            }
        }
    }
}

fn read(track: v1::Track) -> Result<Track, ServiceError> {
    let time = |millis| Timestamp::from_millis(millis).ok_or_else(|| unreadable("a time out of range"));
    // A track that only its playlist opens has no access of its own; whoever shows it there asks the member.
    let alone = access(track.access()).unwrap_or(Access::Blocked);
    Ok(Track {
        id: track_id(track.id)?,
        user_id: UserId::try_from(track.user_id).map_err(|error| unreadable(&error.to_string()))?,
        permalink: track.permalink,
        title: track.title,
        description: track.description,
        genre: track.genre,
        tag_list: track.tag_list,
        duration_ms: track.duration_ms,
        bpm: track.bpm,
        key_signature: track.key_signature,
        isrc: track.isrc,
        label_name: track.label_name,
        license: track.license,
        release: track.release,
        release_at: track.release_at_ms.map(time).transpose()?,
        sharing: if track.private { Sharing::Private } else { Sharing::Public },
        secret_token: track.secret_token,
        commentable: track.commentable,
        downloadable: track.downloadable,
        streamable: track.streamable,
        embeddable_by: track.embeddable_by,
        purchase_title: track.purchase_title,
        purchase_url: track.purchase_url,
        artwork_url: track.artwork_url,
        playback_count: track.playback_count,
        download_count: track.download_count,
        likes_count: track.likes_count,
        reposts_count: track.reposts_count,
        comments_count: track.comments_count,
        created_at: time(track.created_at_ms)?,
        last_modified: time(track.last_modified_ms)?,
        access: alone,
        liked: track.liked,
        reposted: track.reposted,
        owner_muted: track.owner_muted,
    })
}

fn creator(creator: v1::Creator) -> Result<Person, ServiceError> {
    let time = Timestamp::from_millis(creator.last_modified_ms);
    Ok(Person {
        id: UserId::try_from(creator.id).map_err(|error| unreadable(&error.to_string()))?,
        permalink: creator.permalink,
        username: creator.username,
        avatar_url: creator.avatar_url,
        last_modified: time.ok_or_else(|| unreadable("a time out of range"))?,
    })
}

fn access(access: WireAccess) -> Option<Access> {
    match access {
        WireAccess::Unspecified => None,
        WireAccess::Playable => Some(Access::Playable),
        WireAccess::Preview => Some(Access::Preview),
        WireAccess::Blocked => Some(Access::Blocked),
    }
}

fn track_id(id: i64) -> Result<TrackId, ServiceError> {
    TrackId::try_from(id).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(why: &str) -> ServiceError {
    ServiceError::Unavailable(format!("the answer of the Tracks VAS could not be read: {why}"))
}
