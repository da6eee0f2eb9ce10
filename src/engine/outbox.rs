//! What a session's callers ask of its server, one after the other: sends, stops, resets and deletes (S-LOCK-1).
//!
//! A send goes out when the one before it has been taken by the server, or never will be. A reset or a delete waits for the send that
//! is under way, not for those that have not gone out: if it succeeds, there is nothing left to send them to. A stop waits for no
//! send, because it ends them. Behind any of the three a send waits for the answer: what it begins must not be hit by it.
//!
//! What another page has left unsent may be found a moment after a session's first send: that waits behind a gate, in front of which
//! the found ones take their places. The gate goes when all are there, or when its time is up.
//!
//! Sessions know nothing of each other. Whoever fails leaves like whoever succeeds, and the last one to leave takes the session's
//! line with it. Nobody else here waits for time: each act's own limits end it.

use alloc::{collections::VecDeque, string::String, vec::Vec};

use super::{
    inquiry::Ticket,
    time::{Instant, Millis},
};

/// How long messages wait for those that may have been left before them. Storage that hangs, or a tab that has one of these and
/// does not come to an end with it, holds nobody back for longer.
pub const PATIENCE: Millis = Millis(2_000);

/// How many messages may be unsent, and how large they may be together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Messages: 100.
    pub messages: usize,
    /// Bytes of their requests: 4 MiB.
    pub bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { messages: 100, bytes: 4 << 20 }
    }
}

/// One act of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Act {
    /// The send of a slot.
    Send(u32),
    /// Ends what runs.
    Stop(Ticket),
    /// Empties the session, or takes it away.
    Clear(Ticket),
    /// The gate: whoever is behind it waits for those that may still come before it, until then.
    Expect(Instant),
}

/// What is to be done now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// It is this act's turn.
    Go(Act),
    /// This send will not go out: what it was meant for is gone.
    End(u32),
}

#[derive(Debug)]
struct Entry {
    act: Act,
    bytes: usize,
    has_gone: bool,
}

/// The lines of all sessions.
#[derive(Debug, Default)]
pub struct Outbox {
    lines: Vec<(String, Vec<Entry>)>,
    outputs: VecDeque<Output>,
    messages: usize,
    bytes: usize,
}

impl Outbox {
    /// Whether one more message of this size fits.
    pub fn has_room(&self, bytes: usize, limits: Limits) -> bool {
        self.messages < limits.messages && self.bytes.saturating_add(bytes) <= limits.bytes
    }

    /// Lines up behind what the session has to do. `bytes`: how much of the bound it takes.
    pub fn join(&mut self, session: &str, act: Act, bytes: usize) {
        self.insert(session, act, bytes, usize::MAX);
    }

    /// The same for what was left before: in front of the gate, while that stands.
    pub fn join_before(&mut self, session: &str, act: Act, bytes: usize) {
        let gate = self.line(session).and_then(|line| line.iter().position(is_gate));
        self.insert(session, act, bytes, gate.unwrap_or(usize::MAX));
    }

    /// Puts up the session's gate, if it has none.
    pub fn expect(&mut self, session: &str, now: Instant) {
        if !self.line(session).is_some_and(|line| line.iter().any(is_gate)) {
            self.join(session, Act::Expect(now + PATIENCE), 0);
        }
    }

    /// All that was left of the session is there.
    pub fn stop_expecting(&mut self, session: &str) {
        self.open_gates(Some(session), Instant::from_millis(0));
    }

    /// Time passed.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.open_gates(None, now);
    }

    /// When to call [`Outbox::handle_timeout`].
    pub fn poll_timeout(&self) -> Option<Instant> {
        let gate = |(_, line): &(String, Vec<Entry>)| line.iter().find_map(Entry::until);
        self.lines.iter().filter_map(gate).min()
    }

    /// A send behind the gate has turned out to be one that was left before: it has that one's place. False where no gate stands.
    pub fn take_over(&mut self, session: &str, act: Act, bytes: usize) -> bool {
        let Some(line) = self.line(session) else { return false };
        let Some(gate) = line.iter().position(is_gate) else { return false };
        let Some(place) = line.iter().position(|entry| entry.act == act) else { return false };
        let entry = line.remove(place);
        line.insert(gate.min(place), Entry { bytes, ..entry });
        self.bytes = self.bytes - entry.bytes + bytes;
        self.advance_of(session);
        true
    }

    /// It has its answer, whatever that says. Harmless if it left before.
    pub fn leave(&mut self, act: Act) {
        self.remove(act, false);
    }

    /// The session was emptied, or is gone: those who waited for that in vain go with it.
    pub fn leave_cleared(&mut self, act: Act) {
        self.remove(act, true);
    }

    /// The send had its turn, and nothing of it has gone out: it may be passed.
    pub fn hold_back(&mut self, slot: u32) {
        for (_, line) in &mut self.lines {
            for entry in line.iter_mut().filter(|entry| entry.act == Act::Send(slot)) {
                entry.has_gone = false;
            }
        }
    }

    /// The sends of a session that had their turn.
    pub fn gone(&self, session: &str) -> Option<u32> {
        let (_, line) = self.lines.iter().find(|(of, _)| of == session)?;
        line.iter().find_map(|entry| match entry.act {
            Act::Send(slot) if entry.has_gone => Some(slot),
            _ => None,
        })
    }

    /// What to do next.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outputs.pop_front()
    }

    /// How many messages are unsent.
    pub fn messages(&self) -> usize {
        self.messages
    }

    /// How many bytes those are.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// How many sessions have anything to do.
    pub fn sessions(&self) -> usize {
        self.lines.len()
    }

    #[inline(never)]
    fn line(&mut self, session: &str) -> Option<&mut Vec<Entry>> {
        self.lines.iter_mut().find(|(of, _)| of == session).map(|(_, line)| line)
    }

    fn insert(&mut self, session: &str, act: Act, bytes: usize, place: usize) {
        if self.line(session).is_none() {
            self.lines.push((session.into(), Vec::new()));
        }
        let Some(line) = self.line(session) else { return };
        line.insert(place.min(line.len()), Entry { act, bytes, has_gone: false });
        self.bytes += bytes;
        self.messages += usize::from(is_send(act));
        self.advance_of(session);
    }

    /// That of a session, or all whose time is up.
    fn open_gates(&mut self, of: Option<&str>, now: Instant) {
        for at in (0..self.lines.len()).rev() {
            let Some((session, line)) = self.lines.get_mut(at) else { return };
            let is_meant = |until| of.map_or(until <= now, |of| of == session);
            if let Some(gate) = line.iter().position(|entry| entry.until().is_some_and(is_meant)) {
                line.remove(gate);
                self.settle(at);
            }
        }
    }

    fn advance_of(&mut self, session: &str) {
        if let Some(at) = self.lines.iter().position(|(of, _)| of == session) {
            self.advance(at);
        }
    }

    fn remove(&mut self, act: Act, is_cleared: bool) {
        for at in 0..self.lines.len() {
            let Some((_, line)) = self.lines.get_mut(at) else { return };
            let Some(place) = line.iter().position(|entry| entry.act == act) else { continue };
            let from = if is_cleared { 0 } else { place };
            for Entry { act: left, bytes, .. } in line.drain(from..=place) {
                self.bytes -= bytes;
                self.messages -= usize::from(is_send(left));
                if let Act::Send(slot) = left
                    && left != act
                {
                    self.outputs.push_back(Output::End(slot));
                }
            }
            return self.settle(at);
        }
    }

    /// Somebody has left.
    fn settle(&mut self, at: usize) {
        self.advance(at);
        if self.lines.get(at).is_some_and(|(_, line)| line.is_empty()) {
            self.lines.swap_remove(at);
        }
    }

    /// Lets go whoever need not wait.
    #[inline(never)]
    fn advance(&mut self, at: usize) {
        let Some((_, line)) = self.lines.get_mut(at) else { return };
        let has_others = line.iter().any(Entry::is_other);
        let has_send_under_way = line.iter().any(|entry| is_send(entry.act) && entry.has_gone);
        let next = if has_others {
            // The first of them; the others wait for it.
            line.iter_mut()
                .find(|entry| entry.is_other())
                .filter(|entry| matches!(entry.act, Act::Stop(_)) || !has_send_under_way)
        } else {
            line.first_mut().filter(|entry| !is_gate(entry))
        };
        if let Some(entry) = next.filter(|entry| !entry.has_gone) {
            entry.has_gone = true;
            self.outputs.push_back(Output::Go(entry.act));
        }
    }
}

impl Entry {
    /// A stop, a reset or a delete.
    fn is_other(&self) -> bool {
        matches!(self.act, Act::Stop(_) | Act::Clear(_))
    }

    fn until(&self) -> Option<Instant> {
        match self.act {
            Act::Expect(until) => Some(until),
            _ => None,
        }
    }
}

fn is_gate(entry: &Entry) -> bool {
    matches!(entry.act, Act::Expect(_))
}

fn is_send(act: Act) -> bool {
    matches!(act, Act::Send(_))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn outputs(outbox: &mut Outbox) -> Vec<Output> {
        core::iter::from_fn(|| outbox.poll_output()).collect()
    }

    fn go(act: Act) -> Output {
        Output::Go(act)
    }

    const STOP: Act = Act::Stop(Ticket(7));
    const CLEAR: Act = Act::Clear(Ticket(8));

    #[test]
    fn sends_of_a_session_go_one_after_the_other_and_other_sessions_at_once() {
        let mut outbox = Outbox::default();
        for (session, slot) in [("a", 1), ("a", 2), ("b", 3), ("a", 4)] {
            outbox.join(session, Act::Send(slot), 1);
        }
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1)), go(Act::Send(3))]);
        outbox.leave(Act::Send(2));
        assert_eq!(outputs(&mut outbox), [], "who gives up waiting lets nobody pass");
        outbox.leave(Act::Send(1));
        outbox.leave(Act::Send(1));
        assert_eq!(outputs(&mut outbox), [go(Act::Send(4))]);
        assert_eq!((outbox.messages(), outbox.bytes(), outbox.sessions()), (2, 2, 2));
        outbox.leave(Act::Send(3));
        outbox.leave(Act::Send(4));
        assert_eq!((outbox.messages(), outbox.bytes(), outbox.sessions()), (0, 0, 0), "forgotten with the last");
    }

    #[test]
    fn a_stop_waits_for_no_send_and_those_behind_it_wait_for_its_answer() {
        let mut outbox = Outbox::default();
        outbox.join("a", Act::Send(1), 1);
        outbox.join("a", STOP, 0);
        outbox.join("a", Act::Send(2), 1);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1)), go(STOP)]);
        outbox.leave(Act::Send(1));
        assert_eq!(outputs(&mut outbox), []);
        outbox.leave(STOP);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(2))]);
    }

    #[test]
    fn a_reset_waits_for_the_send_under_way_and_ends_those_that_waited_for_it() {
        let mut outbox = Outbox::default();
        outbox.join("a", Act::Send(1), 1);
        outbox.join("a", Act::Send(2), 1);
        outbox.join("a", CLEAR, 0);
        outbox.join("a", Act::Send(3), 1);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1))]);
        outbox.leave(Act::Send(1));
        assert_eq!(outputs(&mut outbox), [go(CLEAR)]);
        outbox.leave_cleared(CLEAR);
        assert_eq!(outputs(&mut outbox), [Output::End(2), go(Act::Send(3))]);
        assert_eq!((outbox.messages(), outbox.bytes()), (1, 1));
    }

    #[test]
    fn a_reset_that_fails_poisons_nothing() {
        let mut outbox = Outbox::default();
        outbox.join("a", Act::Send(1), 1);
        outbox.hold_back(1);
        outbox.join("a", CLEAR, 0);
        outbox.join("a", Act::Send(2), 1);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1)), go(CLEAR)], "what has not gone out is passed");
        outbox.leave(CLEAR);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1))]);
        outbox.leave(Act::Send(1));
        assert_eq!(outputs(&mut outbox), [go(Act::Send(2))]);
    }

    #[test]
    fn what_is_found_stands_before_the_gate_in_its_order_and_what_was_sent_behind_it() {
        let mut outbox = Outbox::default();
        let now = Instant::from_millis(5);
        outbox.expect("a", now);
        outbox.expect("a", now + Millis(1_000));
        assert_eq!((outbox.poll_timeout(), outbox.messages()), (Some(now + PATIENCE), 0));
        outbox.join("a", Act::Send(1), 1);
        outbox.join("b", Act::Send(2), 1);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(2))], "nobody waits for another session");
        outbox.join_before("a", Act::Send(3), 1);
        outbox.join_before("a", Act::Send(4), 1);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(3))]);
        outbox.leave(Act::Send(3));
        outbox.leave(Act::Send(4));
        assert_eq!(outputs(&mut outbox), [go(Act::Send(4))]);
        outbox.stop_expecting("a");
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1))]);
        outbox.join_before("a", Act::Send(5), 1);
        assert_eq!(outputs(&mut outbox), [], "without a gate it is one like any other");
        assert_eq!(outbox.poll_timeout(), None);
    }

    #[test]
    fn a_gate_holds_nobody_for_longer_than_its_time_and_leaves_nothing() {
        let mut outbox = Outbox::default();
        let now = Instant::from_millis(5);
        outbox.expect("a", now);
        outbox.expect("b", now);
        outbox.join("a", Act::Send(1), 1);
        outbox.handle_timeout(now + Millis(PATIENCE.0 - 1));
        assert_eq!(outputs(&mut outbox), []);
        outbox.handle_timeout(now + PATIENCE);
        assert_eq!(outputs(&mut outbox), [go(Act::Send(1))]);
        assert_eq!((outbox.sessions(), outbox.poll_timeout()), (1, None));
    }

    #[test]
    fn a_stop_and_a_reset_pass_a_gate() {
        let mut outbox = Outbox::default();
        outbox.expect("a", Instant::from_millis(5));
        outbox.join("a", STOP, 0);
        assert_eq!(outputs(&mut outbox), [go(STOP)]);
        outbox.leave(STOP);
        outbox.join("a", Act::Send(1), 1);
        outbox.join("a", CLEAR, 0);
        assert_eq!(outputs(&mut outbox), [go(CLEAR)]);
        outbox.leave_cleared(CLEAR);
        assert_eq!((outputs(&mut outbox), outbox.sessions()), (vec![Output::End(1)], 0));
    }

    #[test]
    fn who_takes_over_what_was_left_has_its_place_and_its_size() {
        let mut outbox = Outbox::default();
        outbox.expect("a", Instant::from_millis(5));
        outbox.join("a", Act::Send(1), 1);
        outbox.join("a", Act::Send(2), 1);
        assert!(outbox.take_over("a", Act::Send(2), 5));
        assert_eq!((outputs(&mut outbox), outbox.bytes()), (vec![go(Act::Send(2))], 6));
        outbox.stop_expecting("a");
        assert!(
            !outbox.take_over("a", Act::Send(1), 2) && !outbox.take_over("b", Act::Send(1), 2),
            "no gate, no claim"
        );
        outbox.leave(Act::Send(2));
        assert_eq!((outputs(&mut outbox), outbox.bytes()), (vec![go(Act::Send(1))], 1));
    }
}
