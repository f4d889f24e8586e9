//! What they put together.

use super::*;
use crate::{
    command::TITLE_CHARS_MAX,
    domain::{License, Playlist, PlaylistKind, Sharing},
    seed::insert::plain_playlist,
};

pub(super) fn all() -> Vec<(Playlist, Vec<TrackId>)> {
    let of = |id: PlaylistId, user, title: &str| {
        let at = Timestamp::from_millis(time("2015-01-01T12:00:00Z").millis() + id.get() * 3_600_000)
            .expect("a time in 2015");
        Playlist {
            genre: Some("Cast".to_owned()),
            ..plain_playlist(id, user, title, playlist_secret(id), at)
        }
    };
    let generated = |count: i64| (1..=count).map(|n| TrackId::new(RESERVED_IDS + n)).collect::<Vec<_>>();
    let private =
        [PUBLIC, PRIVATE, UNRELEASED, TERRITORY, PRIVATE_UNRELEASED, PRIVATE_OF_OTHER, OF_SUSPENDED];
    let tie = time("2016-06-06T06:06:06Z");
    let mut cast = vec![
        (
            Playlist {
                description: Some("Every track of the cast.".to_owned()),
                tag_list: "cast everything".to_owned(),
                artwork_url: Some("https://img.example/artworks/201-large.jpg".to_owned()),
                ..of(EVERYTHING, ADA, "Everything")
            },
            TRACKS.to_vec(),
        ),
        (
            Playlist { sharing: Sharing::Private, ..of(PRIVATE_PLAYLIST, ADA, "Private set") },
            private.to_vec(),
        ),
        (
            Playlist {
                kind: PlaylistKind::Album,
                release: Some("CAT-002".to_owned()),
                release_at: Some(time("2020-02-29T00:00:00Z")),
                ean: Some("4006381333931".to_owned()),
                label_id: Some(LABEL),
                label_name: Some("Label Records".to_owned()),
                purchase_title: Some("Buy <it>".to_owned()),
                purchase_url: Some("https://shop.example/album?a=1&b=2".to_owned()),
                license: License::CcByNcSa,
                ..of(ALBUM, ADA, "Album")
            },
            vec![PUBLIC, TERRITORY, PREVIEW, RELEASED],
        ),
        (
            Playlist {
                kind: PlaylistKind::Album,
                release_at: Some(time("2100-01-01T00:00:00Z")),
                ..of(UNRELEASED_ALBUM, ADA, "Album to come")
            },
            vec![PUBLIC, UNRELEASED],
        ),
        (of(EMPTY, ADA, "Empty"), Vec::new()),
        (of(FULL, OTHER, "Five hundred"), generated(500)),
        (of(PLAYLIST_OF_SUSPENDED, GHOST, "Set of a suspended user"), vec![OF_SUSPENDED, PUBLIC]),
        (
            Playlist {
                description: Some("1 < 2 && 3 > 2 \u{2028} \"quoted\" 'single' \\ 日本語 🎛️".to_owned()),
                genre: Some("Électro & <Bass>".to_owned()),
                tag_list: "\"köln café\" 🎶 a<b".to_owned(),
                ..of(UNICODE_PLAYLIST, UNICODE, "<b>\"Ünïcödé\"</b> & 🎧 \\ é = e\u{301}")
            },
            vec![UNICODE_TRACK, PUBLIC],
        ),
        (of(LONG_TITLE, OTHER, &"ü🎵".repeat(TITLE_CHARS_MAX / 2)), vec![LONG_TITLE_TRACK]),
        (
            Playlist { genre: None, description: Some(String::new()), ..of(BLANK_PLAYLIST, BLANK, "-") },
            vec![BLANK_TRACK],
        ),
    ];
    for (id, title) in TIES.into_iter().zip(["Tie one", "Tie two", "Tie three"]) {
        let playlist = Playlist { created_at: tie, last_modified: tie, ..of(id, OTHER, title) };
        cast.push((playlist, vec![OF_OTHER]));
    }
    cast.extend([
        (
            of(PLAYLIST_OF_OTHER, OTHER, "Mixed by another"),
            vec![PRIVATE, PUBLIC, PRIVATE_OF_OTHER, OF_OTHER, OF_OUTCAST],
        ),
        (
            Playlist {
                sharing: Sharing::Private,
                ..of(PRIVATE_PLAYLIST_OF_OTHER, OTHER, "Private set of another")
            },
            vec![PRIVATE_OF_OTHER, PUBLIC],
        ),
        (
            Playlist {
                kind: PlaylistKind::Album,
                sharing: Sharing::Private,
                release_at: Some(time("2100-01-01T00:00:00Z")),
                ..of(PRIVATE_UNRELEASED_ALBUM, ADA, "Private album to come")
            },
            vec![PRIVATE_UNRELEASED, PRIVATE],
        ),
        (
            Playlist {
                kind: PlaylistKind::Ep,
                release_at: Some(time("2026-07-01T00:00:00Z")),
                ..of(EP_IN_JULY, ADA, "EP in July")
            },
            vec![RELEASED_IN_JULY, PUBLIC],
        ),
        (of(FIFTY, ADA, "Fifty"), generated(50)),
    ]);
    cast
}
