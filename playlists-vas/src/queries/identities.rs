//! Who comes with a token. Remembered for a moment, and never beyond the token's own end.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use crate::{
    cache::Bounded,
    domain::{Identity, Role},
    foundation::{Foundation, Introspection, TokenState},
    service::ServiceError,
};

/// Cheap to clone.
#[derive(Clone)]
pub struct Identities {
    foundation: Foundation,
    known: Arc<Bounded<String, (Identity, Instant)>>,
    /// How long an answer is believed.
    keep: Duration,
}

/// A token that stands for nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenProblem {
    #[error("the bearer token is not known")]
    Unknown,
    #[error("the bearer token has expired")]
    Expired,
}

impl Identities {
    /// `keep`: how long an answer is believed; zero asks every time.
    pub fn new(foundation: Foundation, entries_max: usize, keep: Duration) -> Self {
        Self { foundation, known: Arc::new(Bounded::new(entries_max)), keep }
    }

    pub async fn of(&self, token: &str) -> Result<Result<Identity, TokenProblem>, ServiceError> {
        let asked = Instant::now();
        if let Some((identity, until)) = self.known.get(&token.to_owned())
            && asked < until
        {
            return Ok(Ok(identity));
        }
        let answer: Introspection = self.foundation.introspect(token).await?;
        let user_id = match (answer.state, answer.user_id) {
            (TokenState::Valid, Some(user_id)) => user_id,
            (TokenState::Expired, _) => return Ok(Err(TokenProblem::Expired)),
            (TokenState::Unknown | TokenState::Valid, _) => return Ok(Err(TokenProblem::Unknown)),
        };
        let identity = Identity { user_id, role: answer.role.unwrap_or(Role::User) };
        let left = answer
            .expires_at
            .map(|end| Duration::from_millis(u64::try_from(end.millis() - answer.now.millis()).unwrap_or(0)));
        // From when it was asked: what was true then may have ended while the answer was under way.
        let until = asked + left.map_or(self.keep, |left| left.min(self.keep));
        self.known.insert(token.to_owned(), (identity, until));
        Ok(Ok(identity))
    }
}
