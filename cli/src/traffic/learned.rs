//! What answers tell of the world: positions in lists, tags.

use diff_harness::exchange::{Observation, Outcome};
use http::{Method, header};
use serde_json::Value;

use crate::{ask::Ask, world::World};

impl World {
    /// Later requests ask for what this one was told of.
    pub fn learn(&mut self, ask: &Ask, answer: &Observation) {
        let Outcome::Response(response) = &answer.outcome else { return };
        if ask.method != Method::GET || !response.status.is_success() {
            return;
        }
        if let Some(tag) = response.headers.get(header::ETAG).and_then(|tag| tag.to_str().ok()) {
            self.keep_tag(&ask.target, tag);
        }
        let body = response.body.kept();
        if body.len() > 200_000 {
            return;
        }
        let Ok(Value::Object(body)) = serde_json::from_slice(body) else { return };
        if let Some(sealed) = body.get("next").and_then(Value::as_str) {
            self.keep_cursor(ask.endpoint, sealed.to_owned());
        }
        let next = body.get("next_href").and_then(Value::as_str).and_then(|next| next.split_once('?'));
        let Some((_, query)) = next else { return };
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query).unwrap_or_default();
        if let Some((_, cursor)) = pairs.into_iter().find(|(name, _)| name == "cursor") {
            self.keep_cursor(ask.endpoint, cursor);
        }
    }
}
