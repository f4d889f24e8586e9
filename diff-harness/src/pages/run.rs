//! A suite's run.

use askama::Template;

use super::Frame;
use super::words::Count;

#[derive(Debug, Template)]
#[template(path = "run.html", blocks = ["content"])]
pub struct RunPage {
    pub frame: Frame,
    pub suite: String,
    pub file: String,
    pub headline: &'static str,
    /// How often the candidate allowed what control refused.
    pub exposed: Count,
    pub notes: Vec<String>,
    /// Class of the style sheet, name, number.
    pub tiles: Vec<(&'static str, &'static str, Count)>,
    /// In sentences.
    pub facts: Vec<String>,
    pub cases: Vec<CaseRow>,
    /// Whether there are more of them.
    pub is_cut: bool,
    /// Cases with nothing to say.
    pub plain: Count,
}

/// A step of a case with something to read in it.
#[derive(Clone, Debug)]
pub struct CaseRow {
    pub name: String,
    pub persona: String,
    pub step: String,
    pub line: u64,
    pub outcome: String,
    pub notes: String,
}
