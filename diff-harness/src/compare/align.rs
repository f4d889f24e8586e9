//! The longest common subsequence of two sequences of hashes, by Hunt and Szymanski, under a cost limit.

use std::collections::HashMap;

use foldhash::fast::FixedState;

/// Positions that stand beside each other, increasing on both sides.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Alignment {
    pub(crate) pairs: Vec<(usize, usize)>,
    /// The limit was reached: the alignment is a common subsequence, perhaps not the longest.
    pub(crate) coarse: bool,
}

/// Aligns equal hashes. Looks at no more than `pairs_max` pairs of equal positions, in O(r log n) for r of them;
/// when there are more (long runs of equal elements), only the n-th occurrences on both sides count as equal.
pub(crate) fn align(control: &[u64], candidate: &[u64], pairs_max: usize) -> Alignment {
    let prefix = control.iter().zip(candidate).take_while(|(a, b)| a == b).count();
    let suffix = control[prefix..]
        .iter()
        .rev()
        .zip(candidate[prefix..].iter().rev())
        .take_while(|(a, b)| a == b)
        .count();
    let middle = &control[prefix..control.len() - suffix];
    let candidate_middle = &candidate[prefix..candidate.len() - suffix];

    let mut pairs: Vec<(usize, usize)> = (0..prefix).map(|at| (at, at)).collect();
    let (inner, coarse) = align_middle(middle, candidate_middle, pairs_max);
    pairs.extend(inner.into_iter().map(|(i, j)| (i + prefix, j + prefix)));
    pairs.extend((0..suffix).rev().map(|back| (control.len() - 1 - back, candidate.len() - 1 - back)));
    Alignment { pairs, coarse }
}

/// Puts the n-th occurrence of a hash beside the n-th occurrence on the other side, in any order; sorted by control.
pub(super) fn occurrences(control: &[u64], candidate: &[u64]) -> Vec<(usize, usize)> {
    let mut places = places(candidate);
    let mut pairs = Vec::new();
    for (i, hash) in control.iter().enumerate() {
        // Places are kept last first.
        if let Some(j) = places.get_mut(hash).and_then(Vec::pop) {
            pairs.push((i, j));
        }
    }
    pairs
}

/// Of pairs sorted by control, the most that also increase on the candidate side.
pub(super) fn longest_increasing(pairs: &[(usize, usize)]) -> Vec<(usize, usize)> {
    let mut chains = Chains::default();
    for (i, j) in pairs {
        chains.extend(*i, *j);
    }
    chains.longest()
}

fn align_middle(control: &[u64], candidate: &[u64], pairs_max: usize) -> (Vec<(usize, usize)>, bool) {
    if control.is_empty() || candidate.is_empty() {
        return (Vec::new(), false);
    }
    let places = places(candidate);
    let found = |hash: &u64| places.get(hash).map_or(&[][..], Vec::as_slice);
    let total = control.iter().fold(0_usize, |sum, hash| sum.saturating_add(found(hash).len()));
    if total > pairs_max {
        return (longest_increasing(&occurrences(control, candidate)), true);
    }
    let mut chains = Chains::default();
    for (i, hash) in control.iter().enumerate() {
        // Last first, so that no two places of one element come into one chain.
        for j in found(hash) {
            chains.extend(i, *j);
        }
    }
    (chains.longest(), false)
}

/// Positions by hash, last first.
fn places(hashes: &[u64]) -> HashMap<u64, Vec<usize>, FixedState> {
    let mut places: HashMap<u64, Vec<usize>, FixedState> = HashMap::default();
    for (j, hash) in hashes.iter().enumerate().rev() {
        places.entry(*hash).or_default().push(j);
    }
    places
}

/// Increasing chains of pairs, by patience sorting.
#[derive(Default)]
struct Chains {
    /// For each length, the link that ends a chain of it at the smallest candidate position.
    ends: Vec<usize>,
    links: Vec<Link>,
}

struct Link {
    pair: (usize, usize),
    before: Option<usize>,
}

impl Chains {
    fn extend(&mut self, i: usize, j: usize) {
        let length = self.ends.partition_point(|link| self.links[*link].pair.1 < j);
        if self.ends.get(length).is_some_and(|link| self.links[*link].pair.1 == j) {
            return;
        }
        let before = length.checked_sub(1).map(|shorter| self.ends[shorter]);
        let link = self.links.len();
        self.links.push(Link { pair: (i, j), before });
        if length == self.ends.len() {
            self.ends.push(link);
        } else {
            self.ends[length] = link;
        }
    }

    fn longest(self) -> Vec<(usize, usize)> {
        let mut pairs = Vec::with_capacity(self.ends.len());
        let mut next = self.ends.last().copied();
        while let Some(link) = next {
            pairs.push(self.links[link].pair);
            next = self.links[link].before;
        }
        pairs.reverse();
        pairs
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The textbook table, for its length.
    fn longest_length(control: &[u64], candidate: &[u64]) -> usize {
        let mut row = vec![0; candidate.len() + 1];
        for a in control {
            let mut diagonal = 0;
            for (j, b) in candidate.iter().enumerate() {
                let above = row[j + 1];
                row[j + 1] = if a == b { diagonal + 1 } else { above.max(row[j]) };
                diagonal = above;
            }
        }
        row[candidate.len()]
    }

    fn assert_is_common(control: &[u64], candidate: &[u64], pairs: &[(usize, usize)]) {
        assert!(pairs.iter().all(|(i, j)| control[*i] == candidate[*j]), "{pairs:?}");
        assert!(pairs.windows(2).all(|two| two[0].0 < two[1].0 && two[0].1 < two[1].1), "{pairs:?}");
    }

    proptest! {
        #![proptest_config(ProptestConfig { rng_seed: proptest::test_runner::RngSeed::Fixed(1), ..ProptestConfig::with_cases(400) })]

        #[test]
        fn an_alignment_is_the_longest(
            control in prop::collection::vec(0..6_u64, 0..24),
            candidate in prop::collection::vec(0..6_u64, 0..24),
        ) {
            let exact = align(&control, &candidate, usize::MAX);
            assert_is_common(&control, &candidate, &exact.pairs);
            prop_assert_eq!(exact.pairs.len(), longest_length(&control, &candidate));
            let coarse = align(&control, &candidate, 3);
            assert_is_common(&control, &candidate, &coarse.pairs);
        }
    }

    #[test]
    fn long_runs_of_equal_elements_are_bounded() {
        let control = vec![7; 20_000];
        let mut candidate = control.clone();
        candidate.insert(0, 1);
        candidate.push(2);
        candidate.insert(10_000, 3);
        let alignment = align(&control, &candidate, 1000);
        assert!(alignment.coarse);
        assert_eq!(alignment.pairs.len(), control.len());
    }
}
