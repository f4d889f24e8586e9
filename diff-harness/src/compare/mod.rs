//! Two observations become a judgement. Pure: no I/O, no clock; the limits are counted, not timed.

mod limits;
mod excerpt;
mod findings;
mod status;
mod fields;
mod headers;
mod body;
mod json;
mod array;
pub(crate) mod align;
mod text;
mod form;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod properties;
#[cfg(test)]
mod fuzz;

use http::StatusCode;

use self::body::{compare_bodies, compare_contents};
use self::findings::Findings;
use self::headers::compare_headers;
use self::status::{Comparable, compare_failures, compare_statuses};
use crate::comparison::{Comparison, Judgement, SkipReason};
use crate::endpoint::EndpointId;
use crate::exchange::{Exchange, Observation, Outcome, Request, Response};
use crate::media::MediaType;
use crate::rules::Rules;

pub use self::limits::Limits;

/// Compares by one set of rules, under limits. One serves live shadowing, suites and `strangler diff`.
#[derive(Clone, Debug, Default)]
pub struct Comparator {
    rules: Rules,
    limits: Limits,
}

impl Comparator {
    pub fn new(rules: Rules, limits: Limits) -> Self {
        Self { rules, limits }
    }

    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Compares what the two sides did in answer to one request to this endpoint.
    pub fn compare(
        &self,
        endpoint: &EndpointId,
        request: &Request,
        control: &Observation,
        candidate: &Observation,
    ) -> Judgement {
        let mut findings = self.findings(endpoint);
        match (&control.outcome, &candidate.outcome) {
            (Outcome::Response(control), Outcome::Response(candidate)) => {
                match compare_responses(request, control, candidate, &mut findings) {
                    None => Judgement::Compared(findings.finish()),
                    // What was found stands, although not everything could be looked at.
                    Some(reason) if findings.has_divergences() => {
                        findings.note(format!("the bodies were not compared: {}", reason.as_str()));
                        Judgement::Compared(findings.finish())
                    }
                    Some(reason) => Judgement::Skipped(reason),
                }
            }
            (Outcome::Failure(a), Outcome::Failure(b)) if a == b => {
                Judgement::Skipped(SkipReason::AnswerFailed)
            }
            (control, candidate) => {
                compare_failures(control, candidate, &mut findings);
                Judgement::Compared(findings.finish())
            }
        }
    }

    pub fn compare_exchange(&self, exchange: &Exchange) -> Judgement {
        self.compare(&exchange.endpoint, &exchange.request, &exchange.control, &exchange.candidate)
    }

    /// Compares two contents that have no response around them, such as files. Without a media type the contents
    /// decide how.
    pub fn compare_contents(
        &self,
        endpoint: &EndpointId,
        media_type: Option<&MediaType>,
        control: &[u8],
        candidate: &[u8],
    ) -> Comparison {
        let mut findings = self.findings(endpoint);
        compare_contents(control, candidate, (media_type, media_type), &mut findings);
        findings.finish()
    }

    fn findings(&self, endpoint: &EndpointId) -> Findings<'_> {
        Findings::new(self.rules.scoped(endpoint), &self.limits)
    }
}

fn compare_responses(
    request: &Request,
    control: &Response,
    candidate: &Response,
    findings: &mut Findings<'_>,
) -> Option<SkipReason> {
    let upgraded = StatusCode::SWITCHING_PROTOCOLS;
    if control.status == upgraded && candidate.status == upgraded {
        return Some(SkipReason::Upgrade);
    }
    match compare_statuses(control, candidate, findings) {
        Comparable::Yes => {}
        Comparable::No => return None,
        Comparable::Skip(reason) => return Some(reason),
    }
    compare_headers(&control.headers, &candidate.headers, findings);
    compare_bodies(&request.method, control, candidate, findings)
}
