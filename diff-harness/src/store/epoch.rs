//! Which deployments evidence belongs to.

use crate::exchange::UnixMillis;

/// One deployment of both sides under one set of rules. Evidence belongs to exactly one.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Epoch {
    pub candidate: String,
    pub control: String,
    pub rules: String,
}

/// When an epoch was first and last recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EpochSpan {
    pub epoch: Epoch,
    pub first: UnixMillis,
    pub last: UnixMillis,
}

#[derive(Clone, Copy, Debug)]
pub enum EpochFilter<'a> {
    /// Everything that was ever recorded.
    All,
    Only(&'a Epoch),
}
