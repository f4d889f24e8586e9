//! What every response of the dialect has, whatever its handler: CORS, a weak ETag that is honoured, the time it took.

use std::time::Instant;

use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use http_body_util::BodyExt;

use crate::{
    edges::{App, public::error::ApiError},
    regressions::Regression,
};

const RUNTIME: HeaderName = HeaderName::from_static("x-runtime");

pub(super) async fn apply(State(app): State<App>, request: Request, next: Next) -> Response {
    let started = Instant::now();
    let method = request.method().clone();
    let known = request.headers().get(header::IF_NONE_MATCH).cloned();
    let known = known.filter(|_| !app.regressions.on(Regression::ForgottenEtag));
    let mut response = match method {
        Method::OPTIONS => StatusCode::OK.into_response(),
        Method::HEAD if app.regressions.on(Regression::HeadRefused) => {
            ApiError::MethodNotAllowed.into_response()
        }
        _ => next.run(request).await,
    };
    if matches!(method, Method::GET | Method::HEAD) && response.status() == StatusCode::OK {
        response = tagged(response, known.as_ref()).await;
    }
    let headers = response.headers_mut();
    if app.regressions.on(Regression::LostCacheControl) {
        headers.remove(header::CACHE_CONTROL);
    }
    allow_any_origin(headers);
    let seconds = format!("{:.6}", started.elapsed().as_secs_f64());
    headers.insert(RUNTIME, HeaderValue::from_str(&seconds).expect("digits and a point are a header value"));
    response
}

/// Adds the ETag of the body; answers 304 if the client has that one.
async fn tagged(response: Response, known: Option<&HeaderValue>) -> Response {
    let (mut head, body) = response.into_parts();
    let Ok(body) = body.collect().await else {
        return ApiError::BadRequest("the response ended early".to_owned()).into_response();
    };
    let body = body.to_bytes();
    let hash = blake3::hash(&body).to_hex();
    let tag = format!("W/\"{}\"", &hash[..32]);
    let tag_value = HeaderValue::from_str(&tag).expect("hexadecimal digits are a header value");
    head.headers.insert(header::ETAG, tag_value);
    head.headers
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("max-age=0, private, must-revalidate"));
    if known.is_some_and(|known| matches(known, &tag)) {
        head.status = StatusCode::NOT_MODIFIED;
        head.headers.remove(header::CONTENT_TYPE);
        head.headers.remove(header::CONTENT_LENGTH);
        return Response::from_parts(head, Body::empty());
    }
    Response::from_parts(head, Body::from(body))
}

/// If-None-Match compares weakly: W/ makes no difference (RFC 9110 §13.1.2).
fn matches(known: &HeaderValue, tag: &str) -> bool {
    let Ok(known) = known.to_str() else { return false };
    let opaque = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    known.trim() == "*" || known.split(',').any(|known| opaque(known) == opaque(tag))
}

fn allow_any_origin(headers: &mut HeaderMap) {
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, PUT, POST, DELETE"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type, Origin"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "Date"),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
}
