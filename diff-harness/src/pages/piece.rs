//! Pieces that pages share with the report, as markup.

use crate::report::Upstreams;
use crate::report::html;
use crate::report::html::page::Page;
use crate::store::{Sample, Tally};

/// What a kept exchange may take of a page.
const SAMPLE_BYTES_MAX: usize = 160_000;

/// Where all requests went, to scale.
pub fn bar(tally: &Tally) -> String {
    let mut page = Page::default();
    html::bar::write(&mut page, tally, "bar wide");
    page.finish()
}

/// A kept exchange: both bodies beside each other, heads, and lines that repeat it. Of long bodies, what differs first.
pub fn sample(sample: &Sample, upstreams: &Upstreams) -> String {
    html::sample(sample, upstreams, SAMPLE_BYTES_MAX)
}
