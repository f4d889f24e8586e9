//! One request, made up from a seed.

use bytes::Bytes;
use fastrand::Rng;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

use crate::{
    body,
    endpoint::{Dialect, Endpoint},
    persona::Persona,
    value,
    world::{Subject, World},
};

/// A request as it goes to both sides.
#[derive(Clone, Debug)]
pub struct Ask {
    /// Index of the endpoint it belongs to.
    pub endpoint: usize,
    pub persona: Persona,
    pub method: Method,
    pub target: String,
    pub headers: HeaderMap,
    pub body: Bytes,
    /// The playlist that a write is about.
    pub playlist: Option<i64>,
}

/// A request that is being put together.
#[derive(Clone, Debug, Default)]
pub struct Draft {
    path: String,
    query: Vec<String>,
    headers: HeaderMap,
}

/// Both sides are asked under one name, as a proxy would pass it on: links carry it.
pub const HOST: &str = "api.mothership.example";

impl Ask {
    pub fn make(
        rng: &mut Rng,
        endpoints: &[Endpoint],
        index: usize,
        persona: Persona,
        world: &World,
    ) -> Self {
        let endpoint = &endpoints[index];
        let subject = world.subject(rng, endpoint, persona.user());
        let mut draft = Draft { path: path(rng, endpoint, &subject, world), ..Draft::default() };
        query(&mut draft, rng, endpoints, index, world);
        persona.dress(&mut draft, &subject, rng);
        let mut method = endpoint.id.method().clone();
        match rng.u8(..200) {
            0..8 if method == Method::GET => method = Method::HEAD,
            8..10 => method = Method::OPTIONS,
            10..12 => method = Method::PATCH,
            _ => {}
        }
        let host = if rng.u8(..20) == 0 { "mothership.test:8080" } else { HOST };
        draft.header("host", host);
        if rng.u8(..20) == 0 {
            draft.header("x-forwarded-proto", ["https", "http", "ftp"][rng.usize(..3)]);
        }
        let body = if method == *endpoint.id.method() {
            body::of(rng, endpoint, &subject, world, &mut draft)
        } else {
            Bytes::new()
        };
        let mut target = draft.target();
        if matches!(method, Method::GET | Method::HEAD) && rng.u8(..10) == 0 {
            condition(&mut draft, &mut target, rng, endpoint, world);
        }
        let playlist = subject.playlist;
        Self { endpoint: index, persona, method, target, headers: draft.headers, body, playlist }
    }

    /// The playlist as `user` finds it after a write.
    pub fn read_back(
        endpoints: &[Endpoint],
        of: &Self,
        dialect: Dialect,
        playlist: i64,
        token: Option<String>,
    ) -> Self {
        let (path, target) = match dialect {
            Dialect::Public => {
                ("/playlists/{playlist_id}", format!("/playlists/{playlist}?access=playable,preview,blocked"))
            }
            Dialect::Mobile => {
                ("/playlists/{playlist_urn}", format!("/mobile/playlists/mothership:playlists:{playlist}"))
            }
            Dialect::Web => ("/playlists/{playlist_id}", format!("/web/playlists/{playlist}")),
        };
        let mut draft = Draft::default();
        draft.header("host", HOST);
        draft.header("x-country", "US");
        if let Some(token) = token {
            draft.header("authorization", &format!("OAuth {token}"));
        }
        Self {
            endpoint: Endpoint::find(endpoints, dialect, &Method::GET, path),
            persona: of.persona,
            method: Method::GET,
            target,
            headers: draft.headers,
            body: Bytes::new(),
            playlist: Some(playlist),
        }
    }

    /// As a command that a person can repeat.
    pub fn curl(&self) -> String {
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "'\\''"));
        let mut command = format!("curl -i -X {}", self.method);
        for (name, value) in &self.headers {
            let value = String::from_utf8_lossy(value.as_bytes());
            command.push_str(&format!(" -H {}", quoted(&format!("{name}: {value}"))));
        }
        if !self.body.is_empty() {
            let body = String::from_utf8_lossy(&self.body);
            let shown: String = body.chars().take(2000).collect();
            command.push_str(&format!(" --data-binary {}", quoted(&shown)));
        }
        format!("{command} \"$BASE\"{}", quoted(&self.target))
    }
}

impl Draft {
    pub fn header(&mut self, name: &'static str, value: &str) {
        let value = HeaderValue::from_bytes(value.as_bytes()).expect("generated headers are valid");
        self.headers.insert(HeaderName::from_static(name), value);
    }

    pub fn query(&mut self, name: &str, value: &str) {
        self.query.push(serde_urlencoded::to_string([(name, value)]).expect("pairs of texts can be encoded"));
    }

    fn raw_query(&mut self, raw: &str) {
        self.query.push(raw.to_owned());
    }

    fn target(&self) -> String {
        if self.query.is_empty() {
            self.path.clone()
        } else {
            format!("{}?{}", self.path, self.query.join("&"))
        }
    }
}

fn path(rng: &mut Rng, endpoint: &Endpoint, subject: &Subject, world: &World) -> String {
    let spell = |rng: &mut Rng, kind: &str, id: i64| value::id(rng, endpoint.dialect, kind, id);
    let segments = endpoint.id.template().split('/').map(|segment| match segment {
        "{playlist_id}" | "{playlist_urn}" => spell(rng, "playlists", subject.playlist.unwrap_or(201)),
        "{track_id}" | "{track_urn}" => {
            let any = world.tracks[world.biased(rng, world.tracks.len(), 20)].id;
            let members = subject.playlist.and_then(|id| world.playlist(id)).map(|thing| &thing.members);
            let member = members.filter(|_| rng.u8(..10) < 8).and_then(|members| members.last().copied());
            spell(rng, "tracks", subject.track.or(member).unwrap_or(any))
        }
        "{user_id}" | "{user_urn}" => spell(rng, "users", subject.user.unwrap_or(1)),
        "{secret_token}" => match rng.u8(..20) {
            0 => "s-unknown".to_owned(),
            1 => "s-track102".to_owned(),
            2 => value::encoded(&subject.secret),
            3 if endpoint.dialect == Dialect::Public => format!("{}.json", subject.secret),
            _ => subject.secret.clone(),
        },
        "{user_permalink}" => permalink(rng, &subject.owner_permalink, "nobody"),
        "{playlist_permalink}" => permalink(rng, &subject.permalink, "nothing"),
        literal => literal.to_owned(),
    });
    let path = segments.collect::<Vec<_>>().join("/");
    match rng.u8(..100) {
        0..3 if endpoint.dialect == Dialect::Public && !path.ends_with(".json") => format!("{path}.json"),
        3 => format!("{path}/"),
        _ => path,
    }
}

fn permalink(rng: &mut Rng, right: &str, wrong: &str) -> String {
    match rng.u8(..20) {
        0 => wrong.to_owned(),
        1 => right.to_uppercase(),
        2 => value::encoded(right),
        _ => right.to_owned(),
    }
}

fn query(draft: &mut Draft, rng: &mut Rng, endpoints: &[Endpoint], index: usize, world: &World) {
    let endpoint = &endpoints[index];
    for name in &endpoint.query {
        // The personas bring secret links.
        if name == "secret_token" || rng.u8(..100) >= share(endpoint, name) {
            continue;
        }
        let cursor = world.cursor(index, rng);
        let text = value::parameter(rng, endpoint.dialect, name, cursor);
        draft.query(name, &text);
        if rng.u8(..40) == 0 {
            let again = value::parameter(rng, endpoint.dialect, name, None);
            draft.query(name, &again);
        }
    }
    if !endpoint.query.iter().any(|name| name == "limit") && rng.u8(..25) == 0 {
        draft.query("limit", "3");
    }
    match rng.u8(..150) {
        0 => draft.raw_query("%zz=%"),
        1 => draft.raw_query("&&=x"),
        2 => draft.query("utm_source", "a b&c=ü"),
        3 => draft.raw_query("a+b=c%20d"),
        4 => draft.query("ids[]", "202,203"),
        _ => {}
    }
}

/// Of 100 requests, how many say this parameter.
fn share(endpoint: &Endpoint, name: &str) -> u8 {
    let template = endpoint.id.template();
    match name {
        // What such an endpoint is there for; elsewhere it narrows a list that is to be seen whole, too.
        "q" if template.contains("search") => 90,
        "ids" if template.ends_with("/batch") => 90,
        "q" | "ids" => 25,
        "limit" | "per_page" => 60,
        _ => 45,
    }
}

/// A conditional request: with the tag that this very target had, another's, or one made up.
fn condition(draft: &mut Draft, target: &mut String, rng: &mut Rng, endpoint: &Endpoint, world: &World) {
    let known = match rng.u8(..10) {
        0 => "*".to_owned(),
        1 => "W/\"0123456789abcdef\", \"x\"".to_owned(),
        2 => "nonsense".to_owned(),
        _ => {
            // Only where the target belongs to the endpoint: the same path before the query.
            let same = world.tagged(rng).filter(|(known, _)| {
                let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
                endpoint.dialect == Dialect::Public && path(known) == path(target)
            });
            match same.map(|(known, tag)| (known.to_owned(), tag.to_owned())) {
                Some((known, tag)) => {
                    *target = known;
                    tag
                }
                None => world.tag(target).unwrap_or("W/\"00\"").to_owned(),
            }
        }
    };
    draft.header("if-none-match", &known);
}
