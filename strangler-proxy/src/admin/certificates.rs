//! The certificates that are in force, and reading them again.

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::response::Response;
use diff_harness::audit::{Change, ChangeKind};
use diff_harness::exchange::UnixMillis;

use super::answer::Failed;
use super::api::{Actor, Api, answer};
use super::wire::{CertificateView, CertificatesView, Code, Problem, RefusedFilesView, ReloadedView, time};
use crate::data_plane::{Certificate, Purpose};

pub(super) async fn list(State(api): State<Arc<Api>>) -> Result<Response, Failed> {
    answer(api, |api| {
        let now = now(api);
        let all = api.certificates.all();
        let refused = api.certificates.problems().into_iter().map(RefusedFilesView::from);
        Ok(CertificatesView {
            certificates: all.iter().map(|(used_by, one)| view(used_by, one, now)).collect(),
            refused: refused.collect(),
        })
    })
    .await
}

/// What is read again is audited, also when a part of it was refused.
pub(super) async fn reload(
    State(api): State<Arc<Api>>,
    Extension(Actor(actor)): Extension<Actor>,
) -> Result<Response, Failed> {
    answer(api, move |api| {
        let reloaded = api.certificates.reload();
        let refused: Vec<_> = reloaded.refused.into_iter().map(RefusedFilesView::from).collect();
        if !reloaded.read.is_empty() {
            let what = format!("certificates of {} read again", reloaded.read.join(", "));
            let change = Change { kind: ChangeKind::Certificates, actor, what, at: api.control.now() };
            api.store.note(&change)?;
        }
        if refused.is_empty() {
            return Ok(ReloadedView { read: reloaded.read });
        }
        let words: Vec<_> = refused.iter().map(|one| format!("{}: {}", one.used_by, one.problem)).collect();
        let others = match reloaded.read.as_slice() {
            [] => String::new(),
            read => format!("; those of {} were read again", read.join(", ")),
        };
        let problem = Problem::new(Code::BadRequest, format!("{}{others}", words.join("; ")));
        Err(problem.hint("what was in force there stays in force").into())
    })
    .await
}

/// What a person must look at: certificates that end, and files that cannot be used.
pub(super) fn warnings(api: &Api) -> Vec<String> {
    let now = now(api);
    let refused = api.certificates.problems().into_iter().map(|(used_by, problem)| {
        format!("the files of TLS of {used_by} cannot be used: {problem}; what was read before is in force")
    });
    let ending = api.certificates.all().into_iter().filter_map(|(used_by, one)| ending(&used_by, &one, now));
    refused.chain(ending).collect()
}

/// Where the proxy shows it. When those end whom it believes says nothing: TLS does not look.
fn ending(used_by: &str, certificate: &Certificate, now: i64) -> Option<String> {
    let called = certificate.called();
    let file = certificate.file.display();
    let moment = |seconds: i64| time(UnixMillis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)));
    if certificate.purpose == Purpose::Believed {
        return None;
    }
    let verb = if now >= certificate.not_after {
        "ended"
    } else if certificate.ends_soon(now) {
        "ends"
    } else if now < certificate.not_before {
        let begins = moment(certificate.not_before);
        return Some(format!("the certificate of {used_by} for {called} ({file}) begins at {begins} only"));
    } else {
        return None;
    };
    let end = moment(certificate.not_after);
    Some(format!("the certificate of {used_by} for {called} ({file}) {verb} at {end}"))
}

fn view(used_by: &str, certificate: &Certificate, now: i64) -> CertificateView {
    let moment = |seconds: i64| time(UnixMillis(u64::try_from(seconds).unwrap_or(0).saturating_mul(1000)));
    CertificateView {
        used_by: used_by.to_owned(),
        purpose: certificate.purpose.as_str().to_owned(),
        file: certificate.file.display().to_string(),
        subject: certificate.subject.clone(),
        issuer: certificate.issuer.clone(),
        names: certificate.names.clone(),
        serial: certificate.serial.clone(),
        not_before: moment(certificate.not_before),
        not_after: moment(certificate.not_after),
        seconds_left: certificate.not_after - now,
        warning: ending(used_by, certificate, now),
    }
}

/// In seconds since 1970.
fn now(api: &Api) -> i64 {
    i64::try_from(api.control.now().0 / 1000).unwrap_or(i64::MAX)
}
