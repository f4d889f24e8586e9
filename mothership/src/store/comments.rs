//! Reading comments.

use crate::{
    domain::{Comment, CommentId, TrackId, UserId},
    store::{
        Audience, Page, Paged, Reader, StoreError,
        paging::Listing,
        rows::{self, COMMENT, by_ids},
    },
};

/// Latest first. Comments are listed if their author is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommentList {
    OfTrack(TrackId),
    ByUser(UserId),
}

impl Reader<'_> {
    /// In the order of `ids`; unknown ids are left out. One query.
    pub fn comments(&self, ids: &[CommentId]) -> Result<Vec<Comment>, StoreError> {
        let sql = format!("SELECT {COMMENT} FROM comments c WHERE c.id IN (SELECT value FROM json_each(?1))");
        by_ids(self, &sql, ids, rows::comment, |comment| comment.id)
    }

    pub fn comment(&self, id: CommentId) -> Result<Option<Comment>, StoreError> {
        Ok(self.comments(&[id])?.pop())
    }

    /// A page of comments. Two queries.
    pub fn comment_page(
        &self,
        list: CommentList,
        audience: &Audience,
        page: Page,
    ) -> Result<Paged<Comment>, StoreError> {
        let ids = audience.users(list.listing()).page(self, page)?;
        Ok(Paged { items: self.comments(&ids.ids())?, next: ids.next })
    }

    pub fn count_comments(&self, list: CommentList, audience: &Audience) -> Result<i64, StoreError> {
        audience.users(list.listing()).count(self)
    }
}

impl CommentList {
    fn listing(self) -> Listing {
        let from = "comments c CROSS JOIN users u ON u.id = c.user_id";
        let (condition, of) = match self {
            Self::OfTrack(track) => ("c.track_id = :of", track.get()),
            Self::ByUser(user) => ("c.user_id = :of", user.get()),
        };
        Listing::new(from, "c.id", "c.created_at").filter(condition).param(":of", of)
    }
}
