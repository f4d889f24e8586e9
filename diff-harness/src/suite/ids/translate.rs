//! The candidate's response in control's names.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_LOCATION, LINK, LOCATION};
use http::{HeaderMap, HeaderValue};

use super::align::{align, text};
use super::place::{self, Holds, holds};
use super::token::{formats_agree, is_distinctive, is_no_word, same_frame, tokens};
use super::{Meeting, Names, Violation};
use crate::decode::{codings, decode};
use crate::divergence::{JsonPath, Location, Segment};
use crate::exchange::{CapturedBody, Response};
use crate::json::{JsonType, NodeId, Tree, parse};
use crate::media::{Family, MediaType};
use crate::suite::Learn;

/// As in the comparison: what is nested deeper is not JSON to us.
const DEPTH_MAX: usize = 256;

/// What the answers are to.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The path template.
    pub endpoint: &'a str,
    pub is_safe: bool,
    /// Whether the two sides were asked for one thing under two names.
    pub by_name: bool,
}

/// The candidate's response as control would have named things.
#[derive(Clone, Debug)]
pub struct Translated {
    /// `None`: as it was.
    pub response: Option<Response>,
    /// Where pairs were met for the first time.
    pub learned: Vec<Location>,
    pub violations: Vec<Violation>,
}

impl Names {
    /// Puts the candidate's response into control's names, learning new pairs where that is asked for.
    pub fn translate(&mut self, asked: Asked<'_>, control: &Response, candidate: &Response) -> Translated {
        let learns = match self.learn {
            Learn::Captures => false,
            Learn::Writes => !asked.is_safe || asked.by_name,
            Learn::Everything => true,
        };
        if !learns && !self.differ && self.origins.is_none() {
            return Translated { response: None, learned: vec![], violations: vec![] };
        }
        let (mut headers, mut body, Walk { learned, mut violations, .. }) =
            Walk::over(self, asked, learns, control, candidate);
        if !learned.is_empty() {
            // A name may stand in a link before it stands where it is known for one.
            let again = Walk::over(self, asked, false, control, candidate);
            (headers, body, violations) = (again.0, again.1, again.2.violations);
        }
        if headers.is_none() && body.is_none() {
            return Translated { response: None, learned, violations };
        }
        let mut response =
            Response { headers: headers.unwrap_or_else(|| candidate.headers.clone()), ..candidate.clone() };
        if let Some(body) = body {
            response.body = CapturedBody::Whole(Bytes::from(body));
            // It was decoded, and has another length now.
            response.headers.remove(CONTENT_ENCODING);
            response.headers.remove(CONTENT_LENGTH);
        }
        Translated { response: Some(response), learned, violations }
    }
}

struct Walk<'n, 'a> {
    names: &'n mut Names,
    asked: Asked<'a>,
    learns: bool,
    /// Where the walk is.
    path: Vec<Segment>,
    edits: Vec<Edit>,
    learned: Vec<Location>,
    violations: Vec<Violation>,
}

/// Both bodies.
#[derive(Clone, Copy)]
struct Trees<'t> {
    control: &'t Tree<'t>,
    candidate: &'t Tree<'t>,
}

/// A part of the candidate's body, and what stands there in control's names.
type Edit = (Range<usize>, String);

impl<'n, 'a> Walk<'n, 'a> {
    /// Walks both responses; gives the candidate's headers and body where anything in them changes.
    fn over(
        names: &'n mut Names,
        asked: Asked<'a>,
        learns: bool,
        control: &Response,
        candidate: &Response,
    ) -> (Option<HeaderMap>, Option<Vec<u8>>, Self) {
        let mut walk = Walk {
            names,
            asked,
            learns,
            path: Vec::new(),
            edits: Vec::new(),
            learned: Vec::new(),
            violations: Vec::new(),
        };
        let headers = walk.headers(&control.headers, &candidate.headers);
        let body = walk.body(control, candidate);
        (headers, body, walk)
    }

    /// The candidate's headers, if anything in them changes.
    fn headers(&mut self, control: &HeaderMap, candidate: &HeaderMap) -> Option<HeaderMap> {
        let mut changed: Option<HeaderMap> = None;
        for name in [LOCATION, CONTENT_LOCATION, LINK] {
            let (left, right) = (control.get(&name), candidate.get(&name));
            let (Some(Ok(left)), Some(Ok(right))) =
                (left.map(HeaderValue::to_str), right.map(HeaderValue::to_str))
            else {
                continue;
            };
            let location = Location::Header { name: name.as_str().to_owned(), part: None };
            let Some(text) = self.link(left, right, &location) else { continue };
            if let Ok(value) = HeaderValue::from_str(&text) {
                changed.get_or_insert_with(|| candidate.clone()).insert(name, value);
            }
        }
        changed
    }

    /// The candidate's body, decoded, if anything in it changes.
    fn body(&mut self, control: &Response, candidate: &Response) -> Option<Vec<u8>> {
        let (CapturedBody::Whole(left_wire), CapturedBody::Whole(right_wire)) =
            (&control.body, &candidate.body)
        else {
            return None;
        };
        if left_wire.is_empty() || right_wire.is_empty() {
            return None;
        }
        let most = self.names.decoded_bytes_max;
        let left = plain(&control.headers, left_wire, most)?;
        let right = plain(&candidate.headers, right_wire, most)?;
        let family = |headers| MediaType::of(headers).map(|media| media.family());
        match (family(&control.headers), family(&candidate.headers)) {
            (Some(Family::Json), Some(Family::Json)) => {
                let (control, candidate) = (parse(&left, DEPTH_MAX).ok()?, parse(&right, DEPTH_MAX).ok()?);
                let trees = Trees { control: &control, candidate: &candidate };
                self.pair(trees, control.root(), candidate.root(), Holds::Other);
                splice(&right, std::mem::take(&mut self.edits))
            }
            (Some(Family::Text | Family::Form), Some(Family::Text | Family::Form)) => {
                let text = std::str::from_utf8(&right).ok()?;
                let named = self.free_text(text)?;
                Some(named.into_bytes())
            }
            _ => None,
        }
    }

    fn pair(&mut self, trees: Trees<'_>, a: NodeId, b: NodeId, held: Holds) {
        match (trees.control.json_type(a), trees.candidate.json_type(b)) {
            (JsonType::Object, JsonType::Object) => self.objects(trees, a, b, held),
            (JsonType::Array, JsonType::Array) => self.arrays(trees, a, b, held),
            (left, _) if !left.is_container() => self.scalar(trees, a, b, None, held),
            _ => {}
        }
    }

    fn objects(&mut self, trees: Trees<'_>, a: NodeId, b: NodeId, held: Holds) {
        let Trees { control, candidate } = trees;
        let right: Vec<NodeId> = candidate.children(b).collect();
        for (at, left) in control.children(a).enumerate() {
            let key = control.key(left);
            let beside = right.get(at).copied().filter(|node| candidate.key(*node) == key);
            let Some(node) = beside.or_else(|| candidate.member(b, key)) else { continue };
            self.path.push(Segment::Key(key.to_owned()));
            let own = holds(key);
            // What an object of links holds are links.
            let holds = if own == Holds::Other && held == Holds::Link { held } else { own };
            if control.json_type(left).is_container() {
                self.pair(trees, left, node, holds);
            } else {
                self.scalar(trees, left, node, kind(control, a), holds);
            }
            self.path.pop();
        }
    }

    fn arrays(&mut self, trees: Trees<'_>, a: NodeId, b: NodeId, held: Holds) {
        let left: Vec<NodeId> = trees.control.children(a).collect();
        let right: Vec<NodeId> = trees.candidate.children(b).collect();
        // What the elements' own names are names of.
        let mut own = self.path.clone();
        own.extend([Segment::Any, Segment::Key("id".to_owned())]);
        let space = place::space(&own, None, self.asked.endpoint);
        for (i, j) in align(self.names, &space, (trees.control, &left), (trees.candidate, &right)) {
            self.path.push(Segment::Index(i));
            self.pair(trees, left[i], right[j], held);
            self.path.pop();
        }
    }

    fn scalar(&mut self, trees: Trees<'_>, a: NodeId, b: NodeId, kind: Option<&str>, holds: Holds) {
        let Trees { control, candidate } = trees;
        let (left_type, right_type) = (control.json_type(a), candidate.json_type(b));
        let both = |wanted| left_type == wanted && right_type == wanted;
        if !both(JsonType::String) && !both(JsonType::Number) {
            return;
        }
        let (left, right) = (text(control, a), text(candidate, b));
        let location = Location::Json(JsonPath(self.path.clone()));
        let is_link = holds == Holds::Link || (left_type == JsonType::String && looks_like_link(left));
        let named = if holds == Holds::Id && !is_link {
            let space = place::space(&self.path, kind, self.asked.endpoint);
            self.name(&space, left, right, &location)
        } else if is_link {
            self.link(left, right, &location)
        } else if left != right && left_type == JsonType::String {
            self.free_text(right)
        } else {
            None
        };
        let Some(named) = named else { return };
        let start = candidate.offset(b);
        // What is the same text is written as control wrote it.
        let written = if named == left {
            control.raw(a).to_owned()
        } else if right_type == JsonType::String {
            serde_json::Value::from(named).to_string()
        } else {
            named
        };
        self.edits.push((start..start + candidate.raw(b).len(), written));
    }

    /// A member that is one name. Gives control's, where the candidate's is another for the same thing.
    fn name(&mut self, space: &str, left: &str, right: &str, location: &Location) -> Option<String> {
        let learns = self.learns && (left == right || formats_agree(left, right));
        self.token(space, left, right, learns, location).then(|| left.to_owned()).filter(|left| left != right)
    }

    /// A link, a path, a URN: names between separators.
    fn link(&mut self, left: &str, right: &str, location: &Location) -> Option<String> {
        let own = self.own_origin(right);
        let (left_tokens, right_tokens) = (tokens(left), tokens(&own));
        if !same_frame(left, &left_tokens, &own, &right_tokens) {
            return (own != right).then(|| own.into_owned());
        }
        let mut named = String::with_capacity(left.len());
        let (mut end, mut before) = (0, None);
        for (l, r) in left_tokens.into_iter().zip(right_tokens) {
            let (l, r_text) = (&left[l], &own[r.clone()]);
            named.push_str(&own[end..r.start]);
            let space = place::space_after(before);
            let is_new_name = l != r_text && is_no_word(l) && is_no_word(r_text) && formats_agree(l, r_text);
            let is_same = (l != r_text || is_no_word(l))
                && self.token(&space, l, r_text, self.learns && is_new_name, location);
            named.push_str(if is_same { l } else { r_text });
            (end, before) = (r.end, Some(l));
        }
        named.push_str(&own[end..]);
        (named != right).then_some(named)
    }

    /// Text in which only names are replaced that nobody else can have.
    fn free_text(&self, right: &str) -> Option<String> {
        let own = self.own_origin(right);
        let mut named = String::new();
        let mut end = 0;
        if self.names.differ {
            for at in tokens(&own) {
                let token = &own[at.clone()];
                let known = if is_distinctive(token) { self.names.ids.control_of("", token) } else { None };
                if let Some(control) = known {
                    named.push_str(&own[end..at.start]);
                    named.push_str(control);
                    end = at.end;
                }
            }
        }
        named.push_str(&own[end..]);
        (named != right).then_some(named)
    }

    /// Whether two names mean one thing; if they cannot, that is noted.
    fn token(&mut self, space: &str, left: &str, right: &str, learns: bool, location: &Location) -> bool {
        match self.names.meet(space, left, right, learns) {
            Meeting::Known => true,
            Meeting::Learned => {
                if left != right {
                    self.learned.push(location.clone());
                }
                true
            }
            Meeting::Violation { control_means: None, candidate_means: None } => false,
            Meeting::Violation { control_means, .. } => {
                self.violations.push(Violation {
                    location: location.clone(),
                    control: left.to_owned(),
                    candidate: right.to_owned(),
                    expected: control_means,
                });
                false
            }
        }
    }

    /// Each side's links lead to itself.
    fn own_origin<'t>(&self, text: &'t str) -> Cow<'t, str> {
        match &self.names.origins {
            Some((control, candidate)) if text.contains(candidate.as_str()) => {
                Cow::Owned(text.replace(candidate.as_str(), control))
            }
            _ => Cow::Borrowed(text),
        }
    }
}

/// What an object says it is.
fn kind<'t>(tree: &'t Tree<'_>, object: NodeId) -> Option<&'t str> {
    ["kind", "type", "_type", "object", "resource_type"]
        .into_iter()
        .find_map(|key| tree.member(object, key))
        .filter(|member| tree.json_type(*member) == JsonType::String)
        .map(|member| tree.string(member))
        .filter(|kind| !kind.is_empty())
}

fn looks_like_link(text: &str) -> bool {
    text.contains("://") || text.starts_with('/') || text.starts_with("urn:")
}

fn plain<'b>(headers: &HeaderMap, body: &'b [u8], most: usize) -> Option<Cow<'b, [u8]>> {
    decode(body, &codings(headers).ok()?, most).ok()
}

/// The body with its edits; everything else stays as it was, to the byte.
fn splice(body: &[u8], mut edits: Vec<Edit>) -> Option<Vec<u8>> {
    if edits.is_empty() {
        return None;
    }
    edits.sort_by_key(|(at, _)| at.start);
    let mut out = Vec::with_capacity(body.len());
    let mut end = 0;
    for (at, text) in edits {
        out.extend_from_slice(&body[end..at.start]);
        out.extend_from_slice(text.as_bytes());
        end = at.end;
    }
    out.extend_from_slice(&body[end..]);
    Some(out)
}

#[cfg(test)]
mod tests;
