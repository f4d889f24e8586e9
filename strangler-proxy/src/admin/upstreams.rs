//! Upstreams and their addresses, as they are now.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Response;

use super::answer::Failed;
use super::api::{Api, answer};
use super::wire::{AddressView, UpstreamView};
use crate::data_plane::upstream::{AddressState, Upstream, Use};

pub(super) async fn list(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(views(api))).await
}

pub(super) fn views(api: &Api) -> Vec<UpstreamView> {
    api.upstreams.all().map(|upstream| view(upstream)).collect()
}

fn view(upstream: &Upstream) -> UpstreamView {
    let resolved = upstream.resolve_tally();
    let addresses = upstream.addresses();
    let addresses = addresses.iter().map(|address| {
        let tally = address.counts.tally();
        AddressView {
            authority: address.authority.to_string(),
            address: address.socket.to_string(),
            state: upstream.state(address, Use::Clients).as_str().to_owned(),
            shadow_state: upstream.state(address, Use::Shadows).as_str().to_owned(),
            ejections: address.ejections(Use::Clients),
            shadow_ejections: address.ejections(Use::Shadows),
            requests: tally.requests,
            connects: tally.connects,
            connects_failed: tally.connects_failed,
            closed_on_reuse: tally.races,
            probes: tally.probes,
            probes_failed: tally.probes_failed,
        }
    });
    UpstreamView {
        side: upstream.side.to_string(),
        addresses: addresses.collect(),
        resolved: resolved.resolved,
        resolve_failed: resolved.failed,
        resolve_failing: resolved.is_failing,
    }
}

/// What a person must look at.
pub(super) fn warnings(api: &Api) -> Vec<String> {
    let mut warnings = Vec::new();
    for upstream in api.upstreams.all() {
        let side = upstream.side;
        let addresses = upstream.addresses();
        if addresses.is_empty() {
            warnings.push(format!(
                "{side} has no address: {} cannot be resolved",
                upstream.config.authorities.join(", ")
            ));
        } else if upstream.resolve_tally().is_failing {
            warnings
                .push(format!("a name of {side} cannot be resolved any more; its last addresses are used"));
        }
        for address in addresses.iter() {
            let why = match upstream.state(address, Use::Clients) {
                AddressState::Used => continue,
                AddressState::Ejected => {
                    "failed too often in a row and is left alone until it is found to be well"
                }
                AddressState::Unhealthy => "fails its health check and is not used",
            };
            warnings.push(format!("{} of {side} {why}", address.socket));
        }
    }
    warnings
}
