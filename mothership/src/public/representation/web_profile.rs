//! Links on profiles.

use serde_json::{Value, json};

use crate::{domain::WebProfile, public::representation::time};

pub(crate) fn web_profile(profile: &WebProfile) -> Value {
    json!({
        "kind": "web-profile",
        "id": profile.id,
        "service": profile.service,
        "title": profile.title,
        "url": profile.url,
        "username": profile.username,
        "created_at": time(profile.created_at),
    })
}
