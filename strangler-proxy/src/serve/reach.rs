//! Whether an upstream takes connections.

use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use crate::config::Upstream;

const PATIENCE: Duration = Duration::from_secs(2);

/// Connects and lets go. Blocks for a few seconds at most; why it failed, in words.
pub(super) fn reach(upstream: &Upstream) -> Result<(), String> {
    let mut last = format!("{upstream}: its name resolves to no address");
    for authority in upstream.authorities() {
        let addresses = match authority.to_socket_addrs() {
            Ok(addresses) => addresses,
            Err(error) => {
                last = format!("{upstream}: {error}");
                continue;
            }
        };
        for address in addresses {
            match TcpStream::connect_timeout(&address, PATIENCE) {
                Ok(_) => return Ok(()),
                Err(error) => last = format!("{upstream}: {error}"),
            }
        }
    }
    Err(last)
}
