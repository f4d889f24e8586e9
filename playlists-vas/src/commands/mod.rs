//! Changing: every command is authorized here, its new tracks are asked of the Tracks VAS, and then the monolith does it
//! and checks it once more. Nothing here reads what a page shows; that is [`crate::queries`].

use std::collections::HashSet;

use crate::{
    authorization::{may_change, read_playlist},
    domain::{Playlist, PlaylistId, TrackId, Viewer},
    foundation::{Command, Foundation, IDS_MAX, Include, Refused},
    gateways::TracksGateway,
    regressions::{Regression, Regressions},
    service::ServiceError,
};

/// Whether a command is done, or only everything up to that: validated, authorized, its answer computed; nothing is
/// kept, and no event leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    #[default]
    Commit,
    DryRun,
}

/// What a command did, or with a dry run would have done.
#[derive(Debug)]
pub struct Outcome {
    /// False if it already was so.
    pub changed: bool,
    /// As it is afterwards, with its track ids; after a deletion as it was last.
    pub playlist: Playlist,
}

/// Cheap to clone.
#[derive(Clone)]
pub struct Commands {
    pub(crate) foundation: Foundation,
    pub(crate) tracks: TracksGateway,
    pub(crate) regressions: Regressions,
}

/// What a command needs before it may run.
enum Need {
    /// Anyone signed in: taking back what is one's own, even of what was hidden since.
    Nothing,
    /// To see the playlist.
    Sight(PlaylistId),
    /// To own it.
    Ownership(PlaylistId),
}

impl Commands {
    /// # Errors
    /// [`Refused`], with nothing changed; or a service below did not answer, and it may have been done.
    pub async fn run(&self, viewer: &Viewer, command: Command, mode: Mode) -> Result<Outcome, ServiceError> {
        if viewer.identity.is_none() {
            return Err(Refused::SignInRequired.into());
        }
        let before = self.authorize(viewer, &command).await?;
        let hidden = self.hidden_tracks(viewer, &command, before.as_ref()).await?;
        if !hidden.is_empty() {
            return Err(self.refusal_of(viewer, &command, hidden).await);
        }
        let (command, mode) = self.mistaken(command, mode);
        let outcome = self.foundation.execute(viewer, &command, mode == Mode::DryRun).await?;
        let changed = outcome.changed;
        match before {
            Some(before) if self.regressions.on(Regression::StaleAnswer) => {
                Ok(Outcome { changed, playlist: before })
            }
            _ => Ok(Outcome { changed, playlist: outcome.into_playlist() }),
        }
    }

    /// The command as regressions have it done.
    fn mistaken(&self, mut command: Command, mut mode: Mode) -> (Command, Mode) {
        if self.regressions.on(Regression::LostWrite) && matches!(command, Command::RemoveTracks { .. }) {
            mode = Mode::DryRun;
        }
        if let Command::AddTracks { position: Some(position), .. } = &mut command
            && self.regressions.on(Regression::ShiftedPosition)
        {
            *position = position.saturating_sub(1);
        }
        if let Command::UpdatePlaylist { if_revision, .. } = &mut command
            && self.regressions.on(Regression::IgnoredRevision)
        {
            *if_revision = None;
        }
        (command, mode)
    }

    /// The playlist as it is before the command, where the command needs to know it.
    async fn authorize(&self, viewer: &Viewer, command: &Command) -> Result<Option<Playlist>, ServiceError> {
        let (id, owned) = match need(command) {
            Need::Nothing => return Ok(None),
            Need::Sight(id) => (id, false),
            Need::Ownership(id) => (id, true),
        };
        let include = [Include::TrackIds, Include::Relations];
        let mut bundle = self.foundation.playlists(viewer, &[id], &include).await?;
        let playlist = bundle.playlists.pop().ok_or(ServiceError::NOT_FOUND)?;
        let block = bundle.relations.block(playlist.owner);
        if !read_playlist(&playlist, block, viewer, bundle.now).visible {
            return Err(ServiceError::NOT_FOUND);
        }
        if owned && !may_change(&playlist, viewer) {
            return Err(Refused::NotOwner.into());
        }
        Ok(Some(playlist))
    }

    /// New tracks that the viewer may not see. What is in the playlist already may stay, even if it was hidden since.
    async fn hidden_tracks(
        &self,
        viewer: &Viewer,
        command: &Command,
        before: Option<&Playlist>,
    ) -> Result<Vec<TrackId>, ServiceError> {
        let named = match command {
            Command::CreatePlaylist { fields } | Command::UpdatePlaylist { fields, .. } => {
                fields.track_ids.as_deref().unwrap_or_default()
            }
            Command::AddTracks { track_ids, .. } => track_ids,
            _ => &[],
        };
        let members = before.and_then(|playlist| playlist.track_ids.as_deref()).unwrap_or_default();
        let mut known: HashSet<TrackId> = members.iter().copied().collect();
        let new: Vec<TrackId> = named.iter().copied().filter(|id| known.insert(*id)).collect();
        // More than a playlist can hold is refused by the monolith, whatever may be seen of it.
        if new.is_empty() || new.len() > IDS_MAX {
            return Ok(Vec::new());
        }
        let visible = self.tracks.visible(viewer, &new).await?;
        Ok(new.into_iter().filter(|id| !visible.contains(id)).collect())
    }

    /// Why the command is refused: other problems come first, and only the monolith knows all of them.
    async fn refusal_of(&self, viewer: &Viewer, command: &Command, hidden: Vec<TrackId>) -> ServiceError {
        match self.foundation.execute(viewer, command, true).await {
            Ok(_) => Refused::unknown_tracks(hidden).into(),
            Err(error) => error.into(),
        }
    }
}

fn need(command: &Command) -> Need {
    match *command {
        Command::CreatePlaylist { .. }
        | Command::UnlikePlaylist { .. }
        | Command::UnrepostPlaylist { .. } => Need::Nothing,
        Command::LikePlaylist { playlist_id } | Command::RepostPlaylist { playlist_id } => {
            Need::Sight(playlist_id)
        }
        Command::UpdatePlaylist { playlist_id, .. }
        | Command::DeletePlaylist { playlist_id }
        | Command::RotateSecret { playlist_id }
        | Command::AddTracks { playlist_id, .. }
        | Command::RemoveTracks { playlist_id, .. }
        | Command::ReorderTracks { playlist_id, .. } => Need::Ownership(playlist_id),
    }
}
