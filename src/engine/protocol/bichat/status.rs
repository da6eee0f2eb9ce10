//! The reply of GET /stream/status (PROTOCOLS 1.1).

use super::{super::StatusReply, decode::snapshot};
use crate::engine::json::{Members, Value};

/// Reads the body; `None` if it is no such reply.
pub(in crate::engine) fn read_status(body: &[u8]) -> Option<StatusReply<'_>> {
    core::str::from_utf8(body).ok()?;
    let mut members = Members::open(body).ok()?;
    let mut reply = StatusReply::default();
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reply_names_the_run_and_carries_its_text() {
        let body = br#"{"active":true,"runId":"r1","snapshot":{"partialContent":"Hi"},"startedAt":1}"#;
        let reply = read_status(body).unwrap();
        assert!(reply.active);
        assert_eq!(reply.run_id.as_deref(), Some("r1"));
        assert_eq!(reply.snapshot.unwrap().content.unwrap().decoded(), "Hi");
    }

    #[test]
    fn what_is_no_reply_says_nothing() {
        for body in [&b"<html>"[..], b"{}", b"null", br#"{"active":"yes"}"#, b"{\"active\":true", b"\xff"] {
            assert!(read_status(body).is_none(), "{body:?}");
        }
    }
}
