//! Values for parameters: those that make sense, those at the edges, and nonsense.

use fastrand::Rng;

use crate::endpoint::Dialect;

/// How a path may spell an id.
pub fn id(rng: &mut Rng, dialect: Dialect, kind: &str, id: i64) -> String {
    let odd = [
        "0",
        "-1",
        "abc",
        "9223372036854775807",
        "9223372036854775808",
        "%20201",
        "201%00",
        "%FF",
        "+201",
        "2e2",
        "%D9%A3",
        "mothership:tracks:101",
        "mothership:playlists:",
        "MOTHERSHIP:playlists:201",
        "null",
        "201.5",
        "%2e%2e",
    ];
    if rng.u8(..100) < 4 {
        return odd[rng.usize(..odd.len())].to_owned();
    }
    let more = rng.u8(..100);
    match dialect {
        Dialect::Public => match more {
            0..6 => format!("{id}-summer-of-69"),
            6..10 => format!("{id}.json"),
            10..12 => format!("{id}-s%C3%BCmmer.json"),
            12..14 => encoded(&id.to_string()),
            _ => id.to_string(),
        },
        Dialect::Mobile => match more {
            0..25 => id.to_string(),
            25..30 => format!("mothership%3A{kind}%3A{id}"),
            30..32 => format!("{id}-summer"),
            32..34 => format!("{id}.json"),
            _ => format!("mothership:{kind}:{id}"),
        },
        Dialect::Web => match more {
            0..3 => format!("{id}-summer"),
            3..5 => format!("mothership:{kind}:{id}"),
            5..7 => encoded(&id.to_string()),
            _ => id.to_string(),
        },
    }
}

/// Every byte as %XX.
pub fn encoded(text: &str) -> String {
    text.bytes().map(|byte| format!("%{byte:02X}")).collect()
}

/// A value for a documented query parameter. `cursor` is a position that the endpoint gave out, if it did.
pub fn parameter(rng: &mut Rng, dialect: Dialect, name: &str, cursor: Option<&str>) -> String {
    let odd_number =
        ["", "0", "-3", "x", "1.5", "+2", " 4 ", "1000", "99999999999999999999", "0x10", "٣", "1e2"];
    let number = |rng: &mut Rng, most: u32| match rng.u8(..100) {
        0..25 => odd_number[rng.usize(..odd_number.len())].to_owned(),
        25..37 => most.to_string(),
        37..49 => (most + 1).to_string(),
        _ => rng.u32(1..=6).to_string(),
    };
    match (name, dialect) {
        ("limit", Dialect::Public) => number(rng, 200),
        ("limit", Dialect::Mobile) => match rng.u8(..3) {
            0 => number(rng, 100),
            _ => rng.u32(1..=6).to_string(),
        },
        ("limit" | "per_page", Dialect::Web) => number(rng, 50),
        ("offset", Dialect::Public) => match rng.u8(..4) {
            0 => number(rng, 8000),
            _ => rng.u32(..30).to_string(),
        },
        ("offset", _) => match rng.u8(..4) {
            0 => number(rng, 10_000),
            _ => rng.u32(..30).to_string(),
        },
        ("page", _) => match rng.u8(..4) {
            0 => odd_number[rng.usize(..odd_number.len())].to_owned(),
            _ => rng.u32(1..=5).to_string(),
        },
        ("cursor", _) => match (rng.u8(..10), cursor) {
            (0..7, Some(cursor)) => cursor.to_owned(),
            (7, _) => ["", "x", "1_", "_1", "1:2", "00", "3a", "zz", "1_2_3"][rng.usize(..9)].to_owned(),
            (_, _) if dialect == Dialect::Mobile => {
                sealed(&format!("{}:{}", 1_300_000_000_000_i64, rng.u32(1..2000)))
            }
            (8, _) => format!("{}_{}", rng.u32(..20), rng.u32(1..1500)),
            _ => "1420113600000_211".to_owned(),
        },
        ("q", _) => {
            let words = [
                "everything",
                "tie",
                "Set",
                "set of",
                "  fifty ",
                "%",
                "_",
                "'",
                "\"album\"",
                "ü🎵",
                "<b>",
                "night",
                "the",
                "a",
                "",
                " ",
                "zzzz",
                "ÜNÏ",
                "tie two",
                "\\",
                "SUMMER",
                "e",
            ];
            words[rng.usize(..words.len())].to_owned()
        }
        ("ids", _) => {
            let count = if rng.u8(..20) == 0 { rng.usize(45..60) } else { rng.usize(..6) };
            let one = |rng: &mut Rng| match rng.u8(..10) {
                0 => ["x", "0", "-1", "", "999999", " 203 ", "2e2"][rng.usize(..7)].to_owned(),
                1 => rng.u32(1001..2000).to_string(),
                _ => rng.u32(201..=218).to_string(),
            };
            (0..count).map(|_| one(rng)).collect::<Vec<_>>().join(",")
        }
        ("order", _) => ["hotness", "last_modified", "created_at", "", "HOTNESS"][rng.usize(..5)].to_owned(),
        ("access", _) => {
            let sets = [
                "playable",
                "preview",
                "blocked",
                "playable,preview,blocked",
                "playable,blocked",
                "",
                "nonsense",
                "blocked,nonsense",
                " blocked , preview ",
                "PLAYABLE",
            ];
            sets[rng.usize(..sets.len())].to_owned()
        }
        ("linked_partitioning" | "show_tracks", _) => {
            ["1", "true", "false", "0", "on", "YES", "", "no", "t", " 1 "][rng.usize(..10)].to_owned()
        }
        _ => ["", "1", "x"][rng.usize(..3)].to_owned(),
    }
}

/// As the mobile dialect writes its cursors.
fn sealed(text: &str) -> String {
    text.bytes().map(|byte| format!("{byte:02x}")).collect()
}

/// Texts for titles and the like.
pub fn text(rng: &mut Rng) -> String {
    match rng.u8(..16) {
        0 => String::new(),
        1 => "   ".to_owned(),
        2 => "ü🎵".repeat(50),
        3 => "ü🎵".repeat(51),
        4 => "<b>\"Ünïcödé\"</b> & 🎧 \\ é = e\u{301} \u{2028}\u{2029}".to_owned(),
        5 => "عربى 日本語".to_owned(),
        6 => "tie one".to_owned(),
        7 => "rock \"drum and bass\" \"open".to_owned(),
        8 => "x".repeat(256),
        9 => " padded ".to_owned(),
        10 => "Line\nbreak\ttab\u{0}".to_owned(),
        _ => format!("{} {}", ["Night", "Day", "Set", "Mix"][rng.usize(..4)], rng.u32(..50)),
    }
}
