//! The reply of GET …/status, and of POST …/messages: what the server knows of an answer.

use super::{
    super::{StatusReply, WholeAnswer, lookup},
    fields::{Field, Fields},
};
use crate::engine::{
    event::{Metadata, RunEvent, Snapshot, Terminal},
    json::Value,
};

#[derive(Clone, Copy)]
enum Standing {
    Unknown,
    Over(Terminal),
}

const STANDINGS: [(&[u8], Standing); 4] = [
    (b"unknown", Standing::Unknown),
    (b"complete", Standing::Over(Terminal::Completed)),
    (b"error", Standing::Over(Terminal::Failed)),
    (b"cancelled", Standing::Over(Terminal::Cancelled)),
];

/// Reads the body; `None` if it is no such reply.
pub(in crate::engine) fn read_status(body: &[u8]) -> Option<StatusReply<'_>> {
    core::str::from_utf8(body).ok()?;
    let fields = Fields::read(body, body.len()).ok()?;
    let run_id = fields.string(Field::Run).map(|run| run.decoded());
    let active = match fields.get(Field::Active) {
        Some(Value::Bool(active)) => active,
        // The reply to a send says no more than the name.
        _ if run_id.is_some() => false,
        _ => return None,
    };
    let content = fields.get(Field::Content).and_then(|content| content.as_str());
    let snapshot = Snapshot { content, ..Snapshot::default() };
    let standing = fields.string(Field::Status).and_then(|status| lookup(&STANDINGS, &status.plain()));
    let whole = match standing {
        Some(Standing::Over(how)) if how != Terminal::Completed || content.is_some() => Some(WholeAnswer {
            snapshot,
            end: RunEvent::Ended {
                how,
                error: fields.string(Field::Error),
                generation_ms: fields.get(Field::GenerationTime).and_then(|value| value.as_u64()),
                metadata: (how == Terminal::Completed).then_some(Metadata::Frame(body)),
            },
        }),
        _ => None,
    };
    Some(StatusReply {
        active,
        is_missing: matches!(standing, Some(Standing::Unknown)),
        run_id,
        snapshot: content.is_some().then_some(snapshot),
        whole,
        last_seq: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_on_its_way_an_end_and_an_unknown_one_are_told_apart() {
        let body = br#"{"active":true,"status":"streaming","pending_message_id":"p","content":"Hi","seq":3}"#;
        let reply = read_status(body).unwrap();
        assert_eq!((reply.active, reply.run_id.as_deref()), (true, Some("p")));
        assert!(reply.whole.is_none() && reply.snapshot.is_some() && !reply.is_missing);

        let body =
            br#"{"active":false,"status":"complete","pending_message_id":"p","content":"Hi","generation_time_ms":9}"#;
        let whole = read_status(body).unwrap().whole.unwrap();
        assert_eq!(whole.snapshot.content.unwrap().decoded(), "Hi");
        assert!(matches!(
            whole.end,
            RunEvent::Ended { how: Terminal::Completed, generation_ms: Some(9), metadata: Some(_), .. }
        ));

        let reply = read_status(br#"{"active":false,"status":"unknown"}"#).unwrap();
        assert!(reply.is_missing && reply.whole.is_none());
        assert!(
            read_status(br#"{"active":false,"status":"complete","pending_message_id":"p"}"#).unwrap().whole.is_none()
        );
    }

    #[test]
    fn what_is_no_reply_says_nothing() {
        for body in [&b"<html>"[..], b"{}", b"null", br#"{"active":"yes"}"#, b"{\"active\":true", b"\xff"] {
            assert!(read_status(body).is_none(), "{body:?}");
        }
    }
}
