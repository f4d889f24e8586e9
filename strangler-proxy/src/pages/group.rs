//! One group, with its samples, and what somebody says it is.

use std::sync::Arc;

use axum::extract::{FromRequest, FromRequestParts, Path, Request};
use axum::response::IntoResponse;
use diff_harness::divergence::Severity;
use diff_harness::fingerprint::Fingerprint;
use diff_harness::pages::{
    Choice, Count, DecisionShown, GroupEpochRow, GroupPage, Here, day, link, moment, sample,
};
use diff_harness::report::Upstreams;
use diff_harness::store::{DecisionsOf, EpochFilter, Sample};
use diff_harness::suite::import::{Draft, of_exchange};
use diff_harness::triage::{Call, Entry, Predicate, Triaged, until};
use http::StatusCode;
use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use serde::Deserialize;

use super::groups::{Asked, rows, seen_as};
use super::guard::{Guest, form};
use super::reply::{Failed, Page, html, missing, see_other, wrong};
use super::sign_in::own_path;
use super::site::{Site, page};
use super::visit::Visit;
use crate::admin::Role;
use crate::control::{Decide, Regroup};

/// Kept exchanges that are stepped through.
const SAMPLES_MAX: usize = 20;
/// Epochs in which it was found that are listed.
const EPOCHS_MAX: usize = 30;
const DECISIONS_MAX: usize = 50;
/// What is proposed for a waiver: long enough for a sprint or two, short enough to be looked at again.
const WAIVER_DAYS: u64 = 30;
const DAY_MS: u64 = 86_400_000;
const TEXT_CHARS_MAX: usize = 2_000;

#[derive(Deserialize)]
struct Sent {
    #[serde(default)]
    call: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    owner: String,
    #[serde(default)]
    expires: String,
    /// The newest line of the log that the form was made after.
    expected: Option<u64>,
    /// Where to go then.
    #[serde(default)]
    then: String,
    #[serde(default)]
    shape: String,
    #[serde(default)]
    place: String,
}

pub(super) async fn show(Path(id): Path<String>, visit: Visit<Asked>) -> Page {
    let id = group_of(&id)?;
    visit.page(move |site, guest, asked| Ok(html(StatusCode::OK, &view(site, guest, &id, &asked)?))).await
}

/// One sample as a suite of one case, to save.
pub(super) async fn case(Path(id): Path<String>, visit: Visit<Asked>) -> Page {
    let id = group_of(&id)?;
    visit
        .page(move |site, _, asked| {
            let samples = site.api.store.samples(&id, SAMPLES_MAX)?;
            let sample =
                samples.get(asked.sample.max(1) - 1).ok_or_else(|| missing("such sample of this group"))?;
            let mut draft = Draft::new(id.to_string());
            of_exchange(&mut draft, &sample.exchange, Some(format!("group {id}")))
                .map_err(|why| wrong(format!("it cannot be made a case: {why}")))?;
            let headers = [
                (CONTENT_TYPE, "application/yaml; charset=utf-8".to_owned()),
                // A fingerprint has nothing in it that would have to be quoted.
                (CONTENT_DISPOSITION, format!("attachment; filename=\"{id}.yaml\"")),
            ];
            Ok((headers, draft.to_yaml()).into_response())
        })
        .await
}

pub(super) async fn decide(form: GroupForm) -> Page {
    form.change(|site, guest, group, sent| {
        let call: Call = sent.call.parse().map_err(wrong)?;
        // The day stands in the form whatever is chosen; only a waiver ends.
        let expires = (call.is_waiver() && !sent.expires.is_empty())
            .then(|| until(&sent.expires, site.api.control.now()).map_err(wrong))
            .transpose()?;
        let made = site.api.control.decide(&Decide {
            group,
            call,
            reason: sent.reason,
            owner: sent.owner,
            expires,
            epoch: None,
            expected: sent.expected,
            actor: guest.admitted.name.clone(),
        })?;
        Ok((sent.then, made.entry))
    })
    .await
}

pub(super) async fn undo(form: GroupForm) -> Page {
    form.change(|site, guest, group, sent| {
        let made = site.api.control.undo(&regroup(group.clone(), sent, guest))?;
        Ok((format!("/groups/{group}"), made.entry))
    })
    .await
}

pub(super) async fn split(form: GroupForm) -> Page {
    form.change(|site, guest, group, sent| {
        let given = |text: &str| (!text.trim().is_empty()).then(|| text.trim().to_owned());
        let predicate = Predicate::new(given(&sent.shape).as_deref(), given(&sent.place).as_deref())
            .map_err(|error| wrong(error.to_string()))?;
        let made = site.api.control.split(&regroup(group.clone(), sent, guest), predicate)?;
        let part = made.entry.part.as_ref().unwrap_or(&group);
        Ok((format!("/groups/{part}"), made.entry))
    })
    .await
}

pub(super) async fn join(form: GroupForm) -> Page {
    form.change(|site, guest, group, sent| {
        let whole =
            site.api.store.triaged_group(&group)?.and_then(|triaged| triaged.part).map(|part| part.of);
        let made = site.api.control.join(&regroup(group.clone(), sent, guest))?;
        let to = whole.unwrap_or(group);
        Ok((format!("/groups/{to}"), made.entry))
    })
    .await
}

/// What somebody sent about a group.
pub(super) struct GroupForm {
    site: Arc<Site>,
    guest: Guest,
    group: Fingerprint,
    sent: Sent,
}

impl GroupForm {
    /// Writes it down, and shows where it leads to, told what was just done.
    async fn change(
        self,
        make: impl FnOnce(&Site, &Guest, Fingerprint, Sent) -> Result<(String, Entry), Failed> + Send + 'static,
    ) -> Page {
        let Self { site, guest, group, sent } = self;
        page(site, guest, move |site, guest| {
            let (then, entry) = make(site, guest, group, sent)?;
            Ok(see_other(&done(&then, entry.sequence)))
        })
        .await
    }
}

impl FromRequest<Arc<Site>> for GroupForm {
    type Rejection = Failed;

    async fn from_request(request: Request, site: &Arc<Site>) -> Result<Self, Failed> {
        let (mut parts, body) = request.into_parts();
        let unnamed = |_| missing("group of that name");
        let Path(id) = Path::<String>::from_request_parts(&mut parts, site).await.map_err(unnamed)?;
        let group = group_of(&id)?;
        let guest = parts.extensions.get::<Guest>().cloned().expect("who comes here was admitted");
        let sent: Sent = form(&guest, Role::Reviewer, &parts.headers, body).await?;
        for text in [&sent.reason, &sent.owner] {
            if text.chars().count() > TEXT_CHARS_MAX {
                return Err(wrong(format!("a reason or an owner has at most {TEXT_CHARS_MAX} characters")));
            }
        }
        Ok(Self { site: Arc::clone(site), guest, group, sent })
    }
}

fn regroup(group: Fingerprint, sent: Sent, guest: &Guest) -> Regroup {
    Regroup { group, reason: sent.reason, expected: sent.expected, actor: guest.admitted.name.clone() }
}

/// A page of ours, told what was just done.
fn done(then: &str, sequence: u64) -> String {
    let then = own_path(then);
    let joint = if then.contains('?') { '&' } else { '?' };
    format!("{then}{joint}done={sequence}")
}

fn group_of(id: &str) -> Result<Fingerprint, Failed> {
    id.parse().map_err(|_| missing("group of that name"))
}

fn view(site: &Site, guest: &Guest, id: &Fingerprint, asked: &Asked) -> Result<GroupPage, Failed> {
    let api = &site.api;
    api.flush();
    let (triaged, _) = api.control.triaged_group(id)?.ok_or_else(|| missing(&format!("group {id}")))?;
    let Triaged { group, decided, newest_entry, part, .. } = &triaged;
    let selection = asked.selection(site)?;
    let neighbours = api.store.neighbours(&selection.listing(0, 1), id)?;
    let near = |group: Option<Fingerprint>| group.map(|group| asked.link(&format!("/groups/{group}"), &[]));
    let list_link = asked.link("/groups", &[]);
    let next = near(neighbours.after);
    let samples = api.store.samples(id, SAMPLES_MAX)?;
    let at = asked.sample.clamp(1, samples.len().max(1));
    let other = |at: usize| asked.link(&format!("/groups/{id}"), &[("sample", &at.to_string())]);
    let row = rows(site, guest, std::slice::from_ref(&triaged), &selection.epoch)?.remove(0);
    if !row.is_viewed {
        let seen_as = seen_as(&triaged, &selection.epoch);
        // Who may not write a store that is full may still look at what is in it.
        if let Err(error) = api.store.keep_view(&guest.admitted.name, id, &seen_as, api.control.now()) {
            tracing::warn!(%error, "that a group was looked at could not be remembered");
        }
    }
    let log = api.control.decisions(DecisionsOf::Group(id), DECISIONS_MAX)?;
    let shapes = api.store.group_shapes(id, EpochFilter::All)?;
    let kept = samples.get(at - 1);
    let upstreams = Upstreams { control: api.about.control.clone(), candidate: api.about.candidate.clone() };
    let mut frame = site.frame(guest, format!("{} {}", group.kind.as_str(), row.location), Here::Groups);
    frame.said = asked.done.map(|sequence| said(site, id, sequence)).transpose()?.flatten();
    Ok(GroupPage {
        frame,
        endpoint: group.endpoint.to_string(),
        endpoint_link: link("/endpoint", &[("of", &group.endpoint.to_string())]),
        then: next.clone().unwrap_or_else(|| list_link.clone()),
        list_link,
        expected: *newest_entry,
        exchanges: Count(group.exchanges),
        first_seen: moment(group.first_seen),
        shapes: shapes.iter().map(|shape| (shape.shape.clone(), Count(shape.exchanges))).collect(),
        split_shapes: shapes
            .iter()
            .filter(|_| shapes.len() > 1)
            .map(|shape| Choice { value: shape.shape.clone(), name: shape.shape.clone(), chosen: false })
            .collect(),
        place: kept.map(|kept| place_of(kept, id)).unwrap_or_default(),
        part_of: part.as_ref().map(|part| (part.of.to_string(), part.predicate.to_string())),
        previous: near(neighbours.before),
        next,
        sample: if samples.is_empty() { 0 } else { at },
        samples: samples.len(),
        previous_sample: (at > 1).then(|| other(at - 1)),
        next_sample: (at < samples.len()).then(|| other(at + 1)),
        notes: Vec::new(),
        epochs: api.store.group_epochs(id)?.iter().take(EPOCHS_MAX).map(GroupEpochRow::from).collect(),
        heading: "",
        shown: kept.map(|kept| sample(kept, &upstreams)).unwrap_or_default(),
        case_link: kept.map(|_| link(&format!("/groups/{id}/case"), &[("sample", &at.to_string())])),
        decisions: log.iter().map(DecisionShown::from).collect(),
        may_undo: decided.is_some(),
        expires: day(diff_harness::exchange::UnixMillis(api.control.now().0 + WAIVER_DAYS * DAY_MS)),
        may_be_noise: group.severity != Severity::Exposure,
        row,
    })
}

/// Where the group lies in this sample, to name a part by it.
fn place_of(sample: &Sample, id: &Fingerprint) -> String {
    let found = sample.divergences.iter().find(|(group, _)| group == id);
    found.map(|(_, divergence)| divergence.get().location.to_string()).unwrap_or_default()
}

/// What the line of the log says that was just written, maybe about the group before this one.
fn said(site: &Site, id: &Fingerprint, sequence: u64) -> Result<Option<String>, Failed> {
    let newest = site.api.control.decisions(DecisionsOf::All, DECISIONS_MAX)?;
    let Some(entry) = newest.into_iter().find(|entry| entry.sequence == sequence) else { return Ok(None) };
    let of =
        if entry.wish.group == *id { "this group".to_owned() } else { format!("group {}", entry.wish.group) };
    Ok(Some(format!("Done: {} on {of}.", entry.wish.act.as_str())))
}
