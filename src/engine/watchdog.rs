//! Whether whoever makes the answer has fallen silent: a limit for the first event, and one for each that follows (S-WD).
//!
//! Heartbeats do not count: the server is alive, and its model is what is waited for. A timer that fires long after its deadline
//! proves that this process slept, so the whole limit is given once more; there is one such reprieve for each silence.

use super::time::{Instant, Millis};

/// How much silence is too much. What saturates is no limit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Until the first event. Default none.
    pub first: Millis,
    /// Between events. Default none.
    pub inactivity: Millis,
}

impl Limits {
    /// Zero is no limit, either.
    pub fn new(first: Millis, inactivity: Millis) -> Self {
        let or_none = |limit| if limit == Millis::ZERO { NONE } else { limit };
        Self { first: or_none(first), inactivity: or_none(inactivity) }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { first: NONE, inactivity: NONE }
    }
}

/// Which limit ran out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trip {
    /// That for the first event.
    First,
    /// That between events.
    Inactivity,
}

/// Watches one run, or what stands for one.
#[derive(Clone, Debug, Default)]
pub struct Watchdog {
    limits: Limits,
    armed: Option<Armed>,
    triggered: Option<Trip>,
}

#[derive(Clone, Copy, Debug)]
struct Armed {
    of: Trip,
    deadline: Instant,
    reprieved: bool,
}

impl Watchdog {
    /// One that is not armed.
    pub const fn new(limits: Limits) -> Self {
        Self { limits, armed: None, triggered: None }
    }

    /// Waits for the first event from `now` on, whatever was waited for before (S-WD-1).
    pub fn arm(&mut self, now: Instant) {
        self.triggered = None;
        self.set(Trip::First, now);
    }

    /// An event came: the next one is waited for (S-WD-2).
    pub fn handle_event(&mut self, now: Instant) {
        if self.triggered.is_none() {
            self.set(Trip::Inactivity, now);
        }
    }

    /// Nothing is waited for any more; harmless if nothing was.
    pub fn clear(&mut self) {
        self.armed = None;
    }

    /// The silence was not the model's: the limit begins anew.
    pub fn pardon(&mut self, now: Instant) {
        if let Some(armed) = self.armed {
            self.set(armed.of, now);
        }
    }

    /// Time passed, perhaps not enough. Gives what ran out, once.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Trip> {
        let armed = self.armed.filter(|armed| now >= armed.deadline)?;
        if !armed.reprieved && now.since(armed.deadline) > LATE {
            self.set(armed.of, now);
            self.armed = self.armed.map(|armed| Armed { reprieved: true, ..armed });
            return None;
        }
        self.armed = None;
        self.triggered = Some(armed.of);
        self.triggered
    }

    /// When to call [`Watchdog::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.armed.map(|armed| armed.deadline)
    }

    /// What ran out, since it was armed.
    pub const fn triggered(&self) -> Option<Trip> {
        self.triggered
    }

    fn set(&mut self, of: Trip, now: Instant) {
        let limit = match of {
            Trip::First => self.limits.first,
            Trip::Inactivity => self.limits.inactivity,
        };
        self.armed = (limit != NONE).then(|| Armed { of, deadline: now + limit, reprieved: false });
    }
}

const NONE: Millis = Millis(u64::MAX);

/// A timer that fires later than this past its deadline means that the process slept.
const LATE: Millis = Millis(2_000);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn dog() -> Watchdog {
        Watchdog::new(Limits { first: Millis(30_000), inactivity: Millis(45_000) })
    }

    #[test]
    fn arming_again_replaces_the_deadline_and_it_fires_once() {
        // S-WD-1
        let mut dog = dog();
        dog.arm(at(0));
        dog.arm(at(10_000));
        assert_eq!((dog.handle_timeout(at(30_000)), dog.poll_timeout()), (None, Some(at(40_000))));
        assert_eq!(dog.handle_timeout(at(40_000)), Some(Trip::First));
        assert_eq!((dog.handle_timeout(at(99_000)), dog.poll_timeout()), (None, None));
        dog.clear();
        dog.clear();
        dog.handle_event(at(99_000));
        assert_eq!((dog.triggered(), dog.poll_timeout()), (Some(Trip::First), None));
    }

    #[test]
    fn the_first_event_has_half_a_minute_and_each_of_the_others_forty_five_seconds() {
        // S-WD-2
        let mut dog = dog();
        dog.arm(at(0));
        assert_eq!(dog.handle_timeout(at(29_999)), None);
        dog.handle_event(at(29_999));
        assert_eq!(dog.poll_timeout(), Some(at(74_999)));
        dog.handle_event(at(60_000));
        assert_eq!(dog.handle_timeout(at(104_999)), None);
        assert_eq!(dog.handle_timeout(at(105_000)), Some(Trip::Inactivity));
    }

    #[test]
    fn what_was_cleared_does_not_fire_and_without_limits_nothing_does() {
        let mut dog = dog();
        dog.arm(at(0));
        dog.clear();
        assert_eq!(dog.handle_timeout(at(1_000_000)), None);
        let mut free = Watchdog::default();
        free.arm(at(0));
        free.handle_event(at(1));
        assert_eq!((free.poll_timeout(), free.handle_timeout(at(u64::MAX))), (None, None));
    }

    #[test]
    fn a_process_that_slept_gives_the_limit_once_more_and_not_twice() {
        let mut dog = dog();
        dog.arm(at(0));
        assert_eq!((dog.handle_timeout(at(900_000)), dog.poll_timeout()), (None, Some(at(930_000))));
        assert_eq!(dog.handle_timeout(at(990_000)), Some(Trip::First));
    }

    #[test]
    fn a_silence_that_was_not_the_models_is_pardoned() {
        let mut dog = dog();
        dog.pardon(at(5));
        assert_eq!(dog.poll_timeout(), None);
        dog.arm(at(0));
        dog.pardon(at(20_000));
        assert_eq!(dog.poll_timeout(), Some(at(50_000)));
    }
}
