//! An address that was left alone is asked by the proxy itself before it gets requests again: no client waits for it to find
//! out that it is still dead.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::Upstream;
use super::address::{Address, Use};
use super::check;

/// Asks those that are out as soon as their time has come.
pub(super) async fn keep(upstream: &Upstream) {
    if !upstream.may_eject() {
        return;
    }
    loop {
        let addresses = upstream.addresses();
        let due = addresses.iter().filter_map(|address| address.due()).min();
        let waits = async {
            let Some(due) = due else { return std::future::pending().await };
            tokio::time::sleep(Duration::from_millis(due.saturating_sub(upstream.now()))).await;
        };
        tokio::select! {
            () = upstream.ejected.notified() => continue,
            () = waits => {}
        }
        let now = upstream.now();
        let due = addresses.iter().filter(|address| address.due().is_some_and(|due| due <= now));
        join_all(due.map(|address| probe(upstream, address))).await;
    }
}

async fn probe(upstream: &Upstream, address: &Arc<Address>) {
    let answer = ask(upstream, address).await;
    address.counts.probe(answer.is_ok());
    let (side, socket, now) = (upstream.side, address.socket, upstream.now());
    for of in [Use::Clients, Use::Shadows] {
        // One that became due while it was asked is asked again: its failures are newer.
        let ejection = address.ejection(of);
        if ejection.due().is_none_or(|due| due > now) {
            continue;
        }
        match &answer {
            Ok(()) => {
                ejection.come_back(now);
                tracing::info!(%side, address = %socket, ?of, "an address that was left alone is used again");
            }
            Err(error) => {
                let for_ms = ejection.stay_out(now, &upstream.config.health);
                tracing::warn!(%side, address = %socket, ?of, %error, for_ms, "an address that is left alone is not well yet");
            }
        }
    }
}

/// As the health check would, where there is one; else whether it takes a connection.
async fn ask(upstream: &Upstream, address: &Address) -> Result<(), String> {
    match &upstream.config.health.check {
        Some(check) => check::ask(upstream, address, check).await.map_err(|sick| sick.to_string()),
        None => upstream.connects(address).await,
    }
}
