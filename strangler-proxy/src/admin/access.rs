//! Who may speak to the admin API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, Uri};

use super::wire::{Code, Problem};

/// Where the admin API listens, and who may speak to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    pub address: SocketAddr,
    /// Without one, whoever reaches the listener may do everything; so it must be loopback then.
    pub tokens: Vec<Token>,
}

#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Who it stands for in the audit log.
    pub name: String,
    pub secret: String,
}

/// Names who asks where no token does.
const ACTOR_HEADER: &str = "strangler-actor";
const ACTOR_CHARS_MAX: usize = 64;

impl AdminConfig {
    pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9600);

    /// Who asks, for the audit log, or why they may not.
    pub fn admit(&self, uri: &Uri, headers: &HeaderMap) -> Result<String, Problem> {
        if self.address.ip().is_loopback() {
            check_host(uri, headers)?;
        }
        check_origin(headers)?;
        if self.tokens.is_empty() {
            return Ok(claimed_actor(headers));
        }
        let given = headers
            .get(AUTHORIZATION)
            .and_then(|value| value.as_bytes().split_at_checked(7))
            .and_then(|(scheme, token)| scheme.eq_ignore_ascii_case(b"Bearer ").then_some(token));
        let unauthorized = |message: &str| Problem {
            code: Code::Unauthorized,
            message: message.to_owned(),
            hint: Some("give the token with --token or in STRANGLER_TOKEN".to_owned()),
        };
        let given = given.ok_or_else(|| unauthorized("the admin API asks for a token"))?;
        // All of them are compared, so that the time says nothing of which was near.
        let admitted = self.tokens.iter().fold(None, |found, token| {
            if is_same_secret(given, token.secret.as_bytes()) { Some(token) } else { found }
        });
        admitted.map(|token| token.name.clone()).ok_or_else(|| unauthorized("the token is not a known one"))
    }
}

/// The secret stays out of logs.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A page that a browser was lured to can have a name of its own resolve to loopback (DNS rebinding). What it
/// cannot do is send another Host than that name.
fn check_host(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let mut hosts = headers.get_all(HOST).iter();
    let host = match (uri.authority(), hosts.next(), hosts.next()) {
        (Some(authority), _, None) => Some(authority.as_str().to_owned()),
        (None, Some(host), None) => host.to_str().ok().map(str::to_owned),
        _ => None,
    };
    let name = host.as_deref().and_then(|host| host.parse::<http::uri::Authority>().ok());
    let is_local = name.as_ref().is_some_and(|authority| {
        let host = authority.host().trim_start_matches('[').trim_end_matches(']');
        !authority.as_str().contains('@')
            && (host.eq_ignore_ascii_case("localhost")
                || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback()))
    });
    if is_local {
        return Ok(());
    }
    Err(Problem {
        code: Code::WrongHost,
        message: "the Host header names neither localhost nor a loopback address".to_owned(),
        hint: Some("ask it by 127.0.0.1, or give the admin API an address of its own and a token".to_owned()),
    })
}

/// A page of another origin can send a simple request here without reading the answer. Its browser says so.
fn check_origin(headers: &HeaderMap) -> Result<(), Problem> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(()) };
    let host = headers.get(HOST).map(http::HeaderValue::as_bytes).unwrap_or_default();
    let after = |scheme: &[u8]| origin.as_bytes().strip_prefix(scheme);
    let is_own = after(b"http://").or_else(|| after(b"https://")) == Some(host);
    if is_own {
        return Ok(());
    }
    Err(Problem::new(Code::WrongHost, "the request comes from a page of another origin"))
}

/// Compared over a hash, so that the time says nothing of the length or of how much was right.
fn is_same_secret(given: &[u8], secret: &[u8]) -> bool {
    // `blake3::Hash` is compared in constant time.
    blake3::hash(given) == blake3::hash(secret)
}

fn claimed_actor(headers: &HeaderMap) -> String {
    let claimed = headers.get(ACTOR_HEADER).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let claimed: String = claimed.trim().chars().filter(|c| !c.is_control()).take(ACTOR_CHARS_MAX).collect();
    if claimed.is_empty() { "unnamed".to_owned() } else { claimed }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(tokens: &[(&str, &str)]) -> AdminConfig {
        let tokens = tokens
            .iter()
            .map(|(name, secret)| Token { name: (*name).to_owned(), secret: (*secret).to_owned() });
        AdminConfig { address: AdminConfig::DEFAULT_ADDRESS, tokens: tokens.collect() }
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn admit(config: &AdminConfig, pairs: &[(&str, &str)]) -> Result<String, Code> {
        config.admit(&Uri::from_static("/api/v1/status"), &headers(pairs)).map_err(|problem| problem.code)
    }

    #[test]
    fn only_loopback_names_are_taken_as_host() {
        let open = config(&[]);
        for host in ["localhost", "LOCALHOST:9600", "127.0.0.1:9600", "127.9.9.9", "[::1]:9600"] {
            assert!(admit(&open, &[("host", host)]).is_ok(), "{host} was refused");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:9600",
            "",
            "a@localhost",
            "10.0.0.1",
        ] {
            assert_eq!(admit(&open, &[("host", host)]), Err(Code::WrongHost), "{host} was taken");
        }
        assert_eq!(admit(&open, &[]), Err(Code::WrongHost));
        let twice = [("host", "localhost"), ("host", "evil.example")];
        assert_eq!(admit(&open, &twice), Err(Code::WrongHost));
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        let open = config(&[]);
        let with = |origin| admit(&open, &[("host", "localhost:9600"), ("origin", origin)]);
        assert!(with("http://localhost:9600").is_ok());
        for origin in
            ["null", "http://evil.example", "http://localhost:9601", "http://localhost:9600.evil.example", ""]
        {
            assert_eq!(with(origin), Err(Code::WrongHost), "{origin:?} was taken");
        }
    }

    #[test]
    fn a_token_is_asked_for_and_names_the_actor() {
        let closed = config(&[("alice", "0123456789abcdef"), ("ci", "fedcba9876543210")]);
        let with = |authorization: &str| {
            admit(
                &closed,
                &[("host", "localhost"), ("authorization", authorization), ("strangler-actor", "eve")],
            )
        };
        assert_eq!(with("Bearer 0123456789abcdef"), Ok("alice".to_owned()));
        assert_eq!(with("bearer fedcba9876543210"), Ok("ci".to_owned()));
        for wrong in
            ["", "Bearer ", "Bearer 0123456789abcde", "Bearer 0123456789abcdefg", "Basic 0123456789abcdef"]
        {
            assert_eq!(with(wrong), Err(Code::Unauthorized), "{wrong:?} was taken");
        }
        assert_eq!(admit(&closed, &[("host", "localhost")]), Err(Code::Unauthorized));
    }

    #[test]
    fn without_tokens_the_actor_is_who_they_say_they_are() {
        let open = config(&[]);
        let named = [("host", "localhost"), ("strangler-actor", " alice ")];
        assert_eq!(admit(&open, &named), Ok("alice".to_owned()));
        assert_eq!(admit(&open, &[("host", "localhost")]), Ok("unnamed".to_owned()));
    }

    #[test]
    fn a_secret_is_not_in_the_debug_form() {
        let shown = format!("{:?}", config(&[("alice", "0123456789abcdef")]));
        assert!(shown.contains("alice") && !shown.contains("0123456789abcdef"));
    }
}
