//! From the sections of the file to the settings of the modules, and back for their defaults.

use std::path::PathBuf;
use std::time::Duration;

use diff_harness::ledger::Retention;

use super::DEFAULT_STORE;
use super::error::{ConfigError, Source};
use super::file::{Fallback, Forwarding, Limits, Paths, Record, Shadow, Store, Timeouts};
use super::units::{Niceness, Positive, Share, Size, Time};
use super::upstream::Upstream;
use crate::data_plane::{self, Network, UpstreamConfig};
use crate::fallback::FallbackConfig;
use crate::record::RecordConfig;
use crate::routes::{MatchPolicy, PathPolicy};
use crate::shadow::ShadowConfig;

/// How long requests that are being answered may take to end after SIGTERM.
pub const DEFAULT_DRAIN: Duration = Duration::from_secs(25);

impl Default for Limits {
    fn default() -> Self {
        let client = data_plane::Limits::default();
        let upstream = UpstreamConfig::new("");
        Self {
            connections: Positive(client.connections_max),
            request_head: Size(client.head_bytes_max as u64),
            request_fields: Positive(client.fields_max),
            request_target: Size(client.target_bytes_max as u64),
            request_body: Size(client.body_bytes_max),
            request_body_progress: Size(client.body_progress_min),
            requests: Positive(client.requests_max),
            tunnels: Positive(client.tunnels_max),
            shed_shadow_at: Share(client.shed_share),
            gather_body: Size(client.gather_bytes as u64),
            replay_body: Size(client.replay_bytes_max as u64),
            response_head: Size(upstream.head_bytes_max as u64),
            response_fields: Positive(upstream.fields_max),
            upstream_connections: Positive(upstream.connections_max),
            upstream_waiting: upstream.waiting_max,
            upstream_idle: upstream.idle_max,
        }
    }
}

impl Limits {
    pub(super) fn resolve(&self) -> data_plane::Limits {
        data_plane::Limits {
            connections_max: self.connections.0,
            head_bytes_max: self.request_head.bytes(),
            fields_max: self.request_fields.0,
            target_bytes_max: self.request_target.bytes(),
            body_bytes_max: self.request_body.0,
            body_progress_min: self.request_body_progress.0,
            requests_max: self.requests.0,
            tunnels_max: self.tunnels.0,
            shed_share: self.shed_shadow_at.0,
            gather_bytes: self.gather_body.bytes(),
            replay_bytes_max: self.replay_body.bytes(),
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        let client = data_plane::Timeouts::default();
        let upstream = UpstreamConfig::new("");
        Self {
            request_head: Time(client.head),
            request_body: Time(client.body),
            client_write: Time(client.write),
            client_idle: Time(client.idle),
            tunnel: Time(client.tunnel),
            expect_continue: Time(client.expect),
            connect: Time(upstream.connect_timeout),
            upstream_wait: Time(upstream.wait_max),
            upstream_idle: Time(upstream.idle_timeout),
            response_head: Time(upstream.head_timeout),
            response_body: Time(upstream.body_timeout),
            drain: Time(DEFAULT_DRAIN),
        }
    }
}

impl Timeouts {
    pub(super) fn resolve(&self) -> data_plane::Timeouts {
        data_plane::Timeouts {
            head: self.request_head.0,
            body: self.request_body.0,
            write: self.client_write.0,
            idle: self.client_idle.0,
            tunnel: self.tunnel.0,
            expect: self.expect_continue.0,
        }
    }

    /// Both upstreams have the same limits: what one side may cost, the other may too.
    pub(super) fn upstream(
        &self,
        limits: &Limits,
        upstream: &Upstream,
        beside: &dyn Fn(&str) -> PathBuf,
    ) -> UpstreamConfig {
        let common = UpstreamConfig {
            connections_max: limits.upstream_connections.0,
            waiting_max: limits.upstream_waiting,
            wait_max: self.upstream_wait.0,
            idle_max: limits.upstream_idle,
            idle_timeout: self.upstream_idle.0,
            connect_timeout: self.connect.0,
            head_timeout: self.response_head.0,
            body_timeout: self.response_body.0,
            head_bytes_max: limits.response_head.bytes(),
            fields_max: limits.response_fields.0,
            ..UpstreamConfig::new("")
        };
        upstream.over(common, beside)
    }
}

impl Default for Forwarding {
    fn default() -> Self {
        let config = data_plane::Forwarding::default();
        Self {
            trusted_proxies: Vec::new(),
            via: config.pseudonym,
            preserve_header_case: config.preserve_header_case,
            informational: config.informational,
            half_close: config.half_close,
        }
    }
}

impl Forwarding {
    pub(super) fn resolve(&self, source: &Source<'_>) -> Result<data_plane::Forwarding, ConfigError> {
        let network = |text: &toml::Spanned<String>| {
            text.get_ref().parse::<Network>().map_err(|problem| source.wrong(text.span(), problem))
        };
        let (unix, networks): (Vec<_>, Vec<_>) =
            self.trusted_proxies.iter().partition(|text| text.get_ref() == "unix");
        Ok(data_plane::Forwarding {
            trusted: networks.into_iter().map(network).collect::<Result<_, _>>()?,
            trusts_unix: !unix.is_empty(),
            pseudonym: self.via.clone(),
            preserve_header_case: self.preserve_header_case,
            informational: self.informational,
            half_close: self.half_close,
        })
    }
}

impl Default for Paths {
    fn default() -> Self {
        let policy = PathPolicy::default();
        Self {
            trailing_slash: MatchPolicy::default().trailing_slash,
            encoded_slash: policy.encoded_slash,
            backslash: policy.backslash,
            dot_segments: policy.dot_segments,
            duplicate_slash: policy.duplicate_slash,
            path_parameters: policy.path_parameters,
            non_ascii: policy.non_ascii,
            absolute_form: policy.absolute_form,
        }
    }
}

impl Paths {
    pub(super) fn resolve(&self) -> (PathPolicy, MatchPolicy) {
        let paths = PathPolicy {
            encoded_slash: self.encoded_slash,
            backslash: self.backslash,
            dot_segments: self.dot_segments,
            duplicate_slash: self.duplicate_slash,
            path_parameters: self.path_parameters,
            non_ascii: self.non_ascii,
            absolute_form: self.absolute_form,
        };
        (paths, MatchPolicy { trailing_slash: self.trailing_slash })
    }
}

impl Default for Store {
    fn default() -> Self {
        let retention = Retention::default();
        Self {
            path: DEFAULT_STORE.to_owned(),
            exchange_bytes: Size(retention.exchange_bytes_max),
            exchange_age: Time(retention.exchange_age_max),
            samples_per_group: retention.samples_per_group,
            matches_per_endpoint: retention.matches_per_endpoint,
            groups_per_endpoint: retention.groups_per_endpoint,
            recorded_per_endpoint: retention.recorded_per_endpoint,
        }
    }
}

impl Store {
    pub(super) fn resolve(&self) -> Retention {
        Retention {
            exchange_bytes_max: self.exchange_bytes.0,
            exchange_age_max: self.exchange_age.0,
            samples_per_group: self.samples_per_group,
            matches_per_endpoint: self.matches_per_endpoint,
            groups_per_endpoint: self.groups_per_endpoint,
            recorded_per_endpoint: self.recorded_per_endpoint,
        }
    }
}

impl Default for Shadow {
    fn default() -> Self {
        let config = ShadowConfig::default();
        Self {
            control_twice: Share(config.twice_share),
            again_per_second: config.again_per_second,
            again_queue: Positive(config.again_queue_max),
            share: Share(config.share),
            queue: Positive(config.queue_max),
            concurrency: Positive(config.concurrency_max),
            wait: Time(config.wait_max),
            timeout: Time(config.exchange_max),
            connect_timeout: Time(config.connect_max),
            kept_body: Size(config.body_kept_max as u64),
            decoded_body: Size(config.body_decoded_max as u64),
            read_body: Size(config.body_read_max),
            memory: Size(config.memory_max as u64),
            nice: Niceness(config.niceness),
        }
    }
}

impl Shadow {
    pub(super) fn resolve(&self) -> ShadowConfig {
        ShadowConfig {
            twice_share: self.control_twice.0,
            again_per_second: self.again_per_second,
            again_queue_max: self.again_queue.0,
            share: self.share.0,
            queue_max: self.queue.0,
            concurrency_max: self.concurrency.0,
            wait_max: self.wait.0,
            exchange_max: self.timeout.0,
            connect_max: self.connect_timeout.0,
            body_kept_max: self.kept_body.bytes(),
            body_decoded_max: self.decoded_body.bytes(),
            body_read_max: self.read_body.0,
            memory_max: self.memory.bytes(),
            niceness: self.nice.0,
            ..ShadowConfig::default()
        }
    }
}

impl Default for Fallback {
    fn default() -> Self {
        let config = FallbackConfig::default();
        Self {
            window: toml::Spanned::new(0..0, Time(config.window)),
            failures: Positive(config.failures as usize),
            share: Share(config.share),
        }
    }
}

impl Fallback {
    pub(super) fn resolve(&self, source: &Source<'_>) -> Result<FallbackConfig, ConfigError> {
        const SHORTEST: Duration = Duration::from_millis(10);
        let window = self.window.get_ref().0;
        if window < SHORTEST {
            let message = format!("a window of {window:?} is too short: expected 10ms or more");
            return Err(source.wrong(self.window.span(), message));
        }
        let failures = u32::try_from(self.failures.0).unwrap_or(u32::MAX);
        Ok(FallbackConfig { window, failures, share: self.share.0, ..FallbackConfig::default() })
    }
}

impl Default for Record {
    fn default() -> Self {
        let config = RecordConfig::default();
        Self {
            threads: Positive(config.threads),
            nice: Niceness(config.niceness),
            queue: Positive(config.queue_max),
            keep_match_every: config.keep_match_every,
            negative_control_every: Time(config.negative_control_every),
            write_every: Time(config.write_every),
            waiting: config.waiting_max,
            waiting_bytes: Size(config.waiting_bytes_max as u64),
        }
    }
}

impl Record {
    pub(super) fn resolve(&self) -> RecordConfig {
        RecordConfig {
            threads: self.threads.0,
            niceness: self.nice.0,
            queue_max: self.queue.0,
            keep_match_every: self.keep_match_every,
            negative_control_every: self.negative_control_every.0,
            write_every: self.write_every.0,
            waiting_max: self.waiting,
            waiting_bytes_max: self.waiting_bytes.bytes(),
            ..RecordConfig::default()
        }
    }
}
