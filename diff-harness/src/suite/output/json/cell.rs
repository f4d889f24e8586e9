//! One place of the matrix.

use serde::{Deserialize, Serialize};

use crate::endpoint::EndpointId;
use crate::suite::matrix::{Access, Cell};

#[derive(Serialize, Deserialize)]
pub(super) struct CellView {
    pub(super) persona: String,
    pub(super) endpoint: String,
    control: AccessView,
    candidate: AccessView,
    /// How often the candidate allowed what control refused.
    exposed: u64,
}

#[derive(Serialize, Deserialize)]
struct AccessView {
    access: String,
    allowed: u64,
    refused: u64,
    failed: u64,
}

impl CellView {
    pub(super) fn of(endpoint: &EndpointId, persona: &str, cell: &Cell) -> Self {
        Self {
            persona: persona.to_owned(),
            endpoint: endpoint.to_string(),
            control: AccessView::of(&cell.control),
            candidate: AccessView::of(&cell.candidate),
            exposed: cell.exposed,
        }
    }

    /// What was counted there.
    pub(super) fn read(&self) -> Cell {
        Cell { control: self.control.read(), candidate: self.candidate.read(), exposed: self.exposed }
    }
}

impl AccessView {
    fn of(access: &Access) -> Self {
        let Access { allowed, refused, failed } = *access;
        Self { access: access.as_str().to_owned(), allowed, refused, failed }
    }

    fn read(&self) -> Access {
        Access { allowed: self.allowed, refused: self.refused, failed: self.failed }
    }
}
