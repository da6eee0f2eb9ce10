//! Behind `ChunkBatcher`: when a batch goes out, and what gives way. Numbers in, numbers out; the chunks stay in JS.

use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use super::instant;
use crate::engine::{
    backoff::Jitter,
    batcher::{Batch, Batcher, Output, Policy, Room, Taken, Verdict},
    time::Millis,
    watchdog::{Limits, Trip},
};

/// One batcher. `now` is the page's monotonic clock, in ms.
#[wasm_bindgen]
pub struct RawBatcher {
    held: RefCell<(Batcher, Option<Batch>)>,
}

#[wasm_bindgen]
impl RawBatcher {
    /// `numbers`: linger, batch, buffer, retries, base delay, limits of the first and of each other push (0: none); in ms.
    /// `seed` from 0 to 1.
    #[wasm_bindgen(constructor)]
    pub fn new(numbers: &[f64], seed: f64, now: f64) -> Self {
        let number = |at: usize| *numbers.get(at).unwrap_or(&0.0);
        let millis = |at: usize| Millis(number(at) as u64);
        let policy = Policy {
            linger: millis(0),
            max_batch: number(1) as usize,
            max_buffer: number(2) as usize,
            max_retries: number(3) as u32,
            base_delay: millis(4),
            jitter: Jitter::Full,
            limits: Limits::new(millis(5), millis(6)),
        };
        let batcher = Batcher::new(policy, (seed * 9_007_199_254_740_992.0) as u64, instant(now));
        Self { held: RefCell::new((batcher, None)) }
    }

    /// A chunk was put behind the others: 0 taken, 1 taken and one too many, 2 not taken.
    pub fn push(&self, is_control: bool, now: f64) -> u32 {
        match self.held().0.push(is_control, instant(now)) {
            Taken::Room => 0,
            Taken::Overfull => 1,
            Taken::Never => 2,
        }
    }

    /// What to do about one too many: -1 nothing any more, -2 take it back; else twice the place of two chunks to be made one, or
    /// of one to be dropped, and one more.
    pub fn room(&self) -> i32 {
        match self.held().0.make_room() {
            Room::Enough => -1,
            Room::Refuse => -2,
            Room::Merge(at) => at as i32 * 2,
            Room::Drop(at) => at as i32 * 2 + 1,
        }
    }

    /// What became of them.
    pub fn tried(&self, at: usize, is_one: bool) {
        self.held().0.handle_tried(at, is_one);
    }

    /// What waits goes out.
    pub fn flush(&self) {
        self.held().0.flush();
    }

    /// The batch arrived.
    pub fn sent(&self) {
        self.held().0.handle_sent();
    }

    /// An attempt failed: NaN for good, -1 for want of credentials, -2 for what is there again now, else after this many ms at
    /// least it may be repeated.
    pub fn failed(&self, verdict: f64, now: f64) {
        let verdict = match verdict {
            -1.0 => Verdict::Reauthorize,
            -2.0 => Verdict::Renewed,
            after if after >= 0.0 => Verdict::Retry { after: Some(Millis(after as u64)) },
            _ => Verdict::Refuse,
        };
        self.held().0.handle_failed(verdict, instant(now));
    }

    /// Nothing is taken any more, and what waits has so many ms.
    pub fn abort(&self, flush: f64, now: f64) {
        self.held().0.abort(Millis(flush as u64), instant(now));
    }

    /// Whoever pushes is waited for no more.
    pub fn calm(&self) {
        self.held().0.calm();
    }

    /// What to do: 0 nothing, 1 send the batch, 2 abort what is sent, 3 it is over, 4 no first push in time, 5 no other one.
    pub fn due(&self, now: f64) -> u32 {
        let (batcher, last) = &mut *self.held();
        batcher.handle_timeout(instant(now));
        match batcher.poll_output(instant(now)) {
            None => 0,
            Some(Output::Send(batch)) => {
                *last = Some(batch);
                1
            }
            Some(Output::Cancel) => 2,
            Some(Output::Over) => 3,
            Some(Output::Silent(Trip::First)) => 4,
            Some(Output::Silent(Trip::Inactivity)) => 5,
        }
    }

    /// When to ask again, or infinite.
    pub fn deadline(&self) -> f64 {
        self.held().0.poll_timeout().map_or(f64::INFINITY, |at| at.as_millis() as f64)
    }

    /// How many chunks the batch has that is to be sent.
    pub fn length(&self) -> usize {
        self.batch().map_or(0, |batch| batch.len)
    }

    /// The number of its first chunk.
    #[wasm_bindgen(js_name = firstSeq)]
    pub fn first_seq(&self) -> f64 {
        self.batch().map_or(0.0, |batch| batch.first_seq as f64)
    }

    /// Its attempt, from 1.
    pub fn attempt(&self) -> u32 {
        self.batch().map_or(0, |batch| batch.attempt)
    }

    /// Pushes so far.
    pub fn pushed(&self) -> f64 {
        self.held().0.pushed() as f64
    }

    /// Of so many of them nothing is left to be sent.
    pub fn settled(&self) -> f64 {
        self.held().0.settled() as f64
    }

    /// Sending works, as far as is known.
    pub fn healthy(&self) -> bool {
        self.held().0.is_healthy()
    }
}

impl RawBatcher {
    fn batch(&self) -> Option<Batch> {
        self.held().1
    }

    fn held(&self) -> RefMut<'_, (Batcher, Option<Batch>)> {
        // Nothing is called while it is held that could come back here.
        self.held.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::testing::held;

    fn batcher() -> RawBatcher {
        RawBatcher::new(&[5.0, 2.0, 4.0, 1.0, 50.0, 30_000.0, 45_000.0], 0.5, 0.0)
    }

    #[wasm_bindgen_test]
    fn each_number_arrives() {
        let batcher = self::batcher();
        assert_eq!((batcher.deadline(), batcher.due(30_000.0), batcher.deadline()), (30_000.0, 4, f64::INFINITY));
        let batcher = self::batcher();
        assert_eq!((batcher.push(false, 1.0), batcher.deadline(), batcher.due(1.0)), (0, 6.0, 0));
        batcher.push(false, 1.0);
        assert_eq!((batcher.due(1.0), batcher.length(), batcher.first_seq(), batcher.attempt()), (1, 2, 0.0, 1));
        batcher.failed(7_000.0, 1.0);
        assert_eq!((batcher.due(1.0), batcher.deadline(), batcher.healthy()), (0, 7_001.0, false));
        assert_eq!((batcher.due(7_001.0), batcher.attempt()), (1, 2));
        assert_eq!((batcher.push(false, 1.0), batcher.push(true, 1.0), batcher.push(true, 1.0)), (0, 0, 1));
        assert_eq!((batcher.room(), batcher.room()), (1, -1));
        batcher.sent();
        assert_eq!((batcher.settled(), batcher.pushed()), (3.0, 5.0));
        batcher.abort(9_000.0, 7_001.0);
        assert_eq!((batcher.due(7_001.0), batcher.deadline(), batcher.push(true, 7_001.0)), (1, 16_001.0, 2));
        assert_eq!((batcher.due(16_001.0), batcher.due(16_001.0), batcher.due(16_001.0)), (2, 3, 0));
    }

    #[wasm_bindgen_test]
    fn nothing_is_left_of_a_batcher() {
        let before = held();
        self::batcher().push(true, 0.0);
        assert_eq!(held(), before);
    }
}
