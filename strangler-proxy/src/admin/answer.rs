//! From what came of a request to its response: one envelope, for failures too.

use axum::response::{IntoResponse, Response};
use diff_harness::endpoint::EndpointId;
use diff_harness::store::StoreError;
use diff_harness::triage;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};
use serde::Serialize;
use serde_json::Value;

use super::wire::{Code, Envelope, GateView, Problem, VERSION};
use crate::control::Refusal;

/// A problem, with what is known besides.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) problem: Problem,
    pub(super) data: Option<Box<Value>>,
    /// The endpoint that was asked for and is not known.
    pub(super) unknown: Option<Box<EndpointId>>,
}

impl Problem {
    pub(crate) fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self { problem, data: None, unknown: None }
    }
}

impl From<&StoreError> for Problem {
    fn from(error: &StoreError) -> Self {
        let code = match error {
            StoreError::UnknownEndpoint(_) => Code::UnknownEndpoint,
            StoreError::Conflict { .. } => Code::Conflict,
            StoreError::Unsuitable { .. } => Code::NotAMove,
            StoreError::Triage(refusal) => return refusal.into(),
            StoreError::Unusable(_) | StoreError::Failed(_) => Code::StoreFailed,
        };
        Self::new(code, error.to_string())
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        let problem = Problem::from(&error);
        let unknown = match error {
            StoreError::UnknownEndpoint(id) => Some(Box::new(id)),
            _ => None,
        };
        Self { problem, data: None, unknown }
    }
}

impl From<&Refusal> for Problem {
    fn from(refusal: &Refusal) -> Self {
        let (code, hint) = match refusal {
            Refusal::Store(error) => return error.into(),
            Refusal::Triage(refusal) => return refusal.into(),
            Refusal::AtTheEnd(_)
            | Refusal::Unsuitable { .. }
            | Refusal::NotHeld(_)
            | Refusal::NothingBehind(_) => (Code::NotAMove, None),
            Refusal::Backwards { endpoint, to, .. } => {
                let words = command_words(endpoint);
                (Code::NotAMove, Some(format!("strangler rollback {words} --to {to}")))
            }
            Refusal::Forwards { endpoint, to, .. } => {
                let words = command_words(endpoint);
                (Code::NotAMove, Some(format!("strangler promote {words} --to {to}")))
            }
            Refusal::Held { endpoint, .. } => {
                let words = command_words(endpoint);
                (Code::Held, Some(format!("strangler resume {words} --reason TEXT lets it move again")))
            }
            Refusal::GateRefused { endpoint, ruling, .. } => {
                let words = command_words(endpoint);
                let look = format!("strangler divergences list {words} shows what diverged");
                // Offering what would be refused next sends people in a circle.
                let hint = if ruling.unforceable().next().is_some() {
                    format!("{look}; --force does not override this")
                } else {
                    format!("{look}; --force --reason TEXT overrides the gate")
                };
                (Code::GateRefused, Some(hint))
            }
            Refusal::GateInconclusive { .. } => (
                Code::GateInconclusive,
                Some("wait for more traffic; --force --reason TEXT overrides the gate".to_owned()),
            ),
            Refusal::Unforceable { endpoint, .. } => {
                let words = command_words(endpoint);
                (Code::Unforceable, Some(format!("strangler divergences list {words} --severity exposure")))
            }
            Refusal::NoReturn { endpoint, to, .. } => {
                let words = command_words(endpoint);
                (
                    Code::NoReturn,
                    Some(format!(
                        "strangler promote {words} --to {to} --past-no-return '{endpoint}' if that is what you want"
                    )),
                )
            }
            Refusal::ReasonRequired(_) => {
                (Code::ReasonRequired, Some("say it with --reason TEXT".to_owned()))
            }
        };
        Self { code, message: refusal.to_string(), hint }
    }
}

impl From<&triage::Refusal> for Problem {
    fn from(refusal: &triage::Refusal) -> Self {
        use triage::Refusal as Why;
        let code = match refusal {
            Why::NoReason => Code::ReasonRequired,
            Why::NoOwner | Why::NoExpiry | Why::Past | Why::NeedlessExpiry(_) => Code::BadRequest,
            Why::UnknownGroup(_) => Code::NotFound,
            Why::Conflict { .. } => Code::Conflict,
            Why::ExposureAsNoise
            | Why::OwnOverride(_)
            | Why::NothingToUndo(_)
            | Why::NotAPart(_)
            | Why::HasParts(_)
            | Why::SplitAlready { .. }
            | Why::NothingInPart(_) => Code::DecisionRefused,
        };
        let hint = match refusal {
            Why::UnknownGroup(_) => Some("strangler divergences list shows the known ones".to_owned()),
            Why::NothingInPart(group) | Why::Conflict { group, .. } => {
                Some(format!("strangler divergences show {group}"))
            }
            _ => None,
        };
        Self { code, message: refusal.to_string(), hint }
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        let refusal = match refusal {
            Refusal::Store(error) => return error.into(),
            refusal => refusal,
        };
        let data = match &refusal {
            Refusal::GateRefused { ruling, .. }
            | Refusal::GateInconclusive { ruling, .. }
            | Refusal::Unforceable { ruling, .. } => {
                Some(Box::new(serde_json::json!({ "gate": GateView::from(ruling.as_ref()) })))
            }
            _ => None,
        };
        Self { problem: (&refusal).into(), data, unknown: None }
    }
}

/// `GET '/playlists/{id}'`: as it is typed in a shell.
pub fn command_words(endpoint: &EndpointId) -> String {
    let template = endpoint.template();
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.".contains(c);
    if template.chars().all(plain) {
        format!("{} {template}", endpoint.method())
    } else {
        format!("{} '{}'", endpoint.method(), template.replace('\'', "'\\''"))
    }
}

pub(super) fn done<T: Serialize>(data: T) -> Response {
    respond(StatusCode::OK, &Envelope { version: VERSION, data: Some(data), error: None })
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let (code, status) = (self.problem.code, status_of(self.problem.code));
        let mut response =
            respond(status, &Envelope { version: VERSION, data: self.data, error: Some(self.problem) });
        if code == Code::Busy {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Failed::from(self).into_response()
    }
}

pub(crate) fn status_of(code: Code) -> StatusCode {
    match code {
        Code::BadRequest | Code::NotAMove | Code::ReasonRequired => StatusCode::BAD_REQUEST,
        Code::Unauthorized => StatusCode::UNAUTHORIZED,
        Code::Forbidden => StatusCode::FORBIDDEN,
        Code::WrongHost => StatusCode::MISDIRECTED_REQUEST,
        Code::NotFound | Code::UnknownEndpoint => StatusCode::NOT_FOUND,
        Code::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
        Code::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::Conflict => StatusCode::CONFLICT,
        Code::NoReturn
        | Code::Held
        | Code::GateRefused
        | Code::GateInconclusive
        | Code::Unforceable
        | Code::DecisionRefused => StatusCode::UNPROCESSABLE_ENTITY,
        Code::StoreFailed | Code::Busy => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

fn respond<T: Serialize>(status: StatusCode, envelope: &Envelope<T>) -> Response {
    let body = serde_json::to_vec(envelope).expect("wire types have string keys and finite numbers");
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static("application/json")),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    (status, headers, body).into_response()
}
