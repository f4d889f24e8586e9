//! A command line that repeats a request.

use std::fmt::Write;

use http::Method;

use crate::exchange::{CapturedBody, Exchange};
use crate::redact::Redacted;

/// Longer bodies do not belong on a command line.
const BODY_BYTES_MAX: usize = 16 * 1024;

/// Made anew by curl, or of one connection only (RFC 9110 §7.6.1).
const LEFT_OUT: [&str; 9] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "keep-alive",
    "proxy-connection",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// One line that sends the request again to `base_url`, quoted for a shell. What was redacted stands in it as it was
/// stored; whoever repeats the request puts the real value there.
pub fn curl_line(exchange: &Redacted<Exchange>, base_url: &str) -> String {
    let request = &exchange.get().request;
    let mut line = "curl -sS -i --globoff --path-as-is --compressed".to_owned();
    match request.method {
        Method::GET if request.body.kept().is_empty() => {}
        // With `-X HEAD` curl would wait for the body that Content-Length promises.
        Method::HEAD => line.push_str(" -I"),
        ref method => append(&mut line, "-X", method.as_str().as_bytes()),
    }
    for (name, value) in &request.headers {
        if LEFT_OUT.contains(&name.as_str()) {
            continue;
        }
        let mut header = name.as_str().as_bytes().to_vec();
        // curl takes `name:` for a header to leave out, and `name;` for one without a value.
        match value.is_empty() {
            true => header.push(b';'),
            false => {
                header.extend_from_slice(b": ");
                header.extend_from_slice(value.as_bytes());
            }
        }
        append(&mut line, "-H", &header);
    }
    let left_out = match &request.body {
        CapturedBody::Whole(bytes) if bytes.is_empty() => None,
        CapturedBody::Whole(bytes) if bytes.len() <= BODY_BYTES_MAX && !bytes.contains(&0) => {
            append(&mut line, "--data-raw", bytes);
            None
        }
        CapturedBody::Whole(bytes) => Some(bytes.len() as u64),
        CapturedBody::Hashed { length, .. } => Some(*length),
        CapturedBody::Cut { head } => Some(head.len() as u64),
    };
    let url = format!("{}{}", base_url.trim_end_matches('/'), request.target);
    line.push(' ');
    line.push_str(&quoted(url.as_bytes()));
    if let Some(length) = left_out {
        let _ = write!(line, " # its body of {length} bytes is left out");
    }
    line
}

fn append(line: &mut String, option: &str, argument: &[u8]) {
    let _ = write!(line, " {option} {}", quoted(argument));
}

/// One word for a shell: in single quotes, or in `$'…'` where it holds what a terminal would act on.
fn quoted(bytes: &[u8]) -> String {
    if let Ok(text) = std::str::from_utf8(bytes)
        && !text.chars().any(|c| c.is_control() || is_deceptive(c))
    {
        return format!("'{}'", text.replace('\'', "'\\''"));
    }
    let mut word = "$'".to_owned();
    for byte in bytes {
        match byte {
            b'\'' => word.push_str("\\'"),
            b'\\' => word.push_str("\\\\"),
            b'\n' => word.push_str("\\n"),
            b'\r' => word.push_str("\\r"),
            b'\t' => word.push_str("\\t"),
            0x20..0x7f => word.push(char::from(*byte)),
            other => {
                let _ = write!(word, "\\x{other:02x}");
            }
        }
    }
    word.push('\'');
    word
}

/// Characters that reorder or hide others on a screen: what is read would not be what is run.
pub(crate) fn is_deceptive(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::HeaderValue;

    use super::*;
    use crate::report::fixture;

    fn line(change: impl FnOnce(&mut Exchange)) -> String {
        let mut exchange = fixture::exchange("r1", 1);
        change(&mut exchange);
        curl_line(&Redacted::stored(exchange), "http://127.0.0.1:8080/")
    }

    /// What the shell makes of the line: curl's arguments, one a line.
    fn words(line: &str) -> Vec<Vec<u8>> {
        let script = line.replacen("curl", "printf '%s\\0'", 1);
        let output = std::process::Command::new("bash").args(["-c", &script]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        output.stdout.split(|byte| *byte == 0).map(<[u8]>::to_vec).collect()
    }

    #[test]
    fn a_get_is_repeated_with_its_headers() {
        let line = line(|exchange| {
            exchange.request.headers.clear();
            exchange.request.headers.insert("accept", HeaderValue::from_static("a/b"));
            exchange.request.headers.insert("x-empty", HeaderValue::from_static(""));
            exchange.request.headers.insert("content-length", HeaderValue::from_static("7"));
            exchange.request.target = "/a?b=%2f".to_owned();
        });
        assert_eq!(
            line,
            "curl -sS -i --globoff --path-as-is --compressed -H 'accept: a/b' -H 'x-empty;' \
             'http://127.0.0.1:8080/a?b=%2f'"
        );
    }

    #[test]
    fn no_value_breaks_out_of_its_quotes() {
        let hostile = "'; touch /tmp/owned; echo '$(id)`id`\"\\";
        for value in [hostile.as_bytes(), b"\x1b[2J'$(id)\n\xff", "a\u{202e}b'".as_bytes()] {
            let line = line(|exchange| {
                exchange.request.method = Method::POST;
                exchange.request.body = CapturedBody::Whole(Bytes::copy_from_slice(value));
                exchange.request.target = format!("/{hostile}");
            });
            assert!(!line.chars().any(|c| c.is_control() || is_deceptive(c)), "{line:?}");
            let words = words(&line);
            assert!(words.contains(&value.to_vec()), "{line}");
            assert!(words.contains(&format!("http://127.0.0.1:8080/{hostile}").into_bytes()), "{line}");
        }
    }

    #[test]
    fn a_head_does_not_wait_for_a_body_and_a_long_body_is_left_out() {
        assert!(line(|exchange| exchange.request.method = Method::HEAD).contains(" -I "));
        let line = line(|exchange| {
            exchange.request.method = Method::PUT;
            exchange.request.body =
                CapturedBody::Hashed { head: Bytes::new(), length: 99_999, hash: [0; 32] };
        });
        assert!(
            line.contains("-X 'PUT'") && line.ends_with("# its body of 99999 bytes is left out"),
            "{line}"
        );
    }
}
