//! Only services get in.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};

use crate::{app::App, internal::ApiError, request::bearer_token};

pub(crate) async fn require_service_token(State(app): State<App>, request: Request, next: Next) -> Response {
    if bearer_token(request.headers()) == Some(app.service_token.as_str()) {
        next.run(request).await
    } else {
        ApiError::ServiceToken.into_response()
    }
}
