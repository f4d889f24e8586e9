//! What went wrong below, as an error of Twirp.

use twirp::TwirpErrorResponse;

use crate::foundation::{FoundationError, Refused};

pub fn twirp_error(error: &FoundationError) -> TwirpErrorResponse {
    match error {
        FoundationError::Unreachable(_) => twirp::unavailable(error),
        FoundationError::TimedOut { .. } => twirp::deadline_exceeded(error),
        FoundationError::Unexpected { .. } | FoundationError::Unreadable(_) => {
            tracing::error!(%error, "a call to the monolith failed");
            twirp::internal("the monolith gave no usable answer")
        }
        FoundationError::ViewerUnknown => twirp::unauthenticated(error),
        FoundationError::Refused(refused) => match refused {
            Refused::SignInRequired => twirp::unauthenticated(refused),
            Refused::NotFound => twirp::not_found(refused),
            Refused::NotOwner => twirp::permission_denied(refused),
            Refused::Invalid(_) => twirp::invalid_argument(refused),
            Refused::StaleRevision { .. } => twirp::failed_precondition(refused),
        },
    }
}
