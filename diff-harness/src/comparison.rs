//! What became of one request: compared, skipped or dropped, and if compared, the verdict.

use crate::divergence::{Divergence, Severity};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Verdict {
    Match,
    /// They differ, and every difference is covered by a rule (or by learned noise).
    Tolerated,
    Mismatch,
}

impl Verdict {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Match => "match",
            Self::Tolerated => "tolerated",
            Self::Mismatch => "mismatch",
        }
    }
}

/// Control and candidate observation of one exchange, compared.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct Comparison {
    /// What no rule covers, in document order.
    pub divergences: Vec<Divergence>,
    /// What a rule hid: every mask counts.
    pub tolerated: Vec<Tolerated>,
    /// Rules that found a place to apply, whether or not they hid something there, by id. A rule that never applies
    /// is reported. Bodies of equal bytes are not looked into, so rules with a JSON path apply in bodies that differ.
    pub applied: Vec<String>,
    /// Both sides answered the same 5xx: equal, and no evidence of parity.
    pub both_failed: bool,
    /// What a reader must know to judge the verdict: "bodies over 1 MiB compared by hash".
    pub notes: Vec<String>,
}

impl Comparison {
    pub fn verdict(&self) -> Verdict {
        match (self.divergences.is_empty(), self.tolerated.is_empty()) {
            (false, _) => Verdict::Mismatch,
            (true, false) => Verdict::Tolerated,
            (true, true) => Verdict::Match,
        }
    }

    pub fn severity(&self) -> Option<Severity> {
        self.divergences.iter().map(|divergence| divergence.severity).max()
    }
}

/// A divergence that a rule covered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tolerated {
    /// Id of the rule in its file.
    pub rule: String,
    pub divergence: Divergence,
}

/// What the comparator says of two observations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Judgement {
    Compared(Comparison),
    /// They cannot be compared. Never a match.
    Skipped(SkipReason),
}

macro_rules! reasons {
    ($(#[$meta:meta])* $name:ident { $($(#[$variant_meta:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name { $($(#[$variant_meta])* $variant,)+ }

        impl $name {
            pub const ALL: &[Self] = &[$(Self::$variant,)+];

            /// The word used in metrics, in the ledger and on the command line.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::str::FromStr for $name {
            type Err = String;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match text {
                    $($text => Ok(Self::$variant),)+
                    _ => Err(format!("`{text}` is not a {}", stringify!($name))),
                }
            }
        }
    };
}

reasons! {
    /// Why a request was not compared although nothing went wrong.
    SkipReason {
        /// No endpoint matches it: it went to control.
        Unmatched => "unmatched",
        /// Its endpoint stands at a stage without a shadow.
        Stage => "stage",
        /// Its method is unsafe: it is sent once, ever.
        UnsafeMethod => "unsafe_method",
        /// The candidate did not acknowledge a dry run, or has not acknowledged the first one yet.
        Unacknowledged => "unacknowledged",
        /// Left out by the configured share of requests to shadow.
        Sampled => "sampled",
        /// The connection became something else (101, CONNECT).
        Upgrade => "upgrade",
        /// A stream without an end: server-sent events.
        Stream => "stream",
        /// The client left before the response was whole.
        ClientGone => "client_gone",
        /// Part of a response (206, multipart ranges) that cannot be put side by side.
        Partial => "partial",
        /// A body whose content coding is unknown, broken on both sides, or expands beyond the limit.
        Undecodable => "undecodable",
        /// The request body was over the limit that is kept for the shadow.
        RequestTooLarge => "request_too_large",
        /// The proxy refused or could not forward the request, so there was nothing to shadow.
        Refused => "refused",
        /// The answering side failed on the way, and no side gave a whole response to the client.
        AnswerFailed => "answer_failed",
    }
}

reasons! {
    /// Why a request that should have been compared was not.
    DropReason {
        /// The shadow queue was full.
        ShadowQueueFull => "shadow_queue_full",
        /// The comparison queue was full.
        CompareQueueFull => "compare_queue_full",
        /// The shadowed side could not be connected to, or its connections are all in use.
        Unreachable => "unreachable",
        /// It waited longer in the queue than its deadline allows.
        Expired => "expired",
        /// The candidate had not answered the dry run when control had to be asked, or was too slow of late to be waited for.
        DryRunLate => "dry_run_late",
        /// The bytes kept for comparison reached their limit.
        MemoryLimit => "memory_limit",
        /// The proxy was draining.
        Shutdown => "shutdown",
        /// The comparator failed on it. A bug in Strangler; the log has the exchange's id.
        ComparatorFailed => "comparator_failed",
        /// The proxy had so many requests in progress that clients came first.
        Overload => "overload",
    }
}

/// What became of one request. Every request ends in exactly one of these.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Disposition {
    Compared(Verdict),
    Skipped(SkipReason),
    Dropped(DropReason),
}
