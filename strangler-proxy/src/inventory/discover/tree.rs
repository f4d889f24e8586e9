//! What was seen, as a tree of path segments, within limits.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use diff_harness::store::Undeclared;
use http::Method;

use super::{DiscoveryLimits, Evidence};
use crate::inventory::identifier::{Identified, Look, identify};

/// A path that the proxy could not have taken has fewer methods than this.
const METHODS_MAX: usize = 16;

#[derive(Clone, Debug, Default)]
pub(super) struct Tree {
    pub(super) root: Node,
    pub(super) limits: DiscoveryLimits,
    nodes: usize,
    fresh: bool,
}

/// A place in a path.
#[derive(Clone, Debug, Default)]
pub(super) struct Node {
    pub(super) words: BTreeMap<Box<str>, Node>,
    /// By what follows the parameter in its segment.
    pub(super) parameters: BTreeMap<Box<str>, Parameter>,
    /// The requests whose path ends here.
    pub(super) seen: Vec<(Method, Seen)>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Parameter {
    pub(super) values: Distinct,
    pub(super) looks: BTreeSet<Look>,
    pub(super) node: Node,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Seen {
    pub(super) count: u64,
    pub(super) fresh: u64,
    pub(super) examples: Vec<String>,
}

/// How many different values there were, up to [`Evidence::DISTINCT_MAX`]. Keeps no value.
#[derive(Clone, Debug, Default)]
pub(super) struct Distinct(BTreeSet<u64>);

/// One segment as it is learned.
enum Step<'s> {
    Word(&'s str),
    Parameter { suffix: &'s str, value: Option<&'s str>, look: Option<Look> },
}

impl Tree {
    pub(super) fn new(limits: DiscoveryLimits) -> Self {
        Self { limits, ..Self::default() }
    }

    /// Whether the request was learned.
    pub(super) fn learn(&mut self, method: &Method, path: &str) -> bool {
        let limits = self.limits;
        let mut parent = None;
        let steps = path[1..].split('/').map(|segment| match identify(segment, parent.replace(segment)) {
            Some(Identified { look, value, suffix }) => {
                Step::Parameter { suffix, value: Some(value), look: Some(look) }
            }
            None => Step::Word(segment),
        });
        let depth = path.bytes().filter(|byte| *byte == b'/').count();
        let seen = if depth > limits.depth_max { None } else { self.seen_at(steps, method) };
        let Some(seen) = seen else { return false };
        seen.count += 1;
        seen.fresh += 1;
        if seen.examples.len() < limits.examples_max {
            let example = shown(path, limits.example_bytes_max);
            if !seen.examples.contains(&example) {
                seen.examples.push(example);
            }
        }
        self.fresh = true;
        true
    }

    /// The same for a proposal, whose parameters are known. What was proposed before is not fresh.
    pub(super) fn absorb(&mut self, before: &Undeclared) -> bool {
        let limits = self.limits;
        let template = before.proposed.template();
        let depth = template.bytes().filter(|byte| *byte == b'/').count();
        let Some(path) = template.strip_prefix('/').filter(|_| depth <= limits.depth_max) else {
            return false;
        };
        let mut parent = None;
        let steps = path.split('/').map(|segment| {
            let parent = parent.replace(segment);
            match (segment.strip_prefix('{').and_then(|rest| rest.split_once('}')), identify(segment, parent))
            {
                (Some((_, suffix)), _) => Step::Parameter { suffix, value: None, look: None },
                (None, Some(Identified { look, value, suffix })) => {
                    Step::Parameter { suffix, value: Some(value), look: Some(look) }
                }
                (None, None) => Step::Word(segment),
            }
        });
        let Some(seen) = self.seen_at(steps, before.proposed.method()) else { return false };
        seen.count += before.count;
        seen.add_examples(&before.examples, limits.examples_max);
        true
    }

    pub(super) fn is_fresh(&self) -> bool {
        self.fresh
    }

    pub(super) fn mark_taken(&mut self) {
        fn settle(node: &mut Node) {
            for (_, seen) in &mut node.seen {
                seen.fresh = 0;
            }
            node.words.values_mut().for_each(settle);
            node.parameters.values_mut().for_each(|parameter| settle(&mut parameter.node));
        }
        settle(&mut self.root);
        self.fresh = false;
    }

    /// Where requests of this path and method are counted, made where it is missing and there is room for it.
    fn seen_at<'s>(&mut self, steps: impl Iterator<Item = Step<'s>>, method: &Method) -> Option<&mut Seen> {
        let mut node = &mut self.root;
        for step in steps {
            let room = self.nodes < self.limits.nodes_max;
            let step = match step {
                Step::Word(word)
                    if !node.words.contains_key(word) && node.words.len() >= self.limits.words_max =>
                {
                    Step::Parameter { suffix: "", value: Some(word), look: None }
                }
                step => step,
            };
            node = match step {
                Step::Word(word) => {
                    if !node.words.contains_key(word) {
                        if !room {
                            return None;
                        }
                        self.nodes += 1;
                        node.words.insert(word.into(), Node::default());
                    }
                    node.words.get_mut(word)?
                }
                Step::Parameter { suffix, value, look } => {
                    if !node.parameters.contains_key(suffix) {
                        if !room {
                            return None;
                        }
                        self.nodes += 1;
                        node.parameters.insert(suffix.into(), Parameter::default());
                    }
                    let parameter = node.parameters.get_mut(suffix)?;
                    parameter.looks.extend(look);
                    if let Some(value) = value {
                        parameter.values.add(value);
                    }
                    &mut parameter.node
                }
            };
        }
        let at = match node.seen.iter().position(|(known, _)| known == method) {
            Some(at) => at,
            None if node.seen.len() < METHODS_MAX => {
                node.seen.push((method.clone(), Seen::default()));
                node.seen.len() - 1
            }
            None => return None,
        };
        Some(&mut node.seen[at].1)
    }
}

impl Node {
    /// All requests whose path goes through here or ends here.
    pub(super) fn total(&self) -> u64 {
        let here: u64 = self.seen.iter().map(|(_, seen)| seen.count).sum();
        let words: u64 = self.words.values().map(Self::total).sum();
        let parameters: u64 = self.parameters.values().map(|parameter| parameter.node.total()).sum();
        here + words + parameters
    }

    pub(super) fn merge(&mut self, other: Self, limits: &DiscoveryLimits) {
        for (word, node) in other.words {
            self.words.entry(word).or_default().merge(node, limits);
        }
        for (suffix, parameter) in other.parameters {
            let own = self.parameters.entry(suffix).or_default();
            own.looks.extend(parameter.looks);
            own.values.add_all(&parameter.values);
            own.node.merge(parameter.node, limits);
        }
        for (method, seen) in other.seen {
            match self.seen.iter_mut().find(|(known, _)| *known == method) {
                Some((_, own)) => {
                    own.count += seen.count;
                    own.fresh += seen.fresh;
                    own.add_examples(&seen.examples, limits.examples_max);
                }
                None => self.seen.push((method, seen)),
            }
        }
    }
}

impl Seen {
    fn add_examples(&mut self, examples: &[String], limit: usize) {
        for example in examples {
            if self.examples.len() < limit && !self.examples.contains(example) {
                self.examples.push(example.clone());
            }
        }
    }
}

impl Distinct {
    pub(super) fn add(&mut self, value: &str) {
        if self.0.len() < Evidence::DISTINCT_MAX {
            let mut hasher = DefaultHasher::new();
            value.hash(&mut hasher);
            self.0.insert(hasher.finish());
        }
    }

    pub(super) fn add_all(&mut self, other: &Self) {
        let room = Evidence::DISTINCT_MAX - self.0.len();
        let new: Vec<_> = other.0.difference(&self.0).take(room).copied().collect();
        self.0.extend(new);
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }
}

/// An example path: tokens hidden, since they may be secrets, and cut where it is too long.
fn shown(path: &str, bytes_max: usize) -> String {
    let mut shown = String::with_capacity(path.len().min(bytes_max));
    let mut parent = None;
    for segment in path[1..].split('/') {
        let secret = match identify(segment, parent.replace(segment)) {
            Some(identified) if identified.look == Look::Token => Some(identified.suffix),
            _ => None,
        };
        shown.push('/');
        match secret {
            Some(suffix) => shown.extend(["***", suffix]),
            None => shown.push_str(segment),
        }
    }
    if shown.len() > bytes_max {
        // A view is ASCII, so every place is between two characters.
        shown.truncate(bytes_max);
        shown.push('…');
    }
    shown
}
