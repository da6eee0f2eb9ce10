//! The reply of GET …/status, and of POST chat/chat: which message is being made, and how far its chat has come.

use super::super::{StatusReply, lookup};
use crate::engine::json::{Members, Value};

#[derive(Clone, Copy)]
enum Member {
    Active,
    Message,
    LastSeq,
}

const MEMBERS: [(&[u8], Member); 3] =
    [(b"has_active_task", Member::Active), (b"message_id", Member::Message), (b"last_seq", Member::LastSeq)];

/// Reads the body; `None` if it is no such reply.
pub(in crate::engine) fn read_status(body: &[u8]) -> Option<StatusReply<'_>> {
    core::str::from_utf8(body).ok()?;
    let mut members = Members::open(body).ok()?;
    let mut reply = StatusReply::default();
    let mut is_told = false;
    while let Some((key, value)) = members.next().ok()? {
        match (lookup(&MEMBERS, &key.plain()), value) {
            (Some(Member::Active), Value::Bool(active)) => (reply.active, is_told) = (active, true),
            (Some(Member::Message), Value::String(run)) if !run.is_empty() => reply.run_id = Some(run.decoded()),
            (Some(Member::LastSeq), value) => reply.last_seq = value.as_u64(),
            _ => {}
        }
    }
    // The reply to a send says no more than the name.
    (is_told || reply.run_id.is_some()).then_some(reply)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_its_message_and_its_chats_number_are_read() {
        let reply = read_status(br#"{"has_active_task":true,"message_id":"m","stream_id":"s","last_seq":41}"#).unwrap();
        assert_eq!((reply.active, reply.run_id.as_deref(), reply.last_seq), (true, Some("m"), Some(41)));
        let idle =
            read_status(br#"{"has_active_task":false,"message_id":null,"stream_id":null,"last_seq":0}"#).unwrap();
        assert_eq!((idle.active, idle.run_id, idle.last_seq), (false, None, Some(0)));
        let sent = read_status(br#"{"chat_id":"c","message_id":"m","last_seq":7}"#).unwrap();
        assert_eq!((sent.active, sent.run_id.as_deref(), sent.last_seq), (false, Some("m"), Some(7)));
    }

    #[test]
    fn what_is_no_reply_says_nothing() {
        for body in
            [&b"<html>"[..], b"{}", b"null", br#"{"has_active_task":"yes"}"#, b"{\"has_active_task\":true", b"\xff"]
        {
            assert!(read_status(body).is_none(), "{body:?}");
        }
    }
}
