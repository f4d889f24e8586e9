//! A path as the document writes it becomes one that is a template.

use crate::inventory::Note;

/// Takes away what real documents add to paths, with a note of each: fragments and queries that tell variants of one
/// endpoint apart, patterns inside of parameters, doubled and missing slashes.
pub(super) fn simplified(path: &str, pointer: &str) -> (String, Option<Note>) {
    let mut whys = Vec::new();
    let mut simple = String::with_capacity(path.len() + 1);
    if !path.starts_with('/') {
        simple.push('/');
        whys.push("a path starts with a slash");
    }
    let mut rest = path;
    while let Some(character) = rest.chars().next() {
        match character {
            '#' => {
                whys.push("a fragment is never sent, so it is the same path on the wire");
                break;
            }
            '?' => {
                whys.push("endpoints are told apart by method and path alone, not by the query");
                break;
            }
            '{' => {
                let Some(length) = closing(rest) else {
                    // The template says in words what is wrong.
                    simple.push_str(rest);
                    break;
                };
                let inside = &rest[1..length - 1];
                if inside.starts_with(['?', '&', '#']) {
                    whys.push("what a parameter adds to the query is no part of the path");
                } else if let Some((name, _)) = inside.split_once(':').filter(|(name, _)| !name.is_empty()) {
                    whys.push("the pattern of a parameter is not applied");
                    simple.push_str(&format!("{{{}}}", name.trim()));
                } else {
                    simple.push_str(&rest[..length]);
                }
                rest = &rest[length..];
                continue;
            }
            '/' if simple.ends_with('/') => whys.push("a doubled slash is one"),
            _ => simple.push(character),
        }
        rest = &rest[character.len_utf8()..];
    }
    whys.dedup();
    let note = (!whys.is_empty()).then(|| Note::Rewritten {
        pointer: pointer.to_owned(),
        path: path.to_owned(),
        read_as: simple.clone(),
        why: whys.join("; "),
    });
    (simple, note)
}

/// The length of the parameter at the start of `text`, with the braces of its pattern in it.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, character) in text.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 1 => return Some(at + 1),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_part_of_a_path_is_taken_away_and_noted() {
        for (path, expected) in [
            ("/oauth2/token#refresh", "/oauth2/token"),
            ("/functions?list-type=2", "/functions"),
            ("/items{?page,limit}", "/items"),
            ("/users/{id:[0-9]{2,}}/x", "/users/{id}/x"),
            ("users/{id}", "/users/{id}"),
            ("//a///b", "/a/b"),
            ("", "/"),
        ] {
            let (simple, note) = simplified(path, "/paths/x");
            assert_eq!(simple, expected, "{path}");
            assert!(note.is_some(), "{path}");
        }
        for path in ["/", "/a/{b}...{c}/", "/a/{b", "/x/{+all}"] {
            assert_eq!(simplified(path, ""), (path.to_owned(), None));
        }
    }
}
