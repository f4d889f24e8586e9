//! The list of groups, and the rows of groups on other pages.

use std::collections::BTreeMap;
use std::sync::Arc;

use diff_harness::divergence::Severity;
use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::pages::{Choice, Count, GroupRow, GroupsPage, Here, Links, Paging, link};
use diff_harness::search::Search;
use diff_harness::store::{Among, Epoch, EpochFilter, GroupListing};
use diff_harness::triage::{State, Triaged};
use http::StatusCode;
use serde::Deserialize;

use super::endpoint::named;
use super::guard::Guest;
use super::reply::{Failed, Page, html, wrong};
use super::site::Site;
use super::visit::Visit;

const ROWS: usize = 50;

const SEVERITIES: [(&str, &str); 5] = [
    ("", "all"),
    ("exposure", "exposure"),
    ("breaking", "breaking"),
    ("changed", "changed"),
    ("cosmetic", "cosmetic"),
];
const STATES: [(&str, &str); 7] = [
    ("", "open"),
    ("undecided", "to decide"),
    ("bug", "bug"),
    ("fixed", "fixed"),
    ("waived", "waived"),
    ("verified", "verified"),
    ("all", "all"),
];

/// Which groups a list has, and where in it.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Asked {
    #[serde(default)]
    search: String,
    #[serde(default)]
    pub(super) endpoint: String,
    #[serde(default)]
    pub(super) severity: String,
    #[serde(default)]
    pub(super) state: String,
    #[serde(default)]
    page: usize,
    /// Of one group: which of its samples.
    #[serde(default)]
    pub(super) sample: usize,
    /// Of one group: the line of the log that was just written.
    pub(super) done: Option<u64>,
}

/// The parts of a [`GroupListing`], owned.
pub(super) struct Selection {
    pub(super) epoch: Arc<Epoch>,
    endpoint: Option<EndpointId>,
    severity: Option<Severity>,
    pub(super) search: Search,
    among: Chosen,
}

enum Chosen {
    All,
    Only(Vec<Fingerprint>),
    Except(Vec<Fingerprint>),
}

impl Asked {
    /// The address of something in the same list.
    pub(super) fn link(&self, path: &str, more: &[(&str, &str)]) -> String {
        // Of an endless one, what is heeded.
        let search = Search::new(&self.search).to_string();
        let own = [
            ("search", search.as_str()),
            ("endpoint", &self.endpoint),
            ("severity", &self.severity),
            ("state", &self.state),
        ];
        link(path, &[&own[..], more].concat())
    }

    pub(super) fn selection(&self, site: &Site) -> Result<Selection, Failed> {
        let severity = match self.severity.as_str() {
            "" => None,
            text => Some(
                Severity::ALL
                    .into_iter()
                    .find(|severity| severity.as_str() == text)
                    .ok_or_else(|| wrong(format!("`{text}` is not a severity")))?,
            ),
        };
        let states = || site.api.control.states();
        let among = match self.state.as_str() {
            "all" => Chosen::All,
            "" => Chosen::Except(states()?.passing()),
            "undecided" => Chosen::Except(states()?.that(|state| !is_undecided(state))),
            "waived" => Chosen::Only(states()?.waived()),
            text => match State::ALL.into_iter().find(|state| state.as_str() == text) {
                Some(wanted) => Chosen::Only(states()?.that(|state| state == wanted)),
                None => return Err(wrong(format!("`{text}` is not what a list of groups can be of"))),
            },
        };
        Ok(Selection {
            epoch: site.api.recorder.epochs().current(),
            endpoint: (!self.endpoint.is_empty()).then(|| named(&self.endpoint)).transpose()?,
            severity,
            search: Search::new(&self.search),
            among,
        })
    }
}

impl Selection {
    pub(super) fn of(endpoint: &EndpointId, site: &Site) -> Result<Self, Failed> {
        let asked = Asked { endpoint: endpoint.to_string(), ..Asked::default() };
        asked.selection(site)
    }

    pub(super) fn listing(&self, offset: usize, limit: usize) -> GroupListing<'_> {
        GroupListing {
            epoch: &self.epoch,
            endpoint: self.endpoint.as_ref(),
            severity: self.severity,
            search: &self.search,
            among: match &self.among {
                Chosen::All => Among::All,
                Chosen::Only(groups) => Among::Only(groups),
                Chosen::Except(groups) => Among::Except(groups),
            },
            offset,
            limit,
        }
    }
}

pub(super) async fn list(visit: Visit<Asked>) -> Page {
    visit.page(|site, guest, asked| Ok(html(StatusCode::OK, &view(site, guest, &asked)?))).await
}

fn view(site: &Site, guest: &Guest, asked: &Asked) -> Result<GroupsPage, Failed> {
    let api = &site.api;
    api.flush();
    let selection = asked.selection(site)?;
    let listed = api.store.list_groups(&selection.listing(asked.page.saturating_mul(ROWS), ROWS))?;
    let compared = if listed.groups.is_empty() { compared(site, &selection.epoch)? } else { 0 };
    let mut rows = rows(site, guest, &listed.groups, &selection.epoch)?;
    for row in &mut rows {
        row.link = asked.link(&format!("/groups/{}", row.id), &[]);
    }
    let mut frame = site.frame(guest, "Groups", Here::Groups);
    if asked.done.is_some() {
        frame.said = Some("Decided. That was the last one of this list.".to_owned());
    }
    Ok(GroupsPage {
        frame,
        search: selection.search.to_string(),
        endpoint: asked.endpoint.clone(),
        severity: Choice::of(&SEVERITIES, &asked.severity),
        state: Choice::of(&STATES, &asked.state),
        rows,
        paging: Paging::new(asked.page, ROWS, listed.found, |page| {
            asked.link("/groups", &[("page", &page.to_string())])
        }),
        compared: Count(compared),
        left_out: Count(0),
        rest: "",
        seen: "last seen",
    })
}

fn compared(site: &Site, epoch: &Epoch) -> Result<u64, Failed> {
    let tallies = site.api.store.tallies(EpochFilter::Only(epoch))?;
    Ok(tallies.iter().map(|(_, tally)| tally.compared()).sum())
}

/// The rows of these groups, for this visitor.
pub(super) fn rows(
    site: &Site,
    guest: &Guest,
    groups: &[Triaged],
    epoch: &Epoch,
) -> Result<Vec<GroupRow>, Failed> {
    let ids: Vec<_> = groups.iter().map(|triaged| triaged.group.fingerprint.clone()).collect();
    let views = site.api.store.views(&guest.admitted.name, &ids)?;
    let now = site.api.control.now();
    let row = |triaged: &Triaged| {
        let enough = site.api.control.enough(&triaged.group.endpoint);
        let is_viewed = is_viewed(&views, triaged, epoch);
        GroupRow { is_viewed, ..GroupRow::new(triaged, enough, now, Links::Live) }
    };
    Ok(groups.iter().map(row).collect())
}

fn is_viewed(views: &BTreeMap<Fingerprint, String>, triaged: &Triaged, epoch: &Epoch) -> bool {
    views.get(&triaged.group.fingerprint).is_some_and(|seen| *seen == seen_as(triaged, epoch))
}

/// What a group is like, as far as somebody who looked at it has to look again: another deployment has it too, somebody
/// decided on it, or it grew tenfold.
pub(super) fn seen_as(triaged: &Triaged, epoch: &Epoch) -> String {
    let Epoch { candidate, control, rules } = epoch;
    let tens = triaged.group.count.max(1).ilog10();
    format!("{candidate}\n{control}\n{rules}\n{}\n{tens}", triaged.newest_entry)
}

/// Whether somebody has to say what it is: nobody did, or what was said does not hold any more.
fn is_undecided(state: State) -> bool {
    matches!(state, State::New | State::Expired | State::Regressed)
}
