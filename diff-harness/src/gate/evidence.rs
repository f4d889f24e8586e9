//! What the gate is given to judge by.

use crate::endpoint::EndpointId;
use crate::exchange::UnixMillis;
use crate::lifecycle::{Declaration, Stage, Standing};
use crate::store::{Epoch, Group, Observed};
use crate::triage::State;

/// What is known of one endpoint in the current epoch.
#[derive(Clone, Debug)]
pub struct Evidence<'a> {
    pub endpoint: &'a EndpointId,
    pub standing: Standing,
    /// When it came to its stage.
    pub since: UnixMillis,
    /// Where it is to go, further towards the candidate than it stands.
    pub to: Stage,
    pub now: UnixMillis,
    pub declaration: &'a Declaration,
    pub epoch: &'a Epoch,
    pub observed: &'a Observed,
    /// All groups of this epoch.
    pub groups: &'a [GroupState],
    /// What was compared under another epoch before this one.
    pub before: Option<Before>,
    /// Whether the candidate takes connections; if not, why not.
    pub candidate: Result<(), &'a str>,
    /// When this process began to serve. A negative control of an earlier one says nothing of this one.
    pub started: UnixMillis,
    /// When it last fell back to control, or was let go again after it.
    pub last_fallback: Option<UnixMillis>,
}

/// A group and what people decided about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GroupState {
    pub group: Group,
    pub state: State,
    /// Where a waiver lets it pass.
    pub waiver: Option<Waiver>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiver {
    pub owner: String,
    pub expires: Option<UnixMillis>,
}

/// The newest epoch before this one in which the endpoint was compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Before {
    pub epoch: Epoch,
    pub compared: u64,
    pub last: UnixMillis,
}
