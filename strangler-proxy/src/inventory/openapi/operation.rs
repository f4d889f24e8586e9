//! Path items and operations: parameters and statuses.

use diff_harness::lifecycle::Parameter;
use http::Method;

use super::reference::{Located, Resolver};
use super::server::Base;
use super::{expected, method_of};
use crate::inventory::Note;
use crate::inventory::document::{Node, step};
use crate::inventory::error::Fault;
use crate::routes::Template;

/// Everything under one path: the item itself and those that it refers to. What stands nearer comes first.
pub(super) struct PathItem<'d> {
    layers: Vec<Located<'d>>,
}

/// One method of a path.
pub(super) struct Operation<'d> {
    pub(super) method: Method,
    pub(super) pointer: String,
    node: &'d Node,
}

impl<'d> PathItem<'d> {
    pub(super) fn read(resolver: &Resolver<'d>, item: &'d Node, pointer: &str) -> Result<Self, Fault> {
        let layers = resolver.chain(item, pointer)?;
        match layers.iter().find(|layer| !matches!(layer.node, Node::Map(_) | Node::Null)) {
            Some(wrong) => Err(expected(&wrong.pointer, "a map from methods to operations", wrong.node)),
            None => Ok(Self { layers }),
        }
    }

    /// The servers of the path item.
    pub(super) fn base(&self, notes: &mut Vec<Note>) -> Result<Option<Base>, Fault> {
        for layer in &self.layers {
            if let Some(base) = Base::of_servers(layer.node, &layer.pointer, notes)? {
                return Ok(Some(base));
            }
        }
        Ok(None)
    }

    /// In the order of the document. A method that is there twice comes twice.
    pub(super) fn operations(&self, notes: &mut Vec<Note>) -> Result<Vec<Operation<'d>>, Fault> {
        let mut operations: Vec<Operation<'d>> = Vec::new();
        for layer in &self.layers {
            let nearer: Vec<_> = operations.iter().map(|operation| operation.method.clone()).collect();
            let mut add = |method: Method, pointer: String, node: &'d Node| {
                if method == Method::TRACE {
                    notes.push(Note::LeftOut { pointer, why: "TRACE is never forwarded".to_owned() });
                } else if !matches!(node, Node::Map(_) | Node::Null) {
                    return Err(expected(&pointer, "an operation, which is a map", node));
                } else if !nearer.contains(&method) {
                    operations.push(Operation { method, pointer, node });
                }
                Ok(())
            };
            for (key, node) in layer.node.entries() {
                if let Some(method) = method_of(key) {
                    add(method, step(&layer.pointer, key), node)?;
                } else if key == "additionalOperations" {
                    // OpenAPI 3.2: methods that have no key of their own.
                    let pointer = step(&layer.pointer, key);
                    for (key, node) in node.entries() {
                        let pointer = step(&pointer, key);
                        let method = Method::from_bytes(key.as_bytes()).map_err(|_| {
                            Fault::at(
                                &pointer,
                                format!("`{key}` is not a method"),
                                "write it as on the wire, such as `COPY`",
                            )
                        })?;
                        add(method, pointer, node)?;
                    }
                }
            }
        }
        Ok(operations)
    }
}

impl Operation<'_> {
    pub(super) fn base(&self, notes: &mut Vec<Note>) -> Result<Option<Base>, Fault> {
        Base::of_servers(self.node, &self.pointer, notes)
    }

    /// Those of the path as the template has them, then those of the query, the headers and the cookies as
    /// operation and path item declare them. An operation's own replaces its path's of the same name and place.
    pub(super) fn parameters(
        &self,
        resolver: &Resolver<'_>,
        item: &PathItem<'_>,
        template: &Template,
    ) -> Result<Vec<Parameter>, Fault> {
        let mut parameters: Vec<Parameter> = Vec::new();
        for name in template.parameters() {
            if parameters.iter().all(|known| known.name != name) {
                parameters.push(Parameter {
                    name: name.to_owned(),
                    place: "path".to_owned(),
                    required: true,
                });
            }
        }
        let own = Located { node: self.node, pointer: self.pointer.clone() };
        for owner in std::iter::once(&own).chain(&item.layers) {
            for parameter in declared_at(owner, resolver)? {
                let same = |known: &Parameter| known.name == parameter.name && known.place == parameter.place;
                if !parameters.iter().any(same) {
                    parameters.push(parameter);
                }
            }
        }
        Ok(parameters)
    }

    pub(super) fn statuses(&self, notes: &mut Vec<Note>) -> Result<Vec<String>, Fault> {
        let pointer = step(&self.pointer, "responses");
        let responses = match self.node.get("responses") {
            None | Some(Node::Null) => return Ok(Vec::new()),
            Some(Node::Map(responses)) => responses,
            Some(other) => return Err(expected(&pointer, "a map from statuses to responses", other)),
        };
        let mut statuses: Vec<String> = Vec::new();
        for (key, _) in responses.iter().filter(|(key, _)| !key.starts_with("x-") && key != "$ref") {
            match status(key) {
                Some(status) if !statuses.contains(&status) => statuses.push(status),
                Some(_) => {}
                None => notes.push(Note::LeftOut {
                    pointer: step(&pointer, key),
                    why: "a status is `200`, `2XX` or `default`".to_owned(),
                }),
            }
        }
        Ok(statuses)
    }
}

/// The parameters of the query, the headers and the cookies that an operation or a path item declares.
fn declared_at(owner: &Located<'_>, resolver: &Resolver<'_>) -> Result<Vec<Parameter>, Fault> {
    let pointer = step(&owner.pointer, "parameters");
    let parameters = match owner.node.get("parameters") {
        None | Some(Node::Null) => return Ok(Vec::new()),
        Some(Node::List(parameters)) => parameters,
        Some(other) => return Err(expected(&pointer, "a list of parameters", other)),
    };
    let mut read = Vec::with_capacity(parameters.len());
    for (at, parameter) in parameters.iter().enumerate() {
        let Located { node, pointer } = resolver.resolved(parameter, &step(&pointer, &at.to_string()))?;
        let Node::Map(_) = node else { return Err(expected(&pointer, "a parameter, which is a map", node)) };
        let text = |key: &str| {
            node.get(key).and_then(Node::text).ok_or_else(|| {
                let problem = format!("expected a parameter with a text as its `{key}`");
                Fault::at(&pointer, problem, "a parameter has a `name` and an `in`")
            })
        };
        let place = text("in")?.to_ascii_lowercase();
        // The path has its names from the template; `body` and `formData` of Swagger 2.0 are no parameters here.
        if matches!(place.as_str(), "query" | "header" | "cookie") {
            let required = match node.get("required") {
                Some(Node::Bool(required)) => *required,
                Some(Node::Text(text)) => text == "true",
                _ => false,
            };
            read.push(Parameter { name: text("name")?.to_owned(), place, required });
        }
    }
    Ok(read)
}

fn status(key: &str) -> Option<String> {
    let key = key.trim();
    if key.eq_ignore_ascii_case("default") {
        return Some("default".to_owned());
    }
    match key.as_bytes() {
        [b'1'..=b'5', b'0'..=b'9', b'0'..=b'9'] => Some(key.to_owned()),
        [b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => Some(key.to_ascii_uppercase()),
        _ => None,
    }
}
