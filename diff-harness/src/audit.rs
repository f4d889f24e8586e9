//! Who did what, why and on what: everything that was done to endpoints, to groups and to what evidence is judged by,
//! as one log.

use crate::exchange::UnixMillis;
use crate::lifecycle::Transition;
use crate::search::Search;
use crate::store::{Epoch, EpochSpan};
use crate::triage::Entry;

/// One thing that was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// An endpoint was moved, held or resumed.
    Moved(Transition),
    /// Somebody said what a group is, or took it back.
    Decided(Entry),
    /// What evidence is judged by was changed, or a matrix published.
    Changed(Change),
    /// The first comparison of an epoch was recorded.
    Began(EpochSpan),
}

/// Something that was done to no single endpoint and no single group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    pub kind: ChangeKind,
    pub actor: String,
    /// In words: from what to what.
    pub what: String,
    pub at: UnixMillis,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// The rules were read anew.
    Rules,
    /// Somebody named a deployment.
    Epoch,
    /// A suite's matrix was published.
    Matrix,
    /// The files of TLS were read anew.
    Certificates,
}

/// What is said of the first comparison of an epoch.
pub const EPOCH_BEGAN: &str = "an epoch began";

pub fn first_comparison(of: &Epoch) -> String {
    let named = |name: &str| if name.is_empty() { "unnamed".to_owned() } else { name.to_owned() };
    format!(
        "the first comparison of candidate {}, control {}, rules {}",
        named(&of.candidate),
        named(&of.control),
        named(&of.rules)
    )
}

/// Which deeds are listed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Of {
    #[default]
    All,
    Moves,
    Decisions,
    /// Of the decisions, those that let a group pass.
    Waivers,
    Rules,
    Epochs,
    Matrices,
    Certificates,
}

/// One page of the log.
#[derive(Clone, Copy, Debug)]
pub struct AuditListing<'a> {
    pub of: Of,
    /// In who did it, why, to what and what it was.
    pub search: &'a Search,
    pub offset: usize,
    pub limit: usize,
}

/// The newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Audited {
    pub deeds: Vec<Deed>,
    /// On all pages together.
    pub found: u64,
}

impl ChangeKind {
    /// What was done, in words.
    pub fn words(self) -> &'static str {
        match self {
            Self::Rules => "rules read anew",
            Self::Epoch => "deployment named",
            Self::Matrix => "matrix published",
            Self::Certificates => "certificates read anew",
        }
    }

    pub const ALL: [Self; 4] = [Self::Rules, Self::Epoch, Self::Matrix, Self::Certificates];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rules => "rules",
            Self::Epoch => "epoch",
            Self::Matrix => "matrix",
            Self::Certificates => "certificates",
        }
    }
}

impl Of {
    pub const ALL: [Self; 8] = [
        Self::All,
        Self::Moves,
        Self::Decisions,
        Self::Waivers,
        Self::Rules,
        Self::Epochs,
        Self::Matrices,
        Self::Certificates,
    ];

    /// The word in an address.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::All => "",
            Self::Moves => "moves",
            Self::Decisions => "decisions",
            Self::Waivers => "waivers",
            Self::Rules => "rules",
            Self::Epochs => "epochs",
            Self::Matrices => "matrices",
            Self::Certificates => "certificates",
        }
    }
}
