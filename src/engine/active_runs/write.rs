//! What a feed hands to the page: its part of a delta.
//!
//! ```jsonc
//! { "slot": 1,
//!   "reset": true,                      // forget all rows first
//!   "since": 0, "rows": [], "names": [], // see `board`
//!   "state": {"ready":true,"supported":true,"connection":{},"error":null},
//!   "flap": {},                         // an outage has begun: for onError, once
//!   "events": [["snapshot","s1","r1","streaming",1712345678001], {"flap":{}}],   // for a listener, in their order
//!   "end": {"error":null} }             // a listener's last word
//! ```

use super::{
    board::Kind,
    feed::{Core, Listening},
    row::Row,
};
use crate::engine::{delta::Delta, error::Failure, link::Phase};

impl Core {
    pub(super) fn write_delta(&mut self, slot: u32, out: &mut Delta) {
        out.begin(slot);
        if core::mem::take(&mut self.has_reset) {
            out.key("reset");
            out.literal("true");
        }
        self.board.write(out);
        if core::mem::take(&mut self.state_changed) {
            out.key("state");
            self.write_state(out);
        }
        if let Some(failure) = self.flap.take() {
            out.key("flap");
            Failure::write(Some(&failure), out);
        }
        if let Some(listening) = &mut self.listening {
            listening.write(out);
        }
        out.end();
    }

    fn write_state(&self, out: &mut Delta) {
        out.literal("{\"ready\":");
        out.literal(word(self.is_ready));
        out.key("supported");
        out.literal(word(self.is_supported));
        out.key("connection");
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
        out.literal("null");
        out.key("error");
        Failure::write(self.error.as_ref(), out);
        out.literal("}");
        out.key("error");
        Failure::write(self.error.as_ref(), out);
        out.literal("}");
    }
}

impl Listening {
    pub(super) fn write_row(&mut self, kind: Kind, row: &Row<'_>) {
        self.begin("[");
        self.events.literal(if kind == Kind::Snapshot { "\"snapshot\"," } else { "\"update\"," });
        self.events.string(&row.session);
        self.events.literal(",");
        self.events.string(&row.run);
        self.events.literal(",");
        self.events.string(row.status.as_str().as_bytes());
        self.events.literal(",");
        self.events.number(row.at);
        self.events.literal("]");
    }

    pub(super) fn write_flap(&mut self, failure: &Failure) {
        self.begin("{\"flap\":");
        Failure::write(Some(failure), &mut self.events);
        self.events.literal("}");
    }

    fn begin(&mut self, opening: &str) {
        if !self.events.is_empty() {
            self.events.literal(",");
        }
        self.events.literal(opening);
    }

    fn write(&mut self, out: &mut Delta) {
        if !self.events.is_empty() {
            out.key("events");
            out.literal("[");
            out.splice(&mut self.events);
            out.literal("]");
        }
        if let Some(error) = self.end.take() {
            out.key("end");
            out.literal("{\"error\":");
            Failure::write(Some(&error), out);
            out.literal("}");
        }
    }
}

const fn word(is_so: bool) -> &'static str {
    if is_so { "true" } else { "false" }
}
