//! The last rung: an answer without a stream. The server is asked how the run stands until it is over, and then for all of it
//! in one piece. Also the doubt whether an open stream that says nothing has something to say.

use super::{Ask, Core, Doubt, Output, Road, connections::is_cut_short};
use crate::engine::{
    error::{Code, Failure},
    event::RunEvent,
    http::Head,
    link::Phase,
    protocol::{Protocol, StatusReply, WholeAnswer},
    reader::Item,
    status::{By, Status},
    time::{Instant, Millis},
    timer::Timer,
    trace::Happening,
    transcript::Transcript,
    transport::Transport,
};

/// How often a run that is polled is asked about (B-RES-5).
const EVERY: Millis = Millis(2_000);

impl Core {
    /// Asks how the run stands; a better transport that is to be had again is taken instead.
    pub(super) fn poll(&mut self, now: Instant) {
        if matches!(self.link.phase(), Phase::Open { .. }) && self.ladder.choose(now) != Transport::Rest {
            self.disconnect();
            return self.set_out(now);
        }
        let request = self.protocol.status(&self.session, self.run.as_deref(), self.request_id.as_deref());
        let ask = self.ask(request);
        self.polling = Some(ask);
        self.timers.set(Timer::Poll, now + self.config.status_timeout);
    }

    /// It is time to ask again, or what was asked has got no answer in time.
    pub(super) fn handle_poll_due(&mut self, now: Instant) {
        if let Some(ask) = self.paging.take() {
            self.push(Output::Forget { ask });
            self.handle_stored(0, b"", now);
        } else if self.polling.is_some() || self.reading.is_some() {
            self.lose(Failure::passing(Code::RequestTimeout), None, now);
        } else {
            self.poll(now);
        }
    }

    /// The reply to such a question came.
    pub(super) fn handle_polled(&mut self, status: u16, body: &[u8], now: Instant) {
        let reply = match status {
            200..=299 => self.protocol.read_status(body),
            0 => return self.lose(Failure::passing(Code::ConnectFailed), None, now),
            _ => return self.handle_response(&Head { status, ..Head::default() }, now),
        };
        let Some(reply) = reply else {
            if is_cut_short(body) {
                return self.lose(Failure::passing(Code::Disconnected), None, now);
            }
            return self.refuse(Failure::lasting(Code::ContentType).with_status(status), now);
        };
        if matches!(self.link.phase(), Phase::Connecting) {
            self.head_seen = true;
            self.open(now);
        }
        self.link.handle_bytes(now);
        self.prove(now);
        let StatusReply { active, snapshot, whole, run_id, .. } = reply;
        let is_ours = self.run.is_none() || run_id.is_none() || run_id == self.run;
        if let Some(whole) = whole.filter(|_| is_ours) {
            return self.take_whole(&whole, now);
        }
        if active && is_ours {
            if let Some(snapshot) = snapshot {
                self.show(&RunEvent::Snapshot(snapshot), now);
            }
            self.any_event = true;
            self.flap = None;
            self.link.handle_progress();
            if self.status == Status::Pending {
                self.status = Status::Streaming;
            }
            self.touch();
            self.timers.set(Timer::Poll, now + EVERY);
            return;
        }
        // The log outlives its run by minutes, and comes in one piece now.
        self.over = true;
        self.begin_log();
        let cursor = core::str::from_utf8(self.position.as_bytes()).ok().filter(|cursor| !cursor.is_empty());
        let request = self.protocol.events(&self.session, &self.run_name(), cursor, "");
        let ask = self.ask(request);
        self.reading = Some(ask);
        self.timers.set(Timer::Poll, now + self.config.connect_timeout);
    }

    /// Text that is on its way is shown if it is more than what is shown.
    fn show(&mut self, snapshot: &RunEvent<'_>, now: Instant) {
        let mut seeded = Transcript::new();
        seeded.apply(snapshot);
        let held = self.shown.as_ref().unwrap_or(&self.exact).text_utf16_len();
        if seeded.text_utf16_len() > held {
            self.note_first_token(now);
            self.shown = Some(seeded);
            self.hear(now);
            self.touch_content();
        }
    }

    /// All of the answer, as one reply told it.
    pub(super) fn take_whole(&mut self, whole: &WholeAnswer<'_>, now: Instant) {
        let mut exact = Transcript::new();
        exact.apply(&RunEvent::Snapshot(whole.snapshot));
        // What failed on the way may have been told further than it was stored.
        if exact.text_utf16_len() >= self.exact.text_utf16_len() {
            exact.rewrite();
            self.exact = exact;
        }
        if self.exact.text_utf16_len() > 0 {
            self.note_first_token(now);
        }
        self.exact.apply(&whole.end);
        self.any_event = true;
        self.touch_content();
        self.advance_status(&whole.end, now);
    }

    /// Whether this reply is the log in one piece.
    pub(super) fn takes_log(&mut self, ask: Ask, status: u16) -> bool {
        self.reading == Some(ask) && (200..=299).contains(&status)
    }

    /// One item of it.
    pub(super) fn take_of_log(&mut self, item: &Item<'_>, now: Instant) {
        if self.reading.is_some() && !self.status.is_settled() {
            self.take(item, now);
        }
    }

    /// It ended; if the run did not end with it, it is over all the same.
    pub(super) fn end_log(&mut self, now: Instant) {
        self.timers.clear(Timer::Poll);
        if self.reading.take().is_some() && !self.status.is_settled() && self.doubt.is_none() {
            self.end_as_over(Doubt::Fruitless, now);
        }
    }

    /// The log could not be had in one piece.
    pub(super) fn handle_log_refused(&mut self, status: u16, now: Instant) {
        if status == 0 {
            return self.lose(Failure::passing(Code::ConnectFailed), None, now);
        }
        self.end_as_over(Doubt::Refused(Failure::lasting(Code::RunEnded).with_status(status)), now);
    }

    // ---- is somebody holding the stream back? ----

    /// The stream is open and has not said a word, or the socket lives and has had none for us in a long time.
    pub(super) fn suspect(&mut self, now: Instant) {
        let may_ask = self.link.is_shared() || (self.ladder.has_next() && self.suspecting.is_none());
        if self.road != Road::Following || self.adopted.is_some() || self.stopping || !may_ask {
            return;
        }
        // A question that has had no answer by the next time is asked anew.
        self.link.handle_word(now);
        if let Some(ask) = self.suspecting.take() {
            self.push(Output::Forget { ask });
        }
        self.note(Happening::Asked, now);
        let request = self.protocol.status(&self.session, self.run.as_deref(), self.request_id.as_deref());
        let ask = self.ask(request);
        self.suspecting = Some(ask);
    }

    /// The server's word for what the stream should have said by now.
    pub(super) fn handle_suspicion(&mut self, status: u16, body: &[u8], now: Instant) {
        if self.protocol == Protocol::Envelope {
            return self.handle_silence(status, body, now);
        }
        if self.protocol == Protocol::Chunks {
            return self.handle_absence(status, body, now);
        }
        let reply = if (200..=299).contains(&status) { self.protocol.read_status(body) } else { None };
        let is_held_back = reply.is_some_and(|reply| {
            let mut told = Transcript::new();
            if let Some(snapshot) = reply.snapshot {
                told.apply(&RunEvent::Snapshot(snapshot));
            }
            let is_over = !reply.active && !reply.is_missing;
            is_over || told.text_utf16_len() > self.exact.text_utf16_len()
        });
        if is_held_back && self.link.is_shared() {
            // Asked for again after what is held, over the same socket.
            return self.lose(Failure::passing(Code::Stalled), None, now);
        }
        if !is_held_back || !self.ladder.has_next() {
            // There is nothing to say: what is open may stay.
            return self.link.watch_first_byte(now);
        }
        let failure = Failure::lasting(Code::HeldBack);
        self.trace.note_loss(&failure, self.via, now);
        self.step_down(&failure, now);
    }

    /// A run that never had an id ends like one that the server does not know.
    pub(super) fn end_unnamed(&mut self, now: Instant) {
        let failure = self.flap.clone().unwrap_or(Failure::passing(Code::Disconnected));
        self.settle(Status::Interrupted, By::Server, Some(Failure { retryable: true, ..failure }), now);
    }
}
