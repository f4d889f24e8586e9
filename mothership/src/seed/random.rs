//! Pseudo-random numbers that are the same on every machine and in every version of every crate: splitmix64.

/// Not for secrets that matter: the secret tokens of this reference estate are only hard to guess by hand.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each combination of `parts`.
    pub fn new(parts: &[u64]) -> Self {
        let mut random = Self(0x5EED);
        for part in parts {
            random.0 ^= part.wrapping_mul(0xD6E8_FEB8_6659_FD93);
            random.0 = random.next_u64();
        }
        random
    }

    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From 0 to `end`, without `end`. The bias of the multiplication is below 2⁻³² for the ends used here.
    pub fn below(&mut self, end: u64) -> u64 {
        u64::try_from((u128::from(self.next_u64()) * u128::from(end)) >> 64).expect("less than end")
    }

    /// From `first` to `last`, both included.
    pub fn between(&mut self, first: i64, last: i64) -> i64 {
        first + i64::try_from(self.below((last - first + 1).unsigned_abs())).expect("less than the span")
    }

    /// True `per_mille` times in a thousand.
    pub fn chance(&mut self, per_mille: u64) -> bool {
        self.below(1000) < per_mille
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[usize::try_from(self.below(from.len() as u64)).expect("less than a length")]
    }

    /// Small numbers often, large ones seldom: 0 to `most`, about `most / 8` in the mean.
    pub fn skewed(&mut self, most: i64) -> i64 {
        let (a, b, c) = (self.between(0, most), self.between(0, most), self.between(0, most));
        if self.chance(500) { 0 } else { a.min(b).min(c) }
    }
}
