use super::*;

fn imported(text: &str) -> Import {
    import(text, "api.yaml").unwrap_or_else(|error| panic!("{error}"))
}

fn endpoints(import: &Import) -> Vec<String> {
    import.endpoints.iter().map(|(endpoint, _)| endpoint.to_string()).collect()
}

fn refusal(text: &str) -> String {
    match import(text, "api.yaml") {
        Ok(import) => panic!("taken: {:?}", endpoints(&import)),
        Err(error) => error.to_string(),
    }
}

#[test]
fn an_operation_becomes_an_endpoint_with_its_parameters_and_statuses() {
    let import = imported(
        "
openapi: 3.0.3
servers: [{url: https://api.example.com/v1}]
paths:
  /playlists/{id}/tracks:
    parameters:
      - {name: id, in: path, required: true}
      - {name: limit, in: query, required: true}
      - {name: X-Client, in: header}
    get:
      parameters:
        - {name: limit, in: query}
        - $ref: '#/components/parameters/secret'
      responses:
        200: {description: yes}
        '404': {description: no}
        4xx: {}
        default: {}
        x-internal: {}
components:
  parameters:
    secret: {$ref: '#/components/parameters/token'}
    token: {name: secret_token, in: query, required: true}
",
    );
    let [(endpoint, declaration)] = &import.endpoints[..] else { panic!("{import:?}") };
    assert_eq!(endpoint.to_string(), "GET /v1/playlists/{id}/tracks");
    assert_eq!(declaration.source, "api.yaml#/paths/~1playlists~1{id}~1tracks/get");
    assert_eq!(declaration.statuses, ["200", "404", "4XX", "default"]);
    let parameters: Vec<_> = declaration
        .parameters
        .iter()
        .map(|parameter| (parameter.name.as_str(), parameter.place.as_str(), parameter.required))
        .collect();
    assert_eq!(
        parameters,
        [
            ("id", "path", true),
            ("limit", "query", false),
            ("secret_token", "query", true),
            ("X-Client", "header", false)
        ]
    );
    assert_eq!(import.notes, []);
}

#[test]
fn swagger_2_is_read() {
    let import = imported(
        r##"{"swagger": "2.0", "host": "api.example.com", "basePath": "/v1/", "paths": {"/a": {
            "post": {"parameters": [{"in": "body", "name": "body"}, {"$ref": "#/parameters/q"}], "responses": {"201": {}}}
        }}, "parameters": {"q": {"in": "query", "name": "q"}}}"##,
    );
    assert_eq!(endpoints(&import), ["POST /v1/a"]);
    let parameters = &import.endpoints[0].1.parameters;
    assert_eq!(parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>(), ["q"]);
}

#[test]
fn the_nearest_servers_apply() {
    let import = imported(
        "
openapi: 3.1.0
servers: [{url: https://api.example.com/root}]
paths:
  /a: {get: }
  /b:
    servers: [{url: /item}]
    get: {}
    post: {servers: [{url: https://upload.example.com/own}]}
",
    );
    assert_eq!(endpoints(&import), ["GET /item/b", "POST /own/b", "GET /root/a"]);
    assert!(
        matches!(&import.notes[..], [Note::OtherHost { host, .. }] if host == "upload.example.com"),
        "{:?}",
        import.notes
    );
    let under =
        import_under("openapi: 3.0.0\nservers: [{url: /x}]\npaths: {/a: {get: {}}}", "x", "/v9/").unwrap();
    assert_eq!(endpoints(&under), ["GET /v9/a"]);
}

#[test]
fn path_items_are_followed_and_what_stands_nearer_wins() {
    let import = imported(
        "
openapi: 3.1.0
paths:
  /a:
    $ref: '#/components/pathItems/shared'
    get: {responses: {'200': {}}}
  /b: {$ref: '#/paths/~1a'}
components:
  pathItems:
    shared:
      parameters: [{name: q, in: query}]
      get: {responses: {'500': {}}}
      delete: {responses: {'204': {}}}
",
    );
    assert_eq!(endpoints(&import), ["DELETE /a", "GET /a", "DELETE /b", "GET /b"]);
    assert_eq!(import.endpoints[1].1.statuses, ["200"]);
    assert!(import.endpoints.iter().all(|(_, declaration)| declaration.parameters.len() == 1));
}

#[test]
fn variants_of_one_path_are_merged_and_noted() {
    let import = imported(
        "
openapi: 3.0.0
paths:
  /token: {post: {parameters: [{name: a, in: query, required: true}], responses: {'200': {}}}}
  /token#refresh: {post: {parameters: [{name: b, in: query, required: true}], responses: {'400': {}}}}
",
    );
    let [(endpoint, declaration)] = &import.endpoints[..] else { panic!("{import:?}") };
    assert_eq!(endpoint.to_string(), "POST /token");
    assert_eq!(declaration.statuses, ["200", "400"]);
    assert!(declaration.parameters.iter().all(|parameter| !parameter.required), "{declaration:?}");
    let notes: Vec<_> = import.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "#/paths/~1token#refresh: `/token#refresh` was read as `/token`: a fragment is never sent, so it is the same path on the wire",
            "POST /token is declared 2 times and taken as one: #/paths/~1token/post, #/paths/~1token#refresh/post",
        ]
    );
}

#[test]
fn a_path_that_a_json_document_has_twice_is_read_twice() {
    let import =
        imported(r#"{"openapi": "3.0.0", "paths": {"/a": {"get": {}}, "/a": {"put": {}, "get": {}}}}"#);
    assert_eq!(endpoints(&import), ["GET /a", "PUT /a"]);
    assert!(matches!(&import.notes[..], [Note::Merged { pointers, .. }] if pointers.len() == 2));
}

#[test]
fn ties_are_settled_and_overlaps_are_noted() {
    let import = imported(
        "
openapi: 3.0.0
paths:
  /users/{user}: {get: {}}
  /users/{id}: {get: {responses: {'200': {}}}, put: {}}
  /users/me: {get: {}}
",
    );
    assert_eq!(endpoints(&import), ["GET /users/me", "GET /users/{id}", "PUT /users/{id}"]);
    let notes: Vec<_> = import.notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "GET /users/{id} and GET /users/{user} match exactly the same requests; the first was kept",
            "GET /users/me and GET /users/{id} overlap; a request that fits both goes to the first",
        ]
    );
    let names: Vec<_> =
        import.endpoints[1].1.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
    assert_eq!(names, ["id"]);
}

#[test]
fn a_wrong_document_is_refused_with_its_place() {
    for (text, words) in [
        ("[]", "api.yaml#: expected an OpenAPI document, which is a map, found a list"),
        ("a: 1", "neither `openapi: 3.x`"),
        ("{\"log\": {\"entries\": []}}", "routes import har"),
        ("asyncapi: 2.0.0", "AsyncAPI"),
        ("swagger: '1.2'", "api.yaml#/swagger: version `1.2`"),
        ("openapi: 4.0.0", "api.yaml#/openapi: version `4.0.0`"),
        ("openapi: 3.0.0", "it has no `paths`"),
        (
            "openapi: 3.0.0\npaths: []",
            "api.yaml#/paths: expected a map from paths to operations, found a list",
        ),
        ("openapi: 3.0.0\npaths: {}", "none of its paths has an operation"),
        (
            "openapi: 3.0.0\npaths: {/a: 1}",
            "api.yaml#/paths/~1a: expected a map from methods to operations, found a number",
        ),
        ("openapi: 3.0.0\npaths: {/a: {get: []}}", "api.yaml#/paths/~1a/get: expected an operation"),
        (
            "openapi: 3.0.0\npaths: {'/a/{b': {get: {}}}",
            "api.yaml#/paths/~1a~1{b: `/a/{b` is not a path template",
        ),
        (
            "openapi: 3.0.0\npaths: {/a: {get: {parameters: {}}}}",
            "/get/parameters: expected a list of parameters",
        ),
        ("openapi: 3.0.0\npaths: {/a: {get: {parameters: [1]}}}", "/get/parameters/0: expected a parameter"),
        ("openapi: 3.0.0\npaths: {/a: {get: {parameters: [{in: query}]}}}", "a text as its `name`"),
        (
            "openapi: 3.0.0\npaths: {/a: {get: {responses: [200]}}}",
            "/get/responses: expected a map from statuses",
        ),
        (
            "openapi: 3.0.0\nservers: 1\npaths: {/a: {get: {}}}",
            "api.yaml#/servers: expected a list of servers",
        ),
        (
            "openapi: 3.0.0\nservers: [{}]\npaths: {/a: {get: {}}}",
            "api.yaml#/servers/0: expected a server with a `url`",
        ),
        (
            "openapi: 3.0.0\npaths: {/a: {$ref: 'other.yaml#/x'}}",
            "api.yaml#/paths/~1a/$ref: `other.yaml#/x` points into another document",
        ),
        ("openapi: 3.0.0\npaths: {/a: {$ref: '#/nowhere'}}", "`#/nowhere` names nothing in this document"),
        ("openapi: 3.0.0\npaths: {/a: {$ref: '#nowhere'}}", "`#nowhere` is no JSON pointer"),
        (
            "openapi: 3.0.0\npaths: {/a: {$ref: 7}}",
            "api.yaml#/paths/~1a/$ref: expected a reference, found a number",
        ),
        (
            "openapi: 3.0.0\npaths: {/a: {$ref: '#/paths/~1b'}, /b: {$ref: '#/paths/~1a'}}",
            "circle: #/paths/~1a → #/paths/~1b → #/paths/~1a",
        ),
        ("openapi: 3.0.0\npaths:\n  /a: {get: {}\n", "api.yaml:4:1: not readable as YAML"),
        ("{\"openapi\": \"3.0.0\",\n}", "api.yaml:2:1: not readable as JSON: trailing comma"),
    ] {
        let refusal = refusal(text);
        assert!(refusal.starts_with("api.yaml") && refusal.contains(words), "{text}: {refusal}");
        assert!(refusal.contains("; "), "no hint: {refusal}");
    }
}
