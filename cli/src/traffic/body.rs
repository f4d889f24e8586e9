//! Bodies of writes: in every form that a dialect takes, and in some that it refuses.

use bytes::Bytes;
use fastrand::Rng;
use serde_json::{Map, Value, json};

use crate::{
    ask::Draft,
    endpoint::{Dialect, Endpoint},
    value,
    world::{Subject, World},
};

const BODY_BYTES_MAX: usize = 256 * 1024;

/// The body, its Content-Type put into the draft. Empty for endpoints that take none.
pub fn of(rng: &mut Rng, endpoint: &Endpoint, subject: &Subject, world: &World, draft: &mut Draft) -> Bytes {
    let Some(value) = tree(rng, endpoint, subject, world) else { return Bytes::new() };
    match rng.u16(..400) {
        0 => {
            draft.header("content-type", "application/json");
            return vec![b' '; BODY_BYTES_MAX + 1].into();
        }
        1..25 => return odd(rng, &value, draft),
        _ => {}
    }
    let forms = endpoint.dialect != Dialect::Mobile || rng.u8(..30) == 0;
    match rng.u8(..100) {
        0..30 if forms => {
            draft.header("content-type", "application/x-www-form-urlencoded");
            serde_urlencoded::to_string(pairs(&value)).expect("pairs of texts can be encoded").into()
        }
        30..45 if forms => {
            draft.header("content-type", "multipart/form-data; boundary=\"b-1\"");
            multipart(&pairs(&value)).into()
        }
        45..50 => value.to_string().into(),
        50..55 => {
            draft.header("content-type", ["application/vnd.api+json", "APPLICATION/JSON"][rng.usize(..2)]);
            value.to_string().into()
        }
        _ => {
            draft.header("content-type", "application/json; charset=utf-8");
            value.to_string().into()
        }
    }
}

/// What no dialect can read.
fn odd(rng: &mut Rng, value: &Value, draft: &mut Draft) -> Bytes {
    let text = value.to_string();
    let half: String = text.chars().take(text.chars().count() / 2).collect();
    let (content_type, body): (&str, Vec<u8>) = match rng.u8(..12) {
        0 => ("application/json", Vec::new()),
        1 => ("application/json", half.into_bytes()),
        2 => ("application/json", b"[1, 2]".to_vec()),
        3 => ("application/json", b"{\"playlist\": {\"title\": \"\xff\xfe\"}}".to_vec()),
        4 => ("application/json", "[".repeat(300).into_bytes()),
        5 => ("text/xml", b"<playlist/>".to_vec()),
        6 => ("multipart/form-data", b"--x".to_vec()),
        7 => (
            "multipart/form-data; boundary=x",
            b"--x\r\nContent-Disposition: form-data\r\n\r\n1\r\n--x--".to_vec(),
        ),
        8 => ("application/x-www-form-urlencoded", b"a[b][c][d][e][f][g][h][i][j]=1".to_vec()),
        9 => ("application/x-www-form-urlencoded", b"playlist=1&playlist[title]=x".to_vec()),
        10 => ("application/json", b"{\"title\": \"a\", \"title\": \"b\"}".to_vec()),
        _ => ("application/x-www-form-urlencoded", b"playlist[title]=%FF&%zz".to_vec()),
    };
    draft.header("content-type", content_type);
    body.into()
}

fn tree(rng: &mut Rng, endpoint: &Endpoint, subject: &Subject, world: &World) -> Option<Value> {
    let (method, path) = (endpoint.id.method().as_str(), endpoint.path());
    Some(match (endpoint.dialect, method, path) {
        (Dialect::Public, "POST", "/playlists") | (Dialect::Public, "PUT", "/playlists/{playlist_id}") => {
            public_playlist(rng, world)
        }
        (Dialect::Public, "POST" | "PUT", "/playlists/{playlist_id}/tracks") => {
            public_tracks(rng, subject, world)
        }
        (Dialect::Mobile, "POST", "/playlists/batch") => {
            let count = if rng.u8(..12) == 0 { rng.usize(49..53) } else { rng.usize(..6) };
            let urn = |rng: &mut Rng| {
                let id = if rng.bool() { rng.i64(201..=218) } else { rng.i64(1001..=2000) };
                Value::String(value_urn(rng, "playlists", id))
            };
            let mut body = json!({ "urns": (0..count).map(|_| urn(rng)).collect::<Vec<_>>() });
            spoil(rng, &mut body, 12);
            body
        }
        (Dialect::Mobile, "POST", "/playlists") | (Dialect::Mobile, "PUT", "/playlists/{playlist_urn}") => {
            let revision =
                subject.playlist.and_then(|id| world.playlist(id)).map_or(1, |thing| thing.revision);
            mobile_playlist(rng, world, revision)
        }
        (Dialect::Mobile, "POST" | "PUT", "/playlists/{playlist_urn}/tracks")
        | (Dialect::Mobile, "POST", "/playlists/{playlist_urn}/tracks/reorder") => {
            let urns: Vec<String> =
                tracks_for(rng, subject, world).into_iter().map(|id| value_urn(rng, "tracks", id)).collect();
            let mut body = json!({ "track_urns": urns });
            if rng.bool() {
                body["position"] = json!(rng.usize(..12));
            }
            spoil(rng, &mut body, 12);
            body
        }
        (Dialect::Web, "POST", "/playlists") | (Dialect::Web, "PUT" | "POST", "/playlists/{playlist_id}") => {
            web_playlist(rng, world, path == "/playlists/{playlist_id}" && method == "POST")
        }
        (Dialect::Web, "POST", path) if path.contains("/tracks/") => {
            let name = ["trackIds", "track_ids"][rng.usize(..2)];
            let mut body = json!({});
            body[name] = track_list(tracks_for(rng, subject, world), rng);
            spoil(rng, &mut body, 15);
            body
        }
        // Some clients send a body where none is due.
        _ if rng.u8(..30) == 0 && endpoint.is_write() => json!({ "x": 1 }),
        _ => return None,
    })
}

fn public_playlist(rng: &mut Rng, world: &World) -> Value {
    let mut fields = Map::new();
    for name in ["title", "title", "description", "genre", "tag_list", "release", "ean", "label_name"] {
        maybe(rng, &mut fields, name, 30, scalar);
    }
    for name in ["purchase_title", "purchase_url"] {
        maybe(rng, &mut fields, name, 10, scalar);
    }
    maybe(rng, &mut fields, "sharing", 30, |rng| pick(rng, &["public", "private", "private", "", "secret"]));
    let kinds = ["album", "ep", "playlist", "", "single", "compilation", "opera", "ALBUM"];
    maybe(rng, &mut fields, "playlist_type", 20, |rng| pick(rng, &kinds));
    maybe(rng, &mut fields, "type", 5, |rng| pick(rng, &kinds));
    maybe(rng, &mut fields, "license", 15, |rng| pick(rng, &["cc-by", "all-rights-reserved", "", "gpl"]));
    maybe(rng, &mut fields, "embeddable_by", 10, |rng| pick(rng, &["all", "me", "none", "", "you"]));
    let dates = ["2026-07-01", "2020/02/29", "2100-01-01T10:00:00Z", "", "soon", "2021-02-29", "0001-01-01"];
    maybe(rng, &mut fields, "release_date", 12, |rng| pick(rng, &dates));
    maybe(rng, &mut fields, "release_year", 10, |rng| json!([2025, 2030, 0, 99999][rng.usize(..4)]));
    maybe(rng, &mut fields, "release_month", 8, |rng| pick(rng, &["7", "13", "", "x"]));
    maybe(rng, &mut fields, "release_day", 8, |rng| pick(rng, &["1", "31", ""]));
    maybe(rng, &mut fields, "label_id", 10, |rng| pick(rng, &["10", "6", "999999", "", "x"]));
    if rng.u8(..100) < 45 {
        fields.insert("tracks".to_owned(), track_list(tracks(rng, world), rng));
    }
    match rng.u8(..40) {
        0 => json!({}),
        1 => json!({ "playlist": "x" }),
        2 => json!({ "playlist": null }),
        3 => Value::Object(fields),
        _ => json!({ "playlist": fields }),
    }
}

fn public_tracks(rng: &mut Rng, subject: &Subject, world: &World) -> Value {
    let mut body = json!({ "tracks": track_list(tracks_for(rng, subject, world), rng) });
    if rng.u8(..100) < 30 {
        body = json!({ "playlist": body });
    }
    if rng.u8(..100) < 40 {
        body["position"] = [json!(0), json!("2"), json!(1), json!(999), json!(-1), json!("x"), json!(null)]
            [rng.usize(..7)]
        .clone();
    }
    spoil(rng, &mut body, 20);
    body
}

fn mobile_playlist(rng: &mut Rng, world: &World, revision: i64) -> Value {
    let mut fields = Map::new();
    maybe(rng, &mut fields, "title", 75, |rng| json!(value::text(rng)));
    maybe(rng, &mut fields, "is_public", 30, |rng| json!(rng.bool()));
    maybe(rng, &mut fields, "set_type", 20, |rng| pick(rng, &["album", "ep", "playlist", "album", "opera"]));
    for name in ["description", "genre"] {
        maybe(rng, &mut fields, name, 30, |rng| {
            if rng.u8(..5) == 0 { Value::Null } else { json!(value::text(rng)) }
        });
    }
    maybe(rng, &mut fields, "tags", 25, |rng| json!([value::text(rng), "two words", "a\"b"]));
    let dates = [json!("2026-07-01"), json!("2100-01-01"), json!(null), json!("soon"), json!("2020-02-29")];
    maybe(rng, &mut fields, "release_date", 15, |rng| dates[rng.usize(..5)].clone());
    if rng.u8(..100) < 40 {
        let urns: Vec<String> =
            tracks(rng, world).into_iter().map(|id| value_urn(rng, "tracks", id)).collect();
        fields.insert("track_urns".to_owned(), json!(urns));
    }
    let revisions = [revision, revision, revision - 1, revision + 1, 0];
    maybe(rng, &mut fields, "revision", 60, |rng| json!(revisions[rng.usize(..5)]));
    let mut body = Value::Object(fields);
    spoil(rng, &mut body, 15);
    body
}

fn web_playlist(rng: &mut Rng, world: &World, overridden: bool) -> Value {
    let camel = rng.bool();
    let name =
        |camel_name: &'static str, snake_name: &'static str| if camel { camel_name } else { snake_name };
    let mut fields = Map::new();
    maybe(rng, &mut fields, "title", 75, scalar);
    maybe(rng, &mut fields, "description", 30, scalar);
    maybe(rng, &mut fields, "genre", 30, scalar);
    maybe(rng, &mut fields, name("tagList", "tag_list"), 25, scalar);
    maybe(rng, &mut fields, name("setType", "set_type"), 20, |rng| {
        pick(rng, &["ALBUM", "ep", "playlist", "", "opera"])
    });
    let yes =
        [json!("on"), json!("0"), json!(true), json!(false), json!("YES"), json!(""), json!(1), json!(null)];
    maybe(rng, &mut fields, name("public", "is_public"), 30, |rng| yes[rng.usize(..8)].clone());
    maybe(rng, &mut fields, name("releaseDate", "release_date"), 15, |rng| {
        pick(rng, &["2026-07-01", " 2020-02-29 ", "29.02.2020", "", "soon"])
    });
    if rng.u8(..100) < 40 {
        fields.insert(name("trackIds", "track_ids").to_owned(), track_list(tracks(rng, world), rng));
    }
    let mut body = if rng.u8(..100) < 30 { json!({ "playlist": fields }) } else { Value::Object(fields) };
    if overridden {
        let methods = ["PUT", "put", "PATCH", "delete", "DELETE", "GET", ""];
        if rng.u8(..100) < 60 {
            body["_method"] = json!(methods[rng.usize(..7)]);
        }
    }
    spoil(rng, &mut body, 10);
    body
}

/// A list of tracks in one of the spellings of the public and the web dialect.
fn track_list(ids: Vec<i64>, rng: &mut Rng) -> Value {
    match rng.u8(..20) {
        0 => Value::Null,
        1 => json!(5),
        2 => json!([{ "x": 1 }]),
        3 => json!("x,1"),
        4 => json!({ "0": { "id": ids.first().copied().unwrap_or(101) } }),
        5..9 => json!(ids.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")),
        9..12 => json!(ids),
        12..14 => json!(ids.iter().map(ToString::to_string).collect::<Vec<_>>()),
        _ => json!(ids.iter().map(|id| json!({ "id": id })).collect::<Vec<_>>()),
    }
}

/// For what adds, removes or reorders: every other time tracks that stand in the playlist already.
fn tracks_for(rng: &mut Rng, subject: &Subject, world: &World) -> Vec<i64> {
    let known = subject.playlist.and_then(|id| world.playlist(id)).map(|thing| thing.members.clone());
    match known {
        Some(mut members) if rng.bool() && !members.is_empty() => {
            rng.shuffle(&mut members);
            members.truncate(rng.usize(1..=members.len()));
            members
        }
        _ => tracks(rng, world),
    }
}

/// Mostly tracks that everyone may see, sometimes hidden or unknown ones, seldom too many.
fn tracks(rng: &mut Rng, world: &World) -> Vec<i64> {
    if rng.u16(..150) == 0 {
        return (1001..=1501).collect();
    }
    let plain = [101, 104, 105, 106, 109, 110, 122, 124, 125, 126, 127];
    let one = |rng: &mut Rng| match rng.u8(..60) {
        0 => 999_999,
        1 => 102,
        2 => world.tracks[rng.usize(..world.tracks.len())].id,
        3..25 => rng.i64(1001..=1500),
        _ => plain[rng.usize(..plain.len())],
    };
    (0..rng.usize(..6)).map(|_| one(rng)).collect()
}

fn value_urn(rng: &mut Rng, kind: &str, id: i64) -> String {
    match rng.u8(..40) {
        0 => "mothership:users:1".to_owned(),
        1 => "x".to_owned(),
        2..8 => id.to_string(),
        _ => format!("mothership:{kind}:{id}"),
    }
}

/// Of 100: a field that nobody knows, or one of another type.
fn spoil(rng: &mut Rng, body: &mut Value, percent: u8) {
    if rng.u8(..100) >= percent {
        return;
    }
    let Some(fields) = body.as_object_mut() else { return };
    let wrong =
        [json!(null), json!(17), json!(true), json!(["x"]), json!({ "a": 1 }), json!("x"), json!(1.5)];
    let wrong = wrong[rng.usize(..wrong.len())].clone();
    let known: Vec<String> = fields.keys().cloned().collect();
    if known.is_empty() || rng.u8(..3) == 0 {
        fields.insert("unheard_of".to_owned(), wrong);
    } else {
        fields.insert(known[rng.usize(..known.len())].clone(), wrong);
    }
}

fn maybe(
    rng: &mut Rng,
    fields: &mut Map<String, Value>,
    name: &str,
    percent: u8,
    make: impl FnOnce(&mut Rng) -> Value,
) {
    if rng.u8(..100) < percent {
        let value = make(rng);
        fields.insert(name.to_owned(), value);
    }
}

fn pick(rng: &mut Rng, words: &[&str]) -> Value {
    json!(words[rng.usize(..words.len())])
}

/// Mostly a text; forms and careless clients send other things.
fn scalar(rng: &mut Rng) -> Value {
    match rng.u8(..30) {
        0 => Value::Null,
        1 => json!(12),
        2 => json!(true),
        3 => json!(["x"]),
        _ => json!(value::text(rng)),
    }
}

/// The tree as names with brackets. Null is the empty text.
fn pairs(value: &Value) -> Vec<(String, String)> {
    fn walk(name: &str, value: &Value, pairs: &mut Vec<(String, String)>) {
        let below = |key: &str| if name.is_empty() { key.to_owned() } else { format!("{name}[{key}]") };
        match value {
            Value::Object(fields) => fields.iter().for_each(|(key, value)| walk(&below(key), value, pairs)),
            Value::Array(items) => items.iter().for_each(|item| walk(&below(""), item, pairs)),
            Value::Null => pairs.push((name.to_owned(), String::new())),
            Value::String(text) => pairs.push((name.to_owned(), text.clone())),
            other => pairs.push((name.to_owned(), other.to_string())),
        }
    }
    let mut all = Vec::new();
    walk("", value, &mut all);
    all
}

fn multipart(pairs: &[(String, String)]) -> String {
    let part = |(name, value): &(String, String)| {
        format!("--b-1\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    format!("{}--b-1--\r\n", pairs.iter().map(part).collect::<String>())
}
