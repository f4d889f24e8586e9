//! Comments on tracks.

use crate::domain::{CommentId, Timestamp, TrackId, UserId};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comment {
    pub id: CommentId,
    pub track_id: TrackId,
    pub user_id: UserId,
    pub body: String,
    /// Where in the track it was made; `None`: on the track as a whole.
    pub position_ms: Option<i64>,
    pub created_at: Timestamp,
}
