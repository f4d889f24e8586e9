//! OpenAPI documents that nobody here wrote, large ones, and broken ones.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use http::Method;
use strangler_proxy::inventory::{Import, Note, openapi};
use strangler_proxy::routes::{MatchPolicy, Matcher, PathPolicy, PathView, Template};

use crate::mutation;

pub(crate) const BOX: &str = include_str!("../fixtures/box.yaml");
pub(crate) const SOUNDCLOUD: &str = include_str!("../fixtures/soundcloud-public.json");

fn endpoints(import: &Import) -> BTreeSet<String> {
    import.endpoints.iter().map(|(endpoint, _)| endpoint.to_string()).collect()
}

fn matched<'m>(matcher: &'m Matcher<String>, method: &Method, target: &str) -> Option<&'m str> {
    let view = PathView::of(target, &PathPolicy::default()).unwrap();
    matcher.find(method, &view).map(String::as_str)
}

fn matcher_of(import: &Import) -> Matcher<String> {
    let routes = import.endpoints.iter().map(|(endpoint, _)| {
        (endpoint.method().clone(), Template::parse(endpoint.template()).unwrap(), endpoint.to_string())
    });
    let (matcher, ties) = Matcher::build(routes, MatchPolicy::default());
    assert_eq!(ties, [], "an import has no ties");
    assert_eq!(matcher.len(), import.endpoints.len());
    matcher
}

#[test]
fn a_document_with_fragments_and_many_servers_is_read_whole() {
    let import = openapi::import(BOX, "box.yaml").unwrap();
    // 174 operations, of which 10 stand at a path that differs from another by its fragment alone.
    assert_eq!(import.endpoints.len(), 164);
    let count = |is: fn(&Note) -> bool| import.notes.iter().filter(|note| is(note)).count();
    assert_eq!(count(|note| matches!(note, Note::Rewritten { .. })), 10);
    assert_eq!(count(|note| matches!(note, Note::Merged { .. })), 6);
    assert_eq!(count(|note| matches!(note, Note::OtherHost { .. })), 3);
    assert_eq!(count(|note| matches!(note, Note::Overlap { .. })), 2);
    assert_eq!(import.notes.len(), 21);

    let matcher = matcher_of(&import);
    for (target, expected) in [
        ("/2.0/files/1/thumbnail.png?min_height=1", Some("GET /2.0/files/{file_id}/thumbnail.{extension}")),
        ("/2.0/files/1/thumbnail", None),
        ("/2.0/users/me", Some("GET /2.0/users/me")),
        ("/2.0/users/11446498", Some("GET /2.0/users/{user_id}")),
        ("/2.0/folders/trash/items", Some("GET /2.0/folders/trash/items")),
        ("/api/oauth2/authorize", Some("GET /api/oauth2/authorize")),
    ] {
        assert_eq!(matched(&matcher, &Method::GET, target), expected, "{target}");
    }
    assert_eq!(matched(&matcher, &Method::POST, "/oauth2/token"), Some("POST /oauth2/token"));
    assert_eq!(
        matched(&matcher, &Method::POST, "/api/2.0/files/content"),
        Some("POST /api/2.0/files/content")
    );
}

#[test]
fn parameters_behind_references_and_statuses_are_declared() {
    let import = openapi::import(SOUNDCLOUD, "soundcloud-public.json").unwrap();
    assert_eq!(import.endpoints.len(), 59);
    let of = |text: &str| {
        let found = import.endpoints.iter().find(|(endpoint, _)| endpoint.to_string() == text);
        &found.unwrap_or_else(|| panic!("{text} is missing")).1
    };
    let playlist = of("GET /playlists/{playlist_id}");
    let names: Vec<_> = playlist
        .parameters
        .iter()
        .map(|parameter| format!("{} {}", parameter.place, parameter.name))
        .collect();
    assert_eq!(names, ["path playlist_id", "query secret_token", "query access"]);
    assert_eq!(playlist.statuses, ["200", "400", "401"]);
    assert_eq!(playlist.source, "soundcloud-public.json#/paths/~1playlists~1{playlist_id}/get");
    assert!(import.notes.iter().all(|note| matches!(note, Note::Overlap { .. })), "{:?}", import.notes);
}

/// A document of 1,200 operations and more than 13 MB, as large public APIs have them.
fn large(json: bool) -> String {
    let filler = "A sentence that describes a field of a schema at length. ".repeat(9);
    let mut text = String::from(if json {
        "{\"openapi\": \"3.1.0\", \"servers\": [{\"url\": \"https://api.example.com/v3\"}], \"paths\": {\n"
    } else {
        "openapi: 3.1.0\nservers: [{url: https://api.example.com/v3}]\npaths:\n"
    });
    for n in 0..300 {
        let path = format!("/resources-{n}/{{owner}}/compare/{{base}}...{{head}}");
        let comma = if n == 0 { "" } else { "," };
        let operations: Vec<_> = ["get", "put", "post", "delete"]
            .map(|method| {
                let fields = vec![format!("{{\"description\": \"{filler}\"}}"); 20].join(", ");
                format!(
                    "\"{method}\": {{\"parameters\": [{{\"$ref\": \"#/components/parameters/page\"}}], \"responses\": {{\"200\": {{\"x\": [{fields}]}}}}}}"
                )
            })
            .into();
        if json {
            writeln!(text, "{comma}\"{path}\": {{{}}}", operations.join(", ")).unwrap();
        } else {
            writeln!(text, "  {path}:").unwrap();
            for operation in operations {
                writeln!(text, "    {operation}").unwrap();
            }
        }
    }
    text.push_str(if json {
        "}, \"components\": {\"parameters\": {\"page\": {\"name\": \"page\", \"in\": \"query\"}}}}\n"
    } else {
        "components: {parameters: {page: {name: page, in: query}}}\n"
    });
    text
}

#[test]
fn a_document_of_13_megabytes_and_over_a_thousand_operations_is_read() {
    for json in [true, false] {
        let text = large(json);
        assert!(text.len() > 12_500_000, "{}", text.len());
        let import = openapi::import(&text, "large").unwrap();
        assert_eq!(import.endpoints.len(), 1200);
        assert!(endpoints(&import).contains("GET /v3/resources-299/{owner}/compare/{base}...{head}"));
        assert!(import.endpoints.iter().all(|(_, declaration)| declaration.parameters.len() == 4));
        assert_eq!(import.notes, []);
    }
}

#[test]
fn a_broken_document_is_imported_whole_or_refused_with_words() {
    let small = "
openapi: 3.1.0
servers: [{url: 'https://{r}.example.com/{v}', variables: {v: {default: v1, enum: [v1, v2]}}}]
paths:
  /a/{b}...{c}#x: {parameters: [{$ref: '#/components/parameters/q'}], get: {responses: {200: {}}}}
  /a/{d*}: &item {post: {servers: [{url: /up}], responses: {default: {}}}}
  /b: {$ref: '#/paths/~1a~1{d*}'}
  /c: {<<: *item, put: {}}
components: {parameters: {q: {name: q, in: query, required: true}}}
";
    let json = r##"{"swagger": "2.0", "basePath": "/v1", "paths": {"/a/{id}": {"get": {"parameters": [{"$ref": "#/parameters/q"}], "responses": {"200": {}}}}}, "parameters": {"q": {"in": "query", "name": "q"}}}"##;
    for (seed, rounds, text) in [(1, 5_000, small), (2, 5_000, json), (3, 100, BOX), (4, 300, SOUNDCLOUD)] {
        mutation::of(text, seed, rounds, |mutant| match openapi::import(mutant, "mutant") {
            Ok(import) => {
                matcher_of(&import);
                assert!(!import.endpoints.is_empty());
            }
            Err(error) => assert!(error.to_string().starts_with("mutant"), "{error}"),
        });
    }
}
