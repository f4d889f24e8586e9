//! How the edge writes each thing. Where a value is missing, three habits meet, each where it always was: `null`, the
//! empty string, and no key at all.

mod time;
mod person;
mod track;
mod playlist;

pub(super) use person::short_user;
pub(super) use playlist::{legacy_playlist, playlist};
pub(super) use track::tracks;
