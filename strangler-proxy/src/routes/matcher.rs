//! From a method and a path to the endpoint.

use http::Method;

use super::path_view::PathView;
use super::pattern::Pattern;
use super::template::{Segment, Template};

/// Endpoints by method and path template, built once and then only read.
///
/// The more literal template wins, decided segment by segment from the left: static, then literal text with
/// parameters in it, then a plain parameter, then the rest of the path. A branch that leads nowhere is left
/// again, so that a match is found whenever one exists. The method takes part: where `GET /users/me` and
/// `DELETE /users/{id}` are declared, `DELETE /users/me` is the latter.
///
/// HEAD is the endpoint of GET (RFC 9110 §9.3.2) unless the template has a HEAD endpoint of its own. OPTIONS is
/// only what was declared.
///
/// A search visits each node of the tree at most once and allocates nothing.
#[derive(Clone, Debug)]
pub struct Matcher<T> {
    nodes: Vec<Node>,
    routes: Vec<(Template, T)>,
    policy: MatchPolicy,
}

/// How paths are matched where servers have habits of their own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MatchPolicy {
    pub trailing_slash: TrailingSlash,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TrailingSlash {
    /// `/a` and `/a/` are two paths.
    #[default]
    Exact,
    /// A path that matches nothing is tried again with the slash at its end taken away, or added.
    Ignore,
}

/// Two declarations that match exactly the same requests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tie {
    pub method: Method,
    /// The one that is matched: the first by the text of the template, then by place.
    pub winner: Template,
    /// The one that never is.
    pub loser: Template,
}

/// A place in the tree: everything that may follow after the same segments.
#[derive(Clone, Debug, Default)]
struct Node {
    /// Sorted by text.
    statics: Vec<(Box<str>, usize)>,
    /// The more literal first.
    mixed: Vec<(Pattern, usize)>,
    parameter: Option<usize>,
    catch_all: Methods,
    here: Methods,
}

/// The endpoints of one template, as places in `routes`.
type Methods = Vec<(Method, usize)>;

/// The part of a path that is not matched yet.
#[derive(Clone, Copy)]
struct Rest<'p> {
    /// `None` when the path is used up.
    text: Option<&'p str>,
    /// Whether a slash is to be read at the end that is not there.
    slash: bool,
}

impl<T> Matcher<T> {
    pub fn build(
        routes: impl IntoIterator<Item = (Method, Template, T)>,
        policy: MatchPolicy,
    ) -> (Self, Vec<Tie>) {
        let mut declared: Vec<_> = routes.into_iter().collect();
        declared.sort_by(|(_, a, _), (_, b, _)| a.as_str().cmp(b.as_str()));

        let mut matcher = Self { nodes: vec![Node::default()], routes: Vec::new(), policy };
        let mut ties = Vec::new();
        for (method, template, value) in declared {
            let place = matcher.routes.len();
            let methods = matcher.methods_of(&template);
            if let Some(&(_, winner)) = methods.iter().find(|(known, _)| *known == method) {
                let winner = matcher.routes[winner].0.clone();
                ties.push(Tie { method, winner, loser: template });
                continue;
            }
            methods.push((method, place));
            matcher.routes.push((template, value));
        }
        (matcher, ties)
    }

    pub fn find(&self, method: &Method, path: &PathView<'_>) -> Option<&T> {
        self.find_route(method, path).map(|(_, value)| value)
    }

    /// The template that matched, too.
    pub fn find_route(&self, method: &Method, path: &PathView<'_>) -> Option<(&Template, &T)> {
        if !path.is_matchable() {
            return None;
        }
        // Every view starts with a slash.
        let text = &path.as_str()[1..];
        let place = self.search(0, Rest { text: Some(text), slash: false }, method).or_else(|| {
            if self.policy.trailing_slash == TrailingSlash::Exact || text.is_empty() {
                return None;
            }
            let other = match text.strip_suffix('/') {
                Some(without) => Rest { text: Some(without), slash: false },
                None => Rest { text: Some(text), slash: true },
            };
            self.search(0, other, method)
        })?;
        let (template, value) = &self.routes[place];
        Some((template, value))
    }

    /// How many endpoints can be matched; the losers of ties are not among them.
    pub fn len(&self) -> usize {
        self.routes.len()
    }

    pub fn is_empty(&self) -> bool {
        self.routes.is_empty()
    }

    fn search(&self, node: usize, rest: Rest<'_>, method: &Method) -> Option<usize> {
        let node = &self.nodes[node];
        let Some((head, tail)) = rest.next() else { return of_method(&node.here, method) };
        let by_static = || {
            let at = node.statics.binary_search_by(|(text, _)| (**text).cmp(head)).ok()?;
            self.search(node.statics[at].1, tail, method)
        };
        let by_mixed = || {
            let fitting = node.mixed.iter().filter(|(pattern, _)| pattern.matches(head));
            fitting.into_iter().find_map(|&(_, next)| self.search(next, tail, method))
        };
        let by_parameter = || self.search(node.parameter.filter(|_| !head.is_empty())?, tail, method);
        let by_rest = || of_method(&node.catch_all, method).filter(|_| !head.is_empty());
        by_static().or_else(by_mixed).or_else(by_parameter).or_else(by_rest)
    }

    /// Where the endpoints of a template are kept, with the nodes on the way made where they are missing.
    fn methods_of(&mut self, template: &Template) -> &mut Methods {
        let mut at = 0;
        for segment in template.segments() {
            if let Segment::CatchAll(_) = segment {
                return &mut self.nodes[at].catch_all;
            }
            let next = self.nodes.len();
            let found = self.nodes[at].child(segment, next);
            if found == next {
                self.nodes.push(Node::default());
            }
            at = found;
        }
        &mut self.nodes[at].here
    }
}

impl Node {
    /// The node behind a segment, entered as `new` where there is none yet.
    fn child(&mut self, segment: &Segment, new: usize) -> usize {
        match segment {
            Segment::Static(literal) => {
                match self.statics.binary_search_by(|(text, _)| (**text).cmp(literal)) {
                    Ok(at) => self.statics[at].1,
                    Err(at) => {
                        self.statics.insert(at, (literal.as_str().into(), new));
                        new
                    }
                }
            }
            Segment::Mixed(pattern) => {
                match self.mixed.binary_search_by(|(known, _)| known.by_precedence(pattern)) {
                    Ok(at) => self.mixed[at].1,
                    Err(at) => {
                        self.mixed.insert(at, (pattern.clone(), new));
                        new
                    }
                }
            }
            Segment::Parameter(_) | Segment::CatchAll(_) => *self.parameter.get_or_insert(new),
        }
    }
}

impl<'p> Rest<'p> {
    /// The next segment, and what is behind it.
    fn next(self) -> Option<(&'p str, Self)> {
        match self.text {
            Some(text) => {
                let (head, tail) =
                    text.split_once('/').map_or((text, None), |(head, tail)| (head, Some(tail)));
                Some((head, Self { text: tail, slash: self.slash }))
            }
            None if self.slash => Some(("", Self { text: None, slash: false })),
            None => None,
        }
    }
}

fn of_method(methods: &[(Method, usize)], method: &Method) -> Option<usize> {
    let declared =
        |wanted: &Method| methods.iter().find(|(known, _)| known == wanted).map(|&(_, place)| place);
    declared(method).or_else(|| if *method == Method::HEAD { declared(&Method::GET) } else { None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::PathPolicy;

    fn matcher(
        endpoints: &[&'static str],
        trailing_slash: TrailingSlash,
    ) -> (Matcher<&'static str>, Vec<Tie>) {
        let routes = endpoints.iter().map(|text| {
            let (method, template) = text.split_once(' ').unwrap();
            (method.parse().unwrap(), Template::parse(template).unwrap(), *text)
        });
        Matcher::build(routes, MatchPolicy { trailing_slash })
    }

    fn check(matcher: &Matcher<&'static str>, request: &str, expected: Option<&str>) {
        let (method, path) = request.split_once(' ').unwrap();
        let path = PathView::of(path, &PathPolicy::default()).unwrap();
        assert_eq!(matcher.find(&method.parse().unwrap(), &path).copied(), expected, "{request}");
    }

    #[test]
    fn the_more_literal_wins() {
        let (matcher, ties) = matcher(
            &[
                "GET /users/{id}",
                "GET /users/me",
                "GET /users/{id}.json",
                "GET /users/{id}.{format}",
                "GET /users/{rest*}",
                "GET /a/{x}/c",
                "GET /a/b/{y}",
                "GET /a/{x}/{y}/z",
                "GET /s/{x}s",
                "GET /s/{x}{y}s",
            ],
            TrailingSlash::Exact,
        );
        assert!(ties.is_empty(), "{ties:?}");
        check(&matcher, "GET /users/me", Some("GET /users/me"));
        check(&matcher, "GET /users/1", Some("GET /users/{id}"));
        check(&matcher, "GET /users/1.json", Some("GET /users/{id}.json"));
        check(&matcher, "GET /users/1.xml", Some("GET /users/{id}.{format}"));
        check(&matcher, "GET /users/.json", Some("GET /users/{id}"));
        check(&matcher, "GET /users/1/2", Some("GET /users/{rest*}"));
        check(&matcher, "GET /users/1/", Some("GET /users/{rest*}"));
        check(&matcher, "GET /users/", None);
        // What fits the narrower pattern fits the wider one too, so the narrower comes first.
        check(&matcher, "GET /s/123s", Some("GET /s/{x}{y}s"));
        check(&matcher, "GET /s/1s", Some("GET /s/{x}s"));
        check(&matcher, "GET /a/b/c", Some("GET /a/b/{y}"));
        check(&matcher, "GET /a/x/c", Some("GET /a/{x}/c"));
        // The static branch leads nowhere here and is left again.
        check(&matcher, "GET /a/b/c/z", Some("GET /a/{x}/{y}/z"));
        check(&matcher, "GET /a/b/c/y", None);
    }

    #[test]
    fn the_method_takes_part_in_the_search() {
        let (matcher, _) =
            matcher(&["GET /users/me", "DELETE /users/{id}", "OPTIONS /users/{id}"], TrailingSlash::Exact);
        check(&matcher, "DELETE /users/me", Some("DELETE /users/{id}"));
        check(&matcher, "OPTIONS /users/me", Some("OPTIONS /users/{id}"));
        check(&matcher, "POST /users/me", None);
    }

    #[test]
    fn head_is_the_endpoint_of_get_unless_it_has_its_own() {
        let (matcher, _) = matcher(&["GET /a", "GET /b", "HEAD /b", "HEAD /{any}"], TrailingSlash::Exact);
        check(&matcher, "HEAD /a", Some("GET /a"));
        check(&matcher, "HEAD /b", Some("HEAD /b"));
        check(&matcher, "HEAD /c", Some("HEAD /{any}"));
        check(&matcher, "OPTIONS /a", None);
    }

    #[test]
    fn a_slash_at_the_end_counts_unless_it_is_ignored() {
        let endpoints = ["GET /a", "GET /b/", "GET /c", "GET /c/", "GET /d/{id}", "GET /"];
        let (exact, _) = matcher(&endpoints, TrailingSlash::Exact);
        let (ignored, _) = matcher(&endpoints, TrailingSlash::Ignore);
        for (request, when_exact, when_ignored) in [
            ("GET /a/", None, Some("GET /a")),
            ("GET /b", None, Some("GET /b/")),
            ("GET /c", Some("GET /c"), Some("GET /c")),
            ("GET /c/", Some("GET /c/"), Some("GET /c/")),
            ("GET /d/1/", None, Some("GET /d/{id}")),
            ("GET /d/", None, None),
            ("GET /", Some("GET /"), Some("GET /")),
        ] {
            check(&exact, request, when_exact);
            check(&ignored, request, when_ignored);
        }
    }

    #[test]
    fn true_ties_are_reported_and_settled_in_any_order_of_declaration() {
        let mut endpoints = [
            "GET /a/{x}",
            "GET /a/{id}",
            "GET /a/{name}",
            "POST /a/{id}",
            "GET /b/{x}.{y}",
            "GET /b/{v}.{w}",
        ];
        for _ in 0..2 {
            let (matcher, ties) = matcher(&endpoints, TrailingSlash::Exact);
            let ties: Vec<_> =
                ties.iter().map(|tie| format!("{} {} {}", tie.method, tie.winner, tie.loser)).collect();
            assert_eq!(ties, ["GET /a/{id} /a/{name}", "GET /a/{id} /a/{x}", "GET /b/{v}.{w} /b/{x}.{y}"],);
            assert_eq!(matcher.len(), 3);
            check(&matcher, "GET /a/1", Some("GET /a/{id}"));
            check(&matcher, "POST /a/1", Some("POST /a/{id}"));
            endpoints.reverse();
        }
    }
}
