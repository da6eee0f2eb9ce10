//! A run on a stream that all messages of its session share (PROTOCOLS 3): which of the rows are its own, and what the stream says
//! of itself between them.

use super::{Core, Doubt, Road, questions::Standing};
use crate::engine::{
    error::{Code, Failure},
    event::{JsonStr, RunEvent},
    http::{self, Head},
    protocol::{
        Protocol,
        chunks::{self, Mark},
    },
    reader::{Malformed, Numbered},
    rows::Place,
    time::Instant,
    trace::Happening,
};

impl Core {
    /// Whether a row is an event of this run that is new. One that is ours and makes no sense is passed at once.
    pub(super) fn admits(&mut self, row: &Numbered<'_>, now: Instant) -> bool {
        if matches!(row.incoming.event, RunEvent::Reset) {
            self.shown = None;
            self.most_text = 0;
            return true;
        }
        if !self.is_ours(row) {
            return false;
        }
        match self.rows.place(row.seq) {
            Place::Behind => {
                self.counts.duplicates += 1;
                self.note(Happening::Duplicates { count: 1 }, now);
                return false;
            }
            Place::Beyond => {
                self.counts.gaps += 1;
                self.note(Happening::Gap, now);
                self.rows.go_back(&mut self.position);
                self.lose(Failure::passing(Code::Disconnected), None, now);
                return false;
            }
            Place::Next => {}
        }
        let Some(fault) = row.fault else { return true };
        self.counts.malformed += 1;
        self.any_event = true;
        self.note(Happening::Malformed, now);
        let Numbered { incoming, .. } = row;
        self.report_malformed(&Malformed { id: None, name: incoming.name, data: incoming.data, fault });
        self.pass(row);
        false
    }

    /// The row was applied: what the cursor passes must be held (A-ENV-6).
    pub(super) fn pass(&mut self, row: &Numbered<'_>) {
        if matches!(row.incoming.event, RunEvent::Reset) {
            self.rows.handle_reset();
        } else {
            self.rows.advance(row.seq, &self.position);
        }
        self.dirty.cursor = true;
        self.touch_content();
        if !self.status.is_settled() {
            self.link.handle_progress();
            self.second_wind = false;
        }
    }

    /// Whether a row is of our message. The answer to what was sent is the first one that begins behind it; without a question of
    /// ours it is the first one that there is.
    fn is_ours(&mut self, row: &Numbered<'_>) -> bool {
        let message = row.incoming.run;
        if message.is_empty() {
            return false;
        }
        if self.run.is_some() {
            return !self.is_not_called(message);
        }
        if let Some(question) = &self.request_id {
            if JsonStr::stored(message).equals(question.as_bytes()) {
                self.is_asked = true;
                self.rows.stay(&self.position);
                return false;
            }
            if !self.is_asked || row.seq != Some(0) {
                return false;
            }
        }
        if row.is_answer {
            self.run = Some(JsonStr::stored(message).decoded());
            self.touch();
        }
        row.is_answer
    }

    /// Whether our message is there, and no word of its answer.
    pub(super) fn is_unanswered(&self) -> bool {
        self.protocol == Protocol::Chunks && self.run.is_none() && self.request_id.is_some()
    }

    pub(super) fn take_offset(&mut self, mark: &Mark<'_>, now: Instant) {
        self.dirty.cursor = true;
        self.touch_content();
        if self.rows.handle_mark(mark, &mut self.position) {
            self.link.handle_progress();
            // A server that cycles its connections has told all that it had to.
            self.passed_by = true;
        }
        if mark.is_up_to_date && (self.over || !self.events_here) {
            self.doubt_absence(now);
        }
    }

    /// All is told, and nothing of it is ours: does our message live?
    fn doubt_absence(&mut self, now: Instant) {
        if self.over {
            self.disconnect();
            if core::mem::replace(&mut self.has_reread, true) {
                return self.end_as_over(Doubt::Fruitless, now);
            }
            // Its end may have been written since, or lost on the way: read once more, all that was written is told.
            self.rows.go_back(&mut self.position);
            return self.set_out(now);
        }
        let may_ask = self.run.is_some() && self.has_log() && !self.stopping && self.suspecting.is_none();
        if may_ask && self.road == Road::Following && !self.doubted_here {
            self.doubted_here = true;
            self.note(Happening::Asked, now);
            let request = self.protocol.status(&self.session, self.run.as_deref(), None);
            let ask = self.ask(request);
            self.suspecting = Some(ask);
        }
    }

    /// The server's word on a message that its stream does not speak of.
    pub(super) fn handle_absence(&mut self, status: u16, body: &[u8], now: Instant) {
        let reply = if (200..=299).contains(&status) { self.protocol.read_status(body) } else { None };
        if let Standing::Over | Standing::Missing = self.standing(status, reply.as_ref()) {
            self.over = true;
            self.doubt_absence(now);
        }
    }

    /// The reply to a message that may be repeated. False for what is treated as any other reply.
    pub(super) fn handle_question_posted(&mut self, status: u16, body: &[u8], now: Instant) -> bool {
        if (200..=299).contains(&status) {
            let Some(offset) = chunks::read_sent(body) else { return false };
            self.accepted = true;
            self.prove(now);
            if self.stopping {
                self.open(now);
                self.stop_what_arrived_late(now);
            } else {
                self.follow_question(offset.as_deref(), now);
            }
            return true;
        }
        let refused = matches!(http::judge(&Head { status, ..Head::default() }), http::Verdict::Refuse(_));
        if !refused || status == 0 {
            return false;
        }
        let (code, words) = chunks::read_refusal(body);
        let is_unknown = code.as_deref().is_none_or(|code| code.eq_ignore_ascii_case("session_not_found"));
        if status == 404 && is_unknown && !self.is_created && !self.stopping {
            // S-RQ-3: the session may never have been made.
            self.is_created = true;
            let ask = self.ask(chunks::requests::create(&self.session));
            self.creating = Some(ask);
            return true;
        }
        let failure = Failure { server_code: code, detail: words, ..Failure::lasting(Code::HttpStatus) };
        self.refuse(failure.with_status(status), now);
        true
    }

    /// The reply to the making of a session: the message goes out again.
    pub(super) fn handle_created(&mut self, status: u16, now: Instant) {
        match status {
            200..=299 => {
                let due = self.link.connect(now);
                self.obey(due, now);
            }
            _ => {
                self.is_created = false;
                match status {
                    0 => self.lose(Failure::passing(Code::ConnectFailed), None, now),
                    _ => self.handle_response(&Head { status, ..Head::default() }, now),
                }
            }
        }
    }

    /// Leaves the send for the stream that its answer comes on.
    fn follow_question(&mut self, offset: Option<&str>, now: Instant) {
        self.road = Road::Following;
        self.any_event = true;
        self.link.handle_progress();
        if let Some(offset) = offset {
            self.hold(offset);
        }
        self.disconnect();
        self.set_out(now);
    }
}
