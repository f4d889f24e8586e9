//! Two bodies as a unified diff, for a terminal.

use std::time::Duration;

use similar::{Algorithm, TextDiff};

/// Lines of a body that do not differ and stand around those that do.
const CONTEXT_LINES: usize = 3;

/// What the algorithm may take before it settles for a longer diff.
const DEADLINE: Duration = Duration::from_millis(500);

/// The lines that differ, with their surroundings; `None` where none does. JSON is laid out a member a line first, and
/// nothing else of it is touched.
pub(crate) fn unified(control: &str, candidate: &str) -> Option<String> {
    let (control, candidate) = (laid_out(control), laid_out(candidate));
    if control == candidate {
        return None;
    }
    let diff = TextDiff::configure()
        .algorithm(Algorithm::Patience)
        .timeout(DEADLINE)
        .diff_lines(control.as_str(), candidate.as_str());
    let text = diff.unified_diff().context_radius(CONTEXT_LINES).header("control", "candidate").to_string();
    Some(text)
}

/// JSON with a line for every member and element. The text of every value stays as it was sent; what is no JSON comes
/// out with more lines, and whole.
fn laid_out(text: &str) -> String {
    let text = text.trim();
    if !text.starts_with(['{', '[']) {
        return format!("{text}\n");
    }
    let mut out = String::with_capacity(text.len() * 2);
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        // Deeper nesting is legal, and no reason to print mostly blanks.
        out.extend(std::iter::repeat_n(' ', 2 * depth.min(40)));
    };
    let mut previous = ' ';
    for c in text.chars() {
        if in_string {
            out.push(c);
            in_string = c != '"' || escaped;
            escaped = c == '\\' && !escaped;
            continue;
        }
        if c.is_whitespace() {
            continue;
        }
        match c {
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                if !matches!(previous, '{' | '[') {
                    line(&mut out, depth);
                }
            }
            _ if matches!(previous, '{' | '[' | ',') => line(&mut out, depth),
            _ => {}
        }
        out.push(c);
        match c {
            '"' => in_string = true,
            '{' | '[' => depth += 1,
            ':' => out.push(' '),
            _ => {}
        }
        previous = c;
    }
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changed_member_is_one_line_each_way() {
        let diff = unified(
            r#"{"a":1,"t":[{"id":1},{"id":2}],"z":{}}"#,
            r#"{ "a":1,"t":[{"id":1},{"id":3}],"z":{} }"#,
        );
        let diff = diff.expect("they differ");
        let changed: Vec<_> = diff
            .lines()
            .filter(|line| {
                line.starts_with(['+', '-']) && !line.starts_with("+++") && !line.starts_with("---")
            })
            .collect();
        assert_eq!(changed, ["-      \"id\": 2", "+      \"id\": 3"], "{diff}");
    }

    #[test]
    fn nothing_of_a_value_is_changed_by_its_layout() {
        let text = laid_out(r#"{"n":12345678901234567890123,"s":"a, {b} \"c\" \\","e":[],"f":1.0}"#);
        let expected = "{\n  \"n\": 12345678901234567890123,\n  \"s\": \"a, {b} \\\"c\\\" \\\\\",\n  \"e\": [],\n  \"f\": 1.0\n}\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn white_space_between_members_is_no_difference() {
        assert_eq!(unified(r#"{"a":[1,2]}"#, "{\n\t\"a\" : [ 1, 2 ]\n}"), None);
        assert_eq!(unified("same\n", "same"), None);
    }

    #[test]
    fn what_is_no_json_is_compared_by_line_and_never_panics() {
        assert!(unified("one\ntwo", "one\nthree").expect("they differ").contains("-two"));
        for broken in ["}}}}", "[\"", "{\"a\\", "[[[[", "é{]"] {
            assert!(unified(broken, "x").is_some(), "{broken}");
        }
    }
}
