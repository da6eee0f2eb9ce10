//! The reply of GET /stream/status (PROTOCOLS 1.1).

use alloc::string::String;

use super::decode::snapshot;
use crate::engine::{
    event::{RunEvent, Snapshot},
    json::{Members, Value},
};

/// What the server says of a session.
#[derive(Clone, Debug, Default)]
pub struct StatusReply<'a> {
    /// A run is active.
    pub active: bool,
    /// That run.
    pub run_id: Option<String>,
    /// Its state as last stored.
    pub snapshot: Option<Snapshot<'a>>,
}

impl<'a> StatusReply<'a> {
    /// Reads the body; `None` if it is no such reply.
    pub fn read(body: &'a [u8]) -> Option<Self> {
        core::str::from_utf8(body).ok()?;
        let mut members = Members::open(body).ok()?;
        let mut reply = Self::default();
        let mut is_reply = false;
        while let Some((key, value)) = members.next().ok()? {
            match value {
                Value::Bool(active) if key.equals(b"active") => (reply.active, is_reply) = (active, true),
                Value::String(run) if key.equals(b"runId") && !run.is_empty() => reply.run_id = Some(run.decoded()),
                Value::Object(raw) if key.equals(b"snapshot") => reply.snapshot = snapshot(raw).ok(),
                _ => {}
            }
        }
        is_reply.then_some(reply)
    }

    /// The stored state as the event that a resume would begin with.
    pub fn snapshot_event(&self) -> Option<RunEvent<'a>> {
        self.snapshot.map(RunEvent::Snapshot)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_the_run_and_carries_its_text() {
        let body = br#"{"active":true,"runId":"r1","snapshot":{"partialContent":"Hi"},"startedAt":1}"#;
        let reply = StatusReply::read(body).unwrap();
        assert!(reply.active);
        assert_eq!(reply.run_id.as_deref(), Some("r1"));
        assert_eq!(reply.snapshot.unwrap().content.unwrap().decoded(), "Hi");
    }

    #[test]
    fn what_is_no_reply_says_nothing() {
        for body in [&b"<html>"[..], b"{}", b"null", br#"{"active":"yes"}"#, b"{\"active\":true", b"\xff"] {
            assert!(StatusReply::read(body).is_none(), "{body:?}");
        }
    }
}
