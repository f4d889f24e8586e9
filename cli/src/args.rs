//! What can be typed, and what it means. Resolved once; nothing parses an argument again.

use clap::error::ErrorKind;
use clap::{Parser, Subcommand};
use diff_harness::endpoint::EndpointId;
use http::Method;
use strangler_proxy::admin::AdminConfig;

use crate::client::Admin;
use crate::commands::{
    audit, certificates, demo, diff, divergences, epoch, hold, init, plan, promote, report, review, rollback,
    routes, rules, serve, status, suite,
};
use crate::console::{self, Format, Outcome};
use crate::exit::{Exit, Failure};

/// Moves a monolith to services, one endpoint at a time: a reverse proxy that shadows requests, compares responses,
/// and moves each endpoint on evidence.
#[derive(Debug, Parser)]
#[command(name = "strangler", version, arg_required_else_help = true, max_term_width = 110)]
#[command(
    after_help = "Exit codes: 0 pass, 1 error, 2 usage, 3 divergences or the gate refused, 4 inconclusive, \
                        5 conflict.\nStart with `strangler init`, or with `strangler serve --control URL --candidate URL`."
)]
pub(crate) struct Args {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Global {
    /// Where the proxy's admin API is; for `serve`, where it is to be [env: STRANGLER_ADMIN] [default:
    /// http://127.0.0.1:9600]
    #[arg(long, global = true, value_name = "URL")]
    admin: Option<String>,
    /// A token that the admin API knows [env: STRANGLER_TOKEN]
    #[arg(long, global = true, value_name = "TOKEN")]
    token: Option<String>,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t, value_name = "FORMAT")]
    pub(crate) format: Format,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Shows the whole story on the reference estate, in one process
    Demo(demo::Demo),
    /// Starts the proxy
    Serve(serve::Serve),
    /// Writes a commented strangler.toml
    Init(init::Init),
    /// Lists, shows, adds, imports and discovers endpoints
    Routes(routes::Routes),
    /// Says what the gate would say, and what would happen
    Plan(plan::Plan),
    /// Moves an endpoint towards the candidate, if the evidence allows it
    Promote(promote::Promote),
    /// Moves an endpoint back to control, at once
    Rollback(rollback::Rollback),
    /// Keeps an endpoint where it is
    Hold(hold::Hold),
    /// Lets a held endpoint move again
    Resume(hold::Resume),
    /// Shows stages, holds, traffic and evidence
    Status(status::Status),
    /// Lists and shows what diverged, and decides on it
    Divergences(divergences::Divergences),
    /// Shows group by group in the terminal, a key a decision
    Review(review::Review),
    /// Writes the report for people
    Report(report::Report),
    /// Compares two files or two URLs
    Diff(diff::Diff),
    /// Runs committed cases against both sides, and makes them
    Suite(suite::Suite),
    /// Shows what the rules did, and has them read again
    Rules(rules::Rules),
    /// Shows and names the deployments that evidence counts for
    Epoch(epoch::Epoch),
    /// Shows the certificates of listeners and upstreams, and has them read again
    Certificates(certificates::Certificates),
    /// Lists transitions and decisions: who, why, on what evidence
    Audit(audit::Audit),
}

/// What every command may need to know, resolved.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) format: Format,
    /// As it was typed, for `serve`, which listens there.
    pub(crate) admin_flag: Option<String>,
    pub(crate) token: Option<String>,
    admin_url: String,
}

/// An endpoint as two words: `GET '/playlists/{id}'`.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct EndpointArgs {
    /// GET, POST, ...
    method: String,
    /// The path template as it was declared, such as '/playlists/{id}'
    path: String,
}

/// The same, where it may be left out.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct MaybeEndpointArgs {
    /// GET, POST, ...
    #[arg(requires = "path")]
    method: Option<String>,
    /// The path template as it was declared, such as '/playlists/{id}'
    path: Option<String>,
}

impl Args {
    pub(crate) fn resolve(self) -> Result<(Command, Context), Failure> {
        let given = |flag: Option<String>, name: &str| {
            flag.or_else(|| std::env::var(name).ok()).filter(|value| !value.is_empty())
        };
        let default = || format!("http://{}", AdminConfig::DEFAULT_ADDRESS);
        let context = Context {
            format: self.global.format,
            admin_url: given(self.global.admin.clone(), "STRANGLER_ADMIN").unwrap_or_else(default),
            admin_flag: self.global.admin,
            token: given(self.global.token, "STRANGLER_TOKEN"),
        };
        Ok((self.command, context))
    }
}

impl Command {
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Demo(_) => "demo",
            Self::Serve(_) => "serve",
            Self::Init(_) => "init",
            Self::Routes(routes) => routes.name(),
            Self::Plan(_) => "plan",
            Self::Promote(_) => "promote",
            Self::Rollback(_) => "rollback",
            Self::Hold(_) => "hold",
            Self::Resume(_) => "resume",
            Self::Status(_) => "status",
            Self::Divergences(divergences) => divergences.name(),
            Self::Review(_) => "review",
            Self::Report(_) => "report",
            Self::Diff(_) => "diff",
            Self::Suite(suite) => suite.name(),
            Self::Rules(rules) => rules.name(),
            Self::Epoch(epoch) => epoch.name(),
            Self::Certificates(certificates) => certificates.name(),
            Self::Audit(_) => "audit",
        }
    }

    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        match self {
            Self::Demo(demo) => demo.run(context),
            Self::Serve(serve) => serve.run(context),
            Self::Init(init) => init.run(),
            Self::Routes(routes) => routes.run(context),
            Self::Plan(plan) => plan.run(context),
            Self::Promote(promote) => promote.run(context),
            Self::Rollback(rollback) => rollback.run(context),
            Self::Hold(hold) => hold.run(context),
            Self::Resume(resume) => resume.run(context),
            Self::Status(status) => status.run(context),
            Self::Divergences(divergences) => divergences.run(context),
            Self::Review(review) => review.run(context),
            Self::Report(report) => report.run(context),
            Self::Diff(diff) => diff.run(),
            Self::Suite(suite) => suite.run(context),
            Self::Rules(rules) => rules.run(context),
            Self::Epoch(epoch) => epoch.run(context),
            Self::Certificates(certificates) => certificates.run(context),
            Self::Audit(audit) => audit.run(context),
        }
    }
}

impl Context {
    pub(crate) fn admin(&self) -> Result<Admin, Failure> {
        Admin::new(&self.admin_url, self.token.clone())
    }

    /// A command line that can be pasted: it speaks to the same proxy as this one.
    pub(crate) fn command(&self, words: &str) -> String {
        match &self.admin_flag {
            Some(admin) => format!("strangler {words} --admin {admin}"),
            None => format!("strangler {words}"),
        }
    }
}

impl EndpointArgs {
    pub(crate) fn id(&self) -> Result<EndpointId, Failure> {
        endpoint(&self.method, &self.path)
    }
}

impl MaybeEndpointArgs {
    /// As it is typed after a command, with a blank before it; empty where it was left out.
    pub(crate) fn words(&self) -> String {
        let words = [&self.method, &self.path].into_iter().flatten();
        words.map(|word| format!(" {}", crate::words::quoted(word))).collect()
    }

    pub(crate) fn id(&self) -> Result<Option<EndpointId>, Failure> {
        match (&self.method, &self.path) {
            (Some(method), Some(path)) => endpoint(method, path).map(Some),
            _ => Ok(None),
        }
    }
}

/// Methods are case-sensitive (RFC 9110 §9.1); what is typed in lower case is meant in upper case.
fn endpoint(method: &str, path: &str) -> Result<EndpointId, Failure> {
    let swapped = method.starts_with('/');
    let wrong = |what: String| {
        Failure::usage(what).hint(if swapped {
            "the method comes first: GET '/playlists/{id}'"
        } else {
            "an endpoint is a method and a path template: GET '/playlists/{id}'"
        })
    };
    let upper = method.to_ascii_uppercase();
    let method =
        Method::from_bytes(upper.as_bytes()).map_err(|_| wrong(format!("`{method}` is not a method")))?;
    if !path.starts_with('/') {
        return Err(wrong(format!("`{path}` is not a path template: it does not begin with a slash")));
    }
    Ok(EndpointId::new(method, path))
}

/// A command line that was not understood; or help and version, which are no failure.
pub(crate) fn misread(error: &clap::Error) -> Exit {
    if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) {
        let _ = error.print();
        return Exit::Pass;
    }
    let arguments: Vec<String> = std::env::args().collect();
    let json = arguments.iter().any(|word| word == "--format=json")
        || arguments.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    if json {
        let text = error.render().to_string();
        let message = text.trim().trim_start_matches("error: ").to_owned();
        return console::finish("strangler", Format::Json, Err(Failure::usage(message)));
    }
    // clap prints to stderr, with colours only on a terminal.
    let _ = error.print();
    Exit::Usage
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_arguments_are_consistent() {
        Args::command().debug_assert();
    }

    /// Command lines of a page: those that begin with `strangler`, with what their continuation lines add.
    fn commands(page: &str) -> Vec<String> {
        let mut commands: Vec<String> = Vec::new();
        let mut goes_on = false;
        for line in page.lines() {
            let text = line.trim().trim_start_matches("- ").trim_start_matches("$ ");
            if goes_on {
                let last = commands.last_mut().expect("a command goes on");
                last.push_str(&format!(" {}", text.trim_end_matches('\\')));
                goes_on = text.ends_with('\\') || text.starts_with("--shard");
            } else if text.starts_with("strangler ") {
                let text = text.split(" #").next().unwrap_or(text);
                commands.push(text.trim_end_matches('\\').to_owned());
                goes_on = text.ends_with('\\') || text.ends_with("\"$CANDIDATE\"");
            }
        }
        commands
    }

    #[test]
    fn every_command_line_in_the_pages_about_suites_is_understood() {
        for page in [include_str!("../../docs/suites.md"), include_str!("../../docs/ci.md")] {
            let commands = commands(page);
            assert!(commands.len() > 4, "{commands:?}");
            for command in commands {
                let plain = [
                    ("$CONTROL", "http://c:1"),
                    ("$CANDIDATE", "http://d:1"),
                    ("$CI_NODE_INDEX", "1"),
                    ("$CI_NODE_TOTAL", "2"),
                    ("${{ matrix.shard }}", "1"),
                    ("\"", ""),
                ]
                .iter()
                .fold(command.clone(), |text, (from, to)| text.replace(from, to));
                let words = plain.split_whitespace().take_while(|word| *word != "#");
                if let Err(error) = Args::try_parse_from(words) {
                    panic!("{command}\n{error}");
                }
            }
        }
    }

    #[test]
    fn an_endpoint_is_a_method_and_a_template() {
        assert_eq!(endpoint("get", "/a/{b}").unwrap().to_string(), "GET /a/{b}");
        assert!(endpoint("GET", "a").is_err());
        let swapped = endpoint("/a", "GET").unwrap_err();
        assert_eq!(swapped.exit, Exit::Usage);
        assert!(swapped.hint.unwrap().contains("the method comes first"));
    }
}
