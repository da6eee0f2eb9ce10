//! What is no stream: the session as GET …/sessions/… tells it, the reply to a send, and what a refusal says.

use alloc::string::String;

use super::super::{StatusReply, members::pick};
use crate::engine::json::Value;

/// Reads the session; `None` if it does not say which message is being made, or is none.
pub(in crate::engine) fn read_status(body: &[u8]) -> Option<StatusReply<'_>> {
    core::str::from_utf8(body).ok()?;
    let [message] = pick(body, [b"activeMessageId"]).ok()?;
    match message? {
        Value::String(run) => Some(StatusReply { active: true, run_id: Some(run.decoded()), ..StatusReply::default() }),
        // That nothing is being made is said by a `null`.
        Value::Null => Some(StatusReply::default()),
        _ => None,
    }
}

/// Reads the reply to a send: an offset in front of the message, where the server tells it. `None` if it is no such reply.
pub(in crate::engine) fn read_sent(body: &[u8]) -> Option<Option<String>> {
    let [offset] = read(body, [b"offset"])?;
    Some(offset.filter(|offset| !offset.is_empty()))
}

/// The code and the words of a refusal (S-RQ-1).
pub(in crate::engine) fn read_refusal(body: &[u8]) -> (Option<String>, Option<String>) {
    let [code, words] = read(body, [b"code", b"error"]).unwrap_or_default();
    (code, words)
}

/// The texts of these names in a whole object.
fn read<const N: usize>(body: &[u8], names: [&[u8]; N]) -> Option<[Option<String>; N]> {
    core::str::from_utf8(body).ok()?;
    let found = pick(body, names).ok()?;
    Some(found.map(|value| value?.as_str().map(|text| text.decoded())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_says_what_is_being_made_or_nothing_of_it() {
        let reply = read_status(br#"{"sessionId":"s","activeMessageId":"m"}"#).unwrap();
        assert_eq!((reply.active, reply.run_id.as_deref()), (true, Some("m")));
        let idle = read_status(br#"{"sessionId":"s","activeMessageId":null}"#).unwrap();
        assert_eq!((idle.active, idle.run_id), (false, None));
        for body in [&br#"{"sessionId":"s"}"#[..], b"<html>", b"{}", b"null", br#"{"activeMessageId":7}"#, b"\xff"] {
            assert!(read_status(body).is_none(), "{body:?}");
        }
    }

    #[test]
    fn a_send_may_be_told_where_to_read_on() {
        assert_eq!(read_sent(br#"{"messageId":"q","offset":"7_1"}"#), Some(Some("7_1".into())));
        for body in [&br#"{"messageId":"q"}"#[..], b"{}", br#"{"offset":""}"#, br#"{"offset":7}"#] {
            assert_eq!(read_sent(body), Some(None), "{body:?}");
        }
        assert_eq!(read_sent(b"<html>"), None);
        assert_eq!(read_sent(br#"{"messageId":"q""#), None);
    }

    #[test]
    fn a_refusal_has_a_code_and_words_or_neither() {
        let told = read_refusal(br#"{"error":"Generation mismatch","code":"GENERATION_MISMATCH","sessionId":"s"}"#);
        assert_eq!(told, (Some("GENERATION_MISMATCH".into()), Some("Generation mismatch".into())));
        assert_eq!(read_refusal(b"<html>"), (None, None));
        assert_eq!(read_refusal(br#"{"error":{"message":"x"},"code":4}"#), (None, None));
    }
}
