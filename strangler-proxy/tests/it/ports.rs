//! Ports that the system gives to nobody else while a test uses them.
//!
//! Tests run side by side and take hundreds of ports: one that was let go of may be another test's server a moment later.

use std::net::{SocketAddr, TcpListener};

use socket2::{Domain, Socket, Type};

/// A port that is taken, and refuses connections for as long as nothing listens on it through [`listen`](Self::listen).
pub(crate) struct Port {
    // Bound, and never listening.
    _socket: Socket,
    pub(crate) address: SocketAddr,
}

impl Port {
    pub(crate) fn taken() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        // So that another socket of ours may listen on it.
        socket.set_reuse_address(true).unwrap();
        socket.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
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
