//! Accounts elsewhere.

use serde_json::{Value, json};

use crate::{
    domain::Connection,
    public::{Caller, representation::time},
};

pub(crate) fn connection(connection: &Connection, caller: &Caller) -> Value {
    json!({
        "kind": "connection",
        "id": connection.id,
        "created_at": time(connection.created_at),
        "display_name": connection.display_name,
        "post_favorite": connection.post_favorite,
        "post_publish": connection.post_publish,
        "service": connection.service,
        "type": connection.service,
        "uri": caller.links.api(&format!("/me/connections/{}", connection.id)),
    })
}
