//! Hashes of subtrees: equal for values that are equal, whatever their form.

use std::hash::{BuildHasher, Hash, Hasher};

use foldhash::fast::FixedState;

use super::number::Number;
use super::tree::{JsonType, NodeId, Tree};

/// The hashes of one tree, each computed when it is first asked for.
///
/// They only decide which elements are put side by side; what is side by side is always compared itself, so that a
/// collision never hides a difference.
#[derive(Debug, Default)]
pub struct Hashes {
    /// By node; 0 is unknown. Empty until the first question.
    known: Vec<u64>,
}

/// The seed is fixed, so that a comparison gives the same answer every time.
const STATE: FixedState = FixedState::with_seed(0x5354_524e_474c_4552);

impl Hashes {
    pub fn of(&mut self, tree: &Tree<'_>, id: NodeId) -> u64 {
        if self.known.is_empty() {
            self.known = vec![0; tree.node_count()];
        }
        self.compute(tree, id)
    }

    /// The same for a value that names something: `7` and `"7"` are one name, for a service that turns its ids into
    /// text still speaks of the same things.
    pub fn of_name(&mut self, tree: &Tree<'_>, id: NodeId) -> u64 {
        match tree.json_type(id) {
            JsonType::String if is_integer(tree.string(id)) => number(tree.string(id)),
            _ => self.of(tree, id),
        }
    }

    /// Recursion is bounded by the depth that the tree was parsed with.
    fn compute(&mut self, tree: &Tree<'_>, id: NodeId) -> u64 {
        let known = self.known[id.0 as usize];
        if known != 0 {
            return known;
        }
        let json_type = tree.json_type(id);
        if json_type == JsonType::Number {
            let hash = number(tree.raw(id));
            self.known[id.0 as usize] = hash;
            return hash;
        }
        let mut hasher = STATE.build_hasher();
        hasher.write_u8(json_type as u8);
        match json_type {
            JsonType::Null | JsonType::Number => {}
            JsonType::Boolean => hasher.write_u8(tree.raw(id).as_bytes()[0]),
            JsonType::String => tree.string(id).hash(&mut hasher),
            JsonType::Array => {
                for child in tree.children(id) {
                    hasher.write_u64(self.compute(tree, child));
                }
            }
            // Members in any order are the same object, so their hashes are added up.
            JsonType::Object => {
                let sum = tree.children(id).fold(0_u64, |sum, child| {
                    let mut member = STATE.build_hasher();
                    tree.key(child).hash(&mut member);
                    member.write_u64(self.compute(tree, child));
                    sum.wrapping_add(member.finish())
                });
                hasher.write_u64(sum);
            }
        }
        let hash = hasher.finish().max(1);
        self.known[id.0 as usize] = hash;
        hash
    }
}

fn number(text: &str) -> u64 {
    let mut hasher = STATE.build_hasher();
    hasher.write_u8(JsonType::Number as u8);
    Number::of(text).hash(&mut hasher);
    hasher.finish().max(1)
}

/// As JSON writes one: no sign but a minus, no zero in front.
fn is_integer(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text);
    !digits.is_empty()
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && (digits == "0" || !digits.starts_with('0'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::parse;

    #[test]
    fn equal_values_hash_alike() {
        for (left, right, equal) in [
            (r#"{"a":1,"b":[2,3]}"#, r#" {"b":[2.0,3e0],"\u0061":1}"#, true),
            ("[1,2]", "[2,1]", false),
            ("[[],1]", "[[1]]", false),
            (r#"{"a":{}}"#, r#"{"a":[]}"#, false),
            (r#""1""#, "1", false),
            ("true", "false", false),
            ("null", r#""""#, false),
        ] {
            let (a, b) = (parse(left.as_bytes(), 9).unwrap(), parse(right.as_bytes(), 9).unwrap());
            let hashes = (Hashes::default().of(&a, a.root()), Hashes::default().of(&b, b.root()));
            assert_eq!(hashes.0 == hashes.1, equal, "{left} {right}");
        }
    }

    #[test]
    fn a_name_is_the_same_as_text_and_as_a_number() {
        for (number, text, same) in [
            ("7", "\"7\"", true),
            ("-7", "\"-7\"", true),
            ("7", "\"07\"", false),
            ("7", "\"7.0\"", false),
            ("0", "\"\"", false),
        ] {
            let (a, b) = (parse(number.as_bytes(), 9).unwrap(), parse(text.as_bytes(), 9).unwrap());
            let names = (Hashes::default().of_name(&a, a.root()), Hashes::default().of_name(&b, b.root()));
            assert_eq!(names.0 == names.1, same, "{number} {text}");
        }
    }
}
