//! What bodies mean: leniently typed fields below `playlist`, the same from JSON and forms.

use std::str::FromStr;

use serde_json::{Map, Value};

use crate::{
    domain::{PlaylistKind, Timestamp, TrackId, UserId},
    edges::public::error::ApiError,
    foundation::PlaylistFields,
};

type Body = Map<String, Value>;

/// One object of a body. Collects what is wrong with it, so that all of it is told at once.
struct Fields<'b> {
    object: &'b Body,
    problems: Vec<String>,
}

pub(super) fn playlist(body: &Body) -> Result<PlaylistFields, ApiError> {
    let mut fields = Fields::below(body, "playlist")?;
    let read = PlaylistFields {
        title: fields.text("title"),
        description: fields.clearable("description"),
        genre: fields.clearable("genre"),
        tag_list: fields.text("tag_list"),
        kind: fields.kind(),
        sharing: fields.word("sharing"),
        license: fields.word("license"),
        release: fields.clearable("release"),
        release_at: fields.release_date(),
        ean: fields.clearable("ean"),
        label_id: fields.label_id(),
        label_name: fields.clearable("label_name"),
        purchase_title: fields.clearable("purchase_title"),
        purchase_url: fields.clearable("purchase_url"),
        embeddable_by: fields.word("embeddable_by"),
        artwork_url: None,
        track_ids: fields.object.get("tracks").and_then(|tracks| fields_tracks(tracks, &mut fields.problems)),
    };
    fields.done(read)
}

/// The `tracks` of a body that is about nothing else; below `playlist` or not.
pub(super) fn tracks(body: &Body) -> Result<Vec<TrackId>, ApiError> {
    let object = body.get("playlist").and_then(Value::as_object).unwrap_or(body);
    let mut problems = Vec::new();
    let Some(tracks) = object.get("tracks") else {
        return Err(ApiError::BadRequest("param is missing or the value is empty: tracks".to_owned()));
    };
    match fields_tracks(tracks, &mut problems) {
        Some(tracks) => Ok(tracks),
        None => Err(ApiError::Unprocessable(problems)),
    }
}

/// Where to insert, counted from 0.
pub(super) fn position(body: &Body) -> Result<Option<usize>, ApiError> {
    match body.get("position") {
        None | Some(Value::Null) => Ok(None),
        Some(position) => match plain(position).and_then(|text| text.trim().parse().ok()) {
            Some(position) => Ok(Some(position)),
            None => Err(ApiError::Unprocessable(vec!["position must be a number from 0 on".to_owned()])),
        },
    }
}

impl<'b> Fields<'b> {
    fn below(body: &'b Body, name: &str) -> Result<Self, ApiError> {
        match body.get(name) {
            Some(Value::Object(object)) => Ok(Self { object, problems: Vec::new() }),
            Some(Value::Null) | None => {
                Err(ApiError::BadRequest(format!("param is missing or the value is empty: {name}")))
            }
            Some(_) => Err(ApiError::BadRequest(format!("{name} must have fields"))),
        }
    }

    fn done<T>(self, read: T) -> Result<T, ApiError> {
        if self.problems.is_empty() { Ok(read) } else { Err(ApiError::Unprocessable(self.problems)) }
    }

    /// Numbers and booleans are taken as text; null is the empty string.
    fn text(&mut self, name: &str) -> Option<String> {
        let value = self.object.get(name)?;
        let text = if value.is_null() { Some(String::new()) } else { plain(value) };
        if text.is_none() {
            self.problems.push(format!("{name} must be a text"));
        }
        text
    }

    /// The empty string clears, because forms know no null.
    fn clearable(&mut self, name: &str) -> Option<Option<String>> {
        self.text(name).map(|text| Some(text).filter(|text| !text.is_empty()))
    }

    /// Of a closed set. Empty counts as not said.
    fn word<T: FromStr>(&mut self, name: &str) -> Option<T> {
        let text = self.text(name).filter(|text| !text.is_empty())?;
        let word = text.parse().ok();
        if word.is_none() {
            self.problems.push(format!("{name} is not included in the list"));
        }
        word
    }

    /// The empty string is an ordinary playlist here.
    fn kind(&mut self) -> Option<PlaylistKind> {
        let text = self.text("playlist_type").or_else(|| self.text("type"))?;
        if text.is_empty() {
            return Some(PlaylistKind::Playlist);
        }
        let kind = text.parse().ok();
        if kind.is_none() {
            self.problems.push("playlist_type is not included in the list".to_owned());
        }
        kind
    }

    fn label_id(&mut self) -> Option<Option<UserId>> {
        let text = self.text("label_id")?;
        if text.is_empty() {
            return Some(None);
        }
        let id = text.parse().ok();
        if id.is_none() {
            self.problems.push("label_id names a user who does not exist".to_owned());
        }
        id.map(Some)
    }

    /// `release_date`, or `release_year`, `release_month` and `release_day`, of which the latter two default to 1.
    fn release_date(&mut self) -> Option<Option<Timestamp>> {
        let whole = self.text("release_date");
        let parts = ["release_year", "release_month", "release_day"].map(|name| self.text(name));
        if whole.is_none() && parts.iter().all(Option::is_none) {
            return None;
        }
        let whole = whole.unwrap_or_default();
        let [year, month, day] = parts.map(Option::unwrap_or_default);
        if whole.is_empty() && year.is_empty() {
            return Some(None);
        }
        let part = |text: &str| if text.is_empty() { Ok(1) } else { text.trim().parse::<i8>() };
        let date = if whole.is_empty() {
            let date = || {
                let (year, month, day) = (year.trim().parse().ok()?, part(&month).ok()?, part(&day).ok()?);
                jiff::civil::Date::new(year, month, day).ok()
            };
            date()
        } else {
            whole.trim().get(..10).and_then(|date| date.replace('/', "-").parse().ok())
        };
        let at = date.and_then(|date: jiff::civil::Date| {
            date.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|at| Timestamp::from(at.timestamp()))
        });
        if at.is_none() {
            self.problems.push("release_date is no date: expected such as 2026-07-01".to_owned());
        }
        at.map(Some)
    }
}

/// `[{"id": 1}]`, `[1]`, `"1,2"`, or the form's `tracks[0][id]=1`. The ids may be texts; urns are not known here.
fn fields_tracks(value: &Value, problems: &mut Vec<String>) -> Option<Vec<TrackId>> {
    let ids = match value {
        Value::Null => Some(Vec::new()),
        Value::String(text) => {
            text.split(',').map(str::trim).filter(|id| !id.is_empty()).map(|id| id.parse().ok()).collect()
        }
        Value::Array(items) => items.iter().map(track_id).collect(),
        Value::Object(items) => items.values().map(track_id).collect(),
        Value::Bool(_) | Value::Number(_) => None,
    };
    if ids.is_none() {
        problems.push("tracks must be a list of objects with the id of a track".to_owned());
    }
    ids
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
