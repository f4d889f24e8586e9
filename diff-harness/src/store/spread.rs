//! How many different requests a number of requests were.

/// How often each of a few places was met: equal requests fall in one place, so that one request repeated a thousand
/// times is told from a thousand requests. Two requests that share a place count as one: too few, never too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Spread(Option<Box<[u32; Spread::PLACES]>>);

impl Spread {
    pub const PLACES: usize = 64;

    /// Where a request falls: by what it asks for and who asks. FNV-1a: the same in every version, for it is stored.
    pub fn place<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> u8 {
        let step = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3);
        let hash = parts.into_iter().fold(0xcbf2_9ce4_8422_2325, |hash, part| {
            // 0xff ends a part: it stands in no UTF-8 text.
            step(part.iter().fold(hash, |hash, byte| step(hash, *byte)), 0xff)
        });
        // The high bits of the product are the well mixed ones.
        (hash.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 58) as u8
    }

    pub fn add(&mut self, place: u8, n: u32) {
        let counts = self.0.get_or_insert_with(|| Box::new([0; Self::PLACES]));
        let count = &mut counts[usize::from(place) % Self::PLACES];
        *count = count.saturating_add(n);
    }

    pub fn merge(&mut self, other: &Self) {
        for (place, n) in other.counts().iter().enumerate().filter(|(_, n)| **n > 0) {
            self.add(place as u8, *n);
        }
    }

    /// All of them, each place counting for at most `cap`.
    pub fn capped(&self, cap: u64) -> u64 {
        self.counts().iter().map(|n| u64::from(*n).min(cap)).sum()
    }

    /// Different requests, as far as they are told apart.
    pub fn distinct(&self) -> usize {
        self.counts().iter().filter(|n| **n > 0).count()
    }

    pub fn counts(&self) -> &[u32] {
        self.0.as_ref().map_or(&[], |counts| &counts[..])
    }
}
