//! What a field mask asks for: it takes fields out of answers, and saves the calls behind them.

use std::collections::BTreeMap;

use crate::rpc::{FieldMask, playlists, tracks};

/// Without a mask, or with an empty one, everything is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    Everything,
    /// By field; below a message, what of it.
    Fields(BTreeMap<String, Mask>),
}

/// A mask that names what a message does not have. Ignoring it would hide a misspelt field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("field_mask: {path:?} is no field here")]
pub struct UnknownField {
    pub path: String,
}

/// The fields of a message, and what empties those that a mask leaves out.
macro_rules! fields {
    ($fields:ident, $apply:ident, $message:ty, [$($field:ident),+ $(,)?]) => {
        const $fields: &[&str] = &[$(stringify!($field)),+];

        impl Mask {
            /// Fields that the mask does not name have their default values after it.
            pub fn $apply(&self, mut message: $message) -> $message {
                if let Self::Fields(_) = self {
                    $(if !self.wants(stringify!($field)) { message.$field = Default::default(); })+
                }
                message
            }
        }
    };
}

fields!(
    TRACK_FIELDS,
    applied_to_track,
    tracks::v1::Track,
    [
        id,
        user_id,
        permalink,
        title,
        description,
        genre,
        tag_list,
        duration_ms,
        bpm,
        key_signature,
        isrc,
        label_name,
        license,
        release,
        release_at_ms,
        private,
        secret_token,
        commentable,
        downloadable,
        streamable,
        embeddable_by,
        purchase_title,
        purchase_url,
        artwork_url,
        playback_count,
        download_count,
        likes_count,
        reposts_count,
        comments_count,
        created_at_ms,
        last_modified_ms,
        access,
        liked,
        reposted,
        owner_muted,
    ]
);

fields!(
    PLAYLIST_FIELDS,
    applied_to_playlist,
    playlists::v1::Playlist,
    [
        id,
        user_id,
        permalink,
        title,
        description,
        genre,
        tag_list,
        kind,
        private,
        secret_token,
        license,
        release,
        release_at_ms,
        ean,
        label_id,
        label_name,
        purchase_title,
        purchase_url,
        embeddable_by,
        artwork_url,
        track_count,
        duration_ms,
        likes_count,
        reposts_count,
        revision,
        created_at_ms,
        last_modified_ms,
        liked,
        reposted,
        tracks,
    ]
);

impl Mask {
    /// # Errors
    /// The mask names a field that a track does not have; the same below for playlists.
    pub fn of_track(mask: Option<FieldMask>) -> Result<Self, UnknownField> {
        Self::read(mask, |path| TRACK_FIELDS.contains(&path))
    }

    pub fn of_playlist(mask: Option<FieldMask>) -> Result<Self, UnknownField> {
        Self::read(mask, |path| match path.split_once('.') {
            None => PLAYLIST_FIELDS.contains(&path),
            Some(("tracks", field)) => TRACK_FIELDS.contains(&field),
            Some(_) => false,
        })
    }

    pub fn wants(&self, field: &str) -> bool {
        match self {
            Self::Everything => true,
            Self::Fields(fields) => fields.contains_key(field),
        }
    }

    /// What is wanted of a message in a field that is wanted; written back as a mask for whoever is asked for it.
    pub fn below(&self, field: &str) -> Option<FieldMask> {
        let Self::Fields(fields) = self else { return None };
        match fields.get(field)? {
            Self::Everything => None,
            Self::Fields(below) => Some(FieldMask { paths: below.keys().cloned().collect() }),
        }
    }

    fn read(mask: Option<FieldMask>, known: impl Fn(&str) -> bool) -> Result<Self, UnknownField> {
        let paths = mask.map(|mask| mask.paths).unwrap_or_default();
        if paths.is_empty() {
            return Ok(Self::Everything);
        }
        let mut fields = BTreeMap::new();
        for path in paths {
            if !known(&path) {
                return Err(UnknownField { path });
            }
            let (field, below) = path.split_once('.').map_or((path.as_str(), None), |(f, b)| (f, Some(b)));
            let wanted = fields.entry(field.to_owned()).or_insert_with(|| Self::Fields(BTreeMap::new()));
            match (below, wanted) {
                // The whole of it is wanted, whatever else was said.
                (None, wanted) => *wanted = Self::Everything,
                (Some(below), Self::Fields(wanted)) => {
                    wanted.insert(below.to_owned(), Self::Everything);
                }
                (Some(_), Self::Everything) => {}
            }
        }
        Ok(Self::Fields(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mask(paths: &[&str]) -> Option<FieldMask> {
        Some(FieldMask { paths: paths.iter().map(|path| (*path).to_owned()).collect() })
    }

    #[test]
    fn a_mask_leaves_what_it_names() {
        let read = Mask::of_playlist(mask(&["title", "tracks.title"])).unwrap();
        assert!(read.wants("tracks") && !read.wants("id"));
        assert_eq!(read.below("tracks"), mask(&["title"]));
        let full = playlists::v1::Playlist { id: 1, title: "a".to_owned(), ..Default::default() };
        let left = read.applied_to_playlist(full);
        assert_eq!((left.id, left.title.as_str()), (0, "a"));
    }

    #[test]
    fn no_mask_and_an_empty_one_want_everything() {
        for empty in [None, mask(&[])] {
            assert_eq!(Mask::of_track(empty), Ok(Mask::Everything));
        }
        let whole = Mask::of_playlist(mask(&["tracks.title", "tracks", "tracks.id"])).unwrap();
        assert_eq!((whole.wants("tracks"), whole.below("tracks")), (true, None));
    }

    #[test]
    fn a_misspelt_field_is_told() {
        for bad in ["titel", "tracks.titel", "title.x", ""] {
            assert_eq!(Mask::of_playlist(mask(&[bad])), Err(UnknownField { path: bad.to_owned() }));
        }
    }
}
