//! Cases from an OpenAPI document: of each operation one with what it requires, and one with all its parameters.
//! Examples come first; where there is none, a value is made by the schema, and a note says so.

use serde_json::{Map, Value, json};

use super::{Draft, DraftBody, DraftCase};
use crate::suite::template::Position;

#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum OpenApiError {
    #[error("not readable as YAML or JSON: {0}")]
    Syntax(String),
    #[error("it has no `paths`, so it is no OpenAPI document")]
    NoPaths,
}

const METHODS: &[&str] = &["get", "head", "options", "post", "put", "patch", "delete"];
/// References that lead through so many others lead in a circle.
const REFERENCES_MAX: usize = 20;
const DEPTH_MAX: usize = 8;

struct Document {
    root: Value,
}

/// One parameter with its value.
struct Parameter {
    name: String,
    place: String,
    required: bool,
    value: String,
    made_up: bool,
}

/// Adds cases for every operation, below `base` if it is given and else below the path of the first server.
pub fn openapi(draft: &mut Draft, text: &str, base: Option<&str>) -> Result<(), OpenApiError> {
    let root: Value = match serde_json::from_str(text) {
        Ok(root) => root,
        Err(_) => serde_saphyr::from_str(text).map_err(|error| {
            OpenApiError::Syntax(error.to_string().lines().next().unwrap_or_default().to_owned())
        })?,
    };
    let document = Document { root };
    let Some(paths) = document.root.get("paths").and_then(Value::as_object) else {
        return Err(OpenApiError::NoPaths);
    };
    let base = base.map_or_else(|| document.base(), |base| base.trim_end_matches('/').to_owned());
    let mut made_up = Vec::new();
    for (path, item) in paths.iter().filter(|(path, _)| path.starts_with('/')) {
        let item = document.resolve(item);
        for method in METHODS {
            if let Some(operation) = item.get(method) {
                document.operation(
                    draft,
                    &mut made_up,
                    &base,
                    path,
                    item,
                    method,
                    document.resolve(operation),
                );
            }
        }
    }
    made_up.dedup();
    if !made_up.is_empty() {
        draft.notes.push(format!(
            "values without an example were made up, and may name nothing that exists: {}",
            made_up.join(", ")
        ));
    }
    Ok(())
}

impl Document {
    /// The path of the first server, or the base path of a 2.0 document.
    fn base(&self) -> String {
        let server = self.root.pointer("/servers/0/url").and_then(Value::as_str);
        let path = match server {
            Some(url) => match url.split_once("://") {
                Some((_, rest)) => rest.find('/').map_or("", |at| &rest[at..]),
                None => url,
            },
            None => self.root.get("basePath").and_then(Value::as_str).unwrap_or_default(),
        };
        let path = path.trim_end_matches('/');
        // A server variable is no path yet.
        if path.contains('{') { String::new() } else { path.to_owned() }
    }

    fn resolve<'v>(&'v self, mut value: &'v Value) -> &'v Value {
        for _ in 0..REFERENCES_MAX {
            let Some(reference) = value.get("$ref").and_then(Value::as_str) else { return value };
            let Some(found) = reference.strip_prefix('#').and_then(|pointer| self.root.pointer(pointer))
            else {
                return &Value::Null;
            };
            value = found;
        }
        &Value::Null
    }

    #[allow(
        clippy::too_many_arguments,
        reason = "the parts of one operation, each from another level of the document"
    )]
    fn operation(
        &self,
        draft: &mut Draft,
        made_up: &mut Vec<String>,
        base: &str,
        path: &str,
        item: &Value,
        method: &str,
        operation: &Value,
    ) {
        let parameters = self.parameters(item, operation);
        let name = operation
            .get("operationId")
            .and_then(Value::as_str)
            .map_or_else(|| format!("{} {path}", method.to_ascii_uppercase()), str::to_owned);
        let body = self.body(operation);
        let has_optional =
            parameters.iter().any(|p| !p.required && (p.place == "query" || p.place == "header"));
        for all in [false, true] {
            if all && !has_optional {
                continue;
            }
            let sent: Vec<&Parameter> = parameters.iter().filter(|p| p.required || all).collect();
            made_up.extend(sent.iter().filter(|p| p.made_up).map(|p| format!("{} of {name}", p.name)));
            let mut filled = path.to_owned();
            for parameter in sent.iter().filter(|p| p.place == "path") {
                let value = Position::Segment.escape(&parameter.value);
                filled = filled.replace(&format!("{{{}}}", parameter.name), &value);
            }
            let pair = |p: &&Parameter| {
                format!("{}={}", Position::Query.escape(&p.name), Position::Query.escape(&p.value))
            };
            let query: Vec<String> = sent.iter().filter(|p| p.place == "query").map(pair).collect();
            if !query.is_empty() {
                filled = format!("{filled}?{}", query.join("&"));
            }
            let headers = sent.iter().filter(|p| p.place == "header");
            let tag = if matches!(method, "get" | "head" | "options") { "read" } else { "write" };
            let mut case = DraftCase {
                name: if all { format!("{name}, all parameters") } else { name.clone() },
                tags: vec![tag.to_owned()],
                persona: None,
                method: method.to_ascii_uppercase(),
                path: format!("{base}{filled}").replace("${", "$${"),
                endpoint: format!("{base}{path}"),
                headers: headers.map(|p| (p.name.clone(), p.value.clone())).collect(),
                body: body.clone(),
                why: None,
            };
            if let DraftBody::Text(_) = case.body {
                case.headers
                    .insert("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            }
            draft.add(case);
        }
    }

    fn parameters(&self, item: &Value, operation: &Value) -> Vec<Parameter> {
        let mut parameters: Vec<Parameter> = Vec::new();
        let lists = [operation, item].map(|level| level.get("parameters").and_then(Value::as_array));
        for parameter in lists.into_iter().flatten().flatten() {
            let parameter = self.resolve(parameter);
            let text = |key: &str| parameter.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
            let (name, place) = (text("name"), text("in"));
            // The operation's own come first, and win.
            let known = parameters.iter().any(|other| other.name == name && other.place == place);
            if known || !matches!(place.as_str(), "path" | "query" | "header") {
                continue;
            }
            let schema = parameter.get("schema").map_or(parameter, |schema| self.resolve(schema));
            let (value, made_up) = match self.example(parameter).or_else(|| self.example(schema)) {
                Some(example) => (example, false),
                None => (self.made(schema, 0), true),
            };
            let required = place == "path" || parameter.get("required") == Some(&Value::Bool(true));
            parameters.push(Parameter { name, place, required, value: plain(&value), made_up });
        }
        parameters
    }

    fn body(&self, operation: &Value) -> DraftBody {
        // 2.0 has the body among the parameters.
        let in_body = operation.get("parameters").and_then(Value::as_array).and_then(|all| {
            all.iter().map(|p| self.resolve(p)).find(|p| p.get("in") == Some(&json!("body")))
        });
        if let Some(parameter) = in_body {
            let schema = parameter.get("schema").map_or(&Value::Null, |schema| self.resolve(schema));
            return DraftBody::Json(self.example(schema).unwrap_or_else(|| self.made(schema, 0)));
        }
        let Some(content) =
            operation.get("requestBody").map(|body| self.resolve(body)).and_then(|b| b.get("content"))
        else {
            return DraftBody::None;
        };
        let media = |name: &str| content.get(name).map(|media| self.media(media));
        if let Some(value) = media("application/json") {
            return DraftBody::Json(value);
        }
        match media("application/x-www-form-urlencoded") {
            Some(Value::Object(fields)) => {
                let pairs = fields.iter().map(|(name, value)| {
                    format!("{}={}", Position::Form.escape(name), Position::Form.escape(&plain(value)))
                });
                DraftBody::Text(pairs.collect::<Vec<_>>().join("&"))
            }
            _ => DraftBody::None,
        }
    }

    fn media(&self, media: &Value) -> Value {
        let schema = media.get("schema").map_or(&Value::Null, |schema| self.resolve(schema));
        self.example(media).or_else(|| self.example(schema)).unwrap_or_else(|| self.made(schema, 0))
    }

    /// `example`, the first of `examples`, `default`, the first of `enum`, `const`.
    fn example(&self, of: &Value) -> Option<Value> {
        if let Some(example) = of.get("example") {
            return Some(example.clone());
        }
        let first = match of.get("examples") {
            Some(Value::Object(examples)) => {
                examples.values().next().and_then(|example| self.resolve(example).get("value"))
            }
            Some(Value::Array(examples)) => examples.first(),
            _ => None,
        };
        let of_enum = || of.get("enum").and_then(|values| values.get(0));
        first.or_else(|| of.get("default")).or_else(|| of.get("const")).or_else(of_enum).cloned()
    }

    /// The simplest value that the schema allows.
    fn made(&self, schema: &Value, depth: usize) -> Value {
        let schema = self.resolve(schema);
        if depth > DEPTH_MAX {
            return Value::Null;
        }
        if let Some(example) = self.example(schema) {
            return example;
        }
        for key in ["allOf", "oneOf", "anyOf"] {
            let Some(parts) = schema.get(key).and_then(Value::as_array) else { continue };
            if key != "allOf" {
                return parts.first().map_or(Value::Null, |part| self.made(part, depth + 1));
            }
            let mut whole = Map::new();
            for part in parts {
                if let Value::Object(members) = self.made(part, depth + 1) {
                    whole.extend(members);
                }
            }
            return Value::Object(whole);
        }
        let own = match schema.get("type") {
            Some(Value::Array(types)) => {
                types.iter().find(|name| **name != json!("null")).and_then(Value::as_str)
            }
            Some(Value::String(name)) => Some(name.as_str()),
            _ if schema.get("properties").is_some() => Some("object"),
            _ => None,
        };
        match own {
            Some("integer" | "number") => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
            Some("boolean") => json!(true),
            Some("array") => {
                json!([schema.get("items").map_or(Value::Null, |items| self.made(items, depth + 1))])
            }
            Some("object") => {
                let required: Vec<&str> = schema
                    .get("required")
                    .and_then(Value::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                    .collect();
                let members = schema.get("properties").and_then(Value::as_object).into_iter().flatten();
                let members = members
                    .filter(|(name, _)| required.is_empty() || required.contains(&name.as_str()))
                    .map(|(name, member)| (name.clone(), self.made(member, depth + 1)));
                Value::Object(members.collect())
            }
            _ => json!(match schema.get("format").and_then(Value::as_str) {
                Some("date-time") => "2026-01-31T12:00:00Z",
                Some("date") => "2026-01-31",
                Some("uuid") => "00000000-0000-4000-8000-000000000001",
                Some("email") => "a@example.test",
                Some("uri" | "url") => "http://example.test/",
                _ => "a",
            }),
        }
    }
}

/// A value as a parameter carries it.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(elements) => elements.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::suite::load::load;

    const DOCUMENT: &str = r##"
openapi: 3.0.3
servers: [{ url: "https://api.test/v1" }]
paths:
  /posts/{id}:
    parameters:
      - { name: id, in: path, required: true, schema: { type: integer }, example: 17 }
    get:
      operationId: getPost
      parameters:
        - { name: limit, in: query, schema: { type: integer, default: 10 } }
        - { $ref: "#/components/parameters/Shape" }
    put:
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Post" }
  /login:
    post:
      requestBody:
        content:
          application/x-www-form-urlencoded:
            schema: { type: object, properties: { user: { type: string, example: "a b" }, n: { type: integer } } }
components:
  parameters:
    Shape: { name: shape, in: query, schema: { enum: [array, object] } }
  schemas:
    Post:
      type: object
      required: [title, self]
      properties:
        title: { type: string }
        self: { $ref: "#/components/schemas/Post" }
        more: { type: string }
"##;

    fn drafted(text: &str) -> Draft {
        let mut draft = Draft::new("api");
        openapi(&mut draft, text, None).unwrap();
        draft
    }

    #[test]
    fn an_operation_is_asked_with_what_it_requires_and_with_all_it_takes() {
        let draft = drafted(DOCUMENT);
        let paths: Vec<_> = draft.cases.iter().map(|case| (case.name.as_str(), case.path.as_str())).collect();
        assert_eq!(
            paths,
            [
                ("getPost", "/v1/posts/17"),
                ("getPost, all parameters", "/v1/posts/17?limit=10&shape=array"),
                ("PUT /posts/{id}", "/v1/posts/17"),
                ("POST /login", "/v1/login"),
            ]
        );
        assert_eq!(draft.cases[1].endpoint, "/v1/posts/{id}");
        assert_eq!(draft.cases[3].body, DraftBody::Text("user=a+b&n=1".to_owned()));
        let suite = load(&draft.to_yaml(), "s.yaml", |_| None).unwrap_or_else(|errors| panic!("{errors}"));
        assert_eq!(suite.cases.len(), 4);
    }

    #[test]
    fn a_schema_that_contains_itself_ends() {
        let DraftBody::Json(body) = &drafted(DOCUMENT).cases[2].body else { panic!("no JSON") };
        assert_eq!(body["title"], "a");
        assert!(body.get("more").is_none() && body["self"]["self"].is_object());
    }

    #[test]
    fn what_was_made_up_is_told() {
        let draft = drafted(&DOCUMENT.replace(", example: 17", ""));
        assert!(draft.notes[0].contains("id of getPost"), "{:?}", draft.notes);
        assert!(drafted(DOCUMENT).notes.is_empty());
    }

    #[test]
    fn what_is_no_document_is_refused() {
        let mut draft = Draft::new("x");
        assert_eq!(openapi(&mut draft, "{}", None), Err(OpenApiError::NoPaths));
        assert!(matches!(openapi(&mut draft, "a: [", None), Err(OpenApiError::Syntax(_))));
        assert!(openapi(&mut draft, r##"{"paths":{"/a":{"$ref":"#/paths/~1a"}}}"##, None).is_ok());
    }
}
