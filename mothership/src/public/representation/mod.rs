//! How the dialect writes each thing. Where a value is missing, three habits meet, each where it always was: `null`, the
//! empty string, and no key at all.

mod time;
mod user;
mod track;
mod playlist;
mod comment;
mod connection;
mod web_profile;

pub(super) use comment::comment;
pub(super) use connection::connection;
pub(super) use playlist::{legacy_playlist, playlist};
pub(super) use time::time;
pub(super) use track::{streams, track};
pub(super) use user::{complete_user, me, short_user, user};
pub(super) use web_profile::web_profile;
