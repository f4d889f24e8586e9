//! Forwards everything to one upstream: `hyper-pass-through LISTEN UPSTREAM [HTTP2_LISTEN]`.
//!
//! One thread, and nothing but the library: the connection to the upstream that was used last is used next, and of the
//! fields only `Connection` is taken out, both ways. The first line it prints says where it listens, for a port of 0.

use std::cell::RefCell;
use std::convert::Infallible;
use std::error::Error;
use std::rc::Rc;

use http_body_util::{Either, Empty};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::SendRequest;
use hyper::header::CONNECTION;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Body = Either<Incoming, Empty<Bytes>>;

struct Upstream {
    address: String,
    idle: RefCell<Vec<SendRequest<Incoming>>>,
}

/// Makes a task of a stream of HTTP/2.
#[derive(Clone)]
struct Here;

impl<F: Future<Output: 'static> + 'static> hyper::rt::Executor<F> for Here {
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}

impl Upstream {
    async fn forward(self: Rc<Self>, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
        let response = self.ask(request).await.unwrap_or_else(|_| {
            let mut failed = Response::new(Either::Right(Empty::new()));
            *failed.status_mut() = StatusCode::BAD_GATEWAY;
            failed
        });
        Ok(response)
    }

    async fn ask(self: Rc<Self>, mut request: Request<Incoming>) -> Result<Response<Body>, Box<dyn Error>> {
        let mut sender = self.sender().await?;
        if request.version() == Version::HTTP_2 {
            let authority = request.uri().authority().map(|authority| authority.as_str().parse()).transpose()?;
            let target = request.uri().path_and_query().cloned().ok_or("no target")?;
            *request.uri_mut() = target.into();
            *request.version_mut() = Version::HTTP_11;
            if let Some(host) = authority {
                request.headers_mut().insert(hyper::header::HOST, host);
            }
        }
        request.headers_mut().remove(CONNECTION);
        let mut response = sender.send_request(request).await?;
        response.headers_mut().remove(CONNECTION);
        // It takes another request when the response has been read to its end, and is put back then.
        tokio::task::spawn_local(async move {
            if sender.ready().await.is_ok() {
                self.idle.borrow_mut().push(sender);
            }
        });
        Ok(response.map(Either::Left))
    }

    async fn sender(&self) -> Result<SendRequest<Incoming>, Box<dyn Error>> {
        while let Some(sender) = { self.idle.borrow_mut().pop() } {
            if sender.is_ready() {
                return Ok(sender);
            }
        }
        let socket = TcpStream::connect(&self.address).await?;
        socket.set_nodelay(true)?;
        let (sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(socket)).await?;
        tokio::task::spawn_local(connection);
        Ok(sender)
    }
}

async fn listen(address: String, upstream: Rc<Upstream>, is_http2: bool) -> Result<(), Box<dyn Error>> {
    let listener = TcpListener::bind(address).await?;
    println!("listening on http://{}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let socket = TokioIo::new(socket);
        let upstream = Rc::clone(&upstream);
        let service = service_fn(move |request| Rc::clone(&upstream).forward(request));
        if is_http2 {
            tokio::task::spawn_local(http2::Builder::new(Here).serve_connection(socket, service));
        } else {
            tokio::task::spawn_local(http1::Builder::new().serve_connection(socket, service));
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (address, upstream, http2) = match words.as_slice() {
        [address, upstream] => (address, upstream, None),
        [address, upstream, http2] => (address, upstream, Some(http2.clone())),
        _ => {
            eprintln!("usage: hyper-pass-through LISTEN UPSTREAM [HTTP2_LISTEN]");
            std::process::exit(2);
        }
    };
    let upstream = Rc::new(Upstream { address: upstream.clone(), idle: RefCell::default() });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build_local(Default::default())?;
    runtime.block_on(async {
        let http1 = tokio::task::spawn_local(listen(address.clone(), Rc::clone(&upstream), false));
        if let Some(http2) = http2 {
            tokio::task::spawn_local(listen(http2, upstream, true));
        }
        http1.await?
    })
}
