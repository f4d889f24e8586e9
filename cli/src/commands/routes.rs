//! `strangler routes`: which endpoints there are.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use diff_harness::lifecycle::Declaration;
use serde::{Deserialize, Serialize};
use serde_json::json;
use strangler_proxy::admin::command_words;
use strangler_proxy::admin::wire::{
    DeclarationView, DeclareRequest, DeclaredView, RouteView, UndeclaredView,
};
use strangler_proxy::inventory::{Import, har, openapi};
use strangler_proxy::routes::Template;

use super::status::{endpoints_table, sums};
use crate::args::{Context, EndpointArgs};
use crate::client::Admin;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};
use crate::table::Rows;
use crate::words::{age, count};

/// Lists, shows, adds, imports and discovers endpoints
#[derive(Debug, clap::Args)]
pub(crate) struct Routes {
    #[command(subcommand)]
    what: Option<What>,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Lists all endpoints (the default)
    List,
    /// Shows one endpoint
    Show(EndpointArgs),
    /// Adds an endpoint, at stage legacy
    Add(EndpointArgs),
    /// Adds the endpoints of a document, at stage legacy; known ones stay where they are
    Import(Import_),
    /// Lists traffic that matches no endpoint, with a proposal for each
    Discover(Discover),
}

#[derive(Debug, clap::Args)]
struct Import_ {
    #[command(subcommand)]
    document: Document,
}

#[derive(Debug, Subcommand)]
enum Document {
    /// An OpenAPI 3.0 or 3.1 document, YAML or JSON
    Openapi {
        file: PathBuf,
        /// Put before every path, whatever the document's servers say
        #[arg(long, value_name = "PATH")]
        base_path: Option<String>,
        #[command(flatten)]
        how: How,
    },
    /// An HTTP archive, as browsers save it
    Har {
        file: PathBuf,
        /// Takes only requests to this host (and port); may be given several times [default: all hosts]
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        how: How,
    },
}

#[derive(Debug, clap::Args)]
struct How {
    /// Says what the document declares and changes nothing; no proxy is needed
    #[arg(long)]
    dry_run: bool,
}

#[derive(Debug, clap::Args)]
struct Discover {
    /// Adds all that was proposed, at stage legacy
    #[arg(long)]
    accept: bool,
    /// How many proposals
    #[arg(long, value_name = "N", default_value_t = 100)]
    limit: usize,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    routes: Vec<RouteView>,
}

#[derive(Serialize, Deserialize)]
struct Proposed {
    undeclared: Vec<UndeclaredView>,
}

impl Routes {
    pub(crate) fn name(&self) -> &'static str {
        match self.what {
            None | Some(What::List) => "routes list",
            Some(What::Show(_)) => "routes show",
            Some(What::Add(_)) => "routes add",
            Some(What::Import(_)) => "routes import",
            Some(What::Discover(_)) => "routes discover",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self.what {
            None | Some(What::List) => list(context),
            Some(What::Show(endpoint)) => show(context, &endpoint),
            Some(What::Add(endpoint)) => add(context, &endpoint),
            Some(What::Import(import)) => import.run(context),
            Some(What::Discover(discover)) => discover.run(context),
        }
    }
}

fn list(context: &Context) -> Result<Outcome, Failure> {
    let listed: Listed = context.admin()?.get("/api/v1/routes", &[])?;
    if listed.routes.is_empty() {
        let note =
            "add one with strangler routes add GET /path, or import a document with strangler routes import";
        return Ok(Outcome::new(&listed, "no endpoints yet").note(note));
    }
    let text = endpoints_table(&listed.routes);
    Ok(Outcome::new(&listed, text))
}

fn show(context: &Context, endpoint: &EndpointArgs) -> Result<Outcome, Failure> {
    let id = endpoint.id()?.to_string();
    let route: RouteView = context.admin()?.get("/api/v1/route", &[("endpoint", &id)])?;
    Ok(Outcome::new(&route, shown(&route)))
}

fn shown(route: &RouteView) -> String {
    let traffic = &route.traffic;
    let reasons = |by: &std::collections::BTreeMap<String, u64>| {
        let named: Vec<_> = by.iter().map(|(reason, n)| format!("{reason} {n}")).collect();
        if named.is_empty() { "-".to_owned() } else { named.join(", ") }
    };
    let parameters: Vec<_> = route
        .parameters
        .iter()
        .map(|parameter| {
            let required = if parameter.required { "" } else { "?" };
            format!("{}{required} ({})", parameter.name, parameter.place)
        })
        .collect();
    let or_none = |list: &[String]| if list.is_empty() { "-".to_owned() } else { list.join(", ") };
    let groups = match &route.worst {
        Some(worst) => format!("{}, the worst is {worst}", count(route.open_groups, "open group")),
        None => "none open".to_owned(),
    };
    let lines = [
        ("stage", format!("{} for {}, since {}", route.stage, age(route.since_seconds), route.since)),
        ("hold", route.hold.clone()),
        ("revision", route.revision.to_string()),
        ("declared by", route.source.clone()),
        ("parameters", or_none(&parameters)),
        ("statuses", or_none(&route.statuses)),
        ("requests", sums("since the beginning", traffic, 0)),
        (
            "compared",
            format!(
                "{} matched, {} tolerated by rules, {} mismatched; {} of equal 5xx",
                traffic.matched, traffic.tolerated, traffic.mismatched, traffic.both_failed
            ),
        ),
        ("skipped", reasons(&traffic.skipped_by)),
        ("dropped", reasons(&traffic.dropped_by)),
        (
            "answered by",
            format!(
                "control {}, candidate {}, the proxy itself {}; {} fallbacks",
                traffic.answered_control,
                traffic.answered_candidate,
                traffic.answered_proxy,
                traffic.fallbacks
            ),
        ),
        ("groups", groups),
    ];
    let lines = lines.iter().map(|(name, value)| format!("  {name:<12} {value}\n"));
    std::iter::once(format!("{}\n", route.endpoint)).chain(lines).collect()
}

fn add(context: &Context, endpoint: &EndpointArgs) -> Result<Outcome, Failure> {
    let id = endpoint.id()?;
    Template::parse(id.template())
        .map_err(|error| Failure::usage(format!("{id} cannot be matched: {error}")))?;
    let declaration = Declaration { source: "command line".to_owned(), ..Declaration::default() };
    let asked = DeclareRequest { endpoints: vec![DeclarationView::new(&id, &declaration)] };
    let declared: DeclaredView = context.admin()?.post("/api/v1/routes", &asked)?;
    let text = if declared.added.is_empty() {
        format!("{id} is known already; it stays where it is")
    } else {
        format!("added {id} at legacy")
    };
    let mut outcome = Outcome::new(&declared, text);
    outcome.notes.extend(declared.warnings.iter().map(|warning| format!("warning: {warning}")));
    let words = command_words(&id);
    Ok(outcome.note(format!("next: {}", context.command(&format!("promote {words}")))))
}

impl Import_ {
    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let (import, how) = match self.document {
            Document::Openapi { file, base_path, how } => {
                let (text, name) = (read(&file)?, file.display().to_string());
                let import = match base_path {
                    Some(base_path) => openapi::import_under(&text, &name, &base_path),
                    None => openapi::import(&text, &name),
                };
                (import, how)
            }
            Document::Har { file, hosts, how } => {
                (har::import(&read(&file)?, &file.display().to_string(), &hosts), how)
            }
        };
        let import = import.map_err(|error| Failure::new(Exit::Usage, "bad_document", error))?;
        let outcome = if how.dry_run { described(&import) } else { applied(context, &import)? };
        Ok(import.notes.iter().fold(outcome, |outcome, note| outcome.note(format!("note: {note}"))))
    }
}

fn read(file: &Path) -> Result<String, Failure> {
    let bytes = std::fs::read(file)
        .map_err(|error| Failure::new(Exit::Usage, "unreadable", format!("{}: {error}", file.display())))?;
    String::from_utf8(bytes).map_err(|error| {
        let line = error.as_bytes()[..error.utf8_error().valid_up_to()].split(|byte| *byte == b'\n').count();
        let message = format!("{}:{line}: the file is not UTF-8 text", file.display());
        Failure::new(Exit::Usage, "bad_document", message)
    })
}

fn described(import: &Import) -> Outcome {
    let endpoints: Vec<_> =
        import.endpoints.iter().map(|(id, declaration)| DeclarationView::new(id, declaration)).collect();
    let text: String = import.endpoints.iter().map(|(id, _)| format!("{id}\n")).collect();
    let notes: Vec<_> = import.notes.iter().map(ToString::to_string).collect();
    Outcome::new(&json!({ "endpoints": endpoints, "notes": notes }), text)
        .note(format!("{} would be declared; nothing was changed", count(endpoints.len() as u64, "endpoint")))
}

fn applied(context: &Context, import: &Import) -> Result<Outcome, Failure> {
    let declared = declare(&context.admin()?, import)?;
    let text = told(&declared);
    let mut outcome = Outcome::new(&declared, text);
    let notes: Vec<_> = import.notes.iter().map(ToString::to_string).collect();
    outcome.data["notes"] = json!(notes);
    outcome.notes.extend(declared.warnings.iter().map(|warning| format!("warning: {warning}")));
    Ok(outcome)
}

/// Declares what a document has, all or nothing.
pub(super) fn declare(admin: &Admin, import: &Import) -> Result<DeclaredView, Failure> {
    let endpoints = import.endpoints.iter().map(|(id, declaration)| DeclarationView::new(id, declaration));
    admin.post("/api/v1/routes", &DeclareRequest { endpoints: endpoints.collect() })
}

fn told(declared: &DeclaredView) -> String {
    let added = count(declared.added.len() as u64, "endpoint");
    format!(
        "{added} added at legacy, {} brought up to date, {} unchanged",
        declared.updated.len(),
        declared.unchanged
    )
}

impl Discover {
    fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let admin = context.admin()?;
        let limit = self.limit.to_string();
        let proposed: Proposed = admin.get("/api/v1/undeclared", &[("limit", &limit)])?;
        if proposed.undeclared.is_empty() {
            return Ok(Outcome::new(&proposed, "no traffic without an endpoint was seen"));
        }
        if !self.accept {
            return Ok(Outcome::new(&proposed, table(&proposed))
                .note("declare one with strangler routes add, or all of them with strangler routes discover --accept"));
        }
        let declaration = Declaration { source: "discovered".to_owned(), ..Declaration::default() };
        let endpoints = proposed.undeclared.iter().map(|found| DeclarationView {
            endpoint: found.endpoint.clone(),
            source: declaration.source.clone(),
            parameters: Vec::new(),
            statuses: Vec::new(),
        });
        let declared: DeclaredView =
            admin.post("/api/v1/routes", &DeclareRequest { endpoints: endpoints.collect() })?;
        let mut outcome = Outcome::new(&proposed, told(&declared));
        outcome.data["declared"] = serde_json::to_value(&declared).expect("a view has string keys");
        Ok(outcome)
    }
}

fn table(proposed: &Proposed) -> String {
    let mut rows = Rows::new(&["proposed", "requests#", "seen as"]);
    for found in &proposed.undeclared {
        rows.add([found.endpoint.clone(), found.count.to_string(), found.examples.join("  ")]);
    }
    rows.to_string()
}
