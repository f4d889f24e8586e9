//! The short form of users, beside their things and in lists.

use serde_json::{Value, json};

use crate::{
    domain::Person,
    edges::public::{
        caller::{Caller, SITE},
        representation::time::time,
    },
};

const DEFAULT_AVATAR: &str = "/images/default_avatar_large.png";

pub(crate) fn short_user(user: &Person, caller: &Caller) -> Value {
    json!({
        "avatar_url": avatar(user),
        "id": user.id,
        "kind": "user",
        "permalink_url": format!("{SITE}/{}", user.permalink),
        "uri": caller.links.api(&format!("/users/{}", user.id)),
        "username": user.username,
        "permalink": user.permalink,
        "last_modified": time(user.last_modified),
    })
}

fn avatar(user: &Person) -> String {
    match user.avatar_url.as_deref() {
        Some(url) if !url.is_empty() => url.to_owned(),
        _ => format!("{SITE}{DEFAULT_AVATAR}"),
    }
}
