//! Decisions about playlists, with the rule that decided.

use twirp::{Request, Response, async_trait::async_trait};

use crate::{
    authorization::{listed_playlist, may_change, read_playlist},
    calls::{Calls, ids},
    foundation::Include,
    rpc::{
        authorization::v1::{Authorization, CheckRequest, CheckResponse, Decision},
        twirp_error, viewer,
    },
};

#[async_trait]
impl Authorization for Calls {
    async fn check(&self, request: Request<CheckRequest>) -> twirp::Result<Response<CheckResponse>> {
        let CheckRequest { viewer, playlist_ids } = request.into_body();
        let viewer = viewer::read(viewer)?;
        let ids = ids(&playlist_ids)?;
        let bundle = self.queries.foundation.playlists(&viewer, &ids, &[Include::Relations]).await;
        let bundle = bundle.map_err(|error| twirp_error(&error))?;
        let decisions = ids.iter().map(|id| {
            let Some(playlist) = bundle.playlists.iter().find(|playlist| playlist.id == *id) else {
                let reason = "unknown".to_owned();
                return Decision { playlist_id: id.get(), reason, ..Decision::default() };
            };
            let block = bundle.relations.block(playlist.owner);
            let sight = read_playlist(playlist, block, &viewer, bundle.now);
            Decision {
                playlist_id: id.get(),
                visible: sight.visible,
                listed: listed_playlist(playlist, block, &viewer, bundle.now).visible,
                changeable: sight.visible && may_change(playlist, &viewer),
                reason: sight.reason.as_str().to_owned(),
            }
        });
        Ok(Response::new(CheckResponse { decisions: decisions.collect() }))
    }
}
