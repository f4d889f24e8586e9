//! Pages: bare arrays as always, or with `linked_partitioning` a collection that links to its next part.

use serde_json::{Value, json};

use crate::{
    public::Caller,
    store::{Cursor, Page, Position},
};

/// What stands at the end of a collection where there is no next part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LastPart {
    /// No `next_href` at all.
    Missing,
    /// `next_href: null`.
    Null,
}

/// A cursor wins over an offset; one that no page gave out counts as not said.
pub(super) fn page(caller: &Caller) -> Page {
    let cursor = caller.query.text("cursor").and_then(|cursor| cursor.replace('_', ":").parse().ok());
    let position = cursor.map_or(Position::Offset(caller.query.offset()), Position::After);
    Page { limit: caller.query.limit(), position }
}

pub(super) fn write(caller: &Caller, items: Vec<Value>, next: Option<Cursor>, last: LastPart) -> Value {
    if caller.query.flag("linked_partitioning") == Some(true) {
        collection(caller, items, next, last)
    } else {
        Value::Array(items)
    }
}

pub(super) fn collection(caller: &Caller, items: Vec<Value>, next: Option<Cursor>, last: LastPart) -> Value {
    let mut answer = json!({ "collection": items });
    match next {
        Some(cursor) => answer["next_href"] = json!(next_href(caller, cursor)),
        None if last == LastPart::Null => answer["next_href"] = Value::Null,
        None => {}
    }
    answer
}

/// The same request from `cursor` on. The caller's token is not repeated: links are logged and shared.
fn next_href(caller: &Caller, cursor: Cursor) -> String {
    let kept = caller.query.without(&["cursor", "offset", "oauth_token"]);
    let query = kept.with("cursor", format!("{}_{}", cursor.key, cursor.id));
    format!("{}?{}", caller.links.api(&caller.path), query.encoded())
}
