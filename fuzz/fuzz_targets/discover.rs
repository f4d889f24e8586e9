//! Any traffic: every request is proposed or counted as overlooked, and every proposal is a template.

#![no_main]

use http::Method;
use libfuzzer_sys::fuzz_target;
use strangler_proxy::inventory::Discovery;
use strangler_proxy::inventory::discover::{DiscoveryLimits, consolidated};
use strangler_proxy::record::Discover;
use strangler_proxy::routes::Template;

fuzz_target!(|text: &str| {
    // Small limits, so that they are met.
    let limits = DiscoveryLimits { nodes_max: 40, words_max: 6, crowd: 4, ..DiscoveryLimits::default() };
    let mut discovery = Discovery::new(limits);
    let mut seen = 0;
    for path in text.lines() {
        discovery.seen(&Method::GET, path);
        seen += 1;
    }
    let proposals = discovery.proposals();
    let learned: u64 = proposals.iter().map(|proposal| proposal.count).sum();
    assert_eq!(learned + discovery.overlooked(), seen);
    for proposal in &proposals {
        Template::parse(proposal.endpoint.template()).expect("a proposal is a template");
    }
    let kept: Vec<_> = proposals.into_iter().map(Into::into).collect();
    let again: u64 = consolidated(&kept).iter().map(|one| one.count).sum();
    assert_eq!(again, learned);
});
