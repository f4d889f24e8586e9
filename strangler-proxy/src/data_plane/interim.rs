//! 1xx responses of an upstream: 100 opens the request body, others are passed on (RFC 9110 §15.2).

use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::Request;
use http::header::CONTENT_LENGTH;
use http::{HeaderMap, StatusCode};

use super::hop_by_hop;
use super::request_body::{Gate, RequestBody};
use super::watch::Watch;

/// The longest interim response that is passed on.
const PASSED_ON_MAX: usize = 16 << 10;

/// Listens for 1xx responses to this request.
pub(super) fn listen(
    request: &mut Request<RequestBody>,
    client: Option<Arc<Watch>>,
    gate: Option<Arc<Gate>>,
) {
    hyper::ext::on_informational(request, move |response| {
        if response.status() == StatusCode::CONTINUE {
            // The client gets one when its body is asked for, from whoever reads it.
            if let Some(gate) = &gate {
                gate.open();
            }
        } else if let Some(client) = &client {
            let bytes = to_bytes(response.status(), response.headers().clone());
            if bytes.len() <= PASSED_ON_MAX {
                client.interject(&bytes);
            }
        }
    });
}

fn to_bytes(status: StatusCode, mut headers: HeaderMap) -> Vec<u8> {
    hop_by_hop::strip_response(&mut headers);
    // RFC 9110 §8.6: there is none, and nothing that it could be the length of.
    headers.remove(CONTENT_LENGTH);
    let mut bytes = format!("HTTP/1.1 {} ", status.as_str()).into_bytes();
    bytes.extend_from_slice(status.canonical_reason().unwrap_or_default().as_bytes());
    bytes.extend_from_slice(b"\r\n");
    for (name, value) in &headers {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes
}

impl Gate {
    /// Sends, and lets the body go when the upstream says nothing of it for this long: one that does not know
    /// `Expect` waits for the body, too.
    pub(super) async fn open_after<T>(&self, patience: Duration, sending: impl Future<Output = T>) -> T {
        let mut sending = pin!(sending);
        let mut sleeping = pin!(tokio::time::sleep(patience));
        let mut waiting = true;
        std::future::poll_fn(|cx| {
            if waiting && sleeping.as_mut().poll(cx).is_ready() {
                waiting = false;
                self.open();
            }
            match sending.as_mut().poll(cx) {
                Poll::Ready(sent) => Poll::Ready(sent),
                Poll::Pending => Poll::Pending,
            }
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn an_interim_response_keeps_its_fields_but_those_of_the_connection() {
        let mut headers = HeaderMap::new();
        headers.insert("link", HeaderValue::from_static("</a.css>; rel=preload"));
        for (name, value) in [
            ("connection", "close, x-own"),
            ("x-own", "1"),
            ("keep-alive", "timeout=5"),
            ("content-length", "3"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let bytes = to_bytes(StatusCode::EARLY_HINTS, headers);
        assert_eq!(bytes, b"HTTP/1.1 103 Early Hints\r\nlink: </a.css>; rel=preload\r\n\r\n");
    }
}
