//! Reads the tables of docs/mothership-visibility.md.

use std::collections::BTreeMap;

const PAGE: &str = include_str!("../../../../docs/mothership-visibility.md");

/// Of one row and one of its viewers.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) row: String,
    pub(crate) viewer: String,
    /// By column heading.
    pub(crate) cells: BTreeMap<String, String>,
}

impl Case {
    pub(crate) fn cell(&self, column: &str) -> &str {
        self.cells.get(column).unwrap_or_else(|| panic!("row {} has no column {column:?}", self.row))
    }
}

/// The rows of the table under `## heading`, one case per viewer.
pub(crate) fn cases(heading: &str) -> Vec<Case> {
    let mut cases = Vec::new();
    for cells in rows(heading) {
        for viewer in cells["viewers"].split(", ") {
            let row = cells["row"].clone();
            cases.push(Case { row, viewer: viewer.to_owned(), cells: cells.clone() });
        }
    }
    cases
}

/// The rows of the table under `## heading`, by column heading.
pub(crate) fn rows(heading: &str) -> Vec<BTreeMap<String, String>> {
    let section = PAGE.split("\n## ").find(|section| section.lines().next() == Some(heading));
    let section = section.unwrap_or_else(|| panic!("the page has no section {heading:?}"));
    let mut lines = section.lines().filter(|line| line.starts_with('|')).map(cells);
    let columns = lines.next().expect("a table has a heading");
    let rows = lines.skip(1).map(|row| {
        assert_eq!(row.len(), columns.len(), "a row of {heading} has too few or too many cells: {row:?}");
        columns.iter().cloned().zip(row).collect()
    });
    rows.collect()
}

fn cells(line: &str) -> Vec<String> {
    line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect()
}
