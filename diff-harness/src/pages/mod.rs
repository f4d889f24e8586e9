//! The review page's views: plain data in, one page of HTML out. Pure; what fills them stands beside the store.
//!
//! Markup stands in `templates/`, one file a page. Every value in it is escaped by [`Visible`], whatever it is: bodies,
//! paths, reasons and names are all taken for hostile. What is marked `safe` in a template is markup that this crate
//! made by the same rule ([`crate::report::html`], [`plot`]).

mod frame;
mod links;
mod asset;
mod words;
mod standing;
mod days;
mod plot;
mod piece;
mod quantity;
mod coverage;
mod overview;
mod endpoint;
mod groups;
mod matrix;
mod rules;
mod run;
mod audit;
mod door;
mod frozen;

use std::fmt;

pub use asset::{Asset, asset};
pub use audit::{Audit, AuditRow};
pub use coverage::{Coverage, ShapeRow};
pub use days::StageDay;
pub use door::{Door, Trouble};
pub use endpoint::{Done, EndpointPage, Flip, FlipPage, GateShown, NearbyTraffic};
pub use frame::{Frame, Here, Visitor};
pub use frozen::{Frozen, FrozenPage};
pub(crate) use groups::short;
pub use groups::{DecisionShown, GroupEpochRow, GroupPage, GroupRow, GroupsPage, Paging};
pub use links::{Links, endpoint_anchor, group_anchor};
pub use matrix::{MatrixCell, MatrixPage, MatrixRow};
pub use overview::{Choice, EndpointRow, Meter, Need, Overview, Totals};
pub use piece::{bar, sample};
pub use plot::{Minute, burn_down, latencies, rates};
pub use quantity::Quantity;
pub use rules::{RuleRow, RulesPage, WaiverRow};
pub use run::{CaseRow, RunPage};
pub use standing::{LadderStep, held, is_moved, share};
pub use words::{Count, ago, day, link, moment, span};

use crate::report::html::page::Escaped;

/// The escaper of every template.
#[derive(Clone, Copy, Debug)]
pub struct Visible;

impl askama::filters::Escaper for Visible {
    fn write_escaped_str<W: fmt::Write>(&self, mut dest: W, text: &str) -> fmt::Result {
        write!(dest, "{}", Escaped(&text))
    }
}

#[cfg(test)]
mod tests;
