//! From a view, or from what went wrong, to a response.

use askama::Template;
use axum::response::{IntoResponse, Response};
use diff_harness::pages::{Frame, Here, Trouble, Visitor};
use diff_harness::store::StoreError;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use http::{HeaderValue, StatusCode};

use super::guard::Guest;
use crate::admin::status_of;
use crate::admin::wire::{Code, Problem};
use crate::control::Refusal;

/// Why a page is not shown, or what it asked for not done.
#[derive(Clone, Debug)]
pub(super) struct Failed {
    pub(super) problem: Problem,
    pub(super) reasons: Vec<String>,
}

pub(super) type Page = Result<Response, Failed>;

impl From<Problem> for Failed {
    fn from(problem: Problem) -> Self {
        Self { problem, reasons: Vec::new() }
    }
}

impl From<StoreError> for Failed {
    fn from(error: StoreError) -> Self {
        Problem::from(&error).into()
    }
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        let reasons = match &refusal {
            Refusal::GateRefused { ruling, .. }
            | Refusal::GateInconclusive { ruling, .. }
            | Refusal::Unforceable { ruling, .. } => ruling.stated.clone(),
            _ => Vec::new(),
        };
        Self { problem: (&refusal).into(), reasons }
    }
}

pub(super) fn missing(what: &str) -> Failed {
    Problem::new(Code::NotFound, format!("there is no {what}")).into()
}

pub(super) fn wrong(message: impl Into<String>) -> Failed {
    Problem::new(Code::BadRequest, message).into()
}

pub(super) fn html(status: StatusCode, view: &impl Template) -> Response {
    match view.render() {
        Ok(page) => {
            let headers = [
                (CONTENT_TYPE, HeaderValue::from_static("text/html; charset=utf-8")),
                (CACHE_CONTROL, HeaderValue::from_static("no-store")),
            ];
            (status, headers, page).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be written: a bug in Strangler");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

impl Failed {
    /// As a page.
    pub(super) fn shown(self, guest: &Guest) -> Response {
        let visitor = Visitor { form_token: guest.form_token.clone(), ..guest.visitor.clone() };
        trouble(visitor, self)
    }
}

/// The page that says why not.
pub(super) fn trouble(visitor: Visitor, failed: Failed) -> Response {
    let Problem { code, message, hint } = failed.problem;
    let title = match code {
        Code::NotFound | Code::UnknownEndpoint => "There is nothing here",
        Code::Unauthorized | Code::Forbidden | Code::WrongHost => "You may not",
        Code::StoreFailed | Code::Internal => "It failed",
        _ => "It was not done",
    };
    let frame = Frame::new(title, Here::Elsewhere, visitor);
    let view = Trouble { frame, message, hint, reasons: failed.reasons, back: "/".to_owned() };
    html(status_of(code), &view)
}

/// Go and look there (RFC 9110 §15.4.4). `to` is a path of this site.
pub(super) fn see_other(to: &str) -> Response {
    let to = HeaderValue::from_str(to).unwrap_or_else(|_| HeaderValue::from_static("/"));
    (StatusCode::SEE_OTHER, [(LOCATION, to), (CACHE_CONTROL, HeaderValue::from_static("no-store"))])
        .into_response()
}
