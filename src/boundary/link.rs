//! Behind the drop-in classes: when to connect, wait, park and give up. Numbers in, numbers out.

use alloc::string::String;
use core::cell::{RefCell, RefMut};

use wasm_bindgen::prelude::*;

use super::{host::SIGNALS, instant};
use crate::engine::{
    backoff::{self, Jitter},
    config::Config,
    error::Code,
    http::{self, Head, Verdict},
    link::Due,
    liveness,
    solo::{By, Fate, Solo},
    time::Millis,
};

/// One resource's link. `now` is the page's monotonic clock, in ms.
///
/// What is due: 0 nothing, 1 connect, 2 drop the connection, 3 look whether the page is online; from 4 on the connection is
/// lost: 4 for no sign of life in time, 5 for no answer in time, 6 for any other reason.
#[wasm_bindgen]
pub struct RawLink {
    solo: RefCell<Solo>,
}

#[wasm_bindgen]
impl RawLink {
    /// `numbers`: the reconnection time (negative: none), base, cap, stable, budget, attempts, stall, floor of a learned
    /// cadence, connect timeout (0: none); in ms. `seed` from 0 to 1.
    #[wasm_bindgen(constructor)]
    pub fn new(numbers: &[f64], seed: f64, now: f64) -> Self {
        let number = |at: usize| *numbers.get(at).unwrap_or(&0.0);
        let millis = |at: usize| Millis(number(at) as u64);
        let config = Config {
            backoff: backoff::Policy { base: millis(1), cap: millis(2), jitter: Jitter::Full, stable_after: millis(3) },
            give_up_after: millis(4),
            max_attempts: number(5) as u32,
            liveness: liveness::Policy { stall: millis(6), floor: millis(7), ..liveness::Policy::default() },
            ..Config::default()
        };
        let connect_timeout = Some(millis(8)).filter(|limit| *limit != Millis::ZERO);
        let mut solo = Solo::new(&config, connect_timeout, (seed * 9_007_199_254_740_992.0) as u64, instant(now));
        if number(0) >= 0.0 {
            solo.handle_hint(millis(0));
        }
        Self { solo: RefCell::new(solo) }
    }

    /// Asks for a connection, with the whole budget; gives what is due.
    pub fn connect(&self, now: f64) -> u32 {
        code(self.solo().connect(instant(now)))
    }

    /// The connection stands.
    pub fn opened(&self, now: f64) {
        self.solo().handle_opened(instant(now));
    }

    /// Something came: 0 any bytes, 1 a heartbeat, 2 something new.
    pub fn heard(&self, what: u32, now: f64) {
        let mut solo = self.solo();
        solo.handle_bytes(instant(now));
        match what {
            1 => solo.handle_beat(instant(now)),
            2 => solo.handle_progress(),
            _ => {}
        }
    }

    /// The server's `retry:`.
    pub fn hint(&self, ms: f64) {
        self.solo().handle_hint(Millis(ms as u64));
    }

    /// The connection is lost. Gives when the next attempt is due: infinite for as soon as the page may connect, NaN for never.
    pub fn lost(&self, by_us: bool, floor: f64, now: f64) -> f64 {
        let by = if by_us { By::Us } else { By::Peer };
        let floor = (floor > 0.0).then_some(Millis(floor as u64));
        match self.solo().handle_lost(by, floor, instant(now)) {
            Fate::Retry(until) => until.as_millis() as f64,
            Fate::Parked => f64::INFINITY,
            Fate::GaveUp => f64::NAN,
        }
    }

    /// The page's weather changed; gives what is due.
    pub fn signal(&self, number: u32, now: f64) -> u32 {
        let signal = SIGNALS.get(number as usize);
        signal.map_or(0, |signal| code(self.solo().handle_signal(*signal, instant(now))))
    }

    /// Time passed; gives what is due. To be called until that is nothing.
    pub fn timeout(&self, now: f64) -> u32 {
        code(self.solo().handle_timeout(instant(now)))
    }

    /// When to call `timeout`, or infinite.
    pub fn deadline(&self) -> f64 {
        self.solo().poll_timeout().map_or(f64::INFINITY, |at| at.as_millis() as f64)
    }

    /// Waits made since the last progress.
    pub fn attempt(&self) -> u32 {
        self.solo().attempt()
    }
}

impl RawLink {
    fn solo(&self) -> RefMut<'_, Solo> {
        // Nothing is called while it is held that could come back here.
        self.solo.try_borrow_mut().unwrap_or_else(|_| core::arch::wasm32::unreachable())
    }
}

fn code(due: Option<Due>) -> u32 {
    match due {
        None | Some(Due::Suspect) => 0,
        Some(Due::Connect(_)) => 1,
        Some(Due::Drop) => 2,
        Some(Due::Look) => 3,
        Some(Due::Lost(Code::Stalled)) => 4,
        Some(Due::Lost(Code::ConnectTimeout)) => 5,
        Some(Due::Lost(_)) => 6,
    }
}

/// What a status that is no success means: NaN, it will not pass; -1, fresh credentials may help; else the ms to wait at least.
#[wasm_bindgen]
pub fn judge_status(status: u16, retry_after: Option<String>, unix_ms: f64) -> f64 {
    let head =
        Head { status, retry_after: retry_after.as_deref(), now_unix_ms: Some(unix_ms as u64), ..Head::default() };
    match http::judge(&head) {
        Verdict::Retry { after } => after.map_or(0.0, |after| after.0 as f64),
        Verdict::Reauthorize => -1.0,
        _ => f64::NAN,
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::testing::held;

    const NO: f64 = f64::INFINITY;

    fn link(reconnection_time: f64) -> RawLink {
        RawLink::new(
            &[reconnection_time, 1_000.0, 30_000.0, 10_000.0, 120_000.0, 3.0, 45_000.0, 6_000.0, 15_000.0],
            0.5,
            0.0,
        )
    }

    #[wasm_bindgen_test]
    fn each_number_arrives() {
        let link = self::link(400.0);
        assert_eq!((link.connect(0.0), link.deadline(), link.attempt()), (1, 15_000.0, 0));
        assert_eq!(link.timeout(15_000.0), 5);
        let at = link.lost(true, 0.0, 15_000.0);
        assert!((15_400.0..=15_800.0).contains(&at), "{at}");
        assert_eq!((link.timeout(at), link.attempt()), (1, 1));
        link.opened(at);
        assert_eq!((link.timeout(at + 45_000.0), link.deadline()), (4, NO));
        assert_eq!(link.lost(true, 20_000.0, 100_000.0), 120_000.0);
        assert_eq!(link.timeout(120_000.0), 1);
        link.lost(false, 0.0, 120_000.0);
        link.timeout(link.deadline());
        assert!(link.lost(false, 0.0, 300_000.0).is_nan(), "three attempts");
    }

    #[wasm_bindgen_test]
    fn heartbeats_teach_their_pace_and_without_them_silence_is_no_end() {
        let link = RawLink::new(&[-1.0, 1_000.0, 30_000.0, 10_000.0, NO, NO, NO, 2_000.0, 0.0], 0.5, 0.0);
        link.connect(0.0);
        link.opened(0.0);
        link.heard(0, 500.0);
        assert_eq!(link.timeout(1e12), 0);
        for beat in [1_000.0, 2_000.0, 3_000.0] {
            link.heard(1, beat);
        }
        assert_eq!(link.deadline(), 6_000.0);
        link.heard(0, 4_000.0);
        assert_eq!((link.timeout(6_999.0), link.deadline(), link.timeout(7_000.0)), (0, 7_000.0, 4));
    }

    #[wasm_bindgen_test]
    fn what_is_new_gives_the_attempts_back() {
        let link = RawLink::new(&[-1.0, 1_000.0, 30_000.0, 10_000.0, NO, NO, NO, 2_000.0, 0.0], 0.5, 0.0);
        let (mut now, mut due) = (0.0, link.connect(0.0));
        for (what, attempts) in [(0, 1), (0, 2), (2, 1), (1, 2)] {
            assert_eq!(due, 1);
            link.opened(now);
            link.heard(what, now);
            now = link.lost(false, 0.0, now);
            assert_eq!(link.attempt(), attempts);
            due = link.timeout(now);
        }
    }

    #[wasm_bindgen_test]
    fn signals_go_by_the_numbers_of_the_page() {
        let link = self::link(-1.0);
        link.connect(0.0);
        link.opened(0.0);
        assert_eq!(link.signal(6, 1.0), 2, "pagehide");
        assert_eq!(link.timeout(40_000.0), 3);
        assert_eq!(link.signal(7, 50_000.0), 1, "pageshow");
        assert_eq!((link.signal(1, 50_001.0), link.lost(false, 0.0, 50_001.0)), (0, NO));
        assert_eq!(link.signal(99, 50_002.0), 0);
    }

    #[wasm_bindgen_test]
    fn statuses_are_judged() {
        assert_eq!(judge_status(503, Some("2".into()), 0.0), 2_000.0);
        assert_eq!((judge_status(500, None, 0.0), judge_status(401, None, 0.0)), (0.0, -1.0));
        assert!(judge_status(404, None, 0.0).is_nan());
    }

    #[wasm_bindgen_test]
    fn nothing_is_left_of_a_link() {
        let before = held();
        self::link(-1.0).connect(0.0);
        assert_eq!(held(), before);
    }
}
