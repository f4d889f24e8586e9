//! The way of a client request, over real sockets: a raw client, the proxy, and upstreams that do as they are told.

mod accounting;
mod addresses;
mod bodies;
pub(crate) mod client;
mod drain;
mod fallback;
mod faults;
mod fields;
mod framing;
mod http2;
mod h2_origin;
mod listeners;
mod proxy_protocol;
mod tls;
pub(crate) mod origin;
mod protection;
mod proxy;
mod refusals;
mod reuse;
mod slow;
mod smuggling;
pub(crate) mod tls_origin;
mod upgrade;
mod upstream_h2;
mod upstream_tls;
