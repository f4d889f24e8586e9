//! Words of which generated titles, names and comments are made.

use super::Random;

const ADJECTIVES: [&str; 24] = [
    "Late", "Slow", "Golden", "Broken", "Electric", "Hidden", "Lunar", "Northern", "Quiet", "Rusty", "Salty",
    "Tiny", "Velvet", "Wild", "Blue", "Crooked", "Distant", "Empty", "Foggy", "Gentle", "Hollow", "Icy",
    "Jagged", "Warm",
];

const NOUNS: [&str; 24] = [
    "Summer", "Machine", "River", "Signal", "Garden", "Mirror", "Harbour", "Train", "Attic", "Echo",
    "Forest", "Hour", "Island", "Kitchen", "Letter", "Motor", "Night", "Orchard", "Parade", "Room", "Shadow",
    "Tower", "Window", "Year",
];

/// Titles that break careless code.
const ODD: [&str; 10] = [
    "Träume im Zug",
    "夏の終わり",
    "Лето & зима",
    "صيف طويل",
    "<b>loud</b> \"quoted\"",
    "it's & isn't",
    "🎧🎶 mix 🎉",
    "back\\slash / slash",
    "   spaces   around   ",
    "100% 'natural'; DROP TABLE",
];

pub(super) const GENRES: [&str; 16] = [
    "Ambient",
    "Bass",
    "Classical",
    "Country",
    "Dancehall",
    "Disco",
    "Drum & Bass",
    "Dub",
    "Folk",
    "House",
    "Indie",
    "Jazz & Blues",
    "Metal",
    "Pop",
    "Techno",
    "World",
];

const REMARKS: [&str; 10] = [
    "Love this",
    "<3",
    "What a drop!",
    "❤️🔥",
    "Who mixed this?",
    "Schön!",
    "いいね",
    "\"Again\"",
    "First",
    "More & more",
];

pub(super) fn title(random: &mut Random) -> String {
    if random.chance(60) {
        return (*random.pick(&ODD)).to_owned();
    }
    let (adjective, noun) = (random.pick(&ADJECTIVES), random.pick(&NOUNS));
    match random.below(4) {
        0 => format!("{adjective} {noun}"),
        1 => format!("{adjective} {noun} {}", random.between(1, 40)),
        2 => format!("{noun} of the {adjective} {}", random.pick(&NOUNS)),
        _ => format!("{noun} mix {}", random.between(1990, 2025)),
    }
}

pub(super) fn description(random: &mut Random) -> Option<String> {
    match random.below(10) {
        0..4 => None,
        4 => Some(String::new()),
        _ => Some(format!("{}.\n{} & {}", title(random), title(random), title(random))),
    }
}

pub(super) fn genre(random: &mut Random) -> Option<String> {
    (!random.chance(150)).then(|| (*random.pick(&GENRES)).to_owned())
}

pub(super) fn tag_list(random: &mut Random) -> String {
    let words = (0..random.between(0, 3)).map(|_| match random.below(5) {
        0 => format!("\"{} {}\"", random.pick(&ADJECTIVES), random.pick(&NOUNS)),
        _ => random.pick(&NOUNS).to_lowercase(),
    });
    words.collect::<Vec<_>>().join(" ")
}

pub(super) fn remark(random: &mut Random) -> &'static str {
    REMARKS[usize::try_from(random.below(REMARKS.len() as u64)).expect("less than a length")]
}
