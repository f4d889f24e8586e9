//! Path templates as real documents write them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use super::literal::{self, Byte};
use super::path_view::PathView;
use super::pattern::{Hole, Pattern};

/// A path template, such as `/repos/{owner}/{repo}/compare/{base}...{head}`.
///
/// - `{name}` stands for one or more characters of one segment; a segment may hold several, with literal text
///   around them.
/// - `{name*}` as the whole last segment stands for the rest of the path, one segment or more. `{*name}`,
///   `{+name}` and `{name+}`, as other tools write it, are read as the same.
/// - All else is literal. It is compared as [`PathView`] spells paths, so that `%7E` and `~` are the same; text
///   that may not stand in a path is percent-encoded as UTF-8.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Template {
    source: String,
    segments: Vec<Segment>,
}

/// What stands between two slashes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Segment {
    /// Normalised. Empty for the end of `/a/`, and nowhere else.
    Static(String),
    Mixed(Pattern),
    Parameter(String),
    CatchAll(String),
}

/// A text that is not a path template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{template}` is not a path template: {problem}")]
pub struct TemplateError {
    /// As it was written.
    pub template: String,
    pub problem: Problem,
}

/// What is wrong with it, and what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Problem {
    #[error("it must start with a slash")]
    NoLeadingSlash,
    #[error("it has {0} segments, more than the {max} that are read", max = Template::SEGMENTS_MAX)]
    TooManySegments(usize),
    #[error("it has {0} bytes, more than the {max} that are read", max = Template::BYTES_MAX)]
    TooLong(usize),
    #[error("the `{{` in segment `{0}` is never closed; write a parameter as `{{name}}`")]
    Unclosed(String),
    #[error("the `}}` in segment `{0}` closes nothing; write a parameter as `{{name}}`")]
    Unopened(String),
    #[error("a parameter in segment `{0}` has no name; write it as `{{name}}`")]
    Nameless(String),
    #[error("`{{{0}}}` has a pattern, which is not supported; write the bare name, `{{{1}}}`")]
    Constrained(String, String),
    #[error("`{{{0}}}` adds to the query or the fragment; leave it out, a template is the path alone")]
    Expansion(String),
    #[error(
        "`{{{0}}}` is more than one segment and must be the whole last segment; end the template there, or write `{{{1}}}`"
    )]
    CatchAllInside(String, String),
    #[error(
        "the {0} is no part of a template; leave it out, endpoints are told apart by method and path alone"
    )]
    BeyondPath(&'static str),
    #[error("it has an empty segment (`//`), which is never matched; write one slash")]
    EmptySegment,
    #[error("it has a dot segment (`{0}`), which is never matched; write the resolved path")]
    DotSegment(String),
    #[error(
        "the `%` in segment `{0}` is not followed by two hexadecimal digits; write a literal `%` as `%25`"
    )]
    InvalidPercent(String),
    #[error("segment `{0}` has a control character")]
    ControlCharacter(String),
    #[error("`{0}` is optional, which is not supported; declare one template with it and one without")]
    Optional(String),
}

impl Template {
    pub const BYTES_MAX: usize = 4096;
    pub const SEGMENTS_MAX: usize = 64;

    /// Reads a template with parameters in braces, as OpenAPI writes them.
    pub fn parse(text: &str) -> Result<Self, TemplateError> {
        Self::read(text).map_err(|problem| TemplateError { template: text.to_owned(), problem })
    }

    /// Reads a template as Express writes it: `:name`, `*name` (or a bare `*`) for the rest. Its own text has
    /// braces afterwards. Patterns and optional parts are refused.
    pub fn parse_express(text: &str) -> Result<Self, TemplateError> {
        express_to_braces(text)
            .and_then(|braces| Self::read(&braces))
            .map_err(|problem| TemplateError { template: text.to_owned(), problem })
    }

    /// As it was written, with braces.
    pub fn as_str(&self) -> &str {
        &self.source
    }

    /// The names of the parameters, from left to right. A name may come twice.
    pub fn parameters(&self) -> impl Iterator<Item = &str> {
        self.segments.iter().flat_map(Segment::names)
    }

    /// Whether the path is one of those that this template stands for, the slash at the end included.
    pub fn matches(&self, path: &PathView<'_>) -> bool {
        if !path.is_matchable() {
            return false;
        }
        let mut rest = Some(&path.as_str()[1..]);
        for segment in &self.segments {
            let Some(text) = rest else { return false };
            if let Segment::CatchAll(_) = segment {
                return !text.is_empty();
            }
            let (head, tail) = text.split_once('/').map_or((text, None), |(head, tail)| (head, Some(tail)));
            if !segment.matches(head) {
                return false;
            }
            rest = tail;
        }
        rest.is_none()
    }

    /// Whether both match the same paths: all but the names of parameters is equal.
    pub fn is_same_set(&self, other: &Self) -> bool {
        self.by_precedence(other).is_eq()
    }

    /// Its text with the names left out: equal for the templates that match the same paths.
    pub fn shape(&self) -> String {
        self.segments.iter().map(|segment| format!("/{}", segment.shape())).collect()
    }

    /// Which of two templates gets a path that both match: the lesser one, decided at the first segment that
    /// differs. [`Ordering::Equal`] when they match the same paths.
    pub fn by_precedence(&self, other: &Self) -> Ordering {
        let differing = self.segments.iter().zip(&other.segments).map(|(a, b)| a.by_precedence(b));
        differing
            .into_iter()
            .find(|order| order.is_ne())
            .unwrap_or_else(|| self.segments.len().cmp(&other.segments.len()))
    }

    pub(super) fn segments(&self) -> &[Segment] {
        &self.segments
    }

    fn read(text: &str) -> Result<Self, Problem> {
        if text.len() > Self::BYTES_MAX {
            return Err(Problem::TooLong(text.len()));
        }
        let path = text.strip_prefix('/').ok_or(Problem::NoLeadingSlash)?;
        let texts = split(path);
        if texts.len() > Self::SEGMENTS_MAX {
            return Err(Problem::TooManySegments(texts.len()));
        }
        let last = texts.len() - 1;
        let segments = texts
            .iter()
            .enumerate()
            .map(|(at, text)| Segment::read(text, at == last))
            .collect::<Result<_, _>>()?;
        Ok(Self { source: text.to_owned(), segments })
    }
}

impl fmt::Display for Template {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.source)
    }
}

impl FromStr for Template {
    type Err = TemplateError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Segment {
    pub(super) fn matches(&self, text: &str) -> bool {
        match self {
            Self::Static(literal) => literal == text,
            Self::Mixed(pattern) => pattern.matches(text),
            Self::Parameter(_) | Self::CatchAll(_) => !text.is_empty(),
        }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        let (one, many) = match self {
            Self::Static(_) => (None, None),
            Self::Parameter(name) | Self::CatchAll(name) => (Some(name.as_str()), None),
            Self::Mixed(pattern) => (None, Some(pattern.names())),
        };
        one.into_iter().chain(many.into_iter().flatten())
    }

    fn shape(&self) -> String {
        match self {
            // Normalised text has no braces, so that no literal looks like a parameter.
            Self::Static(literal) => literal.clone(),
            Self::Mixed(pattern) => pattern.shape(),
            Self::Parameter(_) => "{}".to_owned(),
            Self::CatchAll(_) => "{*}".to_owned(),
        }
    }

    fn by_precedence(&self, other: &Self) -> Ordering {
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

    fn read(text: &str, last: bool) -> Result<Self, Problem> {
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

/// Splits at the slashes outside of braces. Always at least one.
fn split(path: &str) -> Vec<&str> {
    let mut inside = false;
    path.split(|c| {
        match c {
            '{' => inside = true,
            '}' => inside = false,
            _ => {}
        }
        c == '/' && !inside
    })
    .collect()
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

/// Rewrites `:name` and `*name` to braces.
fn express_to_braces(text: &str) -> Result<String, Problem> {
    let is_name = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
    let mut braces = String::with_capacity(text.len() + 8);
    let mut rest = text;
    while let Some(at) = rest.find([':', '*', '{', '(', '\\']) {
        let (before, marked) = rest.split_at(at);
        let (mark, after) = marked.split_at(1);
        let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
        let (name, after) = after.split_at(end);
        braces.push_str(before);
        match mark {
            ":" | "*" if after.starts_with('?') => return Err(Problem::Optional(format!("{mark}{name}?"))),
            ":" if after.starts_with('(') => {
                return Err(Problem::Constrained(format!(":{name}{after}"), name.to_owned()));
            }
            ":" if name.is_empty() => return Err(Problem::Nameless(marked.to_owned())),
            ":" if after.starts_with(['*', '+']) => {
                braces.push_str(&format!("{{{name}*}}"));
                rest = &after[1..];
                continue;
            }
            ":" => braces.push_str(&format!("{{{name}}}")),
            "*" if name.is_empty() => braces.push_str("{rest*}"),
            "*" => braces.push_str(&format!("{{{name}*}}")),
            "{" => return Err(Problem::Optional(marked.to_owned())),
            _ => return Err(Problem::Constrained(marked.to_owned(), "name".to_owned())),
        }
        rest = after;
    }
    braces.push_str(rest);
    Ok(braces)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::PathPolicy;

    fn template(text: &str) -> Template {
        Template::parse(text).unwrap_or_else(|error| panic!("{error}"))
    }

    fn view(path: &str) -> PathView<'_> {
        PathView::of(path, &PathPolicy::default()).unwrap()
    }

    #[test]
    fn templates_of_real_documents_match_what_they_mean() {
        for (text, fitting, other) in [
            ("/", &["/", "/?a"][..], &["/a"][..]),
            ("/a/", &["/a/"], &["/a", "/a/b"]),
            ("/users/{id}", &["/users/1", "/users/a%20b"], &["/users/", "/users", "/users/1/", "/users/1/2"]),
            (
                "/repos/{owner}/compare/{base}...{head}",
                &["/repos/o/compare/a...b", "/repos/o/compare/a....b", "/repos/o/compare/a...b...c"],
                &["/repos/o/compare/a..b", "/repos/o/compare/...b", "/repos/o/compare/a..."],
            ),
            ("/x/{id}@{time}", &["/x/1@2", "/x/@@2", "/x/1@2@3"], &["/x/@2", "/x/1@", "/x/1%402"]),
            (
                "/f/thumbnail.{extension}",
                &["/f/thumbnail.png", "/f/thumbnail.a.b"],
                &["/f/thumbnail.", "/f/thumb"],
            ),
            ("/f/{name}.json", &["/f/a.json", "/f/.json.json"], &["/f/.json", "/f/a.jsonx"]),
            ("/f/{a}{b}", &["/f/ab", "/f/abc", "/f/%20%20"], &["/f/a", "/f/%20"]),
            ("/f/{a}2{b}", &["/f/x2y", "/f/%202%20"], &["/f/x%20y", "/f/2y", "/f/x2"]),
            ("/f/{a}0", &["/f/a0", "/f/%200"], &["/f/a%20", "/f/0"]),
            ("/@{handle}", &["/@me"], &["/@", "/me", "/%40me"]),
            ("/files/{path*}", &["/files/a", "/files/a/b", "/files/a/"], &["/files", "/files/"]),
            ("/{all*}", &["/a", "/a/b/c"], &["/"]),
            ("/my%20files/%7E/%c3%a9", &["/my%20files/~/%C3%A9"], &["/my+files/~/%C3%A9"]),
            ("/my files/\u{e9}", &["/my%20files/%c3%A9"], &["/my+files/%C3%A9"]),
            ("/v1/{name}:cancel", &["/v1/a:cancel", "/v1/a:b:cancel"], &["/v1/:cancel", "/v1/a:cancels"]),
        ] {
            let template = template(text);
            for path in fitting {
                assert!(template.matches(&view(path)), "{text} does not match {path}");
            }
            for path in other {
                assert!(!template.matches(&view(path)), "{text} matches {path}");
            }
        }
    }

    #[test]
    fn the_forms_of_a_catch_all_are_one() {
        for text in ["/a/{p*}", "/a/{*p}", "/a/{+p}", "/a/{p+}"] {
            assert!(template(text).is_same_set(&template("/a/{other*}")), "{text}");
            assert_eq!(template(text).parameters().collect::<Vec<_>>(), ["p"]);
        }
    }

    #[test]
    fn names_do_not_tell_templates_apart_but_literals_do() {
        assert!(template("/a/{x}/{y}.{z}").is_same_set(&template("/a/{id}/{name}.{ext}")));
        assert!(template("/%61").is_same_set(&template("/a")));
        for other in ["/a/{x}/{y}..{z}", "/a/{x}/{y}", "/a/{x}", "/a/{x}/{y}.{z}/", "/a/{x}/{y*}"] {
            assert!(!template("/a/{x}/{y}.{z}").is_same_set(&template(other)), "{other}");
        }
    }

    #[test]
    fn parameters_come_from_left_to_right() {
        let names: Vec<_> = template("/a/{x}/{y}.{z}/{rest*}").parameters().map(str::to_owned).collect();
        assert_eq!(names, ["x", "y", "z", "rest"]);
    }

    #[test]
    fn what_is_not_a_template_is_refused_in_words() {
        for (text, words) in [
            ("", "must start with a slash"),
            ("users/{id}", "must start with a slash"),
            ("/users/{id", "never closed"),
            ("/users/{a{b}}", "never closed"),
            ("/users/id}", "closes nothing"),
            ("/users/{}", "no name"),
            ("/users/{*}", "no name"),
            ("/users/{id:[0-9]+}", "write the bare name, `{id}`"),
            ("/users/{id:a/b}", "write the bare name, `{id}`"),
            ("/users{?page,limit}", "adds to the query"),
            ("/{path*}/info", "must be the whole last segment"),
            ("/x{path*}", "must be the whole last segment"),
            ("/a?b=c", "query is no part"),
            ("/a#b", "fragment is no part"),
            ("/a//b", "empty segment"),
            ("//", "empty segment"),
            ("/a/../b", "dot segment"),
            ("/a/%2e", "dot segment"),
            ("/100%", "hexadecimal"),
            ("/a%00", "control character"),
            ("/a\tb", "control character"),
        ] {
            let error = Template::parse(text).expect_err(text).to_string();
            assert!(error.contains(words) && error.contains(text), "{text}: {error}");
        }
        let long = format!("/{}", "a".repeat(Template::BYTES_MAX));
        assert_eq!(Template::parse(&long).unwrap_err().problem, Problem::TooLong(long.len()));
        let deep = "/a".repeat(Template::SEGMENTS_MAX + 1);
        assert!(matches!(Template::parse(&deep).unwrap_err().problem, Problem::TooManySegments(_)));
    }

    #[test]
    fn express_style_becomes_braces() {
        for (text, expected) in [
            ("/users/:id", "/users/{id}"),
            ("/flights/:from-:to", "/flights/{from}-{to}"),
            ("/files/:name.:ext", "/files/{name}.{ext}"),
            ("/files/*", "/files/{rest*}"),
            ("/files/*path", "/files/{path*}"),
            ("/files/:path*", "/files/{path*}"),
            ("/files/:path+", "/files/{path*}"),
            ("/a", "/a"),
        ] {
            let template = Template::parse_express(text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(template.as_str(), expected);
        }
        for (text, words) in [
            ("/users/:id?", "optional"),
            ("/users{/:id}", "optional"),
            ("/users/:id(\\d+)", "pattern"),
            ("/users/:", "no name"),
            ("/a/*/b", "whole last segment"),
            ("/a(b)?", "pattern"),
        ] {
            let error = Template::parse_express(text).expect_err(text).to_string();
            assert!(error.contains(words) && error.contains(text), "{text}: {error}");
        }
    }
}
