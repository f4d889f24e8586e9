//! What stands in the place of a secret.

/// The key of the short hashes. It is never stored: whoever has the store can test no guess against a hash.
#[derive(Clone)]
pub struct RedactionKey([u8; 32]);

impl RedactionKey {
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A key from the operating system's randomness.
    pub fn random() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes)?;
        Ok(Self(bytes))
    }
}

impl std::fmt::Debug for RedactionKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RedactionKey(…)")
    }
}

#[derive(Debug)]
pub(super) struct Mask {
    key: RedactionKey,
}

impl Mask {
    pub(super) fn new(key: RedactionKey) -> Self {
        Self { key }
    }

    /// `<redacted:7f3a>`: sixteen bits tell equal from different for a reader, and are too few to tell one secret
    /// from all the others that share them.
    pub(super) fn of(&self, secret: &[u8]) -> String {
        format!("<redacted:{}>", &self.hash(secret).to_hex()[..4])
    }

    pub(super) fn hash(&self, bytes: &[u8]) -> blake3::Hash {
        blake3::keyed_hash(&self.key.0, bytes)
    }
}
