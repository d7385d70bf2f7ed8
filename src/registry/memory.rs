//! What was learned, by key, up to a number: then what was not asked for longest is forgotten. Never what is in use, so
//! that those who share a value go on sharing it.

use std::{borrow::Borrow, collections::HashMap, hash::Hash, sync::Arc};

pub(super) struct Memory<K, T> {
    most: usize,
    clock: u64,
    kept: HashMap<K, (u64, Arc<T>)>,
}

impl<K: Eq + Hash + Clone, T> Memory<K, T> {
    pub(super) fn new(most: usize) -> Self {
        Self { most, clock: 0, kept: HashMap::new() }
    }

    pub(super) fn get<Q: Eq + Hash + ?Sized>(&mut self, key: &Q) -> Option<Arc<T>>
    where
        K: Borrow<Q>,
    {
        self.clock += 1;
        let (used, value) = self.kept.get_mut(key)?;
        *used = self.clock;
        Some(Arc::clone(value))
    }

    /// The value, made if there is none.
    pub(super) fn of(&mut self, key: K, make: impl FnOnce() -> T) -> Arc<T> {
        if let Some(value) = self.get(&key) {
            return value;
        }
        self.insert(key, make())
    }

    pub(super) fn insert(&mut self, key: K, value: T) -> Arc<T> {
        if self.kept.len() >= self.most && !self.kept.contains_key(&key) {
            self.shed();
        }
        let value = Arc::new(value);
        self.clock += 1;
        self.kept.insert(key, (self.clock, Arc::clone(&value)));
        value
    }

    pub(super) fn remove(&mut self, key: &K) {
        self.kept.remove(key);
    }

    fn shed(&mut self) {
        let unused = self.kept.iter().filter(|(_, (_, value))| Arc::strong_count(value) == 1);
        let oldest = unused.min_by_key(|(_, (used, _))| *used).map(|(key, _)| key.clone());
        if let Some(key) = oldest {
            self.kept.remove(&key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_forgets_what_was_not_asked_for_longest_and_never_what_is_in_use() {
        let mut memory: Memory<u32, u32> = Memory::new(3);
        let held = memory.of(0, || 0);
        for number in 1..1000 {
            memory.of(number, || number);
            memory.get(&1);
        }
        assert_eq!(memory.kept.len(), 3);
        assert!(memory.get(&999).is_some() && memory.get(&998).is_none() && memory.get(&1).is_some());
        assert!(Arc::ptr_eq(&held, &memory.of(0, || 7)));
    }

    #[test]
    fn with_everything_in_use_nothing_is_forgotten() {
        let mut memory: Memory<u32, u32> = Memory::new(2);
        let held: Vec<_> = (0..5).map(|number| memory.of(number, || number)).collect();
        assert!(held.iter().enumerate().all(|(at, held)| Arc::ptr_eq(held, &memory.of(at as u32, || 9))));
    }
}
