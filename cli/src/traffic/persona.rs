//! Who asks: the rows of docs/mothership-visibility.md, and those whose credentials are no good.

use fastrand::Rng;

use crate::{
    ask::Draft,
    world::{Subject, token_of},
};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Persona {
    Anonymous,
    AnonymousWithLink,
    Owner,
    Follower,
    Other,
    Link,
    WrongLink,
    BlockedTerritory,
    UnknownTerritory,
    MalformedTerritory,
    Blocked,
    Muter,
    Moderator,
    ModeratorWithLink,
    Suspended,
    Unicode,
    Newcomer,
    ExpiredToken,
    UnknownToken,
    OtherScheme,
    TokenInQuery,
}

impl Persona {
    pub const ALL: [Self; 21] = [
        Self::Anonymous,
        Self::AnonymousWithLink,
        Self::Owner,
        Self::Follower,
        Self::Other,
        Self::Link,
        Self::WrongLink,
        Self::BlockedTerritory,
        Self::UnknownTerritory,
        Self::MalformedTerritory,
        Self::Blocked,
        Self::Muter,
        Self::Moderator,
        Self::ModeratorWithLink,
        Self::Suspended,
        Self::Unicode,
        Self::Newcomer,
        Self::ExpiredToken,
        Self::UnknownToken,
        Self::OtherScheme,
        Self::TokenInQuery,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Anonymous => "anonymous",
            Self::AnonymousWithLink => "anonymous, link",
            Self::Owner => "owner",
            Self::Follower => "follower",
            Self::Other => "other",
            Self::Link => "link",
            Self::WrongLink => "wrong link",
            Self::BlockedTerritory => "blocked territory",
            Self::UnknownTerritory => "unknown territory",
            Self::MalformedTerritory => "malformed territory",
            Self::Blocked => "blocked",
            Self::Muter => "muter",
            Self::Moderator => "moderator",
            Self::ModeratorWithLink => "moderator, link",
            Self::Suspended => "suspended",
            Self::Unicode => "unicode",
            Self::Newcomer => "newcomer",
            Self::ExpiredToken => "expired token",
            Self::UnknownToken => "unknown token",
            Self::OtherScheme => "other scheme",
            Self::TokenInQuery => "token in query",
        }
    }

    /// The user whom a valid token of this persona names, if the token does not depend on what is asked for.
    pub fn user(self) -> Option<i64> {
        use mothership::seed::cast;
        let user = match self {
            Self::Follower => cast::FAN,
            Self::Other
            | Self::Link
            | Self::WrongLink
            | Self::BlockedTerritory
            | Self::UnknownTerritory
            | Self::TokenInQuery => cast::LABEL,
            Self::Blocked => cast::OUTCAST,
            Self::Muter => cast::MUTER,
            Self::Moderator | Self::ModeratorWithLink => cast::MOD,
            Self::Suspended => cast::GHOST,
            Self::Unicode => cast::UNICODE,
            _ => return None,
        };
        Some(user.get())
    }

    /// Adds the credentials, the territory and the secret link.
    pub fn dress(self, draft: &mut Draft, subject: &Subject, rng: &mut Rng) {
        let token = match self {
            Self::Anonymous | Self::AnonymousWithLink => None,
            Self::Owner => token_of(subject.owner),
            Self::Newcomer => Some(format!("tok-user-{}", rng.u32(1..=300))),
            Self::ExpiredToken => Some("tok-expired".to_owned()),
            Self::UnknownToken | Self::MalformedTerritory | Self::OtherScheme => {
                Some(["tok-nobody", "", "tok-ada tok-fan", "'--"][rng.usize(..4)].to_owned())
            }
            _ => self.user().and_then(token_of),
        };
        match (self, token) {
            (_, None) => {}
            (Self::OtherScheme, Some(_)) => draft.header("authorization", "Basic dG9rLWFkYQ=="),
            (Self::MalformedTerritory, Some(_)) => draft.header("authorization", "Bearer tok-ada"),
            (Self::TokenInQuery, Some(token)) => draft.query("oauth_token", &token),
            (_, Some(token)) => {
                let scheme = ["OAuth", "Bearer", "oauth", "BEARER"][rng.usize(..4)];
                draft.header("authorization", &format!("{scheme} {token}"));
            }
        }
        match self {
            Self::UnknownTerritory => {}
            Self::BlockedTerritory => draft.header("x-country", ["DE", "FR", "de"][rng.usize(..3)]),
            Self::MalformedTerritory => {
                draft.header("x-country", ["", "D", "DEU", "D1", "Germany", "*"][rng.usize(..6)]);
            }
            _ => draft.header("x-country", ["US", "US", "US", "GB", " us "][rng.usize(..5)]),
        }
        match self {
            Self::Link | Self::AnonymousWithLink | Self::ModeratorWithLink => {
                draft.query("secret_token", &subject.secret);
            }
            Self::WrongLink => {
                draft.query("secret_token", ["s-playlist215", "s-track123", "s-", "", " "][rng.usize(..5)]);
            }
            _ => {}
        }
    }
}
