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

    /// Recursion is bounded by the depth that the tree was parsed with.
    fn compute(&mut self, tree: &Tree<'_>, id: NodeId) -> u64 {
        let known = self.known[id.0 as usize];
        if known != 0 {
            return known;
        }
        let mut hasher = STATE.build_hasher();
        let json_type = tree.json_type(id);
        hasher.write_u8(json_type as u8);
        match json_type {
            JsonType::Null => {}
            JsonType::Boolean => hasher.write_u8(tree.raw(id).as_bytes()[0]),
            JsonType::Number => Number::of(tree.raw(id)).hash(&mut hasher),
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
}
