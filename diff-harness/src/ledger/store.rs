//! What a store is asked, and which file here answers it.

use std::collections::BTreeMap;

use super::{
    Ledger, audit, counts, groups, listing, noise, observed, parts, recorded, recording, routes, samples,
    sweep, triage, views,
};
use crate::audit::{AuditListing, Audited, Change};
use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::lifecycle::{Declaration, Flip, Route, Transition};
use crate::noise::book::EndpointNoise;
use crate::store::{
    Batch, DecisionsOf, Declared, Epoch, EpochFilter, EpochSpan, Group, GroupEpoch, GroupFilter,
    GroupListing, GroupShape, GroupSum, LatencyPair, Listed, Neighbours, Observed, Recorded, RuleTally,
    Sample, Store, StoreError, Swept, Tally, Took, Undeclared,
};
use crate::triage::{Decided, Entry, Part, Triaged, Wish};

impl Store for Ledger {
    fn routes(&self) -> Result<Vec<Route>, StoreError> {
        self.read(routes::all)
    }

    fn declare(
        &self,
        endpoints: &[(EndpointId, Declaration)],
        at: UnixMillis,
    ) -> Result<Declared, StoreError> {
        self.write(|connection| routes::declare(connection, endpoints, at))
    }

    fn flip(&self, flip: &Flip) -> Result<Transition, StoreError> {
        self.write(|connection| routes::flip(connection, flip))
    }

    fn transitions(
        &self,
        endpoint: Option<&EndpointId>,
        limit: usize,
    ) -> Result<Vec<Transition>, StoreError> {
        self.read(|connection| routes::transitions(connection, endpoint, limit))
    }

    fn record(&self, batch: &Batch) -> Result<(), StoreError> {
        self.write(|connection| recording::record(connection, batch, &self.retention))
    }

    fn epochs(&self) -> Result<Vec<EpochSpan>, StoreError> {
        self.read(counts::epochs)
    }

    fn tallies(&self, epoch: EpochFilter<'_>) -> Result<Vec<(Option<EndpointId>, Tally)>, StoreError> {
        self.read(|connection| counts::tallies(connection, epoch))
    }

    fn observed(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Observed, StoreError> {
        self.read(|connection| observed::observed(connection, endpoint, epoch))
    }

    fn noise(&self, control: &str) -> Result<Vec<(EndpointId, EndpointNoise)>, StoreError> {
        self.read(|connection| noise::all(connection, control))
    }

    fn latencies(&self, endpoint: &EndpointId, epoch: &Epoch) -> Result<Vec<LatencyPair>, StoreError> {
        self.read(|connection| counts::latencies(connection, endpoint, epoch))
    }

    fn groups(&self, filter: &GroupFilter<'_>) -> Result<Vec<Group>, StoreError> {
        self.read(|connection| groups::groups(connection, filter))
    }

    fn group(&self, fingerprint: &Fingerprint) -> Result<Option<Group>, StoreError> {
        self.read(|connection| groups::group(connection, fingerprint))
    }

    fn triaged(&self, filter: &GroupFilter<'_>) -> Result<Vec<Triaged>, StoreError> {
        self.read(|connection| triage::triaged(connection, groups::groups(connection, filter)?))
    }

    fn triaged_group(&self, fingerprint: &Fingerprint) -> Result<Option<Triaged>, StoreError> {
        self.read(|connection| {
            let group = groups::group(connection, fingerprint)?;
            Ok(triage::triaged(connection, group.into_iter().collect())?.pop())
        })
    }

    fn decide(&self, wish: &Wish) -> Result<Entry, StoreError> {
        self.write(|connection| triage::decide(connection, wish))
    }

    fn import(&self, parts: &[Wish], waivers: &[Wish]) -> Result<Vec<Took>, StoreError> {
        self.write(|connection| triage::import(connection, parts, waivers))
    }

    fn decisions(&self, of: DecisionsOf<'_>, limit: usize) -> Result<Vec<Entry>, StoreError> {
        self.read(|connection| triage::log(connection, of, limit))
    }

    fn in_force(&self) -> Result<Vec<Decided>, StoreError> {
        self.read(|connection| Ok(triage::in_force(connection)?.into_values().collect()))
    }

    fn parts(&self) -> Result<Vec<(Fingerprint, Part)>, StoreError> {
        self.read(|connection| Ok(parts::Parts::read(connection)?.into_all()))
    }

    fn group_shapes(
        &self,
        group: &Fingerprint,
        epoch: EpochFilter<'_>,
    ) -> Result<Vec<GroupShape>, StoreError> {
        self.read(|connection| groups::shapes(connection, group, epoch))
    }

    fn group_epochs(&self, group: &Fingerprint) -> Result<Vec<GroupEpoch>, StoreError> {
        self.read(|connection| groups::epochs(connection, group))
    }

    fn list_groups(&self, listing: &GroupListing<'_>) -> Result<Listed, StoreError> {
        self.read(|connection| listing::list(connection, listing))
    }

    fn neighbours(&self, listing: &GroupListing<'_>, of: &Fingerprint) -> Result<Neighbours, StoreError> {
        self.read(|connection| listing::neighbours(connection, listing, of))
    }

    fn group_sums(&self, epoch: &Epoch, except: &[Fingerprint]) -> Result<Vec<GroupSum>, StoreError> {
        self.read(|connection| listing::sums(connection, epoch, except))
    }

    fn views(
        &self,
        person: &str,
        groups: &[Fingerprint],
    ) -> Result<BTreeMap<Fingerprint, String>, StoreError> {
        self.read(|connection| views::of(connection, person, groups))
    }

    fn keep_view(
        &self,
        person: &str,
        group: &Fingerprint,
        seen_as: &str,
        at: UnixMillis,
    ) -> Result<(), StoreError> {
        self.write(|connection| views::keep(connection, person, group, seen_as, at))
    }

    fn samples(&self, group: &Fingerprint, limit: usize) -> Result<Vec<Sample>, StoreError> {
        self.read(|connection| samples::of_group(connection, group, limit))
    }

    fn recorded(&self, endpoint: &EndpointId, limit: usize) -> Result<Vec<Recorded>, StoreError> {
        self.read(|connection| recorded::of_endpoint(connection, endpoint, limit))
    }

    fn exchange(&self, id: &str) -> Result<Option<Sample>, StoreError> {
        self.read(|connection| samples::by_request(connection, id))
    }

    fn rules(&self, epoch: &Epoch) -> Result<Vec<RuleTally>, StoreError> {
        self.read(|connection| counts::rules(connection, epoch))
    }

    fn undeclared(&self, limit: usize) -> Result<Vec<Undeclared>, StoreError> {
        self.read(|connection| counts::undeclared(connection, limit))
    }

    fn audit(&self, listing: &AuditListing<'_>) -> Result<Audited, StoreError> {
        self.read(|connection| audit::list(connection, listing))
    }

    fn note(&self, change: &Change) -> Result<(), StoreError> {
        self.write(|connection| audit::note(connection, change))
    }

    fn sweep(&self, now: UnixMillis) -> Result<Swept, StoreError> {
        let mut swept = Swept::default();
        // In portions, so that a flip never waits for all of it.
        loop {
            let portion = self.write(|connection| sweep::portion(connection, &self.retention, now))?;
            swept.exchanges += portion.exchanges;
            swept.bytes += portion.bytes;
            if portion.exchanges == 0 {
                return Ok(swept);
            }
        }
    }

    fn setting(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.read(|connection| routes::setting(connection, name))
    }

    fn set_setting(&self, name: &str, value: &str) -> Result<(), StoreError> {
        self.write(|connection| routes::set_setting(connection, name, value))
    }
}
