//! multipart/form-data (RFC 7578) of a body that was read whole: the fields with their texts. Uploaded files are
//! skipped; no dialect takes any.

use crate::edges::body::BodyError;

pub(super) fn pairs(body: &[u8], boundary: &str) -> Result<Vec<(String, String)>, BodyError> {
    let malformed = |what: &str| BodyError::Form(format!("multipart: {what}"));
    let delimiter = format!("--{boundary}");
    let mut pairs = Vec::new();
    // What stands before the first delimiter is a preamble (RFC 2046 §5.1.1).
    let start = find(body, delimiter.as_bytes()).ok_or_else(|| malformed("the boundary does not occur"))?;
    let mut rest = &body[start + delimiter.len()..];
    let line_delimiter = format!("\r\n{delimiter}");
    loop {
        if rest.starts_with(b"--") {
            return Ok(pairs);
        }
        let part_start =
            rest.strip_prefix(b"\r\n").ok_or_else(|| malformed("no line break after a boundary"))?;
        let end = find(part_start, line_delimiter.as_bytes())
            .ok_or_else(|| malformed("the last part is not closed"))?;
        let part = &part_start[..end];
        rest = &part_start[end + line_delimiter.len()..];
        let head_end = find(part, b"\r\n\r\n").ok_or_else(|| malformed("a part without a header"))?;
        let head = String::from_utf8_lossy(&part[..head_end]);
        let Some(name) = field_name(&head) else { return Err(malformed("a part without a name")) };
        if head.to_ascii_lowercase().contains("filename=") {
            continue;
        }
        let value = std::str::from_utf8(&part[head_end + 4..])
            .map_err(|_| malformed(&format!("the field {name:?} is not UTF-8")))?;
        pairs.push((name, value.to_owned()));
    }
}

/// The `name` parameter of Content-Disposition.
fn field_name(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    line.split(';').skip(1).find_map(|parameter| {
        let (key, value) = parameter.split_once('=')?;
        key.trim().eq_ignore_ascii_case("name").then(|| value.trim().trim_matches('"').to_owned())
    })
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack.windows(needle.len()).position(|window| window == needle)
}
