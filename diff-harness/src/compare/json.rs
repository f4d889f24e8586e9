//! Two JSON trees, walked side by side.

use std::collections::HashMap;
use std::ops::Range;

use foldhash::fast::FixedState;

use super::array::{Matching, Order};
use super::excerpt::{cut, cut_both};
use super::findings::{Finding, Findings, RuleIndex};
use crate::divergence::{JsonPath, Kind, Location, Segment, Severity};
use crate::exchange::Side;
use crate::json::{Hashes, JsonType, NodeId, Number, Tree};
use crate::rules::{Action, Rule, Scalar, Step, Target};

/// Compares two documents. Subtrees whose bytes are equal are passed over.
pub(super) fn compare_trees<'a>(control: &'a Tree<'a>, candidate: &'a Tree<'a>, findings: &mut Findings<'_>) {
    let mut walker = Walker {
        control,
        candidate,
        control_hashes: Hashes::default(),
        candidate_hashes: Hashes::default(),
        findings,
        path: Vec::new(),
        states: Vec::new(),
        masks: Vec::new(),
    };
    walker.start();
    walker.pair(control.root(), candidate.root(), 0..walker.states.len());
}

pub(super) struct Walker<'a, 'f, 'r> {
    pub(super) control: &'a Tree<'a>,
    pub(super) candidate: &'a Tree<'a>,
    pub(super) control_hashes: Hashes,
    pub(super) candidate_hashes: Hashes,
    pub(super) findings: &'f mut Findings<'r>,
    path: Vec<At<'a>>,
    /// The states of all open levels, one after the other; a level is a range of it.
    states: Vec<State>,
    /// `ignore` rules above and at this place.
    masks: Vec<RuleIndex>,
}

/// One step of the path. An element that both sides have may stand at two indices.
#[derive(Clone, Copy)]
enum At<'a> {
    Member(&'a str),
    Element { control: usize, candidate: usize },
}

/// How much of a rule's path has been matched on the way here.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct State {
    pub(super) rule: RuleIndex,
    matched: usize,
}

/// The states of one place.
pub(super) type Level = Range<usize>;

impl<'a, 'r> Walker<'a, '_, 'r> {
    /// Sets up the states of the root.
    fn start(&mut self) {
        for (rule, declared) in self.findings.rules().iter().enumerate() {
            if let Target::Json(_) = declared.target {
                self.states.push(State { rule, matched: 0 });
            }
        }
        self.push_masks(0);
    }

    fn pair(&mut self, a: NodeId, b: NodeId, level: Level) {
        if self.control.raw(a) == self.candidate.raw(b) {
            self.count_applied(a, level);
            return;
        }
        let (control, candidate) = (self.control.json_type(a), self.candidate.json_type(b));
        match (control, candidate) {
            (JsonType::Object, JsonType::Object) => self.objects(a, b, level),
            (JsonType::Array, JsonType::Array) => self.arrays(a, b, level),
            _ if control == candidate => self.scalars(a, b, level),
            _ => {
                let finding = Finding::new(Kind::Type, self.severity_of_change(a, b, Severity::Breaking));
                let detail = format!("{} → {}", control.as_str(), candidate.as_str());
                self.report_pair(finding.detail(detail), a, b, &[]);
            }
        }
    }

    fn objects(&mut self, a: NodeId, b: NodeId, level: Level) {
        let (control, candidate) = (self.control, self.candidate);
        let (mut left, mut right) = (control.children(a), candidate.children(b));
        // Both sides mostly write their members in one order.
        let (rest_left, rest_right) = loop {
            match (left.next(), right.next()) {
                (Some(l), Some(r)) if control.key(l) == candidate.key(r) => {
                    self.member(Some(l), Some(r), &level);
                }
                (None, None) => return,
                rest => break rest,
            }
        };
        let rest_left: Vec<NodeId> = rest_left.into_iter().chain(left).collect();
        let rest_right: Vec<NodeId> = rest_right.into_iter().chain(right).collect();
        self.members_by_key(&rest_left, &rest_right, &level);
    }

    /// Members in different orders. The n-th of a duplicated key belongs to the n-th on the other side.
    fn members_by_key(&mut self, left: &[NodeId], right: &[NodeId], level: &Level) {
        let (control, candidate) = (self.control, self.candidate);
        let mut places: HashMap<&str, Vec<usize>, FixedState> =
            HashMap::with_capacity_and_hasher(right.len(), FixedState::default());
        for (at, node) in right.iter().enumerate().rev() {
            places.entry(candidate.key(*node)).or_default().push(at);
        }
        let mut used = vec![false; right.len()];
        for l in left {
            let found = places.get_mut(control.key(*l)).and_then(Vec::pop);
            if let Some(at) = found {
                used[at] = true;
            }
            self.member(Some(*l), found.map(|at| right[at]), level);
        }
        for (node, used) in right.iter().zip(used) {
            if !used {
                self.member(None, Some(*node), level);
            }
        }
    }

    fn member(&mut self, a: Option<NodeId>, b: Option<NodeId>, level: &Level) {
        let key = match (a, b) {
            (Some(a), _) => self.control.key(a),
            (None, Some(b)) => self.candidate.key(b),
            (None, None) => return,
        };
        self.path.push(At::Member(key));
        self.child(a, b, Step::Member(key), level);
        self.path.pop();
    }

    fn arrays(&mut self, a: NodeId, b: NodeId, level: Level) {
        let left: Vec<NodeId> = self.control.children(a).collect();
        let right: Vec<NodeId> = self.candidate.children(b).collect();
        let Matching { pairs, order, coarse } = self.match_elements(&left, &right, &level);
        if coarse {
            self.findings.note("a long array was matched by occurrence: too many equal elements to search");
        }
        if let Some(Order { control, candidate }) = order {
            self.report_order(&control, &candidate, &level);
        }
        let mut used = vec![false; right.len()];
        let mut next = pairs.iter().peekable();
        for (i, node) in left.iter().enumerate() {
            let partner = next.next_if(|(at, _)| *at == i).map(|(_, j)| *j);
            if let Some(j) = partner {
                used[j] = true;
            }
            self.path.push(At::Element { control: i, candidate: partner.unwrap_or(i) });
            let step = Step::Element { index: i, len: left.len() };
            self.child(Some(*node), partner.map(|j| right[j]), step, &level);
            self.path.pop();
        }
        for (j, node) in right.iter().enumerate() {
            if !used[j] {
                self.path.push(At::Element { control: j, candidate: j });
                self.child(None, Some(*node), Step::Element { index: j, len: right.len() }, &level);
                self.path.pop();
            }
        }
    }

    fn report_order(&mut self, control: &str, candidate: &str, level: &Level) {
        let masks_before = self.masks.len();
        let rules = self.rules_at(level).into_iter();
        let unordered = rules.filter(|(_, rule)| matches!(rule.action, Action::Unordered));
        self.masks.extend(unordered.map(|(index, _)| index));
        let (path, max) = (&self.path, self.findings.limits.value_bytes_max);
        self.findings.report(Finding::new(Kind::Order, Severity::Changed), &self.masks, || {
            let (control, candidate) = cut_both(control, candidate, max);
            (location(path, Side::Control), Some(control), Some(candidate))
        });
        self.masks.truncate(masks_before);
    }

    /// One step down, to what either side or both have there.
    fn child(&mut self, a: Option<NodeId>, b: Option<NodeId>, step: Step<'_>, level: &Level) {
        let start = self.states.len();
        self.advance(step, level);
        let masks = self.masks.len();
        self.push_masks(start);
        match (a, b) {
            (Some(a), Some(b)) => self.pair(a, b, start..self.states.len()),
            (Some(a), None) => {
                self.report_one(Finding::new(Kind::Missing, Severity::Breaking), Side::Control, a);
            }
            (None, Some(b)) => {
                self.report_one(Finding::new(Kind::Added, Severity::Exposure), Side::Candidate, b);
            }
            (None, None) => {}
        }
        self.masks.truncate(masks);
        self.states.truncate(start);
    }

    fn scalars(&mut self, a: NodeId, b: NodeId, level: Level) {
        let (left, right) = (self.scalar(Side::Control, a), self.scalar(Side::Candidate, b));
        let finding = match (left, right) {
            // Only the escapes differ: the same string to every reader.
            (Some(Scalar::Text(left)), Some(Scalar::Text(right))) if left == right => return,
            (Some(Scalar::Number(left)), Some(Scalar::Number(right)))
                if Number::of(left) == Number::of(right) =>
            {
                Finding::new(Kind::Value, Severity::Cosmetic).detail("form")
            }
            _ => Finding::new(Kind::Value, self.severity_of_change(a, b, Severity::Changed)),
        };
        let mut masks = Vec::new();
        if let (Some(left), Some(right)) = (left, right) {
            for (index, rule) in self.rules_at(&level) {
                let holds = match &rule.action {
                    Action::Tolerance(tolerance) => tolerance.holds(left, right),
                    Action::Format(format) => format.holds(left, right),
                    _ => continue,
                };
                self.findings.apply(index);
                masks.extend(holds.then_some(index));
            }
        }
        self.report_pair(finding, a, b, &masks);
    }

    /// Something where control had null or nothing is an exposure.
    fn severity_of_change(&self, a: NodeId, b: NodeId, otherwise: Severity) -> Severity {
        if self.control.is_empty(a) && !self.candidate.is_empty(b) { Severity::Exposure } else { otherwise }
    }

    fn scalar(&self, side: Side, node: NodeId) -> Option<Scalar<'a>> {
        let tree = self.tree(side);
        match tree.json_type(node) {
            JsonType::String => Some(Scalar::Text(tree.string(node))),
            JsonType::Number => Some(Scalar::Number(tree.raw(node))),
            _ => None,
        }
    }

    pub(super) fn tree(&self, side: Side) -> &'a Tree<'a> {
        match side {
            Side::Control => self.control,
            Side::Candidate => self.candidate,
        }
    }

    fn report_pair(&mut self, finding: Finding, a: NodeId, b: NodeId, own_masks: &[RuleIndex]) {
        let (control, candidate) = (self.control.raw(a), self.candidate.raw(b));
        let masks_before = self.masks.len();
        self.masks.extend_from_slice(own_masks);
        let (path, max) = (&self.path, self.findings.limits.value_bytes_max);
        self.findings.report(finding, &self.masks, || {
            let (control, candidate) = cut_both(control, candidate, max);
            (location(path, Side::Control), Some(control), Some(candidate))
        });
        self.masks.truncate(masks_before);
    }

    fn report_one(&mut self, finding: Finding, side: Side, node: NodeId) {
        let raw = self.tree(side).raw(node);
        let (path, max) = (&self.path, self.findings.limits.value_bytes_max);
        self.findings.report(finding, &self.masks, || {
            let value = Some(cut(raw, max));
            let (control, candidate) = if side == Side::Control { (value, None) } else { (None, value) };
            (location(path, side), control, candidate)
        });
    }

    /// Adds the states after one more step. `..` can arrive at one state in many ways; one of them is enough, or deep
    /// documents would multiply them.
    fn advance(&mut self, step: Step<'_>, level: &Level) {
        let start = self.states.len();
        for at in level.clone() {
            let State { rule, matched } = self.states[at];
            if let Target::Json(pattern) = &self.findings.rules()[rule].target {
                pattern.advance(matched, step, |matched| {
                    let state = State { rule, matched };
                    if !self.states[start..].contains(&state) {
                        self.states.push(state);
                    }
                });
            }
        }
    }

    /// Starts to hide what the `ignore` rules that lead exactly here hide.
    fn push_masks(&mut self, start: usize) {
        for at in start..self.states.len() {
            let State { rule, .. } = self.states[at];
            let declared = self.findings.rules()[rule];
            if is_complete(declared, self.states[at]) && matches!(declared.action, Action::Ignore) {
                self.findings.apply(rule);
                self.masks.push(rule);
            }
        }
    }

    /// The rules that lead exactly to this place.
    pub(super) fn rules_at(&self, level: &Level) -> Vec<(RuleIndex, &'r Rule)> {
        let states = self.states[level.clone()].iter();
        let declared = states.map(|state| (*state, self.findings.rules()[state.rule]));
        declared
            .filter(|(state, rule)| is_complete(rule, *state))
            .map(|(state, rule)| (state.rule, rule))
            .collect()
    }

    /// Whether a rule hides changes of this member in some element of the array at this level.
    pub(super) fn is_masked_in_elements(&mut self, level: &Level, member: &str) -> bool {
        if level.is_empty() {
            return false;
        }
        let start = self.states.len();
        self.advance(Step::Element { index: 0, len: 1 }, level);
        let element = start..self.states.len();
        self.advance(Step::Member(member), &element);
        let masked = self.rules_at(&(element.end..self.states.len())).iter().any(|(_, rule)| {
            matches!(rule.action, Action::Ignore | Action::Format(_) | Action::Tolerance(_))
        });
        self.states.truncate(start);
        masked
    }

    /// Equal on both sides: nothing to report, but rules that lead into it have found their place.
    fn count_applied(&mut self, node: NodeId, level: Level) {
        if self.states[level.clone()].iter().all(|state| self.findings.has_applied(state.rule)) {
            return;
        }
        let tree = self.control;
        let json_type = tree.json_type(node);
        for (index, rule) in self.rules_at(&level) {
            let suits = match rule.action {
                Action::Ignore => true,
                Action::Unordered | Action::Keyed { .. } => json_type == JsonType::Array,
                Action::Tolerance(_) | Action::Format(_) => {
                    matches!(json_type, JsonType::String | JsonType::Number)
                }
                Action::Compare => false,
            };
            if suits {
                self.findings.apply(index);
            }
        }
        let len = tree.len(node);
        for (index, child) in tree.children(node).enumerate() {
            let step = match json_type {
                JsonType::Object => Step::Member(tree.key(child)),
                _ => Step::Element { index, len },
            };
            let start = self.states.len();
            self.advance(step, &level);
            self.count_applied(child, start..self.states.len());
            self.states.truncate(start);
        }
    }
}

fn is_complete(rule: &Rule, state: State) -> bool {
    matches!(&rule.target, Target::Json(pattern) if pattern.is_complete(state.matched))
}

/// What only the candidate has is placed by the candidate's indices, everything else by control's.
fn location(path: &[At<'_>], side: Side) -> Location {
    let segments = path.iter().map(|at| match (*at, side) {
        (At::Member(key), _) => Segment::Key(key.to_owned()),
        (At::Element { control, .. }, Side::Control) => Segment::Index(control),
        (At::Element { candidate, .. }, Side::Candidate) => Segment::Index(candidate),
    });
    Location::Json(JsonPath(segments.collect()))
}
