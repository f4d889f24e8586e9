//! Clients of the calls.

use std::time::Duration;

use twirp::reqwest;

/// An address or token that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("calls to {url:?} cannot be made: {why}")]
pub struct BadAddress {
    url: String,
    why: String,
}

/// Kept connections are not used again after this.
const IDLE_MAX: Duration = Duration::from_secs(5);

/// A client of all services at `url`, such as `http://127.0.0.1:8082`; it implements the trait of each.
///
/// `deadline` is for a whole call; `idle_max` connections are kept.
///
/// # Errors
/// The address is no URL, or the token cannot stand in a header.
pub fn client(
    url: &str,
    service_token: &str,
    deadline: Duration,
    idle_max: usize,
) -> Result<twirp::Client, BadAddress> {
    let bad = |why: &dyn std::fmt::Display| BadAddress { url: url.to_owned(), why: why.to_string() };
    let base = format!("{}/twirp/", url.trim_end_matches('/'));
    let base = twirp::url::Url::parse(&base).map_err(|error| bad(&error))?;
    let token = http::HeaderValue::try_from(format!("Bearer {service_token}"));
    let mut token = token.map_err(|error| bad(&error))?;
    token.set_sensitive(true);
    let http = reqwest::Client::builder()
        .default_headers(http::HeaderMap::from_iter([(http::header::AUTHORIZATION, token)]))
        .connect_timeout(deadline)
        .timeout(deadline)
        .tcp_nodelay(true)
        .pool_max_idle_per_host(idle_max)
        // Before the other side closes it: what is sent at that moment is lost.
        .pool_idle_timeout(IDLE_MAX)
        // The environment of a process does not decide where its calls go.
        .no_proxy()
        .build()
        .map_err(|error| bad(&error))?;
    Ok(twirp::ClientBuilder::new(base).with_http_client(http).build())
}
