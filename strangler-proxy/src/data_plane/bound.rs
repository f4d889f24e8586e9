//! Listening sockets: one for each thread, of each listener.

use std::fs::{self, Permissions};
use std::io;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::{UnixListener as StdUnixListener, UnixStream as StdUnixStream};
use std::path::{Path, PathBuf};

use rustix::event::{PollFd, PollFlags, Timespec};
use socket2::{Domain, Protocol, SockAddr, SockRef, Socket as RawSocket, Type};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

use super::listener::Address;
use super::socket::IdleSocket;

/// How many connections the kernel keeps for us until they are accepted.
const QUEUE: i32 = 4096;

/// A listener that takes connections, with a socket for each thread.
pub(super) struct Bound {
    pub(super) address: Address,
    /// For each thread.
    pub(super) sockets: Vec<Vec<ListeningSocket>>,
    /// A copy of each, to be handed on.
    pub(super) copies: Vec<OwnedFd>,
    pub(super) file: Option<SocketFile>,
}

/// A listening socket that belongs to no runtime yet.
pub(super) enum ListeningSocket {
    Tcp(std::net::TcpListener),
    Unix(StdUnixListener),
}

/// The same in a runtime.
pub(super) struct Acceptor {
    socket: AsyncFd<OwnedFd>,
    is_unix: bool,
}

/// A connection, and the address of its other end, which only TCP has.
pub(super) type Accepted = (IdleSocket, Option<SocketAddr>);

/// The file of a Unix socket, which goes when nobody listens on it any more.
#[derive(Debug)]
pub(super) struct SocketFile {
    path: PathBuf,
    device: u64,
    inode: u64,
}

impl Bound {
    /// Listens. Port 0 is a free one for the first thread, and the same one for the others.
    pub(super) fn new(address: &Address, threads: usize) -> io::Result<Self> {
        match address {
            Address::Tcp(address) => {
                let mut address = *address;
                let (mut sockets, mut copies) = (Vec::new(), Vec::new());
                for _ in 0..threads {
                    let socket = listen_tcp(address)?;
                    address = socket.local_addr()?;
                    copies.push(socket.try_clone()?.into());
                    sockets.push(vec![ListeningSocket::Tcp(socket)]);
                }
                Ok(Self { address: Address::Tcp(address), sockets, copies, file: None })
            }
            Address::Unix { path, mode } => {
                let (socket, file) = listen_unix(path, *mode)?;
                // The threads share one queue: there is no SO_REUSEPORT for these.
                let sockets: io::Result<Vec<_>> =
                    (0..threads).map(|_| Ok(vec![ListeningSocket::Unix(socket.try_clone()?)])).collect();
                let copies = vec![socket.into()];
                Ok(Self { address: address.clone(), sockets: sockets?, copies, file: Some(file) })
            }
        }
    }

    /// Goes on listening on sockets that somebody else made. Each is looked after by a thread, since what waits in its queue
    /// is lost when it is closed; a thread for which none is left shares one.
    pub(super) fn inherited(address: &Address, sockets: Vec<OwnedFd>, threads: usize) -> io::Result<Self> {
        let own = |descriptor: &OwnedFd| -> io::Result<ListeningSocket> {
            let descriptor = descriptor.try_clone()?;
            // They share this flag with whoever made them, who may not have set it.
            rustix::io::ioctl_fionbio(&descriptor, true)?;
            Ok(match address {
                Address::Tcp(_) => ListeningSocket::Tcp(descriptor.into()),
                Address::Unix { .. } => ListeningSocket::Unix(descriptor.into()),
            })
        };
        let mut of_threads: Vec<Vec<_>> = (0..threads).map(|_| Vec::new()).collect();
        for index in 0..sockets.len().max(threads) {
            of_threads[index % threads].push(own(&sockets[index % sockets.len()])?);
        }
        let (address, file) = match (address, &of_threads[0][0]) {
            (Address::Unix { path, .. }, _) => (address.clone(), SocketFile::at(path).ok()),
            (_, ListeningSocket::Tcp(socket)) => (Address::Tcp(socket.local_addr()?), None),
            _ => (address.clone(), None),
        };
        Ok(Self { address, sockets: of_threads, copies: sockets, file })
    }
}

/// A socket that shares its address with those of the other threads; the kernel spreads connections over them.
fn listen_tcp(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = RawSocket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(QUEUE)?;
    Ok(socket.into())
}

/// The socket listens under another name before it takes its own, so that whoever finds the file finds it whole: with
/// its mode, and somebody behind it.
fn listen_unix(path: &Path, mode: u32) -> io::Result<(StdUnixListener, SocketFile)> {
    is_free(path)?;
    let own = with_suffix(path, &format!(".{}", std::process::id()));
    if own.as_os_str().len() > Address::UNIX_PATH_BYTES_MAX {
        let most = Address::UNIX_PATH_BYTES_MAX - (own.as_os_str().len() - path.as_os_str().len());
        let message = format!("the path is too long for a socket: expected {most} bytes or fewer");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    // Left there by a process of the same number, which is gone: it is ours now.
    let _ = fs::remove_file(&own);
    let socket = RawSocket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(&own)?)?;
    let listening = fs::set_permissions(&own, Permissions::from_mode(mode))
        .and_then(|()| socket.listen(QUEUE))
        .and_then(|()| fs::symlink_metadata(&own))
        .and_then(|file| fs::rename(&own, path).map(|()| file));
    match listening {
        Ok(file) => {
            let file = SocketFile { path: path.to_owned(), device: file.dev(), inode: file.ino() };
            Ok((std::os::fd::OwnedFd::from(socket).into(), file))
        }
        Err(error) => {
            let _ = fs::remove_file(&own);
            Err(error)
        }
    }
}

/// Whether a socket may be made here: nothing is there, or a socket that nobody answers on any more.
fn is_free(path: &Path) -> io::Result<()> {
    let in_the_way = |message: &str| Err(io::Error::new(io::ErrorKind::AddrInUse, message));
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
        Ok(file) if !file.file_type().is_socket() => {
            in_the_way("a file that is no socket is in the way; move it, or name another path")
        }
        Ok(_) => match StdUnixStream::connect(path) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Ok(_) => in_the_way("somebody else listens there"),
            // It may be in use by somebody whose clients we are not allowed to be.
            Err(error) => Err(error),
        },
    }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

impl SocketFile {
    /// What stands there now.
    fn at(path: &Path) -> io::Result<Self> {
        let file = fs::symlink_metadata(path)?;
        Ok(Self { path: path.to_owned(), device: file.dev(), inode: file.ino() })
    }

    /// Leaves the file where it is: somebody else listens behind it.
    pub(super) fn leave(mut self) {
        // No file has it.
        self.inode = 0;
    }
}

/// Takes the file away, unless another process has put its own in the place.
impl Drop for SocketFile {
    fn drop(&mut self) {
        let is_own = fs::symlink_metadata(&self.path)
            .is_ok_and(|file| (file.dev(), file.ino()) == (self.device, self.inode));
        if is_own && let Err(error) = fs::remove_file(&self.path) {
            tracing::warn!(%error, path = %self.path.display(), "the socket file could not be removed");
        }
    }
}

impl ListeningSocket {
    pub(super) fn into_acceptor(self) -> io::Result<Acceptor> {
        let (socket, is_unix) = match self {
            Self::Tcp(listener) => (listener.into(), false),
            Self::Unix(listener) => (listener.into(), true),
        };
        #[expect(
            deprecated,
            reason = "for those whose descriptor may change under it, which an OwnedFd's does not"
        )]
        let socket = AsyncFd::<OwnedFd>::with_interest(socket, Interest::READABLE)?;
        Ok(Acceptor { socket, is_unix })
    }
}

impl Acceptor {
    /// Waits until somebody waits, then for what is needed to take them, and takes them. Nothing is held for a client that
    /// is not there. `take` gives nothing when it finds that nobody [waits](Self::has_somebody) any more.
    pub(super) async fn accept<T>(&self, take: impl AsyncFn() -> Option<T>) -> io::Result<(Accepted, T)> {
        loop {
            let mut ready = self.socket.readable().await?;
            let Some(taken) = take().await else {
                ready.clear_ready();
                continue;
            };
            // Another thread may have been faster, where they share a queue.
            if let Ok(accepted) = ready.try_io(|socket| self.next(socket.get_ref())) {
                return accepted.map(|accepted| (accepted, taken));
            }
        }
    }

    /// Whether somebody waits, as the kernel says: that the socket was readable is still said when it has been read.
    pub(super) fn has_somebody(&self) -> bool {
        let mut asked = [PollFd::new(self.socket.get_ref(), PollFlags::IN)];
        let answer = rustix::event::poll(&mut asked, Some(&Timespec::default()));
        // Where the kernel does not say, accepting tells.
        answer.is_err() || asked[0].revents().contains(PollFlags::IN)
    }

    /// Ends it. Gives what the kernel has accepted already; the socket itself is asked, since the runtime may not have
    /// heard of the last ones yet. What comes after that goes to whoever listens then.
    pub(super) fn into_rest(self) -> Vec<Accepted> {
        let mut rest = Vec::new();
        while let Ok(accepted) = self.next(self.socket.get_ref()) {
            rest.push(accepted);
        }
        rest
    }

    fn next(&self, socket: &OwnedFd) -> io::Result<Accepted> {
        let (connection, peer) = SockRef::from(socket).accept()?;
        connection.set_nonblocking(true)?;
        if self.is_unix {
            return Ok((IdleSocket::Unix(connection.into()), None));
        }
        Ok((IdleSocket::Tcp(connection.into()), peer.as_socket()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listen(path: &Path) -> io::Result<Bound> {
        Bound::new(&Address::Unix { path: path.to_owned(), mode: 0o600 }, 1)
    }

    #[test]
    fn a_socket_file_that_nobody_answers_on_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        drop(StdUnixListener::bind(&path).unwrap());
        assert!(path.exists(), "the test has no stale file");
        let bound = listen(&path).unwrap();
        assert!(StdUnixStream::connect(&path).is_ok());
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        drop(bound);
        assert!(!path.exists(), "the file is left behind");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn whoever_listens_already_keeps_the_socket_file() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let first = listen(&path).unwrap();
        let told = listen(&path).err().unwrap();
        assert_eq!(told.kind(), io::ErrorKind::AddrInUse);
        assert!(StdUnixStream::connect(&path).is_ok());
        drop(first);
    }

    #[test]
    fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        fs::write(&path, "precious").unwrap();
        assert!(listen(&path).err().unwrap().to_string().contains("no socket"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "precious");
    }

    #[test]
    fn the_file_of_a_successor_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.sock");
        let first = listen(&path).unwrap();
        fs::remove_file(&path).unwrap();
        let second = listen(&path).unwrap();
        drop(first);
        assert!(StdUnixStream::connect(&path).is_ok());
        drop(second);
    }

    #[test]
    fn a_path_that_no_socket_can_have_is_told_with_the_limit() {
        let folder = tempfile::tempdir().unwrap();
        let told = listen(&folder.path().join("x".repeat(100))).err().unwrap().to_string();
        assert!(told.contains("too long for a socket: expected"), "{told}");
    }
}
