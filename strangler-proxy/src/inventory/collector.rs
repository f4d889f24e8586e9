//! Makes one import of many declarations: duplicates become one, ties are settled, overlaps are noted.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::{Declaration, Parameter};
use http::Method;

use super::{Import, Note};
use crate::routes::Template;

/// How many overlapping pairs are noted one by one.
const OVERLAPS_MAX: usize = 500;

#[derive(Debug, Default)]
pub(super) struct Collector {
    found: Vec<Found>,
    pub(super) notes: Vec<Note>,
}

/// One declaration, as it stood in the document.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) method: Method,
    pub(super) template: Template,
    pub(super) pointer: String,
    pub(super) parameters: Vec<Parameter>,
    pub(super) statuses: Vec<String>,
    /// The server's host, where the document names one.
    pub(super) host: Option<String>,
}

impl Collector {
    pub(super) fn add(&mut self, found: Found) {
        self.found.push(found);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    pub(super) fn finish(mut self, source_name: &str) -> Import {
        let mut same_set: BTreeMap<(String, String), Vec<Found>> = BTreeMap::new();
        for found in self.found {
            same_set.entry((found.template.shape(), found.method.to_string())).or_default().push(found);
        }
        let mut kept: Vec<Found> =
            same_set.into_values().map(|found| settle(found, &mut self.notes)).collect();
        kept.sort_by_cached_key(Found::endpoint);

        note_hosts(&kept, &mut self.notes);
        note_overlaps(&kept, &mut self.notes);
        let endpoints = kept
            .into_iter()
            .map(|found| {
                let source = format!("{source_name}#{}", found.pointer);
                let endpoint = found.endpoint();
                (endpoint, Declaration { source, parameters: found.parameters, statuses: found.statuses })
            })
            .collect();
        Import { endpoints, notes: self.notes }
    }
}

impl Found {
    fn endpoint(&self) -> EndpointId {
        EndpointId::new(self.method.clone(), self.template.as_str())
    }
}

/// Makes one of declarations that match the same requests; the first by its text stays, as in the matcher.
fn settle(mut same: Vec<Found>, notes: &mut Vec<Note>) -> Found {
    // Stable: what comes first in the document comes first here.
    same.sort_by(|a, b| a.template.as_str().cmp(b.template.as_str()));
    let mut rest = same.into_iter();
    let mut kept = rest.next().expect("a group is made for a first member");
    let mut pointers = vec![kept.pointer.clone()];
    let mut left_out: Vec<EndpointId> = Vec::new();
    for other in rest {
        if other.template.as_str() == kept.template.as_str() {
            pointers.push(other.pointer.clone());
        } else if left_out.last() != Some(&other.endpoint()) {
            left_out.push(other.endpoint());
        }
        merge(&mut kept, other);
    }
    let endpoint = kept.endpoint();
    notes.extend(left_out.into_iter().map(|left_out| Note::Tie { kept: endpoint.clone(), left_out }));
    if pointers.len() > 1 {
        notes.push(Note::Merged { endpoint, pointers });
    }
    kept
}

/// A parameter is required only if every declaration requires it.
fn merge(kept: &mut Found, other: Found) {
    let same = |a: &Parameter, b: &Parameter| a.name == b.name && a.place == b.place;
    for parameter in &mut kept.parameters {
        let also = other.parameters.iter().any(|theirs| same(theirs, parameter) && theirs.required);
        parameter.required &= also || parameter.place == "path";
    }
    for parameter in other.parameters {
        let known = kept.parameters.iter().any(|own| same(own, &parameter));
        // The path has the names of the template that was kept.
        if !known && parameter.place != "path" {
            kept.parameters.push(Parameter { required: false, ..parameter });
        }
    }
    for status in other.statuses {
        if !kept.statuses.contains(&status) {
            kept.statuses.push(status);
        }
    }
}

/// Notes every host but that of most endpoints.
fn note_hosts(kept: &[Found], notes: &mut Vec<Note>) {
    let mut hosts: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
    for found in kept {
        if let Some(host) = &found.host {
            hosts.entry(host).or_default().push(found);
        }
    }
    let Some(most) = hosts.values().map(Vec::len).max() else { return };
    let main = hosts.iter().find(|(_, found)| found.len() == most).map(|(host, _)| *host);
    for (host, found) in hosts.iter().filter(|(host, _)| Some(**host) != main) {
        let endpoints = found.iter().map(|found| found.endpoint()).collect();
        notes.push(Note::OtherHost { host: (*host).to_owned(), endpoints });
    }
}

fn note_overlaps(kept: &[Found], notes: &mut Vec<Note>) {
    let mut more = 0;
    let mut noted = 0;
    for (at, a) in kept.iter().enumerate() {
        for b in &kept[at + 1..] {
            if a.method != b.method || !a.template.overlaps(&b.template) {
                continue;
            }
            if noted == OVERLAPS_MAX {
                more += 1;
                continue;
            }
            noted += 1;
            let (winner, other) = match a.template.by_precedence(&b.template) {
                Ordering::Greater => (b, a),
                Ordering::Less | Ordering::Equal => (a, b),
            };
            notes.push(Note::Overlap { winner: winner.endpoint(), other: other.endpoint() });
        }
    }
    if more > 0 {
        notes.push(Note::MoreOverlaps(more));
    }
}
