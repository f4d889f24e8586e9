//! Groups: the list, and one of them.

use std::collections::BTreeSet;

use askama::Template;

use super::overview::Choice;
use super::words::{Count, ago, day, moment};
use super::{Frame, Here, Links};
use crate::divergence::Severity;
use crate::exchange::UnixMillis;
use crate::report::without_kind;
use crate::store::{Epoch, GroupEpoch};
use crate::triage::{Act, Entry, Triaged};

#[derive(Debug, Template)]
#[template(path = "groups.html", blocks = ["content"])]
pub struct GroupsPage {
    pub frame: Frame,
    pub search: String,
    /// Only of this endpoint; empty for all.
    pub endpoint: String,
    pub severity: Vec<Choice>,
    pub state: Vec<Choice>,
    pub rows: Vec<GroupRow>,
    pub paging: Paging,
    /// Where nothing is listed: whether anything was compared at all.
    pub compared: Count,
    /// Groups that are not in a report, and where they are.
    pub left_out: Count,
    pub rest: &'static str,
    /// What the column says when they were seen, or where.
    pub seen: &'static str,
}

impl GroupsPage {
    /// In a report: the script of the page chooses among the severities that there are.
    pub(crate) fn frozen(rows: Vec<GroupRow>, compared: u64) -> Self {
        Self {
            frame: Frame::frozen("groups", "Groups", Here::Groups),
            search: String::new(),
            endpoint: String::new(),
            severity: severities(&rows),
            state: Vec::new(),
            rows,
            paging: Paging::default(),
            compared: Count(compared),
            left_out: Count(0),
            rest: "",
            seen: "last seen",
        }
    }
}

/// A choice for each severity that there is, the worst first.
fn severities(rows: &[GroupRow]) -> Vec<Choice> {
    let there: BTreeSet<Severity> = rows.iter().map(|row| row.severity).collect();
    let choice = |severity: Severity| Choice {
        value: severity.as_str().to_owned(),
        name: severity.as_str().to_owned(),
        chosen: true,
    };
    there.into_iter().rev().map(choice).collect()
}

#[derive(Clone, Debug)]
pub struct GroupRow {
    pub id: String,
    pub link: String,
    pub severity: Severity,
    pub kind: &'static str,
    pub location: String,
    pub detail: Option<String>,
    pub method: String,
    pub template: String,
    pub count: Count,
    pub last_seen: String,
    pub control: Option<String>,
    pub candidate: Option<String>,
    /// What was decided: `new`, `bug`, `expected` …
    pub state: &'static str,
    pub is_open: bool,
    /// Whether this visitor has looked at it since it changed last.
    pub is_viewed: bool,
}

/// One group.
#[derive(Debug, Template)]
#[template(path = "group.html", blocks = ["content"])]
pub struct GroupPage {
    pub frame: Frame,
    pub row: GroupRow,
    pub endpoint: String,
    pub endpoint_link: String,
    pub list_link: String,
    /// What else is to say of it, in sentences.
    pub notes: Vec<String>,
    pub exchanges: Count,
    pub first_seen: String,
    /// In which epochs it was found, the newest first; empty in a suite's report.
    pub epochs: Vec<GroupEpochRow>,
    /// With how many exchanges, most often first.
    pub shapes: Vec<(String, Count)>,
    /// Where the group can be split by its shapes.
    pub split_shapes: Vec<Choice>,
    /// Where it lies in the sample.
    pub place: String,
    /// Of which group it is a part, and which.
    pub part_of: Option<(String, String)>,
    /// In the order of the list.
    pub previous: Option<String>,
    pub next: Option<String>,
    /// Where to go after a decision.
    pub then: String,
    /// The newest line of the log about it that the visitor sees.
    pub expected: u64,
    /// Which of the kept samples is shown, from 1; 0 where none is kept.
    pub sample: usize,
    pub samples: usize,
    pub previous_sample: Option<String>,
    pub next_sample: Option<String>,
    /// Above what is drawn, where it is no sample of a store; empty where it is.
    pub heading: &'static str,
    /// The sample, or the samples, drawn.
    pub shown: String,
    pub case_link: Option<String>,
    /// The log about it, the newest first.
    pub decisions: Vec<DecisionShown>,
    pub may_undo: bool,
    /// The day that is proposed for a waiver to end on.
    pub expires: String,
    /// Whether it may be called noise at all.
    pub may_be_noise: bool,
}

/// One line of the log of decisions.
#[derive(Clone, Debug)]
pub struct DecisionShown {
    pub sequence: u64,
    pub at: String,
    pub call: String,
    pub actor: String,
    pub owner: String,
    pub reason: String,
    pub expires: String,
}

/// One epoch in which a group was found.
#[derive(Clone, Debug)]
pub struct GroupEpochRow {
    pub candidate: String,
    pub control: String,
    pub rules: String,
    pub count: Count,
    pub exchanges: Count,
    pub first_seen: String,
    pub last_seen: String,
}

impl GroupPage {
    /// A suite keeps no log of decisions.
    fn shows_decisions(&self) -> bool {
        !self.frame.is_frozen() || !self.decisions.is_empty() || self.shows_where()
    }

    fn shows_where(&self) -> bool {
        !self.epochs.is_empty()
    }
}

impl GroupRow {
    /// `enough` comparisons without it verify a fix. Nobody has viewed it.
    pub fn new(triaged: &Triaged, enough: u64, now: UnixMillis, links: Links) -> Self {
        let group = &triaged.group;
        let state = triaged.state(enough, now);
        let example = group.example.get();
        let id = group.fingerprint.to_string();
        Self {
            link: links.group(&id),
            id,
            severity: group.severity,
            kind: group.kind.as_str(),
            location: without_kind(group.kind, &group.location).to_owned(),
            detail: detail(triaged),
            method: group.endpoint.method().to_string(),
            template: group.endpoint.template().to_owned(),
            count: Count(group.count),
            last_seen: match links {
                Links::Live => ago(group.last_seen, now),
                Links::Frozen => moment(group.last_seen),
            },
            control: example.control.as_deref().map(short),
            candidate: example.candidate.as_deref().map(short),
            state: state.as_str(),
            is_open: state.is_open(),
            is_viewed: false,
        }
    }
}

/// What sets it apart: of a part, which part it is.
fn detail(triaged: &Triaged) -> Option<String> {
    let part = triaged.part.as_ref().map(|part| format!("the part of {}: {}", part.of, part.predicate));
    match (&triaged.group.detail, part) {
        (Some(detail), Some(part)) => Some(format!("{detail}; {part}")),
        (detail, part) => part.or_else(|| detail.clone()),
    }
}

/// Enough of a value for a list.
pub(crate) fn short(value: &str) -> String {
    const CHARS_MAX: usize = 120;
    match value.char_indices().nth(CHARS_MAX) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

impl From<&GroupEpoch> for GroupEpochRow {
    fn from(found: &GroupEpoch) -> Self {
        let Epoch { candidate, control, rules } = found.seen.epoch.clone();
        let named = |name: String| if name.is_empty() { "unnamed".to_owned() } else { name };
        Self {
            candidate: named(candidate),
            control: named(control),
            rules: named(rules),
            count: Count(found.count),
            exchanges: Count(found.exchanges),
            first_seen: moment(found.seen.first),
            last_seen: moment(found.seen.last),
        }
    }
}

impl From<&Entry> for DecisionShown {
    fn from(entry: &Entry) -> Self {
        let wish = &entry.wish;
        let (owner, expires) = match &wish.act {
            Act::Decide { owner, expires, .. } => (owner.clone(), expires.map(day).unwrap_or_default()),
            Act::Undo | Act::Split(_) | Act::Join => (String::new(), String::new()),
        };
        let call = match (&wish.act, entry.takes_back) {
            (Act::Split(predicate), _) => format!("split: {predicate}"),
            (act, Some(line)) => format!("{} of number {line}", act.as_str()),
            (act, None) => act.as_str().to_owned(),
        };
        Self {
            sequence: entry.sequence,
            at: moment(wish.at),
            call,
            actor: wish.actor.clone(),
            owner,
            reason: wish.reason.clone(),
            expires,
        }
    }
}

/// Which part of a list is on the page.
#[derive(Clone, Debug, Default)]
pub struct Paging {
    pub from: Count,
    pub to: Count,
    pub found: Count,
    pub before: Option<String>,
    pub after: Option<String>,
}

impl Paging {
    /// `page` counts from 0; `link` makes the address of a page.
    pub fn new(page: usize, size: usize, found: u64, link: impl Fn(usize) -> String) -> Self {
        let first = page.saturating_mul(size) as u64;
        let to = found.min(first.saturating_add(size as u64));
        Self {
            from: Count(if found == 0 { 0 } else { first.saturating_add(1).min(found) }),
            to: Count(to),
            found: Count(found),
            before: page.checked_sub(1).map(&link),
            after: (to < found).then(|| link(page + 1)),
        }
    }
}
