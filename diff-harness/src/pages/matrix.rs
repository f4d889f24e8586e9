//! Who may do what on each side: persona × endpoint.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;

use super::words::{Count, link};
use super::{Frame, Paging};
use crate::endpoint::EndpointId;
use crate::suite::matrix::{Access, Cell, Matrix};

/// Cells on one page: some 200 KB of markup.
const CELLS_MAX: usize = 1_500;

#[derive(Debug, Template)]
#[template(path = "matrix.html", blocks = ["content"])]
pub struct MatrixPage {
    pub frame: Frame,
    pub personas: Vec<String>,
    pub rows: Vec<MatrixRow>,
    /// How often the candidate allowed what control refused.
    pub exposed: Count,
    /// Where it is from, piece by piece; empty where there is none.
    pub source: Vec<String>,
    /// Whether the candidate was deployed anew since.
    pub is_old: bool,
    pub paging: Paging,
}

#[derive(Clone, Debug)]
pub struct MatrixRow {
    pub method: String,
    pub template: String,
    pub cells: Vec<MatrixCell>,
}

/// What each side allowed one persona at one endpoint.
#[derive(Clone, Debug, Default)]
pub struct MatrixCell {
    pub persona: String,
    /// The class of the style sheet: `exposure`, `breaking`, `changed`, `same` or nothing.
    pub mark: &'static str,
    /// The verdict in words; empty where the persona was not tried there.
    pub word: &'static str,
    pub control: String,
    pub candidate: String,
}

impl MatrixPage {
    /// One page of it, counted from 0: where the candidate allows more stands first. `None` is all of it.
    pub fn new(frame: Frame, matrix: &Matrix, source: Vec<String>, page: Option<usize>) -> Self {
        let personas = matrix.personas();
        let row = |(endpoint, cells): &(&EndpointId, &BTreeMap<Arc<str>, Cell>)| MatrixRow {
            method: endpoint.method().to_string(),
            template: endpoint.template().to_owned(),
            cells: personas.iter().map(|persona| MatrixCell::of(persona, cells.get(*persona))).collect(),
        };
        let mut all: Vec<_> = matrix.rows().collect();
        all.sort_by_key(|(_, cells)| {
            let differs = cells.values().any(|cell| cell.control != cell.candidate);
            std::cmp::Reverse((cells.values().map(|cell| cell.exposed).max(), differs))
        });
        let found = all.len();
        let size = if page.is_some() { (CELLS_MAX / personas.len().max(1)).max(1) } else { found.max(1) };
        let at = page.unwrap_or_default();
        let to = |page: usize| link("/matrix", &[("page", &page.to_string())]);
        Self {
            frame,
            rows: all.iter().skip(at.saturating_mul(size)).take(size).map(row).collect(),
            exposed: Count(matrix.exposed()),
            personas: personas.iter().map(ToString::to_string).collect(),
            source,
            is_old: false,
            paging: Paging::new(at, size, found as u64, to),
        }
    }
}

impl MatrixCell {
    fn of(persona: &str, cell: Option<&Cell>) -> Self {
        let Some(cell) = cell else { return Self { persona: persona.to_owned(), ..Self::default() } };
        let (control, candidate) = (cell.control, cell.candidate);
        let (mark, word) = if cell.exposed > 0 {
            ("exposure", "allows more")
        } else if candidate.refused > control.refused {
            ("breaking", "refuses more")
        } else if candidate.failed > control.failed {
            ("breaking", "fails")
        } else if control == candidate {
            ("same", "same")
        } else {
            ("changed", "differs")
        };
        Self { persona: persona.to_owned(), mark, word, control: told(control), candidate: told(candidate) }
    }
}

fn told(access: Access) -> String {
    let parts = [(access.allowed, "allowed"), (access.refused, "refused"), (access.failed, "failed")];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}
