//! What becomes of a feed's connections: what a head, a loss or a refusal means. As a run's, but that nothing settles.

use super::feed::{Batch, Core};
use crate::engine::{
    error::{Code, Failure},
    http::{self, Head},
    link::{Due, Next, Phase},
    protocol::bichat,
    run::{Loss, Output, Urgency},
    time::{Instant, Millis},
};

/// What tabs know the feed by: no run's name is a single line.
const SHARED_NAME: &str = "active-runs";

impl Core {
    /// Begins with nothing, as if for the first time (B-AR-2).
    pub(super) fn set_out(&mut self, now: Instant) {
        self.link.renew();
        self.reauthorized = false;
        self.error = None;
        self.is_told = false;
        let due = self.link.connect(now);
        self.obey(due, now);
        self.touch();
    }

    pub(super) fn obey(&mut self, due: Option<Due>, now: Instant) {
        match due {
            Some(Due::Connect(conn)) => {
                self.head_seen = false;
                self.is_proven = false;
                self.must_sweep = true;
                self.batch = Batch::default();
                self.board.begin();
                let request = bichat::requests::active_runs();
                // Every tab is told the same; a listener has asked for a connection of its own.
                let share = (self.config.shares && self.listening.is_none()).then(|| SHARED_NAME.into());
                self.outputs.push_back(Output::Connect { conn, request, via: self.via, share });
                self.touch();
            }
            Some(Due::Lost(code)) => self.lose(Failure::passing(code), None, now),
            Some(Due::Drop) => self.disconnect(),
            Some(Due::Look) => self.outputs.push_back(Output::Look),
            // A feed that has nothing to say says nothing.
            Some(Due::Suspect) | None => {}
        }
    }

    pub(super) fn handle_response(&mut self, head: &Head<'_>, now: Instant) {
        self.head_seen = true;
        let refused = |code: Code| Failure::lasting(code).with_status(head.status);
        match http::judge(head) {
            http::Verdict::Accept => {
                self.link.handle_opened(now);
                self.retry_after = None;
                self.reauthorized = false;
                (self.has_opened, self.is_supported) = (true, true);
                if self.listening.is_none() {
                    self.empty_at = Some(now + self.wish.empty_after);
                }
                self.touch();
            }
            http::Verdict::Retry { after } if head.status != 501 => {
                self.lose(Failure::passing(Code::HttpStatus).with_status(head.status), after, now);
            }
            http::Verdict::Reauthorize if !self.reauthorized => {
                self.reauthorized = true;
                self.disconnect();
                let due = self.link.connect(now);
                self.obey(due, now);
            }
            http::Verdict::Reauthorize => self.refuse(refused(Code::Unauthorized), now),
            http::Verdict::WrongType => self.refuse(refused(Code::ContentType), now),
            http::Verdict::Retry { .. } | http::Verdict::NoContent | http::Verdict::Refuse(_) => {
                self.refuse(refused(Code::HttpStatus), now);
            }
        }
    }

    /// Lost in a way that may pass.
    pub(super) fn lose(&mut self, failure: Failure, floor: Option<Millis>, now: Instant) {
        self.retry_after = floor.max(self.retry_after);
        self.disconnect();
        if self.fails_in_grace(&failure, now) {
            return;
        }
        if self.link.handle_lost(now) == Next::Exhausted {
            let failure = Failure { code: Code::GaveUp, attempts: Some(self.link.attempt()), ..failure };
            return self.end(failure);
        }
        self.note(failure);
        self.link.wait(self.retry_after.take(), &mut self.rng, now);
        self.touch();
    }

    /// Refused for a reason that will not pass by itself.
    fn refuse(&mut self, failure: Failure, now: Instant) {
        // Somebody in between, for a while: the endpoint was there.
        let is_about_us = matches!(failure.status, Some(400 | 401 | 403));
        if self.has_opened && !is_about_us {
            return self.lose(Failure { retryable: true, ..failure }, None, now);
        }
        self.disconnect();
        if self.fails_in_grace(&failure, now) {
            return;
        }
        if self.listening.is_none() && matches!(failure.status, Some(404 | 405 | 501)) {
            self.is_supported = false;
            self.link.close();
            return self.touch();
        }
        self.end(failure);
    }

    /// No connection will come of it any more.
    fn end(&mut self, failure: Failure) {
        self.link.close();
        if let Some(listening) = &mut self.listening {
            listening.end = Some(failure);
            self.urgency = Urgency::Now;
            self.touch();
        } else {
            self.note(failure);
        }
    }

    fn fails_in_grace(&mut self, failure: &Failure, now: Instant) -> bool {
        let is_last = self.listening.as_ref().is_some_and(|listening| {
            !listening.any_row && listening.grace.is_some_and(|grace| now.since(listening.began) < grace)
        });
        if is_last {
            self.end(Failure { code: Code::ConnectFailed, ..failure.clone() });
        }
        is_last
    }

    /// A listener hears of every loss but the one that ends it, a sidebar of every outage.
    fn note(&mut self, failure: Failure) {
        if let Some(listening) = &mut self.listening {
            listening.write_flap(&failure);
        } else if !core::mem::replace(&mut self.is_told, true) {
            self.flap = Some(failure.clone());
        }
        self.error = Some(failure);
        self.touch();
    }

    /// The connection has brought what it is there for: what was wrong is over.
    pub(super) fn prove(&mut self) {
        if !core::mem::replace(&mut self.is_proven, true) {
            self.is_told = false;
            if self.error.take().is_some() {
                self.touch();
            }
        }
    }

    /// The stream changes hands, or there is no room for it: no fault of anybody's.
    pub(super) fn handle_moved(&mut self, loss: Loss, now: Instant) {
        self.disconnect();
        if loss == Loss::Crowded {
            self.link.give_way(now);
        } else {
            let due = self.link.connect(now);
            self.obey(due, now);
        }
        self.touch();
    }

    pub(super) fn disconnect(&mut self) {
        self.outputs.push_back(Output::Disconnect { conn: self.link.conn() });
        self.empty_at = None;
        // What came of a batch counts; what it did not have may have been on its way.
        (self.flush_at, self.sweep_at) = (None, None);
        self.board.flush_staged();
        self.look_for_changes();
        self.drop_check();
    }

    /// Nobody has watched for a while.
    pub(super) fn leave(&mut self) {
        self.leave_at = None;
        self.disconnect();
        self.link.hold();
        self.board.clear();
        self.has_reset = true;
        self.is_ready = false;
        self.has_opened = false;
        self.error = None;
        self.flap = None;
        self.touch();
    }

    pub(super) fn connection_state(&self) -> &'static str {
        let is_first = self.link.attempt() == 0 && self.error.is_none();
        match self.link.phase() {
            Phase::Open { .. } => "open",
            Phase::Parked => "offline",
            Phase::Closed if self.error.is_some() && !self.is_closed => "failed",
            Phase::Closed => "closed",
            Phase::Idle if !self.is_watched => "closed",
            Phase::Connecting | Phase::Idle if is_first => "connecting",
            Phase::Connecting | Phase::Idle | Phase::Waiting { .. } => "reconnecting",
        }
    }
}
