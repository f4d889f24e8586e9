//! What stands between two slashes of a template.

use std::cmp::Ordering;

use super::Problem;
use crate::routes::literal::{self, Byte};
use crate::routes::pattern::{Hole, Pattern};

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(in crate::routes) enum Segment {
    /// Normalised. Empty for the end of `/a/`, and nowhere else.
    Static(String),
    Mixed(Pattern),
    Parameter(String),
    CatchAll(String),
}

impl Segment {
    pub(in crate::routes) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Static(literal) => literal == text,
            Self::Mixed(pattern) => pattern.matches(text),
            Self::Parameter(_) | Self::CatchAll(_) => !text.is_empty(),
        }
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::Static(_) => (None, None),
            Self::Parameter(name) | Self::CatchAll(name) => (Some(name.as_str()), None),
            Self::Mixed(pattern) => (None, Some(pattern.names())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    pub(super) fn shape(&self) -> String {
        match self {
            // Normalised text has no braces, so that no literal looks like a parameter.
            Self::Static(literal) => literal.clone(),
            Self::Mixed(pattern) => pattern.shape(),
            Self::Parameter(_) => "{}".to_owned(),
            Self::CatchAll(_) => "{*}".to_owned(),
        }
    }

    pub(super) fn by_precedence(&self, other: &Self) -> Ordering {
        let rank = |segment: &Self| match segment {
            Self::Static(_) => 0,
            Self::Mixed(_) => 1,
            Self::Parameter(_) => 2,
            Self::CatchAll(_) => 3,
        };
        match (self, other) {
            (Self::Static(a), Self::Static(b)) => a.cmp(b),
            (Self::Mixed(a), Self::Mixed(b)) => a.by_precedence(b),
            _ => rank(self).cmp(&rank(other)),
        }
    }

    pub(super) fn read(text: &str, last: bool) -> Result<Self, Problem> {
        if text.is_empty() {
            return if last { Ok(Self::Static(String::new())) } else { Err(Problem::EmptySegment) };
        }
        let mut pattern = Pattern { prefix: String::new(), holes: Vec::new() };
        let mut rest = text;
        loop {
            let (text_before, after) = match rest.split_once('{') {
                Some((before, after)) => (before, Some(after)),
                None => (rest, None),
            };
            let literal = read_literal(text_before, text)?;
            match pattern.holes.last_mut() {
                Some(hole) => hole.then = literal,
                None => pattern.prefix = literal,
            }
            let Some(after) = after else { break };
            let (inside, after) = after.split_once('}').ok_or_else(|| Problem::Unclosed(text.to_owned()))?;
            match read_parameter(inside, text)? {
                Named::One(name) => pattern.holes.push(Hole { name, then: String::new() }),
                Named::Rest(name) if last && text.len() == inside.len() + 2 => {
                    return Ok(Self::CatchAll(name));
                }
                Named::Rest(name) => return Err(Problem::CatchAllInside(inside.to_owned(), name)),
            }
            rest = after;
        }
        if pattern.holes.is_empty() {
            return match pattern.prefix.as_str() {
                "." | ".." => Err(Problem::DotSegment(text.to_owned())),
                _ => Ok(Self::Static(pattern.prefix)),
            };
        }
        match pattern.holes.as_slice() {
            [Hole { name, then }] if then.is_empty() && pattern.prefix.is_empty() => {
                Ok(Self::Parameter(name.clone()))
            }
            _ => Ok(Self::Mixed(pattern)),
        }
    }
}

fn read_literal(text: &str, segment: &str) -> Result<String, Problem> {
    for (at, byte) in text.bytes().enumerate() {
        let whole = || segment.to_owned();
        match literal::byte(byte) {
            Byte::Percent => match literal::decoded(&text.as_bytes()[at..]) {
                Some(plain) if plain != 0 => {}
                Some(_) => return Err(Problem::ControlCharacter(whole())),
                None => return Err(Problem::InvalidPercent(whole())),
            },
            // A space is written in documents, and stands for its encoding.
            Byte::Control if byte != b' ' => return Err(Problem::ControlCharacter(whole())),
            Byte::Foreign if byte == b'}' => return Err(Problem::Unopened(whole())),
            Byte::Foreign if byte == b'?' => return Err(Problem::BeyondPath("query")),
            Byte::Foreign if byte == b'#' => return Err(Problem::BeyondPath("fragment")),
            _ => {}
        }
    }
    Ok(literal::normalise(text).into_owned())
}

/// How much a parameter stands for.
enum Named {
    One(String),
    Rest(String),
}

fn read_parameter(inside: &str, segment: &str) -> Result<Named, Problem> {
    if inside.contains(['{', '\n', '\r']) {
        return Err(Problem::Unclosed(segment.to_owned()));
    }
    if inside.starts_with(['?', '&', '#']) {
        return Err(Problem::Expansion(inside.to_owned()));
    }
    let bare = inside.trim_matches(['*', '+']);
    let (name, constraint) = bare.split_once(':').map_or((bare, None), |(name, rest)| (name, Some(rest)));
    let name = name.trim();
    if name.is_empty() {
        return Err(Problem::Nameless(segment.to_owned()));
    }
    if constraint.is_some() || name.contains('/') {
        let name = name.split('/').next().unwrap_or(name);
        return Err(Problem::Constrained(inside.to_owned(), name.to_owned()));
    }
    Ok(if bare.len() == inside.len() { Named::One(name.to_owned()) } else { Named::Rest(name.to_owned()) })
}
