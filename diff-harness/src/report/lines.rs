//! A body as lines for a person: JSON with one value a line, text as it is, the rest as bytes.

use crate::divergence::{Divergence, Kind, Location, Segment, Severity};
use crate::exchange::{CapturedBody, Response, Side};
use crate::json::{JsonType, NodeId, Tree, parse, parse_lines};
use crate::media::{Family, MediaType};

/// More lines of one body are not looked at.
pub const LINES_MAX: usize = 200_000;
const DEPTH_MAX: usize = 256;
/// Bytes of a body without a meaning that are shown.
const BYTES_SHOWN: usize = 512;

/// A body in lines, with the worst divergence that lies in each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BodyLines {
    pub lines: Vec<BodyLine>,
    /// What a reader must know: that it was cut, that it is not text.
    pub notes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BodyLine {
    pub text: String,
    pub severity: Option<Severity>,
}

/// How both bodies are read; JSON only if both are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reading {
    Json,
    JsonLines,
    Text,
    Bytes,
}

impl Reading {
    pub(super) fn of(control: Option<&Response>, candidate: Option<&Response>) -> Self {
        let readings = [control, candidate].into_iter().flatten().filter_map(Self::of_one);
        readings.max_by_key(|reading| *reading as u8).unwrap_or(Self::Text)
    }

    /// `None` for an empty body, which reads in every way.
    fn of_one(response: &Response) -> Option<Self> {
        let bytes = response.body.kept();
        if bytes.is_empty() {
            return None;
        }
        let family = MediaType::of(&response.headers).map(|media| media.family());
        let is_whole = matches!(response.body, CapturedBody::Whole(_));
        let is_text = std::str::from_utf8(bytes).is_ok_and(|text| !text.contains('\0'));
        let cut_inside =
            !is_whole && std::str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none());
        Some(match family {
            Some(Family::JsonLines) if is_whole && parse_lines(bytes, DEPTH_MAX).is_ok() => Self::JsonLines,
            _ if is_whole && is_text && parse(bytes, DEPTH_MAX).is_ok_and(|tree| is_document(&tree)) => {
                Self::Json
            }
            Some(Family::Text) => Self::Text,
            _ if is_text || cut_inside => Self::Text,
            _ => Self::Bytes,
        })
    }
}

/// A bare word or number is better shown as the text that it is.
fn is_document(tree: &Tree<'_>) -> bool {
    tree.json_type(tree.root()).is_container()
}

/// The lines of one side.
pub(super) fn of(
    response: &Response,
    reading: Reading,
    side: Side,
    divergences: &[&Divergence],
) -> BodyLines {
    let bytes = response.body.kept();
    let mut out = BodyLines { lines: Vec::new(), notes: note_of(&response.body) };
    let tree = match reading {
        Reading::Json => parse(bytes, DEPTH_MAX).ok(),
        Reading::JsonLines => parse_lines(bytes, DEPTH_MAX).ok(),
        Reading::Text | Reading::Bytes => None,
    };
    match (tree, reading) {
        _ if bytes.is_empty() => {}
        (Some(tree), _) => {
            let marks: Vec<_> = divergences.iter().filter_map(|divergence| mark(divergence, side)).collect();
            let mut printer = Printer { tree: &tree, out: &mut out.lines };
            printer.value(tree.root(), 0, "", "", &marks);
        }
        (None, Reading::Bytes) => hex(bytes, &mut out),
        (None, _) => {
            let text = String::from_utf8_lossy(bytes);
            let lines = text.lines().map(|line| BodyLine { text: line.to_owned(), severity: None });
            out.lines.extend(lines.take(LINES_MAX + 1));
            mark_lines(&mut out.lines, side, divergences);
        }
    }
    if out.lines.len() > LINES_MAX {
        out.lines.truncate(LINES_MAX);
        out.notes.push(format!("only the first {LINES_MAX} lines were looked at"));
    }
    out
}

/// A divergence of lines names the first of them on control, or on the candidate where control has none; its value
/// says how many there are.
fn mark_lines(lines: &mut [BodyLine], side: Side, divergences: &[&Divergence]) {
    for divergence in divergences {
        let Location::Line(first) = divergence.location else { continue };
        let value = match (side, &divergence.control) {
            (Side::Control, value) => value.as_deref(),
            (Side::Candidate, None) => divergence.candidate.as_deref(),
            (Side::Candidate, Some(_)) => None,
        };
        let Some(value) = value else { continue };
        let from = first.saturating_sub(1);
        for line in lines.iter_mut().skip(from).take(value.lines().count().max(1)) {
            line.severity = line.severity.max(Some(divergence.severity));
        }
    }
}

fn note_of(body: &CapturedBody) -> Vec<String> {
    match body {
        CapturedBody::Whole(bytes) if bytes.is_empty() => vec!["no body".to_owned()],
        CapturedBody::Whole(_) => Vec::new(),
        CapturedBody::Hashed { head, length, .. } if head.is_empty() => {
            vec![format!("a body of {length} bytes, of which none is kept")]
        }
        CapturedBody::Hashed { head, length, .. } => {
            vec![format!("a body of {length} bytes; these are the first {}", head.len())]
        }
        CapturedBody::Cut { head } => {
            vec![format!("the body was not read to its end; these are its first {} bytes", head.len())]
        }
    }
}

fn hex(bytes: &[u8], out: &mut BodyLines) {
    for (row, chunk) in bytes.chunks(16).take(BYTES_SHOWN / 16).enumerate() {
        let digits: Vec<_> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let plain: String =
            chunk.iter().map(|byte| if byte.is_ascii_graphic() { char::from(*byte) } else { '.' }).collect();
        let text = format!("{:06x}  {:<47}  {plain}", row * 16, digits.join(" "));
        out.lines.push(BodyLine { text, severity: None });
    }
    if bytes.len() > BYTES_SHOWN {
        out.notes.push(format!("not text: the first {BYTES_SHOWN} of {} bytes", bytes.len()));
    }
}

/// A divergence on its way down the tree: what is left of its path.
#[derive(Clone, Copy)]
struct Marked<'a> {
    rest: &'a [Segment],
    severity: Severity,
}

/// The divergence as this side sees it. Indices count on control, but for what only the candidate has.
fn mark(divergence: &Divergence, side: Side) -> Option<Marked<'_>> {
    let Location::Json(path) = &divergence.location else { return None };
    let is_here = match side {
        Side::Control => divergence.kind != Kind::Added,
        Side::Candidate => divergence.kind != Kind::Missing,
    };
    is_here.then_some(Marked { rest: &path.0, severity: divergence.severity })
}

struct Printer<'t, 'o> {
    tree: &'t Tree<'t>,
    out: &'o mut Vec<BodyLine>,
}

impl Printer<'_, '_> {
    /// One value, its name before it and a comma after it. Depth is limited by the parser.
    fn value(&mut self, node: NodeId, depth: usize, name: &str, comma: &str, marks: &[Marked<'_>]) {
        if self.out.len() > LINES_MAX {
            return;
        }
        let severity = marks.iter().filter(|mark| mark.rest.is_empty()).map(|mark| mark.severity).max();
        let indent = "  ".repeat(depth);
        let kind = self.tree.json_type(node);
        if !kind.is_container() || self.tree.len(node) == 0 {
            let raw: String = match kind {
                // Line ends between the brackets of an empty one.
                JsonType::Array => "[]".to_owned(),
                JsonType::Object => "{}".to_owned(),
                _ => self.tree.raw(node).to_owned(),
            };
            return self.line(format!("{indent}{name}{raw}{comma}"), severity);
        }
        let (open, close) = if kind == JsonType::Object { ("{", "}") } else { ("[", "]") };
        self.line(format!("{indent}{name}{open}"), severity);
        let last = self.tree.len(node) - 1;
        for (index, child) in self.tree.children(node).enumerate() {
            let key = self.tree.key(child);
            let below: Vec<Marked<'_>> = marks
                .iter()
                .filter_map(|mark| match mark.rest.split_first() {
                    // What holds for a value holds for all that is in it.
                    None => Some(*mark),
                    Some((Segment::Key(wanted), rest)) if kind == JsonType::Object && wanted == key => {
                        Some(Marked { rest, ..*mark })
                    }
                    Some((Segment::Index(wanted), rest)) if kind == JsonType::Array && *wanted == index => {
                        Some(Marked { rest, ..*mark })
                    }
                    Some(_) => None,
                })
                .collect();
            let name = match kind {
                JsonType::Object => {
                    format!("{}: ", serde_json::to_string(key).expect("a string is always JSON"))
                }
                _ => String::new(),
            };
            self.value(child, depth + 1, &name, if index == last { "" } else { "," }, &below);
        }
        self.line(format!("{indent}{close}{comma}"), severity);
    }

    fn line(&mut self, text: String, severity: Option<Severity>) {
        self.out.push(BodyLine { text, severity });
    }
}
