//! The playlist endpoints of the three dialects, out of their OpenAPI documents.

use diff_harness::endpoint::EndpointId;
use http::Method;
use serde_json::Value;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Public,
    Mobile,
    Web,
}

#[derive(Clone, Debug)]
pub struct Endpoint {
    pub dialect: Dialect,
    /// With the dialect's mount point.
    pub id: EndpointId,
    /// Documented query parameters.
    pub query: Vec<String>,
}

impl Endpoint {
    pub fn all() -> Vec<Self> {
        let documents = [
            (Dialect::Public, mothership::public::DOCUMENT),
            (Dialect::Mobile, mothership::mobile::DOCUMENT),
            (Dialect::Web, mothership::web::DOCUMENT),
        ];
        documents.into_iter().flat_map(|(dialect, text)| of(dialect, text)).collect()
    }

    /// The one of that dialect whose template is `path` below the mount point.
    pub fn find(all: &[Self], dialect: Dialect, method: &Method, path: &str) -> usize {
        let template = format!("{}{path}", dialect.mount());
        all.iter()
            .position(|one| one.id.method() == method && one.id.template() == template)
            .unwrap_or_else(|| panic!("no document has {method} {template}"))
    }

    pub fn is_write(&self) -> bool {
        // A batch is asked for with POST because of its length.
        !self.id.is_safe() && !self.id.template().ends_with("/batch")
    }

    /// The template below the mount point.
    pub fn path(&self) -> &str {
        self.id.template().strip_prefix(self.dialect.mount()).unwrap_or(self.id.template())
    }
}

impl Dialect {
    pub fn mount(self) -> &'static str {
        match self {
            Self::Public => "",
            Self::Mobile => "/mobile",
            Self::Web => "/web",
        }
    }
}

fn of(dialect: Dialect, text: &str) -> Vec<Endpoint> {
    let document: Value = serde_json::from_str(text).expect("the documents are JSON");
    let mut endpoints = Vec::new();
    for (path, methods) in document["paths"].as_object().expect("a document has paths") {
        let words = path.to_lowercase();
        if !(words.contains("playlist") || words.contains("/sets") || words.contains("/albums")) {
            continue;
        }
        for (method, operation) in methods.as_object().expect("a path has operations") {
            if operation.get("responses").is_none() {
                continue;
            }
            let method = method.to_uppercase().parse().expect("keys with responses are methods");
            let template = format!("{}{path}", dialect.mount());
            let query = query_parameters(&document, operation);
            endpoints.push(Endpoint { dialect, id: EndpointId::new(method, template), query });
        }
    }
    endpoints
}

fn query_parameters(document: &Value, operation: &Value) -> Vec<String> {
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let resolved = parameters.map(|parameter| match parameter["$ref"].as_str() {
        Some(reference) => document.pointer(reference.trim_start_matches('#')).expect("references lead on"),
        None => parameter,
    });
    let named = resolved.filter(|parameter| parameter["in"] == "query");
    named.map(|parameter| parameter["name"].as_str().expect("parameters have names").to_owned()).collect()
}

#[test]
fn the_documents_have_ninety_playlist_endpoints_or_more() {
    assert!(Endpoint::all().len() >= 90, "{}", Endpoint::all().len());
}
