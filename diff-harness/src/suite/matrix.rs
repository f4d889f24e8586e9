//! Who may do what: persona × endpoint, of what each side allowed.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use http::StatusCode;

use crate::endpoint::EndpointId;

/// What each side allowed each persona at each endpoint, over all steps that both sides answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Matrix {
    cells: BTreeMap<EndpointId, BTreeMap<Arc<str>, Cell>>,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cell {
    pub control: Access,
    pub candidate: Access,
    /// How often the candidate allowed what control refused.
    pub exposed: u64,
}

/// How often a side said yes, said no, and could say neither.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    pub allowed: u64,
    pub refused: u64,
    /// Server errors.
    pub failed: u64,
}

/// What one answer says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    Refused,
    Failed,
}

impl Answer {
    /// A client error refuses: servers hide what one may not see behind 404 and 400 as often as behind 401 and 403.
    pub fn of(status: StatusCode) -> Self {
        if status.is_client_error() {
            Self::Refused
        } else if status.is_server_error() {
            Self::Failed
        } else {
            Self::Allowed
        }
    }
}

impl Matrix {
    /// Counts one step that both sides answered.
    pub fn count(
        &mut self,
        persona: &Arc<str>,
        endpoint: &EndpointId,
        control: StatusCode,
        candidate: StatusCode,
    ) {
        let cell = self.cell(persona, endpoint);
        let (control, candidate) = (Answer::of(control), Answer::of(candidate));
        cell.control.count(control);
        cell.candidate.count(candidate);
        cell.exposed += u64::from(control == Answer::Refused && candidate == Answer::Allowed);
    }

    /// Adds what another run, or another part of this one, counted.
    pub fn add(&mut self, persona: &Arc<str>, endpoint: &EndpointId, other: &Cell) {
        let cell = self.cell(persona, endpoint);
        cell.control.add(&other.control);
        cell.candidate.add(&other.candidate);
        cell.exposed += other.exposed;
    }

    /// All cells, by endpoint, then by persona.
    pub fn iter(&self) -> impl Iterator<Item = (&EndpointId, &Arc<str>, &Cell)> {
        self.cells
            .iter()
            .flat_map(|(endpoint, row)| row.iter().map(move |(persona, cell)| (endpoint, persona, cell)))
    }

    pub fn rows(&self) -> impl Iterator<Item = (&EndpointId, &BTreeMap<Arc<str>, Cell>)> {
        self.cells.iter()
    }

    /// The personas that were seen anywhere, sorted.
    pub fn personas(&self) -> Vec<&Arc<str>> {
        let mut personas: Vec<_> = self.iter().map(|(_, persona, _)| persona).collect();
        personas.sort();
        personas.dedup();
        personas
    }

    pub fn exposed(&self) -> u64 {
        self.iter().map(|(_, _, cell)| cell.exposed).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    fn cell(&mut self, persona: &Arc<str>, endpoint: &EndpointId) -> &mut Cell {
        if !self.cells.contains_key(endpoint) {
            self.cells.insert(endpoint.clone(), BTreeMap::new());
        }
        let row = self.cells.get_mut(endpoint).expect("it was put there if it was not");
        row.entry(Arc::clone(persona)).or_default()
    }
}

impl Access {
    fn count(&mut self, answer: Answer) {
        match answer {
            Answer::Allowed => self.allowed += 1,
            Answer::Refused => self.refused += 1,
            Answer::Failed => self.failed += 1,
        }
    }

    fn add(&mut self, other: &Self) {
        self.allowed += other.allowed;
        self.refused += other.refused;
        self.failed += other.failed;
    }

    pub fn total(&self) -> u64 {
        self.allowed + self.refused + self.failed
    }

    /// One word for the whole cell.
    pub fn as_str(&self) -> &'static str {
        match (self.allowed, self.refused, self.failed) {
            (_, 0, 0) => "allowed",
            (0, _, 0) => "refused",
            (0, 0, _) => "failed",
            _ => "mixed",
        }
    }
}

/// `allowed 3/3`, `mixed 2/3`: how many of how many were allowed.
impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.as_str(), self.allowed, self.total())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matrix(answers: &[(&str, u16, u16)]) -> Matrix {
        let endpoint: EndpointId = "GET /playlists/{id}".parse().unwrap();
        let mut matrix = Matrix::default();
        for (persona, control, candidate) in answers {
            let status = |code: &u16| StatusCode::from_u16(*code).unwrap();
            matrix.count(&Arc::from(*persona), &endpoint, status(control), status(candidate));
        }
        matrix
    }

    #[test]
    fn a_cell_where_the_candidate_allows_more_is_exposed() {
        for refusal in [400, 401, 403, 404, 451] {
            assert_eq!(matrix(&[("anonymous", refusal, 200)]).exposed(), 1, "{refusal}");
            assert_eq!(matrix(&[("anonymous", 200, refusal)]).exposed(), 0, "{refusal}");
        }
        assert_eq!(matrix(&[("anonymous", 500, 200), ("anonymous", 403, 500)]).exposed(), 0);
    }

    #[test]
    fn one_yes_and_one_no_are_told_apart_although_the_counts_agree() {
        let matrix = matrix(&[("owner", 200, 404), ("owner", 404, 200)]);
        let (_, _, cell) = matrix.iter().next().unwrap();
        assert_eq!(cell.control, cell.candidate);
        assert_eq!(cell.exposed, 1, "the sums are equal, and still something was shown");
    }

    #[test]
    fn a_cell_says_in_a_word_what_it_counted() {
        let matrix = matrix(&[("a", 200, 403), ("a", 302, 404), ("b", 200, 200), ("b", 403, 503)]);
        let words: Vec<_> =
            matrix.iter().map(|(_, _, cell)| format!("{} | {}", cell.control, cell.candidate)).collect();
        assert_eq!(words, ["allowed 2/2 | refused 0/2", "mixed 1/2 | mixed 1/2"]);
        assert_eq!(matrix.personas().len(), 2);
    }
}
