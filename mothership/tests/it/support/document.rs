//! The OpenAPI documents of the dialects: their operations, and whether a response is one of those that they promise.

use std::{cell::RefCell, collections::HashMap};

use http::Method;
use serde_json::{Map, Value, json};

use super::{Answer, Request};

pub(crate) struct Document {
    pub(crate) dialect: &'static str,
    /// Where the dialect is mounted: paths in the document are below it.
    pub(crate) mount: String,
    root: Value,
    components: Value,
    /// By schema: making one reads all components.
    validators: RefCell<HashMap<String, jsonschema::Validator>>,
}

#[derive(Debug, Clone)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: Method,
    /// A template, as in the document.
    pub(crate) path: String,
    node: Value,
}

impl Document {
    /// Of every dialect that there is.
    pub(crate) fn all() -> Vec<Self> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/openapi");
        let known = ["public", "mobile", "web"];
        let texts = known.iter().filter_map(|dialect| {
            let text = std::fs::read_to_string(format!("{folder}/{dialect}.json")).ok()?;
            Some(Self::parse(dialect, &text))
        });
        texts.collect()
    }

    pub(crate) fn of(dialect: &str) -> Self {
        Self::all().into_iter().find(|document| document.dialect == dialect).expect("there is such a dialect")
    }

    fn parse(dialect: &'static str, text: &str) -> Self {
        let root: Value = serde_json::from_str(text).unwrap();
        let mount = root["servers"][0]["url"].as_str().unwrap_or_default().trim_end_matches('/').to_owned();
        let mut components = root["components"].clone();
        to_json_schema(&mut components);
        Self { dialect, mount, root, components, validators: RefCell::default() }
    }

    pub(crate) fn operations(&self) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, methods) in self.root["paths"].as_object().unwrap() {
            for (method, node) in methods.as_object().unwrap() {
                let Ok(method) = method.to_uppercase().parse::<Method>() else { continue };
                if node.get("responses").is_none() {
                    continue;
                }
                let id = node["operationId"].as_str().unwrap_or_else(|| panic!("{method} {path} has no id"));
                operations.push(Operation {
                    id: id.to_owned(),
                    method,
                    path: path.clone(),
                    node: node.clone(),
                });
            }
        }
        operations
    }

    /// The operation with the examples of its path parameters, required query parameters and body filled in.
    pub(crate) fn example(&self, operation: &Operation) -> Request {
        let mut path = operation.path.clone();
        let mut query = Vec::new();
        for parameter in operation.node["parameters"].as_array().into_iter().flatten() {
            let parameter = self.resolved(parameter);
            let name = parameter["name"].as_str().unwrap();
            let example = match &parameter["example"] {
                Value::String(text) => text.clone(),
                other => other.to_string(),
            };
            match parameter["in"].as_str() {
                Some("path") => path = path.replace(&format!("{{{name}}}"), &example),
                Some("query") if parameter["required"] == true => query.push((name.to_owned(), example)),
                _ => {}
            }
        }
        if !query.is_empty() {
            path = format!("{path}?{}", serde_urlencoded::to_string(query).unwrap());
        }
        assert!(!path.contains('{'), "{path}: a path parameter has no example");
        let request = Request::new(operation.method.clone(), format!("{}{path}", self.mount));
        match self.body_example(operation) {
            Some(body) => request.header("content-type", "application/json").body(body.to_string()),
            None => request,
        }
    }

    pub(crate) fn body_example(&self, operation: &Operation) -> Option<Value> {
        let body = operation.node.get("requestBody")?;
        Some(self.resolved(body)["content"]["application/json"]["example"].clone())
    }

    /// Panics unless the status is documented, the media type is the documented one, and the body is of its schema.
    pub(crate) fn check(&self, operation: &Operation, answer: &Answer, what: &str) {
        let status = answer.status.as_u16().to_string();
        let said = format!("{} {what}: {status}", operation.id);
        let shown = String::from_utf8_lossy(&answer.body);
        let responses = operation.node["responses"].as_object().unwrap();
        let Some(response) = responses.get(&status) else {
            panic!("{said} is not documented: {shown}");
        };
        let response = self.resolved(response);
        let Some(content) = response["content"].as_object() else {
            assert!(answer.body.is_empty(), "{said}: no body is documented: {shown}");
            return;
        };
        let (media_type, content) = content.iter().next().unwrap();
        assert_eq!(answer.headers["content-type"], media_type.as_str(), "{said}");
        let mut validators = self.validators.borrow_mut();
        let validator = validators
            .entry(content["schema"].to_string())
            .or_insert_with(|| self.validator(content["schema"].clone()));
        let body = answer.json();
        let errors: Vec<String> = validator
            .iter_errors(&body)
            .map(|error| format!("{} at {}", error, error.instance_path()))
            .take(5)
            .collect();
        assert!(errors.is_empty(), "{said}: {}\n{shown}", errors.join("\n"));
    }

    fn validator(&self, mut schema: Value) -> jsonschema::Validator {
        to_json_schema(&mut schema);
        schema["components"] = self.components.clone();
        jsonschema::validator_for(&schema).unwrap()
    }

    fn resolved<'a>(&'a self, node: &'a Value) -> &'a Value {
        match node["$ref"].as_str() {
            Some(reference) => {
                self.root.pointer(reference.trim_start_matches('#')).expect("references lead somewhere")
            }
            None => node,
        }
    }
}

impl Operation {
    pub(crate) fn is_about_playlists(&self) -> bool {
        let path = self.path.to_lowercase();
        path.contains("playlist") || path.contains("/sets") || path.contains("/albums")
    }

    pub(crate) fn has_body(&self) -> bool {
        self.node.get("requestBody").is_some()
    }
}

/// OpenAPI 3.0 says `nullable: true` where JSON Schema has the type `null`.
fn to_json_schema(node: &mut Value) {
    match node {
        Value::Array(items) => items.iter_mut().for_each(to_json_schema),
        Value::Object(fields) => {
            fields.values_mut().for_each(to_json_schema);
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                make_nullable(fields);
            }
        }
        _ => {}
    }
}

fn make_nullable(fields: &mut Map<String, Value>) {
    if let Some(one) = fields.get_mut("type") {
        *one = json!([one.clone(), "null"]);
        return;
    }
    let schema = Value::Object(std::mem::take(fields));
    fields.insert("anyOf".to_owned(), json!([schema, { "type": "null" }]));
}
