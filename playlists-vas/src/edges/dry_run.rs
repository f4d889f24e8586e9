//! The dry run: asked for by a header, acknowledged by the same.

use axum::{
    extract::{FromRequestParts, Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, StatusCode, request::Parts};

use crate::{commands::Mode, edges::App};

/// Finds out the [`Mode`] of a request and acknowledges a dry run. Safe methods change nothing in either mode.
///
/// A value that is neither yes nor no is refused: whoever meant a dry run must not get a change.
pub(super) async fn apply(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let asked = request.headers().get(&app.dry_run_header).map(HeaderValue::as_bytes);
    let mode = match asked {
        None | Some(b"false" | b"0") => Mode::Commit,
        Some(b"true" | b"1") => Mode::DryRun,
        Some(_) => {
            let name = &app.dry_run_header;
            return (StatusCode::BAD_REQUEST, format!("{name}: expected true or false\n")).into_response();
        }
    };
    let acknowledged = mode == Mode::DryRun && !is_safe(request.method());
    request.extensions_mut().insert(mode);
    let mut response = next.run(request).await;
    if acknowledged {
        response.headers_mut().insert(app.dry_run_header.clone(), HeaderValue::from_static("true"));
    }
    response
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// As [`apply`] found it out.
impl FromRequestParts<App> for Mode {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _app: &App) -> Result<Self, Self::Rejection> {
        // Without the layer nothing is ever changed: the safe side of a mistake in the set-up.
        Ok(parts.extensions.get::<Self>().copied().unwrap_or(Self::DryRun))
    }
}
