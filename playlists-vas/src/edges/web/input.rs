//! What bodies mean: JSON or forms, fields in camelCase or snake_case, below `playlist` or at the top, texts for numbers
//! and for booleans. What the dialect does not know it ignores.

use serde_json::{Map, Value};

use crate::{
    domain::{PlaylistKind, Sharing, Timestamp, TrackId},
    edges::web::ApiError,
    foundation::PlaylistFields,
};

pub(super) type Body = Map<String, Value>;

/// Collects what is wrong, so that all of it is told at once.
struct Input<'b> {
    object: &'b Body,
    problems: Vec<(&'static str, String)>,
}

pub(super) fn playlist(body: &Body) -> Result<PlaylistFields, ApiError> {
    let object = body.get("playlist").and_then(Value::as_object).unwrap_or(body);
    let mut input = Input { object, problems: Vec::new() };
    let fields = PlaylistFields {
        title: input.text("title", "title"),
        description: input.clearable("description", "description"),
        genre: input.clearable("genre", "genre"),
        tag_list: input.text("tagList", "tag_list"),
        kind: input.kind(),
        sharing: input.sharing(),
        release_at: input.release_at(),
        track_ids: input.track_ids(),
        ..PlaylistFields::default()
    };
    input.done(fields)
}

/// The `trackIds` of a body that is about nothing else.
pub(super) fn track_ids(body: &Body) -> Result<Vec<TrackId>, ApiError> {
    let mut input = Input { object: body, problems: Vec::new() };
    let ids = input.track_ids();
    if ids.is_none() && input.problems.is_empty() {
        input.problems.push(("trackIds", "is missing".to_owned()));
    }
    input.done(ids.unwrap_or_default())
}

/// In upper case.
pub(super) fn method(body: &Body) -> Option<String> {
    body.get("_method").and_then(Value::as_str).map(str::to_ascii_uppercase)
}

impl Input<'_> {
    fn done<T>(self, read: T) -> Result<T, ApiError> {
        if self.problems.is_empty() {
            return Ok(read);
        }
        let owned = |(field, problem): (&str, String)| (field.to_owned(), problem);
        Err(ApiError::Fields(self.problems.into_iter().map(owned).collect()))
    }

    fn value(&self, camel: &str, snake: &str) -> Option<&Value> {
        self.object.get(camel).or_else(|| self.object.get(snake))
    }

    /// Null is the empty text.
    fn text(&mut self, camel: &'static str, snake: &str) -> Option<String> {
        let value = self.value(camel, snake)?;
        let text = if value.is_null() { Some(String::new()) } else { plain(value) };
        if text.is_none() {
            self.problems.push((camel, "is not a text".to_owned()));
        }
        text
    }

    /// The empty text clears, because forms know no null.
    fn clearable(&mut self, camel: &'static str, snake: &str) -> Option<Option<String>> {
        self.text(camel, snake).map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    fn kind(&mut self) -> Option<PlaylistKind> {
        let text = self.text("setType", "set_type").filter(|text| !text.is_empty())?;
        let kind = text.to_ascii_lowercase().parse().ok();
        if kind.is_none() {
            self.problems.push(("setType", "is not a type of set".to_owned()));
        }
        kind
    }

    /// `public`: everything that does not say yes says no.
    fn sharing(&mut self) -> Option<Sharing> {
        let text = self.text("public", "is_public")?;
        let yes = matches!(text.trim().to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on");
        Some(if yes { Sharing::Public } else { Sharing::Private })
    }

    fn release_at(&mut self) -> Option<Option<Timestamp>> {
        let Some(text) = self.clearable("releaseDate", "release_date")? else { return Some(None) };
        let day = text.trim().parse::<jiff::civil::Date>().ok();
        let at = day.and_then(|day| format!("{day}T00:00:00Z").parse().ok());
        if at.is_none() {
            self.problems.push(("releaseDate", "is not a date".to_owned()));
        }
        at.map(Some)
    }

    /// `[1, "2"]`, `[{"id": 1}]` or `"1,2"`.
    fn track_ids(&mut self) -> Option<Vec<TrackId>> {
        let ids = match self.value("trackIds", "track_ids")? {
            Value::Null => Some(Vec::new()),
            Value::Array(items) => items.iter().map(track_id).collect(),
            Value::Object(items) => items.values().map(track_id).collect(),
            text => plain(text).and_then(|text| {
                let ids = text.split(',').map(str::trim).filter(|id| !id.is_empty());
                ids.map(|id| id.parse().ok()).collect()
            }),
        };
        if ids.is_none() {
            self.problems.push(("trackIds", "is not a list of ids".to_owned()));
        }
        ids
    }
}

fn track_id(item: &Value) -> Option<TrackId> {
    let id = item.as_object().map_or(Some(item), |object| object.get("id"))?;
    plain(id)?.parse().ok()
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}
