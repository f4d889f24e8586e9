//! `strangler suite publish`: a run's matrix on the review page.

use std::path::PathBuf;

use diff_harness::suite::matrix::Matrix;
use diff_harness::suite::output::json;
use diff_harness::suite::published::{Publication, Published};

use super::run::read;
use crate::args::Context;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};
use crate::words::count;

/// Shows a run's matrix (who may do what on each side) on the review page
///
/// It takes the place of the one that was published before. Only the matrix is sent, no body and no value. Takes the
/// role reviewer.
#[derive(Debug, clap::Args)]
pub(crate) struct Publish {
    /// What `suite run --json` or `suite merge --json` wrote; of several shards, all of them
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// Of the code that was tried: a commit, a version. Where it is left out, the one that GitHub Actions or GitLab CI
    /// name in the environment (`GITHUB_SHA`, `CI_COMMIT_SHA`)
    #[arg(long, value_name = "TEXT")]
    revision: Option<String>,
}

impl Publish {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let mut matrix = Matrix::default();
        let mut suite: Option<String> = None;
        for file in &self.files {
            let bad =
                |why: String| Failure::new(Exit::Usage, "bad_report", format!("{}: {why}", file.display()));
            let report = json::parse(&read(file)?).map_err(bad)?;
            match &suite {
                Some(first) if *first != report.suite => {
                    return Err(bad(format!(
                        "it is of the suite {}, and the others are of {first}",
                        report.suite
                    )));
                }
                _ => suite = Some(report.suite.clone()),
            }
            for (endpoint, persona, cell) in report.matrix.iter() {
                matrix.add(persona, endpoint, cell);
            }
        }
        let revision = self.revision.or_else(of_the_job).unwrap_or_default();
        let publication = Publication::new(suite.unwrap_or_default(), revision, &matrix);
        publication.check().map_err(|why| {
            Failure::new(Exit::Usage, "bad_report", why)
                .hint("a suite has a matrix where its cases name personas; see docs/suites.md")
        })?;
        let published: Published = context.admin()?.post("/api/v1/matrix", &publication)?;
        let revision = match published.revision.as_str() {
            "" => String::new(),
            revision => format!(", revision {revision}"),
        };
        let text = format!(
            "published: suite {}{revision}, {}, {} where the candidate allows more",
            published.suite,
            count(published.cells.len() as u64, "cell"),
            published.cells.iter().filter(|cell| cell.exposed > 0).count(),
        );
        Ok(Outcome::new(&published, text))
    }
}

fn of_the_job() -> Option<String> {
    ["GITHUB_SHA", "CI_COMMIT_SHA"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
}
