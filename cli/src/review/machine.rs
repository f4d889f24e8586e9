//! What a key does. Knows neither a terminal nor a proxy.

use diff_harness::triage::Call;
use strangler_proxy::admin::wire::{DecideRequest, GroupDetail, GroupView};

/// What was typed, as far as it means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Char(char),
    Enter,
    Escape,
    Backspace,
    Up,
    Down,
    /// Ctrl-C, or a terminal that went away.
    Interrupt,
}

/// What is to be done for a person.
#[derive(Clone, Debug)]
pub(crate) enum Wish {
    /// Show [`Review::here`], whose page is not there.
    Load,
    Decide {
        group: String,
        request: DecideRequest,
    },
    /// Take the latest decision on this group back, if this entry still is the newest about it.
    Undo {
        group: String,
        expected: u64,
    },
    Quit,
}

/// All that is shown of one group.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) detail: GroupDetail,
    /// What differs in the bodies of the newest kept exchange, line by line.
    pub(crate) diff: Vec<String>,
    /// What the gate says to the endpoint's next move, and which.
    pub(crate) gate: Option<Effect>,
}

/// What the gate makes of the group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Effect {
    pub(crate) to: String,
    pub(crate) answer: String,
    /// Open groups of the endpoint, this one among them if it is open.
    pub(crate) open: u64,
}

/// A sitting: the groups to decide on, and what was decided.
#[derive(Debug)]
pub(crate) struct Review {
    /// In the order in which they are shown: the worst first.
    pub(crate) groups: Vec<GroupView>,
    /// Which is shown; all are done at the end of the list.
    pub(crate) at: usize,
    /// Of the group that is shown, once it was asked for.
    pub(crate) page: Option<Page>,
    pub(crate) mode: Mode,
    /// What was decided in this sitting, in order: which group, and the entry that was made.
    pub(crate) made: Vec<(usize, u64)>,
    /// One line about what just happened.
    pub(crate) message: String,
    /// How many lines of the diff are scrolled past.
    pub(crate) scrolled: usize,
    last: Answers,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Look,
    /// A decision is being filled in.
    Ask(Form),
    Help,
}

/// A decision with what it takes, one line after the other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Form {
    pub(crate) call: Call,
    pub(crate) answers: Answers,
    /// Which line is being typed.
    pub(crate) line: usize,
}

/// What was typed; offered again for the next decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Answers {
    pub(crate) reason: String,
    pub(crate) owner: String,
    pub(crate) expires: String,
}

/// How long a waiver is offered to hold.
const EXPIRES: &str = "14d";

impl Form {
    fn new(call: Call, last: &Answers) -> Self {
        Self { call, answers: last.clone(), line: 0 }
    }

    /// What has to be said for this decision.
    pub(crate) fn lines(&self) -> Vec<(&'static str, &str)> {
        let Answers { reason, owner, expires } = &self.answers;
        let mut lines = vec![("reason", reason.as_str())];
        if self.call.is_waiver() {
            lines.extend([("owner", owner.as_str()), ("expires", expires.as_str())]);
        }
        lines
    }

    fn typed(&mut self) -> &mut String {
        match self.line {
            0 => &mut self.answers.reason,
            1 => &mut self.answers.owner,
            _ => &mut self.answers.expires,
        }
    }
}

impl Review {
    /// `from` is the group to begin with, where it is among them.
    pub(crate) fn new(groups: Vec<GroupView>, owner: &str, from: Option<&str>) -> Self {
        let at = from.and_then(|id| groups.iter().position(|group| group.id == id)).unwrap_or(0);
        let last = Answers { reason: String::new(), owner: owner.to_owned(), expires: EXPIRES.to_owned() };
        Self {
            groups,
            at,
            page: None,
            mode: Mode::Look,
            made: Vec::new(),
            message: String::new(),
            scrolled: 0,
            last,
        }
    }

    /// The group that is shown; `None` at the end.
    pub(crate) fn here(&self) -> Option<&GroupView> {
        self.groups.get(self.at)
    }

    /// What has to be done after this key, if anything.
    pub(crate) fn press(&mut self, key: Key) -> Option<Wish> {
        if key == Key::Interrupt {
            return Some(Wish::Quit);
        }
        self.message.clear();
        match &mut self.mode {
            Mode::Help => {
                self.mode = Mode::Look;
                None
            }
            Mode::Ask(_) => self.fill(key),
            Mode::Look => self.look(key),
        }
    }

    /// The proxy has decided as it was asked to: on to the next group.
    pub(crate) fn decided(&mut self, entry: u64, group: Option<GroupView>) {
        if let Mode::Ask(form) = &self.mode {
            self.last = form.answers.clone();
        }
        self.mode = Mode::Look;
        self.made.push((self.at, entry));
        if let Some(group) = group {
            self.message = format!("{} is {}; u takes it back", group.id, group.state);
            self.groups[self.at] = group;
        }
        self.go_on();
    }

    /// The last decision of this sitting was taken back.
    pub(crate) fn undone(&mut self, group: Option<GroupView>) {
        let Some((at, _)) = self.made.pop() else { return };
        self.go(at);
        if let Some(group) = group {
            self.message = format!("taken back: {} is {} again", group.id, group.state);
            self.groups[at] = group;
        }
    }

    /// What was asked for was not done. What was typed stays.
    pub(crate) fn refused(&mut self, why: &str) {
        self.message = why.to_owned();
    }

    fn look(&mut self, key: Key) -> Option<Wish> {
        let call = match key {
            Key::Char('b') => Call::Bug,
            Key::Char('e') => Call::Expected,
            Key::Char('n') => Call::Noise,
            Key::Char('f') => Call::Fixed,
            Key::Char('s' | ' ') => {
                self.go_on();
                return None;
            }
            Key::Char('p') => {
                self.go(self.at.saturating_sub(1));
                return None;
            }
            Key::Char('u') => return self.undo(),
            Key::Char('?' | 'h') => {
                self.mode = Mode::Help;
                return None;
            }
            Key::Char('q') => return Some(Wish::Quit),
            Key::Char('j') | Key::Down => {
                let lines = self.page.as_ref().map_or(0, |page| page.diff.len());
                self.scrolled = (self.scrolled + 1).min(lines.saturating_sub(1));
                return None;
            }
            Key::Char('k') | Key::Up => {
                self.scrolled = self.scrolled.saturating_sub(1);
                return None;
            }
            _ => return None,
        };
        let group = self.here()?;
        if call == Call::Noise && group.severity == "exposure" {
            self.message =
                "an exposure is never noise: b for a bug, e if somebody answers for what is shown".to_owned();
            return None;
        }
        self.mode = Mode::Ask(Form::new(call, &self.last));
        None
    }

    fn fill(&mut self, key: Key) -> Option<Wish> {
        let Mode::Ask(form) = &mut self.mode else { return None };
        match key {
            Key::Escape => self.mode = Mode::Look,
            Key::Backspace => drop(form.typed().pop()),
            Key::Char(c) if !c.is_control() => form.typed().push(c),
            Key::Up => form.line = form.line.saturating_sub(1),
            Key::Enter if form.typed().trim().is_empty() => {
                self.message = "that line has to be filled in; escape leaves".to_owned();
            }
            Key::Enter | Key::Down if form.line + 1 < form.lines().len() => form.line += 1,
            Key::Enter => {
                let Answers { reason, owner, expires } = form.answers.clone();
                let waiver = form.call.is_waiver();
                let call = form.call.as_str().to_owned();
                let group = self.here()?;
                return Some(Wish::Decide {
                    request: DecideRequest {
                        call,
                        reason,
                        owner: if waiver { owner } else { String::new() },
                        expires: waiver.then_some(expires),
                        epoch: None,
                        // What somebody else said meanwhile is looked at first.
                        expected: Some(group.newest_entry),
                    },
                    group: group.id.clone(),
                });
            }
            _ => {}
        }
        None
    }

    fn undo(&mut self) -> Option<Wish> {
        let Some((at, entry)) = self.made.last() else {
            self.message = "nothing was decided in this sitting".to_owned();
            return None;
        };
        Some(Wish::Undo { group: self.groups[*at].id.clone(), expected: *entry })
    }

    fn go_on(&mut self) {
        self.go((self.at + 1).min(self.groups.len()));
    }

    fn go(&mut self, at: usize) {
        self.at = at;
        self.page = None;
        self.scrolled = 0;
    }
}
