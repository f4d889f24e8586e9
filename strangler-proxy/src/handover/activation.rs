//! Sockets that the service manager listens on, and gives to each process that it starts (sd_listen_fds(3)).

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

use listenfd::ListenFd;

use super::inherited::{Inherited, NamedSocket, admin, listening};

impl Inherited {
    /// What LISTEN_FDS announces to this process: the socket that listens on the address of the admin API is for that, all
    /// others are for clients. Nothing is inherited where nothing is announced. Call it once, before anything else is opened.
    pub fn from_service_manager(admin_address: SocketAddr) -> std::io::Result<Self> {
        let mut announced = ListenFd::from_env();
        let mut sockets = Vec::new();
        for index in 0..announced.len() {
            let (name, socket): (String, OwnedFd) = if let Ok(Some(tcp)) = announced.take_tcp_listener(index)
            {
                let address = tcp.local_addr()?;
                let name = if address == admin_address { admin(address) } else { listening(&address) };
                (name, tcp.into())
            } else if let Some(unix) = announced.take_unix_listener(index)? {
                let address = unix.local_addr()?;
                let path = address.as_pathname().map(|path| path.display().to_string()).unwrap_or_default();
                (listening(&format!("unix:{path}")), unix.into())
            } else {
                continue;
            };
            sockets.push(NamedSocket { name, socket });
        }
        Ok(Self::new(sockets))
    }
}
