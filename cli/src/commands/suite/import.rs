//! `strangler suite import`: a suite from what there is.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use diff_harness::endpoint::EndpointId;
use diff_harness::ledger::Ledger;
use diff_harness::redact::{RedactionConfig, RedactionKey, Redactor};
use diff_harness::suite::import::{self as from, Draft};
use http::Method;
use serde_json::json;
use strangler_proxy::inventory;
use strangler_proxy::routes::{MatchPolicy, Matcher, PathPolicy, PathView, Template};

use super::outputs::write;
use super::run::read;
use crate::console::Outcome;
use crate::exit::{Exit, Failure};
use crate::words::count;

/// Makes a suite from recorded traffic, a HAR file or an OpenAPI document
#[derive(Debug, clap::Args)]
pub(crate) struct Import {
    #[command(subcommand)]
    source: From,
}

#[derive(Debug, Subcommand)]
enum From {
    /// From an HTTP archive, as browsers save it: one case of each shape of request
    Har {
        file: PathBuf,
        /// Takes only requests to this host; may be given several times [default: all hosts]
        #[arg(long = "host", value_name = "HOST")]
        hosts: Vec<String>,
        #[command(flatten)]
        to: To,
    },
    /// From an OpenAPI document: its examples, and values by its schemas
    Openapi {
        file: PathBuf,
        /// Put before every path, whatever the document's servers say
        #[arg(long, value_name = "PATH")]
        base_path: Option<String>,
        #[command(flatten)]
        to: To,
    },
    /// From what a proxy recorded in its store: one case of each shape, without secrets
    Ledger {
        /// The store's file; its proxy may be running or not
        file: PathBuf,
        #[command(flatten)]
        to: To,
    },
}

#[derive(Debug, clap::Args)]
struct To {
    /// The suite file to write [default: standard output]
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Replaces the file if it is there
    #[arg(long)]
    overwrite: bool,
}

impl Import {
    pub(crate) fn run(self) -> Result<Outcome, Failure> {
        let (draft, to) = match self.source {
            From::Har { file, hosts, to } => (har(&file, &hosts)?, to),
            From::Openapi { file, base_path, to } => (openapi(&file, base_path.as_deref())?, to),
            From::Ledger { file, to } => (ledger(&file)?, to),
        };
        if draft.cases.is_empty() {
            let why = "nothing in it makes a case";
            return Err(Failure::new(Exit::Inconclusive, "no_cases", why));
        }
        let yaml = draft.to_yaml();
        let data = json!({ "cases": draft.cases.len(), "notes": draft.notes, "file": to.output });
        let outcome = match &to.output {
            None => Outcome::new(
                &json!({ "cases": draft.cases.len(), "notes": draft.notes, "suite": yaml }),
                yaml,
            ),
            Some(file) if file.exists() && !to.overwrite => {
                let why = format!("{} is there already", file.display());
                return Err(Failure::usage(why).hint("give --overwrite to replace it, or another name"));
            }
            Some(file) => {
                write(file, &yaml)?;
                let cases = count(draft.cases.len() as u64, "case");
                Outcome::new(&data, format!("wrote {cases} to {}", file.display()))
            }
        };
        Ok(draft.notes.iter().fold(outcome, |outcome, note| outcome.note(format!("note: {note}"))))
    }
}

fn har(file: &Path, hosts: &[String]) -> Result<Draft, Failure> {
    let (text, name) = (read(file)?, file.display().to_string());
    let known = inventory::har::import(&text, &name, hosts)
        .map_err(|error| Failure::new(Exit::Usage, "bad_document", error))?;
    let templates = templates(&known.endpoints);
    let key = RedactionKey::random()
        .map_err(|error| Failure::error(format!("the system gives no randomness: {error}")))?;
    let redactor = Redactor::new(&RedactionConfig::default(), key).map_err(Failure::error)?;
    let mut draft = Draft::new(stem(file));
    from::har(&mut draft, &text, hosts, &redactor, &|method, target| template(&templates, method, target))
        .map_err(|error| Failure::new(Exit::Usage, "bad_document", format!("{name}: {error}")))?;
    Ok(draft)
}

fn openapi(file: &Path, base: Option<&str>) -> Result<Draft, Failure> {
    let (text, name) = (read(file)?, file.display().to_string());
    // The proxy names endpoints by its own reading of the document; groups are told apart by these names.
    let known = match base {
        None => inventory::openapi::import(&text, &name),
        Some(base) => inventory::openapi::import_under(&text, &name, base),
    };
    let known = known.map_err(|error| Failure::new(Exit::Usage, "bad_document", error))?;
    let mut draft = Draft::new(stem(file));
    from::openapi(&mut draft, &text, base)
        .map_err(|error| Failure::new(Exit::Usage, "bad_document", format!("{name}: {error}")))?;
    let templates = templates(&known.endpoints);
    draft.name_endpoints(|method, path| template(&templates, &method.parse().ok()?, path));
    Ok(draft)
}

fn ledger(file: &Path) -> Result<Draft, Failure> {
    let store = Ledger::open_read_only(file).map_err(Failure::error)?;
    let mut draft = Draft::new(stem(file));
    let (mut seen, mut repeated) = (std::collections::HashSet::new(), 0_u64);
    store
        .each_kept(&mut |sample| {
            if !seen.insert(from::shape(&sample.exchange)) {
                repeated += 1;
            } else if let Err(why) = from::of_exchange(&mut draft, &sample.exchange, None) {
                draft.notes.push(format!("exchange {} was left out: {why}", sample.exchange.get().id));
            }
        })
        .map_err(Failure::error)?;
    if repeated > 0 {
        draft
            .notes
            .push(format!("{repeated} exchanges were left out: others of the same shape stand for them"));
    }
    Ok(draft)
}

fn templates<D>(endpoints: &[(EndpointId, D)]) -> Matcher<String> {
    let routes = endpoints.iter().filter_map(|(endpoint, _)| {
        let template = Template::parse(endpoint.template()).ok()?;
        Some((endpoint.method().clone(), template, endpoint.template().to_owned()))
    });
    Matcher::build(routes.collect::<Vec<_>>(), MatchPolicy::default()).0
}

fn template(templates: &Matcher<String>, method: &Method, target: &str) -> Option<String> {
    let policy = PathPolicy::default();
    let view = PathView::of(target, &policy).ok()?;
    templates.find(method, &view).cloned()
}

fn stem(file: &Path) -> String {
    file.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}
