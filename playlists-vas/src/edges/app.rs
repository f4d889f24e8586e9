//! What every handler gets.

use http::HeaderName;

use crate::{
    commands::Commands,
    queries::{Identities, Queries},
    regressions::Regressions,
};

/// Cheap to clone.
#[derive(Clone)]
pub struct App {
    pub queries: Queries,
    pub commands: Commands,
    pub identities: Identities,
    /// Asks for a dry run, and says in a response that it was one.
    pub dry_run_header: HeaderName,
    /// Known bugs that are switched on.
    pub regressions: Regressions,
}
