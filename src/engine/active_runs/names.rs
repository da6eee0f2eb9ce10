//! From a session's id to its number: an open hash table that knows numbers only. The ids are with whoever gave the numbers.

use alloc::vec::Vec;

/// Whether two ids are the same: by words, where the library's comparison goes byte by byte.
pub(super) fn is_same(one: &[u8], other: &[u8]) -> bool {
    let ((words, rest), (other_words, other_rest)) = (one.as_chunks::<8>(), other.as_chunks::<8>());
    one.len() == other.len()
        && words.iter().zip(other_words).all(|(one, other)| u64::from_ne_bytes(*one) == u64::from_ne_bytes(*other))
        && rest.iter().zip(other_rest).all(|(one, other)| one == other)
}

/// See the module's description.
pub(super) struct Names {
    // Number plus one; 0 is free. As many as a power of two, at most half of them taken.
    table: Vec<u32>,
    taken: usize,
    seed: u64,
}

impl Names {
    /// No names. The seed keeps a server from choosing ids that all meet in one place.
    pub fn new(seed: u64) -> Self {
        Self { table: Vec::new(), taken: 0, seed }
    }

    /// What stands for an id in the table.
    pub fn hash(&self, id: &[u8]) -> u32 {
        const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
        let mut sum = self.seed ^ id.len() as u64;
        let (words, rest) = id.as_chunks::<8>();
        for word in words {
            sum = (sum.rotate_left(23) ^ u64::from_le_bytes(*word)).wrapping_mul(MIX);
        }
        for &byte in rest {
            sum = (sum.rotate_left(23) ^ u64::from(byte)).wrapping_mul(MIX);
        }
        (sum ^ sum >> 32) as u32
    }

    /// The number of the id with this hash for which `is_it`.
    #[inline]
    pub fn find(&self, hash: u32, is_it: impl Fn(u32) -> bool) -> Option<u32> {
        let mut at = self.home(hash);
        loop {
            let number = self.table.get(at)?.checked_sub(1)?;
            if is_it(number) {
                return Some(number);
            }
            at = self.after(at);
        }
    }

    /// Adds a number that is not there. `hash_of` gives every number's.
    pub fn add(&mut self, number: u32, hash_of: impl Fn(u32) -> u32) {
        if self.taken * 2 >= self.table.len() {
            let old = core::mem::take(&mut self.table);
            self.table.resize((old.len() * 2).max(64), 0);
            for held in old.into_iter().filter(|&held| held != 0) {
                self.put(held, hash_of(held - 1));
            }
        }
        self.put(number + 1, hash_of(number));
        self.taken += 1;
    }

    /// Removes a number; what was put behind it for want of its place moves up.
    pub fn remove(&mut self, number: u32, hash_of: impl Fn(u32) -> u32) {
        let mut at = self.home(hash_of(number));
        loop {
            match self.table.get(at) {
                None | Some(0) => return,
                Some(&held) if held == number + 1 => break,
                Some(_) => at = self.after(at),
            }
        }
        self.taken -= 1;
        let (mut hole, mut next) = (at, self.after(at));
        while let Some(&held) = self.table.get(next).filter(|&&held| held != 0) {
            let mask = self.table.len() - 1;
            let home = self.home(hash_of(held - 1));
            // It may move up as far as its home.
            if next.wrapping_sub(home) & mask >= next.wrapping_sub(hole) & mask {
                self.set(hole, held);
                hole = next;
            }
            next = self.after(next);
        }
        self.set(hole, 0);
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.table = Vec::new();
        self.taken = 0;
    }

    fn put(&mut self, held: u32, hash: u32) {
        let mut at = self.home(hash);
        while self.table.get(at).is_some_and(|&other| other != 0) {
            at = self.after(at);
        }
        self.set(at, held);
    }

    fn set(&mut self, at: usize, held: u32) {
        if let Some(slot) = self.table.get_mut(at) {
            *slot = held;
        }
    }

    fn home(&self, hash: u32) -> usize {
        hash as usize & self.table.len().wrapping_sub(1)
    }

    fn after(&self, at: usize) -> usize {
        (at + 1) & (self.table.len() - 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

        #[test]
        fn what_was_added_and_not_removed_is_found(
            // Few hashes, so that they meet.
            hashes in proptest::collection::vec(0..40_u32, 1..200), turns in proptest::collection::vec((any::<u16>(), any::<bool>()), 0..300),
        ) {
            let mut names = Names::new(7);
            let hash_of = |number: u32| hashes[number as usize];
            let mut held = std::collections::BTreeSet::new();
            for (pick, adds) in turns {
                let number = u32::from(pick) % hashes.len() as u32;
                if adds && held.insert(number) {
                    names.add(number, hash_of);
                } else if !adds && held.remove(&number) {
                    names.remove(number, hash_of);
                }
            }
            for number in 0..hashes.len() as u32 {
                let found = names.find(hash_of(number), |other| other == number);
                prop_assert_eq!(found, held.contains(&number).then_some(number));
            }
        }
    }

    #[test]
    fn ids_that_differ_anywhere_have_other_hashes() {
        let names = Names::new(1);
        let ids = ["", "a", "b", "ab", "session-1", "session-2", "session-11", "a\u{0}"];
        let hashes: std::collections::BTreeSet<u32> = ids.iter().map(|id| names.hash(id.as_bytes())).collect();
        assert_eq!(hashes.len(), ids.len());
        assert_ne!(Names::new(2).hash(b"session-1"), names.hash(b"session-1"));
    }
}
