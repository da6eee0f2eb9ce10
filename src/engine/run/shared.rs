//! A run whose stream other tabs may have as well: what they know it by, and what becomes of it when it changes hands.

use alloc::string::String;

use super::{Core, Loss, Road, beginning};
use crate::engine::{
    error::{Code, Failure},
    time::Instant,
    transport::Transport,
};

impl Core {
    /// The name of the stream that comes next, for every tab that wants the same one; `None` if it is this run's alone.
    pub(super) fn shared_name(&self) -> Option<String> {
        if !self.config.shares || !matches!(self.via, Transport::Fetch | Transport::EventSource) {
            return None;
        }
        // The run and not just its session: tabs hand each other what they hold of it.
        let run = match self.protocol.has_log() {
            true => self.run.as_deref()?,
            false => "",
        };
        let road = match self.road {
            Road::Sending if self.protocol.has_log() => return None,
            Road::Sending | Road::Following => "",
            Road::Live => "\nlive",
        };
        Some([self.session.as_str(), "\n", run, road].concat())
    }

    /// The stream is no fault's victim: it is asked for again, at once or as soon as there is room.
    pub(super) fn handle_moved(&mut self, loss: Loss, now: Instant) {
        // A message that was sent is nobody else's.
        if self.road == Road::Sending {
            return self.lose(Failure::passing(Code::Disconnected), None, now);
        }
        self.disconnect();
        if loss == Loss::Crowded {
            self.link.give_way(now);
        } else {
            let due = self.link.connect(now);
            self.obey(due, now);
        }
        self.touch();
    }

    /// There is room again, or another tab has begun what this one waits for.
    pub(super) fn handle_room(&mut self, now: Instant) {
        let due = self.link.make_room(now);
        self.obey(due, now);
        self.touch();
    }

    /// Goes on from what another tab holds, where the stream that they share goes on. Unreadable, it changes nothing.
    pub(super) fn handle_record(&mut self, record: &str) {
        let before = core::mem::take(&mut self.exact);
        let (position, shown) = (self.position.clone(), self.shown.take());
        self.position = beginning(self.protocol);
        let status = self.status;
        if !self.take_up(record) {
            (self.exact, self.position, self.shown) = (before, position, shown);
            return;
        }
        if status.is_settled() {
            self.status = status;
        }
        (self.again, self.loose_again, self.anchor) = (0, 0, None);
        // What is on screen stays until the other has caught up.
        let seen = shown.unwrap_or(before);
        if !self.exact.has_caught_up_with(&seen) {
            self.shown = Some(seen);
        }
        self.touch();
    }
}
