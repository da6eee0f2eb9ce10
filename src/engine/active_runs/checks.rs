//! The look for runs that are over, unknown to us: the end of a run may get lost at the server, in the millisecond of its row (B-AR-9).
//!
//! A run that says nothing for long is asked about by its session, one at a time and with a rest between; what is confirmed is
//! asked about again later each time. A page that nobody sees asks nothing.

use alloc::vec::Vec;

use super::{board::Asked, feed::Core};
use crate::engine::{
    link::Phase,
    protocol::Protocol,
    run::{Ask, Output},
    time::{Instant, Millis},
};

/// The rest between an answer and the next question.
const REST: Millis = Millis(1_000);

/// See the module's description.
#[derive(Default)]
pub(super) struct Checks {
    current: Option<Check>,
    rested_at: Option<Instant>,
    // No run is due before this; without it, nothing is known of when.
    next: Option<Instant>,
}

struct Check {
    ask: Ask,
    asked: Asked,
    deadline: Instant,
}

impl Checks {
    /// A row came: it is due then, if nothing more comes.
    pub fn note(&mut self, due: Instant) {
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
    }
}

impl Core {
    pub(super) fn poll_check(&self) -> Option<Instant> {
        if let Some(check) = &self.checks.current {
            return Some(check.deadline);
        }
        let next = self.checks.next.filter(|_| self.may_check() && self.board.live() > 0)?;
        Some(self.checks.rested_at.map_or(next, |rested| rested.max(next)))
    }

    pub(super) fn handle_check_due(&mut self, now: Instant) {
        if let Some(check) = self.checks.current.take_if(|check| check.deadline <= now) {
            self.outputs.push_back(Output::Forget { ask: check.ask });
            self.conclude(&check.asked, None, now);
        }
        if self.poll_check().is_none_or(|due| now < due) || self.checks.current.is_some() {
            return;
        }
        let silent = self.board.most_silent(self.wish.verify_after);
        self.checks.next = silent.as_ref().map(|silent| silent.due);
        let Some(silent) = silent.filter(|silent| silent.due <= now) else { return };
        let Some((asked, session)) = self.board.ask(silent.number) else { return };
        let Ok(session) = core::str::from_utf8(session) else { return };
        let request = Protocol::Bichat.status(session, None, None);
        self.last_ask = self.last_ask.wrapping_add(1);
        let ask = Ask(self.last_ask);
        self.outputs.push_back(Output::Ask { ask, request });
        self.checks.current = Some(Check { ask, asked, deadline: now + self.config.status_timeout });
    }

    pub(super) fn handle_checked(&mut self, ask: Ask, status: u16, body: &[u8], now: Instant) {
        let Some(check) = self.checks.current.take_if(|check| check.ask == ask) else { return };
        let reply = if (200..=299).contains(&status) { Protocol::Bichat.read_status(body) } else { None };
        let told = reply.map(|reply| (reply.active, reply.run_id.map(|run| run.into_bytes())));
        self.conclude(&check.asked, told, now);
    }

    /// `told`: whether something is active in the session, and which run.
    fn conclude(&mut self, asked: &Asked, told: Option<(bool, Option<Vec<u8>>)>, now: Instant) {
        self.checks.rested_at = Some(now + REST);
        self.checks.note(now);
        match told {
            Some((false, _)) => {
                self.board.handle_refuted(asked, None, now);
            }
            Some((true, Some(run))) if !asked.is_of(&run) => {
                self.board.handle_refuted(asked, Some(&run), now);
            }
            // No answer is no verdict.
            _ => self.board.handle_confirmed(asked, now),
        }
        self.look_for_changes();
    }

    pub(super) fn drop_check(&mut self) {
        if let Some(check) = self.checks.current.take() {
            self.outputs.push_back(Output::Forget { ask: check.ask });
        }
    }

    fn may_check(&self) -> bool {
        matches!(self.link.phase(), Phase::Open { .. }) && self.link.environment().visible
    }
}
