//! Values taken from a side's own response.

use http::HeaderName;
use serde_json_path::JsonPath;
use serde_json_path::PathElement;

use crate::decode::{codings, decode};
use crate::divergence::{self, Location, Segment};
use crate::exchange::{CapturedBody, Response};
use crate::json::{JsonType, NodeId, Tree, parse};
use crate::suite::ids::{Names, Violation};
use crate::suite::values::{Value, Values};
use crate::suite::{CaptureFrom, Step};

const DEPTH_MAX: usize = 100;

/// What a step took for the steps after it.
pub(super) struct Taken {
    pub(super) violations: Vec<Violation>,
    /// Where different names were bound to each other.
    pub(super) learned: Vec<Location>,
    /// Why the candidate has no value for a later step.
    pub(super) missing: Option<String>,
}

/// Takes the values that the step captures, from each side's own response.
pub(super) fn take(
    step: &Step,
    control: &Response,
    candidate: Option<&Response>,
    values: &mut (Values, Values),
    names: &mut Names,
) -> Result<Taken, String> {
    let mut taken = Taken { violations: Vec::new(), learned: Vec::new(), missing: None };
    for wanted in &step.capture {
        let (own, location) = capture(&wanted.from, control, names.decoded_bytes_max)
            .map_err(|why| format!("control's response {why}, for the variable `{}`", wanted.variable))?;
        let other = match candidate.map(|response| capture(&wanted.from, response, names.decoded_bytes_max)) {
            Some(Ok((value, _))) => value,
            Some(Err(why)) => {
                taken.missing =
                    Some(format!("the candidate's response {why}, for the variable `{}`", wanted.variable));
                continue;
            }
            None => {
                taken.missing = Some("the candidate gave no whole response".to_owned());
                continue;
            }
        };
        let endpoint = step.endpoint.template();
        // Links are taken apart where they stand; a path as a whole is no name.
        if !matches!(location, Location::Header { .. }) {
            match names.captured(endpoint, &location, own.as_text(), other.as_text()) {
                Ok(is_new) => taken.learned.extend(is_new.then_some(location)),
                Err(violation) => taken.violations.push(violation),
            }
        }
        values.0.insert(wanted.variable.clone(), own);
        values.1.insert(wanted.variable.clone(), other);
    }
    Ok(taken)
}

/// The value, and where it stood; or why there is none, as the end of a sentence about a response.
fn capture(from: &CaptureFrom, response: &Response, most: usize) -> Result<(Value, Location), String> {
    match from {
        CaptureFrom::Header(name) => header(name, response),
        CaptureFrom::Body(path) => json(path, response, most),
    }
}

fn header(name: &HeaderName, response: &Response) -> Result<(Value, Location), String> {
    let value = response.headers.get(name).ok_or_else(|| format!("has no header `{name}`"))?;
    let text = value.to_str().map_err(|_| format!("has a header `{name}` that is not text"))?;
    Ok((Value::text(text), Location::Header { name: name.as_str().to_owned(), part: None }))
}

fn json(path: &str, response: &Response, most: usize) -> Result<(Value, Location), String> {
    let CapturedBody::Whole(body) = &response.body else {
        return Err(format!("is too large to look for `{path}` in it"));
    };
    let no_json = || format!("is not JSON, so it has no `{path}`");
    let body =
        codings(&response.headers).and_then(|codings| decode(body, &codings, most)).map_err(|_| no_json())?;
    let value: serde_json::Value = serde_json::from_slice(&body).map_err(|_| no_json())?;
    let query = JsonPath::parse(path).expect("the loader has parsed it");
    let found = query.query_located(&value).all();
    let [found] = found.as_slice() else {
        let what = if found.is_empty() { "nothing" } else { "several values" };
        return Err(format!("has {what} at `{path}`"));
    };
    let segments: Vec<Segment> = found
        .location()
        .iter()
        .map(|element| match element {
            PathElement::Name(name) => Segment::Key((*name).to_owned()),
            PathElement::Index(index) => Segment::Index(*index),
        })
        .collect();
    // From the text itself, so that a number of any size stays as it is.
    let tree = parse(&body, DEPTH_MAX).map_err(|_| no_json())?;
    let node = walk(&tree, &segments).ok_or_else(no_json)?;
    let value = match tree.json_type(node) {
        JsonType::String => Value::text(tree.string(node)),
        JsonType::Array | JsonType::Object => return Err(format!("has no single value at `{path}`")),
        _ => Value::bare(tree.raw(node)),
    };
    Ok((value, Location::Json(divergence::JsonPath(segments))))
}

fn walk(tree: &Tree<'_>, segments: &[Segment]) -> Option<NodeId> {
    segments.iter().try_fold(tree.root(), |node, segment| match segment {
        // Of a key that stands twice serde_json takes the last.
        Segment::Key(key) => tree.children(node).filter(|child| tree.key(*child) == key).last(),
        Segment::Index(index) => tree.children(node).nth(*index),
        Segment::Any => None,
    })
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn captured(path: &str, body: &str) -> Result<String, String> {
        let body = CapturedBody::Whole(Bytes::from(body.to_owned()));
        let response = Response { status: StatusCode::OK, headers: HeaderMap::new(), body };
        capture(&CaptureFrom::Body(path.to_owned()), &response, 1 << 20)
            .map(|(value, at)| format!("{} {at}", value.as_json()))
    }

    #[test]
    fn a_value_is_taken_as_it_was_written() {
        let body = r#"{"id":123456789012345678901234567890,"a":[{"n":1.0},{"n":"x"}],"a b":true}"#;
        assert_eq!(captured("$.id", body).unwrap(), "123456789012345678901234567890 $.id");
        assert_eq!(captured("$.a[?@.n=='x'].n", body).unwrap(), "\"x\" $.a[1].n");
        assert_eq!(captured("$.a[0].n", body).unwrap(), "1.0 $.a[0].n");
        assert_eq!(captured("$['a b']", body).unwrap(), "true $['a b']");
    }

    #[test]
    fn what_is_not_one_value_is_said_so() {
        for (path, body, why) in [
            ("$.id", "{}", "has nothing at `$.id`"),
            ("$..n", r#"[{"n":1},{"n":2}]"#, "has several values at `$..n`"),
            ("$.a", r#"{"a":{}}"#, "has no single value at `$.a`"),
            ("$.a", "<html>", "is not JSON, so it has no `$.a`"),
        ] {
            assert_eq!(captured(path, body).unwrap_err(), why);
        }
    }
}
