//! Faults of bytes: where a response is split, cut or silenced. Pure: it says how far the next piece may reach.

use super::Step;
use super::step::{Cut, StallAt};

/// What a place in the body brings.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Stop {
    /// The response ends here.
    Cut(Cut),
    /// It falls silent here.
    Stall(StallAt),
}

/// Counts what has left, and finds the next place where something happens.
pub(crate) struct Shape {
    split_every: Option<usize>,
    split_at: Vec<u64>,
    drip: Option<usize>,
    cut: Option<Cut>,
    stall: Option<StallAt>,
    bytes: u64,
    events: u64,
}

impl Shape {
    pub(crate) fn new(step: &Step) -> Self {
        let mut split_at = step.split_at.clone();
        split_at.sort_unstable();
        Self {
            split_every: step.split_every.filter(|&size| size > 0),
            split_at,
            drip: step.drip.as_ref().map(|drip| drip.bytes.max(1)),
            cut: step.cut.clone().filter(|cut| !cut.before_headers && !cut.after_send && !cut.after_accepted),
            stall: step.stall.clone(),
            bytes: 0,
            events: 0,
        }
    }

    /// How many of `available` bytes may go out as one piece.
    pub(crate) fn next_piece(&self, available: usize) -> usize {
        let mut most = available;
        let mut bound = |place: u64| {
            // Places behind us bound nothing.
            if let Some(left) = place.checked_sub(self.bytes).filter(|&left| left > 0) {
                most = most.min(usize::try_from(left).unwrap_or(usize::MAX));
            }
        };
        if let Some(&place) = self.split_at.iter().find(|&&place| place > self.bytes) {
            bound(place);
        }
        if let Some(place) = self.cut.as_ref().and_then(|cut| cut.after_bytes) {
            bound(place);
        }
        // With heartbeats the silence begins between frames, or a heartbeat would land inside one.
        if let Some(place) = self.stall.as_ref().filter(|stall| !stall.heartbeats).and_then(|stall| stall.after_bytes) {
            bound(place);
        }
        let size = [self.split_every, self.drip].into_iter().flatten().min().unwrap_or(usize::MAX);
        most.min(size)
    }

    /// `bytes` have left; `event` if they end an event.
    pub(crate) fn handle_sent(&mut self, bytes: usize, event: bool) {
        self.handle_sent_many(bytes, u64::from(event));
    }

    /// Several whole events have left together.
    pub(crate) fn handle_sent_many(&mut self, bytes: usize, events: u64) {
        self.bytes += bytes as u64;
        self.events += events;
    }

    /// What happens here, once. `between` is true between two frames.
    pub(crate) fn poll_stop(&mut self, between: bool) -> Option<Stop> {
        // A place inside the frame to come is known in bytes once those before it have left.
        if let Some(cut) = self.cut.as_mut().filter(|cut| cut.into > 0 && between)
            && cut.after_events.is_some_and(|at| self.events >= at)
        {
            cut.after_events = None;
            cut.after_bytes = Some(self.bytes + std::mem::take(&mut cut.into));
        }
        let reached = |bytes: Option<u64>, events: Option<u64>| match (bytes, events) {
            (None, None) => true,
            (bytes, events) => {
                bytes.is_some_and(|at| self.bytes >= at) || (between && events.is_some_and(|at| self.events >= at))
            }
        };
        let stalls = self
            .stall
            .as_ref()
            .is_some_and(|stall| (between || !stall.heartbeats) && reached(stall.after_bytes, stall.after_events));
        if stalls {
            return self.stall.take().map(Stop::Stall);
        }
        if self.cut.as_ref().is_some_and(|cut| reached(cut.after_bytes, cut.after_events)) {
            return self.cut.take().map(Stop::Cut);
        }
        None
    }

    /// Bytes and events so far.
    pub(crate) fn sent(&self) -> (u64, u64) {
        (self.bytes, self.events)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(step: &str) -> Shape {
        Shape::new(&serde_json::from_str(step).unwrap())
    }

    fn pieces(shape: &mut Shape, mut left: usize) -> Vec<usize> {
        let mut pieces = Vec::new();
        while left > 0 {
            let piece = shape.next_piece(left);
            shape.handle_sent(piece, false);
            left -= piece;
            pieces.push(piece);
        }
        pieces
    }

    #[test]
    fn pieces_end_at_every_place_that_was_named() {
        assert_eq!(pieces(&mut shape("{}"), 10), [10]);
        assert_eq!(pieces(&mut shape("{\"splitEvery\":4}"), 10), [4, 4, 2]);
        assert_eq!(pieces(&mut shape("{\"splitAt\":[7,1,2]}"), 10), [1, 1, 5, 3]);
        assert_eq!(pieces(&mut shape("{\"splitAt\":[3],\"drip\":{\"bytes\":2,\"everyMs\":1}}"), 6), [2, 1, 2, 1]);
    }

    #[test]
    fn a_cut_after_bytes_falls_on_exactly_that_byte() {
        let mut shape = shape("{\"cut\":{\"afterBytes\":5,\"how\":\"rst\"}}");
        assert_eq!(shape.poll_stop(true), None);
        assert_eq!(shape.next_piece(100), 5);
        shape.handle_sent(5, false);
        assert!(matches!(shape.poll_stop(false), Some(Stop::Cut(_))));
        assert_eq!(shape.poll_stop(false), None);
    }

    #[test]
    fn a_cut_after_events_waits_for_the_end_of_the_frame() {
        let mut shape = shape("{\"cut\":{\"afterEvents\":1,\"how\":\"fin\"}}");
        shape.handle_sent(9, true);
        assert_eq!(shape.poll_stop(false), None);
        assert!(shape.poll_stop(true).is_some());
    }

    #[test]
    fn a_cut_into_a_frame_counts_its_bytes_from_the_end_of_the_frame_before() {
        let mut shape = shape("{\"cut\":{\"afterEvents\":1,\"into\":3,\"how\":\"fin\"}}");
        assert_eq!(shape.poll_stop(true), None);
        assert_eq!(shape.next_piece(9), 9);
        shape.handle_sent(9, true);
        assert_eq!(shape.poll_stop(true), None);
        assert_eq!(shape.next_piece(9), 3);
        shape.handle_sent(3, false);
        assert!(shape.poll_stop(false).is_some());
    }

    #[test]
    fn a_stall_with_heartbeats_begins_between_frames() {
        let mut shape = shape("{\"stall\":{\"afterBytes\":5,\"heartbeats\":true}}");
        assert_eq!(shape.next_piece(9), 9);
        shape.handle_sent(9, true);
        assert_eq!(shape.poll_stop(false), None);
        assert!(matches!(shape.poll_stop(true), Some(Stop::Stall(_))));
    }

    #[test]
    fn without_a_place_it_happens_right_after_the_headers() {
        assert!(shape("{\"cut\":{\"how\":\"drop\"}}").poll_stop(true).is_some());
        assert!(shape("{\"stall\":{}}").poll_stop(true).is_some());
        assert!(shape("{\"cut\":{\"afterEvents\":0,\"how\":\"drop\"}}").poll_stop(true).is_some());
    }
}
