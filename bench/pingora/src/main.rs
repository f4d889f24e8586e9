//! Forwards everything to one upstream: `pingora-pass-through LISTEN UPSTREAM [TLS_LISTEN CERTIFICATE KEY]`.
//!
//! One thread, as each of those it is measured against has. Both listeners speak HTTP/1.1 and HTTP/2.

use async_trait::async_trait;
use pingora_core::Result;
use pingora_core::apps::HttpServerOptions;
use pingora_core::listeners::tls::TlsSettings;
use pingora_core::server::Server;
use pingora_core::server::configuration::ServerConf;
use pingora_core::upstreams::peer::HttpPeer;
use pingora_proxy::{ProxyHttp, Session, http_proxy_service};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Connections that are kept to the upstream: more than the load opens.
const KEPT: usize = 256;

struct PassThrough {
    upstream: String,
}

#[async_trait]
impl ProxyHttp for PassThrough {
    type CTX = ();

    fn new_ctx(&self) -> Self::CTX {}

    async fn upstream_peer(&self, _session: &mut Session, _ctx: &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(self.upstream.as_str(), false, String::new())))
    }
}

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let (listen, upstream, tls) = match words.as_slice() {
        [listen, upstream] => (listen, upstream, None),
        [listen, upstream, tls, certificate, key] => (listen, upstream, Some((tls, certificate, key))),
        _ => {
            eprintln!("usage: pingora-pass-through LISTEN UPSTREAM [TLS_LISTEN CERTIFICATE KEY]");
            std::process::exit(2);
        }
    };
    let conf = ServerConf { threads: 1, upstream_keepalive_pool_size: KEPT, ..ServerConf::default() };
    let mut server = Server::new_with_opt_and_conf(None, conf);
    server.bootstrap();
    let mut service = http_proxy_service(&server.configuration, PassThrough { upstream: upstream.clone() });
    let mut options = HttpServerOptions::default();
    options.h2c = true;
    service.app_logic_mut().expect("it was just made").server_options = Some(options);
    service.add_tcp(listen);
    if let Some((tls, certificate, key)) = tls {
        let mut settings = TlsSettings::intermediate(certificate, key).expect("a certificate and its key");
        settings.enable_h2();
        service.add_tls_with_settings(tls, None, settings);
    }
    server.add_service(service);
    server.run_forever();
}
