//! The playlist for listeners: what of it plays here and now.

use std::collections::HashMap;

use twirp::{Request, Response, async_trait::async_trait};

use crate::{
    calls::{Calls, check_members, ids, refused},
    foundation::Include,
    queries::Members,
    rpc::{
        FieldMask,
        authorization::v1::Access,
        consumer::v1::{Consumer, ConsumerPlaylist, ConsumerPlaylists, GetRequest},
        viewer,
    },
};

#[async_trait]
impl Consumer for Calls {
    async fn get(&self, request: Request<GetRequest>) -> twirp::Result<Response<ConsumerPlaylists>> {
        let GetRequest { viewer, playlist_ids } = request.into_body();
        let viewer = viewer::read(viewer)?;
        let include = [Include::TrackIds, Include::Relations];
        let scene = self.queries.seen(&viewer, &ids(&playlist_ids)?, &include).await.map_err(refused)?;
        let asked = scene.members_to_ask_for(&viewer, Members::All);
        check_members(&asked)?;
        let mask = FieldMask { paths: vec!["id".to_owned(), "duration_ms".to_owned()] };
        let answer = self.queries.tracks.masked_members(&viewer, asked, Some(mask)).await.map_err(refused)?;
        let durations: HashMap<i64, i64> =
            answer.tracks.iter().map(|track| (track.id, track.duration_ms)).collect();
        let mut playable: HashMap<i64, Vec<i64>> = HashMap::new();
        for of in &answer.members {
            let plays = of.members.iter().filter(|member| member.access() == Access::Playable);
            playable.insert(of.playlist_id, plays.map(|member| member.track_id).collect());
        }
        let playlists = scene.playlists.iter().map(|playlist| {
            let ids = playable.remove(&playlist.id.get()).unwrap_or_default();
            let mark = scene.mark(playlist.id);
            ConsumerPlaylist {
                id: playlist.id.get(),
                title: playlist.title.clone(),
                user_id: playlist.owner.get(),
                artwork_url: playlist.artwork_url.clone(),
                liked: mark.liked,
                reposted: mark.reposted,
                playable_duration_ms: ids.iter().filter_map(|id| durations.get(id)).sum(),
                playable_track_ids: ids,
            }
        });
        Ok(Response::new(ConsumerPlaylists { playlists: playlists.collect() }))
    }
}
