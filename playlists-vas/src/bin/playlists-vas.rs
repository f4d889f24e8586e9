//! `playlists-vas`: listens, serves, drains.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context as _;
use clap::Parser;
use http::HeaderName;
use playlists_vas::{
    flags::{self, Authority, Flags},
    gateways, regressions,
    server::{Playlists, PlaylistsConfig},
};

/// The playlists service: the public, mobile and web edges over one playlist aggregate.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8081")]
    listen: SocketAddr,
    /// The tracks service.
    #[arg(
        long,
        env = "PLAYLISTS_VAS_TRACKS",
        value_name = "URL",
        default_value = "http://127.0.0.1:8082",
        value_parser = flags::authority
    )]
    tracks: Authority,
    /// The header that asks for a dry run, and acknowledges it.
    #[arg(long, env = "PLAYLISTS_VAS_DRY_RUN_HEADER", value_name = "NAME", default_value = "x-dry-run")]
    dry_run_header: HeaderName,
    /// Milliseconds for which a token's identity is believed; 0 asks every time.
    #[arg(long, env = "PLAYLISTS_VAS_IDENTITY_MS", value_name = "MS", default_value_t = 5000)]
    identity_ms: u64,
    /// Entries at most, of each cache.
    #[arg(long, env = "PLAYLISTS_VAS_CACHE_ENTRIES", value_name = "N", default_value_t = 10_000)]
    cache_entries: usize,
    #[command(flatten)]
    flags: Flags,
}

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let args = Args::parse();
    if args.flags.list_regressions {
        print!("{}", regressions::listed());
        return Ok(());
    }
    flags::log();
    let config = PlaylistsConfig {
        listen: args.listen,
        foundation: args.flags.foundation(),
        tracks: gateways::TracksConfig {
            url: format!("http://{}", args.tracks.0),
            service_token: args.flags.service_token.clone(),
            deadline: Duration::from_millis(args.flags.deadline_ms),
            calls_max: args.flags.calls_max,
        },
        service_token: args.flags.service_token.clone(),
        dry_run_header: args.dry_run_header,
        identity_keep: Duration::from_millis(args.identity_ms),
        cache_entries_max: args.cache_entries,
        drain: args.flags.drain(),
        regressions: args.flags.regressions(),
    };
    let playlists =
        Playlists::start(config).await.with_context(|| format!("cannot serve on {}", args.listen))?;
    flags::until_told_to_stop(playlists.address()).await?;
    flags::ended(playlists.stop().await)
}
