//! May this viewer see this profile?

use crate::domain::{Block, Profile, Viewer};

/// Only suspension hides a profile; a block hides what the owner published, not that the owner exists.
pub fn read_user(user: &Profile, viewer: &Viewer) -> bool {
    !user.suspended || viewer.is(user.id) || viewer.is_moderator()
}

/// The profile met in a collection: a block on either side takes it out.
pub fn listed_user(user: &Profile, block: Block, viewer: &Viewer) -> bool {
    viewer.is(user.id) || (!user.suspended && !block.by_owner && !block.by_viewer)
}
