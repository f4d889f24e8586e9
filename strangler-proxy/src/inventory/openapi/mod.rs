//! Endpoints from an OpenAPI document: 3.x, or 2.0 as Swagger called it; YAML or JSON.
//!
//! The reading is our own and tolerant, over a plain tree. Typed readers take all of the specification or
//! nothing, and real documents break it somewhere in nearly every large one: a schema of the wrong form, an
//! unquoted status, a missing description. Only paths, methods, parameters, statuses and servers matter here, so
//! only what is wrong with those can stop an import; and a tree keeps duplicate keys, which typed readers lose
//! without a word. References are followed within the document alone.
//!
//! - [`path`]: a path as the document writes it becomes one that is a template.
//! - [`server`]: base paths.
//! - [`reference`] follows `$ref`.
//! - [`operation`]: parameters and statuses.

mod path;
mod server;
mod reference;
mod operation;

use http::Method;

use super::collector::{Collector, Found};
use super::document::{Node, step};
use super::error::{Fault, ImportError, Place};
use super::{Import, Note};
use crate::routes::Template;
use operation::PathItem;
use reference::Resolver;
use server::Base;

/// Reads a document whole, or says what is wrong with it. Endpoints stand under the base path of the first
/// server that applies to them.
pub fn import(text: &str, source_name: &str) -> Result<Import, ImportError> {
    read(text, source_name, None).map_err(|fault| fault.of(source_name))
}

/// The same, with every endpoint under `base_path` (such as `/v1`, or an empty text) whatever the servers say.
pub fn import_under(text: &str, source_name: &str, base_path: &str) -> Result<Import, ImportError> {
    read(text, source_name, Some(base_path)).map_err(|fault| fault.of(source_name))
}

fn read(text: &str, source_name: &str, base_path: Option<&str>) -> Result<Import, Fault> {
    let base_path = base_path.map(Base::given).transpose()?;
    let root = Node::read(text)?;
    let version = Version::of(&root)?;
    let paths = match root.get("paths") {
        Some(Node::Map(paths)) => paths,
        None | Some(Node::Null) => {
            return Err(Fault::at(
                "",
                "it has no `paths`, so it declares no endpoint",
                "check that it is the whole document",
            ));
        }
        Some(other) => return Err(expected("/paths", "a map from paths to operations", other)),
    };

    let resolver = Resolver::new(&root);
    let mut collector = Collector::default();
    let root_base = match version {
        Version::Two => Base::of_swagger(&root)?,
        Version::Three => Base::of_servers(&root, "", &mut collector.notes)?,
    };
    for (path, item) in paths.iter().filter(|(path, _)| !path.starts_with("x-")) {
        let pointer = step("/paths", path);
        let item = PathItem::read(&resolver, item, &pointer)?;
        let item_base = item.base(&mut collector.notes)?;
        let (path, rewritten) = path::simplified(path, &pointer);
        collector.notes.extend(rewritten);

        for operation in item.operations(&mut collector.notes)? {
            let base = match (&base_path, operation.base(&mut collector.notes)?, &item_base) {
                (Some(given), ..) => Some(given.clone()),
                (None, Some(own), _) => Some(own),
                (None, None, of_item) => of_item.clone().or_else(|| root_base.clone()),
            }
            .unwrap_or_default();
            let template = Template::parse(&base.under(&path)).map_err(|error| {
                Fault::at(
                    &pointer,
                    error.to_string(),
                    "correct the path in the document; nothing was imported",
                )
            })?;
            let found = Found {
                parameters: operation.parameters(&resolver, &item, &template)?,
                statuses: operation.statuses(&mut collector.notes)?,
                method: operation.method,
                pointer: operation.pointer,
                host: base.host,
                template,
            };
            collector.add(found);
        }
    }
    if collector.is_empty() {
        return Err(Fault::at(
            "/paths",
            "none of its paths has an operation",
            "check that it is the whole document",
        ));
    }
    dedup_base_paths(&mut collector.notes);
    Ok(collector.finish(source_name))
}

#[derive(Clone, Copy)]
enum Version {
    Two,
    Three,
}

impl Version {
    fn of(root: &Node) -> Result<Self, Fault> {
        let Node::Map(_) = root else {
            return Err(expected("", "an OpenAPI document, which is a map", root));
        };
        let written = |key: &str| match root.get(key) {
            Some(Node::Text(text) | Node::Number(text)) => Some(text.as_str()),
            _ => None,
        };
        const KNOWN: &str = "OpenAPI 3.0, 3.1, 3.2 and Swagger 2.0 are read";
        match (written("openapi"), written("swagger")) {
            (Some(version), _) if is_version(version, "3") => Ok(Self::Three),
            (None, Some(version)) if is_version(version, "2") => Ok(Self::Two),
            (Some(version), _) => {
                Err(Fault::at("/openapi", format!("version `{version}` is not known"), KNOWN))
            }
            (None, Some(version)) => {
                Err(Fault::at("/swagger", format!("version `{version}` is not known"), KNOWN))
            }
            (None, None) => Err(Fault::new(Place::Pointer(String::new()), not_openapi(root), KNOWN)),
        }
    }
}

fn is_version(text: &str, major: &str) -> bool {
    text.trim().split('.').next() == Some(major)
}

/// Guesses what the document is instead.
fn not_openapi(root: &Node) -> String {
    let has = |key: &str| root.get(key).is_some();
    let it_is = if root.get("log").is_some_and(|log| log.get("entries").is_some()) {
        "it looks like a HAR file: `strangler routes import har` reads those"
    } else if has("asyncapi") {
        "it is an AsyncAPI document, which has no HTTP endpoints"
    } else if has("swaggerVersion") {
        "it is a Swagger 1 document: convert it to OpenAPI 3 first"
    } else if root.get("info").is_some_and(|info| info.get("_postman_id").is_some()) {
        "it is a Postman collection: export it as OpenAPI first"
    } else {
        "it has neither `openapi: 3.x` nor `swagger: \"2.0\"` at its top"
    };
    format!("expected an OpenAPI document; {it_is}")
}

/// A fault that says what stood in the place of what was expected.
fn expected(pointer: &str, what: &str, found: &Node) -> Fault {
    Fault::at(pointer, format!("expected {what}, found {}", found.kind()), "nothing was imported")
}

/// The method of a key in a path item; `None` for all other keys.
fn method_of(key: &str) -> Option<Method> {
    const METHODS: [&str; 9] = ["get", "put", "post", "delete", "options", "head", "patch", "trace", "query"];
    // Documents are seen to write `GET`.
    let known = METHODS.iter().find(|method| method.eq_ignore_ascii_case(key))?;
    Method::from_bytes(known.to_ascii_uppercase().as_bytes()).ok()
}

/// Every operation without servers of its own reads the same ones, and they are noted once.
fn dedup_base_paths(notes: &mut Vec<Note>) {
    let mut seen: Vec<Note> = Vec::new();
    notes.retain(|note| {
        let is_new = !seen.contains(note);
        if is_new && matches!(note, Note::BasePaths { .. }) {
            seen.push(note.clone());
        }
        is_new
    });
}

#[cfg(test)]
mod tests;
