//! Pages: bare arrays as always, or with `linked_partitioning` a collection that links to its next part.

use serde_json::{Value, json};

use crate::{
    domain::{Cursor, Page, Position},
    edges::public::caller::Caller,
    regressions::Regression,
};

/// A cursor wins over an offset; one that no page gave out counts as not said.
pub(super) fn page(caller: &Caller) -> Page {
    let cursor = caller.query.text("cursor").and_then(|cursor| cursor.replace('_', ":").parse().ok());
    let position = cursor.map_or(Position::Offset(caller.query.offset()), Position::After);
    let limit = caller.query.limit();
    let lower = caller.regressions.on(Regression::LowerClamp);
    Page { limit: if lower { limit.min(100) } else { limit }, position }
}

pub(super) fn write(caller: &Caller, items: Vec<Value>, next: Option<Cursor>) -> Value {
    if caller.query.flag("linked_partitioning") == Some(true) {
        collection(caller, items, next)
    } else {
        Value::Array(items)
    }
}

pub(super) fn collection(caller: &Caller, items: Vec<Value>, next: Option<Cursor>) -> Value {
    let mut answer = json!({ "collection": items });
    if let Some(cursor) = next {
        answer["next_href"] = json!(next_href(caller, cursor));
    } else if caller.regressions.on(Regression::NullNextHref) {
        answer["next_href"] = Value::Null;
    }
    answer
}

/// The same request from `cursor` on. The caller's token is not repeated: links are logged and shared.
fn next_href(caller: &Caller, cursor: Cursor) -> String {
    let kept = caller.query.without(&["cursor", "offset", "oauth_token"]);
    let query = kept.with("cursor", format!("{}_{}", cursor.key, cursor.id));
    format!("{}?{}", caller.links.api(&caller.path), query.encoded())
}
