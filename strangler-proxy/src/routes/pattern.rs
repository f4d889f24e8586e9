//! A path segment that mixes literal text and parameters, such as `{base}...{head}`.

use std::cmp::{Ordering, Reverse};

use super::literal::unit;

/// Literal text, then parameters, each followed by literal text that may be empty. Literals are normalised.
///
/// Every parameter stands for at least one character.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Pattern {
    pub(super) prefix: String,
    pub(super) holes: Vec<Hole>,
}

/// A parameter and the literal text after it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Hole {
    pub(super) name: String,
    pub(super) then: String,
}

impl Pattern {
    /// Whether a normalised segment fits. Allocates nothing; the cost is linear in the segment for each literal.
    ///
    /// Taking the first place at which each literal fits is enough: if any division into parameters exists, one
    /// exists with every literal at its first possible place, but for the last, which stands at the end.
    pub(super) fn matches(&self, segment: &str) -> bool {
        let Some(mut rest) = segment.strip_prefix(self.prefix.as_str()) else { return false };
        let Some((last, holes)) = self.holes.split_last() else { return rest.is_empty() };
        for hole in holes {
            match after(rest, &hole.then) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        let Some(value) = rest.strip_suffix(last.then.as_str()) else { return false };
        !value.is_empty() && is_whole(value)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.holes.iter().map(|hole| hole.name.as_str())
    }

    /// Its text with the names left out.
    pub(super) fn shape(&self) -> String {
        let holes = self.holes.iter().map(|hole| format!("{{}}{}", hole.then));
        std::iter::once(self.prefix.clone()).chain(holes).collect()
    }

    /// The more literal first. Where the segments of one are all among those of another it comes first; the
    /// rest of the order is arbitrary and fixed.
    pub(super) fn by_precedence(&self, other: &Self) -> Ordering {
        let key = |pattern: &Self| {
            let literal =
                pattern.prefix.len() + pattern.holes.iter().map(|hole| hole.then.len()).sum::<usize>();
            (Reverse(literal), Reverse(pattern.holes.len()), Reverse(pattern.prefix.len()))
        };
        let literals = |pattern: &Self| {
            let thens = pattern.holes.iter().map(|hole| hole.then.clone());
            std::iter::once(pattern.prefix.clone()).chain(thens).collect::<Vec<_>>()
        };
        key(self).cmp(&key(other)).then_with(|| literals(self).cmp(&literals(other)))
    }
}

/// What follows after one or more characters and then `literal`, at its first possible place.
fn after<'a>(text: &'a str, literal: &str) -> Option<&'a str> {
    let mut at = 0;
    while at < text.len() {
        // A literal may not begin within a percent-encoding: `2` is no part of `%2F`.
        at += unit(&text.as_bytes()[at..]);
        if let Some(after) = text.get(at..)?.strip_prefix(literal) {
            return Some(after);
        }
    }
    None
}

/// Whether a text that was cut from a normalised segment ends between characters.
fn is_whole(text: &str) -> bool {
    let bytes = text.as_bytes();
    let tail = &bytes[bytes.len().saturating_sub(2)..];
    !tail.contains(&b'%')
}
