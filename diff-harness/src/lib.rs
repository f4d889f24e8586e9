//! Compares what two servers answered to one request, and keeps the evidence.
//!
//! Reading order, the way an exchange flows:
//!
//! - [`endpoint`]: a method and a path template, the unit that is moved.
//! - [`exchange`]: one request with the observations made of it.
//! - [`divergence`], [`comparison`], [`fingerprint`]: what a comparison can say.
//! - [`json`]: a tree that loses nothing of the document.
//! - [`decode`], [`media`]: what a body's headers say it is.
//! - [`rules`]: declared ways to compare, in a file under version control.
//! - [`shape`]: what kind of request it was.
//! - [`compare`]: two observations become a judgement.
//! - [`noise`]: what differs by nature, learned by asking twice.
//! - [`lifecycle`]: where an endpoint stands, and what moves it.
//! - [`redact`]: what is taken out before anything is kept.
//! - [`har`]: what browsers record.
//! - [`store`]: the one small interface to what is remembered; [`ledger`]: it in one SQLite file; [`size`], [`owned`]: what it
//!   takes in memory until it is written.
//! - [`triage`]: what people decided about groups; [`audit`]: all that was done, as one log.
//! - [`gate`]: whether the evidence lets an endpoint move.
//! - [`stream`]: where the time of an endpoint goes.
//! - [`report`]: what a store holds, for a terminal, as JSON, and as one HTML file; [`pages`]: the review page's views.
//!
//! The comparison and the statistics are pure: no I/O, no clock. The ledger and the reports stand around them.

pub mod hint;
pub mod endpoint;
pub mod exchange;
pub mod divergence;
pub mod comparison;
pub mod fingerprint;
pub mod json;
pub mod decode;
pub mod media;
pub mod rules;
pub mod shape;
pub mod compare;
pub mod noise;
pub mod lifecycle;
pub mod evidence;
pub mod triage;
pub mod har;
pub mod suite;
pub mod redact;
pub mod search;
pub mod audit;
pub mod store;
pub mod size;
pub mod owned;
pub mod ledger;
pub mod gate;
pub mod stream;
pub mod report;
pub mod pages;
