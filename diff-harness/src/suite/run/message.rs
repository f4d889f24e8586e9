//! What one side is sent for a step: its templates, filled with that side's values.

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};

use super::client::Message;
use super::target::Target;
use crate::suite::template::{Position, Template};
use crate::suite::values::Values;
use crate::suite::{Body, Case, Persona, Step, Suite};

const AGENT: &str = concat!("strangler-suite/", env!("CARGO_PKG_VERSION"));

/// A request, with its path and query as the side's own base has them below it.
pub(super) struct Built {
    pub(super) message: Message,
    pub(super) path: String,
}

/// Fills a step for one side. Headers of the request win over those of the persona, and these over the suite's.
///
/// # Errors
///
/// Why it cannot be sent, in words for a person.
pub(super) fn build(
    suite: &Suite,
    persona: Option<&Persona>,
    case: &Case,
    step: &Step,
    values: &Values,
    target: &Target,
) -> Result<Built, String> {
    let path = path(step, values, target)?;
    let uri: Uri = format!("{}{path}", target.base()).parse().map_err(|_| {
        format!("the path `{path}` cannot be sent: it has characters that belong percent-encoded")
    })?;
    let mut headers = HeaderMap::new();
    headers.insert(HOST, value(&target.authority())?);
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.insert(ACCEPT, HeaderValue::from_static("*/*"));
    let body = match &step.body {
        Body::None => Bytes::new(),
        Body::Text { media_type, position, text } => {
            if !media_type.is_empty() {
                headers.insert(CONTENT_TYPE, value(media_type)?);
            }
            Bytes::from(fill(text, values, *position)?)
        }
    };
    let of_persona = persona.map(|persona| persona.headers.as_slice()).unwrap_or_default();
    for level in [suite.headers.as_slice(), of_persona, step.headers.as_slice()] {
        put(&mut headers, level, values)?;
    }
    let message = Message { method: step.method.clone(), target: uri, headers, body, timeout: case.timeout };
    Ok(Built { message, path })
}

fn path(step: &Step, values: &Values, target: &Target) -> Result<String, String> {
    let mut path = match step.path.only_variable() {
        None => fill(&step.path, values, Position::Segment)?,
        Some(_) => {
            let reference = fill(&step.path, values, Position::Plain)?;
            target.own_path(&reference).ok_or_else(|| format!("`{reference}` does not lead to {target}"))?
        }
    };
    for pair in &step.query {
        path.push(if path.contains('?') { '&' } else { '?' });
        path.push_str(&fill(pair, values, Position::Query)?);
    }
    Ok(path)
}

/// A header that a level names several times is sent several times, and replaces all that was there before.
fn put(headers: &mut HeaderMap, level: &[(HeaderName, Template)], values: &Values) -> Result<(), String> {
    for (at, (name, template)) in level.iter().enumerate() {
        let value = value(&fill(template, values, Position::Plain)?)?;
        if level[..at].iter().any(|(earlier, _)| earlier == name) {
            headers.append(name, value);
        } else {
            headers.insert(name, value);
        }
    }
    Ok(())
}

fn fill(template: &Template, values: &Values, position: Position) -> Result<String, String> {
    template.fill(values, position).map_err(|unbound| unbound.to_string())
}

fn value(text: &str) -> Result<HeaderValue, String> {
    HeaderValue::from_str(text)
        .map_err(|_| "a header's value has characters that a header cannot carry".to_owned())
}
