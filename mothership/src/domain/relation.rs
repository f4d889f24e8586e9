//! How a viewer stands to others and to their things.

/// Blocks between a viewer and an owner. An anonymous viewer has none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Block {
    /// The owner blocked the viewer.
    pub by_owner: bool,
    /// The viewer blocked the owner.
    pub by_viewer: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct UserRelation {
    pub follows: bool,
    pub followed_by: bool,
    pub blocks: bool,
    pub blocked_by: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TrackRelation {
    pub liked: bool,
    pub reposted: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlaylistRelation {
    pub liked: bool,
    pub reposted: bool,
}

impl UserRelation {
    pub fn block(self) -> Block {
        Block { by_owner: self.blocked_by, by_viewer: self.blocks }
    }
}
