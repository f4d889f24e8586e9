//! Who may speak to the admin API.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::{HeaderMap, HeaderName, Method, Uri};

use super::wire::{Code, Problem};
use crate::data_plane::Network;

/// Where the admin API and the review page listen, and who may speak to them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminConfig {
    pub address: SocketAddr,
    /// Without one, and without a trusted proxy, whoever reaches the listener may do everything; so it must be
    /// loopback then.
    pub tokens: Vec<Token>,
    /// What signs people in before it passes their requests on.
    pub trusted: Option<TrustedProxy>,
    pub limits: AdminLimits,
}

/// What the clients of the admin API may take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminLimits {
    /// Connections at once; others wait in the kernel's queue.
    pub connections_max: usize,
    /// Bytes of a request body (413).
    pub body_bytes_max: usize,
    /// Bytes of the bodies of all requests that are read or answered (503).
    pub bodies_bytes_max: usize,
    /// How long a client may leave what it was sent in its socket before the kernel closes the connection.
    pub write_max: Duration,
    /// How long a client may take what it was sent when the listener ends.
    pub end_max: Duration,
}

impl Default for AdminLimits {
    fn default() -> Self {
        Self {
            connections_max: 128,
            // A declaration of a very large estate fits; nothing else comes near.
            body_bytes_max: 16 << 20,
            bodies_bytes_max: 64 << 20,
            write_max: Duration::from_secs(60),
            end_max: Duration::from_secs(5),
        }
    }
}

#[derive(Clone, PartialEq, Eq)]
pub struct Token {
    /// Who it stands for in the audit log.
    pub name: String,
    pub secret: String,
    pub role: Role,
}

/// A proxy that signs people in, and says in a header who they are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TrustedProxy {
    /// Whose headers are believed.
    pub peers: Vec<Network>,
    pub user_header: HeaderName,
    /// Names the role; whoever has none may look.
    pub role_header: HeaderName,
    /// Names by which people reach it, beside loopback ones.
    pub hosts: Vec<String>,
}

/// What somebody may do. Each may do what those before it may.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// Looks at everything, changes nothing.
    #[default]
    Viewer,
    /// Decides about groups.
    Reviewer,
    /// Moves endpoints, names epochs, declares endpoints, reloads rules.
    Operator,
}

/// Who asks, and what they may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admitted {
    pub name: String,
    pub role: Role,
    pub by: By,
}

/// How it is known who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// They say so, and nothing checks it.
    Claim,
    Token,
    TrustedProxy,
}

/// The address that a request came from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Peer(pub(crate) IpAddr);

/// Names who asks where no token does.
const ACTOR_HEADER: &str = "strangler-actor";
const ACTOR_CHARS_MAX: usize = 64;

impl Role {
    pub const ALL: [Self; 3] = [Self::Viewer, Self::Reviewer, Self::Operator];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Viewer => "viewer",
            Self::Reviewer => "reviewer",
            Self::Operator => "operator",
        }
    }

    /// What a request to the API takes. What is not known to take less takes all.
    fn needed(method: &Method, path: &str) -> Self {
        if method == Method::GET || method == Method::HEAD || path == "/api/v1/flush" {
            Self::Viewer
        } else if path.starts_with("/api/v1/groups/") || path == "/api/v1/matrix" {
            Self::Reviewer
        } else {
            Self::Operator
        }
    }
}

impl FromStr for Role {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| format!("`{text}` is not a role: expected viewer, reviewer or operator"))
    }
}

impl Admitted {
    /// That they may do this, or why not.
    pub(crate) fn may(&self, needed: Role) -> Result<(), Problem> {
        if self.role >= needed {
            return Ok(());
        }
        let message =
            format!("{} is a {}; this takes the role {}", self.name, self.role.as_str(), needed.as_str());
        Err(Problem { code: Code::Forbidden, message, hint: Some("use a token with that role".to_owned()) })
    }
}

impl AdminConfig {
    pub const DEFAULT_ADDRESS: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 9600);

    /// Who asks the API, or why they may not.
    pub(crate) fn admit(
        &self,
        method: &Method,
        uri: &Uri,
        headers: &HeaderMap,
        peer: Option<Peer>,
    ) -> Result<Admitted, Problem> {
        self.check_way(uri, headers)?;
        let admitted = match self.recognize(headers, peer) {
            Some(admitted) => admitted,
            None => self.of_bearer(headers)?,
        };
        admitted.may(Role::needed(method, uri.path()))?;
        Ok(admitted)
    }

    /// Whether anybody who reaches the listener may do everything.
    pub fn is_open(&self) -> bool {
        self.tokens.is_empty() && self.trusted.is_none()
    }

    /// That the request came by a name of this listener, and from no page of another origin.
    pub(crate) fn check_way(&self, uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
        if self.address.ip().is_loopback() {
            check_host(uri, headers, self.trusted.as_ref().map_or(&[], |trusted| &trusted.hosts))?;
        }
        check_origin(headers)
    }

    /// Who is known without a token: everybody on an open listener, and whom a trusted proxy names.
    pub(crate) fn recognize(&self, headers: &HeaderMap, peer: Option<Peer>) -> Option<Admitted> {
        if self.is_open() {
            let name = claimed_actor(headers);
            return Some(Admitted { name, role: Role::Operator, by: By::Claim });
        }
        let trusted = self.trusted.as_ref()?;
        let Peer(peer) = peer?;
        if !trusted.peers.iter().any(|network| network.contains(peer)) {
            return None;
        }
        let name = printable(only(headers, &trusted.user_header)?)?;
        // A role that is none is the least one.
        let role = only(headers, &trusted.role_header).and_then(|role| role.parse().ok()).unwrap_or_default();
        Some(Admitted { name, role, by: By::TrustedProxy })
    }

    fn of_bearer(&self, headers: &HeaderMap) -> Result<Admitted, Problem> {
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
        let token = self.token(given).ok_or_else(|| unauthorized("the token is not a known one"))?;
        Ok(Admitted { name: token.name.clone(), role: token.role, by: By::Token })
    }

    /// The token with this secret.
    pub(crate) fn token(&self, given: &[u8]) -> Option<&Token> {
        // All of them are compared, so that the time says nothing of which was near.
        self.tokens.iter().fold(None, |found, token| {
            if is_same_secret(given, token.secret.as_bytes()) { Some(token) } else { found }
        })
    }
}

/// The value of a header that stands there once.
fn only<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    let mut values = headers.get_all(name).iter();
    match (values.next(), values.next()) {
        (Some(value), None) => value.to_str().ok().map(str::trim),
        _ => None,
    }
}

/// A name of somebody as it may stand in the audit log.
pub(crate) fn printable(name: &str) -> Option<String> {
    let name: String = name.trim().chars().filter(|c| !c.is_control()).take(ACTOR_CHARS_MAX).collect();
    (!name.is_empty()).then_some(name)
}

/// The secret stays out of logs.
impl std::fmt::Debug for Token {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Token").field("name", &self.name).field("role", &self.role).finish_non_exhaustive()
    }
}

/// A page that a browser was lured to can have a name of its own resolve to loopback (DNS rebinding). What it
/// cannot do is send another Host than that name.
fn check_host(uri: &Uri, headers: &HeaderMap, named: &[String]) -> Result<(), Problem> {
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
                || named.iter().any(|known| known.eq_ignore_ascii_case(host))
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
    printable(claimed).unwrap_or_else(|| "unnamed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(tokens: &[(&str, &str)]) -> AdminConfig {
        let tokens = tokens.iter().map(|(name, secret)| Token {
            name: (*name).to_owned(),
            secret: (*secret).to_owned(),
            role: Role::Operator,
        });
        AdminConfig {
            address: AdminConfig::DEFAULT_ADDRESS,
            tokens: tokens.collect(),
            trusted: None,
            limits: AdminLimits::default(),
        }
    }

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(http::HeaderName::from_bytes(name.as_bytes()).unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn admit(config: &AdminConfig, pairs: &[(&str, &str)]) -> Result<String, Code> {
        let uri = Uri::from_static("/api/v1/status");
        let admitted = config.admit(&Method::GET, &uri, &headers(pairs), None);
        admitted.map(|admitted| admitted.name).map_err(|problem| problem.code)
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

    #[test]
    fn a_role_may_do_what_those_before_it_may_and_no_more() {
        let mut closed = config(&[("vera", "0123456789abcdef")]);
        let mut ask = |role, method: Method, path: &str| {
            closed.tokens[0].role = role;
            let headers = headers(&[("host", "localhost"), ("authorization", "Bearer 0123456789abcdef")]);
            closed
                .admit(&method, &path.parse().unwrap(), &headers, None)
                .map_err(|problem| problem.code)
                .map(drop)
        };
        for (path, least) in [
            ("/api/v1/flush", Role::Viewer),
            ("/api/v1/groups/v1-00/decide", Role::Reviewer),
            ("/api/v1/promote", Role::Operator),
            ("/api/v1/groupsx", Role::Operator),
            ("/api/v1/whatever-comes", Role::Operator),
        ] {
            for role in Role::ALL {
                let expected = if role >= least { Ok(()) } else { Err(Code::Forbidden) };
                assert_eq!(ask(role, Method::POST, path), expected, "{role:?} {path}");
                assert_eq!(ask(role, Method::GET, path), Ok(()), "{role:?} {path}");
            }
        }
    }

    #[test]
    fn only_a_trusted_peer_says_who_somebody_is() {
        let mut closed = config(&[]);
        closed.trusted = Some(TrustedProxy {
            peers: vec!["10.0.0.0/8".parse().unwrap()],
            user_header: HeaderName::from_static("x-user"),
            role_header: HeaderName::from_static("x-role"),
            hosts: vec!["review.example.com".to_owned()],
        });
        let ask = |peer: &str, pairs: &[(&str, &str)]| {
            let peer = Some(Peer(peer.parse().unwrap()));
            let headers = headers(&[&[("host", "review.example.com")], pairs].concat());
            closed.admit(&Method::GET, &Uri::from_static("/api/v1/status"), &headers, peer)
        };
        let ann = ask("10.1.2.3", &[("x-user", "ann"), ("x-role", "reviewer")]).unwrap();
        assert_eq!((ann.name.as_str(), ann.role, ann.by), ("ann", Role::Reviewer, By::TrustedProxy));
        assert_eq!(ask("10.1.2.3", &[("x-user", "ann"), ("x-role", "root")]).unwrap().role, Role::Viewer);
        for (peer, pairs) in [
            ("192.0.2.1", &[("x-user", "ann"), ("x-role", "operator")][..]),
            ("10.1.2.3", &[("x-role", "operator")]),
            ("10.1.2.3", &[("x-user", " ")]),
            ("10.1.2.3", &[("x-user", "ann"), ("x-user", "eve")]),
        ] {
            assert_eq!(ask(peer, pairs).unwrap_err().code, Code::Unauthorized, "{peer} {pairs:?}");
        }
    }
}
