//! Why a client connection is closed for what it is, rather than a request refused.

/// Each is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum TurnedAway {
    /// A client of HTTP/2 took back most of its requests before they were answered.
    Http2Resets,
}

impl TurnedAway {
    /// In the order of their numbers.
    pub const ALL: [Self; 1] = [Self::Http2Resets];

    /// The word under which it is counted.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Http2Resets => "http2_resets",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_stands_in_its_place() {
        assert!(TurnedAway::ALL.iter().enumerate().all(|(place, why)| *why as usize == place));
    }
}
