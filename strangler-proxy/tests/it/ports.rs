//! Ports that the system gives to nobody else while a test uses them.
//!
//! Tests run side by side and take hundreds of ports: one that was let go of may be another test's server a moment later, to
//! which a health check of the one before still comes.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A port that is taken, and refuses connections for as long as nothing listens on it through [`listen`](Self::listen).
pub(crate) struct Port {
    // Bound, and never listening.
    _socket: Socket,
    pub(crate) address: SocketAddr,
}

impl Port {
    pub(crate) fn taken() -> Self {
        Self::taken_at(own_address())
    }

    pub(crate) fn taken_at(host: Ipv4Addr) -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // So that another socket of ours may listen on it.
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from((host, 0)).into()).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        Self { _socket: socket, address }
    }

    pub(crate) fn listen(&self) -> TcpListener {
        TcpListener::bind(self.address).unwrap()
    }

    /// An address that refuses connections until the process ends.
    pub(crate) fn refused() -> SocketAddr {
        std::mem::ManuallyDrop::new(Self::taken()).address
    }
}

/// Of those that lead back to this machine: on Linux each test has others than the ones before it, in this process and beside it.
fn own_address() -> Ipv4Addr {
    if cfg!(target_os = "linux") {
        Ipv4Addr::new(127, fastrand::u8(1..), fastrand::u8(..), fastrand::u8(1..255))
    } else {
        Ipv4Addr::LOCALHOST
    }
}

#[test]
fn a_taken_port_refuses_connections_before_and_after_somebody_listens_on_it() {
    let port = Port::taken();
    let connects = || std::net::TcpStream::connect(port.address).is_ok();
    assert!(!connects());
    let listener = port.listen();
    assert!(connects());
    drop(listener);
    assert!(!connects());
}
