//! Bodies: from what was captured to the comparison that understands them.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderMap, Method, StatusCode};

use super::excerpt::cut;
use super::findings::{Finding, Findings};
use super::form::compare_forms;
use super::json::compare_trees;
use super::text::{compare_markups, compare_texts};
use crate::comparison::SkipReason;
use crate::decode::{Coding, DecodeError, codings, decode};
use crate::divergence::{Kind, Location, Severity};
use crate::exchange::{CapturedBody, Response};
use crate::json::{JsonError, Tree, parse, parse_lines};
use crate::media::{Family, MediaType};

/// Compares the bodies of two responses whose statuses allow it. Gives the reason when that cannot be done.
pub(super) fn compare_bodies(
    method: &Method,
    control: &Response,
    candidate: &Response,
    findings: &mut Findings<'_>,
) -> Option<SkipReason> {
    let (has_a, has_b) = (has_body(method, control.status), has_body(method, candidate.status));
    if !has_a && !has_b {
        return None;
    }
    let empty = CapturedBody::empty();
    let a = if has_a { &control.body } else { &empty };
    let b = if has_b { &candidate.body } else { &empty };
    let (codings_a, codings_b) = (codings(&control.headers), codings(&candidate.headers));
    let same_coding = match (&codings_a, &codings_b) {
        (Ok(a), Ok(b)) => a == b,
        _ => raw_coding(&control.headers) == raw_coding(&candidate.headers),
    };
    match (a, b) {
        (CapturedBody::Whole(a), CapturedBody::Whole(b)) if same_coding && is_same(a, b) => None,
        (CapturedBody::Whole(a), CapturedBody::Whole(b)) => {
            let decoded = Decoded::of(a, codings_a, b, codings_b, findings.limits.decoded_bytes_max);
            let media = (MediaType::of(&control.headers), MediaType::of(&candidate.headers));
            let is_part = control.status == StatusCode::PARTIAL_CONTENT;
            compare_whole(decoded, media, is_part, findings)
        }
        (CapturedBody::Cut { .. }, _) | (_, CapturedBody::Cut { .. }) => {
            let is_stream = |response: &Response| {
                MediaType::of(&response.headers).is_some_and(|media| media.essence == "text/event-stream")
            };
            let stream = is_stream(control) || is_stream(candidate);
            Some(if stream { SkipReason::Stream } else { SkipReason::ClientGone })
        }
        _ => compare_hashed(
            &Summary::of(a, &codings_a, findings.limits.decoded_bytes_max),
            &Summary::of(b, &codings_b, findings.limits.decoded_bytes_max),
            same_coding,
            findings,
        ),
    }
}

/// Compares two contents, already decoded.
pub(super) fn compare_contents(
    a: &[u8],
    b: &[u8],
    media: (Option<&MediaType>, Option<&MediaType>),
    findings: &mut Findings<'_>,
) {
    if a == b {
        return;
    }
    let max = findings.limits.value_bytes_max;
    // The whole body is there on one side only.
    if a.is_empty() {
        let finding = Finding::new(Kind::Added, Severity::Exposure);
        findings.report(finding, &[], || (Location::Body, None, Some(cut(&shown(b, max), max))));
        return;
    }
    if b.is_empty() {
        let finding = Finding::new(Kind::Missing, Severity::Breaking);
        findings.report(finding, &[], || (Location::Body, Some(cut(&shown(a, max), max)), None));
        return;
    }
    match shared_family(a, b, media, findings) {
        Family::Json => compare_json(a, b, media, parse, findings),
        Family::JsonLines => compare_json(a, b, media, parse_lines, findings),
        Family::Form => compare_forms(a, b, findings),
        Family::Text => compare_text(a, b, media, findings),
        Family::Binary => compare_bytes(a, b, Severity::Changed, findings),
    }
}

/// Whether the bytes are equal. Where both are the same piece of memory, as whoever has looked before leaves them, none is read.
fn is_same(a: &Bytes, b: &Bytes) -> bool {
    std::ptr::eq(&**a, &**b) || a == b
}

/// RFC 9110 §6.4.1.
fn has_body(method: &Method, status: StatusCode) -> bool {
    let never =
        status.is_informational() || status == StatusCode::NO_CONTENT || status == StatusCode::NOT_MODIFIED;
    *method != Method::HEAD && !never
}

fn raw_coding(headers: &HeaderMap) -> Vec<&[u8]> {
    headers.get_all(http::header::CONTENT_ENCODING).iter().map(http::HeaderValue::as_bytes).collect()
}

/// Both bodies after decoding, or why not.
struct Decoded<'b> {
    control: Result<Cow<'b, [u8]>, DecodeError>,
    candidate: Result<Cow<'b, [u8]>, DecodeError>,
}

impl<'b> Decoded<'b> {
    fn of(
        a: &'b [u8],
        codings_a: Result<Vec<Coding>, DecodeError>,
        b: &'b [u8],
        codings_b: Result<Vec<Coding>, DecodeError>,
        limit: usize,
    ) -> Self {
        let undo = |bytes, codings: Result<Vec<Coding>, _>| {
            codings.and_then(|codings| decode(bytes, &codings, limit))
        };
        Self { control: undo(a, codings_a), candidate: undo(b, codings_b) }
    }
}

fn compare_whole(
    decoded: Decoded<'_>,
    (media_a, media_b): (Option<MediaType>, Option<MediaType>),
    is_part: bool,
    findings: &mut Findings<'_>,
) -> Option<SkipReason> {
    let (a, b) = match (decoded.control, decoded.candidate) {
        (Ok(a), Ok(b)) => (a, b),
        (Err(DecodeError::Unknown | DecodeError::TooMany), _)
        | (_, Err(DecodeError::Unknown | DecodeError::TooMany)) => {
            return Some(SkipReason::Undecodable);
        }
        (Err(_), Err(_)) => return Some(SkipReason::Undecodable),
        // Readable on one side only: a client notices.
        (a, b) => {
            let word = |side: &Result<_, DecodeError>| match side {
                Ok(_) => "decodable".to_owned(),
                Err(error) => error.to_string(),
            };
            let (control, candidate) = (word(&a), word(&b));
            let finding =
                Finding::new(Kind::Binary, Severity::Breaking).detail(format!("{control} → {candidate}"));
            findings.report(finding, &[], || (Location::Body, Some(control), Some(candidate)));
            return None;
        }
    };
    if is_part {
        let is_multipart = |media: &Option<MediaType>| {
            media.as_ref().is_some_and(|media| media.essence == "multipart/byteranges")
        };
        if is_multipart(&media_a) || is_multipart(&media_b) {
            return Some(SkipReason::Partial);
        }
        if a != b {
            compare_bytes(&a, &b, Severity::Changed, findings);
        }
        return None;
    }
    compare_contents(&a, &b, (media_a.as_ref(), media_b.as_ref()), findings);
    None
}

/// Length and hash of a body on the wire and, where it could be had, of what it decodes to.
struct Summary {
    wire: Option<(u64, [u8; 32])>,
    decoded: Option<(u64, [u8; 32])>,
}

impl Summary {
    fn of(body: &CapturedBody, codings: &Result<Vec<Coding>, DecodeError>, limit: usize) -> Self {
        let of_bytes = |bytes: &[u8]| (bytes.len() as u64, *blake3::hash(bytes).as_bytes());
        match (body, codings) {
            (CapturedBody::Whole(bytes), Ok(codings)) => {
                let decoded = decode(bytes, codings, limit).ok().map(|bytes| of_bytes(&bytes));
                Self { wire: Some(of_bytes(bytes)), decoded }
            }
            (CapturedBody::Whole(bytes), Err(_)) => Self { wire: Some(of_bytes(bytes)), decoded: None },
            (CapturedBody::Hashed { length, hash, .. }, codings) => {
                let wire = Some((*length, *hash));
                let is_plain = matches!(codings, Ok(codings) if codings.is_empty());
                Self { wire, decoded: if is_plain { wire } else { None } }
            }
            (CapturedBody::Cut { .. }, _) => Self { wire: None, decoded: None },
        }
    }
}

/// At least one body was over the limit and is known by length and hash alone.
fn compare_hashed(
    a: &Summary,
    b: &Summary,
    same_coding: bool,
    findings: &mut Findings<'_>,
) -> Option<SkipReason> {
    let known = if same_coding { (a.wire, b.wire) } else { (a.decoded, b.decoded) };
    let (Some(a), Some(b)) = known else { return Some(SkipReason::Undecodable) };
    findings.note("a body was over the limit that is kept: compared by length and hash");
    if a != b {
        let shown = |(length, hash)| described(length, &hash);
        findings.report(Finding::new(Kind::Binary, Severity::Changed), &[], || {
            (Location::Body, Some(shown(a)), Some(shown(b)))
        });
    }
    None
}

/// What both bodies can be read as. When the media types say different things the contents decide.
fn shared_family(
    a: &[u8],
    b: &[u8],
    media: (Option<&MediaType>, Option<&MediaType>),
    findings: &mut Findings<'_>,
) -> Family {
    let (family_a, family_b) = (media.0.map(MediaType::family), media.1.map(MediaType::family));
    if let (Some(a), Some(b)) = (family_a, family_b)
        && a == b
    {
        return a;
    }
    let looks = |bytes: &[u8]| match bytes.trim_ascii_start().first() {
        Some(b'{' | b'[') if parse(bytes, findings.limits.depth_max).is_ok() => Family::Json,
        _ if std::str::from_utf8(bytes).is_ok() => Family::Text,
        _ => Family::Binary,
    };
    let family = match (looks(a), looks(b)) {
        (Family::Json, Family::Json) => Family::Json,
        (Family::Binary, _) | (_, Family::Binary) => Family::Binary,
        _ => Family::Text,
    };
    let word = match family {
        Family::Json => "JSON",
        Family::Text => "text",
        _ => "bytes",
    };
    findings.note(format!("the media types differ or are absent: the bodies were compared as {word}"));
    family
}

type Parser = for<'t> fn(&'t [u8], usize) -> Result<Tree<'t>, JsonError>;

fn compare_json(
    a: &[u8],
    b: &[u8],
    media: (Option<&MediaType>, Option<&MediaType>),
    parser: Parser,
    findings: &mut Findings<'_>,
) {
    let depth_max = findings.limits.depth_max;
    let (control, candidate) = (parser(a, depth_max), parser(b, depth_max));
    match (control, candidate) {
        (Ok(control), Ok(candidate)) => compare_trees(&control, &candidate, findings),
        (Ok(_), Err(error)) if is_broken(&error) => not_json("JSON → not JSON", a, b, &error, findings),
        (Err(error), Ok(_)) if is_broken(&error) => not_json("not JSON → JSON", a, b, &error, findings),
        (control, candidate) => {
            for (side, tree) in [("control", &control), ("candidate", &candidate)] {
                if let Err(error) = tree {
                    findings.note(format!("the {side}'s body could not be read as JSON ({error})"));
                }
            }
            if control.is_ok() == candidate.is_ok() {
                compare_text(a, b, media, findings);
            } else {
                // One side is out of reach for a reader that the other is not.
                compare_bytes(a, b, Severity::Breaking, findings);
            }
        }
    }
}

/// Whether the text is no JSON at all, rather than JSON that cannot be represented: lone surrogates are allowed by
/// the grammar (RFC 8259 §8.2).
fn is_broken(error: &JsonError) -> bool {
    match error {
        JsonError::Syntax { what, .. } => !what.contains("surrogate"),
        JsonError::Utf8 { .. } | JsonError::TooDeep { .. } | JsonError::TooLarge => false,
    }
}

fn not_json(detail: &str, a: &[u8], b: &[u8], error: &JsonError, findings: &mut Findings<'_>) {
    findings.note(format!("a body is not the JSON that its Content-Type says ({error})"));
    let max = findings.limits.value_bytes_max;
    findings.report(Finding::new(Kind::Type, Severity::Breaking).detail(detail), &[], || {
        (Location::Body, Some(cut(&shown(a, max), max)), Some(cut(&shown(b, max), max)))
    });
}

fn compare_text(
    a: &[u8],
    b: &[u8],
    (media_a, media_b): (Option<&MediaType>, Option<&MediaType>),
    findings: &mut Findings<'_>,
) {
    match (text_of(a, media_a), text_of(b, media_b)) {
        // Different bytes for the same text: only the charset differs, and that is the header's to say.
        (Some(a), Some(b)) if a == b => {}
        (Some(a), Some(b)) if is_markup(media_a) && is_markup(media_b) => compare_markups(&a, &b, findings),
        (Some(a), Some(b)) => compare_texts(&a, &b, findings),
        (a_text, b_text) => {
            findings.note("a body is not text in its charset: compared by length and hash");
            let one_sided = a_text.is_some() != b_text.is_some();
            let severity = if one_sided { Severity::Breaking } else { Severity::Changed };
            compare_bytes(a, b, severity, findings);
        }
    }
}

fn is_markup(media: Option<&MediaType>) -> bool {
    media.is_some_and(MediaType::is_markup)
}

fn text_of<'b>(bytes: &'b [u8], media: Option<&MediaType>) -> Option<Cow<'b, str>> {
    match media.and_then(|media| media.parameter("charset")) {
        // Every byte is the code point of its number.
        Some("iso-8859-1" | "latin1") => Some(bytes.iter().map(|byte| char::from(*byte)).collect()),
        None | Some("utf-8" | "utf8" | "us-ascii") => std::str::from_utf8(bytes).ok().map(Cow::Borrowed),
        Some(_) => None,
    }
}

fn compare_bytes(a: &[u8], b: &[u8], severity: Severity, findings: &mut Findings<'_>) {
    findings.report(Finding::new(Kind::Binary, severity), &[], || {
        let shown = |bytes: &[u8]| described(bytes.len() as u64, blake3::hash(bytes).as_bytes());
        (Location::Body, Some(shown(a)), Some(shown(b)))
    });
}

fn described(length: u64, hash: &[u8; 32]) -> String {
    let hash = blake3::Hash::from_bytes(*hash).to_hex();
    format!("{length} bytes, BLAKE3 {}", &hash[..16])
}

/// A body for a person: as text if it is, else by length and hash.
fn shown(bytes: &[u8], max: usize) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(error) if error.valid_up_to() > max => String::from_utf8_lossy(&bytes[..error.valid_up_to()]),
        Err(_) => Cow::Owned(described(bytes.len() as u64, blake3::hash(bytes).as_bytes())),
    }
}
