//! `strangler report`: the report for people.

use std::path::{Path, PathBuf};

use diff_harness::ledger::Ledger;
use diff_harness::report::{Report as Made, Scope, html, json, text};
use diff_harness::store::{EpochFilter, Store};
use serde::Deserialize;
use serde_json::Value;

use crate::args::Context;
use crate::commands::serve::now;
use crate::console::{Format, Outcome};
use crate::exit::Failure;

/// Writes the report: endpoints, groups, exchanges side by side, rules, transitions
#[derive(Debug, clap::Args)]
pub(crate) struct Report {
    /// Writes it as one HTML file that needs no network
    #[arg(long, value_name = "FILE")]
    html: Option<PathBuf>,
    /// Of all epochs, not only of the current one
    #[arg(long)]
    all_epochs: bool,
    /// Reads a store file instead of asking a proxy; it may be running or not. Reports all epochs
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

/// The report in the forms that were asked for.
#[derive(Deserialize)]
struct Forms {
    json: Value,
    text: Option<String>,
    html: Option<String>,
}

impl Report {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let also = match (&self.html, context.format) {
            (Some(_), _) => "html",
            (None, Format::Table) => "text",
            (None, Format::Json) => "none",
        };
        let forms = match &self.store {
            Some(path) => of_store(path, also)?,
            None => {
                let epoch = if self.all_epochs { "all" } else { "current" };
                context.admin()?.get("/api/v1/report", &[("epoch", epoch), ("also", also)])?
            }
        };
        let (Some(file), Some(page)) = (&self.html, &forms.html) else {
            return Ok(Outcome::new(&forms.json, forms.text.unwrap_or_default()));
        };
        std::fs::write(file, page)
            .map_err(|error| Failure::error(format!("{} cannot be written: {error}", file.display())))?;
        Ok(Outcome::new(&forms.json, format!("wrote {}", file.display())))
    }
}

fn of_store(path: &Path, also: &str) -> Result<Forms, Failure> {
    let store = Ledger::open_read_only(path).map_err(Failure::error)?;
    let store: &dyn Store = &store;
    let scope = Scope { epoch: EpochFilter::All, ..Scope::new(now()) };
    let report = Made::build(store, &scope).map_err(Failure::error)?;
    Ok(Forms {
        json: json::value(&report),
        text: (also == "text").then(|| text::render(&report)),
        html: (also == "html").then(|| html::render(&report)),
    })
}
