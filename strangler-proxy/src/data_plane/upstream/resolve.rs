//! Names of an upstream become addresses, at the start and again from time to time.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use super::Upstream;
use super::address::Address;

/// A name that has no address at all is asked for more often.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// For one name; the resolver's own limit is longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// From a host and a port to the addresses that it has now. It may block.
pub type LookUp = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// What is to be resolved, and how it goes.
pub(super) struct Resolving {
    look_up: LookUp,
    /// In the order of the config.
    authorities: Vec<Place>,
    resolved: AtomicU64,
    failed: AtomicU64,
    failing: AtomicBool,
}

/// A host and a port, which is an address already or has to become one.
#[derive(Debug)]
struct Place {
    authority: Arc<str>,
    is_name: bool,
}

/// How often names were resolved.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResolveTally {
    pub resolved: u64,
    pub failed: u64,
    /// The last time a name was not found; its old addresses are used.
    pub is_failing: bool,
}

impl Resolving {
    /// With the addresses that need no resolving.
    pub(super) fn of(authorities: &[String], look_up: LookUp) -> (Self, Vec<Arc<Address>>) {
        let mut known = Vec::new();
        let places = authorities.iter().map(|authority| {
            let authority: Arc<str> = authority.as_str().into();
            let socket = authority.parse::<SocketAddr>().ok();
            known.extend(socket.map(|socket| Arc::new(Address::new(Arc::clone(&authority), socket))));
            Place { authority, is_name: socket.is_none() }
        });
        let resolving = Self {
            look_up,
            authorities: places.collect(),
            resolved: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            failing: AtomicBool::new(false),
        };
        (resolving, known)
    }

    pub(super) fn has_names(&self) -> bool {
        self.authorities.iter().any(|place| place.is_name)
    }

    pub(super) fn tally(&self) -> ResolveTally {
        ResolveTally {
            resolved: self.resolved.load(Ordering::Relaxed),
            failed: self.failed.load(Ordering::Relaxed),
            is_failing: self.failing.load(Ordering::Relaxed),
        }
    }
}

/// Resolves again and again.
pub(super) async fn keep(upstream: &Upstream) {
    if !upstream.resolving.has_names() {
        return;
    }
    loop {
        let every = upstream.config.resolve_every;
        let has_none = upstream.addresses.load().is_empty();
        tokio::time::sleep(if has_none { every.min(RETRY_EVERY) } else { every }).await;
        resolve(upstream).await;
    }
}

/// Resolves every name once. One that is not found keeps the addresses that it had.
pub(super) async fn resolve(upstream: &Upstream) {
    if !upstream.resolving.has_names() {
        return;
    }
    let mut found = Vec::new();
    let mut failure = None;
    for place in &upstream.resolving.authorities {
        if !place.is_name {
            found.extend(place.authority.parse().ok().map(|socket| (Arc::clone(&place.authority), socket)));
            continue;
        }
        match look_up(upstream, &place.authority).await {
            Ok(sockets) => {
                found.extend(sockets.into_iter().map(|socket| (Arc::clone(&place.authority), socket)));
            }
            Err(error) => {
                let old = upstream.addresses.load();
                let kept = old.iter().filter(|address| address.authority == place.authority);
                found.extend(kept.map(|address| (Arc::clone(&address.authority), address.socket)));
                failure = Some((Arc::clone(&place.authority), error));
            }
        }
    }
    let resolving = &upstream.resolving;
    let was_failing = resolving.failing.swap(failure.is_some(), Ordering::Relaxed);
    let counter = if failure.is_some() { &resolving.failed } else { &resolving.resolved };
    counter.fetch_add(1, Ordering::Relaxed);
    match failure {
        // Once, and not at every try.
        Some((authority, error)) if !was_failing => {
            tracing::warn!(side = %upstream.side, %authority, %error, "a name could not be resolved; its addresses stay as they are");
        }
        None if was_failing => {
            tracing::info!(side = %upstream.side, "all names can be resolved again");
        }
        _ => {}
    }
    take(upstream, found);
}

/// Takes what was found, if it is something else. Addresses that stay keep what is known of them.
fn take(upstream: &Upstream, mut found: Vec<(Arc<str>, SocketAddr)>) {
    let mut seen = std::collections::HashSet::new();
    found.retain(|place| seen.insert(place.clone()));
    let old = upstream.addresses.load_full();
    let same = found.len() == old.len()
        && old.iter().all(|address| seen.contains(&(Arc::clone(&address.authority), address.socket)));
    if same {
        // A resolver may turn them round at every answer.
        return;
    }
    let addresses: Vec<_> = found
        .into_iter()
        .map(|(authority, socket)| {
            let known = old.iter().find(|address| address.authority == authority && address.socket == socket);
            known.cloned().unwrap_or_else(|| Arc::new(Address::new(authority, socket)))
        })
        .collect();
    tracing::info!(
        side = %upstream.side,
        addresses = ?addresses.iter().map(|address| address.socket).collect::<Vec<_>>(),
        "the addresses of an upstream"
    );
    upstream.set_addresses(addresses);
}

/// What the system's resolver says: files, DNS, whatever it is set to.
pub(super) fn system() -> LookUp {
    Arc::new(|authority| authority.to_socket_addrs().map(Iterator::collect))
}

async fn look_up(upstream: &Upstream, authority: &Arc<str>) -> io::Result<Vec<SocketAddr>> {
    // It blocks, so that it has a thread of its own.
    let (look_up, authority) = (Arc::clone(&upstream.resolving.look_up), Arc::clone(authority));
    let found = tokio::time::timeout(PATIENCE, tokio::task::spawn_blocking(move || look_up(&authority)))
        .await
        .map_err(|_| io::Error::new(io::ErrorKind::TimedOut, "the resolver did not answer in time"))?
        .map_err(io::Error::other)??;
    if found.is_empty() {
        return Err(io::Error::other("it has no address"));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use diff_harness::exchange::Side;

    use super::super::UpstreamConfig;
    use super::*;

    fn upstream(authorities: &[&str]) -> Upstream {
        let mut config = UpstreamConfig::new("");
        config.authorities = authorities.iter().map(|authority| (*authority).to_owned()).collect();
        Upstream::new(Side::Control, config, system()).unwrap()
    }

    fn sockets(upstream: &Upstream) -> Vec<SocketAddr> {
        upstream.addresses().iter().map(|address| address.socket).collect()
    }

    #[test]
    fn addresses_need_no_resolving() {
        let upstream = upstream(&["127.0.0.1:1", "[::1]:2"]);
        assert!(!upstream.resolving.has_names());
        assert_eq!(sockets(&upstream), ["127.0.0.1:1".parse().unwrap(), "[::1]:2".parse().unwrap()]);
    }

    #[test]
    fn what_stays_keeps_what_is_known_of_it_and_the_order_does_not_matter() {
        let upstream = upstream(&["a.invalid:1"]);
        let name: Arc<str> = "a.invalid:1".into();
        let at = |last: u8| (Arc::clone(&name), SocketAddr::from(([10, 0, 0, last], 1)));
        take(&upstream, vec![at(1), at(2), at(2)]);
        assert_eq!(upstream.addresses().len(), 2, "one that is there twice counts once");
        let (first, generation) = (Arc::clone(&upstream.addresses()[0]), upstream.generation());
        take(&upstream, vec![at(2), at(1)]);
        assert_eq!(upstream.generation(), generation, "nothing has changed");
        take(&upstream, vec![at(3), at(1)]);
        assert_ne!(upstream.generation(), generation);
        let now = upstream.addresses();
        assert!(now.iter().any(|address| Arc::ptr_eq(address, &first)));
        assert_eq!(now.len(), 2);
    }

    #[tokio::test(flavor = "current_thread")]
    async fn a_name_that_is_not_found_keeps_its_addresses() {
        // RFC 6761 §6.4: no such name is ever found.
        let upstream = upstream(&["strangler.invalid:80", "127.0.0.1:7"]);
        let name: Arc<str> = "strangler.invalid:80".into();
        take(&upstream, vec![(Arc::clone(&name), "10.0.0.1:80".parse().unwrap())]);
        resolve(&upstream).await;
        assert_eq!(sockets(&upstream), ["10.0.0.1:80".parse().unwrap(), "127.0.0.1:7".parse().unwrap()]);
        assert_eq!(upstream.resolve_tally(), ResolveTally { resolved: 0, failed: 1, is_failing: true });
    }
}
