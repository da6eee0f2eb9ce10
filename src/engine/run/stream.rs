//! What the events of a stream do to a run.

use alloc::string::String;

use super::beginning;
use super::{Core, Doubt, Road, Verdict};
use crate::engine::{
    cursor::{Cursor, Verdict as Judgement},
    delta::Delta,
    error::{Code, Failure},
    event::{JsonStr, RunEvent, Terminal},
    link::Phase,
    protocol::Protocol,
    reader::{Incoming, Item},
    status::{By, Status},
    time::{Instant, Millis},
    trace::Happening,
    transport::Transport,
};

/// How long a server that is overloaded is left alone at the least.
const LATER: Millis = Millis(5_000);

impl Core {
    // In line, so that an event is one call.
    #[inline(always)]
    pub(super) fn take(&mut self, item: &Item<'_>, now: Instant) {
        match item {
            Item::Event(incoming) => self.take_event(incoming, now),
            _ => self.take_aside(item, now),
        }
    }

    #[inline(never)]
    fn take_aside(&mut self, item: &Item<'_>, now: Instant) {
        match item {
            Item::Comment => self.link.handle_beat(now),
            Item::Done => self.conclude(now),
            Item::Retry(wait) => self.link.handle_hint(*wait),
            Item::Id(id) if self.protocol == Protocol::Custom => self.take_mark(id, now),
            Item::Malformed(bad) => {
                let mark = bad.id.filter(|_| self.protocol == Protocol::Custom);
                if let Some(id) = mark.filter(|_| self.group.is_none()) {
                    self.take_mark(id, now);
                }
                if self.group != Some(Judgement::Duplicate) {
                    self.counts.malformed += 1;
                    self.any_event = true;
                    self.note(Happening::Malformed, now);
                    self.report_malformed(bad);
                }
                if let Some(id) = mark {
                    self.take_mark(id, now);
                }
            }
            Item::Id(id) => {
                if self.road == Road::Following {
                    self.position.advance(id);
                    self.loose = 0;
                }
            }
            Item::Overflow => {
                // Asking again would bring the same event again.
                self.disconnect();
                if self.settle_by_verdict(now) {
                    return;
                }
                self.settle(Status::Interrupted, By::Limit, Some(Failure::lasting(Code::EventTooLarge)), now);
            }
            Item::Mark(mark) => self.take_offset(mark, now),
            Item::Row(row) => {
                if self.admits(row, now) {
                    self.take_event(&row.incoming, now);
                    self.pass(row);
                }
            }
            Item::Event(_) => {}
        }
    }

    /// What a page's decoder makes of one wire event stands between two marks with its id, of which the last event may be the
    /// second: the first mark says whether all of it is new, and only the second moves the cursor.
    fn take_mark(&mut self, id: &[u8], now: Instant) {
        match self.group.take() {
            None => {
                let judgement = self.position.check(id);
                if judgement == Judgement::Duplicate {
                    self.pass_duplicate(Some(id), now);
                }
                self.group = Some(judgement);
            }
            Some(Judgement::Duplicate) => {}
            Some(_) => {
                self.position.advance(id);
                self.dirty.cursor = true;
                (self.loose, self.loose_again) = (0, 0);
                self.any_event = true;
                self.link.handle_progress();
                self.touch_content();
            }
        }
    }

    /// What has no id comes again with the one before it: all of it, or as much as was applied behind the cursor.
    fn pass_duplicate(&mut self, id: Option<&[u8]>, now: Instant) {
        if let Some(id) = id.filter(|_| !self.has_log()) {
            self.loose_again = if id == self.position.as_bytes() { self.loose } else { usize::MAX };
        }
        self.counts.duplicates += 1;
        self.note(Happening::Duplicates { count: 1 }, now);
    }

    #[inline(never)]
    fn take_event(&mut self, incoming: &Incoming<'_>, now: Instant) {
        let group = self.group;
        if incoming.id.is_some() {
            self.group = None;
        }
        if group == Some(Judgement::Duplicate) {
            return;
        }
        if matches!(incoming.event, RunEvent::Heartbeat) {
            self.link.handle_beat(now);
            self.forward(incoming);
            return;
        }
        self.link.handle_word(now);
        if let RunEvent::Refused { code, error } = &incoming.event {
            return self.take_refusal(*code, *error, now);
        }
        let is_foreign =
            self.protocol == Protocol::Envelope && !incoming.run.is_empty() && self.is_not_called(incoming.run);
        if self.road == Road::Sending && self.via == Transport::WebSocket && self.link.phase() == Phase::Connecting {
            self.open(now);
        }
        if self.is_of_another_run(incoming) {
            self.disconnect();
            self.over = true;
            return self.end_as_over(Doubt::Fruitless, now);
        }
        if self.may_be_of_others(&incoming.event) {
            return self.end_in_doubt(now);
        }
        // Where every stream tells all of it, whichever comes first names the run.
        let may_name = self.road == Road::Sending || !self.protocol.has_log();
        if may_name && self.names_the_run(incoming) && !self.stopping {
            self.follow(now);
            return;
        }
        let has_ids = self.road == Road::Following || !self.protocol.has_log();
        let id = incoming.id.filter(|id| !id.is_empty() && has_ids);
        let next = id.and_then(|id| self.position.glance(id));
        let id = id.filter(|_| next.is_none()).map(|id| (id, Cursor::parse(id)));
        if let Some((id, cursor)) = id {
            match self.position.judge(id, cursor) {
                Judgement::Duplicate => return self.pass_duplicate(Some(id), now),
                Judgement::Gap => return self.take_gap(cursor, now),
                Judgement::New => {}
            }
        } else if next.is_none() && self.is_refusal(incoming) {
            let failure = Failure { detail: error_text(&incoming.event), ..Failure::lasting(Code::RunNotFound) };
            self.disconnect();
            if !self.fails_in_grace(&failure, now) && !self.settle_by_verdict(now) {
                self.forward(incoming);
                self.note_flap(&failure);
                self.ask_status(Doubt::Refused(failure), now);
            }
            return;
        }
        if self.loose_again > 0 && id.is_none() && next.is_none() && group.is_none() {
            self.loose_again -= 1;
            return self.pass_duplicate(None, now);
        }
        if is_foreign {
            // Of another message of the chat: nothing of ours is missing (A-ENV-6), and the number after it must follow.
            self.events_here = true;
            if let Some((id, cursor)) = id {
                self.position.advance_to(id, cursor);
                self.dirty.cursor = true;
                self.link.handle_progress();
                self.passed_by = true;
                self.close_gap(cursor);
            }
            return;
        }
        if self.protocol == Protocol::Envelope
            && self.position.is_none()
            && !self.stopping
            && matches!(incoming.event, RunEvent::Ended { how: Terminal::Completed | Terminal::Cancelled, .. })
        {
            return self.take_mere_end(now);
        }
        if !self.events_here {
            self.prove(now);
        }
        self.events_here = true;
        self.any_event = true;
        self.reauthorized = false;
        self.live_tried = self.road == Road::Live;
        // The badge shows what went wrong until something comes again, and not longer.
        if self.flap.take().is_some() || self.link.attempt() > 0 {
            self.touch();
        }
        if self.road == Road::Live {
            // What has no place in the log moves the transcript away from it: whoever reads the log next begins anew.
            if !self.position.is_none() {
                self.anchor = Some(core::mem::take(&mut self.position));
            }
            if matches!(incoming.event, RunEvent::Snapshot(_)) {
                self.start_over();
            }
        }
        if matches!(incoming.event, RunEvent::Text { .. } | RunEvent::Reasoning { .. }) {
            self.note_first_token(now);
        }
        let at = incoming.timestamp();
        let makes_sense = self.exact.apply_at(&incoming.event, at);
        if !makes_sense {
            self.counts.malformed += 1;
            self.note(Happening::Malformed, now);
        }
        if let RunEvent::Started { run_id: Some(run), .. } = &incoming.event
            && self.run.is_none()
        {
            self.run = Some(run.decoded());
            self.touch();
        }
        // Only now: what the cursor passes must be held (A-ENV-6).
        if next.is_some() || id.is_some() {
            (self.loose, self.loose_again) = (0, 0);
        } else if group.is_none() && !self.has_log() {
            self.loose += 1;
        }
        if let Some(next) = next {
            self.position.step(next);
            self.dirty.cursor = true;
        } else if let Some((id, cursor)) = id {
            self.position.advance_to(id, cursor);
            self.dirty.cursor = true;
            self.close_gap(cursor);
        }
        // What has no id may be what came before the last cut, told anew: only more text than ever proves it new.
        let text = self.exact.text_utf16_len();
        if id.is_some() || text > self.most_text {
            self.link.handle_progress();
            self.second_wind = false;
        }
        self.most_text = self.most_text.max(text);
        if let Some(at) = at {
            if self.started_at.is_none() {
                self.started_at = Some(at);
                self.dirty.state = true;
            }
            self.updated_at = Some(at);
        }
        if self.again > 0 && !self.has_log() {
            self.again -= 1;
        } else {
            self.told += 1;
            if makes_sense {
                self.forward(incoming);
            }
        }
        self.advance_status(&incoming.event, now);
        self.hear(now);
        self.touch_content();
    }

    /// The server does not do what was asked of it over a socket.
    fn take_refusal(&mut self, code: Option<JsonStr<'_>>, error: Option<JsonStr<'_>>, now: Instant) {
        let says = |word: &[u8]| code.is_some_and(|code| code.equals(word));
        let detail = error.map(|error| error.decoded());
        let is_sending = self.road == Road::Sending;
        if says(b"overloaded") {
            self.accepted &= !is_sending;
            self.lose(Failure { detail, ..Failure::passing(Code::ServerError) }, Some(LATER), now);
        } else if says(b"unknown-run") && !is_sending {
            self.disconnect();
            let failure = Failure { detail, ..Failure::lasting(Code::RunNotFound) };
            self.note_flap(&failure);
            self.ask_status(Doubt::Refused(failure), now);
        } else {
            let status = if is_sending { Status::Failed } else { Status::Interrupted };
            self.settle(status, By::Server, Some(Failure { detail, ..Failure::lasting(Code::ServerError) }), now);
        }
    }

    pub(super) fn note_first_token(&mut self, now: Instant) {
        if !self.had_token {
            self.had_token = true;
            self.note(Happening::FirstToken { after: now.since(self.began) }, now);
        }
    }

    pub(super) fn advance_status(&mut self, event: &RunEvent<'_>, now: Instant) {
        let status = match event {
            RunEvent::Concluded { how, .. } => {
                self.concluded = Some(*how);
                return;
            }
            RunEvent::Interrupted { .. } => Status::Waiting,
            RunEvent::Usage { .. } | RunEvent::Citation { .. } | RunEvent::Ignored
                if self.status == Status::Waiting =>
            {
                Status::Waiting
            }
            RunEvent::Ended { how, .. } => return self.end(*how, error_text(event), now),
            _ => Status::Streaming,
        };
        if status != self.status {
            self.status = status;
            self.touch();
        }
    }

    /// The stream has come to its end, as the server meant it to.
    pub(super) fn conclude(&mut self, now: Instant) {
        let unsaid = if self.stopping { Terminal::Cancelled } else { Terminal::Completed };
        let how = self.concluded.take().unwrap_or(unsaid);
        self.end(how, None, now);
    }

    fn end(&mut self, how: Terminal, error: Option<String>, now: Instant) {
        self.disconnect();
        // The server at hand tells a cancel as an error (B-EVT-1): our own intent knows better.
        let (status, by) = match how {
            Terminal::Completed => (Status::Completed, By::Server),
            _ if self.stopping => (Status::Cancelled, By::User),
            Terminal::Cancelled => (Status::Cancelled, By::Server),
            Terminal::Failed => (Status::Failed, By::Server),
        };
        let error =
            (status == Status::Failed).then(|| Failure { detail: error, ..Failure::passing(Code::ServerError) });
        if self.road == Road::Live && !self.stopping {
            return self.ask_log(Verdict { status, by, error }, now);
        }
        // The log has spoken to its end: nothing provisional is left to show.
        if self.shown.take().is_some() {
            self.exact.rewrite();
        }
        self.settle(status, by, error, now);
    }

    pub(super) fn is_not_called(&self, run: &[u8]) -> bool {
        self.run.as_ref().is_some_and(|name| !JsonStr::stored(run).equals(name.as_bytes()))
    }

    /// A session without a log has one stream, for what runs in it now: that may be what was sent after this run.
    fn is_of_another_run(&mut self, incoming: &Incoming<'_>) -> bool {
        if self.protocol.has_log() || self.events_here {
            return false;
        }
        let RunEvent::Started { run_id: Some(run), .. } = &incoming.event else { return false };
        match &self.first_name {
            Some(first) => !run.equals(first.as_bytes()),
            None => {
                self.first_name = Some(run.decoded());
                false
            }
        }
    }

    /// Takes the run's id from an event of the send's response.
    pub(super) fn names_the_run(&mut self, incoming: &Incoming<'_>) -> bool {
        if !self.config.event_log || !self.protocol.has_log() {
            if let RunEvent::Started { run_id: Some(run), .. } = &incoming.event {
                self.run = Some(run.decoded());
                self.touch();
            }
            return false;
        }
        let run = match &incoming.event {
            RunEvent::Started { run_id: Some(run), .. } => run.decoded(),
            _ => return false,
        };
        self.run = Some(run);
        true
    }

    /// Leaves the send's inexact response for the exact log.
    pub(super) fn follow(&mut self, now: Instant) {
        self.follow_after(None, now);
    }

    /// The same, where the run's first event is the one behind `seq`.
    pub(super) fn follow_after(&mut self, seq: Option<u64>, now: Instant) {
        self.any_event = true;
        self.status = Status::Streaming;
        self.road = Road::Following;
        self.position = beginning(self.protocol);
        if let Some(seq) = seq {
            self.position.advance(decimal(seq).as_bytes());
        }
        self.link.handle_progress();
        if self.via == Transport::WebSocket && matches!(self.link.phase(), Phase::Open { .. }) {
            // What sent it brings its events, too, and those are exact.
            self.prove(now);
            return self.touch();
        }
        self.disconnect();
        self.set_out(now);
    }

    /// What the live road has dropped, the log may still hold (B-SEND-11, B-RES-4): it has the last word.
    pub(super) fn ask_log(&mut self, verdict: Verdict, now: Instant) {
        self.verdict = Some(verdict);
        self.over = true;
        self.road = Road::Following;
        self.link.renew();
        self.set_out(now);
    }

    /// Without a log, what the live road has told stands. False if it has told no end.
    pub(super) fn settle_by_verdict(&mut self, now: Instant) -> bool {
        let Some(Verdict { status, by, error }) = self.verdict.take() else { return false };
        self.settle(status, by, error, now);
        true
    }

    /// An error without an id, before anything else, on a road whose events have ids: the server refuses after its
    /// headers (B-ES-12). The run's own error has an id, or comes after other events.
    fn is_refusal(&self, incoming: &Incoming<'_>) -> bool {
        self.road == Road::Following
            && self.protocol != Protocol::Chunks
            && self.has_log()
            && !self.events_here
            && matches!(incoming.event, RunEvent::Ended { how: Terminal::Failed, .. })
    }
}

/// A number as a server writes it.
fn decimal(number: u64) -> String {
    let mut out = Delta::new();
    out.number(number);
    String::from_utf8(out.into_head()).unwrap_or_default()
}

fn error_text(event: &RunEvent<'_>) -> Option<String> {
    match event {
        RunEvent::Ended { error: Some(text), .. } => Some(text.decoded()),
        _ => None,
    }
}
