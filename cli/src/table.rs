//! Tables for a person: no borders, columns that fit the terminal.

use comfy_table::{Cell, CellAlignment, ContentArrangement, Table};

/// Narrower and nothing can be read.
const WIDTH_MIN: u16 = 40;

/// A table with these columns; numbers are given to [`Rows::add`] as text and stand to the right where the header ends
/// in `#`.
pub(crate) struct Rows {
    table: Table,
    right: Vec<bool>,
}

impl Rows {
    pub(crate) fn new(columns: &[&str]) -> Self {
        let mut table = Table::new();
        table.load_style(comfy_table::presets::NOTHING);
        if let Some(width) = width() {
            table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width.max(WIDTH_MIN));
        }
        let right: Vec<_> = columns.iter().map(|column| column.ends_with('#')).collect();
        let header = columns.iter().zip(&right).map(|(column, right)| {
            let cell = Cell::new(column.trim_end_matches('#').to_uppercase());
            if *right { cell.set_alignment(CellAlignment::Right) } else { cell }
        });
        table.set_header(header);
        Self { table, right }
    }

    pub(crate) fn add(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().zip(&self.right).map(|(text, right)| {
            let cell = Cell::new(text);
            if *right { cell.set_alignment(CellAlignment::Right) } else { cell }
        });
        self.table.add_row(cells);
    }
}

impl std::fmt::Display for Rows {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for line in self.table.to_string().lines() {
            writeln!(f, "{}", line.trim_end().strip_prefix(' ').unwrap_or(line.trim_end()))?;
        }
        Ok(())
    }
}

/// The width of the terminal; none where the output goes elsewhere, so that a line stays a line for `grep`.
/// `COLUMNS` says otherwise.
fn width() -> Option<u16> {
    let told = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
    told.or_else(|| Table::new().width())
}
