//! How a run ended.

/// How a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RunVerdict {
    Pass,
    /// Something diverged that nobody accepted.
    Diverged,
    /// A step could not be judged.
    Failed,
    /// It was stopped before its end.
    Interrupted,
    /// Nothing was compared: no evidence of anything.
    Nothing,
}

impl RunVerdict {
    pub const ALL: [Self; 5] = [Self::Pass, Self::Diverged, Self::Failed, Self::Interrupted, Self::Nothing];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Diverged => "diverged",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
            Self::Nothing => "nothing_compared",
        }
    }

    /// The exit code of `strangler suite run`.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Failed => 1,
            Self::Diverged => 3,
            Self::Interrupted | Self::Nothing => 4,
        }
    }
}
