//! How much traffic a demo sends, and how much evidence its policy asks for.

/// A real migration has a stricter policy and weeks of traffic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    Usual,
    /// Fewer requests for a looser policy, which says of a slower candidate that it is, and no more.
    Quick,
}

/// Requests to one endpoint in a round.
#[derive(Clone, Copy, Debug)]
pub(super) struct Requests {
    /// While evidence is gathered.
    pub(super) proving: usize,
    /// While the candidate answers clients: what it takes was seen before.
    pub(super) answering: usize,
}

impl Pace {
    pub(super) fn requests(self) -> Requests {
        match self {
            Self::Usual => Requests { proving: 24, answering: 8 },
            Self::Quick => Requests { proving: 10, answering: 4 },
        }
    }

    /// The config of the proxy, without its upstreams.
    pub(super) fn config(self) -> String {
        // A mismatch rate of so much must not pass: 60 clean comparisons, and 14.
        let (p1, latency) = match self {
            Self::Usual => ("5%", "require"),
            Self::Quick => ("20%", "state"),
        };
        include_str!("strangler.toml").replace("{p1}", p1).replace("{latency}", latency)
    }
}
