//! The aggregate: asked for, with a field mask that saves the calls behind what it leaves out; and changed.

use std::collections::HashMap;

use twirp::{Request, Response, TwirpErrorResponse, async_trait::async_trait};

use crate::{
    calls::{Calls, aggregate, check_members, ids, refused},
    commands::Mode,
    domain::{Mark, PlaylistId, PlaylistKind, Sharing, TrackId, Viewer},
    foundation::{Command, Include, PlaylistFields},
    queries::{Members, Scene},
    rpc::{
        FieldMask,
        mask::Mask,
        playlists::v1::{
            AddTracksRequest, ChangeResponse, CreateRequest, DeleteRequest, EdgeRequest, Fields, GetRequest,
            GetResponse, Kind, Playlists, TracksRequest, UpdateRequest,
        },
        tracks, viewer,
    },
};

type Changed = twirp::Result<Response<ChangeResponse>>;

#[async_trait]
impl Playlists for Calls {
    async fn get(&self, request: Request<GetRequest>) -> twirp::Result<Response<GetResponse>> {
        let GetRequest { viewer, playlist_ids, field_mask } = request.into_body();
        let viewer = viewer::read(viewer)?;
        let mask = Mask::of_playlist(field_mask).map_err(twirp::invalid_argument)?;
        let ids = ids(&playlist_ids)?;
        // Who is blocked is in the relations, so no decision can be made without them.
        let mut include = vec![Include::Relations];
        if mask.wants("tracks") {
            include.push(Include::TrackIds);
        }
        let scene = self.queries.seen(&viewer, &ids, &include).await.map_err(refused)?;
        let mut tracks = self.tracks_of(&scene, &viewer, &mask).await?;
        let written = scene.playlists.iter().map(|playlist| {
            let mut written = aggregate::playlist(playlist, scene.mark(playlist.id), &viewer);
            written.tracks = tracks.remove(&playlist.id.get()).unwrap_or_default();
            mask.applied_to_playlist(written)
        });
        Ok(Response::new(GetResponse { playlists: written.collect() }))
    }

    async fn create(&self, request: Request<CreateRequest>) -> Changed {
        let CreateRequest { viewer, fields, dry_run } = request.into_body();
        let fields = Box::new(read_fields(fields.unwrap_or_default(), None)?);
        self.change(viewer::read(viewer)?, Command::CreatePlaylist { fields }, dry_run).await
    }

    async fn update(&self, request: Request<UpdateRequest>) -> Changed {
        let UpdateRequest { viewer, playlist_id, fields, update_mask, if_revision, dry_run } =
            request.into_body();
        let fields = Box::new(read_fields(fields.unwrap_or_default(), update_mask)?);
        let command = Command::UpdatePlaylist { playlist_id: read_id(playlist_id)?, fields, if_revision };
        self.change(viewer::read(viewer)?, command, dry_run).await
    }

    async fn delete(&self, request: Request<DeleteRequest>) -> Changed {
        let DeleteRequest { viewer, playlist_id, dry_run } = request.into_body();
        let command = Command::DeletePlaylist { playlist_id: read_id(playlist_id)? };
        self.change(viewer::read(viewer)?, command, dry_run).await
    }

    async fn add_tracks(&self, request: Request<AddTracksRequest>) -> Changed {
        let AddTracksRequest { viewer, playlist_id, track_ids, position, dry_run } = request.into_body();
        let position = position.map(|position| position as usize);
        let (playlist_id, track_ids) = (read_id(playlist_id)?, read_track_ids(&track_ids)?);
        let command = Command::AddTracks { playlist_id, track_ids, position };
        self.change(viewer::read(viewer)?, command, dry_run).await
    }

    async fn remove_tracks(&self, request: Request<TracksRequest>) -> Changed {
        let TracksRequest { viewer, playlist_id, track_ids, dry_run } = request.into_body();
        let (playlist_id, track_ids) = (read_id(playlist_id)?, read_track_ids(&track_ids)?);
        self.change(viewer::read(viewer)?, Command::RemoveTracks { playlist_id, track_ids }, dry_run).await
    }

    async fn reorder_tracks(&self, request: Request<TracksRequest>) -> Changed {
        let TracksRequest { viewer, playlist_id, track_ids, dry_run } = request.into_body();
        let (playlist_id, track_ids) = (read_id(playlist_id)?, read_track_ids(&track_ids)?);
        self.change(viewer::read(viewer)?, Command::ReorderTracks { playlist_id, track_ids }, dry_run).await
    }

    async fn like(&self, request: Request<EdgeRequest>) -> Changed {
        self.edge(request, |playlist_id| Command::LikePlaylist { playlist_id }).await
    }

    async fn unlike(&self, request: Request<EdgeRequest>) -> Changed {
        self.edge(request, |playlist_id| Command::UnlikePlaylist { playlist_id }).await
    }

    async fn repost(&self, request: Request<EdgeRequest>) -> Changed {
        self.edge(request, |playlist_id| Command::RepostPlaylist { playlist_id }).await
    }

    async fn unrepost(&self, request: Request<EdgeRequest>) -> Changed {
        self.edge(request, |playlist_id| Command::UnrepostPlaylist { playlist_id }).await
    }
}

impl Calls {
    /// What the viewer sees of the members, by playlist. Without `tracks` in the mask nobody is asked.
    async fn tracks_of(
        &self,
        scene: &Scene,
        viewer: &Viewer,
        mask: &Mask,
    ) -> Result<HashMap<i64, Vec<tracks::v1::Track>>, TwirpErrorResponse> {
        if !mask.wants("tracks") {
            return Ok(HashMap::new());
        }
        let asked = scene.members_to_ask_for(viewer, Members::All);
        check_members(&asked)?;
        let wanted = mask.below("tracks");
        let inner = Mask::of_track(wanted.clone()).map_err(twirp::invalid_argument)?;
        // Members and tracks are put together by the id, whether it is wanted or not.
        let sent = wanted.map(|mut mask| {
            mask.paths.push("id".to_owned());
            mask
        });
        let answer = self.queries.tracks.masked_members(viewer, asked, sent).await.map_err(refused)?;
        let by_id: HashMap<i64, tracks::v1::Track> =
            answer.tracks.into_iter().map(|track| (track.id, track)).collect();
        let of = answer.members.into_iter().map(|of| {
            let seen = of.members.iter().filter_map(|member| {
                let track =
                    tracks::v1::Track { access: member.access, ..by_id.get(&member.track_id)?.clone() };
                Some(inner.applied_to_track(track))
            });
            (of.playlist_id, seen.collect())
        });
        Ok(of.collect())
    }

    async fn edge(&self, request: Request<EdgeRequest>, command: fn(PlaylistId) -> Command) -> Changed {
        let EdgeRequest { viewer, playlist_id, dry_run } = request.into_body();
        self.change(viewer::read(viewer)?, command(read_id(playlist_id)?), dry_run).await
    }

    async fn change(&self, viewer: Viewer, command: Command, dry_run: bool) -> Changed {
        let marked = match command {
            Command::LikePlaylist { .. } => Some(true),
            Command::UnlikePlaylist { .. } => Some(false),
            _ => None,
        };
        let reposted = match command {
            Command::RepostPlaylist { .. } => Some(true),
            Command::UnrepostPlaylist { .. } => Some(false),
            _ => None,
        };
        let mode = if dry_run { Mode::DryRun } else { Mode::Commit };
        let outcome = self.commands.run(&viewer, command, mode).await.map_err(refused)?;
        let id = outcome.playlist.id;
        let relations = self.queries.foundation.relations(&viewer, &[], &[id]).await;
        let before: Mark = relations.map_err(|error| refused(error.into()))?.playlist(id);
        // With a dry run the monolith still says what was before.
        let mark =
            Mark { liked: marked.unwrap_or(before.liked), reposted: reposted.unwrap_or(before.reposted) };
        let playlist = Some(aggregate::playlist(&outcome.playlist, mark, &viewer));
        Ok(Response::new(ChangeResponse { changed: outcome.changed, dry_run, playlist }))
    }
}

fn read_id(id: i64) -> Result<PlaylistId, TwirpErrorResponse> {
    PlaylistId::try_from(id).map_err(|error| twirp::invalid_argument(format!("playlist_id: {error}")))
}

fn read_track_ids(ids: &[i64]) -> Result<Vec<TrackId>, TwirpErrorResponse> {
    let ids = ids.iter().map(|id| TrackId::try_from(*id)).collect::<Result<_, _>>();
    ids.map_err(|error| twirp::invalid_argument(format!("track_ids: {error}")))
}

/// What is present is set; with a mask, what it names, and what it names and is absent is cleared.
fn read_fields(fields: Fields, mask: Option<FieldMask>) -> Result<PlaylistFields, TwirpErrorResponse> {
    const KNOWN: [&str; 7] = ["title", "description", "genre", "tag_list", "kind", "private", "tracks"];
    let mask = mask.filter(|mask| !mask.paths.is_empty());
    if let Some(unknown) =
        mask.iter().flat_map(|mask| &mask.paths).find(|path| !KNOWN.contains(&path.as_str()))
    {
        return Err(twirp::invalid_argument(format!("update_mask: {unknown:?} is no field here")));
    }
    let named = |name: &str| mask.as_ref().map(|mask| mask.paths.iter().any(|path| path == name));
    let kind = fields.kind.map(|kind| {
        let kind = Kind::try_from(kind).ok().and_then(aggregate::read_kind);
        kind.ok_or_else(|| twirp::invalid_argument("fields.kind: it is none of the known kinds"))
    });
    let sharing = fields.private.map(|private| if private { Sharing::Private } else { Sharing::Public });
    let tracks = fields.tracks.map(|tracks| read_track_ids(&tracks.ids)).transpose()?;
    Ok(PlaylistFields {
        title: set(fields.title, named("title"), String::new()),
        description: set(fields.description.map(Some), named("description"), None),
        genre: set(fields.genre.map(Some), named("genre"), None),
        tag_list: set(fields.tag_list, named("tag_list"), String::new()),
        kind: set(kind.transpose()?, named("kind"), PlaylistKind::Playlist),
        sharing: set(sharing, named("private"), Sharing::Public),
        track_ids: set(tracks, named("tracks"), Vec::new()),
        ..PlaylistFields::default()
    })
}

/// `named`: whether the mask names the field, if there is one.
fn set<T>(given: Option<T>, named: Option<bool>, cleared: T) -> Option<T> {
    match named {
        None => given,
        Some(true) => Some(given.unwrap_or(cleared)),
        Some(false) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> Option<FieldMask> {
        Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
    }

    #[test]
    fn an_update_sets_what_is_present_or_what_the_mask_names() {
        let given = Fields { title: Some("a".to_owned()), private: Some(true), ..Fields::default() };
        let read = read_fields(given.clone(), None).unwrap();
        assert_eq!(
            (read.title.as_deref(), read.sharing, read.genre),
            (Some("a"), Some(Sharing::Private), None)
        );
        let read = read_fields(given.clone(), mask(&["title", "genre"])).unwrap();
        assert_eq!((read.title.as_deref(), read.sharing, read.genre), (Some("a"), None, Some(None)));
        assert!(read_fields(given, mask(&["secret_token"])).is_err());
        let no_kind = Fields { kind: Some(0), ..Fields::default() };
        assert!(read_fields(no_kind, None).is_err());
    }
}
