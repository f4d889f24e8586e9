//! The fields that a create or update sets. `None` leaves a field as it is; `Some(None)` clears one that may be empty.

use serde::{Deserialize, Deserializer};

use crate::{
    command::{
        CommandError, DESCRIPTION_CHARS_MAX, Invalid, PLAYLIST_TRACKS_MAX, Problem, SHORT_TEXT_CHARS_MAX,
        TAG_LIST_CHARS_MAX, TITLE_CHARS_MAX,
    },
    domain::{Embeddable, License, PlaylistKind, Sharing, Timestamp, TrackId, UserId},
};

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PlaylistFields {
    pub title: Option<String>,
    #[serde(deserialize_with = "present")]
    pub description: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub genre: Option<Option<String>>,
    pub tag_list: Option<String>,
    pub kind: Option<PlaylistKind>,
    pub sharing: Option<Sharing>,
    pub license: Option<License>,
    #[serde(deserialize_with = "present")]
    pub release: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub release_at: Option<Option<Timestamp>>,
    #[serde(deserialize_with = "present")]
    pub ean: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub label_id: Option<Option<UserId>>,
    #[serde(deserialize_with = "present")]
    pub label_name: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub purchase_title: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub purchase_url: Option<Option<String>>,
    pub embeddable_by: Option<Embeddable>,
    #[serde(deserialize_with = "present")]
    pub artwork_url: Option<Option<String>>,
    /// Replaces all tracks. Repeated ids count once, at their first place.
    pub track_ids: Option<Vec<TrackId>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TrackFields {
    pub title: Option<String>,
    #[serde(deserialize_with = "present")]
    pub description: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub genre: Option<Option<String>>,
    pub tag_list: Option<String>,
    pub sharing: Option<Sharing>,
    pub license: Option<License>,
    #[serde(deserialize_with = "present")]
    pub release: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub release_at: Option<Option<Timestamp>>,
    #[serde(deserialize_with = "present")]
    pub isrc: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub label_name: Option<Option<String>>,
    #[serde(deserialize_with = "present")]
    pub purchase_url: Option<Option<String>>,
    pub embeddable_by: Option<Embeddable>,
    pub commentable: Option<bool>,
    pub downloadable: Option<bool>,
    pub streamable: Option<bool>,
}

/// A field that is there is `Some`, even if it is null.
fn present<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

impl PlaylistFields {
    /// Checks what can be checked without the store.
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        let mut checks = Checks::default();
        checks.title(self.title.as_deref());
        checks.length("description", text(&self.description), DESCRIPTION_CHARS_MAX);
        checks.length("genre", text(&self.genre), SHORT_TEXT_CHARS_MAX);
        checks.length("tag_list", self.tag_list.as_deref(), TAG_LIST_CHARS_MAX);
        checks.length("release", text(&self.release), SHORT_TEXT_CHARS_MAX);
        checks.length("ean", text(&self.ean), SHORT_TEXT_CHARS_MAX);
        checks.length("label_name", text(&self.label_name), SHORT_TEXT_CHARS_MAX);
        checks.length("purchase_title", text(&self.purchase_title), SHORT_TEXT_CHARS_MAX);
        checks.length("purchase_url", text(&self.purchase_url), SHORT_TEXT_CHARS_MAX);
        checks.length("artwork_url", text(&self.artwork_url), SHORT_TEXT_CHARS_MAX);
        if let Some(tracks) = &self.track_ids
            && tracks.len() > PLAYLIST_TRACKS_MAX
        {
            let problem = Problem::TooMany { max: PLAYLIST_TRACKS_MAX, actual: tracks.len() };
            checks.0.push(Invalid { field: "tracks", problem });
        }
        checks.done()
    }
}

impl TrackFields {
    pub(crate) fn check(&self) -> Result<(), CommandError> {
        let mut checks = Checks::default();
        checks.title(self.title.as_deref());
        checks.length("description", text(&self.description), DESCRIPTION_CHARS_MAX);
        checks.length("genre", text(&self.genre), SHORT_TEXT_CHARS_MAX);
        checks.length("tag_list", self.tag_list.as_deref(), TAG_LIST_CHARS_MAX);
        checks.length("release", text(&self.release), SHORT_TEXT_CHARS_MAX);
        checks.length("isrc", text(&self.isrc), SHORT_TEXT_CHARS_MAX);
        checks.length("label_name", text(&self.label_name), SHORT_TEXT_CHARS_MAX);
        checks.length("purchase_url", text(&self.purchase_url), SHORT_TEXT_CHARS_MAX);
        checks.done()
    }
}

#[derive(Default)]
struct Checks(Vec<Invalid>);

impl Checks {
    fn title(&mut self, title: Option<&str>) {
        if title.is_some_and(|title| title.trim().is_empty()) {
            self.0.push(Invalid { field: "title", problem: Problem::Blank });
        }
        self.length("title", title, TITLE_CHARS_MAX);
    }

    fn length(&mut self, field: &'static str, text: Option<&str>, max: usize) {
        let actual = text.map_or(0, |text| text.chars().count());
        if actual > max {
            self.0.push(Invalid { field, problem: Problem::TooLong { max, actual } });
        }
    }

    fn done(self) -> Result<(), CommandError> {
        if self.0.is_empty() { Ok(()) } else { Err(CommandError::Invalid(self.0)) }
    }
}

fn text(field: &Option<Option<String>>) -> Option<&str> {
    field.as_ref()?.as_deref()
}
