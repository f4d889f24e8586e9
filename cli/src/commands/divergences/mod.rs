//! `strangler divergences`: what was found, group by group, and what people decided on it.

mod list;
mod show;
mod triage;
mod waivers;

use clap::Subcommand;

use crate::args::Context;
use crate::console::Outcome;
use crate::exit::Failure;

pub(crate) use list::Groups;

/// Lists and shows what diverged, and decides on it
#[derive(Debug, clap::Args)]
pub(crate) struct Divergences {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists groups, the worst first
    List(list::List),
    /// Shows a group with its exchanges, and command lines that repeat them
    Show(show::Show),
    /// Decides what a group is, or takes the latest decision back
    Triage(triage::Triage),
    /// Makes a part of a group a group of its own
    Split(triage::Split),
    /// Gives a part back to the group that it was split off
    Join(triage::Join),
    /// Writes the file of waivers that CI reads
    Export(waivers::Export),
    /// Takes a file of waivers over
    Import(waivers::Import),
}

impl Divergences {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            None | Some(What::List(_)) => "divergences list",
            Some(What::Show(_)) => "divergences show",
            Some(What::Triage(_)) => "divergences triage",
            Some(What::Split(_)) => "divergences split",
            Some(What::Join(_)) => "divergences join",
            Some(What::Export(_)) => "divergences export",
            Some(What::Import(_)) => "divergences import",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self.what {
            None => list::List::default().run(context),
            Some(What::List(list)) => list.run(context),
            Some(What::Show(show)) => show.run(context),
            Some(What::Triage(triage)) => triage.run(context),
            Some(What::Split(split)) => split.run(context),
            Some(What::Join(join)) => join.run(context),
            Some(What::Export(export)) => export.run(context),
            Some(What::Import(import)) => import.run(context),
        }
    }
}
