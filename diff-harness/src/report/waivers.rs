//! The waivers that count, with what there was of their groups.

use std::collections::BTreeMap;

use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::fingerprint::Fingerprint;
use crate::store::{EpochFilter, GroupListing, Store, StoreError};
use crate::triage::{Call, Decided};

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WaiverReport {
    pub group: Fingerprint,
    /// `None` of a group that was never seen here.
    pub endpoint: Option<EndpointId>,
    pub call: Call,
    pub owner: String,
    pub reason: String,
    pub expires: Option<UnixMillis>,
    /// Comparisons of the endpoint, and those of them in which the group was found.
    pub compared: u64,
    pub exchanges: u64,
    pub remark: Option<WaiverRemark>,
}

/// Why a person should look at a waiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaiverRemark {
    /// Its day has come: the group counts as open again.
    Ended,
    /// The group was not found, although there were comparisons.
    HidNothing,
    /// The group was found in every comparison of its endpoint.
    HidEverywhere,
}

impl WaiverRemark {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ended => "ended",
            Self::HidNothing => "hid nothing",
            Self::HidEverywhere => "hid something in every comparison of its endpoint",
        }
    }
}

/// In the order of the log.
pub fn waivers(
    store: &dyn Store,
    epoch: EpochFilter<'_>,
    at: UnixMillis,
) -> Result<Vec<WaiverReport>, StoreError> {
    let is_waiver = |Decided { decision, .. }: &Decided| decision.call.is_waiver() && !decision.is_learned();
    let mut decided: Vec<Decided> = store.in_force()?.into_iter().filter(is_waiver).collect();
    if decided.is_empty() {
        return Ok(Vec::new());
    }
    decided.sort_by_key(|decided| decided.sequence);
    let compared: BTreeMap<_, _> =
        store.tallies(epoch)?.into_iter().filter_map(|(of, tally)| Some((of?, tally.compared()))).collect();
    let groups: Vec<_> = decided.iter().map(|decided| decided.decision.group.clone()).collect();
    // Of one epoch they are counted in it; a group that is not in the list was not found there.
    let here: Option<BTreeMap<_, _>> = match epoch {
        EpochFilter::All => None,
        EpochFilter::Only(epoch) => {
            let listed = store.list_groups(&GroupListing::only(&groups, epoch))?;
            let counted = |group: crate::triage::Triaged| (group.group.fingerprint, group.group.exchanges);
            Some(listed.groups.into_iter().map(counted).collect())
        }
    };
    let report = |Decided { decision, .. }: Decided| -> Result<WaiverReport, StoreError> {
        let group = store.group(&decision.group)?;
        let exchanges = match (&here, &group) {
            (Some(here), _) => here.get(&decision.group).copied().unwrap_or_default(),
            (None, group) => group.as_ref().map_or(0, |group| group.exchanges),
        };
        let endpoint = group.map(|group| group.endpoint);
        let compared = endpoint.as_ref().and_then(|of| compared.get(of)).copied().unwrap_or_default();
        let remark = match decision.expires {
            Some(end) if end <= at => Some(WaiverRemark::Ended),
            _ if compared == 0 => None,
            _ if exchanges == 0 => Some(WaiverRemark::HidNothing),
            _ if exchanges >= compared => Some(WaiverRemark::HidEverywhere),
            _ => None,
        };
        Ok(WaiverReport {
            group: decision.group,
            endpoint,
            call: decision.call,
            owner: decision.owner,
            reason: decision.reason,
            expires: decision.expires,
            compared,
            exchanges,
            remark,
        })
    };
    decided.into_iter().map(report).collect()
}
