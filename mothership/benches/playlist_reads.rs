//! What one read of a playlist costs without HTTP: its queries alone, and with the page that is made of them. Prints
//! one line of JSON; `bench/mothership` puts it beside the served request.

use std::{collections::BTreeSet, path::PathBuf, time::Duration};

use anyhow::Context as _;
use mothership::{
    domain::{Clock, Identity, PlaylistId, Role, Territory, Timestamp, UserId, Viewer},
    public::{Caller, Links, Query, playlist_page},
    seed::cast,
    store::{Reader, Store, StoreError},
};

struct Arguments {
    database: PathBuf,
    playlist: PlaylistId,
    reads: u32,
}

fn main() -> anyhow::Result<()> {
    let Arguments { database, playlist, reads } = Arguments::parse()?;
    let store = Store::open(&database)?;
    let runtime = tokio::runtime::Builder::new_current_thread().build()?;
    let now = Clock::System.now();
    let report = runtime.block_on(store.read(move |reader| {
        let caller = caller(now);
        // Warms the statement cache and the pages, and proves that both measure the same queries.
        let before = reader.queries();
        let page = playlist_page(reader, &caller, playlist).map_err(|error| error.to_string());
        let of_page = reader.queries() - before;
        let rows = queries(reader, &caller.viewer, playlist)?;
        let of_queries = reader.queries() - before - of_page;
        let page = match page {
            Ok(page) if of_page == of_queries => page,
            Ok(_) => return Ok(Err(format!("the page makes {of_page} queries, the copy here {of_queries}"))),
            Err(error) => return Ok(Err(error)),
        };
        let shown = page["tracks"].as_array().map_or(0, Vec::len);
        let queries_us = cpu_per_read(reads, || queries(reader, &caller.viewer, playlist).map(drop))?;
        let page_us = cpu_per_read(reads, || {
            drop(std::hint::black_box(playlist_page(reader, &caller, playlist).map(|page| page.to_string())));
            Ok(())
        })?;
        Ok(Ok(serde_json::json!({
            "queries": of_page, "rows": rows, "tracks_shown": shown, "queries_us": queries_us, "page_us": page_us,
        })))
    }))?;
    println!("{}", report.map_err(anyhow::Error::msg)?);
    Ok(())
}

/// The queries of [`playlist_page`] with nothing made of them. Returns how many rows they gave.
fn queries(reader: &Reader<'_>, viewer: &Viewer, id: PlaylistId) -> Result<usize, StoreError> {
    let Some(playlist) = reader.playlist(id)? else { return Ok(0) };
    reader.blocks(viewer.user_id(), &[playlist.user_id])?;
    let tracks = reader.tracks_of(&[id], u32::MAX)?.remove(&id).unwrap_or_default();
    let people: BTreeSet<UserId> =
        tracks.iter().map(|track| track.user_id).chain([playlist.user_id]).collect();
    let people: Vec<UserId> = people.into_iter().collect();
    let track_ids: Vec<_> = tracks.iter().map(|track| track.id).collect();
    reader.relations(viewer.user_id(), &people, &track_ids, &[id])?;
    Ok(1 + tracks.len() + reader.users(&people)?.len())
}

fn caller(now: Timestamp) -> Caller {
    let identity = Some(Identity { user_id: cast::FAN, role: Role::User });
    let viewer = Viewer { identity, territory: Some(Territory::new(*b"US")), ..Viewer::anonymous(now) };
    let links = Links { api: "http://127.0.0.1".to_owned() };
    Caller { viewer, query: Query::default(), links, path: "/".to_owned() }
}

/// User and system time of this process in microseconds, over `reads` reads.
fn cpu_per_read(reads: u32, mut read: impl FnMut() -> Result<(), StoreError>) -> Result<f64, StoreError> {
    let before = cpu();
    for _ in 0..reads {
        read()?;
    }
    Ok((cpu() - before).as_secs_f64() * 1e6 / f64::from(reads))
}

/// From /proc/self/stat: the fields after the name, which may hold blanks; 14 and 15 count hundredths of a second.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("Linux has /proc");
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks: u64 =
        fields[11..13].iter().map(|ticks| ticks.parse::<u64>().expect("ticks are numbers")).sum();
    Duration::from_millis(ticks * 10)
}

impl Arguments {
    /// `DATABASE PLAYLIST READS`; cargo adds `--bench`.
    fn parse() -> anyhow::Result<Self> {
        let mut given = std::env::args().skip(1).filter(|argument| argument != "--bench");
        let mut next = || given.next().context("usage: playlist_reads DATABASE PLAYLIST READS");
        let (database, playlist, reads) = (next()?.into(), next()?.parse()?, next()?.parse()?);
        Ok(Self { database, playlist, reads })
    }
}
