//! A kept exchange as it is shown, with command lines that repeat it.

use diff_harness::exchange::{CapturedBody, Observation, Outcome};
use diff_harness::report::curl::curl_line;
use diff_harness::store::{Recorded, Sample};
use http::HeaderMap;

use super::api::About;
use super::wire::{BodyView, DivergenceView, ExchangeView, ObservationView, RecordedView, time};

pub(super) fn recorded_view(recorded: &Recorded) -> RecordedView {
    let request = recorded.request();
    RecordedView {
        id: recorded.id().to_owned(),
        at: time(recorded.at()),
        method: request.method.to_string(),
        target: request.target.clone(),
        request_headers: pairs(&request.headers),
        request_body: body_view(&request.body),
        control: observation_view(recorded.control()),
    }
}

pub(super) fn exchange_view(sample: &Sample, about: &About) -> ExchangeView {
    let exchange = sample.exchange.get();
    let divergences = sample.divergences.iter().map(|(group, divergence)| {
        let divergence = divergence.get();
        DivergenceView {
            group: group.to_string(),
            kind: divergence.kind.as_str().to_owned(),
            severity: divergence.severity.as_str().to_owned(),
            location: divergence.location.to_string(),
            detail: divergence.detail.clone(),
            control: divergence.control.clone(),
            candidate: divergence.candidate.clone(),
        }
    });
    ExchangeView {
        id: exchange.id.clone(),
        at: time(exchange.at),
        endpoint: exchange.endpoint.to_string(),
        method: exchange.request.method.to_string(),
        target: exchange.request.target.clone(),
        request_headers: pairs(&exchange.request.headers),
        request_body: body_view(&exchange.request.body),
        control: observation_view(&exchange.control),
        candidate: observation_view(&exchange.candidate),
        divergences: divergences.collect(),
        notes: sample.notes.clone(),
        curl_control: curl_line(&sample.exchange, &about.control),
        curl_candidate: curl_line(&sample.exchange, &about.candidate),
    }
}

fn observation_view(observation: &Observation) -> ObservationView {
    let latency_ms = observation.latency.as_secs_f64() * 1_000.0;
    match &observation.outcome {
        Outcome::Response(response) => ObservationView {
            latency_ms,
            status: Some(response.status.as_u16()),
            failure: None,
            headers: pairs(&response.headers),
            body: body_view(&response.body),
        },
        Outcome::Failure(failure) => ObservationView {
            latency_ms,
            status: None,
            failure: Some(failure.as_str().to_owned()),
            headers: Vec::new(),
            body: BodyView::default(),
        },
    }
}

fn body_view(body: &CapturedBody) -> BodyView {
    let (length, whole) = match body {
        CapturedBody::Whole(bytes) => (Some(bytes.len() as u64), true),
        CapturedBody::Hashed { length, .. } => (Some(*length), false),
        CapturedBody::Cut { .. } => (None, false),
    };
    BodyView { text: String::from_utf8_lossy(body.kept()).into_owned(), length, whole }
}

fn pairs(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}
