//! Where "now" comes from. It is an input, so that equal seeds and equal clocks give equal responses.

use crate::domain::Timestamp;

#[derive(Debug, Clone, Copy)]
pub enum Clock {
    System,
    /// Time stands still: for tests, suites and demos.
    Fixed(Timestamp),
}

impl Clock {
    pub fn now(self) -> Timestamp {
        match self {
            Self::System => jiff::Timestamp::now().into(),
            Self::Fixed(time) => time,
        }
    }
}
