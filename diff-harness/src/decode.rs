//! Content codings (RFC 9110 §8.4), undone for comparison only.

use std::borrow::Cow;
use std::fmt;
use std::io::Read;

use flate2::{Decompress, FlushDecompress, Status};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// A content coding that can be undone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Coding {
    Gzip,
    /// The zlib format (RFC 1950), or raw DEFLATE as some servers send it.
    Deflate,
    Brotli,
    Zstd,
}

impl Coding {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }
}

impl fmt::Display for Coding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a body could not be decoded.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    #[error("content coding unknown")]
    Unknown,
    #[error("more than {CODINGS_MAX} content codings")]
    TooMany,
    /// Truncated, or not what the header says.
    #[error("broken {0}")]
    Broken(Coding),
    #[error("decodes to more than {limit} bytes")]
    TooLarge { limit: usize },
}

/// Each costs a pass over the body, and real responses have one.
const CODINGS_MAX: usize = 4;

/// RFC 9659 §3: no more than 8 MiB of window may be asked of a receiver.
const ZSTD_WINDOW_LOG_MAX: u32 = 23;

/// The codings in the order in which they were applied; `identity` says nothing.
pub fn codings(headers: &HeaderMap) -> Result<Vec<Coding>, DecodeError> {
    let mut codings = Vec::new();
    for value in headers.get_all(CONTENT_ENCODING) {
        for name in value.to_str().map_err(|_| DecodeError::Unknown)?.split(',') {
            let coding = match name.trim().to_ascii_lowercase().as_str() {
                "" | "identity" => continue,
                "gzip" | "x-gzip" => Coding::Gzip,
                "deflate" => Coding::Deflate,
                "br" => Coding::Brotli,
                "zstd" => Coding::Zstd,
                _ => return Err(DecodeError::Unknown),
            };
            if codings.len() == CODINGS_MAX {
                return Err(DecodeError::TooMany);
            }
            codings.push(coding);
        }
    }
    Ok(codings)
}

/// Undoes the codings, last applied first. No step makes more than `limit` bytes. An empty body is empty in every
/// coding: servers send it so in answer to what has no content.
pub fn decode<'b>(bytes: &'b [u8], codings: &[Coding], limit: usize) -> Result<Cow<'b, [u8]>, DecodeError> {
    let mut decoded = Cow::Borrowed(bytes);
    for coding in codings.iter().rev() {
        if decoded.is_empty() {
            break;
        }
        decoded = Cow::Owned(undo(*coding, &decoded, limit)?);
    }
    Ok(decoded)
}

fn undo(coding: Coding, bytes: &[u8], limit: usize) -> Result<Vec<u8>, DecodeError> {
    match coding {
        Coding::Gzip => read(coding, flate2::read::MultiGzDecoder::new(bytes), limit),
        Coding::Deflate => match inflate(bytes, true, limit) {
            Err(DecodeError::Broken(_)) => inflate(bytes, false, limit),
            done => done,
        },
        Coding::Brotli => read(coding, brotli::Decompressor::new(bytes, 4096), limit),
        Coding::Zstd => {
            let broken = |_| DecodeError::Broken(coding);
            let mut decoder = zstd::stream::read::Decoder::with_buffer(bytes).map_err(broken)?;
            decoder.window_log_max(ZSTD_WINDOW_LOG_MAX).map_err(broken)?;
            read(coding, decoder, limit)
        }
    }
}

fn read(coding: Coding, decoder: impl Read, limit: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::new();
    // One byte more than allowed tells a body of exactly the limit from a longer one.
    let most = (limit as u64).saturating_add(1);
    decoder.take(most).read_to_end(&mut decoded).map_err(|_| DecodeError::Broken(coding))?;
    if decoded.len() > limit { Err(DecodeError::TooLarge { limit }) } else { Ok(decoded) }
}

/// flate2's reader takes the end of the input for the end of the stream, so a truncated body would pass for whole:
/// here the stream must say itself that it ends.
fn inflate(bytes: &[u8], zlib: bool, limit: usize) -> Result<Vec<u8>, DecodeError> {
    const BROKEN: DecodeError = DecodeError::Broken(Coding::Deflate);
    let mut inflater = Decompress::new(zlib);
    let mut decoded = Vec::with_capacity(bytes.len().saturating_mul(4).min(limit).saturating_add(64));
    loop {
        let before = (inflater.total_in(), inflater.total_out());
        let rest = &bytes[inflater.total_in() as usize..];
        let status =
            inflater.decompress_vec(rest, &mut decoded, FlushDecompress::None).map_err(|_| BROKEN)?;
        if decoded.len() > limit {
            return Err(DecodeError::TooLarge { limit });
        }
        if status == Status::StreamEnd {
            return Ok(decoded);
        }
        if (inflater.total_in(), inflater.total_out()) == before && decoded.len() < decoded.capacity() {
            return Err(BROKEN);
        }
        if decoded.len() == decoded.capacity() {
            decoded.reserve(decoded.len().clamp(64, 1 << 20));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};

    use super::*;

    fn encode(coding: Coding, bytes: &[u8]) -> Vec<u8> {
        match coding {
            Coding::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Deflate => {
                let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(bytes).unwrap();
                encoder.finish().unwrap()
            }
            Coding::Brotli => {
                let mut encoded = Vec::new();
                let mut encoder = brotli::CompressorWriter::new(&mut encoded, 4096, 5, 20);
                encoder.write_all(bytes).unwrap();
                drop(encoder);
                encoded
            }
            Coding::Zstd => zstd::encode_all(bytes, 3).unwrap(),
        }
    }

    const ALL: [Coding; 4] = [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd];

    #[test]
    fn what_was_encoded_comes_back() {
        let text = b"the same words again and again, the same words again and again".repeat(400);
        for coding in ALL {
            let encoded = encode(coding, &text);
            assert_eq!(decode(&encoded, &[coding], text.len()).unwrap(), text, "{coding}");
            let twice = encode(Coding::Gzip, &encoded);
            assert_eq!(decode(&twice, &[coding, Coding::Gzip], text.len()).unwrap(), text, "{coding}");
            assert_eq!(decode(b"", &[coding], 0).unwrap(), &b""[..], "{coding}");
        }
        let mut raw = DeflateEncoder::new(Vec::new(), Compression::default());
        raw.write_all(&text).unwrap();
        assert_eq!(decode(&raw.finish().unwrap(), &[Coding::Deflate], text.len()).unwrap(), text);
    }

    #[test]
    fn a_bomb_stops_at_the_limit() {
        let zeros = vec![0; 1 << 20];
        for coding in ALL {
            let encoded = encode(coding, &zeros);
            let limit = zeros.len() - 1;
            assert_eq!(decode(&encoded, &[coding], limit), Err(DecodeError::TooLarge { limit }), "{coding}");
        }
    }

    #[test]
    fn a_truncated_body_is_broken() {
        let text: Vec<u8> = (0..5000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        for coding in ALL {
            let encoded = encode(coding, &text);
            for length in [1, 9, encoded.len() / 2, encoded.len() - 1] {
                let cut = decode(&encoded[..length], &[coding], 1 << 20);
                assert_eq!(cut, Err(DecodeError::Broken(coding)), "{coding} cut to {length}");
            }
            assert_eq!(decode(b"plain text", &[coding], 99), Err(DecodeError::Broken(coding)), "{coding}");
        }
    }

    #[test]
    fn codings_are_read_from_all_fields() {
        let of = |values: &[&'static str]| {
            let mut headers = HeaderMap::new();
            for value in values {
                headers.append(CONTENT_ENCODING, value.parse().unwrap());
            }
            codings(&headers)
        };
        assert_eq!(of(&["X-GZIP, identity", "br"]), Ok(vec![Coding::Gzip, Coding::Brotli]));
        assert_eq!(of(&["compress"]), Err(DecodeError::Unknown));
        assert_eq!(of(&["br,br,br,br,br"]), Err(DecodeError::TooMany));
        assert_eq!(of(&[]), Ok(vec![]));
    }
}
