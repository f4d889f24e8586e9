//! Who may do what on each side, as the last suite that was handed in found it.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use bytes::Bytes;
use diff_harness::endpoint::EndpointId;
use diff_harness::exchange::UnixMillis;
use diff_harness::store::{Store, StoreError};
use diff_harness::suite::matrix::{Access, Cell, Matrix};
use diff_harness::suite::output::json::parse;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::answer::Failed;
use super::api::{Actor, Api, answer, body};
use super::wire::{Code, Problem};

const SETTING: &str = "matrix";

/// A matrix with where it is from, as it is kept in the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct HandedIn {
    pub(crate) suite: String,
    pub(crate) actor: String,
    pub(crate) at_ms: u64,
    cells: Vec<CellRow>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct CellRow {
    endpoint: String,
    persona: String,
    control: [u64; 3],
    candidate: [u64; 3],
    exposed: u64,
}

/// Takes the report of a run (`strangler suite run --json FILE`).
pub(super) async fn hand_in(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
    headers: HeaderMap,
    sent: Result<Bytes, BytesRejection>,
) -> Result<Response, Failed> {
    let sent: Box<RawValue> = body(&headers, sent)?;
    answer(api, move |api| {
        let report =
            parse(sent.get()).map_err(|why| Problem::new(Code::BadRequest, format!("the body: {why}")))?;
        if report.matrix.is_empty() {
            return Err(Problem::new(Code::BadRequest, "the run tried no persona at any endpoint").into());
        }
        let handed_in = HandedIn::new(&report.matrix, report.suite.clone(), actor, api.control.now());
        let text = serde_json::to_string(&handed_in).expect("plain data is serializable");
        api.store.set_setting(SETTING, &text)?;
        Ok(handed_in)
    })
    .await
}

/// The last one; `null` where none was handed in.
pub(super) async fn show(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| Ok(last(api.store.as_ref())?)).await
}

/// The last one that was handed in.
pub(crate) fn last(store: &dyn Store) -> Result<Option<HandedIn>, StoreError> {
    let text = store.setting(SETTING)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

impl HandedIn {
    fn new(matrix: &Matrix, suite: String, actor: String, at: UnixMillis) -> Self {
        let numbers = |access: Access| [access.allowed, access.refused, access.failed];
        let row = |(endpoint, persona, cell): (&EndpointId, &Arc<str>, &Cell)| CellRow {
            endpoint: endpoint.to_string(),
            persona: persona.to_string(),
            control: numbers(cell.control),
            candidate: numbers(cell.candidate),
            exposed: cell.exposed,
        };
        Self { suite, actor, at_ms: at.0, cells: matrix.iter().map(row).collect() }
    }

    pub(crate) fn matrix(&self) -> Matrix {
        let access = |[allowed, refused, failed]: [u64; 3]| Access { allowed, refused, failed };
        let mut matrix = Matrix::default();
        for row in &self.cells {
            let Ok(endpoint) = row.endpoint.parse() else { continue };
            let cell =
                Cell { control: access(row.control), candidate: access(row.candidate), exposed: row.exposed };
            matrix.add(&row.persona.as_str().into(), &endpoint, &cell);
        }
        matrix
    }
}
