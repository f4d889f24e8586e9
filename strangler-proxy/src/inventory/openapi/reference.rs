//! `$ref`, within one document.

use std::borrow::Cow;

use crate::inventory::document::{Node, step};
use crate::inventory::error::Fault;

/// Follows references from any place of a document to any other.
pub(super) struct Resolver<'d> {
    root: &'d Node,
}

/// A value and the pointer to where it stands.
#[derive(Clone, Debug)]
pub(super) struct Located<'d> {
    pub(super) node: &'d Node,
    pub(super) pointer: String,
}

impl<'d> Resolver<'d> {
    pub(super) fn new(root: &'d Node) -> Self {
        Self { root }
    }

    /// The value, then what its reference names, then what that one's names, to the end.
    pub(super) fn chain(&self, node: &'d Node, pointer: &str) -> Result<Vec<Located<'d>>, Fault> {
        let mut chain = vec![Located { node, pointer: pointer.to_owned() }];
        while let Some(last) = chain.last() {
            let at = step(&last.pointer, "$ref");
            let reference = match last.node.get("$ref") {
                None | Some(Node::Null) => break,
                Some(Node::Text(reference)) => reference.as_str(),
                Some(other) => return Err(super::expected(&at, "a reference", other)),
            };
            let next = self.target(reference, &at)?;
            if chain.iter().any(|before| std::ptr::eq(before.node, next.node)) {
                let mut places: Vec<_> = chain.iter().map(|before| format!("#{}", before.pointer)).collect();
                places.push(format!("#{}", next.pointer));
                let problem = format!("the reference goes in a circle: {}", places.join(" → "));
                return Err(Fault::at(&at, problem, "let one of them stand for itself"));
            }
            chain.push(next);
        }
        Ok(chain)
    }

    /// The end of the chain.
    pub(super) fn resolved(&self, node: &'d Node, pointer: &str) -> Result<Located<'d>, Fault> {
        let mut chain = self.chain(node, pointer)?;
        Ok(chain.pop().expect("a chain starts with the value itself"))
    }

    fn target(&self, reference: &str, at: &str) -> Result<Located<'d>, Fault> {
        let Some(fragment) = reference.strip_prefix('#') else {
            return Err(Fault::at(
                at,
                format!("`{reference}` points into another document, and only one document is read"),
                "bundle the documents into one first, and import that",
            ));
        };
        let missing = || {
            let problem = format!("`{reference}` names nothing in this document");
            Fault::at(at, problem, "check the spelling; a slash in a name is written `~1`")
        };
        let fragment = percent_encoding::percent_decode_str(fragment).decode_utf8().map_err(|_| missing())?;
        let Some(keys) = fragment.strip_prefix('/') else {
            let problem = format!("`{reference}` is no JSON pointer");
            return if fragment.is_empty() {
                Ok(Located { node: self.root, pointer: String::new() })
            } else {
                Err(Fault::at(at, problem, "write it as `#/components/parameters/name`"))
            };
        };
        let mut node = self.root;
        for key in keys.split('/') {
            let key: Cow<'_, str> =
                if key.contains('~') { key.replace("~1", "/").replace("~0", "~").into() } else { key.into() };
            node = match node {
                Node::List(items) => key.parse().ok().and_then(|at: usize| items.get(at)),
                other => other.get(&key),
            }
            .ok_or_else(missing)?;
        }
        Ok(Located { node, pointer: fragment.into_owned() })
    }
}
