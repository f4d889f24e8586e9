//! What the tree amounts to.

use diff_harness::endpoint::EndpointId;

use super::tree::{Node, Parameter, Tree};
use super::{DiscoveryLimits, Evidence, Proposal};
use crate::inventory::identifier::{is_noun, name_after};

/// A word that is asked for this many times as often as the median of its siblings keeps its own endpoint:
/// `/users/me` among names.
const PROMINENT: u64 = 8;

pub(super) fn proposals(tree: &Tree) -> Vec<Proposal> {
    let mut root = tree.root.clone();
    settle(&mut root, None, &tree.limits);
    let mut proposals = Vec::new();
    Walk { template: String::new(), evidence: Vec::new(), proposals: &mut proposals }.node(&root, None);
    proposals.sort_by(|a, b| a.endpoint.cmp(&b.endpoint));
    proposals
}

/// Turns crowds of words into parameters, from the top down, so that what is merged is looked at as one.
fn settle(node: &mut Node, parent: Option<&str>, limits: &DiscoveryLimits) {
    let crowd = if parent.is_some_and(is_noun) { limits.crowd } else { limits.words_max };
    if node.words.len() >= crowd {
        let mut totals: Vec<u64> = node.words.values().map(Node::total).collect();
        totals.sort_unstable();
        let prominent = totals[totals.len() / 2].saturating_mul(PROMINENT);
        let words = std::mem::take(&mut node.words);
        // The end of `/users/` is no name.
        let (kept, merged) =
            words.into_iter().partition(|(word, node)| word.is_empty() || node.total() >= prominent);
        node.words = kept;
        let into = node.parameters.entry("".into()).or_default();
        for (word, node) in merged {
            into.values.add(&word);
            into.node.merge(node, limits);
        }
    }
    for (word, child) in &mut node.words {
        settle(child, Some(word), limits);
    }
    for parameter in node.parameters.values_mut() {
        settle(&mut parameter.node, None, limits);
    }
}

/// The way from the root to a node, as a template.
struct Walk<'p> {
    template: String,
    evidence: Vec<Evidence>,
    proposals: &'p mut Vec<Proposal>,
}

impl Walk<'_> {
    fn node(&mut self, node: &Node, parent: Option<&str>) {
        for (method, seen) in &node.seen {
            self.proposals.push(Proposal {
                endpoint: EndpointId::new(method.clone(), self.template.as_str()),
                count: seen.count,
                fresh: seen.fresh,
                examples: seen.examples.clone(),
                parameters: self.evidence.clone(),
            });
        }
        let length = self.template.len();
        for (word, child) in &node.words {
            self.template.push('/');
            self.template.push_str(word);
            self.node(child, Some(word));
            self.template.truncate(length);
        }
        for (suffix, parameter) in &node.parameters {
            let evidence = self.evidence_of(parameter, parent);
            self.template.push_str(&format!("/{{{}}}{suffix}", evidence.name));
            self.evidence.push(evidence);
            self.node(&parameter.node, None);
            self.evidence.pop();
            self.template.truncate(length);
        }
    }

    fn evidence_of(&self, parameter: &Parameter, parent: Option<&str>) -> Evidence {
        let mut looks = parameter.looks.iter();
        let only = looks.next().copied().filter(|_| looks.next().is_none());
        let plain = name_after(parent, only);
        let taken = |name: &str| self.evidence.iter().any(|known| known.name == name);
        // There are fewer parameters in a path than numbers to tell them apart.
        let name = std::iter::once(plain.clone())
            .chain((2_usize..).map(|number| format!("{plain}_{number}")))
            .find(|name| !taken(name))
            .unwrap_or(plain);
        let looks = parameter.looks.iter().map(|look| look.as_str()).collect();
        Evidence { name, distinct: parameter.values.count(), looks }
    }
}
