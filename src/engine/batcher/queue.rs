//! What waits to be sent, by its place alone: which two may be made one, and which gives way.

use alloc::collections::VecDeque;

/// The chunks that wait, in order. The page has the chunks themselves, in the same places.
#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: VecDeque<Waiting>,
    // No two neighbours before this place can be made one.
    tried: usize,
}

/// A chunk, or several that were made one.
#[derive(Clone, Copy, Debug)]
struct Waiting {
    // The number of its first push.
    push: u64,
    is_control: bool,
}

impl Queue {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, push: u64, is_control: bool) {
        self.waiting.push_back(Waiting { push, is_control });
    }

    /// Takes the newest back.
    pub(super) fn retract(&mut self) {
        self.waiting.pop_back();
    }

    /// The first push of what waits longest.
    pub(super) fn first(&self) -> Option<u64> {
        self.waiting.front().map(|waiting| waiting.push)
    }

    /// Takes up to `most` of them to be sent.
    pub(super) fn take(&mut self, most: usize) -> usize {
        let count = most.min(self.waiting.len());
        for _ in 0..count {
            self.waiting.pop_front();
        }
        self.tried = self.tried.saturating_sub(count);
        count
    }

    /// The place of the first of two deltas that stand together and have not been tried.
    pub(super) fn pair(&mut self) -> Option<usize> {
        while let (Some(one), Some(other)) =
            (self.waiting.get(self.tried), self.waiting.get(self.tried.saturating_add(1)))
        {
            if !one.is_control && !other.is_control {
                return Some(self.tried);
            }
            self.tried += 1;
        }
        None
    }

    /// What became of the pair at this place.
    pub(super) fn handle_tried(&mut self, at: usize, is_one: bool) {
        if is_one {
            self.waiting.remove(at.saturating_add(1));
            self.tried = self.tried.min(at);
        } else {
            self.tried = self.tried.max(at.saturating_add(1));
        }
    }

    /// Takes the oldest delta away; gives its place.
    pub(super) fn yield_delta(&mut self) -> Option<usize> {
        let at = self.waiting.iter().position(|waiting| !waiting.is_control)?;
        self.waiting.remove(at);
        // Its neighbours are neighbours now.
        self.tried = self.tried.min(at.saturating_sub(1));
        Some(at)
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `c` for a control chunk.
    fn queue(kinds: &str) -> Queue {
        let mut queue = Queue::default();
        kinds.bytes().enumerate().for_each(|(at, kind)| queue.push(at as u64, kind == b'c'));
        queue
    }

    #[test]
    fn neighbours_are_tried_once_each_and_never_across_a_control_chunk() {
        let mut queue = queue("ddcdcdd");
        let mut tried = Vec::new();
        while let Some(at) = queue.pair() {
            tried.push(at);
            queue.handle_tried(at, false);
        }
        assert_eq!(tried, [0, 5]);
        queue.push(7, false);
        assert_eq!(queue.pair(), Some(6));
    }

    #[test]
    fn what_was_made_one_is_tried_with_its_next_neighbour() {
        let mut queue = queue("ddd");
        for left in [2, 1] {
            assert_eq!(queue.pair(), Some(0));
            queue.handle_tried(0, true);
            assert_eq!(queue.len(), left);
        }
        assert_eq!((queue.pair(), queue.first()), (None, Some(0)));
    }

    #[test]
    fn the_oldest_delta_gives_way_and_makes_new_neighbours() {
        let mut queue = queue("cdcd");
        assert_eq!(queue.pair(), None);
        assert_eq!(queue.yield_delta(), Some(1));
        assert_eq!(queue.yield_delta(), Some(2));
        assert_eq!((queue.yield_delta(), queue.len()), (None, 2));
        let mut queue = self::queue("ddd");
        for at in [0, 1] {
            queue.handle_tried(at, false);
        }
        assert_eq!(queue.pair(), None);
        queue.waiting.remove(1);
        queue.tried = 0;
        assert_eq!(queue.pair(), Some(0));
    }

    #[test]
    fn what_is_sent_leaves_the_others_in_their_places() {
        let mut queue = queue("dddd");
        queue.handle_tried(0, false);
        queue.handle_tried(1, false);
        assert_eq!((queue.take(1), queue.first(), queue.pair()), (1, Some(1), Some(1)));
        assert_eq!((queue.take(9), queue.len(), queue.pair()), (3, 0, None));
    }
}
