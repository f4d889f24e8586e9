//! Bounded, seeded mutation of a text: the fuzzing that runs with every test run.

/// Calls `check` with `rounds` mutants of `text`. A failure prints the seed, the round and the mutant.
pub(crate) fn of(text: &str, seed: u64, rounds: u32, check: impl Fn(&str)) {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    for round in 0..rounds {
        let mutant = mutant(text, &mut random);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&mutant)));
        assert!(outcome.is_ok(), "seed {seed}, round {round}:\n{mutant}");
    }
}

/// What breaks readers: structure, references, escapes, numbers and words of the formats.
const PIECES: [&str; 32] = [
    "{",
    "}",
    "[",
    "]",
    "\"",
    "'",
    ":",
    ",",
    "\n",
    "  ",
    "- ",
    "#",
    "/",
    "//",
    "..",
    "%",
    "%2f",
    "%zz",
    "?",
    "*",
    "&a",
    "*a",
    "<<: ",
    "$ref: '#'",
    "\\u0000",
    "\\ud800",
    "null",
    "-1",
    "1e999",
    "{x",
    "é",
    "\u{0}",
];

fn mutant(text: &str, random: &mut Random) -> String {
    let mut mutant: Vec<char> = text.chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(mutant.len());
        let length = random.below((mutant.len() - at).min(40)) + 1;
        let end = (at + length).min(mutant.len());
        match random.below(5) {
            0 => drop(mutant.drain(at..end)),
            1 => drop(mutant.splice(at..end, PIECES[random.below(PIECES.len())].chars())),
            2 => drop(mutant.splice(at..at, PIECES[random.below(PIECES.len())].chars())),
            3 => {
                let copy: Vec<_> = mutant[at..end].to_vec();
                let to = random.below(mutant.len());
                mutant.splice(to..to, copy);
            }
            _ => mutant.truncate(at),
        }
        if mutant.is_empty() {
            mutant.push(' ');
        }
    }
    mutant.into_iter().collect()
}

/// xorshift64*: small, and the same everywhere.
struct Random(u64);

impl Random {
    /// Below `end`, or 0 where there is nothing below it.
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let bits = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        // 31 bits fit a usize everywhere.
        bits as usize % end.max(1)
    }
}
