//! One HTML file that needs nothing else: no network, no font, no script to be read. It works in a mail and from a
//! disk, in light and dark, and prints. Its pages are those of the review page ([`crate::pages`]).

pub(crate) mod page;
pub(crate) mod bar;
mod frozen;
mod group;
mod bodies;

use super::{GroupReport, Report, Upstreams};
use crate::lifecycle::Route;
use crate::pages::{Flip, Frozen, Meter};
use crate::store::Sample;
use bodies::Budget;
use page::Page;

/// What only a running proxy knows of an endpoint: what its gate says to the next move.
#[derive(Clone, Debug)]
pub struct Judged {
    pub next: Flip,
    pub meter: Meter,
    /// Comparisons that verify a fix.
    pub enough: u64,
}

pub fn render(report: &Report) -> String {
    render_judged(report, &|_| None)
}

/// With what the gate says.
pub fn render_judged(report: &Report, judged: &dyn Fn(&Route) -> Option<Judged>) -> String {
    frozen::of(report, judged).finish()
}

/// One group with its kept exchanges, as a page of its own.
pub fn render_group(group: &GroupReport, upstreams: &Upstreams) -> String {
    let page = frozen::group(group, upstreams, u64::MAX, group.group.last_seen, &mut Budget::whole_page());
    Frozen { title: "Strangler group".to_owned(), made: Vec::new(), places: Vec::new(), pages: vec![page] }
        .finish()
}

/// One kept exchange as a piece of a page, of about so many bytes at most.
pub(crate) fn sample(sample: &Sample, upstreams: &Upstreams, bytes_max: usize) -> String {
    let mut page = Page::default();
    group::sample(&mut page, sample, upstreams, &mut Budget::bytes(bytes_max));
    page.finish()
}

/// Both values of a divergence as a piece of a page.
pub(crate) fn values(divergence: &crate::divergence::Divergence) -> String {
    let mut page = Page::default();
    group::values(&mut page, divergence);
    page.finish()
}
