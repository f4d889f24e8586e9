//! Parts of request bodies that many calls share.

use serde::Deserialize;

use crate::{
    app::App,
    domain::{Timestamp, UserId, Viewer},
    internal::ApiError,
    store::{Audience, Cursor, Page, Position, Reader, TokenState},
    visibility::AccessSet,
};

/// Who the service asks for: by bearer token or by user id; neither is anonymous.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct ViewerSpec {
    pub(crate) token: Option<String>,
    pub(crate) user_id: Option<UserId>,
    pub(crate) territory: Option<String>,
    pub(crate) secret_token: Option<String>,
}

/// Which part of a list: `cursor` (as given in `next_cursor`) or `offset`.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct PageSpec {
    #[serde(default)]
    pub(crate) limit: Option<u32>,
    #[serde(default)]
    pub(crate) offset: u64,
    #[serde(default)]
    pub(crate) cursor: Option<String>,
}

/// For whom a list is filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum AudienceSpec {
    /// Everything, seen or not; the service filters.
    Everything,
    /// What the viewer may meet in a collection.
    #[default]
    Listed,
    /// The same without tracks that are blocked for the viewer.
    Streamable,
}

impl ViewerSpec {
    pub(crate) fn resolve(self, reader: &Reader<'_>, now: Timestamp) -> Result<Viewer, ApiError> {
        let identity = match (self.token, self.user_id) {
            (None, None) => None,
            (Some(token), None) => match reader.token(&token, now)? {
                TokenState::Valid(bearer) => Some(bearer.identity),
                TokenState::Expired(_) => return Err(ApiError::TokenExpired),
                TokenState::Unknown => return Err(ApiError::TokenUnknown),
            },
            (None, Some(user)) => Some(reader.identity(user)?.ok_or(ApiError::ViewerUnknown)?),
            (Some(_), Some(_)) => {
                return Err(ApiError::BadRequest("viewer: give token or user_id, not both".to_owned()));
            }
        };
        let territory = self.territory.map(|code| code.parse()).transpose()?;
        Ok(Viewer { identity, territory, secret_token: self.secret_token, now })
    }
}

impl PageSpec {
    pub(crate) fn page(&self) -> Result<Page, ApiError> {
        const LIMIT: u32 = 50;
        let limit = self.limit.unwrap_or(LIMIT);
        if limit > Page::LIMIT_MAX {
            return Err(ApiError::BadRequest(format!("limit: at most {}", Page::LIMIT_MAX)));
        }
        let position = match &self.cursor {
            None => Position::Offset(self.offset),
            Some(cursor) => {
                let cursor: Cursor = cursor.parse().map_err(|_| {
                    ApiError::BadRequest(format!("cursor: {cursor:?} is none that a list gave out"))
                })?;
                Position::After(cursor)
            }
        };
        Ok(Page { limit, position })
    }
}

impl AudienceSpec {
    pub(crate) fn of(self, viewer: &Viewer) -> Audience {
        match self {
            Self::Everything => Audience::Everything,
            Self::Listed => Audience::Collection { viewer: viewer.clone(), access: AccessSet::ALL },
            Self::Streamable => {
                Audience::Collection { viewer: viewer.clone(), access: AccessSet::STREAMABLE }
            }
        }
    }
}

/// [`crate::store::Store::read`] for queries that can also be refused.
pub(crate) async fn read<T, F>(app: &App, queries: F) -> Result<T, ApiError>
where
    T: Send + 'static,
    F: FnOnce(&Reader<'_>) -> Result<T, ApiError> + Send + 'static,
{
    app.store.read(move |reader| Ok(queries(reader))).await?
}
