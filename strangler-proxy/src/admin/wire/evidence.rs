//! What was found.

use diff_harness::triage::{State, Triaged};
use serde::{Deserialize, Serialize};

use super::{DecisionView, EntryView, PartView, ShapeView, time};

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupView {
    pub id: String,
    pub endpoint: String,
    pub kind: String,
    pub severity: String,
    pub location: String,
    pub detail: Option<String>,
    pub count: u64,
    pub exchanges: u64,
    pub first_seen: String,
    pub last_seen: String,
    /// Values of the newest divergence.
    pub control: Option<String>,
    pub candidate: Option<String>,
    /// `new`, `bug`, `expected`, `noise`, `fixed`, `verified`, `regressed` or `expired`.
    pub state: String,
    /// Whether it keeps its endpoint from moving.
    pub open: bool,
    /// The decision that counts.
    pub decision: Option<DecisionView>,
    /// Of which group it is a part, and which.
    pub part: Option<PartView>,
    /// The newest entry about it in the log of decisions, 0 for none: what a decision is compared and swapped on.
    pub newest_entry: u64,
}

/// `GET /api/v1/groups/{id}`.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct GroupDetail {
    pub group: GroupView,
    /// In which shapes of requests it was found in the current epoch, most often first.
    pub shapes: Vec<ShapeView>,
    /// Comparisons of its endpoint in the current epoch: the denominator of its exchanges there.
    pub compared: u64,
    /// What was decided, newest first.
    pub decisions: Vec<EntryView>,
    /// Its own parts.
    pub parts: Vec<PartView>,
    /// Kept exchanges, newest first.
    pub samples: Vec<ExchangeView>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ExchangeView {
    pub id: String,
    pub at: String,
    pub endpoint: String,
    pub method: String,
    pub target: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: BodyView,
    pub control: ObservationView,
    pub candidate: ObservationView,
    pub divergences: Vec<DivergenceView>,
    pub notes: Vec<String>,
    /// Command lines that repeat the request against either side, without its secrets.
    pub curl_control: String,
    pub curl_candidate: String,
}

/// `GET /api/v1/recorded`: an unsafe request that control carried out, redacted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RecordedView {
    pub id: String,
    pub at: String,
    pub method: String,
    pub target: String,
    pub request_headers: Vec<(String, String)>,
    pub request_body: BodyView,
    pub control: ObservationView,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ObservationView {
    pub latency_ms: f64,
    /// `None` for a transport failure.
    pub status: Option<u16>,
    pub failure: Option<String>,
    pub headers: Vec<(String, String)>,
    pub body: BodyView,
}

#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct BodyView {
    /// As text, with what is not UTF-8 replaced.
    pub text: String,
    /// Of all of it; `None` where it was not read to its end.
    pub length: Option<u64>,
    /// Whether `text` is all of it.
    pub whole: bool,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DivergenceView {
    pub group: String,
    pub kind: String,
    pub severity: String,
    pub location: String,
    pub detail: Option<String>,
    pub control: Option<String>,
    pub candidate: Option<String>,
}

impl GroupView {
    pub fn new(triaged: &Triaged, state: State) -> Self {
        let group = &triaged.group;
        let example = group.example.get();
        Self {
            id: group.fingerprint.to_string(),
            endpoint: group.endpoint.to_string(),
            kind: group.kind.as_str().to_owned(),
            severity: group.severity.as_str().to_owned(),
            location: group.location.clone(),
            detail: group.detail.clone(),
            count: group.count,
            exchanges: group.exchanges,
            first_seen: time(group.first_seen),
            last_seen: time(group.last_seen),
            control: example.control.clone(),
            candidate: example.candidate.clone(),
            state: state.to_string(),
            open: state.is_open(),
            decision: triaged.decided.as_ref().map(DecisionView::from),
            part: triaged.part.as_ref().map(|part| PartView::new(&group.fingerprint, part)),
            newest_entry: triaged.newest_entry,
        }
    }
}
