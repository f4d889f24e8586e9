//! What was published, tracks and playlists in one list: by the people whom a user follows, or by one user.

use crate::{
    domain::{PlaylistId, Timestamp, TrackId, UserId},
    store::{Audience, Cursor, Page, Paged, Reader, StoreError, paging::Listing},
};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Activity {
    pub item: FeedItem,
    pub at: Timestamp,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedItem {
    Track(TrackId),
    Playlist(PlaylistId),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActivityKind {
    TracksOnly,
    TracksAndPlaylists,
}

/// Whose publications.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedOf {
    Followings(UserId),
    User(UserId),
}

impl Reader<'_> {
    /// Latest first. Pages go on by cursor; an offset counts in each of the two sources and is best left at 0.
    pub fn feed(
        &self,
        of: FeedOf,
        kind: ActivityKind,
        audience: &Audience,
        page: Page,
    ) -> Result<Paged<Activity>, StoreError> {
        let limit = page.limit.min(Page::LIMIT_MAX) as usize;
        let tracks = audience.tracks(of.tracks()).page::<i64>(self, page)?;
        let mut more = tracks.next.is_some();
        let mut places: Vec<Cursor> = tracks.items.iter().map(|l| Cursor { key: l.key, id: l.id }).collect();
        if kind == ActivityKind::TracksAndPlaylists {
            let playlists = audience.playlists(of.playlists()).page::<i64>(self, page)?;
            more |= playlists.next.is_some();
            places.extend(playlists.items.iter().map(|l| Cursor { key: l.key, id: l.id }));
        }
        places.sort_unstable_by_key(|place| std::cmp::Reverse((place.key, place.id)));
        more |= places.len() > limit;
        places.truncate(limit);
        let items = places.iter().filter_map(|place| Activity::at(*place)).collect();
        Ok(Paged { items, next: places.last().copied().filter(|_| more) })
    }
}

// An item's place is its time and twice its id, plus one for playlists: a total order over both kinds.

impl FeedOf {
    fn tracks(self) -> Listing {
        let listing = match self {
            Self::Followings(_) => Listing::new(
                "follows f CROSS JOIN tracks t ON t.user_id = f.followee_id CROSS JOIN users o ON o.id = t.user_id",
                "t.id * 2",
                "t.created_at",
            )
            .filter("f.follower_id = :of"),
            Self::User(_) => {
                Listing::new("tracks t CROSS JOIN users o ON o.id = t.user_id", "t.id * 2", "t.created_at")
                    .filter("t.user_id = :of")
            }
        };
        listing.param(":of", self.user().get())
    }

    fn playlists(self) -> Listing {
        let listing = match self {
            Self::Followings(_) => Listing::new(
                "follows f CROSS JOIN playlists p ON p.user_id = f.followee_id CROSS JOIN users o ON o.id = p.user_id",
                "p.id * 2 + 1",
                "p.created_at",
            )
            .filter("f.follower_id = :of"),
            Self::User(_) => {
                Listing::new("playlists p CROSS JOIN users o ON o.id = p.user_id", "p.id * 2 + 1", "p.created_at")
                    .filter("p.user_id = :of")
            }
        };
        listing.param(":of", self.user().get())
    }

    fn user(self) -> UserId {
        match self {
            Self::Followings(user) | Self::User(user) => user,
        }
    }
}

impl Activity {
    fn at(place: Cursor) -> Option<Self> {
        let item = if place.id % 2 == 0 {
            FeedItem::Track(TrackId::try_from(place.id / 2).ok()?)
        } else {
            FeedItem::Playlist(PlaylistId::try_from(place.id / 2).ok()?)
        };
        Some(Self { item, at: Timestamp::from_millis(place.key)? })
    }
}
