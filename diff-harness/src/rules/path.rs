//! The JSON path of a rule, by RFC 9535 without filters, matched step by step on the way down a tree.

use std::fmt;

use serde_json_path::JsonPath;

/// A parsed path. Exact: it selects by names, indices, slices and wildcards, never by a part of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathPattern {
    text: String,
    segments: Vec<Segment>,
}

/// One step from a value to a member or an element.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    Member(&'a str),
    /// `len` is the array's, for indices that count from the end.
    Element {
        index: usize,
        len: usize,
    },
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Segment {
    /// `..`: applies to the value and to everything below it (RFC 9535 §2.5.2).
    descendant: bool,
    selectors: Vec<Selector>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Selector {
    Name(String),
    Index(i64),
    Wildcard,
    Slice { start: Option<i64>, end: Option<i64>, step: i64 },
}

/// Why a text is not a path of a rule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a JSON path for rules: {what}")]
pub struct PathError {
    pub text: String,
    pub what: String,
}

impl PathPattern {
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let refuse = |what: String| PathError { text: text.to_owned(), what };
        JsonPath::parse(text).map_err(|error| refuse(format!("{error} (RFC 9535)")))?;
        let segments = Reader { text, at: 1 }.segments().map_err(|what| refuse(what.to_owned()))?;
        Ok(Self { text: text.to_owned(), segments })
    }

    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether having matched this many segments is having arrived.
    pub fn is_complete(&self, matched: usize) -> bool {
        matched == self.segments.len()
    }

    /// Gives the numbers of segments matched after one more step from where `matched` segments were.
    pub fn advance(&self, matched: usize, step: Step<'_>, mut arrive: impl FnMut(usize)) {
        let Some(segment) = self.segments.get(matched) else { return };
        if segment.descendant {
            arrive(matched);
        }
        if segment.selectors.iter().any(|selector| selector.selects(step)) {
            arrive(matched + 1);
        }
    }

    /// The names, if the path is a chain of single members: `$.user.id`.
    pub fn members(&self) -> Option<Vec<&str>> {
        self.segments.iter().map(Segment::single_name).collect()
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Segment {
    fn single_name(&self) -> Option<&str> {
        match self.selectors.as_slice() {
            [Selector::Name(name)] if !self.descendant => Some(name),
            _ => None,
        }
    }
}

impl Selector {
    fn selects(&self, step: Step<'_>) -> bool {
        match (self, step) {
            (Self::Wildcard, _) => true,
            (Self::Name(name), Step::Member(key)) => name == key,
            (Self::Index(wanted), Step::Element { index, len }) => {
                let index = index as i64;
                *wanted == index || *wanted == index - len as i64
            }
            (Self::Slice { start, end, step }, Step::Element { index, len }) => {
                slice_selects(*start, *end, *step, index as i64, len as i64)
            }
            _ => false,
        }
    }
}

/// RFC 9535 §2.3.4.2.2.
fn slice_selects(start: Option<i64>, end: Option<i64>, step: i64, index: i64, len: i64) -> bool {
    let normalize = |at: i64| if at >= 0 { at } else { len + at };
    if step > 0 {
        let lower = normalize(start.unwrap_or(0)).clamp(0, len);
        let upper = normalize(end.unwrap_or(len)).clamp(0, len);
        lower <= index && index < upper && (index - lower) % step == 0
    } else if step < 0 {
        let upper = normalize(start.unwrap_or(len - 1)).clamp(-1, len - 1);
        let lower = end.map_or(-1, |end| normalize(end).clamp(-1, len - 1));
        lower < index && index <= upper && (upper - index) % step == 0
    } else {
        false
    }
}

/// Reads the segments of a path that is known to be well-formed.
struct Reader<'a> {
    text: &'a str,
    at: usize,
}

const FILTER: &str =
    "filters (`?`) are not supported in rules; name the members, or use `*` and a narrower endpoint";
const BROKEN: &str = "expected `.name`, `..name`, `[0]`, `[1:3]`, `['name']` or `*`";

impl Reader<'_> {
    fn segments(&mut self) -> Result<Vec<Segment>, &'static str> {
        let mut segments = Vec::new();
        loop {
            self.skip_blank();
            let descendant = self.take("..");
            let selectors = if self.take("[") {
                self.bracketed()?
            } else if descendant || self.take(".") {
                vec![if self.take("*") { Selector::Wildcard } else { Selector::Name(self.shorthand()?) }]
            } else if self.rest().is_empty() {
                return Ok(segments);
            } else {
                return Err(BROKEN);
            };
            segments.push(Segment { descendant, selectors });
        }
    }

    fn bracketed(&mut self) -> Result<Vec<Selector>, &'static str> {
        let mut selectors = Vec::new();
        loop {
            self.skip_blank();
            selectors.push(self.selector()?);
            self.skip_blank();
            if self.take("]") {
                return Ok(selectors);
            }
            if !self.take(",") {
                return Err(BROKEN);
            }
        }
    }

    fn selector(&mut self) -> Result<Selector, &'static str> {
        match self.rest().chars().next() {
            Some('?') => Err(FILTER),
            Some('*') => {
                self.at += 1;
                Ok(Selector::Wildcard)
            }
            Some(quote @ ('\'' | '"')) => self.quoted(quote).map(Selector::Name),
            _ => {
                let start = self.integer();
                self.skip_blank();
                if !self.take(":") {
                    return start.map(Selector::Index).ok_or(BROKEN);
                }
                self.skip_blank();
                let end = self.integer();
                self.skip_blank();
                let mut step = None;
                if self.take(":") {
                    self.skip_blank();
                    step = self.integer();
                }
                Ok(Selector::Slice { start, end, step: step.unwrap_or(1) })
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, &'static str> {
        self.at += 1;
        let mut inner = String::new();
        let mut chars = self.rest().char_indices();
        while let Some((at, c)) = chars.next() {
            if c == quote {
                self.at += at + 1;
                // The escapes are JSON's (RFC 9535 §2.3.1.1), with the quotes made JSON's too.
                return serde_json::from_str(&format!("\"{inner}\"")).map_err(|_| BROKEN);
            }
            match c {
                '"' => inner.push_str("\\\""),
                '\\' => match chars.next().ok_or(BROKEN)?.1 {
                    '\'' => inner.push('\''),
                    escaped => inner.extend(['\\', escaped]),
                },
                c => inner.push(c),
            }
        }
        Err(BROKEN)
    }

    fn shorthand(&mut self) -> Result<String, &'static str> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || !c.is_ascii()))
            .unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        self.at += end;
        if name.is_empty() { Err(BROKEN) } else { Ok(name) }
    }

    fn integer(&mut self) -> Option<i64> {
        let rest = self.rest();
        let end = rest.find(|c: char| !(c.is_ascii_digit() || c == '-')).unwrap_or(rest.len());
        let number = rest[..end].parse().ok()?;
        self.at += end;
        Some(number)
    }

    fn take(&mut self, token: &str) -> bool {
        let found = self.rest().starts_with(token);
        if found {
            self.at += token.len();
        }
        found
    }

    fn skip_blank(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const DOCUMENT: &str = r#"{"a":{"id":1,"a":{"id":2}},"list":[{"id":3},{"id":4,"x y":[5,6]},[7,8,9,10]],"identity":11,"it's":12,"q\"":13}"#;

    /// Walks the document and asks the pattern at each value.
    fn selected<'v>(pattern: &PathPattern, value: &'v Value, states: &[usize], found: &mut Vec<&'v Value>) {
        let next = |step: Step<'_>| {
            let mut next = Vec::new();
            for state in states {
                pattern.advance(*state, step, |state| next.push(state));
            }
            next
        };
        let mut visit = |states: Vec<usize>, child: &'v Value| {
            if states.iter().any(|state| pattern.is_complete(*state)) {
                found.push(child);
            }
            selected(pattern, child, &states, found);
        };
        match value {
            Value::Object(members) => members.iter().for_each(|(k, v)| visit(next(Step::Member(k)), v)),
            Value::Array(elements) => elements
                .iter()
                .enumerate()
                .for_each(|(index, v)| visit(next(Step::Element { index, len: elements.len() }), v)),
            _ => {}
        }
    }

    #[test]
    fn a_pattern_selects_what_rfc_9535_selects() {
        let document: Value = serde_json::from_str(DOCUMENT).unwrap();
        for path in [
            "$.a.id",
            "$.id",
            "$..id",
            "$..*",
            "$.*",
            "$.list[*]",
            "$.list[0].id",
            "$.list[-1]",
            "$.list[-1][-4]",
            "$.list[-5]",
            "$.list[0:2]",
            "$.list[2][1:]",
            "$.list[2][::2]",
            "$.list[2][-2:]",
            "$.list[2][::-1]",
            "$.list[2][3:0:-2]",
            "$.list[2][:1:-1]",
            "$.list[2][::0]",
            "$.list[2][0,2]",
            "$['a', 'list']..id",
            "$..['x y'][0]",
            "$[ 'it\\'s' ]",
            "$[\"it's\"]",
            "$['q\"']",
            "$..a..id",
            "$..list..[0]",
            "$..[?(@.id)]",
        ] {
            let Ok(pattern) = PathPattern::parse(path) else {
                assert!(path.contains('?'), "{path} was refused");
                continue;
            };
            let mut found = Vec::new();
            selected(&pattern, &document, &[0], &mut found);
            let mut found: Vec<String> = found.iter().map(ToString::to_string).collect();
            let expected = JsonPath::parse(path).unwrap().query(&document);
            let mut expected: Vec<String> = expected.all().iter().map(ToString::to_string).collect();
            found.sort();
            expected.sort();
            // A node list may hold a node twice (RFC 9535 §2.7); a place is only ever one place.
            expected.dedup();
            found.dedup();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn what_is_not_a_path_is_refused() {
        for (path, what) in
            [("a", "RFC 9535"), ("$.", "RFC 9535"), ("$[?@.x]", "filters"), ("$[", "RFC 9535")]
        {
            let error = PathPattern::parse(path).unwrap_err().to_string();
            assert!(error.contains(what), "{error}");
        }
    }

    #[test]
    fn a_chain_of_members_is_known() {
        assert_eq!(PathPattern::parse("$.user['id']").unwrap().members(), Some(vec!["user", "id"]));
        assert_eq!(PathPattern::parse("$..id").unwrap().members(), None);
        assert_eq!(PathPattern::parse("$.a[0]").unwrap().members(), None);
    }
}
