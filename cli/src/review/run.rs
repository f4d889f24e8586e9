//! The terminal and the proxy around a sitting.

use std::io::{IsTerminal, Write};

use console::{Key as Typed, Term};
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use strangler_proxy::admin::wire::{GroupDetail, GroupView, PlanView, RegroupRequest, RouteView, TriageView};

use super::machine::{Effect, Key, Page, Review, Wish};
use super::screen::{Size, screen};
use crate::client::Admin;
use crate::exit::Failure;
use crate::unified::unified;

/// The other screen of the terminal, and back (xterm, DECSET 1049).
const ENTER: &str = "\x1b[?1049h";
const LEAVE: &str = "\x1b[?1049l";
const CLEAR: &str = "\x1b[2J\x1b[H";

/// Whether a person can sit here.
pub(crate) fn has_terminal() -> bool {
    std::io::stdin().is_terminal() && std::io::stdout().is_terminal()
}

/// Shows group after group until the person has enough, and gives back what was done.
pub(crate) fn sit(admin: &Admin, mut review: Review) -> Result<Review, Failure> {
    let terminal = Term::stdout();
    let coloured = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let _other_screen = OtherScreen::enter();
    loop {
        let mut wish = review.here().is_some().then_some(Wish::Load).filter(|_| review.page.is_none());
        if wish.is_none() {
            show(&terminal, &review, coloured);
            let key = terminal.read_key_raw().map_or(Key::Interrupt, key);
            wish = review.press(key);
        }
        match wish {
            None => {}
            Some(Wish::Quit) => return Ok(review),
            Some(wish) => fulfil(admin, &mut review, wish)?,
        }
    }
}

/// Left again on every way out, a panic among them.
///
/// Keys come as they are for the whole sitting, not only while one is waited for: else Ctrl-C between two keys would end
/// the process on the other screen, and what is typed ahead would be echoed over it.
struct OtherScreen {
    before: Option<Termios>,
}

impl OtherScreen {
    fn enter() -> Self {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(before) = &before {
            let mut keys = before.clone();
            keys.make_raw();
            // Lines still begin at the left.
            keys.output_modes = before.output_modes;
            // Without it each key is waited for in this mode all the same.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, &keys);
        }
        raw(ENTER);
        Self { before }
    }
}

impl Drop for OtherScreen {
    fn drop(&mut self) {
        raw(LEAVE);
        if let Some(before) = &self.before {
            // A terminal that went away has no modes.
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, before);
        }
    }
}

fn fulfil(admin: &Admin, review: &mut Review, wish: Wish) -> Result<(), Failure> {
    match wish {
        Wish::Quit => {}
        Wish::Load => {
            let Some(group) = review.here() else { return Ok(()) };
            review.page = Some(page(admin, group)?);
        }
        Wish::Decide { group, request } => {
            match admin.post::<TriageView>(&format!("/api/v1/groups/{group}/decide"), &request) {
                Ok(made) => review.decided(made.entry.sequence, made.group),
                Err(failure) => review.refused(&failure.message),
            }
        }
        Wish::Undo { group, expected } => {
            let request = RegroupRequest { reason: String::new(), expected: Some(expected) };
            match admin.post::<TriageView>(&format!("/api/v1/groups/{group}/undo"), &request) {
                Ok(made) => review.undone(made.group),
                Err(failure) => review.refused(&failure.message),
            }
        }
    }
    Ok(())
}

fn page(admin: &Admin, group: &GroupView) -> Result<Page, Failure> {
    let detail: GroupDetail = admin.get(&format!("/api/v1/groups/{}", group.id), &[("samples", "1")])?;
    let diff = detail
        .samples
        .first()
        .and_then(|sample| unified(&sample.control.body.text, &sample.candidate.body.text));
    let diff = diff.map(|diff| diff.lines().map(str::to_owned).collect()).unwrap_or_default();
    let of = [("endpoint", group.endpoint.as_str())];
    // A retired endpoint has no next move; then there is nothing to say of a gate.
    let plan = admin.get::<PlanView>("/api/v1/plan", &of).ok();
    let route: RouteView = admin.get("/api/v1/route", &of)?;
    let gate = plan.and_then(|plan| {
        let answer = plan.gate?.answer;
        Some(Effect { to: plan.to.stage, answer, open: route.open_groups })
    });
    Ok(Page { detail, diff, gate })
}

fn show(terminal: &Term, review: &Review, coloured: bool) {
    let (height, width) = terminal.size();
    let size = Size { width: usize::from(width).max(20), height: usize::from(height).max(8) };
    raw(&format!("{CLEAR}{}", screen(review, size, coloured)));
}

/// What steers the terminal goes past the place that prints, which would take it out.
fn raw(text: &str) {
    let mut stdout = std::io::stdout().lock();
    // A terminal that went away is found out when the next key is read.
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}

fn key(typed: Typed) -> Key {
    match typed {
        Typed::Char(c) => Key::Char(c),
        Typed::Enter => Key::Enter,
        Typed::Escape => Key::Escape,
        Typed::Backspace => Key::Backspace,
        Typed::ArrowUp | Typed::BackTab => Key::Up,
        Typed::ArrowDown | Typed::Tab => Key::Down,
        Typed::CtrlC => Key::Interrupt,
        // Means nothing here.
        _ => Key::Char('\0'),
    }
}
