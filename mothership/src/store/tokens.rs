//! Bearer tokens of the seed: opaque, never issued at run time.

use rusqlite::OptionalExtension;

use crate::{
    domain::{Identity, Timestamp, UserId},
    store::{Reader, StoreError, rows::Columns},
};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bearer {
    pub identity: Identity,
    pub scope: String,
    /// `None`: never expires.
    pub expires_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenState {
    Unknown,
    Expired(Bearer),
    Valid(Bearer),
}

impl Reader<'_> {
    pub fn token(&self, token: &str, now: Timestamp) -> Result<TokenState, StoreError> {
        let mut statement = self.prepare(
            "SELECT b.user_id, u.role, b.scope, b.expires_at FROM bearer_tokens b JOIN users u ON u.id = b.user_id \
             WHERE b.token = ?1",
        )?;
        let bearer = statement.query_row([token], |row| {
            let mut c = Columns::of(row);
            Ok(Bearer {
                identity: Identity { user_id: c.next()?, role: c.next()? },
                scope: c.next()?,
                expires_at: c.next()?,
            })
        });
        Ok(match bearer.optional()? {
            None => TokenState::Unknown,
            Some(bearer) if bearer.expires_at.is_some_and(|end| end <= now) => TokenState::Expired(bearer),
            Some(bearer) => TokenState::Valid(bearer),
        })
    }

    /// `None` if there is no such user.
    pub fn identity(&self, user: UserId) -> Result<Option<Identity>, StoreError> {
        let mut statement = self.prepare("SELECT id, role FROM users WHERE id = ?1")?;
        let identity =
            statement.query_row([user], |row| Ok(Identity { user_id: row.get(0)?, role: row.get(1)? }));
        Ok(identity.optional()?)
    }
}
