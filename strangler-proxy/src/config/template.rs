//! The config that `strangler init` writes: every setting with its default, and what it is for.

use super::upstream::Upstream;

/// A commented `strangler.toml` with these upstreams.
pub fn template(control: &Upstream, candidate: &Upstream) -> String {
    include_str!("template.toml")
        .replace("{control}", &control.to_string())
        .replace("{candidate}", &candidate.to_string())
}
