//! JSON is edited in its own text, so that numbers of any size, duplicate keys and the order stay as they were.

use std::ops::Range;

use jiter::{Jiter, Peek};

use super::Redaction;
use super::text::Edits;
use crate::divergence::Segment;

/// Deeper documents are withheld.
const DEPTH_MAX: usize = 256;

/// How far the text could be read.
enum Read {
    Whole,
    /// To here, after the last value that was whole; what follows is not JSON, or was cut away.
    UpTo(usize),
    /// As above, and what follows is the beginning of a string that is no secret.
    IntoString(usize),
}

impl Redaction<'_> {
    /// One document. `None` when it is not JSON from end to end.
    pub(super) fn json(&self, text: &str) -> Option<String> {
        let (edits, read) = self.walk(&[], text, false);
        matches!(read, Read::Whole).then(|| edits.apply(text).into_owned())
    }

    /// As much of a document as is whole.
    pub(super) fn json_prefix(&self, text: &str) -> String {
        let (edits, read) = self.walk(&[], text, false);
        match read {
            Read::Whole => edits.apply(text).into_owned(),
            Read::UpTo(end) | Read::IntoString(end) => edits.apply(&text[..end]).into_owned(),
        }
    }

    /// A document on each line. `None` when a line is none.
    pub(super) fn json_lines(&self, text: &str) -> Option<String> {
        let mut out = String::with_capacity(text.len());
        for line in text.split_inclusive('\n') {
            if line.trim().is_empty() {
                out.push_str(line);
            } else {
                out.push_str(&self.json(line)?);
            }
        }
        Some(out)
    }

    /// The value of a divergence at a place that is not secret itself; it may hold places that are, and it may have
    /// been cut.
    pub(super) fn json_value(&self, path: &[Segment], text: &str) -> String {
        // A value that was cut at its front may begin in the middle of a secret whose name is gone.
        if let Some(rest) = text.strip_prefix('…')
            && rest.contains("\":")
        {
            let known = rest.find(",\"").map_or("", |at| &rest[at..]);
            return format!("…{}", self.text(known));
        }
        let (edits, read) = self.walk(path, text, true);
        match read {
            Read::Whole => edits.apply(text).into_owned(),
            Read::IntoString(end) => format!("{}{}", edits.apply(&text[..end]), self.text(&text[end..])),
            // Not JSON at all: a word for a person, such as a type.
            Read::UpTo(0) => self.text(text),
            Read::UpTo(end) => format!("{}…", edits.apply(&text[..end])),
        }
    }

    fn walk(&self, path: &[Segment], text: &str, lenient: bool) -> (Edits, Read) {
        let mut walk = Walk {
            redaction: self,
            text,
            jiter: Jiter::new(text.as_bytes()),
            path: path.to_vec(),
            edits: Edits::default(),
            whole_up_to: 0,
            open_string: None,
        };
        let read = match walk.value(0).and_then(|()| walk.jiter.finish().ok()) {
            Some(()) => Read::Whole,
            None => match walk.open_string {
                Some(start) if lenient => Read::IntoString(start),
                _ => Read::UpTo(walk.whole_up_to),
            },
        };
        (walk.edits, read)
    }
}

struct Walk<'a> {
    redaction: &'a Redaction<'a>,
    text: &'a str,
    jiter: Jiter<'a>,
    path: Vec<Segment>,
    edits: Edits,
    whole_up_to: usize,
    /// The start of a string that was being read when the text ended.
    open_string: Option<usize>,
}

impl Walk<'_> {
    /// Reads one value; `None` where it is not JSON.
    fn value(&mut self, depth: usize) -> Option<()> {
        let peek = self.jiter.peek().ok()?;
        let start = self.jiter.current_index();
        if depth > DEPTH_MAX {
            return None;
        }
        if self.is_secret() && peek != Peek::Null {
            self.jiter.known_skip(peek).ok()?;
            let span = start..self.jiter.current_index();
            self.hide(span);
        } else {
            match peek {
                Peek::Array => self.array(depth)?,
                Peek::Object => self.object(depth)?,
                Peek::String => self.string(start)?,
                other if other.is_num() => self.jiter.known_number_bytes(other).ok().map(|_| ())?,
                other => self.jiter.known_skip(other).ok()?,
            }
        }
        self.whole_up_to = self.jiter.current_index();
        Some(())
    }

    fn array(&mut self, depth: usize) -> Option<()> {
        let mut next = self.jiter.known_array().ok()?;
        let mut index = 0;
        while next.is_some() {
            self.path.push(Segment::Index(index));
            self.value(depth + 1)?;
            self.path.pop();
            index += 1;
            next = self.jiter.array_step().ok()?;
        }
        Some(())
    }

    fn object(&mut self, depth: usize) -> Option<()> {
        let mut next = self.jiter.known_object().ok()?.map(str::to_owned);
        while let Some(key) = next {
            self.path.push(Segment::Key(key));
            self.value(depth + 1)?;
            self.path.pop();
            next = self.jiter.next_key().ok()?.map(str::to_owned);
        }
        Some(())
    }

    fn string(&mut self, start: usize) -> Option<()> {
        self.open_string = Some(start);
        let value = self.jiter.known_str().ok()?.to_owned();
        self.open_string = None;
        let clean = self.redaction.text(&value);
        if clean != value {
            self.edits.replace(start..self.jiter.current_index(), quoted(&clean));
        }
        Some(())
    }

    /// Whether the last step led to a secret; the steps before it were asked when they were made.
    fn is_secret(&self) -> bool {
        let rules = self.redaction.rules;
        matches!(self.path.last(), Some(Segment::Key(key)) if rules.members.contains(key))
            || rules.paths.iter().any(|pattern| pattern.matches(&self.path))
    }

    fn hide(&mut self, span: Range<usize>) {
        let raw = &self.text[span.clone()];
        // Equal strings stay equal however they were escaped, and are found again where they are not quoted.
        let masked = match serde_json::from_str::<String>(raw) {
            Ok(text) => self.redaction.hide(&text),
            Err(_) => self.redaction.hide(raw),
        };
        self.edits.replace(span, quoted(&masked));
    }
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("a string is always JSON")
}
