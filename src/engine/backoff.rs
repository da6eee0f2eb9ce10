//! When to try again: full jitter under a doubling ceiling, with the server's hint as the floor.
//!
//! Decides a delay and counts failures; it does not decide whether to try at all. The count falls back to zero only by
//! progress ([`Backoff::reset`]) or after a connection that held ([`Backoff::handle_lived`]). An open alone proves
//! nothing: a server that accepts and closes at once must not be asked again at full speed.

use super::rng::Rng;
use super::time::Millis;

/// How the waits between attempts grow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// The ceiling of the first wait; each failure doubles it. Default 1,000 ms.
    pub base: Millis,
    /// No ceiling grows beyond this. Default 30,000 ms. A server's hint may still ask for more.
    pub cap: Millis,
    /// Where below its ceiling a wait falls. Default [`Jitter::Full`].
    pub jitter: Jitter,
    /// A connection that lived this long proves the way usable and forgives earlier failures, even if it brought nothing
    /// new. Default 10,000 ms.
    pub stable_after: Millis,
}

/// How a wait is chosen below its ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Jitter {
    /// Anywhere from zero to the ceiling, so that the clients of a server that fell do not come back as one.
    Full,
    /// The ceiling itself: 1, 2, 4, 8 … seconds (W4-2).
    None,
}

impl Default for Policy {
    fn default() -> Self {
        Self { base: Millis(1_000), cap: Millis(30_000), jitter: Jitter::Full, stable_after: Millis(10_000) }
    }
}

/// The failures since the last progress, and the wait that follows from them.
#[derive(Clone, Debug)]
pub struct Backoff {
    policy: Policy,
    attempt: u32,
}

impl Backoff {
    /// No failure so far.
    pub const fn new(policy: Policy) -> Self {
        Self { policy, attempt: 0 }
    }

    /// Counts one failed attempt and says how long to wait before the next.
    ///
    /// `floor` is what the server asked for (`Retry-After`, `retry:`). The wait is never shorter, and it may exceed the
    /// cap: bounding the hint is the business of whoever read it.
    pub fn next_delay(&mut self, rng: &mut Rng, floor: Option<Millis>) -> Millis {
        let ceiling = self.ceiling();
        self.attempt = self.attempt.saturating_add(1);
        let wait = match self.policy.jitter {
            Jitter::Full => Millis(rng.up_to(ceiling.0)),
            Jitter::None => ceiling,
        };
        wait.max(floor.unwrap_or(Millis::ZERO))
    }

    /// Half of the ceiling of the next wait: what a connection that was let in and thrown out waits at the least.
    pub fn half_ceiling(&self) -> Millis {
        Millis(self.ceiling().0 / 2)
    }

    /// A connection ended after being open for `lived`: one that held for a stable period forgives the past.
    pub fn handle_lived(&mut self, lived: Millis) {
        if lived >= self.policy.stable_after {
            self.reset();
        }
    }

    /// Progress was made: something arrived that was not known before.
    pub fn reset(&mut self) {
        self.attempt = 0;
    }

    /// From here on the waits grow from `base`.
    pub const fn set_base(&mut self, base: Millis) {
        self.policy.base = base;
    }

    /// Failures since progress.
    pub const fn attempt(&self) -> u32 {
        self.attempt
    }

    fn ceiling(&self) -> Millis {
        let factor = 1_u64.checked_shl(self.attempt).unwrap_or(u64::MAX);
        self.policy.base.times(factor).min(self.policy.cap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain() -> Backoff {
        Backoff::new(Policy { jitter: Jitter::None, ..Policy::default() })
    }

    #[test]
    fn waits_double_up_to_the_cap() {
        let (mut backoff, mut rng) = (plain(), Rng::seeded(1));
        let waits: Vec<u64> = (0..7).map(|_| backoff.next_delay(&mut rng, None).0).collect();
        assert_eq!(waits, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000], "W4-2");
        assert_eq!(backoff.attempt(), 7);
    }

    #[test]
    fn no_number_of_failures_overflows() {
        let mut backoff = Backoff { attempt: u32::MAX - 1, ..plain() };
        let mut rng = Rng::seeded(1);
        for _ in 0..3 {
            assert_eq!(backoff.next_delay(&mut rng, None), Millis(30_000));
        }
        assert_eq!(backoff.attempt(), u32::MAX);
        let mut huge = Backoff::new(Policy { base: Millis(u64::MAX), cap: Millis(u64::MAX), ..Policy::default() });
        huge.next_delay(&mut rng, None);
        huge.next_delay(&mut rng, None);
    }

    #[test]
    fn full_jitter_spreads_over_the_whole_range_and_never_leaves_it() {
        let mut rng = Rng::seeded(3);
        let (mut low, mut high) = (0, 0);
        for _ in 0..1_000 {
            let wait = Backoff { attempt: 2, ..Backoff::new(Policy::default()) }.next_delay(&mut rng, None);
            assert!(wait <= Millis(4_000));
            low += u32::from(wait < Millis(1_000));
            high += u32::from(wait > Millis(3_000));
        }
        assert!(low > 150 && high > 150, "{low} {high}");
    }

    #[test]
    fn a_hint_of_the_server_is_the_floor_even_above_the_cap() {
        let mut rng = Rng::seeded(4);
        let mut backoff = Backoff::new(Policy::default());
        assert_eq!(backoff.next_delay(&mut rng, Some(Millis(120_000))), Millis(120_000));
        for _ in 0..100 {
            assert!(backoff.next_delay(&mut rng, Some(Millis(2_000))) >= Millis(2_000));
        }
        assert_eq!(
            plain().next_delay(&mut rng, Some(Millis(10))),
            Millis(1_000),
            "a low hint does not shorten the wait"
        );
    }

    #[test]
    fn a_connection_that_dies_young_forgives_nothing() {
        let (mut backoff, mut rng) = (plain(), Rng::seeded(5));
        backoff.next_delay(&mut rng, None);
        backoff.handle_lived(Millis(9_999));
        assert_eq!(backoff.attempt(), 1);
        backoff.handle_lived(Millis(10_000));
        assert_eq!(backoff.attempt(), 0);
        assert_eq!(backoff.next_delay(&mut rng, None), Millis(1_000));
    }

    #[test]
    fn progress_forgives_at_once() {
        let (mut backoff, mut rng) = (plain(), Rng::seeded(6));
        backoff.next_delay(&mut rng, None);
        backoff.next_delay(&mut rng, None);
        backoff.reset();
        assert_eq!((backoff.attempt(), backoff.next_delay(&mut rng, None)), (0, Millis(1_000)));
    }
}
