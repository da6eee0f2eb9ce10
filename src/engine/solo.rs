//! The link of a drop-in class: one resource, no run behind it, and nobody to ask when a connection is in doubt.
//!
//! All policy is [`Link`]'s. This adds what its owner decides for a run: a connection that held for the stable period is progress,
//! since messages of a stranger carry nothing by which to tell new ones from old; and a reconnection time sets where waits begin.

use super::{
    config::Config,
    environment::{Environment, Signal},
    link::{Due, Link, Next, Phase},
    rng::Rng,
    time::{Instant, Millis},
};

/// Below this no first wait may fall, whatever a server's `retry:` says: with `retry: 0` one that accepts and closes would be
/// asked without end.
const LEAST_BASE: Millis = Millis(100);

/// Who noticed the end of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The peer or the network said so: up to then the connection was alive, however silent.
    Peer,
    /// We gave it up: how long it had been dead, nobody knows.
    Us,
}

/// What follows a lost connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The next attempt comes at this moment.
    Retry(Instant),
    /// The next attempt comes when the page may connect again.
    Parked,
    /// The budget is spent.
    GaveUp,
}

/// See the module's description.
#[derive(Debug)]
pub struct Solo {
    link: Link,
    rng: Rng,
    stable_after: Millis,
}

impl Solo {
    /// A link that has not started.
    pub fn new(config: &Config, connect_timeout: Option<Millis>, seed: u64, now: Instant) -> Self {
        let mut link = Link::new(config, Environment::default(), now);
        link.set_connect_timeout(connect_timeout);
        Self { link, rng: Rng::seeded(seed), stable_after: config.backoff.stable_after }
    }

    /// Waits made since the last progress.
    pub fn attempt(&self) -> u32 {
        self.link.attempt()
    }

    /// Asks for a connection now, with the whole budget.
    pub fn connect(&mut self, now: Instant) -> Option<Due> {
        self.link.renew();
        self.link.connect(now)
    }

    /// The connection stands.
    pub fn handle_opened(&mut self, now: Instant) {
        self.link.handle_opened(now);
    }

    /// Something came over the connection.
    pub fn handle_bytes(&mut self, now: Instant) {
        self.link.handle_bytes(now);
        self.honour(now);
    }

    /// A heartbeat came: its cadence is learned.
    pub fn handle_beat(&mut self, now: Instant) {
        self.link.handle_beat(now);
    }

    /// Something new came.
    pub fn handle_progress(&mut self) {
        self.link.handle_progress();
    }

    /// The reconnection time, by option or by the server's `retry:`: the least wait, and the first ceiling is twice as much.
    pub fn handle_hint(&mut self, wait: Millis) {
        self.link.handle_hint(wait);
        self.link.set_base(wait.times(2).max(LEAST_BASE));
    }

    /// The connection is lost. `floor` is what the server asks to wait.
    pub fn handle_lost(&mut self, by: By, floor: Option<Millis>, now: Instant) -> Fate {
        if by == By::Peer {
            self.honour(now);
        }
        if self.link.handle_lost(now) == Next::Exhausted {
            self.link.close();
            return Fate::GaveUp;
        }
        self.link.wait(floor, &mut self.rng, now);
        match self.link.phase() {
            Phase::Waiting { until } => Fate::Retry(until),
            _ => Fate::Parked,
        }
    }

    /// The page's weather changed.
    pub fn handle_signal(&mut self, signal: Signal, now: Instant) -> Option<Due> {
        self.link.handle_signal(signal, now)
    }

    /// Time passed. Call it again until it gives `None`.
    pub fn handle_timeout(&mut self, now: Instant) -> Option<Due> {
        loop {
            match self.link.handle_timeout(now) {
                // A stranger's connection may have nothing to say.
                Some(Due::Suspect) => {}
                due => return due,
            }
        }
    }

    /// When to call [`Solo::handle_timeout`] next.
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.link.poll_timeout()
    }

    /// A connection that has held proves the way usable.
    fn honour(&mut self, now: Instant) {
        if let Phase::Open { since } = self.link.phase()
            && now.since(since) >= self.stable_after
        {
            self.link.handle_progress();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::error::Code;

    const HALF_A_MINUTE: u64 = 30_000;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    fn solo(seed: u64) -> Solo {
        let config = Config { give_up_after: Millis(120_000), max_attempts: u32::MAX, ..Config::default() };
        Solo::new(&config, Some(Millis(15_000)), seed, at(0))
    }

    /// Plays connections that `live` for so long, until the link gives up or `end`. Gives when each was asked for.
    fn play(solo: &mut Solo, lives: u64, end: u64, mut during: impl FnMut(&mut Solo, Instant)) -> (Vec<u64>, bool) {
        let (mut now, mut dials) = (0, Vec::new());
        let mut due = solo.connect(at(now));
        loop {
            assert!(matches!(due, Some(Due::Connect(_))), "{due:?}");
            dials.push(now);
            solo.handle_opened(at(now));
            during(solo, at(now));
            now += lives;
            match solo.handle_lost(By::Peer, None, at(now)) {
                Fate::GaveUp => return (dials, true),
                Fate::Retry(until) => now = until.as_millis(),
                Fate::Parked => panic!("parked in good weather"),
            }
            if now >= end {
                return (dials, false);
            }
            assert_eq!(solo.poll_timeout(), Some(at(now)));
            due = solo.handle_timeout(at(now));
        }
    }

    #[test]
    fn who_accepts_and_closes_is_asked_six_times_in_half_a_minute_at_most() {
        for seed in 0..500 {
            let (dials, _) = play(&mut solo(seed), 5, HALF_A_MINUTE, |_, _| {});
            assert!((2..=6).contains(&dials.len()), "{seed}: {dials:?}");
        }
    }

    #[test]
    fn who_accepts_greets_and_closes_too() {
        for seed in 0..500 {
            let (dials, _) = play(&mut solo(seed), 5, HALF_A_MINUTE, Solo::handle_bytes);
            assert!((2..=6).contains(&dials.len()), "{seed}: {dials:?}");
        }
    }

    #[test]
    fn accepting_and_closing_ends() {
        for seed in 0..50 {
            let (dials, gave_up) = play(&mut solo(seed), 5, 3_600_000, |_, _| {});
            assert!(gave_up && dials.len() <= 16, "{seed}: {dials:?}");
        }
    }

    #[test]
    fn connections_that_hold_are_made_again_for_ever_even_silent_ones() {
        let (dials, gave_up) = play(&mut solo(1), 10_000, 24 * 3_600_000, |_, _| {});
        assert!(!gave_up && dials.len() > 8_000, "{}", dials.len());
    }

    #[test]
    fn one_that_we_gave_up_was_perhaps_dead_all_along() {
        let mut solo = solo(1);
        solo.connect(at(0));
        let mut now = at(0);
        for n in 1..4 {
            solo.handle_opened(now);
            let Fate::Retry(until) = solo.handle_lost(By::Us, None, now + Millis(60_000)) else { panic!("{n}") };
            assert_eq!(solo.attempt(), n);
            now = until;
            assert!(matches!(solo.handle_timeout(now), Some(Due::Connect(_))));
        }
    }

    #[test]
    fn the_reconnection_time_is_the_least_wait_and_half_the_first_ceiling() {
        let (mut shortest, mut longest) = (u64::MAX, 0);
        for seed in 0..300 {
            let mut solo = solo(seed);
            solo.handle_hint(Millis(400));
            solo.connect(at(0));
            let Fate::Retry(until) = solo.handle_lost(By::Peer, None, at(0)) else { panic!("{seed}") };
            shortest = shortest.min(until.as_millis());
            longest = longest.max(until.as_millis());
        }
        assert_eq!(shortest, 400);
        assert!((700..=800).contains(&longest), "{longest}");
    }

    #[test]
    fn a_reconnection_time_of_zero_is_no_leave_to_storm() {
        for seed in 0..100 {
            let mut solo = solo(seed);
            solo.handle_hint(Millis(0));
            let (dials, _) = play(&mut solo, 0, HALF_A_MINUTE, |_, _| {});
            assert!(dials.len() <= 12, "{seed}: {dials:?}");
        }
    }

    #[test]
    fn what_the_server_asks_to_wait_is_waited_even_if_the_tab_is_seen_again() {
        let mut solo = solo(3);
        solo.connect(at(0));
        let fate = solo.handle_lost(By::Peer, Some(Millis(20_000)), at(0));
        assert_eq!(fate, Fate::Retry(at(20_000)));
        solo.handle_signal(Signal::Hidden, at(1));
        assert_eq!(solo.handle_signal(Signal::Visible, at(5_000)), None);
        assert_eq!(solo.poll_timeout(), Some(at(20_000)));
    }

    #[test]
    fn offline_parks_and_costs_nothing() {
        let mut solo = solo(4);
        solo.connect(at(0));
        solo.handle_signal(Signal::Offline, at(1));
        assert_eq!(solo.handle_lost(By::Peer, None, at(1)), Fate::Parked);
        assert_eq!(solo.handle_timeout(at(30_001)), Some(Due::Look));
        assert!(matches!(solo.handle_signal(Signal::Online, at(3_600_000)), Some(Due::Connect(_))));
        assert!(matches!(solo.handle_lost(By::Peer, None, at(3_600_001)), Fate::Retry(_)));
    }

    #[test]
    fn a_page_that_is_left_lets_go_and_comes_back() {
        let mut solo = solo(5);
        solo.connect(at(0));
        solo.handle_opened(at(10));
        assert_eq!(solo.handle_signal(Signal::PageHidden, at(20)), Some(Due::Drop));
        assert!(matches!(solo.handle_signal(Signal::PageShown, at(900_000)), Some(Due::Connect(_))));
    }

    #[test]
    fn an_attempt_that_hangs_is_given_up() {
        let mut solo = solo(6);
        solo.connect(at(0));
        assert_eq!(solo.handle_timeout(at(14_999)), None);
        assert_eq!(solo.handle_timeout(at(15_000)), Some(Due::Lost(Code::ConnectTimeout)));
    }
}
