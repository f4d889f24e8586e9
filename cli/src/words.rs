//! Numbers and times as a person reads them.

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
    fn a_cut_text_is_one_line_that_says_it_was_cut() {
        assert_eq!(cut("a\nb", 5), "a b");
        assert_eq!(cut("äöüäöü", 4), "äöü…");
        assert_eq!(cut("abcd", 4), "abcd");
    }
}
