//! Places in JSON bodies that a config calls secret.

use std::str::FromStr;

use crate::divergence::Segment;

/// A JSON path of RFC 9535 without filters, slices and unions: names, indices, `*`, and `..`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JsonPattern(Vec<Step>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    Name(String),
    Index(usize),
    Any,
    /// Any number of steps, none included.
    Descend,
}

impl JsonPattern {
    pub fn matches(&self, path: &[Segment]) -> bool {
        matches(&self.0, path)
    }
}

fn matches(steps: &[Step], path: &[Segment]) -> bool {
    let Some((step, steps)) = steps.split_first() else { return path.is_empty() };
    if *step == Step::Descend {
        return (0..=path.len()).any(|skipped| matches(steps, &path[skipped..]));
    }
    let Some((segment, path)) = path.split_first() else { return false };
    let fits = match (step, segment) {
        (Step::Any, _) | (Step::Index(_), Segment::Any) => true,
        (Step::Name(name), Segment::Key(key)) => name == key,
        (Step::Index(index), Segment::Index(at)) => index == at,
        _ => false,
    };
    fits && matches(steps, path)
}

impl FromStr for JsonPattern {
    type Err = JsonPatternError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = |rest: &str, expected| JsonPatternError {
            path: text.to_owned(),
            column: text.len() - rest.len() + 1,
            expected,
        };
        let mut rest = text.strip_prefix('$').ok_or_else(|| wrong(text, "`$`"))?;
        let mut steps = Vec::new();
        while !rest.is_empty() {
            if let Some(after) = rest.strip_prefix("..") {
                steps.push(Step::Descend);
                rest = after;
                if !rest.starts_with('[') {
                    rest = name(rest, &mut steps).ok_or_else(|| wrong(after, "a name, `*` or `[`"))?;
                    continue;
                }
            }
            if let Some(after) = rest.strip_prefix('.') {
                rest = name(after, &mut steps).ok_or_else(|| wrong(after, "a name or `*`"))?;
            } else if let Some(after) = rest.strip_prefix('[') {
                rest = bracket(after, &mut steps)
                    .ok_or_else(|| wrong(after, "`'a name']`, an index and `]`, or `*]`"))?;
            } else {
                return Err(wrong(rest, "`.`, `..` or `[`"));
            }
        }
        if steps.is_empty() {
            return Err(wrong(rest, "a place below `$`"));
        }
        Ok(Self(steps))
    }
}

/// Reads a name or `*`, and gives what follows it.
fn name<'a>(text: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix('*') {
        steps.push(Step::Any);
        return Some(rest);
    }
    let end = text.find(['.', '[']).unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    let plain = |c: char| c.is_alphanumeric() || c == '_' || c == '-' || !c.is_ascii();
    if name.is_empty() || !name.chars().all(plain) {
        return None;
    }
    steps.push(Step::Name(name.to_owned()));
    Some(rest)
}

fn bracket<'a>(text: &'a str, steps: &mut Vec<Step>) -> Option<&'a str> {
    if let Some(rest) = text.strip_prefix("*]") {
        steps.push(Step::Any);
        return Some(rest);
    }
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let mut name = String::new();
        let mut chars = text[1..].char_indices();
        while let Some((at, c)) = chars.next() {
            match c {
                '\\' => name.push(chars.next()?.1),
                c if c == quote => {
                    steps.push(Step::Name(name));
                    return text[1 + at + 1..].strip_prefix(']');
                }
                c => name.push(c),
            }
        }
        return None;
    }
    let (index, rest) = text.split_once(']')?;
    steps.push(Step::Index(index.parse().ok()?));
    Some(rest)
}

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error(
    "`{path}` is not a JSON path that redaction can use: expected {expected} at column {column}, \
     as in `$.user.email`, `$.cards[*].number` or `$..ssn`"
)]
pub struct JsonPatternError {
    pub path: String,
    /// From 1, in bytes.
    pub column: usize,
    pub expected: &'static str,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pattern: &str, expected: &[(&str, bool)]) {
        let pattern: JsonPattern = pattern.parse().unwrap();
        for (path, fits) in expected {
            let path: Vec<_> = path
                .split('.')
                .filter(|part| !part.is_empty())
                .map(|part| part.parse().map_or_else(|_| Segment::Key(part.to_owned()), Segment::Index))
                .collect();
            assert_eq!(pattern.matches(&path), *fits, "{pattern:?} on {path:?}");
        }
    }

    #[test]
    fn a_pattern_matches_whole_places_only() {
        check(
            "$.user.email",
            &[("user.email", true), ("user", false), ("user.email.x", false), ("email", false)],
        );
        check(
            "$.cards[*].number",
            &[("cards.0.number", true), ("cards.17.number", true), ("cards.number", false)],
        );
        check("$..ssn", &[("ssn", true), ("a.0.ssn", true), ("a.ssn.b", false)]);
        check("$['a b'][2]", &[("a b.2", true), ("a b.3", false)]);
        check("$..[0]", &[("a.0", true), ("a.1", false)]);
    }

    #[test]
    fn what_cannot_be_read_is_refused_with_its_column() {
        for (text, column) in [
            ("", 1),
            ("user.email", 1),
            ("$", 2),
            ("$.", 3),
            ("$.a[", 5),
            ("$.a[?@.b]", 5),
            ("$x", 2),
            ("$.a['b]", 5),
        ] {
            assert_eq!(text.parse::<JsonPattern>().unwrap_err().column, column, "{text}");
        }
    }
}
