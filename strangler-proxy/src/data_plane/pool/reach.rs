//! What a request goes out on: a connection that is there, or a new one.

use std::io;

use bytes::Bytes;
use http::Request;
use http::header::UPGRADE;
use http_body::Body;
use hyper_util::rt::TokioIo;

use super::lane::Lane;
use super::link::Link;
use super::{BodyError, Freshness, LastWord, Line, Pool};
use crate::data_plane::upstream::{Protocol, Stream};

impl<B> Pool<B>
where
    B: Body<Data = Bytes> + Unpin + 'static,
    B::Error: Into<BodyError>,
{
    /// A connection to the address: one that is there, or a new one.
    pub(super) async fn reach(
        &self,
        lane: &Lane<B>,
        mut freshness: Freshness,
        request: &Request<B>,
    ) -> io::Result<Line<B>> {
        let config = &self.0.upstream.config;
        let may_choose = config.protocol == Protocol::Auto && config.tls.is_some();
        // Only a connection of HTTP/1.1 can become something else.
        let only_http1 = may_choose && request.headers().contains_key(UPGRADE);
        if self.0.is_http1 || only_http1 {
            let idle = if freshness == Freshness::Any { lane.take_idle() } else { None };
            return match idle {
                Some(link) => Ok(Line::Own(link)),
                None => self.connect(lane, only_http1).await,
            };
        }
        loop {
            if freshness == Freshness::Any {
                if let Some(stream) = lane.shared.stream(config.streams_max) {
                    return Ok(Line::Shared(stream));
                }
                if let Some(link) = lane.take_idle() {
                    return Ok(Line::Own(link));
                }
            }
            if lane.chose_http1.get() {
                return self.connect(lane, false).await;
            }
            // Many requests at once need one connection.
            match lane.shared.maker().await? {
                Some(maker) => {
                    let made = self.connect(lane, false).await;
                    if let Err(error) = &made {
                        maker.failed(error);
                    }
                    return made;
                }
                // One that was made since is new.
                None => freshness = Freshness::Any,
            }
        }
    }

    async fn connect(&self, lane: &Lane<B>, only_http1: bool) -> io::Result<Line<B>> {
        self.0.make_room();
        lane.address.counts.connect();
        let connecting = async {
            let (stream, is_http2) = self.0.upstream.connect(&lane.address, only_http1).await?;
            if is_http2 {
                lane.chose_http1.set(false);
                let streams_max = self.0.upstream.config.streams_max;
                let stream = lane.shared.begin(stream, self.0.config.head_bytes_max, streams_max).await?;
                return Ok(Line::Shared(stream));
            }
            lane.chose_http1.set(!only_http1);
            Ok(Line::Own(self.begin(stream).await?))
        };
        tokio::time::timeout(self.0.config.connect_timeout, connecting)
            .await
            .unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
    }

    /// Speaks HTTP/1.1 on a stream from here on.
    async fn begin(&self, stream: Stream) -> io::Result<Box<Link<B>>> {
        let config = &self.0.config;
        let ear = stream.ear();
        let mut client = hyper::client::conn::http1::Builder::new();
        client
            // RFC 9112 §5.1: they are taken out of a response, where a request that has them is refused.
            .allow_spaces_after_header_name_in_responses(true)
            .max_buf_size(config.head_bytes_max.max(8192));
        // Up to its own limit the library needs no memory for them.
        if config.fields_max > 100 {
            client.max_headers(config.fields_max);
        }
        let (sender, connection) = client
            .handshake(LastWord::new(TokioIo::new(stream)))
            .await
            .map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Box::new(Link::new(sender, connection, ear)))
    }
}
