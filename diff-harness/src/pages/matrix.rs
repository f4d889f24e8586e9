//! Who may do what on each side: persona × endpoint.

use std::sync::Arc;

use askama::Template;

use super::Frame;
use super::words::Count;
use crate::suite::matrix::{Access, Cell, Matrix};

#[derive(Debug, Template)]
#[template(path = "matrix.html")]
pub struct MatrixPage {
    pub frame: Frame,
    pub personas: Vec<String>,
    pub rows: Vec<MatrixRow>,
    /// How often the candidate allowed what control refused.
    pub exposed: Count,
    /// Where it is from; empty where there is none.
    pub source: String,
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
    /// The class of the style sheet: `exposure`, `breaking`, `same` or nothing.
    pub mark: &'static str,
    /// The verdict in words; empty where the persona was not tried there.
    pub word: &'static str,
    pub control: String,
    pub candidate: String,
}

impl MatrixPage {
    pub fn new(frame: Frame, matrix: &Matrix, source: String) -> Self {
        let personas = matrix.personas();
        let row = |(endpoint, cells): (
            &crate::endpoint::EndpointId,
            &std::collections::BTreeMap<Arc<str>, Cell>,
        )| {
            MatrixRow {
                method: endpoint.method().to_string(),
                template: endpoint.template().to_owned(),
                cells: personas
                    .iter()
                    .map(|persona| cells.get(*persona).map(MatrixCell::of).unwrap_or_default())
                    .collect(),
            }
        };
        Self {
            frame,
            rows: matrix.rows().map(row).collect(),
            exposed: Count(matrix.exposed()),
            personas: personas.iter().map(ToString::to_string).collect(),
            source,
        }
    }
}

impl MatrixCell {
    fn of(cell: &Cell) -> Self {
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
        Self { mark, word, control: told(control), candidate: told(candidate) }
    }
}

fn told(access: Access) -> String {
    let parts = [(access.allowed, "allowed"), (access.refused, "refused"), (access.failed, "failed")];
    let parts: Vec<_> = parts.iter().filter(|(n, _)| *n > 0).map(|(n, word)| format!("{n} {word}")).collect();
    if parts.is_empty() { "nothing".to_owned() } else { parts.join(", ") }
}
