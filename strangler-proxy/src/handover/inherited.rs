//! Listening sockets that somebody else made: a process before this one, or the service manager.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;

/// Sockets by what they are for, as the config writes it: `listen 127.0.0.1:8080`, `admin 127.0.0.1:9600`.
#[derive(Debug, Default)]
pub struct Inherited(Vec<NamedSocket>);

#[derive(Debug)]
pub struct NamedSocket {
    pub name: String,
    pub socket: OwnedFd,
}

impl Inherited {
    pub fn new(sockets: Vec<NamedSocket>) -> Self {
        Self(sockets)
    }

    /// All that are for clients at this address, which are not here any more then.
    pub fn listening(&mut self, address: &impl ToString) -> Vec<OwnedFd> {
        self.take(&listening(address))
    }

    pub fn admin(&mut self, address: SocketAddr) -> Option<OwnedFd> {
        self.take(&admin(address)).pop()
    }

    pub fn has_listening(&self, address: &impl ToString) -> bool {
        let name = listening(address);
        self.0.iter().any(|socket| socket.name == name)
    }

    /// What nobody wanted, by name.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|socket| socket.name.as_str())
    }

    fn take(&mut self, name: &str) -> Vec<OwnedFd> {
        let (taken, rest) = std::mem::take(&mut self.0).into_iter().partition(|socket| socket.name == name);
        self.0 = rest;
        Vec::into_iter(taken).map(|socket: NamedSocket| socket.socket).collect()
    }
}

/// The name of a socket for clients.
pub(crate) fn listening(address: &impl ToString) -> String {
    format!("listen {}", address.to_string())
}

/// The name of the socket of the admin API.
pub(crate) fn admin(address: SocketAddr) -> String {
    format!("admin {address}")
}
