//! `strangler suite add`: one divergence becomes one case.

use std::path::{Path, PathBuf};

use diff_harness::endpoint::EndpointId;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::ledger::Ledger;
use diff_harness::store::{Sample, Store};
use diff_harness::suite::import::{AppendError, Draft, RedactedRequest, append, of_exchange, of_request};
use http::{HeaderMap, HeaderName, HeaderValue};
use serde_json::json;
use strangler_proxy::admin::wire::{ExchangeView, GroupDetail};

use super::outputs::write;
use super::run::read;
use crate::args::Context;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};

/// Makes a case of a divergence that the proxy found
#[derive(Debug, clap::Args)]
pub(crate) struct Add {
    /// A group as `strangler divergences list` prints it, or a request id
    id: String,
    /// The suite file that the case is added to; made if it is not there
    #[arg(long, value_name = "FILE")]
    suite: PathBuf,
    /// Reads a store file instead of asking a proxy
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
}

impl Add {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let name = self.suite.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let mut draft = Draft::new(name);
        let case = match &self.store {
            Some(store) => self.of_store(store, &mut draft)?,
            None => self.of_proxy(context, &mut draft)?,
        };
        let text = if self.suite.exists() {
            append(&read(&self.suite)?, &draft).map_err(|error| {
                let code = if matches!(error, AppendError::Known(_)) { "known_case" } else { "no_list" };
                Failure::new(Exit::Usage, code, format!("{}: {error}", self.suite.display()))
            })?
        } else {
            draft.to_yaml()
        };
        write(&self.suite, &text)?;
        let data = json!({ "case": case, "file": self.suite });
        let said = format!("added `{case}` to {}", self.suite.display());
        let outcome = Outcome::new(&data, said);
        Ok(if draft.personas.contains_key("authenticated") || draft.personas.contains_key("with-cookie") {
            outcome.note("note: its secret is not in the store; the persona takes it from the environment")
        } else {
            outcome
        })
    }

    fn of_store(&self, path: &Path, draft: &mut Draft) -> Result<String, Failure> {
        let store = Ledger::open_read_only(path).map_err(Failure::error)?;
        let sample: Option<Sample> = match self.id.parse::<Fingerprint>() {
            Ok(group) => store.samples(&group, 1).map_err(Failure::error)?.into_iter().next(),
            Err(_) => store.exchange(&self.id).map_err(Failure::error)?,
        };
        let sample = sample.ok_or_else(|| self.nothing())?;
        let first = sample.divergences.iter().find(|(group, _)| group.as_str() == self.id);
        let why = first.or_else(|| sample.divergences.first()).map(|(group, divergence)| {
            let divergence = divergence.get();
            reason(
                group.as_str(),
                divergence.kind.as_str(),
                divergence.severity.as_str(),
                &divergence.location.to_string(),
            )
        });
        of_exchange(draft, &sample.exchange, why)
            .map_err(|why| Failure::error(format!("it cannot be made a case: {why}")))
    }

    fn of_proxy(&self, context: &Context, draft: &mut Draft) -> Result<String, Failure> {
        let admin = context.admin()?;
        let view: ExchangeView = if self.id.parse::<Fingerprint>().is_ok() {
            let detail: GroupDetail =
                admin.get(&format!("/api/v1/groups/{}", self.id), &[("samples", "1")])?;
            detail.samples.into_iter().next().ok_or_else(|| self.nothing())?
        } else {
            admin.get(&format!("/api/v1/exchanges/{}", self.id), &[])?
        };
        if !view.request_body.whole && !view.request_body.text.is_empty() {
            return Err(Failure::error("it cannot be made a case: its request body was not kept whole"));
        }
        let endpoint: EndpointId = view.endpoint.parse().map_err(Failure::error)?;
        let headers: HeaderMap = view
            .request_headers
            .iter()
            .filter_map(|(name, value)| {
                Some((HeaderName::from_bytes(name.as_bytes()).ok()?, HeaderValue::from_str(value).ok()?))
            })
            .collect();
        let first = view.divergences.iter().find(|divergence| divergence.group == self.id);
        let why = first.or_else(|| view.divergences.first()).map(|divergence| {
            reason(&divergence.group, &divergence.kind, &divergence.severity, &divergence.location)
        });
        let request = RedactedRequest {
            endpoint: &endpoint,
            method: &view.method,
            target: &view.target,
            headers: &headers,
            body: &view.request_body.text,
        };
        Ok(of_request(draft, request, why))
    }

    fn nothing(&self) -> Failure {
        let why = format!("no exchange is kept of `{}`", self.id);
        Failure::new(Exit::Inconclusive, "not_kept", why)
            .hint("`strangler divergences show ID` shows what is kept of a group")
    }
}

fn reason(group: &str, kind: &str, severity: &str, location: &str) -> String {
    format!("{severity} ({kind}) at {location}, group {group}")
}
