//! Bodies: decoded, redacted by their media type, or withheld.

use std::io::Read;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::Redaction;
use crate::exchange::CapturedBody;

/// A body that grows beyond this when it is decoded is withheld.
const DECODED_BYTES_MAX: u64 = 32 << 20;

enum Media {
    Json,
    JsonLines,
    Urlencoded,
    Multipart(String),
    Text,
    /// Text if it reads as UTF-8.
    Unknown,
    Other,
}

impl Redaction<'_> {
    /// `headers` lose their `Content-Encoding` when the body was decoded for storing.
    pub(super) fn body(&self, body: CapturedBody, headers: &mut HeaderMap, whose: &str) -> CapturedBody {
        if body.kept().is_empty() {
            return body;
        }
        let whole = matches!(body, CapturedBody::Whole(_));
        let codings = codings(headers);
        let plain = if codings.is_empty() {
            body.kept().clone()
        } else if !whole {
            self.note(format!("{whose}: body not kept: encoded ({}) and incomplete", codings.join(", ")));
            return self.withheld(body);
        } else {
            let Some(plain) = decode(body.kept(), &codings) else {
                self.note(format!("{whose}: body not kept: it cannot be decoded ({})", codings.join(", ")));
                return self.withheld(body);
            };
            headers.remove(CONTENT_ENCODING);
            self.note(format!("{whose}: kept decoded, it was sent as {}", codings.join(", ")));
            plain
        };
        let media = media(headers, &plain);
        let (media, text) = match std::str::from_utf8(&plain) {
            Ok(text) => (media, text),
            // Cut inside of a character.
            Err(error) if !whole && error.error_len().is_none() => {
                (media, std::str::from_utf8(&plain[..error.valid_up_to()]).expect("valid up to there"))
            }
            Err(_) if matches!(media, Media::Text) => {
                self.note(format!("{whose}: kept as UTF-8; bytes that are none were replaced"));
                return kept(&body, Bytes::from(self.text(&String::from_utf8_lossy(&plain))));
            }
            Err(_) if !matches!(media, Media::Unknown | Media::Other) => {
                self.note(format!(
                    "{whose}: body not kept: it is not UTF-8, so it cannot be searched for secrets"
                ));
                return self.withheld(body);
            }
            Err(_) => return kept(&body, self.scrub_bytes(&plain)),
        };
        let clean = match media {
            Media::Json if whole => self.json(text),
            Media::Json => Some(self.json_prefix(text)),
            Media::JsonLines => {
                let end = if whole { text.len() } else { text.rfind('\n').map_or(0, |end| end + 1) };
                self.json_lines(&text[..end])
            }
            Media::Urlencoded => Some(self.urlencoded(text)),
            Media::Multipart(boundary) => self.multipart(text, &boundary),
            Media::Text | Media::Unknown => Some(self.text(text)),
            Media::Other => return kept(&body, self.scrub_bytes(&plain)),
        };
        match clean {
            Some(clean) => kept(&body, Bytes::from(clean)),
            None => {
                self.note(format!(
                    "{whose}: body not kept: it is not what its Content-Type says, so it cannot be searched for secrets"
                ));
                self.withheld(body)
            }
        }
    }

    /// Its length and a hash that tells equal from different, no bytes.
    fn withheld(&self, body: CapturedBody) -> CapturedBody {
        match body {
            CapturedBody::Whole(bytes) => CapturedBody::Hashed {
                length: bytes.len() as u64,
                hash: *self.rules.mask.hash(&bytes).as_bytes(),
                head: Bytes::new(),
            },
            CapturedBody::Hashed { length, hash, .. } => {
                CapturedBody::Hashed { head: Bytes::new(), length, hash }
            }
            CapturedBody::Cut { .. } => CapturedBody::Cut { head: Bytes::new() },
        }
    }

    /// Bytes that no media type explains: secrets that were found elsewhere are overwritten.
    fn scrub_bytes(&self, bytes: &Bytes) -> Bytes {
        let mut out = bytes.to_vec();
        for secret in self.found.borrow().iter() {
            let places: Vec<_> = memchr::memmem::find_iter(&out, secret.as_bytes()).collect();
            for at in places {
                out[at..at + secret.len()].fill(b'*');
            }
        }
        Bytes::from(out)
    }
}

fn kept(body: &CapturedBody, bytes: Bytes) -> CapturedBody {
    match body {
        CapturedBody::Whole(_) => CapturedBody::Whole(bytes),
        CapturedBody::Hashed { length, hash, .. } => {
            CapturedBody::Hashed { head: bytes, length: *length, hash: *hash }
        }
        CapturedBody::Cut { .. } => CapturedBody::Cut { head: bytes },
    }
}

fn media(headers: &HeaderMap, body: &[u8]) -> Media {
    let declared = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let (essence, parameters) = declared.split_once(';').unwrap_or((declared, ""));
    let essence = essence.trim().to_ascii_lowercase();
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    // Many errors say they are JSON and are a page.
    let is_markup = first == Some(&b'<');
    let looks_like_json = matches!(first, Some(b'{' | b'['));
    match essence.as_str() {
        "application/json" | "text/json" if is_markup => Media::Text,
        "application/json" | "text/json" => Media::Json,
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/json-lines" => {
            Media::JsonLines
        }
        "application/x-www-form-urlencoded" => Media::Urlencoded,
        "multipart/form-data" => Media::Multipart(boundary(parameters)),
        essence if essence.ends_with("+json") => Media::Json,
        _ if looks_like_json && serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok() => Media::Json,
        essence if essence.starts_with("image/") && essence != "image/svg+xml" => Media::Other,
        essence if essence.starts_with("audio/") || essence.starts_with("video/") => Media::Other,
        essence if essence.starts_with("text/") || essence.ends_with("xml") => Media::Text,
        _ => Media::Unknown,
    }
}

/// RFC 2046 §5.1.1.
fn boundary(parameters: &str) -> String {
    parameters
        .split(';')
        .filter_map(|parameter| parameter.trim().split_once('='))
        .find(|(name, _)| name.eq_ignore_ascii_case("boundary"))
        .map(|(_, value)| value.trim_matches('"').to_owned())
        .unwrap_or_default()
}

/// In the order in which they were applied (RFC 9110 §8.4).
fn codings(headers: &HeaderMap) -> Vec<String> {
    let values = headers.get_all(CONTENT_ENCODING).iter();
    let values: Vec<_> =
        values.map(|value| String::from_utf8_lossy(value.as_bytes()).to_lowercase()).collect();
    let all = values.iter().flat_map(|value| value.split(','));
    all.map(|coding| coding.trim().to_owned())
        .filter(|coding| !coding.is_empty() && coding != "identity")
        .collect()
}

fn decode(body: &Bytes, codings: &[String]) -> Option<Bytes> {
    let mut bytes = body.clone();
    for coding in codings.iter().rev() {
        let decoded = match coding.as_str() {
            "gzip" | "x-gzip" => read(flate2::read::MultiGzDecoder::new(&bytes[..])),
            // Servers send both what the RFC says (zlib) and bare deflate.
            "deflate" => read(flate2::read::ZlibDecoder::new(&bytes[..]))
                .or_else(|| read(flate2::read::DeflateDecoder::new(&bytes[..]))),
            "br" => read(brotli::Decompressor::new(&bytes[..], 4096)),
            "zstd" => zstd::Decoder::new(&bytes[..]).ok().and_then(read),
            _ => None,
        };
        bytes = Bytes::from(decoded?);
    }
    Some(bytes)
}

fn read(decoder: impl Read) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let read = decoder.take(DECODED_BYTES_MAX + 1).read_to_end(&mut out).ok()?;
    (read as u64 <= DECODED_BYTES_MAX).then_some(out)
}
