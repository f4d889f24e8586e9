//! Reading users, their web profiles and connections.

use rusqlite::OptionalExtension;

use crate::{
    domain::{Connection, PlaylistId, TrackId, User, UserId, WebProfile},
    store::{
        Audience, ListedId, Page, Paged, Reader, StoreError,
        paging::Listing,
        rows::{self, Columns, USER, by_ids},
        tracks::match_expression,
    },
};

/// Which users. All but `All` and `Search` have the latest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UserList {
    /// Highest id first.
    All,
    /// Every word of the text occurs in the name; highest id first. No words: the same as `All`.
    Search(String),
    FollowersOf(UserId),
    FollowingsOf(UserId),
    LikersOfPlaylist(PlaylistId),
    RepostersOfPlaylist(PlaylistId),
    LikersOfTrack(TrackId),
    RepostersOfTrack(TrackId),
}

impl Reader<'_> {
    /// In the order of `ids`; unknown ids are left out. One query.
    pub fn users(&self, ids: &[UserId]) -> Result<Vec<User>, StoreError> {
        let sql = format!("SELECT {USER} FROM users u WHERE u.id IN (SELECT value FROM json_each(?1))");
        by_ids(self, &sql, ids, rows::user, |user| user.id)
    }

    pub fn user(&self, id: UserId) -> Result<Option<User>, StoreError> {
        Ok(self.users(&[id])?.pop())
    }

    pub fn user_by_permalink(&self, permalink: &str) -> Result<Option<User>, StoreError> {
        let sql = format!("SELECT {USER} FROM users u WHERE u.permalink = ?1");
        let mut statement = self.prepare(&sql)?;
        Ok(statement.query_row([permalink], rows::user).optional()?)
    }

    /// A page of ids; read the users themselves with [`Reader::users`].
    pub fn user_ids(
        &self,
        list: &UserList,
        audience: &Audience,
        page: Page,
    ) -> Result<Paged<ListedId<UserId>>, StoreError> {
        audience.users(list.listing()).page(self, page)
    }

    /// How many items all pages of the list have together. Walks the list.
    pub fn count_users(&self, list: &UserList, audience: &Audience) -> Result<i64, StoreError> {
        audience.users(list.listing()).count(self)
    }

    /// In the order in which they were added.
    pub fn web_profiles(&self, user: UserId) -> Result<Vec<WebProfile>, StoreError> {
        let mut statement = self.prepare(
            "SELECT id, user_id, service, title, url, username, created_at FROM web_profiles \
             WHERE user_id = ?1 ORDER BY id",
        )?;
        let profiles = statement.query_map([user], |row| {
            let mut c = Columns::of(row);
            Ok(WebProfile {
                id: c.next()?,
                user_id: c.next()?,
                service: c.next()?,
                title: c.next()?,
                url: c.next()?,
                username: c.next()?,
                created_at: c.next()?,
            })
        })?;
        Ok(profiles.collect::<Result<_, _>>()?)
    }

    /// In the order in which they were added.
    pub fn connections(&self, user: UserId) -> Result<Vec<Connection>, StoreError> {
        let mut statement = self.prepare(
            "SELECT id, user_id, service, display_name, post_publish, post_favorite, created_at FROM connections \
             WHERE user_id = ?1 ORDER BY id",
        )?;
        let connections = statement.query_map([user], |row| {
            let mut c = Columns::of(row);
            Ok(Connection {
                id: c.next()?,
                user_id: c.next()?,
                service: c.next()?,
                display_name: c.next()?,
                post_publish: c.next()?,
                post_favorite: c.next()?,
                created_at: c.next()?,
            })
        })?;
        Ok(connections.collect::<Result<_, _>>()?)
    }
}

impl UserList {
    fn listing(&self) -> Listing {
        match self {
            Self::All => Listing::new("users u", "u.id", "u.id"),
            Self::Search(text) => match match_expression(text) {
                None => Listing::new("users u", "u.id", "u.id"),
                Some(words) => {
                    Listing::new("user_names s CROSS JOIN users u ON u.id = s.rowid", "s.rowid", "s.rowid")
                        .filter("user_names MATCH :words")
                        .param(":words", words)
                }
            },
            Self::FollowersOf(user) => Listing::new(
                "follows e CROSS JOIN users u ON u.id = e.follower_id",
                "e.follower_id",
                "e.created_at",
            )
            .filter("e.followee_id = :of")
            .param(":of", user.get()),
            Self::FollowingsOf(user) => Listing::new(
                "follows e CROSS JOIN users u ON u.id = e.followee_id",
                "e.followee_id",
                "e.created_at",
            )
            .filter("e.follower_id = :of")
            .param(":of", user.get()),
            Self::LikersOfPlaylist(playlist) => edge("playlist_likes", "e.playlist_id = :of", playlist.get()),
            Self::RepostersOfPlaylist(playlist) => {
                edge("playlist_reposts", "e.playlist_id = :of", playlist.get())
            }
            Self::LikersOfTrack(track) => edge("track_likes", "e.track_id = :of", track.get()),
            Self::RepostersOfTrack(track) => edge("track_reposts", "e.track_id = :of", track.get()),
        }
    }
}

fn edge(table: &str, condition: &str, of: i64) -> Listing {
    Listing::new(format!("{table} e CROSS JOIN users u ON u.id = e.user_id"), "e.user_id", "e.created_at")
        .filter(condition)
        .param(":of", of)
}
