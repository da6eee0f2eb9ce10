//! Which transport the next attempt takes.
//!
//! The rungs are tried from the top. One that fails for a reason that will not pass gives way to the next; that it is at fault,
//! and not the server or the network, is only believed once a lower one works. It is then left out for a while, after which a
//! later attempt climbs back. When no rung is left, the round is over: the fault is nobody's in particular, and the next round,
//! after the backoff, begins at the top.

use super::{
    time::{Instant, Millis},
    transport::Transport,
};

/// How long a transport that was found blocked is left out.
pub const BLOCKED_FOR: Millis = Millis(10 * 60_000);

/// The same for one that merely failed to open and was not suspected before: a server that restarts looks like that, too.
const SUSPECTED_FOR: Millis = Millis(30_000);

/// How often in a row a connection that may fail for many reasons must fail before the transport is suspected.
const SUSPECT_AFTER: u8 = 2;

/// Until when each transport is known to be blocked, by its number. A time that has passed says that it was suspected before.
pub type Blocked = [Option<Instant>; Transport::ALL.len()];

/// The transports of one run's connection.
#[derive(Clone, Copy, Debug)]
pub struct Ladder {
    // The places behind the last rung repeat it.
    rungs: [Transport; Transport::ALL.len()],
    len: usize,
    at: usize,
    // Rungs that failed in this round, a bit each; and failures in a row of the present one.
    failed: u8,
    flaps: u8,
    // Those of them that nothing has spoken for since, and those that failed in a way that does not pass.
    suspects: u8,
    convicts: u8,
    blocked: Blocked,
    // When a choice was made last.
    now: Instant,
}

impl Ladder {
    /// A ladder of these rungs, first choice first; of the last one alone where there are none.
    pub fn new(rungs: &[Transport]) -> Self {
        let mut ladder = Self {
            rungs: [rungs.last().copied().unwrap_or(Transport::Fetch); Transport::ALL.len()],
            len: rungs.len().clamp(1, Transport::ALL.len()),
            at: 0,
            failed: 0,
            flaps: 0,
            suspects: 0,
            convicts: 0,
            blocked: Blocked::default(),
            now: Instant::from_millis(0),
        };
        for (place, rung) in ladder.rungs.iter_mut().zip(rungs) {
            *place = *rung;
        }
        ladder
    }

    /// The transport of the present attempt, or of the next one.
    pub fn current(&self) -> Transport {
        self.rung(self.at)
    }

    /// Whether there is more than one transport at all.
    pub fn has_choice(&self) -> bool {
        self.len > 1
    }

    /// Whether another transport is left to try in this round.
    pub fn has_next(&self) -> bool {
        self.next_rung().is_some()
    }

    /// Chooses for an attempt: the highest rung that is not known to be blocked, unless this round has come further down.
    pub fn choose(&mut self, now: Instant) -> Transport {
        self.now = now;
        if self.failed == 0 {
            let best = (0..self.len).find(|&at| !self.is_blocked(at)).unwrap_or(0);
            if best != self.at {
                (self.at, self.flaps) = (best, 0);
            }
        }
        self.current()
    }

    /// The present rung failed in a way that may pass. When that has happened so often that it is suspected, it is as with
    /// [`Ladder::fail`].
    pub fn flap(&mut self) -> bool {
        self.flaps = self.flaps.saturating_add(1);
        self.flaps >= SUSPECT_AFTER && self.step()
    }

    /// The same for a rung whose failures the others below share: it does not give way to them, but so often in a row the round
    /// is over.
    pub fn flap_for_all(&mut self) {
        self.flaps = self.flaps.saturating_add(1);
        if self.flaps >= SUSPECT_AFTER {
            (self.failed, self.flaps, self.suspects, self.convicts) = (0, 0, 0, 0);
        }
    }

    /// The present rung failed for a reason that will not pass. True: the next one is tried at once. False: the round is over.
    pub fn fail(&mut self) -> bool {
        self.convicts |= 1 << self.at;
        self.step()
    }

    fn step(&mut self) -> bool {
        self.failed |= 1 << self.at;
        self.suspects |= 1 << self.at;
        self.flaps = 0;
        match self.next_rung() {
            Some(at) => {
                self.at = at;
                true
            }
            None => {
                (self.failed, self.suspects, self.convicts) = (0, 0, 0);
                false
            }
        }
    }

    /// The present rung has carried something. Whether anything was learned by that: that another one is blocked, or that this
    /// one is not.
    pub fn works(&mut self, now: Instant) -> bool {
        self.flaps = 0;
        self.failed = 0;
        let (suspects, convicts) = (core::mem::take(&mut self.suspects), core::mem::take(&mut self.convicts));
        let mut has_learned = false;
        for at in 0..self.len {
            let rung = self.rung(at) as usize;
            let Some(until) = self.blocked.get_mut(rung) else { continue };
            if at == self.at {
                has_learned |= until.take().is_some();
            } else if suspects & 1 << at != 0 {
                let is_sure = convicts & 1 << at != 0 || until.is_some();
                *until = Some(now + if is_sure { BLOCKED_FOR } else { SUSPECTED_FOR });
                has_learned = true;
            }
        }
        has_learned
    }

    /// The present rung failed in a way that may pass: then it may have been no fault of those above it that they failed before.
    pub fn acquit_others(&mut self) {
        self.suspects &= 1 << self.at;
    }

    /// What is known to be blocked.
    pub fn blocked(&self) -> Blocked {
        self.blocked
    }

    /// Takes over what others have found out.
    pub fn set_blocked(&mut self, blocked: Blocked) {
        self.blocked = blocked;
    }

    fn rung(&self, at: usize) -> Transport {
        self.rungs.get(at).copied().unwrap_or(Transport::Fetch)
    }

    fn is_blocked(&self, at: usize) -> bool {
        self.blocked.get(self.rung(at) as usize).is_some_and(|until| until.is_some_and(|until| until > self.now))
    }

    /// Below the present rung first; what is known to be blocked only where nothing else is left.
    fn next_rung(&self) -> Option<usize> {
        let left = |at: &usize| self.failed & 1 << at == 0 && *at != self.at;
        let order = || (self.at..self.len).chain(0..self.at).filter(left);
        order().find(|&at| !self.is_blocked(at)).or_else(|| order().next())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: [Transport; 4] = Transport::ALL;

    fn at(millis: u64) -> Instant {
        Instant::from_millis(millis)
    }

    #[test]
    fn a_rung_that_fails_for_good_gives_way_at_once_and_is_left_out_once_another_works() {
        let mut ladder = Ladder::new(&WHOLE);
        assert_eq!(ladder.choose(at(0)), Transport::WebSocket);
        assert!(ladder.fail());
        assert_eq!(ladder.choose(at(1)), Transport::EventSource);
        assert!(ladder.works(at(2)));
        assert_eq!(ladder.choose(at(3)), Transport::EventSource);
        assert!(!ladder.works(at(4)), "nothing new was learned");
        assert_eq!(ladder.choose(at(2) + BLOCKED_FOR), Transport::WebSocket, "and climbs back");
    }

    #[test]
    fn a_failure_that_may_pass_must_repeat_itself() {
        let mut ladder = Ladder::new(&WHOLE);
        assert!(!ladder.flap());
        assert_eq!(ladder.choose(at(0)), Transport::WebSocket);
        assert!(ladder.flap());
        assert_eq!(ladder.current(), Transport::EventSource);
        ladder.works(at(1));
        assert!(!ladder.flap());
        ladder.works(at(2));
        assert!(!ladder.flap(), "what works in between is forgiven");
    }

    #[test]
    fn a_last_rung_that_flaps_ends_the_round() {
        let mut ladder = Ladder::new(&[Transport::EventSource, Transport::WebSocket]);
        assert!(ladder.fail());
        assert!(!ladder.flap() && !ladder.flap());
        assert_eq!(ladder.choose(at(0)), Transport::EventSource);
        let mut ladder = Ladder::new(&[Transport::WebSocket, Transport::Fetch, Transport::Rest]);
        assert!(ladder.fail());
        ladder.flap_for_all();
        assert_eq!(ladder.choose(at(0)), Transport::Fetch);
        ladder.flap_for_all();
        assert_eq!(ladder.choose(at(0)), Transport::WebSocket, "the server is down, and no transport is to blame");
        assert!(!ladder.works(at(1)));
    }

    #[test]
    fn what_merely_did_not_open_is_left_out_for_long_only_when_it_happens_again() {
        let mut ladder = Ladder::new(&[Transport::WebSocket, Transport::Fetch]);
        assert!(!ladder.flap() && ladder.flap());
        assert!(ladder.works(at(0)));
        assert_eq!(ladder.choose(at(29_999)), Transport::Fetch);
        assert_eq!(ladder.choose(at(30_000)), Transport::WebSocket);
        assert!(!ladder.flap() && ladder.flap());
        assert!(ladder.works(at(31_000)));
        assert_eq!(ladder.choose(at(31_000) + Millis(BLOCKED_FOR.0 - 1)), Transport::Fetch);
        let later = at(31_000) + BLOCKED_FOR;
        assert_eq!(ladder.choose(later), Transport::WebSocket);
        assert!(ladder.works(later), "it works after all, and is above suspicion");
        assert!(!ladder.flap() && ladder.flap());
        ladder.works(later);
        assert_eq!(ladder.choose(later + SUSPECTED_FOR), Transport::WebSocket);
    }

    #[test]
    fn when_all_rungs_fail_none_is_to_blame() {
        let mut ladder = Ladder::new(&[Transport::WebSocket, Transport::Fetch, Transport::Rest]);
        assert!(ladder.fail());
        assert!(ladder.fail());
        assert_eq!(ladder.current(), Transport::Rest);
        assert!(!ladder.fail());
        assert_eq!(ladder.choose(at(0)), Transport::WebSocket);
        assert_eq!(ladder.blocked(), Blocked::default());
    }

    #[test]
    fn a_server_that_was_down_and_comes_back_on_a_lower_rung_leaves_none_blocked() {
        let mut ladder = Ladder::new(&[Transport::WebSocket, Transport::Fetch]);
        assert!(ladder.fail());
        ladder.acquit_others();
        ladder.flap_for_all();
        assert_eq!(ladder.choose(at(0)), Transport::Fetch);
        assert!(!ladder.works(at(1)), "the socket may have failed for the same reason");
        assert_eq!(ladder.choose(at(2)), Transport::WebSocket);
        assert!(ladder.fail());
        assert!(ladder.works(at(3)), "fails alone");
    }

    #[test]
    fn what_is_known_to_be_blocked_is_still_better_than_nothing() {
        let mut ladder = Ladder::new(&[Transport::WebSocket, Transport::Fetch]);
        ladder.fail();
        ladder.works(at(0));
        assert_eq!(ladder.choose(at(1)), Transport::Fetch);
        assert!(ladder.fail());
        assert_eq!(ladder.choose(at(2)), Transport::WebSocket);
        assert!(!ladder.fail());
    }

    #[test]
    fn any_order_and_any_number_of_rungs_will_do() {
        let mut ladder = Ladder::new(&[Transport::Rest, Transport::EventSource]);
        assert_eq!(ladder.choose(at(0)), Transport::Rest);
        assert!(ladder.fail());
        assert_eq!(ladder.current(), Transport::EventSource);
        let mut alone = Ladder::new(&[Transport::WebSocket]);
        assert!(!alone.has_next() && !alone.flap() && !alone.flap() && !alone.fail());
        assert_eq!(alone.choose(at(0)), Transport::WebSocket);
        assert_eq!(Ladder::new(&[]).current(), Transport::Fetch);
    }

    #[test]
    fn what_one_run_has_found_out_spares_the_others() {
        let mut one = Ladder::new(&WHOLE);
        one.fail();
        one.works(at(0));
        let mut other = Ladder::new(&WHOLE);
        other.set_blocked(one.blocked());
        assert_eq!(other.choose(at(1)), Transport::EventSource);
    }
}
