//! The known cast: users, tokens, tracks and playlists that every database has under the same ids, so that tests,
//! suites and demos can name them. docs/mothership-cast.md tells what each is there for.

use rusqlite::Connection;

use super::insert::{self, plain_playlist, plain_track, plain_user};
use crate::{
    command::TITLE_CHARS_MAX,
    domain::{
        Embeddable, License, Plan, Playlist, PlaylistId, PlaylistKind, Policy, Role, Sharing, Territories,
        Territory, Timestamp, Track, TrackId, User, UserId,
    },
    store::StoreError,
};

/// Owns most of the cast's things.
pub const ADA: UserId = UserId::new(1);
/// Follows Ada.
pub const FAN: UserId = UserId::new(2);
pub const OTHER: UserId = UserId::new(3);
/// Blocked by Ada.
pub const OUTCAST: UserId = UserId::new(4);
/// A moderator.
pub const MOD: UserId = UserId::new(5);
/// Suspended.
pub const GHOST: UserId = UserId::new(6);
/// Blocked Ada.
pub const MUTER: UserId = UserId::new(7);
/// Has texts with everything in them.
pub const UNICODE: UserId = UserId::new(8);
/// Has nothing set, or empty strings.
pub const BLANK: UserId = UserId::new(9);
/// The label of Ada's album.
pub const LABEL: UserId = UserId::new(10);

/// Bearer tokens. `tok-expired` is Other's and ended in 2021; the others never end.
pub const TOKENS: [(&str, UserId); 11] = [
    ("tok-ada", ADA),
    ("tok-fan", FAN),
    ("tok-other", OTHER),
    ("tok-outcast", OUTCAST),
    ("tok-mod", MOD),
    ("tok-ghost", GHOST),
    ("tok-muter", MUTER),
    ("tok-unicode", UNICODE),
    ("tok-blank", BLANK),
    ("tok-label", LABEL),
    ("tok-expired", OTHER),
];

/// Where [`TERRITORY`] and [`TERRITORY_AND_PREVIEW`] are blocked.
pub const BLOCKED_TERRITORIES: [Territory; 2] = [Territory::new(*b"DE"), Territory::new(*b"FR")];

pub const PUBLIC: TrackId = TrackId::new(101);
pub const PRIVATE: TrackId = TrackId::new(102);
/// Until 2100.
pub const UNRELEASED: TrackId = TrackId::new(103);
pub const TERRITORY: TrackId = TrackId::new(104);
pub const PREVIEW: TrackId = TrackId::new(105);
pub const TERRITORY_AND_PREVIEW: TrackId = TrackId::new(106);
pub const TAKEN_DOWN: TrackId = TrackId::new(107);
pub const PRIVATE_UNRELEASED: TrackId = TrackId::new(108);
pub const NO_COMMENTS: TrackId = TrackId::new(109);
/// Was released in 2020.
pub const RELEASED: TrackId = TrackId::new(110);
/// Is released on 2026-07-01: whether it shows depends on the clock.
pub const RELEASED_IN_JULY: TrackId = TrackId::new(111);
pub const OF_SUSPENDED: TrackId = TrackId::new(121);
pub const OF_OTHER: TrackId = TrackId::new(122);
pub const PRIVATE_OF_OTHER: TrackId = TrackId::new(123);
pub const LONG_TITLE_TRACK: TrackId = TrackId::new(124);
pub const UNICODE_TRACK: TrackId = TrackId::new(125);
pub const BLANK_TRACK: TrackId = TrackId::new(126);
pub const OF_FAN: TrackId = TrackId::new(127);
pub const OF_OUTCAST: TrackId = TrackId::new(128);
pub const OF_MUTER: TrackId = TrackId::new(129);

/// Every track of the cast, in the order of their ids.
pub const TRACKS: [TrackId; 20] = [
    PUBLIC,
    PRIVATE,
    UNRELEASED,
    TERRITORY,
    PREVIEW,
    TERRITORY_AND_PREVIEW,
    TAKEN_DOWN,
    PRIVATE_UNRELEASED,
    NO_COMMENTS,
    RELEASED,
    RELEASED_IN_JULY,
    OF_SUSPENDED,
    OF_OTHER,
    PRIVATE_OF_OTHER,
    LONG_TITLE_TRACK,
    UNICODE_TRACK,
    BLANK_TRACK,
    OF_FAN,
    OF_OUTCAST,
    OF_MUTER,
];

/// Holds every track of the cast.
pub const EVERYTHING: PlaylistId = PlaylistId::new(201);
pub const PRIVATE_PLAYLIST: PlaylistId = PlaylistId::new(202);
pub const ALBUM: PlaylistId = PlaylistId::new(203);
/// Until 2100.
pub const UNRELEASED_ALBUM: PlaylistId = PlaylistId::new(204);
pub const EMPTY: PlaylistId = PlaylistId::new(205);
/// 500 tracks.
pub const FULL: PlaylistId = PlaylistId::new(206);
pub const PLAYLIST_OF_SUSPENDED: PlaylistId = PlaylistId::new(207);
pub const UNICODE_PLAYLIST: PlaylistId = PlaylistId::new(208);
pub const LONG_TITLE: PlaylistId = PlaylistId::new(209);
pub const BLANK_PLAYLIST: PlaylistId = PlaylistId::new(210);
/// Three that tie in creation, modification and likes.
pub const TIES: [PlaylistId; 3] = [PlaylistId::new(211), PlaylistId::new(212), PlaylistId::new(213)];
pub const PLAYLIST_OF_OTHER: PlaylistId = PlaylistId::new(214);
pub const PRIVATE_PLAYLIST_OF_OTHER: PlaylistId = PlaylistId::new(215);
pub const PRIVATE_UNRELEASED_ALBUM: PlaylistId = PlaylistId::new(216);
/// Is released on 2026-07-01: whether it shows depends on the clock.
pub const EP_IN_JULY: PlaylistId = PlaylistId::new(217);
/// 50 generated tracks: the page that benchmarks ask for.
pub const FIFTY: PlaylistId = PlaylistId::new(218);

/// Generated rows start after this id, in each table; the cast is below.
pub(crate) const RESERVED_IDS: i64 = 1000;

/// The secret token of a track of the cast, such as `s-track102`.
pub fn track_secret(id: TrackId) -> String {
    format!("s-track{id}")
}

/// The secret token of a playlist of the cast, such as `s-playlist202`.
pub fn playlist_secret(id: PlaylistId) -> String {
    format!("s-playlist{id}")
}

pub(super) fn insert(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    for user in users() {
        insert::user(&tx, &user)?;
    }
    for (token, user) in TOKENS {
        let expires_at = (token == "tok-expired").then(|| time("2021-01-01T00:00:00Z"));
        insert::token(&tx, token, user, expires_at)?;
    }
    for track in tracks() {
        insert::track(&tx, &track)?;
    }
    for (playlist, _) in playlists() {
        insert::playlist(&tx, &playlist)?;
    }
    insert_pairs(&tx)?;
    insert_texts(&tx)?;
    tx.commit()?;
    Ok(())
}

/// After the generated tracks, of which some are members.
pub(super) fn insert_tracklists(conn: &mut Connection) -> Result<(), StoreError> {
    let tx = conn.transaction()?;
    for (playlist, tracks) in playlists() {
        insert::tracklist(&tx, playlist.id, &tracks)?;
    }
    tx.commit()?;
    Ok(())
}

fn users() -> Vec<User> {
    let at = time("2012-03-04T05:06:07Z");
    let plain = |id, permalink| plain_user(id, permalink, at);
    vec![
        User {
            username: "Ada Example".to_owned(),
            first_name: Some("Ada".to_owned()),
            last_name: Some("Example".to_owned()),
            city: Some("Berlin".to_owned()),
            country: Some("Germany".to_owned()),
            description: Some("Records everything.\nSells some of it.".to_owned()),
            avatar_url: Some("https://img.example/avatars/1-large.jpg".to_owned()),
            website: Some("https://ada.example/".to_owned()),
            website_title: Some("Ada's site".to_owned()),
            discogs_name: Some("ada".to_owned()),
            plan: Plan::ProUnlimited,
            upload_seconds_used: 54_321,
            ..plain(ADA, "ada")
        },
        User { city: Some("Paris".to_owned()), country: Some("France".to_owned()), ..plain(FAN, "fan") },
        User { plan: Plan::Pro, ..plain(OTHER, "other") },
        plain(OUTCAST, "outcast"),
        User { role: Role::Moderator, ..plain(MOD, "mod") },
        User { suspended: true, ..plain(GHOST, "ghost") },
        plain(MUTER, "muter"),
        User {
            username: "Zoë <b>\"Ünïcödé\"</b> 🎧 عربى".to_owned(),
            first_name: Some("Zoë".to_owned()),
            last_name: Some("O'Nëill & Søn".to_owned()),
            description: Some("<script>alert('x')</script> \u{2028} \\ / é = e\u{301}".to_owned()),
            city: Some("東京".to_owned()),
            locale: "ja".to_owned(),
            ..plain(UNICODE, "unicode")
        },
        User {
            username: String::new(),
            first_name: Some(String::new()),
            city: Some(String::new()),
            description: Some(String::new()),
            website: Some(String::new()),
            primary_email_confirmed: false,
            ..plain(BLANK, "blank")
        },
        User { username: "Label Records".to_owned(), plan: Plan::Pro, ..plain(LABEL, "label") },
    ]
}

fn tracks() -> Vec<Track> {
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

fn playlists() -> Vec<(Playlist, Vec<TrackId>)> {
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

fn insert_pairs(tx: &Connection) -> Result<(), StoreError> {
    let at = time("2018-08-08T08:08:08Z");
    let later =
        |minutes: i64| Timestamp::from_millis(at.millis() + minutes * 60_000).expect("a time in 2018");
    for (minutes, follower, followee) in
        [(1, FAN, ADA), (2, OTHER, ADA), (3, GHOST, ADA), (4, ADA, OTHER), (5, ADA, UNICODE), (6, FAN, GHOST)]
    {
        insert::pair(
            tx,
            "follows",
            ["follower_id", "followee_id"],
            follower,
            followee.get(),
            later(minutes),
        )?;
    }
    for (blocker, blocked) in [(ADA, OUTCAST), (MUTER, ADA)] {
        insert::pair(tx, "blocks", ["blocker_id", "blocked_id"], blocker, blocked.get(), at)?;
    }
    // The ties are liked in one instant, so that lists ordered by the time of the like tie as well.
    let mut playlist_likes: Vec<(UserId, PlaylistId, Timestamp)> = vec![
        (FAN, EVERYTHING, later(1)),
        (OTHER, EVERYTHING, later(2)),
        (GHOST, EVERYTHING, later(3)),
        (MUTER, EVERYTHING, later(4)),
        (FAN, ALBUM, later(5)),
        (FAN, PRIVATE_PLAYLIST, later(6)),
        (FAN, PLAYLIST_OF_SUSPENDED, later(7)),
        (ADA, PRIVATE_PLAYLIST, later(8)),
        (ADA, PLAYLIST_OF_OTHER, later(9)),
    ];
    playlist_likes.extend(TIES.map(|tie| (FAN, tie, later(10))));
    for (user, playlist, at) in playlist_likes {
        insert::pair(tx, "playlist_likes", ["user_id", "playlist_id"], user, playlist.get(), at)?;
    }
    for (minutes, user, playlist) in [
        (1, FAN, EVERYTHING),
        (2, OTHER, EVERYTHING),
        (3, GHOST, EVERYTHING),
        (4, FAN, ALBUM),
        (5, FAN, EP_IN_JULY),
    ] {
        insert::pair(
            tx,
            "playlist_reposts",
            ["user_id", "playlist_id"],
            user,
            playlist.get(),
            later(minutes),
        )?;
    }
    for (minutes, track) in (1..).zip(TRACKS) {
        insert::pair(tx, "track_likes", ["user_id", "track_id"], FAN, track.get(), later(minutes))?;
    }
    insert::pair(tx, "track_likes", ["user_id", "track_id"], GHOST, PUBLIC.get(), later(30))?;
    insert::pair(tx, "track_likes", ["user_id", "track_id"], OTHER, PUBLIC.get(), later(31))?;
    for (minutes, user, track) in
        [(1, FAN, PUBLIC), (2, GHOST, PUBLIC), (3, FAN, PRIVATE), (4, OTHER, PREVIEW)]
    {
        insert::pair(tx, "track_reposts", ["user_id", "track_id"], user, track.get(), later(minutes))?;
    }
    Ok(())
}

fn insert_texts(tx: &Connection) -> Result<(), StoreError> {
    let at = time("2019-09-09T09:09:09Z");
    insert::comment(tx, PUBLIC, FAN, "First!", Some(0), at)?;
    insert::comment(tx, PUBLIC, OTHER, "<3 \"this\" 🎉 & more", Some(41_500), at)?;
    insert::comment(tx, PUBLIC, GHOST, "By a suspended user", Some(50_000), at)?;
    insert::comment(tx, PUBLIC, OUTCAST, "By someone whom Ada blocked", None, at)?;
    insert::comment(tx, PRIVATE, ADA, "A note to myself", None, at)?;
    insert::comment(tx, OF_OTHER, ADA, "Nice.", Some(1_234), at)?;
    insert::web_profile(tx, ADA, "videos", "Ada's videos", Some("ada"), at)?;
    insert::web_profile(tx, ADA, "shop", "", None, at)?;
    insert::web_profile(tx, UNICODE, "pictures", "Bilder <&> 写真", Some("zoë"), at)?;
    insert::connection(tx, ADA, "chirper", "@ada", at)?;
    insert::connection(tx, ADA, "facepage", "Ada Example", at)?;
    Ok(())
}

fn time(text: &str) -> Timestamp {
    text.parse().expect("the cast's times are well-formed")
}
