//! How much memory what is kept takes, near enough for a limit: every byte of it that somebody else can make long counts.

use http::HeaderMap;

use crate::divergence::{Divergence, Location, Segment};
use crate::exchange::{CapturedBody, Exchange, Outcome};
use crate::store::{ComparisonRecord, Recorded};

/// What an allocation takes besides its bytes.
const ALLOCATION: usize = 16;

/// Of a header map, in bytes.
pub fn of_headers(headers: &HeaderMap) -> usize {
    /// A place in it, with a name and a value of no length.
    const ENTRY: usize = 128;
    headers.iter().map(|(name, value)| ENTRY + name.as_str().len() + value.len()).sum()
}

/// Of a divergence, in bytes.
pub fn of_divergence(divergence: &Divergence) -> usize {
    let Divergence { location, detail, control, candidate, .. } = divergence;
    let texts = [detail, control, candidate].into_iter().flatten();
    size_of::<Divergence>() + of_location(location) + texts.map(|text| of_text(text)).sum::<usize>()
}

/// Of an exchange, in bytes.
pub fn of_exchange(exchange: &Exchange) -> usize {
    let Exchange { id, endpoint, request, control, candidate, .. } = exchange;
    let responses = [control, candidate].map(|observation| match &observation.outcome {
        Outcome::Response(response) => of_headers(&response.headers) + of_body(&response.body),
        Outcome::Failure(_) => 0,
    });
    let texts = [id.as_str(), endpoint.template(), request.target.as_str()];
    size_of::<Exchange>()
        + texts.into_iter().map(of_text).sum::<usize>()
        + of_headers(&request.headers)
        + of_body(&request.body)
        + responses.iter().sum::<usize>()
}

/// Of a comparison that is remembered, in bytes.
pub fn of_record(record: &ComparisonRecord) -> usize {
    /// `v1-` and 16 digits.
    const FINGERPRINT: usize = size_of::<String>() + 32;
    let ComparisonRecord { id, endpoint, shape, divergences, tolerated, applied, notes, exchange, .. } =
        record;
    let texts = [id.as_str(), endpoint.template(), shape.as_str()];
    let lists = tolerated.iter().map(|(rule, _)| rule).chain(applied).chain(notes);
    size_of::<ComparisonRecord>()
        + texts.into_iter().map(of_text).sum::<usize>()
        + lists.map(|text| 2 * size_of::<String>() + of_text(text)).sum::<usize>()
        + divergences.iter().map(|(_, found)| FINGERPRINT + of_divergence(found.get())).sum::<usize>()
        + exchange.as_ref().map_or(0, |exchange| of_exchange(exchange.get()))
}

/// Of an unsafe request that is kept, in bytes.
pub fn of_recorded(recorded: &Recorded) -> usize {
    of_exchange(recorded.exchange().get())
}

fn of_location(location: &Location) -> usize {
    match location {
        Location::Header { name, part } => of_text(name) + part.as_deref().map_or(0, of_text),
        Location::Json(path) => {
            let of_segment = |segment: &Segment| {
                size_of::<Segment>()
                    + match segment {
                        Segment::Key(key) => of_text(key),
                        Segment::Index(_) | Segment::Any => 0,
                    }
            };
            path.0.iter().map(of_segment).sum()
        }
        Location::Field(name) => of_text(name),
        Location::Status | Location::Line(_) | Location::Body | Location::Exchange => 0,
    }
}

fn of_text(text: &str) -> usize {
    ALLOCATION + text.len()
}

fn of_body(body: &CapturedBody) -> usize {
    ALLOCATION + body.kept().len()
}
