//! A run as JSON: kept by a page that may go away, taken up by the one that comes after it.
//!
//! The cursor stands beside the transcript that it belongs to, or not at all: then the stream is read from its start, and what
//! was kept stays on screen until it has been told again.

use alloc::string::String;

use super::{Core, Road};
use crate::engine::{
    delta::Delta,
    event::Terminal,
    json::{Value, for_each_member},
    protocol::Protocol,
    status::Status,
    transcript::Transcript,
};

impl Core {
    /// Writes all that another page needs, if that has changed since the last call. Nothing of a run that is over, that nobody
    /// could find again, or whose stream is somebody else's.
    pub(super) fn store(&mut self, out: &mut Delta) {
        if self.is_storable() && core::mem::take(&mut self.is_unstored) {
            self.write_record(out);
        }
    }

    fn is_storable(&self) -> bool {
        let is_over = self.status.is_settled() && self.status != Status::Interrupted;
        let is_lost = self.adopted.is_some() || (self.has_log() && self.run.is_none());
        !is_over && !is_lost
    }

    /// The same for a tab that joins in: as it is now.
    pub(super) fn write_record(&self, out: &mut Delta) {
        if !self.is_storable() {
            return;
        }
        let is_exact = self.shown.is_none()
            && self.anchor.is_none()
            && self.verdict.is_none()
            && (self.road == Road::Following || !self.has_log());
        out.literal("{\"cursor\":");
        self.write_held(is_exact, out);
        for (name, value) in [("run", &self.run), ("request", &self.request_id), ("first", &self.first_name)] {
            out.key(name);
            out.string_or_null(value.as_ref().map(String::as_bytes));
        }
        out.key("told");
        out.number(self.told as u64);
        out.key("loose");
        out.number(self.loose as u64);
        out.key("isWaiting");
        out.literal(bool_of(self.status == Status::Waiting));
        if let Some(how) = self.concluded {
            out.key("isCancelled");
            out.literal(bool_of(how == Terminal::Cancelled));
        }
        out.key("startedAt");
        out.number_or_null(self.started_at);
        out.key("updatedAt");
        out.number_or_null(self.updated_at);
        self.shown.as_ref().unwrap_or(&self.exact).store(out);
        out.literal("}");
    }

    /// Goes on from what a page has kept, or an app: then the cursor is what it says that it holds. What cannot be read is as good
    /// as nothing: then it gives false.
    pub(super) fn take_up(&mut self, held: &str) -> bool {
        let Some(transcript) = self.load(held) else { return false };
        for_each_member(held.as_bytes(), &mut |key, value, _| {
            let text = || value.as_str().map(|text| text.decoded());
            match (key, value) {
                (b"cursor", Value::String(_)) if self.position.is_none() => {
                    self.hold(&text().unwrap_or_default());
                }
                (b"run", _) => self.run = self.run.take().or_else(text),
                (b"request", _) => self.request_id = self.request_id.take().or_else(text),
                (b"first", _) => self.first_name = text(),
                (b"told", count) => self.told = count.as_u64().unwrap_or(0) as usize,
                (b"loose", count) => self.loose = count.as_u64().unwrap_or(0) as usize,
                (b"isWaiting", Value::Bool(is_waiting)) => {
                    self.status = if is_waiting { Status::Waiting } else { Status::Streaming };
                }
                (b"isCancelled", Value::Bool(is_cancelled)) => {
                    self.concluded = Some(if is_cancelled { Terminal::Cancelled } else { Terminal::Completed });
                }
                (b"startedAt", at) => self.started_at = at.as_u64(),
                (b"updatedAt", at) => self.updated_at = at.as_u64(),
                _ => {}
            }
        });
        // What runs in the session may be another one by now.
        self.first_name = self.first_name.take().or_else(|| self.run.clone());
        self.exact = transcript;
        self.most_text = self.exact.text_utf16_len();
        self.any_event = !self.exact.is_empty();
        self.touch_content();
        true
    }

    /// What an answer begins with: nothing, or the message that it goes on with (U-R-1).
    pub(super) fn beginning_of_answer(&self) -> Transcript {
        self.base.as_deref().and_then(|base| self.load(base)).unwrap_or_default()
    }

    fn load(&self, held: &str) -> Option<Transcript> {
        Transcript::load(held.as_bytes(), self.protocol == Protocol::UiMessage)
    }
}

fn bool_of(is_true: bool) -> &'static str {
    if is_true { "true" } else { "false" }
}
