//! Who asks, from where, and holding which secret link.

use crate::domain::{Role, Territory, UserId};

/// Everything about a request that decides what it may see, but for the time.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Viewer {
    /// `None`: anonymous.
    pub identity: Option<Identity>,
    /// `None`: unknown, which is treated as blocked wherever any territory is.
    pub territory: Option<Territory>,
    /// The secret token that the request carries, of a playlist or of a track.
    pub secret_token: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Identity {
    pub user_id: UserId,
    pub role: Role,
}

impl Viewer {
    pub fn user_id(&self) -> Option<UserId> {
        self.identity.map(|identity| identity.user_id)
    }

    pub fn is(&self, user: UserId) -> bool {
        self.user_id() == Some(user)
    }

    pub fn is_moderator(&self) -> bool {
        self.identity.is_some_and(|identity| identity.role == Role::Moderator)
    }

    /// The same person without a secret link and without the moderator role: how collections see everyone.
    #[must_use]
    pub fn without_privileges(mut self) -> Self {
        self.secret_token = None;
        if let Some(identity) = &mut self.identity {
            identity.role = Role::User;
        }
        self
    }

    pub fn holds(&self, secret_token: &str) -> bool {
        self.secret_token.as_deref() == Some(secret_token)
    }
}
