//! What goes over the wire between the admin API and whoever speaks it. Not the domain types: these may only grow.

mod routes;
mod moves;
mod changes;
mod gate;
mod evidence;
mod triage;
mod stream;
mod status;
mod upstreams;
mod certificates;

use diff_harness::exchange::UnixMillis;
use diff_harness::lifecycle::Standing;
use serde::{Deserialize, Serialize};

pub use certificates::{CertificateView, CertificatesView, RefusedFilesView, ReloadedView};
pub use changes::ChangeView;
pub use evidence::{
    BodyView, DivergenceView, ExchangeView, GroupDetail, GroupView, ObservationView, RecordedView,
};
pub use gate::{
    AnswersView, CoverageView, GateView, IntervalView, LatencyView, MeterView, NegativeControlView,
    ReasonView, SeenView, VariantView,
};
pub use moves::{
    HoldRequest, MovedView, PlanRequest, PlanView, PromoteRequest, RollbackRequest, TransitionView,
};
pub use routes::{
    DeclarationView, DeclareRequest, DeclaredView, GroupsOf, ParameterView, RouteView, Traffic,
    UndeclaredView,
};
pub use status::{EpochRequest, EpochView, StatusView};
pub use stream::{BurnDownView, EndpointStreamView, StreamView};
pub use triage::{
    DecideRequest, DecidedHereView, DecisionView, DecisionsView, EntryView, ImportedView, PartView,
    RegroupRequest, ShapeView, SplitRequest, TriageView,
};
pub use upstreams::{AddressView, UpstreamView};

/// The version of everything below.
pub const VERSION: u32 = 1;

/// Around every answer, also around failures.
#[derive(Debug, Serialize, Deserialize)]
pub struct Envelope<T> {
    pub version: u32,
    pub data: Option<T>,
    pub error: Option<Problem>,
}

/// Why something was not done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    pub code: Code,
    pub message: String,
    /// What to do next.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

/// What kind of failure, for programs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    BadRequest,
    Unauthorized,
    /// Known, and of a role that may not do this.
    Forbidden,
    /// The Host header names neither this listener nor loopback.
    WrongHost,
    NotFound,
    MethodNotAllowed,
    TooLarge,
    UnknownEndpoint,
    /// The endpoint's revision is not the one that was expected.
    Conflict,
    /// The endpoint cannot stand at that stage, or the move is not one that the ladder has.
    NotAMove,
    ReasonRequired,
    /// The move cannot be undone, and was not acknowledged by the endpoint's name.
    NoReturn,
    Held,
    GateRefused,
    GateInconclusive,
    /// Forced over what no force overrides: an open exposure group.
    Unforceable,
    /// A decision on a group that may not be made, or that there is nothing for.
    DecisionRefused,
    StoreFailed,
    /// There is no room for the request's body at this moment.
    Busy,
    Internal,
}

/// `{"endpoint": "GET /playlists/{id}", …}` in a request's body, or `?endpoint=` in its query.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EndpointQuery {
    pub endpoint: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandingView {
    pub stage: String,
    pub hold: String,
}

/// RFC 3339 in UTC, with milliseconds.
pub fn time(at: UnixMillis) -> String {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    jiff::Timestamp::from_millisecond(millis).map_or_else(|_| format!("{millis} ms"), |at| format!("{at:.3}"))
}

impl From<Standing> for StandingView {
    fn from(standing: Standing) -> Self {
        Self { stage: standing.stage.to_string(), hold: standing.hold.to_string() }
    }
}
