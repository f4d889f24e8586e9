//! `strangler serve`: the proxy itself.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use diff_harness::exchange::UnixMillis;
use serde_json::json;
use strangler_proxy::config::{
    Config, ConfigError, ConfigSource, DEFAULT_PATH, LogFormat, Overrides, Upstream,
};
use strangler_proxy::data_plane::{Address, Certificates, Listening};
use strangler_proxy::handover::{Inherited, TakeOver};
use strangler_proxy::serve::{Origin, Proxy};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::EnvFilter;

use crate::args::Context;
use crate::console::{self, Format, Outcome};
use crate::exit::{Exit, Failure};

/// Starts the proxy; it runs until SIGTERM or SIGINT, and then ends in order
///
/// With --control and --candidate no config is needed. --admin says where the admin API listens, and
/// STRANGLER_TOKEN is a token that it takes.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The config [default: strangler.toml, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The monolith: http://host:port
    #[arg(long, value_name = "URL")]
    control: Option<Upstream>,
    /// The new service: http://host:port
    #[arg(long, value_name = "URL")]
    candidate: Option<Upstream>,
    /// Where clients connect: 127.0.0.1:8080 or unix:PATH; instead of all that the config names [default: 127.0.0.1:8080]
    #[arg(long, value_name = "ADDRESS")]
    listen: Option<Address>,
    /// The SQLite file that keeps stages, the audit log and the evidence [default: strangler.db]
    #[arg(long, value_name = "FILE")]
    store: Option<PathBuf>,
    /// Takes over from the proxy that runs on this store, without a refused connection; where none does, starts anew
    #[arg(long)]
    take_over: bool,
    /// A rules file
    #[arg(long, value_name = "FILE")]
    rules: Option<PathBuf>,
    /// How the log is written to stderr
    #[arg(long, value_name = "FORMAT")]
    log: Option<LogWord>,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum LogWord {
    Text,
    Json,
}

impl Serve {
    pub(crate) fn run(self, context: &Context) -> Result<Outcome, Failure> {
        let source = self.source(context)?;
        let config = source.load().map_err(|error| wrong_config(&error))?;
        log(config.log);
        // The threads that serve have runtimes of their own; this one waits for signals.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| Failure::error(format!("cannot start: {error}")))?;
        let origin = self.origin(&config)?;
        let mut proxy = Proxy::start_from(origin, config, source, now).map_err(Failure::error)?;
        // Before anybody can know of this process, and end it.
        let (mut signals, hangups) = runtime.block_on(async { Ok((Signals::new()?, hangups()?)) })?;
        announce(context.format, &proxy);
        let certificates = proxy.certificates();
        let cut = runtime.block_on(async {
            tokio::spawn(reload_at(hangups, certificates));
            let successor = tokio::select! {
                () = signals.wait() => None,
                successor = proxy.successor() => Some(successor),
            };
            let draining: Pin<Box<dyn Future<Output = usize>>> = match successor {
                None => {
                    console::say("draining; a second signal ends at once");
                    Box::pin(proxy.drain())
                }
                Some(successor) => {
                    console::say(format!(
                        "process {} has taken over; draining; a signal ends at once",
                        successor.process()
                    ));
                    Box::pin(proxy.drain_for(successor))
                }
            };
            tokio::select! {
                cut = draining => Ok(cut),
                () = signals.wait() => Err(Failure::error("ended before everything was drained")),
            }
        })?;
        let text =
            if cut == 0 { String::new() } else { format!("{cut} connections were cut at the deadline") };
        Ok(Outcome::new(&json!({ "cut": cut }), text))
    }

    /// What a process before this one has left, or the service manager.
    fn origin(&self, config: &Config) -> Result<Origin, Failure> {
        let inherited = Inherited::from_service_manager(config.admin.address)
            .map_err(|error| Failure::error(format!("the sockets of LISTEN_FDS cannot be used: {error}")))?;
        if !self.take_over {
            return Ok(Origin { inherited, take_over: None });
        }
        let found = TakeOver::ask(&config.store).map_err(|error| {
            Failure::error(format!("cannot take over: {error}")).hint("the running proxy goes on as before")
        })?;
        let Some(mut other) = found else {
            console::say("nobody runs on this store; starting anew");
            return Ok(Origin { inherited, take_over: None });
        };
        console::say(format!("taking over from process {}", other.process()));
        Ok(Origin { inherited: other.sockets(), take_over: Some(other) })
    }

    fn source(&self, context: &Context) -> Result<ConfigSource, Failure> {
        let overrides = Overrides {
            control: self.control.clone(),
            candidate: self.candidate.clone(),
            listen: self.listen.clone(),
            admin: context.admin_flag.as_deref().map(admin_address).transpose()?,
            admin_token: context.token.clone(),
            store: self.store.clone(),
            rules: self.rules.clone(),
            log: self.log.map(|word| match word {
                LogWord::Text => LogFormat::Text,
                LogWord::Json => LogFormat::Json,
            }),
        };
        let found = Path::new(DEFAULT_PATH).exists().then(|| DEFAULT_PATH.into());
        let path = self.config.clone().or(found);
        if path.is_none() && (self.control.is_none() || self.candidate.is_none()) {
            return Err(Failure::usage(format!(
                "there is no {DEFAULT_PATH} here, and no two upstreams are named"
            ))
            .hint("write a config with `strangler init`, or give --control URL --candidate URL"));
        }
        Ok(ConfigSource { path, overrides })
    }
}

/// `127.0.0.1:9600`, or the URL that other commands take.
fn admin_address(text: &str) -> Result<SocketAddr, Failure> {
    let bare = text.strip_prefix("http://").unwrap_or(text).trim_end_matches('/');
    bare.parse().map_err(|_| {
        Failure::usage(format!("`{text}` is not an address that the admin API can listen on"))
            .hint("give an IP address and a port: --admin 127.0.0.1:9600")
    })
}

fn wrong_config(error: &ConfigError) -> Failure {
    Failure::new(Exit::Usage, "bad_config", error)
}

/// First lines on stdout, so that a script can wait for them and read the ports that were taken for 0.
fn announce(format: Format, proxy: &Proxy) {
    let listening: Vec<_> = proxy.listening().iter().map(Listening::to_string).collect();
    let admin = format!("http://{}", proxy.admin());
    match format {
        Format::Table => {
            console::print_data(&format!("listening on {}\nadmin API on {admin}", listening.join(", ")));
        }
        Format::Json => {
            let data = json!({ "listening": listening, "admin": admin });
            console::finish("serve", format, Ok(Outcome::new(&data, "")));
        }
    }
}

/// Who asks a process to end.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    /// From now on they do not end the process by themselves.
    fn new() -> Result<Self, Failure> {
        let listen =
            |kind| signal(kind).map_err(|error| Failure::error(format!("cannot listen to signals: {error}")));
        Ok(Self { terminate: listen(SignalKind::terminate())?, interrupt: listen(SignalKind::interrupt())? })
    }

    async fn wait(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

fn hangups() -> Result<Signal, Failure> {
    signal(SignalKind::hangup()).map_err(|error| Failure::error(format!("cannot listen to signals: {error}")))
}

/// Reads the files of TLS again. What is wrong with one is in the log, and what was read before stays.
async fn reload_at(mut hangups: Signal, certificates: Arc<Certificates>) {
    while hangups.recv().await.is_some() {
        let certificates = Arc::clone(&certificates);
        // It reads files, and signals are not to wait for a disk.
        let _ = tokio::task::spawn_blocking(move || certificates.reload()).await;
    }
}

/// To stderr. STRANGLER_LOG sets what is in it.
fn log(format: LogFormat) {
    let filter = EnvFilter::try_from_env("STRANGLER_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    match format {
        LogFormat::Text => {
            let colours = std::io::IsTerminal::is_terminal(&std::io::stderr())
                && std::env::var_os("NO_COLOR").is_none();
            log.with_ansi(colours).init();
        }
        LogFormat::Json => log.json().init(),
    }
}

pub(crate) fn now() -> UnixMillis {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    UnixMillis(u64::try_from(since.as_millis()).unwrap_or(u64::MAX))
}
