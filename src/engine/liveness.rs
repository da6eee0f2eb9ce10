//! Is an open connection alive? Silence is judged against what the server taught us about its heartbeat.
//!
//! Decides one deadline for one connection. A server that never beats gets the default stall limit, so that silence is
//! always noticed in the end; one that beats is held to three of its own intervals. A timer that fires long after its
//! deadline proves that this process slept, not that the server did: bytes may wait unread, so it looks again first.

use super::time::{Instant, Millis};

/// How much silence is too much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The limit while no cadence is known, and the most any cadence may stretch it to. Default 45,000 ms: three of
    /// bichat's heartbeats (PROTOCOLS 1.3).
    pub stall: Millis,
    /// No cadence tightens the limit below this. Default 6,000 ms.
    pub floor: Millis,
    /// How many intervals of the learned cadence may pass. Default 3.
    pub factor: u64,
    /// A timer that fires later than this past its deadline means that the process slept. Also how long the second look
    /// lasts. Default 2,000 ms.
    pub late: Millis,
}

impl Default for Policy {
    fn default() -> Self {
        Self { stall: Millis(45_000), floor: Millis(6_000), factor: 3, late: Millis(2_000) }
    }
}

/// What a timeout revealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The deadline has moved or not come: nothing to do but arm the timer anew.
    Alive,
    /// Silent for too long: treat the connection as cut.
    Stalled,
    /// The process slept past the deadline: let the bytes that wait come in, and judge at `until`.
    LookAgain {
        /// When to call [`Liveness::handle_timeout`] again; [`Liveness::deadline`] says the same.
        until: Instant,
    },
}

/// Watches the silence of one open connection.
#[derive(Clone, Debug)]
pub struct Liveness {
    policy: Policy,
    heard: Instant,
    limit: Millis,
    beat: Option<Instant>,
    interval: Option<Millis>,
    second_look: Option<Instant>,
}

impl Liveness {
    /// Watches a connection that opened at `now`.
    pub const fn new(policy: Policy, now: Instant) -> Self {
        Self { policy, heard: now, limit: policy.stall, beat: None, interval: None, second_look: None }
    }

    /// A new connection began at `now`. What the old one taught is forgotten: another server may answer, and one that does
    /// not beat must not be held to the cadence of one that did.
    pub const fn restart(&mut self, now: Instant) {
        *self = Self::new(self.policy, now);
    }

    /// A byte arrived, any byte.
    pub fn handle_byte(&mut self, now: Instant) {
        self.heard = now;
        self.second_look = None;
    }

    /// A heartbeat arrived: a comment or a ping (P-8). It is a sign of life, and its distance from the one before teaches
    /// the cadence; the longer of the last two intervals counts.
    pub fn handle_beat(&mut self, now: Instant) {
        self.handle_byte(now);
        let Some(before) = self.beat else {
            self.beat = Some(now);
            return;
        };
        let interval = now.since(before);
        if interval < BURST {
            return;
        }
        self.beat = Some(now);
        if let Some(last) = self.interval {
            let allowed = interval.max(last).times(self.policy.factor);
            self.limit = allowed.max(self.policy.floor).min(self.policy.stall);
        }
        self.interval = Some(interval);
    }

    /// The timer fired, perhaps early, perhaps late. The same call may be repeated without harm.
    ///
    /// There is one second look for each silence: a page whose timers are throttled to one a minute still gets an answer.
    pub fn handle_timeout(&mut self, now: Instant) -> Verdict {
        let deadline = self.deadline();
        if now < deadline {
            return Verdict::Alive;
        }
        if self.second_look.is_none() && now.since(deadline) > self.policy.late {
            let until = now + self.policy.late;
            self.second_look = Some(until);
            return Verdict::LookAgain { until };
        }
        Verdict::Stalled
    }

    /// When to call [`Liveness::handle_timeout`]. Moves with every byte.
    pub fn deadline(&self) -> Instant {
        self.second_look.unwrap_or(self.heard + self.limit)
    }
}

/// Beats closer than this came in one gulp, after a sleep or through a proxy that collects: they say nothing about the
/// cadence.
const BURST: Millis = Millis(1_000);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn watch() -> Liveness {
        Liveness::new(Policy::default(), at(0))
    }

    #[test]
    fn silence_without_heartbeats_ends_at_the_stall_limit() {
        let mut liveness = watch();
        assert_eq!(liveness.deadline(), at(45_000));
        assert_eq!(liveness.handle_timeout(at(44_999)), Verdict::Alive);
        liveness.handle_byte(at(40_000));
        assert_eq!(liveness.handle_timeout(at(45_000)), Verdict::Alive);
        assert_eq!(liveness.handle_timeout(at(85_000)), Verdict::Stalled);
    }

    #[test]
    fn five_heartbeats_a_second_apart_teach_a_limit_of_the_floor() {
        let mut liveness = watch();
        for second in 1..=5 {
            liveness.handle_beat(at(second * 1_000));
        }
        assert_eq!(liveness.deadline(), at(11_000));
        assert_eq!(liveness.handle_timeout(at(11_000)), Verdict::Stalled);
    }

    #[test]
    fn one_interval_teaches_nothing() {
        let mut liveness = watch();
        liveness.handle_beat(at(1_000));
        liveness.handle_beat(at(3_000));
        assert_eq!(liveness.deadline(), at(48_000));
        liveness.handle_beat(at(5_000));
        assert_eq!(liveness.deadline(), at(11_000));
    }

    #[test]
    fn a_slow_heartbeat_never_stretches_the_limit() {
        let mut liveness = watch();
        for beat in 1..=4 {
            liveness.handle_beat(at(beat * 40_000));
        }
        assert_eq!(liveness.deadline(), at(160_000 + 45_000));
    }

    #[test]
    fn the_longer_of_two_intervals_counts() {
        let mut liveness = watch();
        for beat in [0, 3_000, 13_000] {
            liveness.handle_beat(at(beat));
        }
        assert_eq!(liveness.deadline(), at(13_000 + 30_000));
        liveness.handle_beat(at(16_000));
        assert_eq!(liveness.deadline(), at(16_000 + 30_000));
        liveness.handle_beat(at(19_000));
        assert_eq!(liveness.deadline(), at(19_000 + 9_000));
    }

    #[test]
    fn beats_that_come_in_one_gulp_teach_nothing() {
        let mut liveness = watch();
        for _ in 0..5 {
            liveness.handle_beat(at(30_000));
        }
        assert_eq!(liveness.deadline(), at(75_000));
        for beat in [15_000, 30_000, 30_001, 30_002, 45_000_u64] {
            liveness.handle_beat(at(30_000 + beat));
        }
        assert_eq!(liveness.deadline(), at(75_000 + 45_000));
    }

    #[test]
    fn a_process_that_slept_looks_again_before_it_judges() {
        let mut liveness = watch();
        assert_eq!(liveness.handle_timeout(at(47_001)), Verdict::LookAgain { until: at(49_001) });
        assert_eq!(liveness.deadline(), at(49_001));
        assert_eq!(liveness.handle_timeout(at(48_000)), Verdict::Alive);
        liveness.handle_byte(at(48_500));
        assert_eq!(liveness.handle_timeout(at(49_001)), Verdict::Alive);
        assert_eq!(liveness.deadline(), at(48_500 + 45_000));
    }

    #[test]
    fn a_second_look_that_sees_nothing_is_the_last() {
        let mut liveness = watch();
        assert!(matches!(liveness.handle_timeout(at(600_000)), Verdict::LookAgain { .. }));
        assert_eq!(liveness.handle_timeout(at(900_000)), Verdict::Stalled);
    }

    #[test]
    fn a_new_connection_starts_unlearned() {
        let mut liveness = watch();
        for second in 1..=5 {
            liveness.handle_beat(at(second * 1_000));
        }
        liveness.restart(at(20_000));
        assert_eq!(liveness.deadline(), at(65_000));
        liveness.handle_beat(at(21_000));
        liveness.handle_beat(at(22_000));
        assert_eq!(liveness.deadline(), at(67_000), "nor does a beat of the old one count");
    }

    #[test]
    fn a_clock_that_stands_still_or_runs_back_harms_nothing() {
        let mut liveness = watch();
        for beat in [5_000, 4_000, 4_000, 3_000] {
            liveness.handle_beat(at(beat));
        }
        assert_eq!(liveness.handle_timeout(at(0)), Verdict::Alive);
        let mut late = Liveness::new(Policy { stall: Millis(u64::MAX), ..Policy::default() }, at(u64::MAX));
        late.handle_beat(at(u64::MAX));
        late.handle_timeout(at(u64::MAX));
    }
}
