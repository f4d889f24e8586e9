//! Groups: the list, and one of them.

use askama::Template;

use super::Frame;
use super::overview::Choice;
use super::words::Count;
use crate::divergence::Severity;

#[derive(Debug, Template)]
#[template(path = "groups.html")]
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
#[template(path = "group.html")]
pub struct GroupPage {
    pub frame: Frame,
    pub row: GroupRow,
    pub endpoint: String,
    pub endpoint_link: String,
    pub list_link: String,
    pub exchanges: Count,
    pub first_seen: String,
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
    /// The sample, drawn.
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
