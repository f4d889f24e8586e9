//! Who asks for a page, and that a form comes from a page of ours.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use diff_harness::pages::{Visitor, link};
use http::header::{CONTENT_TYPE, ORIGIN};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use percent_encoding::percent_decode_str;
use serde::de::DeserializeOwned;

use super::reply::{Failed, see_other, trouble, wrong};
use super::session::{self, NAME_COOKIE};
use super::site::Site;
use crate::admin::wire::{Code, Problem};
use crate::admin::{Admitted, By, Peer, Role, printable};

/// A form has a reason and some names in it.
const FORM_BYTES_MAX: usize = 64 << 10;

/// Who looks at a page.
#[derive(Clone, Debug)]
pub(super) struct Guest {
    pub(super) admitted: Admitted,
    pub(super) visitor: Visitor,
    pub(super) form_token: String,
}

impl Guest {
    fn new(site: &Site, admitted: Admitted) -> Self {
        let form_token = session::form_token(&site.key, &admitted).to_hex().to_string();
        let visitor = Visitor {
            name: admitted.name.clone(),
            role: admitted.role.as_str(),
            may_decide: admitted.role >= Role::Reviewer,
            may_flip: admitted.role >= Role::Operator,
            claimed: admitted.by == By::Claim,
            signed_in: admitted.by == By::Token,
            form_token: form_token.clone(),
        };
        Self { admitted, visitor, form_token }
    }
}

/// What every response of the listener says to a browser: nothing but its own style and scripts is loaded, nothing runs
/// that stands in a page, no other page frames it or is told where it was.
pub(super) async fn harden(request: Request, next: Next) -> Response {
    const SAID: [(&str, &str); 7] = [
        (
            "content-security-policy",
            "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        ),
        ("x-content-type-options", "nosniff"),
        ("x-frame-options", "DENY"),
        // `no-referrer` would take the origin out of our own forms as well.
        ("referrer-policy", "same-origin"),
        ("cross-origin-opener-policy", "same-origin"),
        ("cross-origin-resource-policy", "same-origin"),
        ("permissions-policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
    ];
    let mut response = next.run(request).await;
    for (name, value) in SAID {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// Lets in whom the config lets in; asks the others for a token.
pub(super) async fn admit(State(site): State<Arc<Site>>, mut request: Request, next: Next) -> Response {
    let access = &site.api.access;
    if let Err(problem) = access.check_way(request.uri(), request.headers()) {
        return trouble(Visitor::default(), problem.into());
    }
    let peer = request.extensions().get::<Peer>().copied();
    let known = access
        .recognize(request.headers(), peer)
        .map(|admitted| named(admitted, request.headers()))
        .or_else(|| session::read(access, request.headers(), site.api.control.now()));
    let Some(admitted) = known else { return at_the_door(&request) };
    request.extensions_mut().insert(Guest::new(&site, admitted));
    next.run(request).await
}

/// On an open listener people say who they are.
fn named(mut admitted: Admitted, headers: &HeaderMap) -> Admitted {
    if admitted.by == By::Claim
        && let Some(name) = session::cookie(headers, NAME_COOKIE)
        && let Some(name) = printable(&percent_decode_str(name).decode_utf8_lossy())
    {
        admitted.name = name;
    }
    admitted
}

fn at_the_door(request: &Request) -> Response {
    let is_page = request.uri().path() != "/events";
    if request.method() == Method::GET && is_page {
        let then = request.uri().path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
        return see_other(&link("/login", &[("then", if then == "/" { "" } else { then })]));
    }
    let problem = Problem::new(Code::Unauthorized, "nobody is signed in, or not any more")
        .hint("sign in, and do it again");
    if is_page { trouble(Visitor::default(), problem.into()) } else { problem.into_response() }
}

/// The fields of a form that one of our own pages sent.
///
/// Three things must hold, each of which a page of another origin cannot do: the browser says that the form comes from
/// here, the session's cookie is there (it is `SameSite=Strict`), and the form has the token that our page had.
pub(super) async fn form<T: DeserializeOwned>(
    guest: &Guest,
    needed: Role,
    headers: &HeaderMap,
    body: Body,
) -> Result<T, Failed> {
    #[derive(serde::Deserialize)]
    struct Token {
        form_token: Option<String>,
    }
    let bytes = sent(headers, body).await?;
    let Token { form_token } = read(&bytes)?;
    let given = form_token.and_then(|token| blake3::Hash::from_hex(token).ok());
    let own = blake3::Hash::from_hex(&guest.form_token).expect("it was made from one");
    // Hashes are compared in constant time.
    if given != Some(own) {
        return Err(Problem::new(Code::Forbidden, "the form is not one that this page made for you")
            .hint("open the page again and repeat it")
            .into());
    }
    guest.admitted.may(needed)?;
    read(&bytes)
}

/// The body of a form of this origin.
pub(super) async fn sent(headers: &HeaderMap, body: Body) -> Result<Bytes, Failed> {
    let is_own = match headers.get("sec-fetch-site") {
        Some(site) => site == "same-origin",
        // That it is the own one was checked on the way in.
        None => headers.contains_key(ORIGIN),
    };
    if !is_own {
        return Err(Problem::new(Code::WrongHost, "the form does not come from a page of this origin").into());
    }
    let media = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(wrong("what was sent is not a form"));
    }
    let too_large =
        || Problem::new(Code::TooLarge, format!("a form has at most {} KiB", FORM_BYTES_MAX >> 10));
    to_bytes(body, FORM_BYTES_MAX).await.map_err(|_| too_large().into())
}

pub(super) fn read<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Failed> {
    serde_urlencoded::from_bytes(bytes)
        .map_err(|error| wrong(format!("the form is not what is expected: {error}")))
}

/// The query of a page; an unknown name in it is no reason to show nothing.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Failed> {
    serde_urlencoded::from_str(uri.query().unwrap_or_default())
        .map_err(|error| wrong(format!("the address is not what is expected: {error}")))
}
