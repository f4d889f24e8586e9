//! What a comparison may cost.

/// Limits on everything that an upstream could make large.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How large a body may become by decoding, in bytes.
    pub decoded_bytes_max: usize,
    /// How deeply JSON may be nested; deeper bodies are compared as text.
    pub depth_max: usize,
    /// How many bytes of a value a divergence shows.
    pub value_bytes_max: usize,
    /// How many divergences of one severity a comparison lists; the rest are counted in a note.
    pub divergences_max: usize,
    /// How many bytes the listed divergences may take together; beyond it only the first of each severity is listed. The
    /// names in a path are as long as the body makes them.
    pub listed_bytes_max: usize,
    /// How many pairs of equal elements (or lines) the search for the longest common subsequence may look at;
    /// beyond it the n-th occurrence on one side is put beside the n-th on the other.
    pub alignment_pairs_max: usize,
}

impl Limits {
    /// What a body may become by decoding where nothing else is said: four times what a proxy keeps of one.
    pub const DECODED_BYTES_MAX: usize = 4 << 20;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            decoded_bytes_max: Self::DECODED_BYTES_MAX,
            depth_max: 256,
            value_bytes_max: 1024,
            divergences_max: 500,
            listed_bytes_max: 4 << 20,
            alignment_pairs_max: 500_000,
        }
    }
}
