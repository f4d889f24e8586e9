//! The service's OpenAPI documents tell of the playlist endpoints, all of them, and of what the monolith's tell of them.

use std::collections::{BTreeMap, BTreeSet};

use estate_traffic::endpoint::Endpoint;
use playlists_vas::edges::documents;
use serde_json::Value;

const PAIRS: [(&str, &str, &str); 3] = [
    ("", mothership::public::DOCUMENT, documents::PUBLIC),
    ("/mobile", mothership::mobile::DOCUMENT, documents::MOBILE),
    ("/web", mothership::web::DOCUMENT, documents::WEB),
];

/// By method and template, with the mount point, in the spelling of an endpoint.
fn operations(mount: &str, document: &str) -> BTreeMap<String, Value> {
    let document: Value = serde_json::from_str(document).unwrap();
    let mut operations = BTreeMap::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for method in ["get", "put", "post", "delete"] {
            if let Some(operation) = item.get(method) {
                operations.insert(format!("{} {mount}{path}", method.to_uppercase()), operation.clone());
            }
        }
    }
    operations
}

#[test]
fn the_documents_of_the_service_are_those_of_the_monolith_for_the_playlist_endpoints() {
    let mut told = BTreeSet::new();
    for (mount, whole, part) in PAIRS {
        let (whole, part) = (operations(mount, whole), operations(mount, part));
        for (name, operation) in part {
            assert_eq!(Some(&operation), whole.get(&name), "{name}");
            told.insert(name);
        }
    }
    let all: BTreeSet<String> = Endpoint::all().iter().map(|endpoint| endpoint.id.to_string()).collect();
    assert_eq!(told, all);
}

#[test]
fn whatever_a_document_refers_to_is_in_it() {
    fn references<'d>(value: &'d Value, found: &mut Vec<&'d str>) {
        match value {
            Value::Object(fields) => {
                found.extend(fields.get("$ref").and_then(Value::as_str));
                fields.values().for_each(|value| references(value, found));
            }
            Value::Array(items) => items.iter().for_each(|value| references(value, found)),
            _ => {}
        }
    }
    for (_, _, document) in PAIRS {
        let document: Value = serde_json::from_str(document).unwrap();
        let mut found = Vec::new();
        references(&document, &mut found);
        assert!(!found.is_empty());
        for reference in found {
            assert!(document.pointer(&reference[1..]).is_some(), "{reference} is nowhere");
        }
    }
}
