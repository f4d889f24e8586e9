//! `strangler suite run`: sends every case to both sides.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::time::Duration;

use diff_harness::compare::{Comparator, Limits};
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::rules::Rules;
use diff_harness::suite::accept::{Acceptance, AcceptanceError, write_baseline};
use diff_harness::suite::checkpoint::{self, Checkpoint};
use diff_harness::suite::report::RunReport;
use diff_harness::suite::run::{Done, Judge, Run as Runner, RunError, Selection, Settings, Shard, Target};
use diff_harness::suite::source::Source;
use strangler_proxy::config::Size;

use super::outputs::{Outputs, write};
use super::progress::Progress;
use crate::args::Context;
use crate::commands::serve::now;
use crate::console::{Outcome, say};
use crate::exit::{Exit, Failure};
use crate::interrupt::stop_flag;

/// Sends every case to both sides and compares what they answer
///
/// Exit code 0: everything agreed; 1: a step could not be judged; 2: the suite, a rule or an option is wrong, and
/// nothing was sent; 3: something diverged; 4: nothing was compared, or the run was interrupted.
#[derive(Debug, clap::Args)]
pub(crate) struct Run {
    /// The suite: YAML, or recorded cases as .ndjson
    file: PathBuf,
    /// Where control is, such as http://127.0.0.1:8080
    #[arg(long, value_name = "URL")]
    control: Target,
    /// Where the candidate is
    #[arg(long, value_name = "URL")]
    candidate: Target,
    /// Declared ways to compare; the same file as the proxy's
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// Known groups, which do not fail the run
    #[arg(long, value_name = "FILE")]
    baseline: Option<PathBuf>,
    /// Writes all groups that were found and are no exposures as a baseline, and does not fail over them
    #[arg(long, value_name = "FILE")]
    write_baseline: Option<PathBuf>,
    /// Groups that a person waived, as exported from triage
    #[arg(long, value_name = "FILE")]
    waivers: Option<PathBuf>,
    /// Cases that are run at the same time
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1024))]
    jobs: u16,
    /// At most so many steps a second
    #[arg(long, value_name = "N", value_parser = rate)]
    rate: Option<f64>,
    /// Only cases with this text in their name; may be given several times
    #[arg(long = "filter", value_name = "TEXT")]
    filters: Vec<String>,
    /// Only cases with this tag; may be given several times
    #[arg(long = "tag", value_name = "TAG")]
    tags: Vec<String>,
    /// Only a part of the cases, such as 2/5 for the second of five machines
    #[arg(long, value_name = "I/N")]
    shard: Option<Shard>,
    /// Keeps in this file what is done, and goes on with what it says was done before
    #[arg(long, value_name = "FILE")]
    resume: Option<PathBuf>,
    /// What a body may become when its content coding is undone; a larger one is compared by its bytes
    #[arg(long, value_name = "SIZE", default_value = "4MiB")]
    decoded_body: Size,
    /// Does not ask again when something differs
    #[arg(long)]
    no_confirm: bool,
    /// Shows no progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    outputs: Outputs,
}

/// How often a run that can be gone on with is written.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(10);

impl Run {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let source = Source::open(&self.file, |name| std::env::var(name).ok())
            .map_err(|errors| Failure::new(Exit::Usage, "bad_suite", errors))?;
        let (judge, notes) = self.judge()?;
        let selection = Selection { names: self.filters.clone(), tags: self.tags.clone(), shard: self.shard };
        let settings = Settings {
            jobs: usize::from(self.jobs),
            rate: self.rate,
            confirm: !self.no_confirm,
            ..Settings::new(self.control.clone(), self.candidate.clone())
        };
        let planned = source.count(&selection).map_err(|why| Failure::new(Exit::Usage, "bad_suite", why))?;
        if planned == 0 {
            let why = "no case is selected, so nothing was compared";
            let hint =
                "an empty run proves nothing: see the suite's names and tags, --filter, --tag and --shard";
            return Err(Failure::new(Exit::Inconclusive, "nothing_selected", why).hint(hint));
        }
        let of = self.name_of_run()?;
        let checkpoint = self.checkpoint(&of)?;
        let Checkpoint { mut report, done } = checkpoint.unwrap_or_else(|| Checkpoint {
            report: RunReport::new(source.suite().name.clone(), shown(&self.file), planned),
            done: Done::default(),
        });
        report.planned = planned;
        report.notes = notes;

        let stop =
            stop_flag("stopping when the cases that are on their way have ended; once more stops at once")?;
        let mut progress = Progress::new(planned, self.quiet);
        let mut written = Duration::ZERO;
        let runner = Runner { suite: source.suite(), judge: &judge, settings: &settings };
        let before = done.clone();
        let left = selection
            .plan(source.cases())
            .filter(move |planned| planned.as_ref().map_or(true, |planned| !before.contains(planned.index)));
        let ran = runner.run(left, report, done, &stop, &mut |far| {
            progress.show(far);
            if let Some(file) = &self.resume
                && far.elapsed >= written + CHECKPOINT_EVERY
            {
                written = far.elapsed;
                if let Err(error) = write(file, &checkpoint::write(&of, far.report, far.done)) {
                    say(error.message);
                }
            }
        });
        progress.end();
        let (mut report, done) = ran.map_err(|error| match error {
            RunError::Reset(_) => Failure::new(Exit::Error, "reset_failed", error),
            RunError::Cases(_) => Failure::new(Exit::Usage, "bad_suite", error),
            RunError::Start(_) => Failure::error(error),
        })?;
        self.keep(&of, &report, &done, stop.load(Ordering::Relaxed))?;
        self.baseline_of(&mut report)?;
        self.outputs.finish(&report, context)
    }

    fn judge(&self) -> Result<(Judge, Vec<String>), Failure> {
        let rules = match &self.rules {
            None => Rules::default(),
            Some(file) => Rules::parse(&read(file)?, &file.display().to_string())
                .map_err(|error| Failure::new(Exit::Usage, "bad_rules", error))?,
        };
        let bad = |error: AcceptanceError| Failure::new(Exit::Usage, "bad_acceptance", error);
        let (mut acceptance, mut notes) = (Acceptance::default(), Vec::new());
        if let Some(file) = &self.baseline {
            notes.extend(acceptance.add_baseline(&read(file)?, &file.display().to_string()).map_err(bad)?);
        }
        if let Some(file) = &self.waivers {
            let read = read(file)?;
            notes.extend(acceptance.add_waivers(&read, &file.display().to_string(), now()).map_err(bad)?);
        }
        let key = RedactionKey::random()
            .map_err(|error| Failure::error(format!("the system gives no randomness: {error}")))?;
        let most = self.decoded_body.bytes();
        let redactor = Redactor::new(&RedactionConfig::default(), key).map_err(Failure::error)?;
        let redactor = redactor.decoding_up_to(most);
        let limits = Limits { decoded_bytes_max: most, ..Limits::default() };
        Ok((Judge { comparator: Comparator::new(rules, limits), redactor, acceptance }, notes))
    }

    /// What this run is of: a checkpoint of another is not gone on with.
    fn name_of_run(&self) -> Result<String, Failure> {
        let suite = std::fs::read(&self.file)
            .map_err(|error| Failure::error(format!("{}: {error}", self.file.display())))?;
        let shard = self.shard.map(|shard| shard.to_string()).unwrap_or_default();
        let selection =
            format!("{:?} {:?} {shard} {} {}", self.filters, self.tags, self.control, self.candidate);
        Ok(checkpoint::name(&suite, &selection))
    }

    fn checkpoint(&self, of: &str) -> Result<Option<Checkpoint>, Failure> {
        let Some(file) = self.resume.as_ref().filter(|file| file.exists()) else { return Ok(None) };
        let checkpoint = checkpoint::read(&read(file)?, of).map_err(|why| {
            Failure::new(Exit::Usage, "bad_checkpoint", format!("{} {why}", file.display()))
        })?;
        say(format!("going on after {} cases that were done before", checkpoint.done.len()));
        Ok(Some(checkpoint))
    }

    /// Leaves a checkpoint of a run that was stopped, and none of one that came to its end.
    fn keep(&self, of: &str, report: &RunReport, done: &Done, was_stopped: bool) -> Result<(), Failure> {
        if was_stopped && report.totals.cases < report.planned {
            let file = self.resume.clone().unwrap_or_else(|| {
                let mut name = self.file.file_name().unwrap_or_default().to_owned();
                name.push(".resume.json");
                PathBuf::from(name)
            });
            write(&file, &checkpoint::write(of, report, done))?;
            say(format!("interrupted; the same command with --resume {} goes on", file.display()));
        } else if let Some(file) = self.resume.as_ref().filter(|file| file.exists()) {
            std::fs::remove_file(file)
                .map_err(|error| Failure::error(format!("{}: {error}", file.display())))?;
        }
        Ok(())
    }

    fn baseline_of(&self, report: &mut RunReport) -> Result<(), Failure> {
        let Some(file) = &self.write_baseline else { return Ok(()) };
        let (text, exposures) = write_baseline(report);
        write(file, &text)?;
        report.accept_baseline();
        if exposures > 0 {
            report.notes.push(format!(
                "{exposures} groups are exposures and not in the baseline: a person has to waive them"
            ));
        }
        Ok(())
    }
}

/// The file as CI servers name it: relative, without `./`.
fn shown(file: &Path) -> String {
    let folder = std::env::current_dir().unwrap_or_default();
    let file = file.strip_prefix(&folder).unwrap_or(file);
    let parts: PathBuf =
        file.components().filter(|part| !matches!(part, std::path::Component::CurDir)).collect();
    parts.display().to_string()
}

fn rate(text: &str) -> Result<f64, String> {
    let rate: f64 = text.parse().map_err(|_| format!("`{text}` is not a number of steps a second"))?;
    if rate.is_finite() && rate > 0.0 { Ok(rate) } else { Err("a rate is more than 0".to_owned()) }
}

pub(super) fn read(file: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(file)
        .map_err(|error| Failure::new(Exit::Usage, "unreadable", format!("{}: {error}", file.display())))
}
