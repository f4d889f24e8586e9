//! How far a run is: a bar on a terminal, now and then a line elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use diff_harness::suite::run::Progress as Far;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::console::say;
use crate::words::age;

/// Where no bar can be drawn.
const LINE_EVERY: Duration = Duration::from_secs(10);

pub(super) enum Progress {
    Bar(ProgressBar),
    Lines { last: Duration },
    Quiet,
}

impl Progress {
    pub(super) fn new(planned: u64, quiet: bool) -> Self {
        if quiet {
            return Self::Quiet;
        }
        if !std::io::stderr().is_terminal() {
            return Self::Lines { last: Duration::ZERO };
        }
        let bar = ProgressBar::with_draw_target(Some(planned), ProgressDrawTarget::stderr());
        let style = ProgressStyle::with_template("{bar:30} {pos}/{len} cases, {per_sec}, {eta} left{msg}");
        bar.set_style(style.expect("the template is right"));
        Self::Bar(bar)
    }

    pub(super) fn show(&mut self, far: &Far<'_>) {
        let totals = &far.report.totals;
        let trouble = match (totals.mismatched - totals.accepted, totals.failed) {
            (0, 0) => String::new(),
            (mismatched, failed) => format!(", {mismatched} mismatched, {failed} failed"),
        };
        match self {
            Self::Quiet => {}
            Self::Bar(bar) => {
                bar.set_position(totals.cases);
                bar.set_message(trouble);
            }
            Self::Lines { last } => {
                if far.elapsed < *last + LINE_EVERY {
                    return;
                }
                *last = far.elapsed;
                let seconds = far.elapsed.as_secs_f64();
                let rate = totals.cases as f64 / seconds;
                let left = far.report.planned.saturating_sub(totals.cases) as f64 / rate.max(0.001);
                say(format!(
                    "{}/{} cases, {rate:.0} a second, about {} left{trouble}",
                    totals.cases,
                    far.report.planned,
                    age(left as u64)
                ));
            }
        }
    }

    pub(super) fn end(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}
