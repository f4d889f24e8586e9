//! What a command accepts. Lengths are in Unicode scalar values.

pub const TITLE_CHARS_MAX: usize = 100;
pub const DESCRIPTION_CHARS_MAX: usize = 4000;
pub const TAG_LIST_CHARS_MAX: usize = 1000;
/// Genre, label, release, EAN, purchase title and the like.
pub const SHORT_TEXT_CHARS_MAX: usize = 255;
pub const COMMENT_CHARS_MAX: usize = 1000;
pub const PLAYLIST_TRACKS_MAX: usize = 500;
/// The search index takes over the count of likes when it is off by more than this, or when the playlist changes.
pub const INDEX_LAG_MAX: i64 = 3;
