//! `mothership`: opens or makes the database, listens, serves, drains.

use std::{
    io::{IsTerminal, Write},
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::Context as _;
use clap::Parser;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use mothership::{
    domain::{Clock, Timestamp},
    seed::{self, Scale},
    server::{self, Options},
    store::Store,
};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
};

/// The reference monolith: three API dialects over the same playlists.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// The database; made and seeded if it does not exist [default: mothership-SCALE-SEED.sqlite].
    #[arg(long, value_name = "PATH")]
    db: Option<PathBuf>,
    /// How much data to generate: about 1 thousand, 100 thousand or 2 million playlists.
    #[arg(long, value_enum, default_value = "small")]
    scale: Scale,
    /// The number that everything generated comes from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8080")]
    listen: SocketAddr,
    /// Stops the clock at this time, such as 2026-01-01T00:00:00Z.
    #[arg(long, value_name = "TIME")]
    now: Option<Timestamp>,
    /// What services show to the internal engines.
    #[arg(
        long,
        env = "MOTHERSHIP_SERVICE_TOKEN",
        value_name = "TOKEN",
        default_value = "svc-local",
        hide_env_values = true
    )]
    service_token: String,
    /// Seconds that requests under way may still take after SIGTERM.
    #[arg(long, value_name = "SECONDS", default_value_t = 10)]
    drain: u64,
    /// Make the database and exit.
    #[arg(long)]
    seed_only: bool,
}

fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "warn".into());
    tracing_subscriber::fmt().with_writer(std::io::stderr).with_env_filter(filter).init();
    let path = args
        .db
        .clone()
        .unwrap_or_else(|| PathBuf::from(format!("mothership-{}-{}.sqlite", args.scale, args.seed)));
    if !path.exists() {
        generate(&path, args.scale, args.seed)?;
    }
    let store = Store::open(&path)?;
    let meta = store.meta();
    anyhow::ensure!(
        (meta.scale, meta.seed) == (args.scale, args.seed),
        "{} was made with --scale {} --seed {}; say the same, or name another --db",
        path.display(),
        meta.scale,
        meta.seed
    );
    if args.seed_only {
        return Ok(());
    }
    tokio::runtime::Runtime::new().context("cannot start the runtime")?.block_on(serve(args, store))
}

async fn serve(args: Args, store: Store) -> anyhow::Result<()> {
    let listener =
        TcpListener::bind(args.listen).await.with_context(|| format!("cannot listen on {}", args.listen))?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut stdout = std::io::stdout();
    // One line, flushed: whoever started this process waits for it.
    writeln!(stdout, "http://{}", listener.local_addr()?)?;
    stdout.flush()?;
    let options = Options {
        clock: args.now.map_or(Clock::System, Clock::Fixed),
        service_token: args.service_token,
        drain: Duration::from_secs(args.drain),
    };
    let shutdown = async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    };
    let drained = server::run(listener, store, options, shutdown).await?;
    anyhow::ensure!(drained.cut == 0, "{} connections were still busy and were cut", drained.cut);
    Ok(())
}

fn generate(path: &Path, scale: Scale, seed: u64) -> anyhow::Result<()> {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if !std::io::stderr().is_terminal() {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let style = ProgressStyle::with_template("{msg:>10} {wide_bar} {percent}% {eta}")
        .context("the progress template is malformed")?;
    bar.set_style(style);
    seed::generate(path, scale, seed, &mut |progress| {
        bar.set_length(progress.total);
        bar.set_position(progress.done);
        bar.set_message(progress.what);
    })?;
    bar.finish_and_clear();
    Ok(())
}
