//! What a person sees: lines for a terminal of some size. What servers said cannot steer it.

use diff_harness::triage::Call;

use super::machine::{Form, Mode, Page, Review};
use crate::console::printable;
use crate::words::{count, cut, entry, state};

/// Shapes that are listed; the rest is a number.
const SHAPES_MAX: usize = 4;
const HELP: &str = "\
  b  a bug: the candidate is wrong              e  expected: it may differ here, until a day
  n  noise: the sides differ by nature          f  fixed in the running deployment
  s  skip                                       p  the one before
  u  take the last decision back                j k  scroll the bodies
  q  quit; what was decided is kept             ?  this";
const KEYS: &str = "b bug  e expected  n noise  f fixed  s skip  p back  u undo  j/k scroll  ? help  q quit";

#[derive(Clone, Copy, Debug)]
pub(crate) struct Size {
    pub(crate) width: usize,
    pub(crate) height: usize,
}

/// Colours, as SGR parameters (ECMA-48 §8.3.117).
#[derive(Clone, Copy)]
enum Ink {
    Bold,
    Dim,
    Red,
    Green,
    Yellow,
}

impl Ink {
    fn on(self, text: &str, coloured: bool) -> String {
        let parameter = match self {
            Self::Bold => 1,
            Self::Dim => 2,
            Self::Red => 31,
            Self::Green => 32,
            Self::Yellow => 33,
        };
        if coloured { format!("\x1b[{parameter}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// The whole screen, at most `size.height` lines with line ends between them.
pub(crate) fn screen(review: &Review, size: Size, coloured: bool) -> String {
    let mut lines = Lines { lines: Vec::new(), width: size.width, coloured };
    let of = review.groups.len();
    let decided = count(review.made.len() as u64, "decision");
    match review.here() {
        None => {
            lines.add(
                &format!("all {} looked at, {decided} in this sitting", count(of as u64, "group")),
                Some(Ink::Bold),
            );
            lines.add("", None);
            lines.add("q quit  p the one before  u take the last decision back", Some(Ink::Dim));
        }
        Some(group) => {
            lines
                .add(&format!("group {} of {of}   {decided} in this sitting", review.at + 1), Some(Ink::Dim));
            let ink = if group.severity == "exposure" { Ink::Red } else { Ink::Bold };
            lines.add(&format!("{} {} of {}", group.severity, group.kind, group.endpoint), Some(ink));
            let detail = group.detail.as_ref().map(|detail| format!(" ({detail})")).unwrap_or_default();
            lines.add(&format!("at {}{detail}", group.location), None);
            if let Some(part) = &group.part {
                lines.add(&format!("part of {}: {}", part.of, part.words), None);
            }
            lines.add(&format!("{}   {}", group.id, state(group)), Some(Ink::Dim));
            match &review.page {
                None => lines.add("loading", Some(Ink::Dim)),
                Some(page) => facts(&mut lines, page),
            }
        }
    }
    let foot = foot(review, size.width, coloured);
    if let (Some(page), Mode::Look | Mode::Ask(_)) = (&review.page, &review.mode) {
        let room = size.height.saturating_sub(lines.lines.len() + foot.len());
        bodies(&mut lines, page, review.scrolled, room);
    }
    if review.mode == Mode::Help {
        lines.add("", None);
        HELP.lines().for_each(|line| lines.add(line, None));
    }
    let mut all = lines.lines;
    all.truncate(size.height.saturating_sub(foot.len()));
    all.extend(foot);
    all.truncate(size.height);
    all.join("\r\n")
}

struct Lines {
    lines: Vec<String>,
    width: usize,
    coloured: bool,
}

impl Lines {
    fn add(&mut self, text: &str, ink: Option<Ink>) {
        let line = cut(&printable(text), self.width);
        self.lines.push(match ink {
            Some(ink) => ink.on(&line, self.coloured),
            None => line,
        });
    }
}

/// How often, in which requests, both values, and what it means to the gate.
fn facts(lines: &mut Lines, page: &Page) {
    let group = &page.detail.group;
    let here: u64 = page.detail.shapes.iter().map(|shape| shape.exchanges).sum();
    lines.add(
        &format!(
            "seen {} in all; in this epoch in {here} of {}",
            count(group.count, "time"),
            count(page.detail.compared, "comparison")
        ),
        None,
    );
    for shape in page.detail.shapes.iter().take(SHAPES_MAX) {
        lines.add(&format!("  {:>6}  {}", shape.exchanges, shape.shape), None);
    }
    let more = page.detail.shapes.len().saturating_sub(SHAPES_MAX);
    if more > 0 {
        lines.add(&format!("          and {} more", count(more as u64, "shape")), Some(Ink::Dim));
    }
    if let Some(gate) = &page.gate {
        let open = count(gate.open, "open group");
        let effect = match (gate.open, group.open) {
            (0, _) => format!("gate to {}: {}", gate.to, gate.answer),
            (1, true) => format!("gate to {}: {}; this is the only open group", gate.to, gate.answer),
            (_, true) => format!("gate to {}: {}; {open}, this is one of them", gate.to, gate.answer),
            (_, false) => format!("gate to {}: {}; {open}, this is none of them", gate.to, gate.answer),
        };
        lines.add(&effect, Some(Ink::Yellow));
    }
    if let Some(latest) = page.detail.decisions.first() {
        lines.add(&format!("decided before: {}", entry(latest).trim_start()), Some(Ink::Dim));
    }
    let value = |side: &Option<String>| side.clone().unwrap_or_else(|| "(nothing)".to_owned());
    lines.add("", None);
    lines.add(&format!("- control    {}", value(&group.control)), Some(Ink::Red));
    lines.add(&format!("+ candidate  {}", value(&group.candidate)), Some(Ink::Green));
}

fn bodies(lines: &mut Lines, page: &Page, scrolled: usize, room: usize) {
    if page.diff.is_empty() || room < 3 {
        return;
    }
    lines.add("", None);
    for line in page.diff.iter().skip(scrolled).take(room - 1) {
        let ink = match line.chars().next() {
            Some('+') => Some(Ink::Green),
            Some('-') => Some(Ink::Red),
            Some('@') => Some(Ink::Dim),
            _ => None,
        };
        lines.add(line, ink);
    }
}

/// The message, and the keys or the form.
fn foot(review: &Review, width: usize, coloured: bool) -> Vec<String> {
    let mut lines = Lines { lines: Vec::new(), width, coloured };
    lines.add(&review.message, Some(Ink::Yellow));
    match &review.mode {
        Mode::Ask(form) => ask(&mut lines, form),
        Mode::Look if review.here().is_some() => lines.add(KEYS, Some(Ink::Dim)),
        Mode::Help => lines.add("any key goes on", Some(Ink::Dim)),
        Mode::Look => {}
    }
    lines.lines
}

fn ask(lines: &mut Lines, form: &Form) {
    let what = match form.call {
        Call::Bug => "a bug",
        Call::Expected => "expected, a waiver",
        Call::Noise => "noise, a waiver",
        Call::Fixed => "fixed in the running deployment",
        Call::Reopen => "new again",
    };
    lines.add(&format!("{what}: enter goes on, escape leaves"), Some(Ink::Bold));
    for (place, (name, text)) in form.lines().into_iter().enumerate() {
        let (mark, end) = if place == form.line { (">", "_") } else { (" ", "") };
        lines.add(&format!("{mark} {name:<8} {text}{end}"), None);
    }
}
