//! Proposes endpoints from traffic that matched none.
//!
//! Paths are learned as a tree. A segment that looks like an identifier becomes a parameter at once; a parent
//! with too many different words below it turns out to have been a parent of identifiers when proposals are
//! made. What is proposed is a guess with its evidence; a person declares it or does not.
//!
//! - [`tree`]: what was seen, within limits.
//! - [`propose`]: what that amounts to.

mod tree;
mod propose;

use diff_harness::endpoint::EndpointId;
use diff_harness::store::Undeclared;
use http::Method;

use crate::record::Discover;
use crate::routes::{Encoded, Hazard, PathPolicy, PathView};
use tree::Tree;

/// What the learner keeps at most. Past a limit nothing is forgotten; what is new is counted and not learned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DiscoveryLimits {
    /// Places in the tree of paths.
    pub nodes_max: usize,
    /// Different words below one parent, before further ones count as values of a parameter.
    pub words_max: usize,
    /// Different words below one noun, from which on they are proposed as one parameter.
    pub crowd: usize,
    /// Segments of a path.
    pub depth_max: usize,
    /// Bytes of an example path, and examples of one endpoint.
    pub example_bytes_max: usize,
    pub examples_max: usize,
}

impl Default for DiscoveryLimits {
    fn default() -> Self {
        Self {
            nodes_max: 8192,
            words_max: 256,
            crowd: 24,
            depth_max: 24,
            example_bytes_max: 256,
            examples_max: 5,
        }
    }
}

/// Learns from undeclared requests. The same requests in the same order give the same proposals.
///
/// To observe a request costs a look-up for each segment, and allocates only for what is new.
#[derive(Clone, Debug, Default)]
pub struct Discovery {
    tree: Tree,
    overlooked: u64,
}

/// An endpoint that traffic seems to use.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    pub endpoint: EndpointId,
    pub count: u64,
    /// A few paths that it was seen with, tokens in them hidden.
    pub examples: Vec<String>,
    /// Why segments became parameters, from left to right.
    pub parameters: Vec<Evidence>,
    /// Of `count`: since the proposals were last taken.
    pub(super) fresh: u64,
}

/// Why a segment became a parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evidence {
    pub name: String,
    /// Different values that were seen, counted up to [`Evidence::DISTINCT_MAX`].
    pub distinct: usize,
    /// What the values look like; empty where they are words, only many.
    pub looks: Vec<&'static str>,
}

impl Evidence {
    /// Where counting stops: the true number may be larger.
    pub const DISTINCT_MAX: usize = 64;
}

impl Discovery {
    pub fn new(limits: DiscoveryLimits) -> Self {
        Self { tree: Tree::new(limits), overlooked: 0 }
    }

    /// Learns from a request. HEAD counts as the GET it stands for.
    pub fn observe(&mut self, method: &Method, path: &PathView<'_>) {
        let known = match *method {
            Method::HEAD => Some(&Method::GET),
            Method::TRACE | Method::CONNECT => None,
            _ => Some(method),
        };
        let learned = match known {
            Some(method) if path.is_matchable() => self.tree.learn(method, path.as_str()),
            _ => false,
        };
        self.overlooked += u64::from(!learned);
    }

    /// Learns what was proposed before, so that a later proposal covers an earlier and more literal one.
    pub fn absorb(&mut self, before: &Undeclared) {
        if !self.tree.absorb(before) {
            self.overlooked += before.count;
        }
    }

    /// Everything that was learned, in the order of [`EndpointId`].
    pub fn proposals(&self) -> Vec<Proposal> {
        propose::proposals(&self.tree)
    }

    /// Requests that could not be learned: past a limit, too deep, or not to be matched.
    pub fn overlooked(&self) -> u64 {
        self.overlooked
    }

    /// What was seen since the last call. The tree stays, so that proposals grow better.
    pub fn take_fresh(&mut self) -> Vec<Undeclared> {
        if !self.tree.is_fresh() {
            return Vec::new();
        }
        let proposals = self.proposals();
        self.tree.mark_taken();
        let fresh = proposals.into_iter().filter(|proposal| proposal.fresh > 0);
        fresh.map(|proposal| Undeclared { count: proposal.fresh, ..proposal.into() }).collect()
    }
}

/// Makes fewer and wider proposals of those that a store kept over time.
pub fn consolidated(kept: &[Undeclared]) -> Vec<Undeclared> {
    let mut discovery = Discovery::default();
    for one in kept {
        discovery.absorb(one);
    }
    discovery.proposals().into_iter().map(Undeclared::from).collect()
}

impl From<Proposal> for Undeclared {
    fn from(proposal: Proposal) -> Self {
        Self { proposed: proposal.endpoint, count: proposal.count, examples: proposal.examples }
    }
}

impl Discover for Discovery {
    fn seen(&mut self, method: &Method, path: &str) {
        // The data plane has refused what it refuses; whatever came through is worth to learn from.
        let lenient = PathPolicy {
            encoded_slash: Encoded::Opaque,
            backslash: Encoded::Opaque,
            dot_segments: Hazard::Control,
            duplicate_slash: Hazard::Control,
            path_parameters: Encoded::Opaque,
            non_ascii: Encoded::Opaque,
            absolute_form: Encoded::Opaque,
        };
        match PathView::of(path, &lenient) {
            Ok(view) => self.observe(method, &view),
            Err(_) => self.overlooked += 1,
        }
    }

    fn take(&mut self) -> Vec<Undeclared> {
        self.take_fresh()
    }
}

#[cfg(test)]
mod tests;
