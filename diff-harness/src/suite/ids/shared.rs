//! What both sides were asked under one name: it is one thing on both, and no answer may say otherwise.

use super::Names;
use super::place;
use super::token::{is_distinctive, is_no_word, tokens};
use crate::json::{JsonType, Tree, parse};

impl Names {
    /// Binds the names that stand in both requests to themselves. Returns whether the two sides are asked for one thing
    /// under two names.
    pub fn asked(&mut self, control_target: &str, candidate_target: &str, bodies: (&[u8], &[u8])) -> bool {
        if self.learn == super::Learn::Captures && self.is_empty() {
            return false;
        }
        let (left, right) = (tokens(control_target), tokens(candidate_target));
        let mut by_name = false;
        let mut before: Option<&str> = None;
        for (l, r) in left.iter().zip(&right) {
            let (l, r) = (&control_target[l.clone()], &candidate_target[r.clone()]);
            if l != r {
                by_name = true;
            } else if is_no_word(l) {
                self.same(&place::space_after(before), l);
            }
            before = Some(l);
        }
        if bodies.0 == bodies.1
            && !bodies.0.is_empty()
            && let Ok(tree) = parse(bodies.0, 64)
        {
            self.same_in(&tree);
        }
        by_name
    }

    fn same_in(&mut self, tree: &Tree<'_>) {
        let mut open = vec![(tree.root(), None::<String>)];
        while let Some((node, space)) = open.pop() {
            match tree.json_type(node) {
                JsonType::Object => open.extend(tree.children(node).map(|child| {
                    let key = tree.key(child);
                    let is_id = place::holds(key) == place::Holds::Id;
                    let path = [crate::divergence::Segment::Key(key.to_owned())];
                    (child, is_id.then(|| place::space(&path, None, "")))
                })),
                JsonType::Array => open.extend(tree.children(node).map(|child| (child, space.clone()))),
                JsonType::String | JsonType::Number => {
                    if let Some(space) = space {
                        self.same(&space, super::align::text(tree, node));
                    }
                }
                JsonType::Null | JsonType::Boolean => {}
            }
        }
    }

    /// Unless it is known to be two things: then the suite itself names one of them by the other's name.
    fn same(&mut self, space: &str, name: &str) {
        let space = if is_distinctive(name) { "" } else { space };
        if self.ids.check(space, name, name).is_none() {
            self.meet(space, name, name, true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::Learn;
    use crate::suite::ids::Meeting;

    #[test]
    fn what_both_were_asked_for_is_one_thing() {
        let mut names = Names::new(Learn::Writes, "a", "a");
        assert!(!names.asked("/posts/17/likes?page=2", "/posts/17/likes?page=2", (b"", b"")));
        assert!(matches!(names.meet("post", "17", "18", true), Meeting::Violation { .. }));
        assert_eq!(names.meet("user", "17", "18", true), Meeting::Learned, "another kind of thing");
        let body = br#"{"post_id":4,"tags":["x1"],"track_ids":[7,8]}"#;
        names.asked("/likes", "/likes", (body, body));
        assert!(matches!(names.meet("post", "4", "5", true), Meeting::Violation { .. }));
        assert!(matches!(names.meet("track", "8", "9", true), Meeting::Violation { .. }));
    }

    #[test]
    fn two_names_for_what_is_asked_are_seen() {
        let mut names = Names::new(Learn::Writes, "a", "a");
        assert!(names.asked("/posts/17", "/posts/9004", (b"", b"")));
    }
}
