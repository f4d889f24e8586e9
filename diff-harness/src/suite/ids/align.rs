//! Elements of two arrays that are the same thing under two names.

use std::collections::HashMap;

use super::Names;
use super::place::{Holds, holds};
use super::token::is_distinctive;
use crate::json::{JsonType, NodeId, Tree};

/// Pairs of elements, by their places. An element has at most one partner.
pub(super) fn align(
    names: &Names,
    space: &str,
    (control, left): (&Tree<'_>, &[NodeId]),
    (candidate, right): (&Tree<'_>, &[NodeId]),
) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    let mut used = vec![false; left.len()];
    // Who is known by name.
    let own = |tree: &Tree<'_>, node: NodeId| identity(tree, node).map(|id| text(tree, id).to_owned());
    let by_name = left.iter().enumerate().filter_map(|(at, node)| Some((own(control, *node)?, at)));
    let by_name: HashMap<String, usize> = by_name.collect();
    let mut free: Vec<usize> = (0..right.len()).collect();
    free.retain(|j| {
        let known = own(candidate, right[*j]).and_then(|name| control_name(names, space, &name));
        let found = known.and_then(|name| by_name.get(&name).copied()).filter(|i| !used[*i]);
        let Some(i) = found else { return true };
        used[i] = true;
        pairs.push((i, *j));
        false
    });
    // Who says the same of everything but names.
    let mut by_content: HashMap<u64, Vec<usize>> = HashMap::new();
    for i in (0..left.len()).rev().filter(|i| !used[*i]) {
        by_content.entry(masked(control, left[i])).or_default().push(i);
    }
    free.retain(|j| {
        let Some(i) = by_content.get_mut(&masked(candidate, right[*j])).and_then(Vec::pop) else {
            return true;
        };
        used[i] = true;
        pairs.push((i, *j));
        false
    });
    // Who is left over on both sides, if that is the same number.
    let over: Vec<usize> = (0..left.len()).filter(|i| !used[*i]).collect();
    if over.len() == free.len() {
        pairs.extend(over.into_iter().zip(free));
    }
    pairs.sort_unstable();
    pairs
}

/// The member that says who an element is, or the element itself if it is a name.
fn identity(tree: &Tree<'_>, node: NodeId) -> Option<NodeId> {
    match tree.json_type(node) {
        JsonType::String | JsonType::Number => Some(node),
        JsonType::Object => ["id", "_id", "uuid", "urn", "guid", "key"]
            .into_iter()
            .find_map(|key| tree.member(node, key))
            .filter(|member| !tree.json_type(*member).is_container()),
        _ => None,
    }
}

pub(super) fn text<'a>(tree: &'a Tree<'_>, node: NodeId) -> &'a str {
    match tree.json_type(node) {
        JsonType::String => tree.string(node),
        _ => tree.raw(node),
    }
}

fn control_name(names: &Names, space: &str, candidate: &str) -> Option<String> {
    let space = if is_distinctive(candidate) { "" } else { space };
    names.ids.control_of(space, candidate).map(str::to_owned)
}

/// A hash of everything that an element says but its names.
fn masked(tree: &Tree<'_>, node: NodeId) -> u64 {
    let mut hasher = blake3::Hasher::new();
    mask(tree, node, Holds::Other, &mut hasher);
    let hash = hasher.finalize();
    u64::from_le_bytes(hash.as_bytes()[..8].try_into().expect("a hash has 32 bytes"))
}

fn mask(tree: &Tree<'_>, root: NodeId, held: Holds, hasher: &mut blake3::Hasher) {
    // Depth costs memory, never stack.
    let mut open = vec![(root, held)];
    while let Some((node, held)) = open.pop() {
        let kind = tree.json_type(node);
        hasher.update(&[kind as u8]);
        if kind.is_container() {
            hasher.update(&(tree.len(node) as u64).to_le_bytes());
            for child in tree.children(node) {
                let key = tree.key(child);
                hasher.update(&(key.len() as u64).to_le_bytes());
                hasher.update(key.as_bytes());
                let own = if kind == JsonType::Object { holds(key) } else { held };
                open.push((child, own));
            }
        } else if held == Holds::Other {
            let text = text(tree, node);
            hasher.update(&(text.len() as u64).to_le_bytes());
            hasher.update(text.as_bytes());
        }
    }
}
