//! `application/x-www-form-urlencoded` bodies, by field.

use std::borrow::Cow;

use percent_encoding::percent_decode;

use super::excerpt::{cut, cut_both};
use super::findings::{Finding, Findings};
use crate::divergence::{Kind, Location, Severity};

/// The n-th value of a field belongs to the n-th on the other side. The order of different fields says nothing.
pub(super) fn compare_forms(control: &[u8], candidate: &[u8], findings: &mut Findings<'_>) {
    let (left, right) = (fields(control), fields(candidate));
    let max = findings.limits.value_bytes_max;
    let (mut l, mut r) = (left.iter().peekable(), right.iter().peekable());
    loop {
        let (a, b) = match (l.peek(), r.peek()) {
            (None, None) => return,
            (Some(_), None) => (l.next(), None),
            (Some(a), Some(b)) if a.key() == b.key() => (l.next(), r.next()),
            (Some(a), Some(b)) if a.key() < b.key() => (l.next(), None),
            _ => (None, r.next()),
        };
        let Some(field) = a.or(b) else { return };
        let location = Location::Field(field.name.clone());
        match (a, b) {
            (Some(a), Some(b)) if a.value == b.value => {}
            (Some(a), Some(b)) => {
                let severity = if a.value.is_empty() { Severity::Exposure } else { Severity::Changed };
                findings.report(Finding::new(Kind::Value, severity), &[], || {
                    let (control, candidate) = cut_both(&a.value, &b.value, max);
                    (location, Some(control), Some(candidate))
                });
            }
            (Some(a), None) => {
                findings.report(Finding::new(Kind::Missing, Severity::Breaking), &[], || {
                    (location, Some(cut(&a.value, max)), None)
                });
            }
            (None, Some(b)) => {
                findings.report(Finding::new(Kind::Added, Severity::Exposure), &[], || {
                    (location, None, Some(cut(&b.value, max)))
                });
            }
            (None, None) => {}
        }
    }
}

struct Field {
    name: String,
    /// Which of the fields of its name it is.
    occurrence: usize,
    value: String,
}

impl Field {
    fn key(&self) -> (&str, usize) {
        (&self.name, self.occurrence)
    }
}

/// Decoded, by name and then in the order of the body.
fn fields(body: &[u8]) -> Vec<Field> {
    let mut fields: Vec<Field> = body
        .split(|byte| *byte == b'&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| {
            let at = memchr::memchr(b'=', pair);
            let (name, value) = at.map_or((pair, &b""[..]), |at| (&pair[..at], &pair[at + 1..]));
            Field { name: unescape(name), occurrence: 0, value: unescape(value) }
        })
        .collect();
    fields.sort_by(|a, b| a.name.cmp(&b.name));
    for at in 1..fields.len() {
        if fields[at].name == fields[at - 1].name {
            fields[at].occurrence = fields[at - 1].occurrence + 1;
        }
    }
    fields
}

/// What cannot be UTF-8 stays percent-encoded, so that no two values become one.
fn unescape(text: &[u8]) -> String {
    let spaced: Vec<u8> = text.iter().map(|byte| if *byte == b'+' { b' ' } else { *byte }).collect();
    match percent_decode(&spaced).decode_utf8() {
        Ok(decoded) => decoded.into_owned(),
        Err(_) => match std::str::from_utf8(text) {
            Ok(written) => written.to_owned(),
            Err(_) => Cow::from(text.escape_ascii().to_string()).into_owned(),
        },
    }
}
