//! `tracks-vas`: listens, serves, drains.

use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Parser;
use playlists_vas::{
    flags::{self, Flags},
    regressions,
    tracks::{Tracks, TracksConfig},
};

/// The tracks service: which tracks a viewer may see, and the aggregates of those.
#[derive(Debug, Parser)]
#[command(version)]
struct Args {
    /// Where to listen; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8082")]
    listen: SocketAddr,
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
    let config = TracksConfig {
        listen: args.listen,
        foundation: args.flags.foundation(),
        service_token: args.flags.service_token.clone(),
        drain: args.flags.drain(),
        regressions: args.flags.regressions(),
    };
    let tracks = Tracks::start(config).await.with_context(|| format!("cannot serve on {}", args.listen))?;
    flags::until_told_to_stop(tracks.address()).await?;
    flags::ended(tracks.stop().await)
}
