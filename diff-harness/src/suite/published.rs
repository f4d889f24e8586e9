//! A suite's matrix as it was published: kept in the store, shown on the review page and in reports.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::matrix::{Access, Cell, Matrix};
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::store::{Store, StoreError};

const SETTING: &str = "matrix";
/// Twenty personas at five hundred endpoints.
const CELLS_MAX: usize = 10_000;
const PERSONAS_MAX: usize = 200;
const TEXT_CHARS_MAX: usize = 300;

/// What is sent: the matrix of one run, and of what revision it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Publication {
    pub suite: String,
    /// Of the code that was tried: a commit, a version. Empty where nobody said.
    #[serde(default)]
    pub revision: String,
    pub cells: Vec<CellRow>,
}

/// How often each side allowed, refused and failed one persona at one endpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CellRow {
    pub endpoint: String,
    pub persona: String,
    pub control: [u64; 3],
    pub candidate: [u64; 3],
    pub exposed: u64,
}

/// The last publication, with who made it and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Published {
    pub suite: String,
    #[serde(default)]
    pub revision: String,
    pub actor: String,
    pub at_ms: u64,
    pub cells: Vec<CellRow>,
}

impl Publication {
    pub fn new(suite: impl Into<String>, revision: impl Into<String>, matrix: &Matrix) -> Self {
        let numbers = |access: Access| [access.allowed, access.refused, access.failed];
        let row = |(endpoint, persona, cell): (&EndpointId, &Arc<str>, &Cell)| CellRow {
            endpoint: endpoint.to_string(),
            persona: persona.to_string(),
            control: numbers(cell.control),
            candidate: numbers(cell.candidate),
            exposed: cell.exposed,
        };
        Self { suite: suite.into(), revision: revision.into(), cells: matrix.iter().map(row).collect() }
    }

    /// Says why it cannot be shown: nothing in it, too much, or something that is no endpoint.
    pub fn check(&self) -> Result<(), String> {
        if self.cells.is_empty() {
            return Err("the run tried no persona at any endpoint".to_owned());
        }
        if self.cells.len() > CELLS_MAX {
            return Err(format!("a matrix has at most {CELLS_MAX} cells, this one has {}", self.cells.len()));
        }
        let personas: std::collections::BTreeSet<_> = self.cells.iter().map(|cell| &cell.persona).collect();
        if personas.len() > PERSONAS_MAX {
            return Err(format!(
                "a matrix has at most {PERSONAS_MAX} personas, this one has {}",
                personas.len()
            ));
        }
        let texts = [&self.suite, &self.revision].into_iter().chain(personas);
        for text in texts {
            if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
                return Err(format!(
                    "the name of a suite, a revision or a persona has at most {TEXT_CHARS_MAX} printable characters"
                ));
            }
        }
        for (at, cell) in self.cells.iter().enumerate() {
            if let Err(error) = cell.endpoint.parse::<EndpointId>() {
                return Err(format!("cells[{at}].endpoint: {error}"));
            }
        }
        Ok(())
    }
}

impl Published {
    pub fn new(publication: Publication, actor: String, at: UnixMillis) -> Self {
        let Publication { suite, revision, cells } = publication;
        Self { suite, revision, actor, at_ms: at.0, cells }
    }

    /// The last one that was published.
    pub fn last(store: &dyn Store) -> Result<Option<Self>, StoreError> {
        let text = store.setting(SETTING)?;
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
    }

    pub fn keep(&self, store: &dyn Store) -> Result<(), StoreError> {
        let text = serde_json::to_string(self).expect("plain data is serializable");
        store.set_setting(SETTING, &text)
    }

    pub fn at(&self) -> UnixMillis {
        UnixMillis(self.at_ms)
    }

    pub fn matrix(&self) -> Matrix {
        let access = |[allowed, refused, failed]: [u64; 3]| Access { allowed, refused, failed };
        let mut matrix = Matrix::default();
        for row in &self.cells {
            let Ok(endpoint) = row.endpoint.parse() else { continue };
            let cell =
                Cell { control: access(row.control), candidate: access(row.candidate), exposed: row.exposed };
            matrix.add(&row.persona.as_str().into(), &endpoint, &cell);
        }
        matrix
    }
}

#[cfg(test)]
mod tests {
    use http::StatusCode;

    use super::*;

    fn matrix() -> Matrix {
        let mut matrix = Matrix::default();
        let endpoint: EndpointId = "GET /playlists/{id}".parse().unwrap();
        for (persona, control, candidate) in [("anonymous", 404, 200), ("owner", 200, 200)] {
            let status = |code: u16| StatusCode::from_u16(code).unwrap();
            matrix.count(&Arc::from(persona), &endpoint, status(control), status(candidate));
        }
        matrix
    }

    #[test]
    fn a_matrix_comes_back_as_it_was_published() {
        let publication = Publication::new("access", "3f2a", &matrix());
        publication.check().unwrap();
        let text = serde_json::to_string(&publication).unwrap();
        let sent: Publication = serde_json::from_str(&text).unwrap();
        let published = Published::new(sent, "ci".to_owned(), UnixMillis(5));
        assert_eq!((published.matrix(), published.matrix().exposed()), (matrix(), 1));
        // What an earlier version kept had no revision.
        let older = r#"{"suite":"s","actor":"ann","at_ms":1,"cells":[]}"#;
        assert_eq!(serde_json::from_str::<Published>(older).unwrap().revision, "");
    }

    #[test]
    fn what_cannot_be_shown_is_refused_with_the_reason() {
        let sound = Publication::new("access", "", &matrix());
        let check = |change: &dyn Fn(&mut Publication)| {
            let mut changed = sound.clone();
            change(&mut changed);
            changed.check().unwrap_err()
        };
        assert!(check(&|sent| sent.cells.clear()).contains("no persona"));
        assert!(check(&|sent| sent.cells = vec![sent.cells[0].clone(); CELLS_MAX + 1]).contains("10001"));
        assert!(check(&|sent| sent.revision = "x".repeat(301)).contains("300"));
        assert!(check(&|sent| sent.cells[0].persona = "a\nb".to_owned()).contains("printable"));
        assert!(
            check(&|sent| sent.cells[1].endpoint = "nonsense".to_owned()).starts_with("cells[1].endpoint")
        );
    }
}
