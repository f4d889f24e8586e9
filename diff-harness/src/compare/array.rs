//! Which element of one array stands beside which of the other. Decided before anything is compared, so that one
//! insertion is one divergence.

use std::collections::{HashMap, HashSet};

use foldhash::fast::FixedState;

use super::align::{Alignment, align, longest_increasing, occurrences};
use super::json::{Level, Walker};
use crate::exchange::Side;
use crate::json::{JsonType, NodeId, Tree};
use crate::rules::Action;

/// The elements that belong together.
pub(super) struct Matching {
    /// Sorted by control index. What is in no pair is missing or added.
    pub(super) pairs: Vec<(usize, usize)>,
    /// The matched elements do not stand in one order.
    pub(super) order: Option<Order>,
    pub(super) coarse: bool,
}

/// Both orders, for a person to read.
pub(super) struct Order {
    pub(super) control: String,
    pub(super) candidate: String,
}

/// Members by which elements are known, the surest first.
const IDENTITIES: [&str; 18] = [
    "id",
    "_id",
    "urn",
    "uuid",
    "guid",
    "uid",
    "key",
    "slug",
    "permalink",
    "code",
    "handle",
    "username",
    "email",
    "uri",
    "url",
    "href",
    "path",
    "name",
];

/// How far ahead a changed element is looked for when one side of a gap is longer.
const LOOKAHEAD: usize = 16;

/// Members of larger objects are looked up instead of searched for.
const SEARCHED_MEMBERS_MAX: usize = 32;

/// How many elements an order divergence names; its text is cut anyway.
const ORDER_NAMES_MAX: usize = 200;

impl<'a> Walker<'a, '_, '_> {
    pub(super) fn match_elements(&mut self, left: &[NodeId], right: &[NodeId], level: &Level) -> Matching {
        let declared = self.array_rules(level);
        // Elements written alike at both ends are the same elements.
        let equal = |(a, b): &(&NodeId, &NodeId)| self.control.raw(**a) == self.candidate.raw(**b);
        let prefix = left.iter().zip(right).take_while(equal).count();
        let suffix = left[prefix..].iter().rev().zip(right[prefix..].iter().rev()).take_while(equal).count();
        let trimmed = if prefix > 0 { left.first() } else { left[left.len() - suffix..].first() };
        let middle = Middle {
            left: &left[prefix..left.len() - suffix],
            right: &right[prefix..right.len() - suffix],
            trimmed: trimmed.copied(),
        };

        let inner = if middle.left.is_empty() || middle.right.is_empty() {
            Matching { pairs: Vec::new(), order: None, coarse: false }
        } else if let Some(by) = declared.keyed {
            self.match_by_key(&middle, &by)
        } else if let Some(name) = self.identity(&middle, level) {
            self.match_by_key(&middle, &[name])
        } else {
            self.match_by_content(&middle, declared.unordered)
        };

        let mut pairs: Vec<(usize, usize)> = (0..prefix).map(|at| (at, at)).collect();
        pairs.extend(inner.pairs.into_iter().map(|(i, j)| (i + prefix, j + prefix)));
        pairs.extend((0..suffix).rev().map(|back| (left.len() - 1 - back, right.len() - 1 - back)));
        Matching { pairs, order: inner.order, coarse: inner.coarse }
    }

    /// Rules for the array as such. Finding the array is all that they need to have applied.
    fn array_rules(&mut self, level: &Level) -> ArrayRules {
        let mut declared = ArrayRules::default();
        for (index, rule) in self.rules_at(level) {
            match &rule.action {
                Action::Unordered => declared.unordered = true,
                Action::Keyed { by } => declared.keyed = Some(by.clone()),
                _ => continue,
            }
            self.findings.apply(index);
        }
        declared
    }

    /// The member by which the elements are known: in every element, scalar, unique on each side, and found on
    /// both sides with one value at least, for ids that each side makes by itself tell nothing.
    fn identity(&mut self, middle: &Middle<'_>, level: &Level) -> Option<&'static str> {
        let (control, candidate) = (self.control, self.candidate);
        let (first, other) = (middle.left.first()?, middle.right.first()?);
        IDENTITIES.into_iter().find(|name| {
            if control.member(*first, name).is_none() || candidate.member(*other, name).is_none() {
                return false;
            }
            if self.is_masked_in_elements(level, name) {
                return false;
            }
            let Some(left) = self.unique_keys(Side::Control, middle.left, name) else { return false };
            let Some(right) = self.unique_keys(Side::Candidate, middle.right, name) else { return false };
            let in_trimmed = middle.trimmed.is_some_and(|node| control.member(node, name).is_some());
            in_trimmed || left.iter().any(|key| right.contains(key))
        })
    }

    fn unique_keys(&mut self, side: Side, nodes: &[NodeId], name: &str) -> Option<HashSet<u64, FixedState>> {
        let mut keys = HashSet::with_capacity_and_hasher(nodes.len(), FixedState::default());
        for node in nodes {
            let key = self.known_by(side, *node, &[name])?;
            if !keys.insert(key.0) {
                return None;
            }
        }
        Some(keys)
    }

    /// The hash of the string or number that this chain of members leads to, read as a name, and its node.
    fn known_by(&mut self, side: Side, node: NodeId, by: &[impl AsRef<str>]) -> Option<(u64, NodeId)> {
        let tree = self.tree(side);
        let node = by.iter().try_fold(node, |node, name| tree.member(node, name.as_ref()))?;
        let is_key = matches!(tree.json_type(node), JsonType::String | JsonType::Number);
        is_key.then(|| (self.name(side, node), node))
    }

    /// By a key: the n-th element with a key belongs to the n-th with it on the other side. Elements without one
    /// belong to equal elements.
    fn match_by_key(&mut self, middle: &Middle<'_>, by: &[impl AsRef<str>]) -> Matching {
        let mut keys = |side: Side, nodes: &[NodeId]| -> Vec<u64> {
            let key = |node: &NodeId| match self.known_by(side, *node, by) {
                Some((hash, _)) => hash,
                None => self.hash(side, *node),
            };
            nodes.iter().map(key).collect()
        };
        let (left, right) = (keys(Side::Control, middle.left), keys(Side::Candidate, middle.right));
        let pairs = occurrences(&left, &right);
        let order = self.order_of(middle, &pairs, |walker, side, node| {
            walker.known_by(side, node, by).map_or(node, |(_, key)| key)
        });
        Matching { pairs, order, coarse: false }
    }

    /// By what the elements hold: equal ones in order, then equal ones that moved, then changed ones that stand
    /// in the same gap.
    fn match_by_content(&mut self, middle: &Middle<'_>, unordered: bool) -> Matching {
        let left: Vec<u64> = middle.left.iter().map(|node| self.hash(Side::Control, *node)).collect();
        let right: Vec<u64> = middle.right.iter().map(|node| self.hash(Side::Candidate, *node)).collect();
        let Alignment { pairs: anchors, coarse } = if unordered {
            Alignment { pairs: occurrences(&left, &right), coarse: false }
        } else {
            align(&left, &right, self.findings.limits.alignment_pairs_max)
        };

        let mut pairs = anchors.clone();
        let free = |len: usize, pairs: &[(usize, usize)], side: fn(&(usize, usize)) -> usize| -> Vec<usize> {
            let mut used = vec![false; len];
            pairs.iter().for_each(|pair| used[side(pair)] = true);
            (0..len).filter(|at| !used[*at]).collect()
        };
        let free_left = free(left.len(), &pairs, |pair| pair.0);
        let free_right = free(right.len(), &pairs, |pair| pair.1);
        let hashes = |free: &[usize], all: &[u64]| -> Vec<u64> { free.iter().map(|at| all[*at]).collect() };
        let moved = occurrences(&hashes(&free_left, &left), &hashes(&free_right, &right));
        pairs.extend(moved.into_iter().map(|(i, j)| (free_left[i], free_right[j])));
        pairs.sort_unstable();
        let order = self.order_of(middle, &pairs, |_, _, node| node);

        let free_left = free(left.len(), &pairs, |pair| pair.0);
        let free_right = free(right.len(), &pairs, |pair| pair.1);
        let end = (left.len(), right.len());
        let gaps = if unordered { vec![end] } else { anchors.into_iter().chain([end]).collect() };
        let (mut i, mut j) = (0, 0);
        for (left_end, right_end) in gaps {
            let in_gap = |free: &[usize], from: &mut usize, end: usize| {
                let start = *from;
                *from += free[start..].partition_point(|at| *at < end);
                start..*from
            };
            let (gap_left, gap_right) =
                (in_gap(&free_left, &mut i, left_end), in_gap(&free_right, &mut j, right_end));
            self.match_changed(middle, &free_left[gap_left], &free_right[gap_right], &mut pairs);
        }
        pairs.sort_unstable();
        Matching { pairs, order, coarse }
    }

    /// Puts changed elements of one gap beside each other.
    fn match_changed(
        &mut self,
        middle: &Middle<'_>,
        left: &[usize],
        right: &[usize],
        pairs: &mut Vec<(usize, usize)>,
    ) {
        let in_place = left.len() == right.len();
        let mut next = 0;
        for (at, i) in left.iter().enumerate() {
            let window = if in_place { at..at + 1 } else { next..right.len().min(next + LOOKAHEAD) };
            let found =
                window.into_iter().find(|at| self.alike(middle.left[*i], middle.right[right[*at]], in_place));
            if let Some(at) = found {
                pairs.push((*i, right[at]));
                next = at + 1;
            }
        }
    }

    /// Whether two different elements look like one element that changed.
    fn alike(&mut self, a: NodeId, b: NodeId, in_place: bool) -> bool {
        let (left, right) = (self.control.json_type(a), self.candidate.json_type(b));
        match (left, right) {
            (JsonType::Object, JsonType::Object) => self.objects_alike(a, b),
            // Where nothing came or went, a different type is a change of type.
            _ => in_place || left == right,
        }
    }

    /// Two objects are alike when they share half of their members by name; but when both say who they are, and
    /// say it differently, half of the others must be equal.
    fn objects_alike(&mut self, a: NodeId, b: NodeId) -> bool {
        let (control, candidate) = (self.control, self.candidate);
        let most = control.len(a).max(candidate.len(b));
        let (mut shared, mut equal, mut others) = (0, 0, false);
        let mut same_place = candidate.children(b);
        let mut members = Members::default();
        for left in control.children(a) {
            let key = control.key(left);
            let beside = same_place.next().filter(|right| candidate.key(*right) == key);
            let Some(right) = beside.or_else(|| members.find(candidate, b, key)) else { continue };
            shared += 1;
            let is_equal = self.hash(Side::Control, left) == self.hash(Side::Candidate, right);
            equal += usize::from(is_equal);
            let is_name = IDENTITIES.contains(&key)
                && !control.json_type(left).is_container()
                && !candidate.json_type(right).is_container();
            others |= is_name && !is_equal;
        }
        if others { equal * 2 >= most - 1 && equal > 0 } else { shared * 2 >= most }
    }

    /// The order of the matched elements, if it is not the same on both sides.
    fn order_of(
        &mut self,
        middle: &Middle<'_>,
        pairs: &[(usize, usize)],
        name: impl Fn(&mut Self, Side, NodeId) -> NodeId,
    ) -> Option<Order> {
        if longest_increasing(pairs).len() == pairs.len() {
            return None;
        }
        let mut text = |side: Side, nodes: Vec<NodeId>| {
            let names: Vec<&str> = nodes
                .into_iter()
                .take(ORDER_NAMES_MAX)
                .map(|node| {
                    let node = name(self, side, node);
                    self.tree(side).raw(node)
                })
                .collect();
            format!("[{}]", names.join(","))
        };
        let control = text(Side::Control, pairs.iter().map(|(i, _)| middle.left[*i]).collect());
        let mut by_candidate = pairs.to_vec();
        by_candidate.sort_unstable_by_key(|(_, j)| *j);
        let candidate = text(Side::Candidate, by_candidate.iter().map(|(_, j)| middle.right[*j]).collect());
        Some(Order { control, candidate })
    }

    fn name(&mut self, side: Side, node: NodeId) -> u64 {
        match side {
            Side::Control => self.control_hashes.of_name(self.control, node),
            Side::Candidate => self.candidate_hashes.of_name(self.candidate, node),
        }
    }

    fn hash(&mut self, side: Side, node: NodeId) -> u64 {
        match side {
            Side::Control => self.control_hashes.of(self.control, node),
            Side::Candidate => self.candidate_hashes.of(self.candidate, node),
        }
    }
}

/// What is left between the ends that are equal.
struct Middle<'n> {
    left: &'n [NodeId],
    right: &'n [NodeId],
    /// One of the equal elements, if there are any.
    trimmed: Option<NodeId>,
}

/// Finds members of one object, without costing the square of a large one.
#[derive(Default)]
struct Members<'t> {
    by_key: HashMap<&'t str, NodeId, FixedState>,
}

impl<'t> Members<'t> {
    fn find(&mut self, tree: &'t Tree<'_>, object: NodeId, key: &str) -> Option<NodeId> {
        if tree.len(object) <= SEARCHED_MEMBERS_MAX {
            return tree.member(object, key);
        }
        if self.by_key.is_empty() {
            self.by_key = tree.children(object).map(|node| (tree.key(node), node)).collect();
        }
        self.by_key.get(key).copied()
    }
}

#[derive(Default)]
struct ArrayRules {
    unordered: bool,
    keyed: Option<Vec<String>>,
}
