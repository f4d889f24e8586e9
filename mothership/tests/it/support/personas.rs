//! The viewers of docs/mothership-visibility.md as senders of requests.

use mothership::{
    domain::{Identity, PlaylistId, Role, Territory, TrackId, UserId, Viewer},
    seed::cast,
};

use super::{Request, now};

/// All of them, for things of Ada's.
pub(crate) const PERSONAS: [&str; 11] = [
    "anonymous",
    "owner",
    "follower",
    "other",
    "link",
    "wrong link",
    "blocked territory",
    "unknown territory",
    "blocked",
    "muter",
    "moderator",
];

/// Somebody who asks for a thing of `owner` whose secret token is `secret`.
#[derive(Debug, Clone)]
pub(crate) struct Persona {
    pub(crate) user: Option<UserId>,
    pub(crate) territory: Option<&'static str>,
    pub(crate) secret: Option<String>,
}

impl Persona {
    pub(crate) fn named(name: &str, owner: UserId, secret: &str) -> Self {
        let us = |user| Self { user: Some(user), territory: Some("US"), secret: None };
        let wrong = cast::playlist_secret(cast::PRIVATE_PLAYLIST_OF_OTHER);
        match name {
            "anonymous" => Self { user: None, ..us(owner) },
            "owner" => us(owner),
            "follower" => us(cast::FAN),
            "other" => us(cast::LABEL),
            "link" => Self { secret: Some(secret.to_owned()), ..us(cast::LABEL) },
            "wrong link" => Self { secret: Some(wrong), ..us(cast::LABEL) },
            "blocked territory" => Self { territory: Some("DE"), ..us(cast::LABEL) },
            "unknown territory" => Self { territory: None, ..us(cast::LABEL) },
            "blocked" => us(cast::OUTCAST),
            "muter" => us(cast::MUTER),
            "moderator" => us(cast::MOD),
            unknown => panic!("nobody is called {unknown:?}"),
        }
    }

    /// With the persona's token, territory and secret link.
    pub(crate) fn ask(&self, mut request: Request) -> Request {
        if let Some(secret) = &self.secret {
            let separator = if request.path.contains('?') { '&' } else { '?' };
            request.path = format!("{}{separator}secret_token={secret}", request.path);
        }
        if let Some(token) = self.token() {
            request = request.header("authorization", &format!("OAuth {token}"));
        }
        match self.territory {
            Some(territory) => request.header("x-country", territory),
            None => request,
        }
    }

    pub(crate) fn token(&self) -> Option<&'static str> {
        let user = self.user?;
        let found = cast::TOKENS.iter().find(|(token, of)| *of == user && *token != "tok-expired");
        Some(found.expect("the cast have tokens").0)
    }

    pub(crate) fn viewer(&self) -> Viewer {
        let role = |user| if user == cast::MOD { Role::Moderator } else { Role::User };
        Viewer {
            identity: self.user.map(|user| Identity { user_id: user, role: role(user) }),
            territory: self.territory.map(|territory| territory.parse::<Territory>().unwrap()),
            secret_token: self.secret.clone(),
            now: now(),
        }
    }
}

/// The cast's tracks by the conditions of the table `Tracks`.
pub(crate) const TRACKS: [(&str, TrackId); 9] = [
    ("public", cast::PUBLIC),
    ("private", cast::PRIVATE),
    ("unreleased", cast::UNRELEASED),
    ("private and unreleased", cast::PRIVATE_UNRELEASED),
    ("blocked in territories", cast::TERRITORY),
    ("preview only", cast::PREVIEW),
    ("preview only and blocked in territories", cast::TERRITORY_AND_PREVIEW),
    ("taken down", cast::TAKEN_DOWN),
    ("of a suspended user", cast::OF_SUSPENDED),
];

/// By the conditions of the table `Playlists`.
pub(crate) const PLAYLISTS: [(&str, PlaylistId); 7] = [
    ("public", cast::EVERYTHING),
    ("private", cast::PRIVATE_PLAYLIST),
    ("unreleased album", cast::UNRELEASED_ALBUM),
    ("private and unreleased album", cast::PRIVATE_UNRELEASED_ALBUM),
    ("released album", cast::ALBUM),
    ("empty", cast::EMPTY),
    ("of a suspended user", cast::PLAYLIST_OF_SUSPENDED),
];

/// By the conditions of the table `Tracks in a playlist`.
pub(crate) const MEMBERS: [(&str, TrackId); 10] = [
    ("public", cast::PUBLIC),
    ("private, of the playlist's owner", cast::PRIVATE),
    ("private, of another", cast::PRIVATE_OF_OTHER),
    ("unreleased", cast::UNRELEASED),
    ("private and unreleased", cast::PRIVATE_UNRELEASED),
    ("blocked in territories", cast::TERRITORY),
    ("preview only", cast::PREVIEW),
    ("taken down", cast::TAKEN_DOWN),
    ("of a suspended user", cast::OF_SUSPENDED),
    ("of a user whom the playlist's owner blocked", cast::OF_OUTCAST),
];

pub(crate) fn condition<T: Copy>(table: &[(&str, T)], name: &str) -> T {
    let found = table.iter().find(|(known, _)| *known == name);
    found.unwrap_or_else(|| panic!("the page names a condition that tests do not know: {name:?}")).1
}
