//! Speaks to a running proxy by its admin API.

use std::time::Duration;

use http::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use http::{Method, Request, Uri};
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use strangler_proxy::admin::wire::{Code, Envelope, Problem};
use tokio::net::TcpStream;

use crate::exit::{Exit, Failure};

/// Names the person at the command line to a proxy that asks for no token.
const ACTOR_HEADER: &str = "strangler-actor";
const CONNECT_DEADLINE: Duration = Duration::from_secs(5);
/// A gate may have to wait for the store; no command waits for ever.
const ANSWER_DEADLINE: Duration = Duration::from_secs(60);
/// A report of a large estate fits; an endless answer does not.
const ANSWER_BYTES_MAX: usize = 256 << 20;

/// Where the admin API is, and who asks.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    /// `http://host:port`, without a path.
    authority: String,
    token: Option<String>,
    actor: String,
}

impl Admin {
    /// `url` is what the person gave: `http://127.0.0.1:9600`, or just `127.0.0.1:9600`.
    pub(crate) fn new(url: &str, token: Option<String>) -> Result<Self, Failure> {
        let wrong = |why: &str| {
            Failure::usage(format!("`{url}` is not the address of an admin API: {why}"))
                .hint("give it as --admin http://127.0.0.1:9600 or in STRANGLER_ADMIN")
        };
        let full = if url.contains("://") { url.to_owned() } else { format!("http://{url}") };
        let uri: Uri = full.parse().map_err(|_| wrong("it is not a URL"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("only http:// is spoken"));
        }
        if uri.path().len() > 1 || uri.query().is_some() {
            return Err(wrong("it has a path, and only host and port are wanted"));
        }
        let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
        if authority.as_str().contains('@') {
            return Err(wrong("a user name has no place in it; a token is given with --token"));
        }
        let port = authority.port_u16().unwrap_or(80);
        let authority = format!("{}:{port}", authority.host());
        let actor = std::env::var("USER").or_else(|_| std::env::var("LOGNAME")).unwrap_or_default();
        Ok(Self { authority, token, actor })
    }

    /// Names somebody else than the person at the command line in the audit log.
    pub(crate) fn acting_as(self, actor: &str) -> Self {
        Self { actor: actor.to_owned(), ..self }
    }

    /// Who asks, where no token says so; may be empty.
    pub(crate) fn actor(&self) -> &str {
        &self.actor
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, path: &str, query: &[(&str, &str)]) -> Result<T, Failure> {
        self.ask(Method::GET, &with_query(path, query), Bytes::new())
    }

    pub(crate) fn post<T: DeserializeOwned>(&self, path: &str, body: &impl Serialize) -> Result<T, Failure> {
        let body = serde_json::to_vec(body).expect("wire types have string keys and finite numbers");
        self.ask(Method::POST, path, body.into())
    }

    fn ask<T: DeserializeOwned>(&self, method: Method, target: &str, body: Bytes) -> Result<T, Failure> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::error(format!("cannot start: {error}")))?;
        let bytes = runtime.block_on(async {
            tokio::time::timeout(ANSWER_DEADLINE, self.exchange(method, target, body)).await.unwrap_or_else(
                |_| Err(Failure::error(format!("{} did not answer within a minute", self.authority))),
            )
        })?;
        let envelope: Envelope<serde_json::Value> = serde_json::from_slice(&bytes).map_err(|_| {
            Failure::error(format!("what answers at {} is not Strangler's admin API", self.authority))
                .hint("the proxy's own address is not its admin address; see `strangler serve`'s first lines")
        })?;
        match envelope.error {
            Some(problem) => Err(failure(problem, envelope.data)),
            None => serde_json::from_value(envelope.data.unwrap_or_default()).map_err(|error| {
                Failure::error(format!(
                    "{} answered in a form that is not known here: {error}",
                    self.authority
                ))
                .hint("command line and proxy should be of one version")
            }),
        }
    }

    async fn exchange(&self, method: Method, target: &str, body: Bytes) -> Result<Bytes, Failure> {
        let unreachable = |why: &dyn std::fmt::Display| {
            Failure::new(
                Exit::Error,
                "unreachable",
                format!("no proxy answers at {} ({why})", self.authority),
            )
            .hint("start one with `strangler serve`, or say where it is with --admin or STRANGLER_ADMIN")
        };
        let stream = tokio::time::timeout(CONNECT_DEADLINE, TcpStream::connect(self.authority.as_str()))
            .await
            .map_err(|_| unreachable(&"no connection within 5 seconds"))?
            .map_err(|error| unreachable(&error))?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(&error))?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method)
            .uri(target)
            .header(HOST, self.authority.as_str())
            .header(CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            request = request.header(AUTHORIZATION, format!("Bearer {token}"));
        }
        if !self.actor.is_empty() {
            request = request.header(ACTOR_HEADER, self.actor.as_str());
        }
        let request = request
            .body(Full::new(body))
            .map_err(|_| Failure::usage("the token has characters that cannot be sent in a header"))?;
        let response = sender.send_request(request).await.map_err(|error| unreachable(&error))?;
        let body = Limited::new(response.into_body(), ANSWER_BYTES_MAX).collect().await.map_err(|error| {
            Failure::error(format!("the answer of {} broke off: {error}", self.authority))
        })?;
        Ok(body.to_bytes())
    }
}

/// What a problem on the other side means for the exit code.
fn failure(problem: Problem, data: Option<serde_json::Value>) -> Failure {
    let exit = match problem.code {
        Code::Conflict => Exit::Conflict,
        Code::GateInconclusive => Exit::Inconclusive,
        Code::NoReturn | Code::GateRefused | Code::Held | Code::Unforceable | Code::DecisionRefused => {
            Exit::Refused
        }
        Code::BadRequest | Code::NotAMove | Code::ReasonRequired | Code::UnknownEndpoint | Code::TooLarge => {
            Exit::Usage
        }
        Code::Unauthorized
        | Code::Forbidden
        | Code::WrongHost
        | Code::NotFound
        | Code::MethodNotAllowed
        | Code::StoreFailed
        | Code::Busy
        | Code::Internal => Exit::Error,
    };
    let code = serde_json::to_value(problem.code).ok().and_then(|code| code.as_str().map(str::to_owned));
    Failure {
        exit,
        code: code.unwrap_or_default(),
        message: problem.message,
        hint: problem.hint,
        data: data.map(Box::new),
    }
}

fn with_query(path: &str, query: &[(&str, &str)]) -> String {
    let mut target = path.to_owned();
    for (index, (name, value)) in query.iter().enumerate() {
        let value = percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC);
        target.push(if index == 0 { '?' } else { '&' });
        target.push_str(&format!("{name}={value}"));
    }
    target
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_admin_address_is_taken_with_and_without_its_scheme() {
        for url in ["127.0.0.1:9600", "http://127.0.0.1:9600", "http://127.0.0.1:9600/"] {
            assert_eq!(Admin::new(url, None).unwrap().authority, "127.0.0.1:9600");
        }
        assert_eq!(Admin::new("http://[::1]:9600", None).unwrap().authority, "[::1]:9600");
    }

    #[test]
    fn what_is_no_admin_address_is_a_usage_error() {
        for url in ["https://x:1", "http://x:1/api", "", "http://u:p@x:1", "http://x:1?a=b", "ftp://x"] {
            assert_eq!(Admin::new(url, None).unwrap_err().exit, Exit::Usage, "{url:?} was taken");
        }
    }

    #[test]
    fn a_query_value_is_encoded() {
        assert_eq!(
            with_query("/a", &[("endpoint", "GET /b/{id}?&")]),
            "/a?endpoint=GET%20%2Fb%2F%7Bid%7D%3F%26"
        );
    }
}
