//! Values for people: cut at a limit, around what differs.

/// A value cut to about `max` bytes, with what was left out.
pub(super) fn cut(text: &str, max: usize) -> String {
    window(text, 0, max)
}

/// Both values cut to about `max` bytes each. What they have in common before the first difference gives way when
/// it would push the difference out.
pub(super) fn cut_both(control: &str, candidate: &str, max: usize) -> (String, String) {
    if control.len() <= max && candidate.len() <= max {
        return (control.to_owned(), candidate.to_owned());
    }
    let common = control.bytes().zip(candidate.bytes()).take_while(|(a, b)| a == b).count();
    let from = if common < max / 2 { 0 } else { common - max / 4 };
    (window(control, from, max), window(candidate, from, max))
}

fn window(text: &str, from: usize, max: usize) -> String {
    if text.len() <= max && from == 0 {
        return text.to_owned();
    }
    let start = text.floor_char_boundary(from);
    let end = text.floor_char_boundary(start.saturating_add(max));
    let before = if start > 0 { "…" } else { "" };
    let after = if end < text.len() { "…" } else { "" };
    format!("{before}{}{after} ({} bytes)", &text[start..end], text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_value_is_cut_at_a_character() {
        assert_eq!(cut("short", 5), "short");
        assert_eq!(cut("éééé", 5), "éé… (8 bytes)");
    }

    #[test]
    fn a_cut_shows_the_difference() {
        let (common, max) = ("x".repeat(1000), 40);
        let (control, candidate) = cut_both(&format!("{common}one"), &format!("{common}two"), max);
        assert!(control.contains("one") && candidate.contains("two"), "{control} {candidate}");
        assert!(control.len() < 2 * max);
        let (control, candidate) = cut_both("a", &format!("b{common}"), max);
        assert_eq!(control, "a");
        assert!(candidate.starts_with("bxx"), "{candidate}");
    }
}
