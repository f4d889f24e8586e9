//! The way in to the calls: services only, POST only, and only the two types that Twirp knows. The library behind it
//! answers the latter two off the specification.

use axum::{
    Router,
    extract::{DefaultBodyLimit, Path, Request},
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use http::{HeaderValue, Method, header};

/// The definitions, as they are served.
pub const PROTOS: [(&str, &str); 5] = [
    ("authorization.proto", include_str!("../../proto/authorization.proto")),
    ("tracks.proto", include_str!("../../proto/tracks.proto")),
    ("playlists.proto", include_str!("../../proto/playlists.proto")),
    ("consumer.proto", include_str!("../../proto/consumer.proto")),
    ("creator.proto", include_str!("../../proto/creator.proto")),
];

/// Larger calls are refused.
const BODY_BYTES_MAX: usize = 1 << 20;

/// `calls` below `/twirp`, for those who show the service token.
pub fn door(calls: Router, service_token: &str) -> Router {
    let expected = format!("Bearer {service_token}");
    let guard = move |request: Request, next: Next| {
        let shown = request.headers().get(header::AUTHORIZATION).map(HeaderValue::as_bytes);
        let known = shown == Some(expected.as_bytes());
        async move {
            if known {
                checked(request, next).await
            } else {
                twirp::unauthenticated("this needs the service token: Authorization: Bearer TOKEN")
                    .into_response()
            }
        }
    };
    let calls = calls.fallback(unknown).layer(middleware::from_fn(guard));
    Router::new().nest("/twirp", calls.layer(DefaultBodyLimit::disable()))
}

/// `GET /protos/{name}`.
pub async fn proto(Path(name): Path<String>) -> Response {
    match PROTOS.iter().find(|(known, _)| *known == name) {
        Some((_, text)) => ([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], *text).into_response(),
        None => http::StatusCode::NOT_FOUND.into_response(),
    }
}

async fn checked(mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        let method = request.method();
        return twirp::bad_route(format!("unsupported method {method} (only POST is allowed)"))
            .into_response();
    }
    let stated = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = stated.and_then(|stated| stated.split(';').next()).map(|it| it.trim().to_ascii_lowercase());
    let essence = match essence.as_deref() {
        Some("application/json") => "application/json",
        Some("application/protobuf") => "application/protobuf",
        other => {
            let other = other.unwrap_or("none");
            let message = format!(
                "unexpected Content-Type: {other} (application/json and application/protobuf are allowed)"
            );
            return twirp::bad_route(message).into_response();
        }
    };
    request.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(essence));
    let (parts, body) = request.into_parts();
    match axum::body::to_bytes(body, BODY_BYTES_MAX).await {
        Ok(body) => next.run(Request::from_parts(parts, body.into())).await,
        Err(_) => twirp::malformed(format!("the body ended early, or has more than {BODY_BYTES_MAX} bytes"))
            .into_response(),
    }
}

async fn unknown() -> Response {
    twirp::bad_route("there is no such call").into_response()
}
