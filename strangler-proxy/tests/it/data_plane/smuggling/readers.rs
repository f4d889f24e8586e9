//! How servers read what is sent to them: one that takes only what RFC 9112 allows, and a few that are as lenient in
//! one way or another as real ones were when requests were smuggled past them.

/// A request as a server understood it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: Vec<u8>,
}

/// What a server made of a stream of bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Read {
    pub(super) requests: Vec<Reading>,
    pub(super) end: End,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// At the end of a request.
    Whole,
    /// Within one.
    Within,
    /// The server would refuse the rest.
    Refused(String),
}

/// A way to read that real servers had.
#[derive(Clone, Copy, Debug)]
pub(super) struct Lenient {
    pub(super) name: &'static str,
    /// A bare carriage return ends a line.
    cr_ends_lines: bool,
    /// A line that begins with a space belongs to the one before.
    folds: bool,
    /// The last of several fields counts, else the first.
    last_counts: bool,
    /// Whatever contains the word is chunked, else only the word itself.
    chunked_within: bool,
    /// Content-Length before Transfer-Encoding.
    length_first: bool,
}

pub(super) const LENIENT: [Lenient; 5] = [
    Lenient {
        name: "takes bare line feeds, folds, Transfer-Encoding first",
        cr_ends_lines: false,
        folds: true,
        last_counts: false,
        chunked_within: true,
        length_first: false,
    },
    Lenient {
        name: "takes bare line feeds, the last field, Content-Length first",
        cr_ends_lines: false,
        folds: false,
        last_counts: true,
        chunked_within: true,
        length_first: true,
    },
    Lenient {
        name: "takes bare carriage returns",
        cr_ends_lines: true,
        folds: true,
        last_counts: true,
        chunked_within: false,
        length_first: false,
    },
    Lenient {
        name: "knows chunked by the word alone",
        cr_ends_lines: false,
        folds: true,
        last_counts: true,
        chunked_within: false,
        length_first: false,
    },
    Lenient {
        name: "takes the first of all, Content-Length first",
        cr_ends_lines: false,
        folds: true,
        last_counts: false,
        chunked_within: false,
        length_first: true,
    },
];

/// Reads as RFC 9112 demands of whoever sends.
pub(super) fn strict(mut bytes: &[u8]) -> Read {
    let mut requests = Vec::new();
    let end = loop {
        if bytes.is_empty() {
            break End::Whole;
        }
        match one_strictly(bytes) {
            Ok(Some((request, rest))) => {
                requests.push(request);
                bytes = rest;
            }
            Ok(None) => break End::Within,
            Err(why) => break End::Refused(why),
        }
    };
    Read { requests, end }
}

/// Something, and the bytes behind it; `None` when it is not there whole.
type Step<'a, T> = Result<Option<(T, &'a [u8])>, String>;

/// Up to CRLF, without it; `None` when there is none yet.
fn line(bytes: &[u8]) -> Step<'_, &[u8]> {
    let Some(end) = bytes.iter().position(|byte| matches!(byte, b'\r' | b'\n')) else { return Ok(None) };
    match &bytes[end..] {
        [b'\r', b'\n', rest @ ..] => Ok(Some((&bytes[..end], rest))),
        [b'\r'] => Ok(None),
        _ => Err(format!("a line that does not end in CRLF: {}", bytes[..end].escape_ascii())),
    }
}

fn is_token(bytes: &[u8]) -> bool {
    let of_token = |byte: &u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte);
    !bytes.is_empty() && bytes.iter().all(of_token)
}

fn one_strictly(bytes: &[u8]) -> Step<'_, Reading> {
    let Some((first, mut rest)) = line(bytes)? else { return Ok(None) };
    let parts: Vec<_> = first.split(|byte| *byte == b' ').collect();
    let &[method, target, b"HTTP/1.1"] = parts.as_slice() else {
        return Err(format!("a request line: {}", first.escape_ascii()));
    };
    if !is_token(method) || target.is_empty() || !target.iter().all(u8::is_ascii_graphic) {
        return Err(format!("a request line: {}", first.escape_ascii()));
    }
    let mut fields = Vec::new();
    loop {
        let Some((field, after)) = line(rest)? else { return Ok(None) };
        rest = after;
        if field.is_empty() {
            break;
        }
        fields.push(strict_field(field)?);
    }
    let all = |wanted: &str| -> Vec<&[u8]> {
        fields.iter().filter(|(name, _)| name == wanted).map(|(_, value)| *value).collect()
    };
    if all("host").len() != 1 {
        return Err("not exactly one Host".to_owned());
    }
    let hides = |word: &[u8]| {
        [&b"h2c"[..], b"h2", b"http", b"tls"].iter().any(|http| word.eq_ignore_ascii_case(http))
    };
    if all("upgrade").iter().any(|to| to.split(|byte| !is_token(&[*byte])).any(hides)) {
        return Err("an upgrade to a protocol in which requests can hide".to_owned());
    }
    let reading = |body: Vec<u8>| Reading {
        method: String::from_utf8_lossy(method).into_owned(),
        target: String::from_utf8_lossy(target).into_owned(),
        body,
    };
    match (all("content-length").as_slice(), all("transfer-encoding").as_slice()) {
        ([], []) => Ok(Some((reading(Vec::new()), rest))),
        ([length], []) => {
            if length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
                return Err(format!("a Content-Length: {}", length.escape_ascii()));
            }
            let text = String::from_utf8_lossy(length);
            let length: usize = text.parse().map_err(|_| format!("a Content-Length: {text}"))?;
            Ok(rest.split_at_checked(length).map(|(body, rest)| (reading(body.to_vec()), rest)))
        }
        ([], [b"chunked"]) => Ok(strict_chunks(rest)?.map(|(body, rest)| (reading(body), rest))),
        (lengths, codings) => {
            Err(format!("{} Content-Length and {} Transfer-Encoding", lengths.len(), codings.len()))
        }
    }
}

fn strict_field(field: &[u8]) -> Result<(String, &[u8]), String> {
    let wrong = || format!("a field: {}", field.escape_ascii());
    let colon = field.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
    let (name, value) = (&field[..colon], field[colon + 1..].trim_ascii());
    let is_plain = |byte: &u8| matches!(byte, b'\t' | b' '..=b'~' | 0x80..);
    if !is_token(name) || !value.iter().all(is_plain) {
        return Err(wrong());
    }
    Ok((String::from_utf8_lossy(name).to_ascii_lowercase(), value))
}

fn strict_chunks(mut rest: &[u8]) -> Step<'_, Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let Some((size, after)) = line(rest)? else { return Ok(None) };
        let text = std::str::from_utf8(size).ok().filter(|text| text.bytes().all(|b| b.is_ascii_hexdigit()));
        let size = text
            .and_then(|text| usize::from_str_radix(text, 16).ok())
            .ok_or_else(|| format!("a chunk size: {}", size.escape_ascii()))?;
        rest = after;
        if size == 0 {
            break;
        }
        let Some((data, after)) = rest.split_at_checked(size) else { return Ok(None) };
        body.extend_from_slice(data);
        match after {
            [b'\r', b'\n', after @ ..] => rest = after,
            [] | [b'\r'] => return Ok(None),
            _ => return Err("data after a chunk".to_owned()),
        }
    }
    loop {
        let Some((field, after)) = line(rest)? else { return Ok(None) };
        rest = after;
        if field.is_empty() {
            return Ok(Some((body, rest)));
        }
        let (name, _) = strict_field(field)?;
        if ["content-length", "transfer-encoding", "host", "connection"].contains(&name.as_str()) {
            return Err(format!("{name} in the trailers"));
        }
    }
}

impl Lenient {
    pub(super) fn read(self, mut bytes: &[u8]) -> Read {
        let mut requests = Vec::new();
        let end = loop {
            while let [b'\r' | b'\n', rest @ ..] = bytes {
                bytes = rest;
            }
            if bytes.is_empty() {
                break End::Whole;
            }
            match self.one(bytes) {
                Some((request, rest)) => {
                    requests.push(request);
                    bytes = rest;
                }
                None => break End::Within,
            }
        };
        Read { requests, end }
    }

    fn line(self, bytes: &[u8]) -> Option<(&[u8], &[u8])> {
        let ends = |byte: &u8| *byte == b'\n' || (self.cr_ends_lines && *byte == b'\r');
        let end = bytes.iter().position(ends)?;
        let after = if bytes[end..].starts_with(b"\r\n") { end + 2 } else { end + 1 };
        let line = &bytes[..end];
        Some((line.strip_suffix(b"\r").unwrap_or(line), &bytes[after..]))
    }

    fn one(self, bytes: &[u8]) -> Option<(Reading, &[u8])> {
        let (first, mut rest) = self.line(bytes)?;
        let text = String::from_utf8_lossy(first).into_owned();
        let mut words = text.split_ascii_whitespace();
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut fields: Vec<(String, String)> = Vec::new();
        loop {
            let (field, after) = self.line(rest)?;
            rest = after;
            if field.is_empty() {
                break;
            }
            let field = String::from_utf8_lossy(field).into_owned();
            if let (true, true, Some((_, value))) =
                (self.folds, field.starts_with([' ', '\t']), fields.last_mut())
            {
                value.push_str(&field);
                continue;
            }
            let (name, value) = field.split_once(':').unwrap_or((&field, ""));
            fields.push((name.trim().to_ascii_lowercase(), value.trim().to_ascii_lowercase()));
        }
        let find = |wanted: &str| {
            let mut all = fields.iter().filter(|(name, _)| name == wanted).map(|(_, value)| value.trim());
            if self.last_counts { all.next_back() } else { all.next() }
        };
        let is_chunked = find("transfer-encoding").is_some_and(|coding| {
            if self.chunked_within { coding.contains("chunked") } else { coding == "chunked" }
        });
        let length = find("content-length").map(|length| {
            let digits: String = length.chars().take_while(char::is_ascii_digit).collect();
            digits.parse::<usize>().unwrap_or(0)
        });
        let (body, rest) = match length {
            Some(length) if self.length_first || !is_chunked => {
                let (body, rest) = rest.split_at_checked(length)?;
                (body.to_vec(), rest)
            }
            _ if is_chunked => self.chunks(rest)?,
            _ => (Vec::new(), rest),
        };
        Some((Reading { method: method.to_owned(), target: target.to_owned(), body }, rest))
    }

    fn chunks(self, mut rest: &[u8]) -> Option<(Vec<u8>, &[u8])> {
        let mut body = Vec::new();
        loop {
            let (size, after) = self.line(rest)?;
            let text = String::from_utf8_lossy(size);
            let digits: String = text.trim().chars().take_while(char::is_ascii_hexdigit).collect();
            let size = usize::from_str_radix(&digits, 16).unwrap_or(0);
            rest = after;
            if size == 0 {
                break;
            }
            let (data, after) = rest.split_at_checked(size)?;
            body.extend_from_slice(data);
            (_, rest) = self.line(after)?;
        }
        loop {
            let (field, after) = self.line(rest)?;
            rest = after;
            if field.is_empty() {
                return Some((body, rest));
            }
        }
    }
}

/// The readers themselves see what they are to see: without that, nothing that they agree on would say anything.
#[test]
fn the_readers_disagree_about_what_is_ambiguous() {
    for raw in [
        &b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /x HTTP/1.1\r\nHost: a\r\n\r\n"[..],
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 0\r\n\r\nG",
        b"POST / HTTP/1.1\r\nHost: a\r\nX: y\rContent-Length: 3\r\n\r\nabc",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n 3\r\n\r\nabc",
    ] {
        let readings: Vec<_> = LENIENT.iter().map(|reader| reader.read(raw)).collect();
        assert!(readings.iter().any(|read| *read != readings[0]), "{}", raw.escape_ascii());
        assert!(matches!(strict(raw).end, End::Refused(_)), "{}", raw.escape_ascii());
    }
    let plain =
        b"POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: a\r\n\r\n";
    let read = strict(plain);
    assert_eq!((read.requests.len(), &read.end), (2, &End::Whole));
    assert!(LENIENT.iter().all(|reader| reader.read(plain) == read));
    assert_eq!(strict(&plain[..60]).end, End::Within);
}
