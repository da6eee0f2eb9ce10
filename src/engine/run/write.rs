//! What a run hands to the page: its part of a delta, and raw events for those who listen.

use alloc::string::String;

use super::{Core, Dirty, Road, Urgency};
use crate::engine::{
    cursor::{Position, Verdict},
    delta::Delta,
    error::{Code, Failure},
    link::Phase,
    protocol::Protocol,
    reader::{Incoming, Malformed},
    status::{By, Status},
};

impl Core {
    pub(super) fn write_delta(&mut self, slot: u32, out: &mut Delta, content: bool) {
        if let Some(shown) = &self.shown
            && self.exact.has_caught_up_with(shown)
        {
            self.shown = None;
            self.exact.rewrite();
        }
        out.begin(slot);
        if content || self.dirty.end {
            self.shown.as_mut().unwrap_or(&mut self.exact).write_delta(out);
        }
        if self.dirty.state {
            out.key("state");
            self.write_state(out);
        } else if self.dirty.cursor && content {
            out.key("state");
            out.literal("{");
            self.write_cursor(out);
            out.literal("}");
        }
        if !self.events.is_empty() {
            out.key("events");
            out.literal("[");
            out.splice(&mut self.events);
            out.literal("]");
        }
        // The end brings it along: afterwards there may be nobody left to ask.
        if (self.tracing || self.dirty.end) && self.trace.has_news() {
            out.key("trace");
            self.trace.write(out);
        }
        if self.dirty.end {
            out.key("end");
            out.literal("true");
        }
        self.dirty = Dirty { cursor: self.dirty.cursor && !content, ..Dirty::default() };
        out.end();
    }

    fn write_state(&self, out: &mut Delta) {
        out.literal("{\"sessionId\":");
        out.string(self.session.as_bytes());
        out.key("runId");
        out.string_or_null(self.run.as_ref().map(String::as_bytes));
        out.key("requestId");
        out.string_or_null(self.request_id.as_ref().map(String::as_bytes));
        out.key("status");
        out.string(self.status.as_str().as_bytes());
        out.key("by");
        out.string(self.by.as_str().as_bytes());
        out.key("connection");
        self.write_connection(out);
        out.key("sent");
        // A head that says yes has the message, though not yet the name of its run.
        let is_taken = self.is_taken() || (self.protocol == Protocol::Bichat && self.accepted);
        out.number(if is_taken { 2 } else { u64::from(self.sent_at.is_some() || self.is_inherited) });
        out.key("error");
        Failure::write(self.error.as_ref(), out);
        out.key("startedAt");
        out.number_or_null(self.started_at);
        out.literal(",");
        self.write_cursor(out);
        out.literal("}");
    }

    fn write_connection(&self, out: &mut Delta) {
        out.literal("{\"state\":");
        out.string(self.connection_state().as_bytes());
        out.key("attempt");
        out.number(u64::from(self.link.attempt()));
        out.key("retryAt");
        out.number_or_null(match self.link.phase() {
            Phase::Waiting { until } => Some(until.as_millis()),
            _ => None,
        });
        out.key("transport");
        out.string(self.via.as_str().as_bytes());
        out.key("latency");
        out.number_or_null(self.latency.map(|latency| latency.0));
        out.key("error");
        Failure::write(if self.status.is_settled() { self.error.as_ref() } else { self.flap.as_ref() }, out);
        out.literal("}");
    }

    fn write_cursor(&self, out: &mut Delta) {
        let here = self.position.as_bytes();
        let is_behind = |anchor: &&Position| here.is_empty() || anchor.check(here) == Verdict::Duplicate;
        out.literal("\"cursor\":");
        match self.anchor.as_ref().filter(is_behind).map(Position::as_bytes) {
            Some(cursor) => out.string_or_null((!cursor.is_empty()).then_some(cursor)),
            None => self.write_held(true, out),
        }
        out.key("updatedAt");
        out.number_or_null(self.updated_at);
    }

    /// The cursor of what is held, if it is wanted.
    pub(super) fn write_held(&self, is_wanted: bool, out: &mut Delta) {
        // What is passed by on the way to the first row is nothing that somebody holds.
        let holds_none = self.protocol == Protocol::Chunks && (self.rows.is_first() || self.is_unanswered());
        let ahead = self.rows.cursor(&self.position);
        let cursor = ahead.as_deref().map_or(self.position.as_bytes(), str::as_bytes);
        out.string_or_null((is_wanted && !holds_none && !cursor.is_empty()).then_some(cursor));
    }

    fn connection_state(&self) -> &'static str {
        let is_first = self.link.attempt() == 0 && self.flap.is_none();
        // A send that has said nothing yet is on its way to the log: one way in, not two.
        let is_on_its_way =
            self.road == Road::Sending && self.config.event_log && self.protocol.has_log() && !self.any_event;
        match self.link.phase() {
            Phase::Open { .. } if !is_on_its_way => "open",
            Phase::Parked if !self.link.environment().may_connect() => "offline",
            Phase::Closed if self.is_given_up() => "failed",
            Phase::Closed => "closed",
            Phase::Waiting { .. } => "reconnecting",
            // Parked in good weather: all the connections that the page may have are taken.
            _ if is_first => "connecting",
            _ => "reconnecting",
        }
    }

    /// Whether no connection could carry the run to its end, be it for want of a network, of time or of a right.
    fn is_given_up(&self) -> bool {
        match self.status {
            Status::Interrupted => self.by != By::User,
            Status::Failed => {
                self.by == By::Limit || self.error.as_ref().is_some_and(|why| why.code == Code::Unauthorized)
            }
            _ => false,
        }
    }

    // ---- for those who listen ----

    /// The raw event, as it came.
    pub(super) fn forward(&mut self, incoming: &Incoming<'_>) {
        if self.begin_event("{\"name\":") {
            self.events.string(incoming.name);
            self.events.key("id");
            self.events.string_or_null(incoming.id);
            self.events.key("data");
            self.events.raw(incoming.data);
            self.events.literal("}");
        }
    }

    /// An event that made no sense (B-ES-4).
    pub(super) fn report_malformed(&mut self, bad: &Malformed<'_>) {
        if self.begin_event("{\"malformed\":true,\"name\":") {
            self.events.string(bad.name);
            self.events.key("id");
            self.events.string_or_null(bad.id);
            self.events.literal("}");
        }
    }

    /// A failed or lost connection (B-ES-8).
    pub(super) fn report_flap(&mut self, failure: &Failure) {
        if self.begin_event("{\"flap\":") {
            Failure::write(Some(failure), &mut self.events);
            self.events.literal("}");
        }
    }

    fn begin_event(&mut self, opening: &str) -> bool {
        // What the log says again behind the live road's end has been told.
        let tells = self.listening && self.verdict.is_none();
        if tells {
            if !self.events.is_empty() {
                self.events.literal(",");
            }
            self.events.literal(opening);
            // Whoever listens need not watch the content: this goes out with the next frame all the same.
            self.urgency = self.urgency.max(Urgency::State);
        }
        tells
    }
}
