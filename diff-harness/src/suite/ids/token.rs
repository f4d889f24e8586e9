//! The names in a text: `17`, the last part of `/posts/17`, of `urn:post:17`, of `<https://api.test/posts/17>; rel="self"`.

use std::ops::Range;

/// A run of characters that a name is made of.
fn is_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '-' | '_' | '~')
}

/// Where the names in a text stand.
pub(super) fn tokens(text: &str) -> Vec<Range<usize>> {
    let mut tokens = Vec::new();
    let mut start = None;
    for (at, c) in text.char_indices() {
        match (is_name(c), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                tokens.push(from..at);
                start = None;
            }
            _ => {}
        }
    }
    tokens.extend(start.map(|from| from..text.len()));
    tokens
}

/// Whether two texts are the same but for their names.
pub(super) fn same_frame(a: &str, a_tokens: &[Range<usize>], b: &str, b_tokens: &[Range<usize>]) -> bool {
    if a_tokens.len() != b_tokens.len() {
        return false;
    }
    let (mut i, mut j) = (0, 0);
    for (left, right) in a_tokens.iter().zip(b_tokens) {
        if a[i..left.start] != b[j..right.start] {
            return false;
        }
        (i, j) = (left.end, right.end);
    }
    a[i..] == b[j..]
}

/// Whether two different names look as if one generator had made them: both numbers, or one length with the same
/// separators at the same places. In a longer name `-` and `_` may be digits of base64 (RFC 4648 §5) and stand anywhere,
/// but for UUIDs, whose hyphens have their places.
pub(super) fn formats_agree(a: &str, b: &str) -> bool {
    const BASE64_LENGTH_MIN: usize = 8;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number(a) && is_number(b) {
        return true;
    }
    if a.len() != b.len() || is_uuid(a) != is_uuid(b) {
        return false;
    }
    let is_base64 = |text: &str| {
        text.len() >= BASE64_LENGTH_MIN
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    if is_base64(a) && is_base64(b) && !is_uuid(a) {
        return true;
    }
    let class = |c: char| if c.is_ascii_alphanumeric() { 'x' } else { c };
    a.chars().map(class).eq(b.chars().map(class))
}

/// RFC 9562 §4.
fn is_uuid(text: &str) -> bool {
    text.len() == 36
        && text.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

/// Whether a text can be an identifier and not just a word: it has a digit in it, or it is long and in mixed case.
pub(super) fn is_no_word(text: &str) -> bool {
    let inside = text.get(1..).unwrap_or_default();
    let is_mixed = text.len() >= 8
        && inside.bytes().any(|byte| byte.is_ascii_uppercase())
        && text.bytes().any(|byte| byte.is_ascii_lowercase());
    is_mixed || text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Whether a name is so long that nobody else has it: it is looked for in every text, and it names one thing whatever
/// it is called there.
pub(super) fn is_distinctive(text: &str) -> bool {
    let digits_only = text.bytes().all(|byte| byte.is_ascii_digit());
    text.len() >= if digits_only { 12 } else { 8 } && is_no_word(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_found_between_separators() {
        let names =
            |text: &'static str| -> Vec<&str> { tokens(text).into_iter().map(|at| &text[at]).collect() };
        assert_eq!(names("17"), ["17"]);
        assert_eq!(names("/posts/a-b_c/x?y=1"), ["posts", "a-b_c", "x", "y", "1"]);
        assert_eq!(names("urn:post:17"), ["urn", "post", "17"]);
        assert_eq!(names("<http://é.test/1>; rel=\"self\""), ["http", "é", "test", "1", "rel", "self"]);
        assert_eq!(names("//"), Vec::<&str>::new());
    }

    #[test]
    fn a_frame_is_all_but_the_names() {
        let same = |a: &str, b: &str| same_frame(a, &tokens(a), b, &tokens(b));
        assert!(same("/posts/17", "/posts/9004"));
        assert!(same("urn:post:1", "urn:post:22"));
        for (a, b) in [("/posts/1", "/posts/1/"), ("/posts/1", "posts/1"), ("a:1", "a/1"), ("1", "")] {
            assert!(!same(a, b), "{a} {b}");
        }
    }

    #[test]
    fn one_generator_makes_one_format() {
        for (a, b, agree) in [
            ("17", "9004", true),
            ("a1b2", "12e4", true),
            ("0b0f5e2c-8a4f-4a53-9d57-0a8b7c1f2e3d", "6f1a2b3c-1111-4222-8333-944445555666", true),
            ("pl_1a", "pl_x9", true),
            ("F1RBNKgNqBY", "F-wWiPU8BM_", true),
            ("0b0f5e2c-8a4f-4a53-9d57-0a8b7c1f2e3d", "0b0f5e2c_8a4f_4a53_9d57_0a8b7c1f2e3d", false),
            ("17", "null", false),
            ("abc", "abcd", false),
            ("a-bc", "ab-c", false),
            ("", "1", false),
        ] {
            assert_eq!(formats_agree(a, b), agree, "{a} {b}");
        }
    }

    #[test]
    fn an_identifier_is_told_from_a_word() {
        for (text, expected) in [
            ("17", true),
            ("a1", true),
            ("NvKYjnGEYJY", true),
            ("Playlists", false),
            ("posts", false),
            ("HTTP", false),
        ] {
            assert_eq!(is_no_word(text), expected, "{text}");
        }
    }
}
