//! Errors of the internal API, as they are written there: `{"error": {"code", "message", …}}` with a status.

use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;

use crate::{
    domain::TrackId,
    foundation::{FoundationError, Invalid, Problem, Refused},
};

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorRecord,
}

#[derive(Deserialize)]
struct ErrorRecord {
    code: String,
    message: String,
    forbidden: Option<String>,
    invalid: Option<Vec<InvalidRecord>>,
    revision: Option<Revision>,
}

#[derive(Deserialize)]
struct InvalidRecord {
    field: String,
    #[serde(flatten)]
    problem: ProblemRecord,
}

#[derive(Deserialize)]
#[serde(tag = "problem", rename_all = "snake_case")]
enum ProblemRecord {
    Blank,
    TooLong { max: u64, actual: u64 },
    TooMany { max: u64, actual: u64 },
    UnknownTracks { ids: Vec<TrackId> },
    UnknownUser,
    OutOfRange { min: i64, max: i64 },
    Yourself,
}

#[derive(Deserialize)]
struct Revision {
    expected: i64,
    actual: i64,
}

/// The error that an answer with a status other than 200 tells of.
pub(super) fn read(status: StatusCode, body: &Bytes) -> FoundationError {
    let Ok(ErrorBody { error }) = serde_json::from_slice(body) else {
        let (code, message) = ("unreadable".to_owned(), "an error in no known form".to_owned());
        return FoundationError::Unexpected { status: status.as_u16(), code, message };
    };
    let refused = match (error.code.as_str(), &error.forbidden, error.invalid, error.revision) {
        ("viewer_unknown", ..) => return FoundationError::ViewerUnknown,
        ("sign_in_required", ..) => Refused::SignInRequired,
        ("not_found", ..) => Refused::NotFound,
        ("forbidden", Some(reason), ..) if reason == "not_owner" => Refused::NotOwner,
        ("invalid", _, Some(invalid), _) => {
            Refused::Invalid(invalid.into_iter().map(Invalid::from).collect())
        }
        ("stale_revision", _, _, Some(Revision { expected, actual })) => {
            Refused::StaleRevision { expected, actual }
        }
        _ => {
            let (code, message) = (error.code, error.message);
            return FoundationError::Unexpected { status: status.as_u16(), code, message };
        }
    };
    refused.into()
}

impl From<InvalidRecord> for Invalid {
    fn from(InvalidRecord { field, problem }: InvalidRecord) -> Self {
        let problem = match problem {
            ProblemRecord::Blank => Problem::Blank,
            ProblemRecord::TooLong { max, actual } => Problem::TooLong { max, actual },
            ProblemRecord::TooMany { max, actual } => Problem::TooMany { max, actual },
            ProblemRecord::UnknownTracks { ids } => Problem::UnknownTracks(ids),
            ProblemRecord::UnknownUser => Problem::UnknownUser,
            ProblemRecord::OutOfRange { min, max } => Problem::OutOfRange { min, max },
            ProblemRecord::Yourself => Problem::Yourself,
        };
        Self { field, problem }
    }
}
