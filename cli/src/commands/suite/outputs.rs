//! The files that a run is written as.

use std::io::Write;
use std::path::{Path, PathBuf};

use diff_harness::suite::outcome::FailOn;
use diff_harness::suite::output::{code_quality, github, html, json, junit, markdown, sarif, terminal};
use diff_harness::suite::report::RunReport;

use super::exit_of;
use crate::args::Context;
use crate::console::{Format, Outcome, say};
use crate::exit::Failure;

#[derive(Debug, clap::Args)]
pub(crate) struct Outputs {
    /// Writes JUnit XML, as most CI servers read it
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    junit: Option<PathBuf>,
    /// Writes everything as JSON, for scripts and for `suite merge`
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    json: Option<PathBuf>,
    /// Writes one HTML file that needs no network
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    html: Option<PathBuf>,
    /// Writes Markdown, for a step summary
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    markdown: Option<PathBuf>,
    /// Writes SARIF 2.1.0, for code scanning
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    sarif: Option<PathBuf>,
    /// Writes GitLab's Code Quality report
    #[arg(long, value_name = "FILE", help_heading = "Reports")]
    code_quality: Option<PathBuf>,
    /// Prints annotations for GitHub Actions, and adds to the job's step summary
    #[arg(long, help_heading = "Reports")]
    github: bool,
    /// From which severity on a divergence fails the run
    #[arg(long, value_enum, default_value_t, value_name = "SEVERITY")]
    fail_on: Bar,
}

#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
enum Bar {
    /// Only what the candidate shows and control withheld
    Exposure,
    /// That, and what may break a client
    Breaking,
    /// Every divergence that no rule covers
    #[default]
    Any,
}

impl Outputs {
    pub(super) fn fail_on(&self) -> FailOn {
        match self.fail_on {
            Bar::Exposure => FailOn::Exposure,
            Bar::Breaking => FailOn::Breaking,
            Bar::Any => FailOn::Any,
        }
    }

    /// Writes every file that was asked for, and makes the outcome.
    pub(super) fn finish(&self, report: &RunReport, context: &Context) -> Result<Outcome, Failure> {
        let fail_on = self.fail_on();
        type Render<'r> = &'r dyn Fn() -> String;
        let files: [(&Option<PathBuf>, Render<'_>); 6] = [
            (&self.junit, &|| junit::render(report, fail_on)),
            (&self.json, &|| json::render(report, fail_on)),
            (&self.html, &|| html::render(report, fail_on)),
            (&self.markdown, &|| markdown::render(report, fail_on)),
            (&self.sarif, &|| sarif::render(report, fail_on)),
            (&self.code_quality, &|| code_quality::render(report)),
        ];
        for (file, render) in files {
            if let Some(file) = file {
                write(file, &render())?;
            }
        }
        let mut text = terminal::render(report, fail_on);
        if self.github {
            let annotations = github::render(report, fail_on);
            match context.format {
                Format::Table => text = format!("{annotations}{text}"),
                // GitHub reads both streams; standard output is one JSON document.
                Format::Json => say(annotations.trim_end()),
            }
            step_summary(&markdown::render(report, fail_on))?;
        }
        let data = match context.format {
            Format::Json => json::value(report, fail_on),
            Format::Table => serde_json::Value::Null,
        };
        Ok(Outcome::new(&data, text).exit(exit_of(report.verdict(fail_on))))
    }
}

/// Adds to the file that GitHub shows beside the job, where there is one.
fn step_summary(markdown: &str) -> Result<(), Failure> {
    let Some(file) = std::env::var_os("GITHUB_STEP_SUMMARY").filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let path = Path::new(&file);
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(path);
    opened
        .and_then(|mut file| writeln!(file, "{markdown}"))
        .map_err(|error| Failure::error(format!("{} cannot be written: {error}", path.display())))
}

/// Whole or not at all: a reader never sees half a report.
pub(super) fn write(file: &Path, text: &str) -> Result<(), Failure> {
    let failed =
        |error: std::io::Error| Failure::error(format!("{} cannot be written: {error}", file.display()));
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(".part");
    let part = file.with_file_name(name);
    std::fs::write(&part, text).and_then(|()| std::fs::rename(&part, file)).map_err(failed)
}
