//! Path templates as real documents write them.

mod problem;
mod segment;
mod express;

pub use problem::{Problem, TemplateError};
pub(super) use segment::Segment;

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use self::express::express_to_braces;
use super::path_view::PathView;

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
