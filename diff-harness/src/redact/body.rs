//! Bodies: decoded, redacted by their media type, or withheld.

use bytes::Bytes;
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

use super::Redaction;
use crate::decode::{codings, decode};
use crate::exchange::CapturedBody;
use crate::media::{Family, MediaType};

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
        let plain = match codings(headers) {
            Ok(codings) if codings.is_empty() => body.kept().clone(),
            Ok(_) if !whole => {
                self.note(format!("{whose}: body not kept: encoded and incomplete"));
                return self.withheld(body);
            }
            codings => {
                match codings.and_then(|codings| {
                    Ok(decode(body.kept(), &codings, self.rules.decoded_bytes_max)?.into_owned())
                }) {
                    Ok(plain) => {
                        let coding = headers.remove(CONTENT_ENCODING);
                        let coding =
                            coding.as_ref().map_or("", |coding| coding.to_str().unwrap_or("an encoding"));
                        self.note(format!("{whose}: kept decoded, it was sent as {coding}"));
                        Bytes::from(plain)
                    }
                    Err(why) => {
                        self.note(format!("{whose}: body not kept: {why}"));
                        return self.withheld(body);
                    }
                }
            }
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
    let declared = MediaType::of(headers);
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    match declared.as_ref().map(MediaType::family) {
        // Many errors say they are JSON and are a page.
        Some(Family::Json) if first == Some(&b'<') => Media::Text,
        Some(Family::Json) => Media::Json,
        Some(Family::JsonLines) => Media::JsonLines,
        Some(Family::Form) => Media::Urlencoded,
        _ if matches!(first, Some(b'{' | b'[')) && is_json(body) => Media::Json,
        Some(Family::Text) => Media::Text,
        Some(Family::Binary) | None => match declared {
            Some(media) if media.essence == "multipart/form-data" => {
                Media::Multipart(media.parameter("boundary").unwrap_or_default().to_owned())
            }
            Some(media)
                if ["image/", "audio/", "video/", "font/"]
                    .iter()
                    .any(|kind| media.essence.starts_with(kind)) =>
            {
                Media::Other
            }
            _ => Media::Unknown,
        },
    }
}

fn is_json(body: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(body).is_ok()
}
