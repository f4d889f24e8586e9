//! How values look in the file. These types are the file's, not the domain's: a change here needs a migration.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use serde::{Deserialize, Serialize};

use crate::divergence::{Divergence, JsonPath, Kind, Location, Segment, Severity};
use crate::exchange::{CapturedBody, Exchange, Observation, Outcome, Request, Response, Side, UnixMillis};
use crate::fingerprint::Fingerprint;
use crate::lifecycle::Parameter;
use crate::redact::Redacted;

/// SQLite's integers are signed; no count here comes near the difference.
pub(super) fn int(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(super) fn uint(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

pub(super) fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("these types have string keys only")
}

#[derive(Serialize, Deserialize)]
pub(super) struct ParameterRow {
    name: String,
    place: String,
    required: bool,
}

impl From<&Parameter> for ParameterRow {
    fn from(parameter: &Parameter) -> Self {
        let Parameter { name, place, required } = parameter.clone();
        Self { name, place, required }
    }
}

impl From<ParameterRow> for Parameter {
    fn from(row: ParameterRow) -> Self {
        Self { name: row.name, place: row.place, required: row.required }
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct DivergenceRow {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    fingerprint: Option<String>,
    kind: String,
    severity: String,
    at: LocationRow,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    control: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    candidate: Option<String>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum LocationRow {
    Status,
    Header(String, Option<String>),
    Json(Vec<SegmentRow>),
    Field(String),
    Line(usize),
    Body,
    Exchange,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum SegmentRow {
    Key(String),
    Index(usize),
    Any(()),
}

impl DivergenceRow {
    pub(super) fn new(fingerprint: Option<&Fingerprint>, divergence: &Redacted<Divergence>) -> Self {
        let divergence = divergence.get();
        Self {
            fingerprint: fingerprint.map(ToString::to_string),
            kind: divergence.kind.as_str().to_owned(),
            severity: divergence.severity.as_str().to_owned(),
            at: location_row(&divergence.location),
            detail: divergence.detail.clone(),
            control: divergence.control.clone(),
            candidate: divergence.candidate.clone(),
        }
    }

    pub(super) fn read(self) -> Option<(Option<Fingerprint>, Redacted<Divergence>)> {
        let divergence = Divergence {
            kind: kind(&self.kind)?,
            severity: Severity::ALL.into_iter().find(|severity| severity.as_str() == self.severity)?,
            location: location(self.at),
            detail: self.detail,
            control: self.control,
            candidate: self.candidate,
        };
        let fingerprint = match self.fingerprint {
            Some(text) => Some(text.parse().ok()?),
            None => None,
        };
        Some((fingerprint, Redacted::stored(divergence)))
    }
}

pub(super) fn side(text: &str) -> Option<Side> {
    [Side::Control, Side::Candidate].into_iter().find(|side| side.as_str() == text)
}

pub(super) fn kind(text: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| kind.as_str() == text)
}

fn location_row(location: &Location) -> LocationRow {
    let segment = |segment: &Segment| match segment {
        Segment::Key(key) => SegmentRow::Key(key.clone()),
        Segment::Index(index) => SegmentRow::Index(*index),
        Segment::Any => SegmentRow::Any(()),
    };
    match location {
        Location::Status => LocationRow::Status,
        Location::Header { name, part } => LocationRow::Header(name.clone(), part.clone()),
        Location::Json(path) => LocationRow::Json(path.0.iter().map(segment).collect()),
        Location::Field(name) => LocationRow::Field(name.clone()),
        Location::Line(line) => LocationRow::Line(*line),
        Location::Body => LocationRow::Body,
        Location::Exchange => LocationRow::Exchange,
    }
}

fn location(row: LocationRow) -> Location {
    let segment = |segment| match segment {
        SegmentRow::Key(key) => Segment::Key(key),
        SegmentRow::Index(index) => Segment::Index(index),
        SegmentRow::Any(()) => Segment::Any,
    };
    match row {
        LocationRow::Status => Location::Status,
        LocationRow::Header(name, part) => Location::Header { name, part },
        LocationRow::Json(path) => Location::Json(JsonPath(path.into_iter().map(segment).collect())),
        LocationRow::Field(name) => Location::Field(name),
        LocationRow::Line(line) => Location::Line(line),
        LocationRow::Body => Location::Body,
        LocationRow::Exchange => Location::Exchange,
    }
}

/// An exchange in the file: zstd over a length, a head in JSON, and the three bodies one after the other. The two
/// responses are mostly equal, so that they cost little more than one.
pub(super) fn pack(exchange: &Redacted<Exchange>) -> Result<Vec<u8>, std::io::Error> {
    const LEVEL: i32 = 3;
    let exchange = exchange.get();
    let mut bodies = Vec::new();
    let head = json(&ExchangeRow {
        id: exchange.id.clone(),
        at_ms: exchange.at.0,
        endpoint: exchange.endpoint.to_string(),
        method: exchange.request.method.to_string(),
        target: exchange.request.target.clone(),
        headers: header_rows(&exchange.request.headers),
        body: body_row(&exchange.request.body, &mut bodies),
        control: observation_row(&exchange.control, &mut bodies),
        candidate: observation_row(&exchange.candidate, &mut bodies),
    });
    let mut plain = Vec::with_capacity(4 + head.len() + bodies.len());
    plain.extend_from_slice(&(head.len() as u32).to_le_bytes());
    plain.extend_from_slice(head.as_bytes());
    plain.append(&mut bodies);
    zstd::encode_all(&plain[..], LEVEL)
}

/// `None` where the bytes are not what [`pack`] makes.
pub(super) fn unpack(bytes: &[u8]) -> Option<Redacted<Exchange>> {
    let plain = Bytes::from(zstd::decode_all(bytes).ok()?);
    let length = u32::from_le_bytes(plain.get(..4)?.try_into().ok()?) as usize;
    let head: ExchangeRow = serde_json::from_slice(plain.get(4..4 + length)?).ok()?;
    let mut bodies = plain.slice(4 + length..);
    Some(Redacted::stored(Exchange {
        id: head.id,
        at: UnixMillis(head.at_ms),
        endpoint: head.endpoint.parse().ok()?,
        request: Request {
            method: Method::from_bytes(head.method.as_bytes()).ok()?,
            target: head.target,
            headers: headers(head.headers)?,
            body: body(head.body, &mut bodies)?,
        },
        control: observation(head.control, &mut bodies)?,
        candidate: observation(head.candidate, &mut bodies)?,
    }))
}

#[derive(Serialize, Deserialize)]
struct ExchangeRow {
    id: String,
    at_ms: u64,
    endpoint: String,
    method: String,
    target: String,
    headers: Vec<(String, HeaderText)>,
    body: BodyRow,
    control: ObservationRow,
    candidate: ObservationRow,
}

/// Header values are bytes, and nearly always text.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum HeaderText {
    Text(String),
    Bytes(Vec<u8>),
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum BodyRow {
    Whole { kept: usize },
    Hashed { kept: usize, length: u64, hash: [u8; 32] },
    Cut { kept: usize },
}

#[derive(Serialize, Deserialize)]
struct ObservationRow {
    latency_us: u64,
    #[serde(flatten)]
    outcome: OutcomeRow,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum OutcomeRow {
    Response { status: u16, headers: Vec<(String, HeaderText)>, body: BodyRow },
    Failure(String),
}

fn header_rows(headers: &HeaderMap) -> Vec<(String, HeaderText)> {
    let text = |value: &HeaderValue| {
        std::str::from_utf8(value.as_bytes()).map_or_else(
            |_| HeaderText::Bytes(value.as_bytes().to_vec()),
            |text| HeaderText::Text(text.to_owned()),
        )
    };
    headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect()
}

fn headers(rows: Vec<(String, HeaderText)>) -> Option<HeaderMap> {
    let mut headers = HeaderMap::with_capacity(rows.len());
    for (name, value) in rows {
        let value = match value {
            HeaderText::Text(text) => HeaderValue::from_bytes(text.as_bytes()),
            HeaderText::Bytes(bytes) => HeaderValue::from_bytes(&bytes),
        };
        headers.append(HeaderName::from_bytes(name.as_bytes()).ok()?, value.ok()?);
    }
    Some(headers)
}

fn body_row(body: &CapturedBody, bodies: &mut Vec<u8>) -> BodyRow {
    bodies.extend_from_slice(body.kept());
    let kept = body.kept().len();
    match body {
        CapturedBody::Whole(_) => BodyRow::Whole { kept },
        CapturedBody::Hashed { length, hash, .. } => BodyRow::Hashed { kept, length: *length, hash: *hash },
        CapturedBody::Cut { .. } => BodyRow::Cut { kept },
    }
}

fn body(row: BodyRow, bodies: &mut Bytes) -> Option<CapturedBody> {
    let (BodyRow::Whole { kept } | BodyRow::Hashed { kept, .. } | BodyRow::Cut { kept }) = row;
    if kept > bodies.len() {
        return None;
    }
    let bytes = bodies.split_to(kept);
    Some(match row {
        BodyRow::Whole { .. } => CapturedBody::Whole(bytes),
        BodyRow::Hashed { length, hash, .. } => CapturedBody::Hashed { head: bytes, length, hash },
        BodyRow::Cut { .. } => CapturedBody::Cut { head: bytes },
    })
}

fn observation_row(observation: &Observation, bodies: &mut Vec<u8>) -> ObservationRow {
    let outcome = match &observation.outcome {
        Outcome::Response(response) => OutcomeRow::Response {
            status: response.status.as_u16(),
            headers: header_rows(&response.headers),
            body: body_row(&response.body, bodies),
        },
        Outcome::Failure(failure) => OutcomeRow::Failure(failure.as_str().to_owned()),
    };
    let latency_us = u64::try_from(observation.latency.as_micros()).unwrap_or(u64::MAX);
    ObservationRow { latency_us, outcome }
}

fn observation(row: ObservationRow, bodies: &mut Bytes) -> Option<Observation> {
    let outcome = match row.outcome {
        OutcomeRow::Response { status, headers: rows, body: row } => Outcome::Response(Response {
            status: StatusCode::from_u16(status).ok()?,
            headers: headers(rows)?,
            body: body(row, bodies)?,
        }),
        OutcomeRow::Failure(text) => Outcome::Failure(text.parse().ok()?),
    };
    Some(Observation { outcome, latency: Duration::from_micros(row.latency_us) })
}
