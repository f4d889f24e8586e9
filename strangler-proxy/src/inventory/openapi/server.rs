//! Base paths, from `servers` and from Swagger's `basePath`.

use crate::inventory::Note;
use crate::inventory::document::{Node, step};
use crate::inventory::error::{Fault, Place};

use super::expected;

/// Where the paths of a document begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Base {
    /// Empty, or with a leading slash and none at the end.
    path: String,
    /// In lower case, with its port; `None` where the document leaves it open.
    pub(super) host: Option<String>,
}

impl Base {
    pub(super) fn under(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }

    /// A base path from a person.
    pub(super) fn given(path: &str) -> Result<Self, Fault> {
        if !path.is_empty() && !path.starts_with('/') {
            let problem = format!("the base path `{path}` does not start with a slash");
            return Err(Fault::new(Place::Document, problem, "write it as `/v1`"));
        }
        Ok(Self { path: trimmed(path), host: None })
    }

    /// From `basePath` and `host` of Swagger 2.0.
    pub(super) fn of_swagger(root: &Node) -> Result<Option<Self>, Fault> {
        let text = |key: &str| match root.get(key) {
            None | Some(Node::Null) => Ok(None),
            Some(Node::Text(text)) => Ok(Some(text.as_str())),
            Some(other) => Err(expected(&step("", key), "a text", other)),
        };
        let path = text("basePath")?.unwrap_or_default();
        Ok(Some(Self { path: trimmed(path), host: text("host")?.map(str::to_lowercase) }))
    }

    /// From the `servers` of a document, a path item or an operation; `None` where it has none. The first is used, and
    /// base paths of the others are noted.
    pub(super) fn of_servers(
        owner: &Node,
        pointer: &str,
        notes: &mut Vec<Note>,
    ) -> Result<Option<Self>, Fault> {
        let pointer = step(pointer, "servers");
        let servers = match owner.get("servers") {
            None | Some(Node::Null) => return Ok(None),
            Some(Node::List(servers)) => servers,
            Some(other) => return Err(expected(&pointer, "a list of servers", other)),
        };
        let mut bases = Vec::new();
        for (at, server) in servers.iter().enumerate() {
            let pointer = step(&pointer, &at.to_string());
            // What only a server that is not used leaves open is nothing to note.
            let mut of_this = Vec::new();
            bases.extend(Server::read(server, &pointer)?.bases(&pointer, &mut of_this)?);
            if at == 0 {
                notes.extend(of_this);
            }
        }
        let mut bases = bases.into_iter();
        let Some(used) = bases.next() else { return Ok(None) };
        let mut others: Vec<String> = Vec::new();
        for other in bases {
            let path = other.under("/");
            if other.path != used.path && !others.contains(&path) {
                others.push(path);
            }
        }
        if !others.is_empty() {
            notes.push(Note::BasePaths { used: used.under("/"), others });
        }
        Ok(Some(used))
    }
}

/// A url with variables in it.
struct Server<'d> {
    url: &'d str,
    variables: Vec<Variable<'d>>,
}

struct Variable<'d> {
    name: &'d str,
    /// The default first, then the others that are allowed.
    values: Vec<&'d str>,
}

impl<'d> Server<'d> {
    fn read(server: &'d Node, pointer: &str) -> Result<Self, Fault> {
        let url = match server.get("url") {
            Some(Node::Text(url)) => url.trim(),
            // A relative url that names nothing: the place of the document.
            Some(Node::Null) => "",
            Some(other) => return Err(expected(&step(pointer, "url"), "a url", other)),
            None => {
                return Err(Fault::at(pointer, "expected a server with a `url`", "give the server a url"));
            }
        };
        let variables = server.get("variables").map_or(&[][..], Node::entries);
        let variables = variables.iter().map(|(name, variable)| Variable::read(name, variable)).collect();
        Ok(Self { url, variables })
    }

    /// The base of the default values, then that of every other value of each variable.
    fn bases(&self, pointer: &str, notes: &mut Vec<Note>) -> Result<Vec<Base>, Fault> {
        let first = self.base(None, pointer, notes)?;
        let mut bases = vec![first];
        for variable in &self.variables {
            for value in variable.values.iter().skip(1) {
                bases.push(self.base(Some((variable.name, value)), pointer, &mut Vec::new())?);
            }
        }
        Ok(bases)
    }

    fn base(
        &self,
        chosen: Option<(&str, &str)>,
        pointer: &str,
        notes: &mut Vec<Note>,
    ) -> Result<Base, Fault> {
        let mut url = self.url.to_owned();
        for variable in &self.variables {
            let default = variable.values.first().copied();
            let value = chosen.filter(|(name, _)| *name == variable.name).map(|(_, value)| value).or(default);
            if let Some(value) = value {
                url = url.replace(&format!("{{{}}}", variable.name), value);
            }
        }
        let (host, path) = split(&url);
        let path = match path {
            Some(path) => trimmed(path),
            None => {
                let path = trimmed(url.trim_start_matches(['.', '/']));
                let used = format!("{path}/");
                notes.push(Note::BasePathGuessed { pointer: pointer.to_owned(), url: url.clone(), used });
                path
            }
        };
        if let Some((_, open)) = path.split_once('{') {
            let name = open.split('}').next().unwrap_or(open);
            return Err(Fault::at(
                pointer,
                format!("variable `{{{name}}}` in the path of `{}` has no default", self.url),
                "give it one under `variables`, or say which base path to use with `--base-path`",
            ));
        }
        Ok(Base { path, host: host.filter(|host| !host.contains('{')).map(str::to_lowercase) })
    }
}

impl<'d> Variable<'d> {
    fn read(name: &'d str, variable: &'d Node) -> Self {
        let value = |node: &'d Node| match node {
            Node::Text(text) | Node::Number(text) => Some(text.as_str()),
            Node::Bool(_) | Node::Null | Node::List(_) | Node::Map(_) => None,
        };
        let default = variable.get("default").and_then(value);
        let allowed = match variable.get("enum") {
            Some(Node::List(values)) => values.as_slice(),
            _ => &[],
        };
        let others = allowed.iter().filter_map(value).filter(|value| Some(*value) != default);
        Self { name, values: default.into_iter().chain(others).collect() }
    }
}

/// The host and the path of a url. The path is `None` where it depends on where the document stands.
fn split(url: &str) -> (Option<&str>, Option<&str>) {
    let after = match url.split_once("://") {
        Some((_, after)) => after,
        None => match url.strip_prefix("//") {
            Some(after) => after,
            None if url.starts_with('/') || url.is_empty() => return (None, Some(url)),
            // `api.example.com/v1`, a url without its scheme.
            None if looks_like_host(url) => url,
            None => return (None, None),
        },
    };
    let (authority, path) = after.split_at(after.find(['/', '?', '#']).unwrap_or(after.len()));
    let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
    (Some(host).filter(|host| !host.is_empty()), Some(path))
}

fn looks_like_host(url: &str) -> bool {
    let first = url.split('/').next().unwrap_or(url);
    !first.starts_with('.') && (first.contains('.') || first.contains(':') || first == "localhost")
}

/// Without query, fragment and the slash at the end; with one at the start unless it is empty.
fn trimmed(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or(path);
    let path = path.trim_end_matches('/');
    if path.is_empty() || path.starts_with('/') { path.to_owned() } else { format!("/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base_of(servers: &str) -> (Option<Base>, Vec<Note>) {
        let owner = Node::read(&format!("servers: {servers}")).unwrap();
        let mut notes = Vec::new();
        (Base::of_servers(&owner, "", &mut notes).unwrap_or_else(|fault| panic!("{}", fault.of("x"))), notes)
    }

    #[test]
    fn a_base_path_comes_from_the_first_server() {
        for (servers, path, host) in [
            ("[{url: https://Api.example.com/v1/}]", "/v1/x", Some("api.example.com")),
            ("[{url: 'https://api.example.com:8443'}]", "/x", Some("api.example.com:8443")),
            ("[{url: https://api.example.com/a/b?c#d}]", "/a/b/x", Some("api.example.com")),
            ("[{url: //api.example.com/v1}]", "/v1/x", Some("api.example.com")),
            ("[{url: api.example.com/v1}]", "/v1/x", Some("api.example.com")),
            ("[{url: /}]", "/x", None),
            ("[{url: /v1/}]", "/v1/x", None),
            ("[{url: ''}]", "/x", None),
            (
                "[{url: 'https://{region}.example.com/{base}', variables: {base: {default: v2}}}]",
                "/v2/x",
                None,
            ),
            ("[{url: '{all}', variables: {all: {default: 'https://a.b/c'}}}]", "/c/x", Some("a.b")),
            ("[{url: '{scheme}://a.b/{v}', variables: {v: {default: 3}}}]", "/3/x", Some("a.b")),
            ("[{url: https://a.b/v1}, {url: https://c.d/v1}]", "/v1/x", Some("a.b")),
        ] {
            let (base, notes) = base_of(servers);
            let base = base.unwrap();
            assert_eq!((base.under("/x").as_str(), base.host.as_deref()), (path, host), "{servers}");
            assert_eq!(notes, [], "{servers}");
        }
        assert_eq!(base_of("[]").0, None);
    }

    #[test]
    fn what_is_ambiguous_is_noted() {
        let (_, notes) = base_of("[{url: https://a.b/v1}, {url: https://a.b/v2}, {url: https://c.d/v2}]");
        assert_eq!(notes, [Note::BasePaths { used: "/v1/".into(), others: vec!["/v2/".into()] }]);
        let (_, notes) = base_of("[{url: '/{v}', variables: {v: {default: v1, enum: [v1, v2]}}}]");
        assert_eq!(notes, [Note::BasePaths { used: "/v1/".into(), others: vec!["/v2/".into()] }]);
        let (base, notes) = base_of("[{url: ../api/v1}]");
        assert_eq!(base.unwrap().under("/x"), "/api/v1/x");
        assert!(matches!(&notes[..], [Note::BasePathGuessed { used, .. }] if used == "/api/v1/"));
    }

    #[test]
    fn a_path_variable_without_a_default_is_refused() {
        let owner = Node::read("servers: [{url: 'https://a.b/{version}'}]").unwrap();
        let fault = Base::of_servers(&owner, "", &mut Vec::new()).unwrap_err().of("api.yaml").to_string();
        assert!(fault.starts_with("api.yaml#/servers/0: variable `{version}`"), "{fault}");
    }
}
