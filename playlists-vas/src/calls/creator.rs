//! The playlist for those who make playlists: how it does, and what listeners do not find in it.

use std::collections::{HashMap, HashSet};

use twirp::{Request, Response, async_trait::async_trait};

use crate::{
    authorization::may_change,
    calls::{Calls, check_members, ids, refused},
    domain::{Sharing, Viewer},
    foundation::Include,
    queries::Members,
    rpc::{
        FieldMask,
        creator::v1::{Creator, CreatorPlaylist, CreatorPlaylists, GetRequest},
        viewer,
    },
};

#[async_trait]
impl Creator for Calls {
    async fn get(&self, request: Request<GetRequest>) -> twirp::Result<Response<CreatorPlaylists>> {
        let GetRequest { viewer, playlist_ids } = request.into_body();
        let viewer = viewer::read(viewer)?;
        let include = [Include::TrackIds, Include::Relations];
        let mut scene = self.queries.seen(&viewer, &ids(&playlist_ids)?, &include).await.map_err(refused)?;
        scene.playlists.retain(|playlist| may_change(playlist, &viewer));
        // Anybody: no name, no link, and wherever any territory is blocked, not there.
        let anybody = Viewer::default();
        let asked = scene.members_to_ask_for(&anybody, Members::All);
        check_members(&asked)?;
        let mask = FieldMask { paths: vec!["id".to_owned()] };
        let answer =
            self.queries.tracks.masked_members(&anybody, asked, Some(mask)).await.map_err(refused)?;
        let seen: HashMap<i64, HashSet<i64>> = answer
            .members
            .into_iter()
            .map(|of| (of.playlist_id, of.members.into_iter().map(|member| member.track_id).collect()))
            .collect();
        let playlists = scene.playlists.iter().map(|playlist| {
            let seen = seen.get(&playlist.id.get());
            let all = playlist.track_ids.as_deref().unwrap_or_default().iter().map(|id| id.get());
            CreatorPlaylist {
                id: playlist.id.get(),
                title: playlist.title.clone(),
                private: playlist.sharing == Sharing::Private,
                secret_token: playlist.secret.reveal().to_owned(),
                revision: playlist.revision,
                track_count: playlist.counts.tracks,
                likes_count: playlist.counts.likes,
                reposts_count: playlist.counts.reposts,
                hidden_track_ids: all.filter(|id| seen.is_none_or(|seen| !seen.contains(id))).collect(),
            }
        });
        Ok(Response::new(CreatorPlaylists { playlists: playlists.collect() }))
    }
}
