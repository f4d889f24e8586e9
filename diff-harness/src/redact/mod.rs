//! Secrets are taken out before anything is stored. The comparison is made before that, on the real bytes.
//!
//! A secret becomes `<redacted:7f3a>`: a short hash under a key that lives as long as the process, so that a reader
//! sees whether two values were equal and cannot find out what they were.
//!
//! What was redacted in one place of an exchange is nowhere else in it: a server that echoes a token into its body
//! does not bring it back.

mod mask;
mod names;
mod pattern;
mod text;
mod json;
mod form;
mod head;
mod body;

use std::cell::RefCell;

use serde::Deserialize;

use crate::compare::Limits;
use crate::divergence::{Divergence, Location, Segment};
use crate::exchange::{Exchange, Observation, Outcome, Request, Response};
use crate::fingerprint::Fingerprint;
use crate::owned;

pub use mask::RedactionKey;
pub use pattern::{JsonPattern, JsonPatternError};

use mask::Mask;
use names::Names;

/// Proof that a value went through a redactor: nothing else makes one, and the store takes nothing else.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<T>(T);

impl<T> Redacted<T> {
    pub fn get(&self) -> &T {
        &self.0
    }

    pub fn into_inner(self) -> T {
        self.0
    }

    /// Takes back what was redacted before it was stored. For the stores of this crate only.
    pub(crate) fn stored(value: T) -> Self {
        Self(value)
    }
}

/// What is secret. Names are compared without regard to case, `-` and `_`: `access_token` covers `accessToken`.
///
/// `Cookie` and `Set-Cookie` values are always secret, but for the cookies named in `show_cookies`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RedactionConfig {
    /// Headers whose values are secret, on requests and responses.
    pub headers: Vec<String>,
    /// Cookies whose values may be stored.
    pub show_cookies: Vec<String>,
    /// Query parameters, and path parameters of a template.
    pub query: Vec<String>,
    /// Members of JSON objects, wherever they are.
    pub json_members: Vec<String>,
    /// Places in JSON bodies: `$.user.email`, `$.cards[*].number`, `$..ssn`.
    pub json_paths: Vec<String>,
    /// Fields of forms, urlencoded or multipart.
    pub form_fields: Vec<String>,
}

impl Default for RedactionConfig {
    fn default() -> Self {
        let own = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        let everywhere = own(names::EVERYWHERE);
        let with = |more: &[&str]| [everywhere.clone(), own(more)].concat();
        Self {
            headers: own(names::HEADERS),
            show_cookies: Vec::new(),
            query: with(names::QUERY),
            json_members: everywhere.clone(),
            json_paths: Vec::new(),
            form_fields: everywhere,
        }
    }
}

/// The only maker of [`Redacted`] values.
#[derive(Debug)]
pub struct Redactor {
    mask: Mask,
    headers: Names,
    shown_cookies: Vec<String>,
    query: Names,
    members: Names,
    paths: Vec<JsonPattern>,
    fields: Names,
    /// All names together: what is secret in text, where nothing tells a query from a header.
    text: Names,
    decoded_bytes_max: usize,
}

impl Redactor {
    /// Fails on a JSON path that cannot be read.
    pub fn new(config: &RedactionConfig, key: RedactionKey) -> Result<Self, JsonPatternError> {
        let headers = Names::of(&config.headers);
        // A server that echoes its request shows headers as members and fields.
        let members = Names::of(&config.json_members).and(&headers);
        let fields = Names::of(&config.form_fields).and(&members);
        let query = Names::of(&config.query);
        Ok(Self {
            mask: Mask::new(key),
            shown_cookies: config.show_cookies.clone(),
            paths: config.json_paths.iter().map(|path| path.parse()).collect::<Result<_, _>>()?,
            text: query.clone().and(&fields),
            headers,
            query,
            members,
            fields,
            decoded_bytes_max: Limits::DECODED_BYTES_MAX,
        })
    }

    /// A body that grows beyond this when it is decoded is withheld; it was not compared either.
    #[must_use]
    pub fn decoding_up_to(self, bytes: usize) -> Self {
        Self { decoded_bytes_max: bytes, ..self }
    }

    /// Begins with one exchange: finds the secrets that its request and its response heads carry, so that they
    /// are recognised wherever they appear again.
    pub fn begin(&self, exchange: &Exchange) -> Redaction<'_> {
        let redaction = Redaction { rules: self, found: RefCell::default(), notes: RefCell::default() };
        redaction.request(exchange.request.clone(), exchange.endpoint.template());
        for observation in [&exchange.control, &exchange.candidate] {
            if let Outcome::Response(response) = &observation.outcome {
                redaction.headers(&mut response.headers.clone());
            }
        }
        redaction.notes.take();
        redaction
    }

    /// The path and query of a request that has no exchange, such as an example of undeclared traffic.
    pub fn target(&self, target: &str) -> Redacted<String> {
        let redaction = Redaction { rules: self, found: RefCell::default(), notes: RefCell::default() };
        Redacted(redaction.target(target, ""))
    }
}

/// The redaction of one exchange and of what was found in it.
#[derive(Debug)]
pub struct Redaction<'a> {
    rules: &'a Redactor,
    /// Secrets that were seen, longest first once sorted; looked for in everything that is kept.
    found: RefCell<Vec<String>>,
    notes: RefCell<Vec<String>>,
}

impl Redaction<'_> {
    /// The exchange without its secrets. Bodies are decoded for it; one that cannot be read is withheld: only its
    /// length and a keyed hash are left. The notes say so, and belong into the record of the comparison.
    pub fn exchange(&self, exchange: Exchange) -> (Redacted<Exchange>, Vec<String>) {
        let mut redacted = Exchange {
            request: self.request(exchange.request, exchange.endpoint.template()),
            control: self.observation(exchange.control, "control response"),
            candidate: self.observation(exchange.candidate, "candidate response"),
            id: exchange.id,
            at: exchange.at,
            endpoint: exchange.endpoint,
        };
        // The secrets go with the buffers that they came in.
        owned::headers(&mut redacted.request.headers);
        for observation in [&mut redacted.control, &mut redacted.candidate] {
            if let Outcome::Response(response) = &mut observation.outcome {
                owned::headers(&mut response.headers);
            }
        }
        (Redacted(redacted), self.notes.take())
    }

    /// The divergence without its secrets. Equal values stay visibly equal, different ones different.
    pub fn divergence(&self, divergence: &Divergence) -> Redacted<Divergence> {
        let clean =
            |value: &Option<String>| value.as_deref().map(|text| self.value(&divergence.location, text));
        Redacted(Divergence {
            control: clean(&divergence.control),
            candidate: clean(&divergence.candidate),
            ..divergence.clone()
        })
    }

    /// All divergences of a comparison, each with its fingerprint.
    pub fn divergences(
        &self,
        exchange: &Exchange,
        divergences: &[Divergence],
    ) -> Vec<(Fingerprint, Redacted<Divergence>)> {
        divergences
            .iter()
            .map(|divergence| (Fingerprint::of(&exchange.endpoint, divergence), self.divergence(divergence)))
            .collect()
    }

    fn value(&self, location: &Location, text: &str) -> String {
        match location {
            Location::Status | Location::Exchange => text.to_owned(),
            Location::Header { name, .. } => self.header_value(name, text),
            Location::Json(path) if self.is_secret_path(&path.0) => self.hide(text),
            Location::Json(path) => self.json_value(&path.0, text),
            Location::Field(name) if self.rules.fields.contains(name) => self.hide(text),
            Location::Field(_) | Location::Line(_) | Location::Body => self.text(text),
        }
    }

    /// Whether the place or one that holds it is secret.
    fn is_secret_path(&self, path: &[Segment]) -> bool {
        path.iter().any(|segment| matches!(segment, Segment::Key(key) if self.rules.members.contains(key)))
            || (1..=path.len())
                .any(|end| self.rules.paths.iter().any(|pattern| pattern.matches(&path[..end])))
    }

    fn request(&self, mut request: Request, template: &str) -> Request {
        request.target = self.target(&request.target, template);
        request.body = self.body(request.body, &mut request.headers, "request");
        self.headers(&mut request.headers);
        request
    }

    fn observation(&self, observation: Observation, whose: &str) -> Observation {
        let Outcome::Response(Response { status, mut headers, body }) = observation.outcome else {
            return observation;
        };
        let body = self.body(body, &mut headers, whose);
        self.headers(&mut headers);
        Observation { outcome: Outcome::Response(Response { status, headers, body }), ..observation }
    }

    /// Replaces a secret, and remembers it.
    fn hide(&self, secret: &str) -> String {
        // Shorter ones would be found by chance in what is no secret.
        const SHORTEST_TO_LOOK_FOR: usize = 8;
        let mut found = self.found.borrow_mut();
        let is_own_word = "<redacted:".contains(secret);
        if secret.len() >= SHORTEST_TO_LOOK_FOR && !is_own_word && !found.iter().any(|known| known == secret)
        {
            found.push(secret.to_owned());
            found.sort_by_key(|known| std::cmp::Reverse(known.len()));
        }
        self.rules.mask.of(secret.as_bytes())
    }

    fn note(&self, note: String) {
        self.notes.borrow_mut().push(note);
    }
}

#[cfg(test)]
mod tests;
