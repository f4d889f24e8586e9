//! `[http2]`: what a client of HTTP/2 may do.

use toml::Spanned;

use super::error::{ConfigError, Source};
use super::file::Http2;
use super::units::{Positive, Size, Time};
use crate::data_plane;

/// RFC 9113 §6.9.1: the largest window.
const WINDOW_MAX: u64 = (1 << 31) - 1;
/// RFC 9113 §6.9.2: what a connection begins with, and cannot have less.
const WINDOW_INITIAL: u64 = 65_535;

impl Default for Http2 {
    fn default() -> Self {
        let config = data_plane::Http2::default();
        let size = |bytes: u64| Spanned::new(0..0, Size(bytes));
        Self {
            enabled: config.enabled,
            streams: Positive(config.streams_max as usize),
            stream_window: size(config.stream_window.into()),
            connection_window: size(config.connection_window.into()),
            send_buffer: size(config.send_buffer_max as u64),
            ping_interval: Time(config.ping_interval),
            ping_timeout: Time(config.ping_timeout),
            resets: Positive(usize::try_from(config.resets_max).unwrap_or(usize::MAX)),
            resets_pending: Positive(config.resets_pending_max),
            resets_local: Positive(config.resets_local_max),
            idle_frames: Positive(usize::try_from(config.idle_frames_max).unwrap_or(usize::MAX)),
        }
    }
}

impl Http2 {
    pub(super) fn resolve(&self, source: &Source<'_>) -> Result<data_plane::Http2, ConfigError> {
        let within = |size: &Spanned<Size>, least: u64| {
            let bytes = size.get_ref().0;
            let fits = u32::try_from(bytes).ok().filter(|_| (least..=WINDOW_MAX).contains(&bytes));
            fits.ok_or_else(|| {
                let message =
                    format!("{bytes} bytes are out of range: expected {least} to {WINDOW_MAX} bytes");
                source.wrong(size.span(), message)
            })
        };
        Ok(data_plane::Http2 {
            enabled: self.enabled,
            streams_max: u32::try_from(self.streams.0).unwrap_or(u32::MAX),
            stream_window: within(&self.stream_window, 1)?,
            connection_window: within(&self.connection_window, WINDOW_INITIAL)?,
            send_buffer_max: within(&self.send_buffer, 1)? as usize,
            ping_interval: self.ping_interval.0,
            ping_timeout: self.ping_timeout.0,
            resets_max: self.resets.0 as u64,
            resets_pending_max: self.resets_pending.0,
            resets_local_max: self.resets_local.0,
            idle_frames_max: self.idle_frames.0 as u64,
        })
    }
}
