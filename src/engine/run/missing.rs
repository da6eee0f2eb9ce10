//! What a stream does not bring, where its events are numbered through: a number that is missing time and again, and an open stream
//! that says nothing. Both are asked for elsewhere: what a message's envelopes are, and whether there will be more of them.
//!
//! A gap that comes again on the next connection is read in pages, and the stream is followed from there. When the pages
//! have it neither, the server has put it away, and its status decides: where nothing runs, the run is interrupted as `run-ended`,
//! with what is held; where it runs still, the server may not have written yet what it has told, so that both are asked again after
//! a wait, until the budget is spent. What is behind a gap is never shown: it would not be what the server has said.

use super::{Core, Doubt, Gap, Output, Road, connections::is_cut_short, questions::Standing};
use crate::engine::{
    cursor::{Cursor, Verdict},
    error::{Code, Failure},
    http::{self, Head},
    json::{Elements, Value, integer},
    link::Phase,
    protocol::{
        Protocol,
        envelope::{Page, read_page, requests},
    },
    reader::Item,
    time::{Instant, Millis},
    timer::Timer,
    trace::Happening,
    transport::Transport,
};

impl Core {
    /// An event came with others missing before it.
    pub(super) fn take_gap(&mut self, cursor: Cursor<'_>, now: Instant) {
        let Cursor::Int(before) = cursor else { return };
        let is_old = self.is_of_earlier_subscription(before, now);
        let gap = self.gap.replace(Gap { before, socket: self.socket });
        if is_old {
            return;
        }
        self.counts.gaps += 1;
        self.note(Happening::Gap, now);
        if gap.is_some() && self.has_pages() {
            self.disconnect();
            self.link.hold();
            self.read_stored(now);
        } else {
            // What is missing is asked for again, after what is held.
            self.lose(Failure::passing(Code::Disconnected), None, now);
        }
    }

    /// An event came with none missing before it.
    pub(super) fn close_gap(&mut self, cursor: Cursor<'_>) {
        let via = self.via;
        let is_inside = |gap: Gap| matches!(cursor, Cursor::Int(number) if number < gap.before);
        self.gap = self.gap.filter(|gap| via == Transport::WebSocket && is_inside(*gap));
    }

    /// A socket that has missed something stays, and what it carried before it was told to go on from there may come in first: higher
    /// numbers in their order. It is told again. A server that does not listen has until its first word is due.
    fn is_of_earlier_subscription(&self, number: u64, now: Instant) -> bool {
        let is_first_word_due = match self.link.phase() {
            Phase::Open { since } => now.since(since) >= self.config.first_byte,
            _ => true,
        };
        let goes_on = |gap: Gap| gap.socket == self.socket && gap.before < number;
        self.via == Transport::WebSocket && !is_first_word_due && self.gap.is_some_and(goes_on)
    }

    fn has_pages(&self) -> bool {
        self.protocol == Protocol::Envelope
            && self.road == Road::Following
            && self.run.is_some()
            && self.adopted.is_none()
            && !self.stopping
    }

    /// Asks for what is stored behind the cursor.
    fn read_stored(&mut self, now: Instant) {
        let request = requests::stored(&self.run_name(), self.cursor());
        let ask = self.ask(request);
        self.paging = Some(ask);
        self.timers.set(Timer::Poll, now + self.config.connect_timeout);
        self.note(Happening::Asked, now);
        self.touch();
    }

    /// The reply to that came; `status` 0 means that none did.
    pub(super) fn handle_stored(&mut self, status: u16, body: &[u8], now: Instant) {
        self.timers.clear(Timer::Poll);
        if let Some(page) = read_page(body).filter(|_| (200..=299).contains(&status)) {
            return self.take_page(&page, now);
        }
        let head = Head { status, ..Head::default() };
        let may_pass = match http::judge(&head) {
            http::Verdict::Retry { .. } => true,
            _ => status == 0 || ((200..=299).contains(&status) && is_cut_short(body)),
        };
        match (may_pass, matches!(self.link.phase(), Phase::Open { .. })) {
            // The stream may still tell it, or can be asked again.
            (true, true) => self.watch_words(self.config.first_byte, now),
            (true, false) => self.lose(Failure::passing(Code::RequestFailed), None, now),
            (false, true) => self.end_as_over(Doubt::Gone, now),
            (false, false) => self.ask_status(Doubt::Gone, now),
        }
    }

    fn take_page(&mut self, page: &Page<'_>, now: Instant) {
        let before = self.seq();
        let mut has_hole = false;
        // What comes is no proof that the transport carries it.
        self.events_here = true;
        for element in Elements::open(page.events) {
            let Value::Object(raw) = element else { continue };
            let item = Item::of(self.protocol, raw);
            let id = if let Item::Event(event) = &item { event.id } else { None };
            has_hole = id.is_some_and(|id| self.position.check(id) == Verdict::Gap);
            if has_hole {
                break;
            }
            self.take(&item, now);
            if self.status.is_settled() {
                return;
            }
        }
        let has_moved = self.seq() != before;
        let is_open = matches!(self.link.phase(), Phase::Open { .. });
        if has_moved && !has_hole && page.has_more {
            self.read_stored(now);
        } else if is_open {
            // Nothing runs, and nothing more is stored.
            self.end_as_over(Doubt::Gone, now);
        } else if has_moved && !has_hole {
            let due = self.link.connect(now);
            self.obey(due, now);
        } else {
            self.ask_status(Doubt::Gone, now);
        }
    }

    /// An end is all that comes of a run that was joined at its beginning: what was before it has been put away.
    pub(super) fn take_mere_end(&mut self, now: Instant) {
        self.any_event = true;
        self.over = true;
        self.disconnect();
        self.end_as_over(Doubt::Gone, now);
    }

    /// The number of the last event that is held.
    fn seq(&self) -> u64 {
        integer(self.position.as_bytes()).unwrap_or(0)
    }

    // ---- an open stream that says nothing ----

    /// A chat's stream stays open behind an answer that has ended, and beats: when it says nothing for so long, the status is asked.
    pub(super) fn watch_words(&mut self, span: Millis, now: Instant) {
        if self.has_pages() {
            self.told_before = self.told;
            self.timers.set(Timer::Word, now + span);
        }
    }

    /// It has had its time.
    pub(super) fn handle_word_due(&mut self, now: Instant) {
        let unanswered = self.suspecting.take();
        if let Some(ask) = unanswered {
            self.push(Output::Forget { ask });
        }
        if self.told != self.told_before || unanswered.is_some() || self.paging.is_some() {
            return self.watch_words(self.config.liveness.stall, now);
        }
        self.note(Happening::Asked, now);
        let request = self.protocol.status(&self.session, self.run.as_deref(), self.request_id.as_deref());
        self.suspecting = Some(self.ask(request));
        self.timers.set(Timer::Word, now + self.config.status_timeout);
    }

    /// The server's word for whether there is something to say.
    pub(super) fn handle_silence(&mut self, status: u16, body: &[u8], now: Instant) {
        let reply = if (200..=299).contains(&status) { self.protocol.read_status(body) } else { None };
        let last_seq = reply.as_ref().and_then(|reply| reply.last_seq).unwrap_or(0);
        match self.standing(status, reply.as_ref()) {
            Standing::Over | Standing::Missing => {
                self.over = true;
                self.read_stored(now);
            }
            // It has said more than the stream has.
            Standing::Active { .. } if last_seq > self.seq() => {
                if self.ladder.has_next() && !self.events_here {
                    let failure = Failure::lasting(Code::HeldBack);
                    self.trace.note_loss(&failure, self.via, now);
                    self.step_down(&failure, now);
                } else {
                    self.lose(Failure::passing(Code::Stalled), None, now);
                }
            }
            Standing::Active { .. } | Standing::Unknown => self.watch_words(self.config.liveness.stall, now),
        }
    }
}
