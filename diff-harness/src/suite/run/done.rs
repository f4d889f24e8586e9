//! Which cases are done: ranges of their places, so that a million of them take no room.

use std::collections::BTreeMap;

/// A set of places, as ranges from (included) to (excluded).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    ranges: BTreeMap<u64, u64>,
}

impl Done {
    pub fn add(&mut self, index: u64) {
        self.add_range(index, index + 1);
    }

    fn add_range(&mut self, mut from: u64, mut to: u64) {
        // Those that touch it become part of it.
        while let Some((&start, &end)) = self.ranges.range(..=to).next_back().filter(|(_, end)| **end >= from)
        {
            self.ranges.remove(&start);
            (from, to) = (from.min(start), to.max(end));
        }
        self.ranges.insert(from, to);
    }

    pub fn contains(&self, index: u64) -> bool {
        self.ranges.range(..=index).next_back().is_some_and(|(_, end)| *end > index)
    }

    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|(from, to)| to - from).sum()
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub fn ranges(&self) -> impl Iterator<Item = (u64, u64)> {
        self.ranges.iter().map(|(from, to)| (*from, *to))
    }
}

impl FromIterator<(u64, u64)> for Done {
    fn from_iter<I: IntoIterator<Item = (u64, u64)>>(ranges: I) -> Self {
        let mut done = Self::default();
        ranges.into_iter().filter(|(from, to)| from < to).for_each(|(from, to)| done.add_range(from, to));
        done
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_become_one_range() {
        let mut done = Done::default();
        for index in [5, 3, 4, 9, 0] {
            done.add(index);
        }
        assert_eq!(done.ranges().collect::<Vec<_>>(), [(0, 1), (3, 6), (9, 10)]);
        assert_eq!(done.len(), 5);
        assert!(done.contains(4) && !done.contains(6) && !done.contains(2));
    }

    #[test]
    fn any_order_makes_the_same_set() {
        let seed = 5;
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut all: Vec<u64> = (0..500).filter(|_| rng.bool()).collect();
        let expected = all.clone();
        rng.shuffle(&mut all);
        let mut done = Done::default();
        all.into_iter().for_each(|index| done.add(index));
        let members: Vec<u64> = (0..500).filter(|index| done.contains(*index)).collect();
        assert_eq!(members, expected, "seed {seed}");
        assert_eq!(done.ranges().collect::<Done>(), done);
    }
}
