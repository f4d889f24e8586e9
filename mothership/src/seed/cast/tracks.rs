//! What they uploaded.

use super::*;
use crate::{
    command::TITLE_CHARS_MAX,
    domain::{Embeddable, License, Policy, Sharing, Territories, Track},
    seed::insert::plain_track,
};

pub(super) fn all() -> Vec<Track> {
    let blocked = Territories::new(BLOCKED_TERRITORIES.to_vec());
    let far = Some(time("2100-01-01T00:00:00Z"));
    let of = |id: TrackId, user, title: &str| {
        let at = Timestamp::from_millis(time("2014-01-01T12:00:00Z").millis() + id.get() * 3_600_000)
            .expect("a time in 2014");
        Track {
            genre: Some("Cast".to_owned()),
            duration_ms: 100_000 + id.get() * 137,
            playback_count: id.get() * 11,
            ..plain_track(id, user, title, track_secret(id), at)
        }
    };
    vec![
        Track {
            description: Some("The one that everyone may hear.".to_owned()),
            tag_list: "cast \"two words\" geo:lat=52.5".to_owned(),
            bpm: Some(120),
            key_signature: Some("F#m".to_owned()),
            isrc: Some("DEXX01400101".to_owned()),
            license: License::CcBy,
            downloadable: true,
            download_count: 7,
            artwork_url: Some("https://img.example/artworks/101-large.jpg".to_owned()),
            ..of(PUBLIC, ADA, "Public")
        },
        Track { sharing: Sharing::Private, ..of(PRIVATE, ADA, "Private") },
        Track { release_at: far, ..of(UNRELEASED, ADA, "Unreleased") },
        Track { blocked_territories: blocked.clone(), ..of(TERRITORY, ADA, "Not in Germany and France") },
        Track { policy: Policy::Preview, ..of(PREVIEW, ADA, "Preview only") },
        Track {
            policy: Policy::Preview,
            blocked_territories: blocked,
            ..of(TERRITORY_AND_PREVIEW, ADA, "Preview, not in Germany and France")
        },
        Track { taken_down: true, ..of(TAKEN_DOWN, ADA, "Taken down") },
        Track {
            sharing: Sharing::Private,
            release_at: far,
            ..of(PRIVATE_UNRELEASED, ADA, "Private and unreleased")
        },
        Track { commentable: false, embeddable_by: Embeddable::Me, ..of(NO_COMMENTS, ADA, "No comments") },
        Track {
            release: Some("CAT-001".to_owned()),
            release_at: Some(time("2020-02-29T00:00:00Z")),
            label_name: Some("Label Records".to_owned()),
            ..of(RELEASED, ADA, "Released")
        },
        Track {
            release_at: Some(time("2026-07-01T00:00:00Z")),
            ..of(RELEASED_IN_JULY, ADA, "Released in July")
        },
        of(OF_SUSPENDED, GHOST, "By a suspended user"),
        of(OF_OTHER, OTHER, "By another"),
        Track { sharing: Sharing::Private, ..of(PRIVATE_OF_OTHER, OTHER, "Private by another") },
        of(LONG_TITLE_TRACK, OTHER, &"Long ".repeat(TITLE_CHARS_MAX / 5)),
        Track {
            description: Some("</script><!-- \u{7f} 🏳️‍🌈 -->".to_owned()),
            genre: Some("Électro & <Bass>".to_owned()),
            tag_list: "\"köln café\" 🎶".to_owned(),
            ..of(UNICODE_TRACK, UNICODE, "Ça <i>va</i>? \"Да\" 'はい' 👩‍👩‍👧‍👦")
        },
        Track {
            description: Some(String::new()),
            genre: None,
            duration_ms: 0,
            playback_count: 0,
            streamable: false,
            ..of(BLANK_TRACK, BLANK, "-")
        },
        of(OF_FAN, FAN, "By a fan"),
        of(OF_OUTCAST, OUTCAST, "By an outcast"),
        of(OF_MUTER, MUTER, "By a muter"),
    ]
}
