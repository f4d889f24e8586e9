//! `strangler.toml` as it is written. Every section stands for the plain config of one module; what a file leaves
//! out is that module's default.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use diff_harness::rules::RuleTable;
use serde::Deserialize;
use toml::Spanned;

use super::cohort::Key;
use super::policy::PolicyTable;
use super::units::{Niceness, Positive, Share, Size, Time};
use super::upstream::Upstream;
use crate::data_plane::HalfClose;
use crate::routes::{Encoded, Hazard, TrailingSlash};

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct File {
    /// A rules file, read besides the `[[rules]]` of this file.
    pub(super) rules_file: Option<Spanned<String>>,
    pub(super) upstreams: Upstreams,
    pub(super) listen: Listen,
    pub(super) listener: Vec<Listener>,
    pub(super) http2: Http2,
    pub(super) admin: Admin,
    pub(super) store: Store,
    pub(super) log: Log,
    pub(super) limits: Limits,
    pub(super) timeouts: Timeouts,
    pub(super) forwarding: Forwarding,
    pub(super) paths: Paths,
    pub(super) cohort: Cohort,
    pub(super) fallback: Fallback,
    pub(super) verify: Verify,
    pub(super) points_of_no_return: Vec<Spanned<Point>>,
    pub(super) shadow: Shadow,
    pub(super) record: Record,
    pub(super) redaction: Redaction,
    pub(super) policy: PolicyTable,
    pub(super) epochs: Epochs,
    pub(super) rules: Vec<Spanned<RuleTable>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Upstreams {
    pub(super) control: Option<Upstream>,
    pub(super) candidate: Option<Upstream>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Listen {
    pub(super) address: Option<Spanned<String>>,
    pub(super) threads: Option<Spanned<usize>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listener {
    pub(super) address: Spanned<String>,
    pub(super) mode: Option<Spanned<String>>,
    pub(super) connections: Option<Positive>,
    pub(super) requests: Option<Positive>,
    pub(super) tls: Option<Spanned<Tls>>,
    pub(super) proxy_protocol: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) proxy_protocol_from: Vec<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tls {
    pub(super) certificate: String,
    pub(super) key: String,
    #[serde(default)]
    pub(super) certificates: Vec<CertificateAndKey>,
    pub(super) min_version: Option<Spanned<String>>,
    pub(super) client_ca: Option<String>,
    pub(super) client_certificates: Option<Spanned<String>>,
    pub(super) handshake: Option<Time>,
    pub(super) handshakes: Option<Positive>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CertificateAndKey {
    pub(super) certificate: String,
    pub(super) key: String,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Http2 {
    pub(super) enabled: bool,
    pub(super) streams: Positive,
    pub(super) stream_window: Spanned<Size>,
    pub(super) connection_window: Spanned<Size>,
    pub(super) send_buffer: Spanned<Size>,
    pub(super) ping_interval: Time,
    pub(super) ping_timeout: Time,
    pub(super) resets: Positive,
    pub(super) resets_pending: Positive,
    pub(super) resets_local: Positive,
    pub(super) idle_frames: Positive,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Admin {
    pub(super) address: Option<Spanned<SocketAddr>>,
    pub(super) connections: Option<Positive>,
    pub(super) request_body: Option<Spanned<Size>>,
    pub(super) request_bodies: Option<Size>,
    pub(super) tokens: Vec<Spanned<Token>>,
    pub(super) proxy: Option<Spanned<TrustedProxy>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    pub(super) name: String,
    pub(super) token: Option<String>,
    pub(super) token_file: Option<String>,
    pub(super) role: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TrustedProxy {
    pub(super) peers: Vec<Spanned<String>>,
    pub(super) user_header: Spanned<String>,
    pub(super) role_header: Spanned<String>,
    #[serde(default)]
    pub(super) hosts: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Store {
    pub(super) path: String,
    pub(super) exchange_bytes: Size,
    pub(super) exchange_age: Time,
    pub(super) samples_per_group: u32,
    pub(super) matches_per_endpoint: u32,
    pub(super) groups_per_endpoint: u32,
    pub(super) recorded_per_endpoint: u32,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Log {
    pub(super) format: super::LogFormat,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Cohort {
    pub(super) key: Key,
    pub(super) base_path: Option<Spanned<String>>,
    pub(super) groups: BTreeMap<Spanned<String>, String>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Limits {
    pub(super) connections: Positive,
    pub(super) request_head: Size,
    pub(super) request_fields: Positive,
    pub(super) request_target: Size,
    pub(super) request_body: Size,
    pub(super) request_body_progress: Size,
    pub(super) requests: Positive,
    pub(super) tunnels: Positive,
    pub(super) shed_shadow_at: Share,
    pub(super) gather_body: Size,
    pub(super) replay_body: Size,
    pub(super) response_head: Size,
    pub(super) response_fields: Positive,
    pub(super) upstream_connections: Positive,
    pub(super) upstream_waiting: usize,
    pub(super) upstream_idle: usize,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Timeouts {
    pub(super) request_head: Time,
    pub(super) request_body: Time,
    pub(super) client_write: Time,
    pub(super) client_idle: Time,
    pub(super) tunnel: Time,
    pub(super) expect_continue: Time,
    pub(super) connect: Time,
    pub(super) upstream_wait: Time,
    pub(super) upstream_idle: Time,
    pub(super) response_head: Time,
    pub(super) response_body: Time,
    pub(super) drain: Time,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Forwarding {
    pub(super) trusted_proxies: Vec<Spanned<String>>,
    pub(super) via: String,
    pub(super) preserve_header_case: bool,
    pub(super) informational: bool,
    pub(super) half_close: HalfClose,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Paths {
    pub(super) trailing_slash: TrailingSlash,
    pub(super) encoded_slash: Encoded,
    pub(super) backslash: Encoded,
    pub(super) dot_segments: Hazard,
    pub(super) duplicate_slash: Hazard,
    pub(super) path_parameters: Encoded,
    pub(super) non_ascii: Encoded,
    pub(super) absolute_form: Encoded,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Shadow {
    pub(super) control_twice: Share,
    pub(super) again_per_second: u32,
    pub(super) again_queue: Positive,
    pub(super) share: Share,
    pub(super) queue: Positive,
    pub(super) concurrency: Positive,
    pub(super) wait: Time,
    pub(super) timeout: Time,
    pub(super) connect_timeout: Time,
    pub(super) kept_body: Size,
    pub(super) decoded_body: Size,
    pub(super) read_body: Size,
    pub(super) memory: Size,
    pub(super) nice: Niceness,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Point {
    pub(super) endpoint: Spanned<String>,
    pub(super) stage: Spanned<String>,
    pub(super) why: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReadBack {
    pub(super) endpoint: Spanned<String>,
    pub(super) read: Spanned<String>,
    pub(super) after: Option<Time>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Verify {
    pub(super) header: Option<Spanned<String>>,
    pub(super) value: Option<Spanned<String>>,
    pub(super) confirm_header: Option<Spanned<String>>,
    pub(super) first: Option<Spanned<bool>>,
    pub(super) first_wait: Option<Spanned<Time>>,
    pub(super) first_waiting: Option<Spanned<Positive>>,
    pub(super) read_back: Vec<ReadBack>,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Fallback {
    pub(super) window: Spanned<Time>,
    pub(super) failures: Positive,
    pub(super) share: Share,
}

#[derive(Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Record {
    pub(super) threads: Positive,
    pub(super) nice: Niceness,
    pub(super) queue: Positive,
    pub(super) keep_match_every: u64,
    pub(super) negative_control_every: Time,
    pub(super) write_every: Time,
    pub(super) waiting: usize,
    pub(super) waiting_bytes: Size,
}

/// Added to what is secret anyway: a config cannot make a secret public by leaving it out.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Redaction {
    pub(super) headers: Vec<String>,
    pub(super) show_cookies: Vec<String>,
    pub(super) query: Vec<String>,
    pub(super) json_members: Vec<String>,
    pub(super) json_paths: Vec<Spanned<String>>,
    pub(super) form_fields: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Epochs {
    pub(super) control_header: Option<Spanned<String>>,
    pub(super) candidate_header: Option<Spanned<String>>,
}
