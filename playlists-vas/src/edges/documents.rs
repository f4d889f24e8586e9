//! The OpenAPI documents of the edges, as they are served: the playlist endpoints of each dialect and nothing more.

use axum::response::{IntoResponse, Response};
use http::header;

pub const PUBLIC: &str = include_str!("../../openapi/public.json");
pub const MOBILE: &str = include_str!("../../openapi/mobile.json");
pub const WEB: &str = include_str!("../../openapi/web.json");

pub(super) fn write(document: &'static str) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], document).into_response()
}
