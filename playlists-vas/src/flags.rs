//! The flags that both binaries have, and how they run.

use std::{io::Write, net::SocketAddr, time::Duration};

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};

use crate::{
    foundation::{FoundationConfig, Limits},
    regressions::{Regression, Regressions},
    serve::Drained,
};

#[derive(Debug, Clone, Args)]
pub struct Flags {
    /// The monolith whose internal API is the only way to the data.
    #[arg(
        long,
        env = "PLAYLISTS_VAS_MOTHERSHIP",
        value_name = "URL",
        default_value = "http://127.0.0.1:8080",
        value_parser = authority
    )]
    pub mothership: Authority,
    /// What services show to one another, and to the monolith's internal API.
    #[arg(
        long,
        env = "MOTHERSHIP_SERVICE_TOKEN",
        value_name = "TOKEN",
        default_value = "svc-local",
        hide_env_values = true
    )]
    pub service_token: String,
    /// Milliseconds for a call to another service, all in all.
    #[arg(long, env = "PLAYLISTS_VAS_DEADLINE_MS", value_name = "MS", default_value_t = 5000)]
    pub deadline_ms: u64,
    /// Calls under way at once, to each other service; more wait.
    #[arg(long, env = "PLAYLISTS_VAS_CALLS_MAX", value_name = "N", default_value_t = 64, value_parser = at_least_one)]
    pub calls_max: usize,
    /// An answer of the monolith that has more bytes is not read to the end.
    #[arg(long, env = "PLAYLISTS_VAS_ANSWER_BYTES_MAX", value_name = "BYTES", default_value_t = 64 << 20)]
    pub answer_bytes_max: usize,
    /// Seconds that requests under way may still take after SIGTERM.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    pub drain: u64,
    /// Known bugs to switch on, so that whoever compares finds them.
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    pub regressions: Vec<Regression>,
    /// Which known bugs there are, and what each does.
    #[arg(long)]
    pub list_regressions: bool,
}

/// `host:port` of a URL that has nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authority(pub String);

impl Flags {
    pub fn foundation(&self) -> FoundationConfig {
        FoundationConfig {
            authority: self.mothership.0.clone(),
            service_token: self.service_token.clone(),
            limits: Limits {
                deadline: Duration::from_millis(self.deadline_ms),
                calls_max: self.calls_max,
                answer_bytes_max: self.answer_bytes_max,
            },
        }
    }

    pub fn regressions(&self) -> Regressions {
        Regressions::new(self.regressions.iter().copied())
    }

    pub fn drain(&self) -> Duration {
        Duration::from_secs(self.drain)
    }
}

/// # Errors
/// What is wrong with the URL, for whoever gave it.
pub fn authority(url: &str) -> Result<Authority, String> {
    let wrong = |why: &str| format!("{why}; expected such as http://127.0.0.1:8080");
    let uri: http::Uri = url.parse().map_err(|_| wrong("it is no URL"))?;
    if uri.scheme_str() != Some("http") {
        return Err(wrong("only http:// is spoken"));
    }
    if uri.path().len() > 1 || uri.query().is_some() {
        return Err(wrong("only host and port are wanted"));
    }
    let authority = uri.authority().ok_or_else(|| wrong("it names no host"))?;
    let port = authority.port_u16().unwrap_or(80);
    Ok(Authority(format!("{}:{port}", authority.host())))
}

fn at_least_one(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|number| *number > 0).ok_or_else(|| "expected a number from 1 on".to_owned())
}

/// Says where it listens, as one line on stdout, and waits to be told to stop.
///
/// # Errors
/// Signals cannot be waited for, or stdout is closed.
pub async fn until_told_to_stop(address: SocketAddr) -> anyhow::Result<()> {
    let mut terminate = signal(SignalKind::terminate()).context("cannot wait for SIGTERM")?;
    let mut interrupt = signal(SignalKind::interrupt()).context("cannot wait for SIGINT")?;
    let mut stdout = std::io::stdout();
    // Flushed: whoever started this process waits for it.
    writeln!(stdout, "http://{address}")?;
    stdout.flush()?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}

/// # Errors
/// Connections were cut.
pub fn ended(drained: Drained) -> anyhow::Result<()> {
    anyhow::ensure!(drained.cut == 0, "{} connections were still busy and were cut", drained.cut);
    Ok(())
}

/// To stderr, by `RUST_LOG`, warnings by default.
pub fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_host_and_port_of_a_url_are_wanted() {
        assert_eq!(authority("http://a.b:1").unwrap().0, "a.b:1");
        assert_eq!(authority("http://[::1]").unwrap().0, "[::1]:80");
        for bad in ["", "a.b:1", "https://a.b", "http://a.b/x", "http://a.b?x"] {
            assert!(authority(bad).is_err(), "{bad:?} was taken");
        }
    }
}
