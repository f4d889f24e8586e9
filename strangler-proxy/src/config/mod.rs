//! `strangler.toml`, parsed and checked once.
//!
//! Every module owns the plain struct of its settings and their defaults; what stands here is the file, and what
//! can be wrong with it. Stages are not in it: a config push must not flip a route.

mod cohort;
mod error;
mod file;
mod http2;
mod listen;
mod policy;
mod sections;
mod template;
mod units;
mod upstream;
mod upstream_table;
mod verify;

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::time::Duration;

use diff_harness::endpoint::{EndpointId, EndpointIdError};
use diff_harness::gate::Policy;
use diff_harness::ledger::Retention;
use diff_harness::lifecycle::{Stage, Weight};
use diff_harness::redact::{JsonPattern, RedactionConfig};
use diff_harness::rules::{RuleTable, Rules, RulesError};
use http::HeaderName;
use serde::Deserialize;
use toml::Spanned;

use crate::admin::{AdminConfig, AdminLimits, Role, Token, TrustedProxy};
use crate::control::PointOfNoReturn;
use crate::data_plane::{Address, DataPlaneConfig, Network};
use crate::fallback::FallbackConfig;
use crate::record::RecordConfig;
use crate::routes::MatchPolicy;
use crate::routes::cohort::CohortGroups;
use crate::shadow::ShadowConfig;

pub use error::ConfigError;
pub use policy::parse_policy;
pub use sections::DEFAULT_DRAIN;
pub use template::template;
pub use units::{Share, Size, Time};
pub use upstream::Upstream;

use error::Source;
use file::File;

/// Everything that `serve` needs to know, checked.
#[derive(Clone, Debug)]
pub struct Config {
    pub control: Upstream,
    pub candidate: Upstream,
    /// Listeners, limits, timeouts, forwarding, paths.
    pub data_plane: DataPlaneConfig,
    pub matching: MatchPolicy,
    /// Which endpoints share a cohort. Their salt is not in the file but in the store.
    pub groups: CohortGroups,
    pub points: Vec<PointOfNoReturn>,
    /// How long requests that are being answered may take to end after SIGTERM.
    pub drain: Duration,
    pub admin: AdminConfig,
    pub store: PathBuf,
    pub retention: Retention,
    pub log: LogFormat,
    pub shadow: ShadowConfig,
    pub record: RecordConfig,
    pub fallback: FallbackConfig,
    pub redaction: RedactionConfig,
    pub policy: Policy,
    /// Those of the file itself, and those of its rules file.
    pub rules: Rules,
}

/// How the log is written to stderr.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Where a config comes from, to read it again.
#[derive(Clone, Debug, Default)]
pub struct ConfigSource {
    /// Without one, everything is on the command line.
    pub path: Option<PathBuf>,
    pub overrides: Overrides,
}

/// What the command line says against the file.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    pub control: Option<Upstream>,
    pub candidate: Option<Upstream>,
    /// The one place to listen, instead of all that the file names.
    pub listen: Option<Address>,
    pub admin: Option<SocketAddr>,
    pub admin_token: Option<String>,
    pub store: Option<PathBuf>,
    pub rules: Option<PathBuf>,
    pub log: Option<LogFormat>,
}

/// Where the config is looked for when nothing says where it is.
pub const DEFAULT_PATH: &str = "strangler.toml";
/// Where the store is when nothing says where it is.
pub const DEFAULT_STORE: &str = "strangler.db";
/// Where clients connect when nothing says where.
pub const DEFAULT_LISTEN: SocketAddr = SocketAddr::new(std::net::IpAddr::V4(Ipv4Addr::LOCALHOST), 8080);
/// A shorter one could be guessed.
pub const TOKEN_CHARS_MIN: usize = 16;

impl ConfigSource {
    /// Reads and checks the file. Relative paths in it are relative to it.
    pub fn load(&self) -> Result<Config, ConfigError> {
        match &self.path {
            Some(path) => Config::parse(path, &read(path)?, &self.overrides),
            None => Config::parse(Path::new("command line"), "", &self.overrides),
        }
    }
}

impl Config {
    /// `path` is where the text is from: to say where an error is, and to find what it names.
    pub fn parse(path: &Path, text: &str, overrides: &Overrides) -> Result<Self, ConfigError> {
        let source = Source { path, text };
        let file: File = toml::from_str(text).map_err(|error| source.unreadable(&error))?;
        let beside = |name: &str| path.parent().unwrap_or(Path::new("")).join(name);
        let upstream = |written: Option<Upstream>, flag: Option<Upstream>, name: &str| {
            flag.or(written).ok_or_else(|| {
                source.whole(format!("no {name} upstream is declared")).hint(format!(
                    "write {name} = \"http://host:port\" under [upstreams], or give --{name} URL"
                ))
            })
        };
        let (paths, matching) = file.paths.resolve();
        let rules_file =
            overrides.rules.clone().or_else(|| file.rules_file.as_ref().map(|name| beside(name.get_ref())));
        let rules = rules(&source, file.rules, rules_file.as_deref())?;
        let threads = threads(&source, file.listen.threads.as_ref())?;
        let listeners =
            listen::listeners(&source, (&file.listen, &file.listener), overrides.listen.as_ref(), &beside)?;
        let http2 = file.http2.resolve(&source)?;
        let forwarding = file.forwarding.resolve(&source)?;
        let dry_run = verify::dry_run(&source, &file.verify)?;
        let shadow = ShadowConfig { first: verify::first(&source, &file.verify)?, ..file.shadow.resolve() };
        let points = file.points_of_no_return.iter().map(|written| point(&source, written));
        let points = points.collect::<Result<_, _>>()?;
        let read_backs = verify::read_backs(&source, &file.verify.read_back)?;
        let groups = file.cohort.groups(&source)?;
        let policy = file.policy.resolve(&source)?;
        // What may not be promoted may not stay either.
        let fallback = FallbackConfig { policy: policy.clone(), ..file.fallback.resolve(&source)? };
        let admin = admin(&source, &file.admin, overrides, &beside)?;
        let redaction = redaction(&source, &file.redaction)?;
        let record = RecordConfig {
            control_epoch_header: header(&source, file.epochs.control_header.as_ref())?,
            candidate_epoch_header: header(&source, file.epochs.candidate_header.as_ref())?,
            ..file.record.resolve()
        };
        let control = upstream(file.upstreams.control, overrides.control.clone(), "control")?;
        let candidate = upstream(file.upstreams.candidate, overrides.candidate.clone(), "candidate")?;
        let of = |upstream: &Upstream, name: &str| {
            let config = file.timeouts.upstream(&file.limits, upstream, &beside);
            let checked = config.tls.as_ref().map_or(Ok(()), |files| files.check(&config.authorities));
            checked.map_err(|error| source.whole(format!("TLS to {name}: {error}"))).map(|()| config)
        };
        let defaults = DataPlaneConfig::new(DEFAULT_LISTEN, of(&control, "control")?);
        Ok(Self {
            data_plane: DataPlaneConfig {
                listeners,
                threads: threads.unwrap_or(defaults.threads),
                candidate: Some(of(&candidate, "candidate")?),
                http2,
                limits: file.limits.resolve(),
                timeouts: file.timeouts.resolve(),
                forwarding,
                cohort: file.cohort.key.0.clone(),
                paths,
                dry_run,
                read_backs,
                ..defaults
            },
            matching,
            groups,
            points,
            drain: file.timeouts.drain.0,
            admin,
            store: overrides.store.clone().unwrap_or_else(|| beside(&file.store.path)),
            retention: file.store.resolve(),
            log: overrides.log.unwrap_or(file.log.format),
            shadow,
            fallback,
            record,
            redaction,
            policy,
            rules,
            control,
            candidate,
        })
    }
}

fn read(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|error| ConfigError {
        path: path.to_owned(),
        place: None,
        message: format!("cannot be read: {error}"),
        hint: None,
    })
}

/// Ids are unique over both places.
fn rules(
    source: &Source<'_>,
    inline: Vec<Spanned<RuleTable>>,
    file: Option<&Path>,
) -> Result<Rules, ConfigError> {
    let told = |path: &Path, error: RulesError| ConfigError {
        path: path.to_owned(),
        place: Some((error.line, error.column)),
        message: error.message,
        hint: Some(error.hint),
    };
    let name = |path: &Path| path.display().to_string();
    let inline = Rules::from_tables(inline, source.text, &name(source.path))
        .map_err(|error| told(source.path, error))?;
    let Some(file) = file else { return Ok(inline) };
    let declared = Rules::parse(&read(file)?, &name(file)).map_err(|error| told(file, error))?;
    inline.and(declared).map_err(|twice| ConfigError {
        path: file.to_owned(),
        place: None,
        message: format!("the rule `{twice}` is in {} too", name(source.path)),
        hint: Some("give one of them another id".to_owned()),
    })
}

fn threads(
    source: &Source<'_>,
    threads: Option<&Spanned<usize>>,
) -> Result<Option<NonZeroUsize>, ConfigError> {
    match threads {
        Some(threads) if *threads.get_ref() > 1024 => {
            Err(source.wrong(threads.span(), "more than 1024 threads; expected 0 (one per core) to 1024"))
        }
        Some(threads) => Ok(NonZeroUsize::new(*threads.get_ref())),
        None => Ok(None),
    }
}

fn admin(
    source: &Source<'_>,
    written: &file::Admin,
    overrides: &Overrides,
    beside: &impl Fn(&str) -> PathBuf,
) -> Result<AdminConfig, ConfigError> {
    let mut tokens = Vec::new();
    for token in &written.tokens {
        let parsed = token_of(source, token, beside)?;
        if tokens.iter().any(|other: &Token| other.name == parsed.name) {
            return Err(source.wrong(token.span(), format!("a second token named `{}`", parsed.name)));
        }
        tokens.push(parsed);
    }
    if let Some(secret) = &overrides.admin_token {
        let wrong =
            |message| ConfigError { path: "STRANGLER_TOKEN".into(), place: None, message, hint: None };
        check_token(secret).map_err(wrong)?;
        if !tokens.iter().any(|token| token.secret == *secret) {
            tokens.push(Token {
                name: "STRANGLER_TOKEN".to_owned(),
                secret: secret.clone(),
                role: Role::Operator,
            });
        }
    }
    let address = overrides.admin.or(written.address.as_ref().map(|address| *address.get_ref()));
    let address = address.unwrap_or(AdminConfig::DEFAULT_ADDRESS);
    let trusted = written.proxy.as_ref().map(|proxy| trusted(source, proxy)).transpose()?;
    if !address.ip().is_loopback() && tokens.is_empty() && trusted.is_none() {
        let message =
            format!("the admin API would listen on {address}, which others can reach, without a token");
        let error = match written.address.as_ref().filter(|_| overrides.admin.is_none()) {
            Some(written) => source.wrong(written.span(), message),
            None => source.whole(message),
        };
        return Err(error.hint(
            "add [[admin.tokens]] with a name and a token, set STRANGLER_TOKEN, or listen on 127.0.0.1",
        ));
    }
    Ok(AdminConfig { address, tokens, trusted, limits: admin_limits(source, written)? })
}

/// A body that never has room would never be taken.
fn admin_limits(source: &Source<'_>, written: &file::Admin) -> Result<AdminLimits, ConfigError> {
    let own = AdminLimits::default();
    let limits = AdminLimits {
        connections_max: written.connections.map_or(own.connections_max, |max| max.0),
        body_bytes_max: written.request_body.as_ref().map_or(own.body_bytes_max, |max| max.get_ref().bytes()),
        bodies_bytes_max: written.request_bodies.map_or(own.bodies_bytes_max, Size::bytes),
        ..own
    };
    match &written.request_body {
        Some(one) if limits.body_bytes_max > limits.bodies_bytes_max => {
            let message = format!(
                "a body of {} bytes has no room among all of them: expected `request_bodies`, {} bytes, or less",
                limits.body_bytes_max, limits.bodies_bytes_max
            );
            Err(source.wrong(one.span(), message))
        }
        _ => Ok(AdminLimits { body_bytes_max: limits.body_bytes_max.min(limits.bodies_bytes_max), ..limits }),
    }
}

fn trusted(source: &Source<'_>, written: &Spanned<file::TrustedProxy>) -> Result<TrustedProxy, ConfigError> {
    let proxy = written.get_ref();
    if proxy.peers.is_empty() {
        return Err(source
            .wrong(written.span(), "no peer is trusted, so nobody would be let in")
            .hint("name the addresses of the proxy that signs people in: peers = [\"10.0.0.5/32\"]"));
    }
    let network = |text: &Spanned<String>| {
        text.get_ref().parse::<Network>().map_err(|problem| source.wrong(text.span(), problem))
    };
    let named = |name: &Spanned<String>| {
        header(source, Some(name)).map(|name| name.expect("a header that was written has a name"))
    };
    Ok(TrustedProxy {
        peers: proxy.peers.iter().map(network).collect::<Result<_, _>>()?,
        user_header: named(&proxy.user_header)?,
        role_header: named(&proxy.role_header)?,
        hosts: proxy.hosts.clone(),
    })
}

fn token_of(
    source: &Source<'_>,
    token: &Spanned<file::Token>,
    beside: &impl Fn(&str) -> PathBuf,
) -> Result<Token, ConfigError> {
    let wrong = |message: String| source.wrong(token.span(), message);
    let written = token.get_ref();
    if written.name.trim().is_empty() || written.name.chars().any(char::is_control) {
        return Err(wrong("a token needs a name: it stands in the audit log for who flipped".to_owned()));
    }
    let secret = match (&written.token, &written.token_file) {
        (Some(secret), None) => secret.clone(),
        (None, Some(name)) => {
            let path = beside(name);
            let text = std::fs::read_to_string(&path).map_err(|error| {
                wrong(format!("the token file {} cannot be read: {error}", path.display()))
            })?;
            text.trim().to_owned()
        }
        _ => {
            return Err(wrong(format!(
                "the token named `{}` needs either `token` or `token_file`",
                written.name
            )));
        }
    };
    check_token(&secret).map_err(wrong)?;
    // Whoever was given a token before there were roles may do what they could.
    let role = match &written.role {
        None => Role::Operator,
        Some(role) => role.get_ref().parse().map_err(|problem: String| source.wrong(role.span(), problem))?,
    };
    Ok(Token { name: written.name.clone(), secret, role })
}

/// RFC 6750 §2.1: what can stand behind `Bearer`.
fn check_token(secret: &str) -> Result<(), String> {
    if secret.len() < TOKEN_CHARS_MIN {
        return Err(format!("the token has fewer than {TOKEN_CHARS_MIN} characters and could be guessed"));
    }
    if !secret.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err("the token has characters that cannot be sent in a header".to_owned());
    }
    Ok(())
}

fn redaction(source: &Source<'_>, written: &file::Redaction) -> Result<RedactionConfig, ConfigError> {
    for path in &written.json_paths {
        path.get_ref()
            .parse::<JsonPattern>()
            .map_err(|error| source.wrong(path.span(), error.to_string()))?;
    }
    let mut config = RedactionConfig::default();
    config.headers.extend(written.headers.iter().cloned());
    config.show_cookies.extend(written.show_cookies.iter().cloned());
    config.query.extend(written.query.iter().cloned());
    config.json_members.extend(written.json_members.iter().cloned());
    config.json_paths.extend(written.json_paths.iter().map(|path| path.get_ref().clone()));
    config.form_fields.extend(written.form_fields.iter().cloned());
    Ok(config)
}

/// `canary` alone is the first of its steps, whatever its weight.
fn point(source: &Source<'_>, written: &Spanned<file::Point>) -> Result<PointOfNoReturn, ConfigError> {
    let file::Point { endpoint, stage, why } = written.get_ref();
    let at = match stage.get_ref().as_str() {
        "canary" => Weight::new(1).map(Stage::Canary),
        text => text.parse().ok(),
    };
    let wrong = || source.wrong(stage.span(), format!("`{}` is not a stage", stage.get_ref()));
    if why.trim().is_empty() {
        return Err(source
            .wrong(written.span(), "a point of no return needs a `why`: it is shown before it is passed"));
    }
    Ok(PointOfNoReturn {
        endpoint: endpoint
            .get_ref()
            .parse()
            .map_err(|error: EndpointIdError| source.wrong(endpoint.span(), error.to_string()))?,
        stage: at.ok_or_else(|| wrong().hint("canary, live, soak or retired"))?,
        why: why.clone(),
    })
}

fn header(source: &Source<'_>, name: Option<&Spanned<String>>) -> Result<Option<HeaderName>, ConfigError> {
    let parse = |name: &Spanned<String>| {
        HeaderName::from_bytes(name.get_ref().as_bytes()).map_err(|_| {
            source.wrong(name.span(), format!("`{}` is not the name of a header", name.get_ref()))
        })
    };
    name.map(parse).transpose()
}

#[cfg(test)]
mod tests;
