//! `strangler demo`: the reference estate, and every playlist endpoint of it moved from the monolith to the service.
//!
//! - [`pace`]: how much is sent, and how much evidence is asked for.
//! - [`pair`]: the suite of writes on an isolated pair, by which endpoints that write are approved.
//! - [`stand`]: the servers that are moved from and to, and the proxy before them, as `serve` would start it.
//! - [`traffic`]: clients, in rounds.
//! - [`climb`]: asks the gate for one step of every endpoint after each round, by the admin API alone.
//! - [`burndown`]: what is shown while it goes on; [`ending`]: what is shown at the end.
//! - [`outage`]: the service dies while it answers everybody.
//! - [`proof`]: the monolith's own counters, over one last round.

mod pace;
mod pair;
mod stand;
mod traffic;
mod climb;
mod burndown;
mod outage;
mod proof;
mod ending;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use diff_harness::lifecycle::Stage;
use playlists_vas::regressions::Regression;

use crate::args::Context;
use crate::console::{self, Format, Outcome, say};
use crate::exit::Failure;
use crate::interrupt;

use burndown::Burndown;
use climb::Climb;
use ending::{Ending, How};
use pace::Pace;
use stand::Stand;
use traffic::Traffic;

/// Shows the whole story on the reference estate, in one process: every playlist endpoint moves on evidence
///
/// A monolith, two services and the proxy are started on free ports of this machine, over seeded data in a temporary
/// directory. Clients of every kind ask, and every playlist endpoint climbs as far as its evidence carries it. The
/// quiet periods of the policy are seconds here, where they would be days.
#[derive(Debug, clap::Args)]
pub(crate) struct Demo {
    /// Known bugs that the new service is started with: the other ending. What is caught is told, exit code 3
    #[arg(long, value_name = "NAME", value_delimiter = ',', value_parser = regression())]
    regressions: Vec<Regression>,
    /// Kills the new service when every endpoint is live: safe requests fall back, unsafe ones fail once, and
    /// everything is held until it is resumed
    #[arg(long, conflicts_with = "regressions")]
    outage: bool,
    /// Fewer requests, and a looser policy
    #[arg(long)]
    quick: bool,
    /// Leaves everything running at the end, to play with, until Ctrl-C; and leaves the files where they are
    #[arg(long)]
    stay: bool,
    /// The number that the data and the traffic are made from
    #[arg(long, default_value_t = 1, value_name = "N")]
    seed: u64,
    /// Writes the report as one HTML file
    #[arg(long, value_name = "FILE")]
    report: Option<PathBuf>,
    /// Ends as inconclusive if it takes longer
    #[arg(long, default_value_t = 600, value_name = "SECONDS")]
    limit: u64,
}

/// Rounds without a move, after which what was refused stays refused.
const ROUNDS_STUCK: u32 = 3;

impl Demo {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let stop = interrupt::stop_flag("stopping; once more stops at once")?;
        let pace = if self.quick { Pace::Quick } else { Pace::Usual };
        let mut stand = Stand::start(self.seed, &self.regressions, &pace, self.stay, &stop)?;
        say(stand.where_to_look());
        let told = match self.story(context, &mut stand, pace, &stop) {
            // Whoever stays wants to see what came of it now, not when they go.
            Ok(outcome) if self.stay => {
                Ok(Outcome::silent().exit(console::finish("demo", context.format, Ok(outcome))))
            }
            told => told,
        };
        if self.stay && told.is_ok() && !stop.load(Ordering::Relaxed) {
            say(format!("everything goes on running until Ctrl-C; {}", stand.where_to_look()));
            stand.wait_for_interrupt(&stop);
        }
        stand.stop()?;
        told
    }

    fn story(
        &self,
        context: &Context,
        stand: &mut Stand,
        pace: Pace,
        stop: &Arc<AtomicBool>,
    ) -> Result<Outcome, Failure> {
        let admin = &stand.admin().clone();
        let rehearsal = stand.rehearsal.clone();
        let mut traffic = Traffic::new(stand, self.seed, stop);
        let summit = if self.outage { Stage::Live } else { Stage::Retired };
        let mut climb =
            Climb::start(admin, pace, summit, stand.documents()?, traffic.endpoints(), &rehearsal)?;
        let mut burndown = Burndown::new(context.format == Format::Json);
        let deadline = Instant::now() + Duration::from_secs(self.limit);
        let mut stuck = 0;
        let how = loop {
            traffic.round(stand, &climb.wanted(), &burndown)?;
            if stop.load(Ordering::Relaxed) {
                break How::Interrupted;
            }
            let moved = climb.push()?;
            burndown.show(&climb, &traffic);
            stuck = if moved { 0 } else { stuck + 1 };
            if climb.all_arrived() {
                break How::Arrived;
            } else if climb.none_moves() && stuck >= ROUNDS_STUCK {
                break How::Caught;
            } else if Instant::now() > deadline {
                break How::OutOfTime;
            }
        };
        let outage = (self.outage && how == How::Arrived)
            .then(|| outage::happens(stand, &mut traffic, &climb, &burndown))
            .transpose()?;
        // Somebody who wants it to end does not wait for one more round.
        let handlers = (how != How::Interrupted)
            .then(|| proof::last_round(stand, &mut traffic, &climb, &burndown))
            .transpose()?;
        burndown.end();
        let ending =
            Ending::tell(admin, how, &climb, &traffic, handlers.as_ref(), outage.as_ref(), &rehearsal)?;
        if let Some(file) = self.report.clone().or_else(|| stand.report_file()) {
            ending::write_report(admin, &file)?;
            say(format!("the report is {}", file.display()));
        }
        Ok(ending.into_outcome())
    }
}

/// By name; the help tells what each does.
fn regression() -> impl TypedValueParser<Value = Regression> {
    let value = |known: &Regression| PossibleValue::new(known.name()).help(known.sentence());
    PossibleValuesParser::new(Regression::ALL.iter().map(value))
        .map(|name| name.parse().expect("the name was chosen from the list"))
}
