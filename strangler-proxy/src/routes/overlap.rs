//! Which templates can match one and the same path.

use super::literal::unit;
use super::template::{Segment, Template};

impl Template {
    /// Whether some path is matched by both. Where two endpoints overlap, the more literal one gets it.
    pub fn overlaps(&self, other: &Self) -> bool {
        let (mut a, mut b) = (self.segments().iter(), other.segments().iter());
        loop {
            match (a.next(), b.next()) {
                (None, None) => return true,
                (None, Some(_)) | (Some(_), None) => return false,
                // The rest of a path is any segments, of which the first is not empty.
                (Some(Segment::CatchAll(_)), Some(next)) | (Some(next), Some(Segment::CatchAll(_))) => {
                    return !matches!(next, Segment::Static(text) if text.is_empty());
                }
                (Some(a), Some(b)) if !segments_overlap(a, b) => return false,
                (Some(_), Some(_)) => {}
            }
        }
    }
}

fn segments_overlap(a: &Segment, b: &Segment) -> bool {
    match (a, b) {
        (Segment::Static(a), b) => b.matches(a),
        (a, Segment::Static(b)) => a.matches(b),
        (Segment::Mixed(a), Segment::Mixed(b)) => {
            // The commonest answer first: literal beginnings that contradict each other.
            let common = a.prefix.len().min(b.prefix.len());
            a.prefix.as_bytes()[..common] == b.prefix.as_bytes()[..common]
                && intersect(&tokens(a), &tokens(b))
        }
        _ => true,
    }
}

/// A step of a segment pattern.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'a> {
    /// This character.
    Is(&'a str),
    /// Any one character.
    Any,
    /// Any characters, or none.
    Many,
}

fn tokens(pattern: &super::pattern::Pattern) -> Vec<Token<'_>> {
    let mut tokens = Vec::new();
    characters(&pattern.prefix, &mut tokens);
    for hole in &pattern.holes {
        tokens.extend([Token::Any, Token::Many]);
        characters(&hole.then, &mut tokens);
    }
    tokens
}

fn characters<'a>(mut literal: &'a str, tokens: &mut Vec<Token<'a>>) {
    while !literal.is_empty() {
        let (character, rest) = literal.split_at(unit(literal.as_bytes()));
        tokens.push(Token::Is(character));
        literal = rest;
    }
}

/// Whether some text fits both, by the table of which suffixes fit each other.
fn intersect(a: &[Token<'_>], b: &[Token<'_>]) -> bool {
    let width = b.len() + 1;
    let mut fits = vec![false; (a.len() + 1) * width];
    for i in (0..=a.len()).rev() {
        for j in (0..=b.len()).rev() {
            let at = |i: usize, j: usize| fits[i * width + j];
            let fit = match (a.get(i), b.get(j)) {
                (None, None) => true,
                (Some(Token::Many), other) => at(i + 1, j) || (other.is_some() && at(i, j + 1)),
                (other, Some(Token::Many)) => at(i, j + 1) || (other.is_some() && at(i + 1, j)),
                (None, Some(_)) | (Some(_), None) => false,
                (Some(Token::Is(x)), Some(Token::Is(y))) => x == y && at(i + 1, j + 1),
                (Some(_), Some(_)) => at(i + 1, j + 1),
            };
            fits[i * width + j] = fit;
        }
    }
    fits[0]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_pairs_are_found() {
        for (a, b, expected) in [
            ("/users/me", "/users/{id}", true),
            ("/a/{x}/c", "/a/b/{y}", true),
            ("/a/{x}/c", "/a/{y}/d", false),
            ("/a/{x}", "/a/{x}/b", false),
            ("/a/{x}", "/a/{x}/", false),
            ("/a/{rest*}", "/a/b/c", true),
            ("/a/{rest*}", "/a/", false),
            ("/a/{rest*}", "/a", false),
            ("/a/{x}.json", "/a/{y}.{ext}", true),
            ("/a/{x}.json", "/a/{y}.xml", false),
            ("/a/x{x}", "/a/y{y}", false),
            ("/a/x{x}", "/a/{y}y", true),
            ("/a/{b}...{h}", "/a/{b}..{h}", true),
            ("/a/{x}2{y}", "/a/%2F", false),
        ] {
            let (a, b) = (Template::parse(a).unwrap(), Template::parse(b).unwrap());
            assert_eq!(a.overlaps(&b), expected, "{a} and {b}");
            assert_eq!(b.overlaps(&a), expected, "{b} and {a}");
        }
    }
}
