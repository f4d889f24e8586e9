//! A map that forgets the oldest entry when it is full.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hash,
    sync::{Mutex, PoisonError},
};

pub struct Bounded<K, V> {
    entries_max: usize,
    inner: Mutex<Inner<K, V>>,
}

struct Inner<K, V> {
    entries: HashMap<K, V>,
    /// In the order in which they came; may name keys that were removed since.
    order: VecDeque<K>,
}

impl<K: Hash + Eq + Clone, V: Clone> Bounded<K, V> {
    pub fn new(entries_max: usize) -> Self {
        Self { entries_max, inner: Mutex::new(Inner { entries: HashMap::new(), order: VecDeque::new() }) }
    }

    pub fn get(&self, key: &K) -> Option<V> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).entries.get(key).cloned()
    }

    pub fn insert(&self, key: K, value: V) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let Inner { entries, order } = &mut *inner;
        if entries.insert(key.clone(), value).is_none() {
            order.push_back(key);
        }
        // Keys that were removed stay in the order until they get to its front, so it is bounded by itself.
        while entries.len() > self.entries_max || order.len() > 2 * self.entries_max {
            let Some(oldest) = order.pop_front() else { break };
            entries.remove(&oldest);
        }
    }

    pub fn remove(&self, key: &K) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).entries.remove(key);
    }

    /// Removes what `keep` says no to.
    pub fn retain(&self, keep: impl Fn(&K, &V) -> bool) {
        self.inner
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .entries
            .retain(|key, value| keep(key, value));
    }

    pub fn clear(&self) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.entries.clear();
        inner.order.clear();
    }

    pub fn len(&self) -> usize {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_is_forgotten_when_it_is_full() {
        let cache = Bounded::new(2);
        for key in 0..5 {
            cache.insert(key, key * 10);
        }
        assert_eq!((cache.len(), cache.get(&2), cache.get(&3), cache.get(&4)), (2, None, Some(30), Some(40)));
        cache.remove(&3);
        cache.insert(4, 41);
        cache.insert(5, 50);
        assert_eq!((cache.len(), cache.get(&4), cache.get(&5)), (2, Some(41), Some(50)));
    }

    #[test]
    fn adding_and_removing_for_ever_takes_no_more_room() {
        let cache = Bounded::new(3);
        for key in 0..1000 {
            cache.insert(key, ());
            cache.remove(&key);
        }
        assert!(cache.is_empty());
        assert!(cache.inner.lock().unwrap().order.len() <= 6);
    }
}
