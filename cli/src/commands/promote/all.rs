//! `strangler promote --all-passing`: a whole set, each endpoint by its own gate.

use diff_harness::endpoint::EndpointId;
use diff_harness::lifecycle::Stage;
use serde::{Deserialize, Serialize};
use strangler_proxy::admin::command_words;
use strangler_proxy::admin::wire::{Code, MovedView, PlanView, PromoteRequest, RouteView};

use super::undo;
use crate::args::Context;
use crate::client::Admin;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};
use crate::table::Rows;
use crate::words::count;

/// Which endpoints, and how far.
pub(super) struct Set {
    pub(super) to: Option<Stage>,
    pub(super) prefix: Option<String>,
    pub(super) source: Option<String>,
    pub(super) dry_run: bool,
    pub(super) reason: String,
}

#[derive(Deserialize)]
struct Routes {
    routes: Vec<RouteView>,
}

/// What became of one endpoint.
#[derive(Serialize)]
struct Row {
    endpoint: String,
    from: String,
    to: Option<String>,
    /// `moved`, `would_move`, `stays`, `refused`, `inconclusive`, `conflict` or `failed`.
    outcome: &'static str,
    why: String,
    undo: Option<String>,
}

#[derive(Serialize)]
struct Moves {
    dry_run: bool,
    endpoints: Vec<Row>,
}

impl Set {
    pub(super) fn run(&self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        let known: Routes = admin.get("/api/v1/routes", &[])?;
        let chosen = known.routes.into_iter().filter(|route| self.holds(route));
        let mut rows = Vec::new();
        for route in chosen {
            rows.push(self.one(context, &admin, &route)?);
        }
        let moves = Moves { dry_run: self.dry_run, endpoints: rows };
        let exit = exit(&moves.endpoints);
        let mut outcome = Outcome::new(&moves, table(&moves)).exit(exit);
        outcome = outcome.note(sums(&moves.endpoints));
        for undo in moves.endpoints.iter().filter_map(|row| row.undo.as_ref()) {
            outcome = outcome.note(format!("take it back: {undo}"));
        }
        Ok(outcome)
    }

    fn holds(&self, route: &RouteView) -> bool {
        self.prefix.as_ref().is_none_or(|prefix| is_below(&route.template, prefix))
            && self.source.as_ref().is_none_or(|source| route.source.contains(source.as_str()))
    }

    /// Plans and moves one endpoint. Only what makes all others fail too is an error: no proxy, no token.
    fn one(&self, context: &Context, admin: &Admin, route: &RouteView) -> Result<Row, Failure> {
        let id = endpoint(route)?;
        let row = |to: Option<&str>, outcome, why: String| Row {
            endpoint: route.endpoint.clone(),
            from: route.stage.clone(),
            to: to.map(str::to_owned),
            outcome,
            why,
            undo: None,
        };
        if route.stage == "retired" {
            return Ok(row(None, "stays", "it is retired".to_owned()));
        }
        let to = self.to.map(|stage| stage.to_string());
        let mut query = vec![("endpoint", route.endpoint.as_str())];
        query.extend(to.as_deref().map(|to| ("to", to)));
        let plan: PlanView = match admin.get("/api/v1/plan", &query) {
            Ok(plan) => plan,
            Err(failure) => return failed(failure).map(|(outcome, why)| row(to.as_deref(), outcome, why)),
        };
        let to = plan.to.stage.as_str();
        if plan.from.stage == to {
            return Ok(row(None, "stays", "it stands there already".to_owned()));
        }
        if to == "retired" || !plan.no_return.is_empty() {
            let why =
                format!("it cannot be undone and takes its name: strangler plan {}", command_words(&id));
            return Ok(row(Some(to), "stays", why));
        }
        match plan.refusal {
            Some(refusal) if refusal.code == Code::NotAMove => {
                return Ok(row(Some(to), "stays", refusal.message));
            }
            Some(refusal) if refusal.code == Code::GateInconclusive => {
                return Ok(row(Some(to), "inconclusive", refusal.message));
            }
            Some(refusal) => return Ok(row(Some(to), "refused", refusal.message)),
            None if self.dry_run => return Ok(row(Some(to), "would_move", String::new())),
            None => {}
        }
        let request = PromoteRequest {
            endpoint: route.endpoint.clone(),
            to: Some(to.to_owned()),
            // It moves from where it was planned, or not at all.
            expected_revision: Some(plan.revision),
            force: false,
            reason: self.reason.clone(),
            acknowledge: None,
        };
        Ok(match admin.post::<MovedView>("/api/v1/promote", &request) {
            Ok(moved) => {
                let undo = context.command(&undo(&id, &moved));
                Row { undo: Some(undo), ..row(Some(to), "moved", String::new()) }
            }
            Err(failure) => {
                let (outcome, why) = failed(failure)?;
                row(Some(to), outcome, why)
            }
        })
    }
}

/// `/playlists` holds `/playlists` and `/playlists/{id}`, and not `/playlists-old`.
fn is_below(template: &str, prefix: &str) -> bool {
    let prefix = prefix.trim_end_matches('/');
    template.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(['/', '{']))
}

fn endpoint(route: &RouteView) -> Result<EndpointId, Failure> {
    route
        .endpoint
        .parse()
        .map_err(|error| Failure::error(format!("the proxy named an endpoint badly: {error}")))
}

/// What it means for one endpoint that it was not moved.
fn failed(failure: Failure) -> Result<(&'static str, String), Failure> {
    match failure.exit {
        Exit::Conflict => Ok(("conflict", failure.message)),
        Exit::Inconclusive => Ok(("inconclusive", failure.message)),
        Exit::Refused => Ok(("refused", failure.message)),
        Exit::Usage => Ok(("stays", failure.message)),
        _ if failure.code == "store_failed" => Ok(("failed", failure.message)),
        _ => Err(failure),
    }
}

/// The worst of all: an error, a conflict, a refusal, too little evidence; 0 where all moved that were to.
fn exit(rows: &[Row]) -> Exit {
    let has = |outcome: &str| rows.iter().any(|row| row.outcome == outcome);
    let worst = [
        ("failed", Exit::Error),
        ("conflict", Exit::Conflict),
        ("refused", Exit::Refused),
        ("inconclusive", Exit::Inconclusive),
    ];
    worst.into_iter().find(|(outcome, _)| has(outcome)).map_or(Exit::Pass, |(_, exit)| exit)
}

fn table(moves: &Moves) -> String {
    if moves.endpoints.is_empty() {
        return "no endpoint is in this set".to_owned();
    }
    let mut rows = Rows::new(&["endpoint", "from", "to", "outcome", "why"]);
    for row in &moves.endpoints {
        rows.add([
            row.endpoint.clone(),
            row.from.clone(),
            row.to.clone().unwrap_or_else(|| "-".to_owned()),
            row.outcome.replace('_', " "),
            row.why.clone(),
        ]);
    }
    rows.to_string()
}

fn sums(rows: &[Row]) -> String {
    let kinds = ["moved", "would_move", "refused", "inconclusive", "conflict", "failed", "stays"];
    let of = |kind: &&str| rows.iter().filter(|row| row.outcome == *kind).count();
    let sums: Vec<_> = kinds
        .iter()
        .map(|kind| (kind, of(kind)))
        .filter(|(_, n)| *n > 0)
        .map(|(kind, n)| format!("{n} {}", kind.replace('_', " ")))
        .collect();
    format!("{}: {}", count(rows.len() as u64, "endpoint"), sums.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_ends_where_a_segment_does() {
        for (template, prefix, below) in [
            ("/playlists", "/playlists", true),
            ("/playlists/{id}", "/playlists/", true),
            ("/playlists-old", "/playlists", false),
            ("/tracks", "/playlists", false),
            ("/anything", "/", true),
        ] {
            assert_eq!(is_below(template, prefix), below, "{template} below {prefix}");
        }
    }
}
