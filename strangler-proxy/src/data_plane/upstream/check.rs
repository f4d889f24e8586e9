//! Addresses are asked how they are, whether there is traffic or not.

use std::collections::HashMap;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use http::header::{HOST, USER_AGENT};
use http::{HeaderValue, Request, Response, StatusCode};
use http_body_util::Empty;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;

use super::Upstream;
use super::address::Address;
use super::config::Check;
use crate::data_plane::pool::{Local, h2_head};

/// Answers of one kind in a row, by address.
#[derive(Debug, Default)]
struct Row {
    failures: u32,
    successes: u32,
}

/// Why an address is not well.
#[derive(Debug, thiserror::Error)]
pub(super) enum Sick {
    #[error("it did not answer within {0:?}")]
    Timeout(Duration),
    #[error("it takes no connection: {0}")]
    Connect(#[from] std::io::Error),
    #[error("it does not answer in HTTP: {0}")]
    Http(#[from] hyper::Error),
    #[error("it answers {0}")]
    Status(StatusCode),
}

/// Asks again and again.
pub(super) async fn keep(upstream: &Upstream) {
    let Some(check) = &upstream.config.health.check else { return };
    let mut rows: HashMap<usize, (Arc<Address>, Row)> = HashMap::new();
    let mut ticks = tokio::time::interval(check.every);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        ticks.tick().await;
        let addresses = upstream.addresses();
        let asked =
            addresses.iter().map(|address| async move { (address, ask(upstream, address, check).await) });
        let answers = join_all(asked).await;
        rows.retain(|_, (known, _)| addresses.iter().any(|address| Arc::ptr_eq(address, known)));
        for (address, answer) in answers {
            let (_, row) = rows
                .entry(Arc::as_ptr(address).addr())
                .or_insert_with(|| (Arc::clone(address), Row::default()));
            note(upstream, address, row, check, answer);
        }
    }
}

fn note(upstream: &Upstream, address: &Address, row: &mut Row, check: &Check, answer: Result<(), Sick>) {
    let (side, socket) = (upstream.side, address.socket);
    address.set_answers_checks(answer.is_ok());
    match answer {
        Ok(()) => {
            *row = Row { failures: 0, successes: row.successes.saturating_add(1) };
            if address.is_unhealthy() && row.successes >= check.healthy {
                address.set_unhealthy(false);
                tracing::info!(%side, address = %socket, "an address is healthy again");
            }
        }
        Err(sick) => {
            *row = Row { failures: row.failures.saturating_add(1), successes: 0 };
            if !address.is_unhealthy() && row.failures >= check.unhealthy {
                address.set_unhealthy(true);
                tracing::warn!(%side, address = %socket, error = %sick, "an address is unhealthy and is not used");
            }
        }
    }
}

pub(super) async fn ask(upstream: &Upstream, address: &Address, check: &Check) -> Result<(), Sick> {
    tokio::time::timeout(check.timeout, answer(upstream, address, check))
        .await
        .unwrap_or(Err(Sick::Timeout(check.timeout)))
}

/// Every time on a connection of its own: that one can be made is a part of the question.
async fn answer(upstream: &Upstream, address: &Address, check: &Check) -> Result<(), Sick> {
    let (stream, is_http2) = upstream.connect(address, false).await?;
    let io = TokioIo::new(stream);
    let mut request = request(address, check);
    let response = if is_http2 {
        let is_tls = upstream.config.tls.is_some();
        h2_head::of_request(&mut request, is_tls).map_err(std::io::Error::other)?;
        let (mut sender, connection) = hyper::client::conn::http2::handshake(Local, io).await?;
        head(pin!(sender.send_request(request)), pin!(connection)).await?
    } else {
        let (mut sender, connection) = hyper::client::conn::http1::handshake(io).await?;
        head(pin!(sender.send_request(request)), pin!(connection)).await?
    };
    if response.status().is_success() { Ok(()) } else { Err(Sick::Status(response.status())) }
}

/// Works on the connection until the head is there.
async fn head(
    mut response: Pin<&mut impl Future<Output = hyper::Result<Response<Incoming>>>>,
    mut connection: Pin<&mut impl Future<Output = hyper::Result<()>>>,
) -> hyper::Result<Response<Incoming>> {
    let mut ended = false;
    loop {
        tokio::select! {
            biased;
            response = &mut response => return response,
            // It may end in the very turn in which it gives the response.
            end = &mut connection, if !ended => {
                end?;
                ended = true;
            }
        }
    }
}

fn request(address: &Address, check: &Check) -> Request<Empty<Bytes>> {
    let mut request = Request::new(Empty::new());
    // Both were checked when the config was read.
    *request.uri_mut() = check.path.parse().unwrap_or_default();
    let host = check.host.as_deref().unwrap_or(&address.authority);
    if let Ok(host) = HeaderValue::from_str(host) {
        request.headers_mut().insert(HOST, host);
    }
    request.headers_mut().insert(USER_AGENT, HeaderValue::from_static("strangler-health"));
    request
}

#[cfg(test)]
mod tests {
    use diff_harness::exchange::Side;

    use super::super::{UpstreamConfig, Upstreams};
    use super::*;

    #[test]
    fn so_many_answers_in_a_row_change_what_is_thought_of_an_address() {
        let config = UpstreamConfig::new("127.0.0.1:1");
        let upstreams = Upstreams::start(&config, None).unwrap();
        let upstream: &Arc<Upstream> = &upstreams.control;
        assert_eq!(upstream.side, Side::Control);
        let addresses = upstream.addresses();
        let address = &addresses[0];
        let check = Check { unhealthy: 3, healthy: 2, ..Check::default() };
        let mut row = Row::default();
        let mut answered = |well: bool| {
            let sick = || Err(Sick::Status(StatusCode::INTERNAL_SERVER_ERROR));
            note(upstream, address, &mut row, &check, if well { Ok(()) } else { sick() });
            address.is_unhealthy()
        };
        // A good one between them begins anew.
        for well in [false, false, true, false, false] {
            assert!(!answered(well), "too early");
        }
        assert!(answered(false), "the third in a row");
        for well in [true, false, true] {
            assert!(answered(well), "too early");
        }
        assert!(!answered(true), "the second in a row");
    }
}
