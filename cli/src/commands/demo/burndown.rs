//! What is shown while the demo goes on: a bar on a terminal, a line a round elsewhere.

use std::io::IsTerminal;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::climb::Climb;
use super::traffic::Traffic;
use crate::console::say;

pub(super) struct Burndown {
    bar: ProgressBar,
    lines: bool,
    started: Instant,
    rounds: u32,
    last: String,
}

impl Burndown {
    /// Quiet where a script reads the end.
    pub(super) fn new(quiet: bool) -> Self {
        let terminal = std::io::stderr().is_terminal();
        let target =
            if terminal && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let bar = ProgressBar::with_draw_target(Some(0), target);
        let style = ProgressStyle::with_template("{bar:24} {pos}/{len} requests, {per_sec}  {msg}");
        bar.set_style(style.expect("the template is right"));
        Self { bar, lines: !quiet, started: Instant::now(), rounds: 0, last: String::new() }
    }

    /// So many more requests are on their way.
    pub(super) fn expect(&self, requests: usize) {
        self.bar.inc_length(requests as u64);
    }

    /// To be counted up by whoever sends.
    pub(super) fn counter(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// After a round.
    pub(super) fn show(&mut self, climb: &Climb<'_>, traffic: &Traffic) {
        self.rounds += 1;
        let stages: Vec<_> =
            climb.stages().into_values().map(|(stage, endpoints)| format!("{endpoints} {stage}")).collect();
        let refused = climb.places().iter().filter(|place| place.is_refused()).count();
        let refused = if refused > 0 { format!("; {refused} refused") } else { String::new() };
        let stages = format!("{}{refused}", stages.join(", "));
        self.bar.set_message(stages.clone());
        if self.lines && stages != self.last {
            let line = format!(
                "{:>3} s, round {:>2}, {:>6} requests: {stages}",
                self.started.elapsed().as_secs(),
                self.rounds,
                traffic.requests
            );
            self.bar.suspend(|| say(line));
        }
        self.last = stages;
    }

    pub(super) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
