//! Numbers, times and decisions as a person reads them.

use strangler_proxy::admin::wire::{EntryView, GroupView};

/// `12 s`, `5 min`, `3 h`, `4 d`: one unit is enough to see what stalls.
pub(crate) fn age(seconds: u64) -> String {
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3_600 => format!("{} min", seconds / 60),
        3_600..86_400 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}

/// `1 group`, `2 groups`.
pub(crate) fn count(n: u64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

/// One line of at most so many characters.
pub(crate) fn cut(text: &str, chars: usize) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.char_indices().nth(chars) {
        None => line,
        Some(_) => line.chars().take(chars.saturating_sub(1)).chain(['…']).collect(),
    }
}

/// One word of a command line.
pub(crate) fn quoted(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "/-_.:,@%+=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// `2026-11-22 03:04:05`, of `2026-11-22T03:04:05.678Z`.
pub(crate) fn second(time: &str) -> String {
    time.trim_end_matches('Z').split('.').next().unwrap_or_default().replace('T', " ")
}

/// A group's state with what it comes from: `expected until 2027-01-31 00:00:00 (grace: agreed with mobile)`.
pub(crate) fn state(group: &GroupView) -> String {
    let Some(decision) = &group.decision else { return group.state.clone() };
    let until = decision.expires.as_ref().map(|end| format!(" until {}", second(end))).unwrap_or_default();
    let epoch = match decision.call.as_str() {
        "fixed" if !decision.epoch.is_empty() => format!(" in {}", decision.epoch),
        _ => String::new(),
    };
    let who = if decision.owner.is_empty() { &decision.actor } else { &decision.owner };
    format!("{}{until}{epoch} ({who}: {})", group.state, decision.reason)
}

/// What an entry of the log did: `expected until 2027-01-31 00:00:00`, `undo of entry 3`.
pub(crate) fn act(entry: &EntryView) -> String {
    let until = entry.expires.as_ref().map(|end| format!(" until {}", second(end))).unwrap_or_default();
    match (&entry.part, entry.takes_back) {
        (Some(part), _) => format!("{} off {} ({})", entry.act, part.id, part.words),
        (None, Some(before)) => format!("{} of entry {before}", entry.act),
        (None, None) => format!("{}{until}", entry.act),
    }
}

/// One line of the log of decisions.
pub(crate) fn entry(entry: &EntryView) -> String {
    let reason = if entry.reason.is_empty() { String::new() } else { format!(": {}", entry.reason) };
    format!("{:>4}  {}  {} {}{reason}", entry.sequence, second(&entry.at), entry.actor, act(entry))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_has_one_unit() {
        assert_eq!(
            [0, 59, 60, 3_599, 3_600, 86_399, 86_400].map(age),
            ["0 s", "59 s", "1 min", "59 min", "1 h", "23 h", "1 d"]
        );
    }

    #[test]
    fn a_word_of_a_command_line_is_quoted_where_a_shell_would_read_more_into_it() {
        assert_eq!(quoted("14d"), "14d");
        assert_eq!(quoted("it's $HOME"), "'it'\\''s $HOME'");
        assert_eq!(quoted(""), "''");
    }

    #[test]
    fn a_cut_text_is_one_line_that_says_it_was_cut() {
        assert_eq!(cut("a\nb", 5), "a b");
        assert_eq!(cut("äöüäöü", 4), "äöü…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
