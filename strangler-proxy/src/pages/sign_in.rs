//! From a token to a session and back, and names where no token is asked for.

use std::sync::Arc;

use axum::Extension;
use axum::body::Body;
use axum::extract::State;
use axum::response::Response;
use diff_harness::pages::{Door, Frame, Here, Visitor};
use http::header::{ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;

use super::guard::{self, Guest, form, query, read};
use super::reply::{Failed, Page, html, see_other, trouble, wrong};
use super::session::{self, NAME_COOKIE, SESSION_COOKIE, SESSION_SECONDS};
use super::site::Site;
use crate::admin::{Role, printable};

/// For a browser that somebody calls themselves by a name in.
const NAME_SECONDS: u64 = 365 * 24 * 3_600;

#[derive(Deserialize)]
pub(super) struct Then {
    #[serde(default)]
    then: String,
}

#[derive(Deserialize)]
struct Given {
    #[serde(default)]
    token: String,
    #[serde(default)]
    then: String,
}

#[derive(Deserialize)]
struct Nothing {}

#[derive(Deserialize)]
struct Name {
    #[serde(default)]
    name: String,
}

pub(super) async fn door(State(site): State<Arc<Site>>, uri: Uri, headers: HeaderMap) -> Response {
    let shown = || -> Result<Response, Failed> {
        site.api.access.check_way(&uri, &headers)?;
        let then: Then = query(&uri)?;
        if site.api.access.is_open() {
            return Ok(see_other(own_path(&then.then)));
        }
        Ok(html(StatusCode::OK, &view(then.then, false)))
    };
    shown().unwrap_or_else(|failed| trouble(Visitor::default(), failed))
}

pub(super) async fn sign_in(
    State(site): State<Arc<Site>>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let access = &site.api.access;
    let given = async {
        access.check_way(&uri, &headers)?;
        read::<Given>(&guard::sent(&headers, body).await?)
    };
    let given = match given.await {
        Ok(given) => given,
        Err(failed) => return trouble(Visitor::default(), failed),
    };
    let Some(token) = access.token(given.token.trim().as_bytes()) else {
        tracing::warn!("somebody gave an unknown token to the review page");
        return html(StatusCode::UNAUTHORIZED, &view(given.then, true));
    };
    tracing::info!(name = token.name, role = token.role.as_str(), "signed in to the review page");
    let session = session::issue(token, site.api.control.now());
    with_cookie(
        see_other(own_path(&given.then)),
        &session::set_cookie(SESSION_COOKIE, &session, SESSION_SECONDS, is_https(&headers)),
    )
}

pub(super) async fn sign_out(Extension(guest): Extension<Guest>, headers: HeaderMap, body: Body) -> Page {
    let Nothing {} = form(&guest, Role::Viewer, &headers, body).await?;
    let ended = session::set_cookie(SESSION_COOKIE, "", 0, is_https(&headers));
    Ok(with_cookie(see_other("/login"), &ended))
}

/// Who somebody is, on a listener that asks nobody for a token.
pub(super) async fn name(
    State(site): State<Arc<Site>>,
    Extension(guest): Extension<Guest>,
    headers: HeaderMap,
    body: Body,
) -> Page {
    let Name { name } = form(&guest, Role::Viewer, &headers, body).await?;
    if !site.api.access.is_open() {
        return Err(wrong("your name is that of your token"));
    }
    let name = printable(&name).ok_or_else(|| wrong("a name has at least one printable character"))?;
    let value = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
    let cookie = session::set_cookie(NAME_COOKIE, &value, NAME_SECONDS, is_https(&headers));
    Ok(with_cookie(see_other("/"), &cookie))
}

fn view(then: String, refused: bool) -> Door {
    Door { frame: Frame::new("Sign in", Here::Elsewhere, Visitor::default()), refused, then }
}

/// A path of this site, never another site's address: browsers take `//host` and `/\host` for one.
pub(super) fn own_path(path: &str) -> &str {
    let mut bytes = path.bytes();
    let is_own = bytes.next() == Some(b'/')
        && !matches!(bytes.next(), Some(b'/' | b'\\'))
        && path.bytes().all(|byte| byte.is_ascii_graphic());
    if is_own { path } else { "/" }
}

fn is_https(headers: &HeaderMap) -> bool {
    headers.get(ORIGIN).is_some_and(|origin| origin.as_bytes().starts_with(b"https://"))
}

fn with_cookie(mut response: Response, cookie: &str) -> Response {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().append(SET_COOKIE, value);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_to_another_site() {
        for path in ["/", "/groups?severity=exposure", "/endpoint?of=GET%20/a"] {
            assert_eq!(own_path(path), path);
        }
        for path in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "evil",
            "/a\r\nset-cookie: x",
            "/ a",
        ] {
            assert_eq!(own_path(path), "/", "{path:?}");
        }
    }
}
