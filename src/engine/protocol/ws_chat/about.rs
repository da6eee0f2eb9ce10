//! What an answer's end says of it, the same whichever way it came: a `done` frame or a reply.

use alloc::vec::Vec;

use crate::engine::json::Members;

const ABOUT: [&[u8]; 4] = [b"message_id", b"sources", b"confidence", b"generation_time_ms"];

/// Those members of a valid raw JSON object, as an object of their own.
pub(in crate::engine) fn about(raw: &[u8]) -> Vec<u8> {
    let mut out = Vec::from(*b"{");
    let Ok(mut members) = Members::open(raw) else { return Vec::from(*b"{}") };
    loop {
        let from = members.at();
        let Ok(Some((key, _))) = members.next() else { break };
        if ABOUT.iter().any(|name| key.equals(name)) {
            // From the name's quote to the value's end, whatever lies in front of it.
            let member = raw.get(from..members.at()).unwrap_or(&[]);
            let start = member.iter().position(|&byte| byte == b'"').unwrap_or(0);
            if out.len() > 1 {
                out.push(b',');
            }
            out.extend_from_slice(member.get(start..).unwrap_or(&[]));
        }
    }
    out.push(b'}');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_and_a_reply_say_the_same_of_an_answer() {
        let frame = br#"{"type":"done","seq":4 , "message_id":"m","sources":[{"title":"a\"b","x":{}}],"confidence":0.5,"generation_time_ms":7}"#;
        let reply = br#"{ "active":false, "content":"x","message_id" : "m" ,"sources":[{"title":"a\"b","x":{}}],"confidence":0.5,"generation_time_ms":7,"error":null}"#;
        let read = |raw: &[u8]| serde_json::from_slice::<serde_json::Value>(&about(raw)).unwrap();
        assert_eq!(read(frame), read(reply));
        assert_eq!(read(frame)["sources"][0]["title"], "a\"b");
        assert_eq!(read(frame).as_object().unwrap().len(), 4);
        assert_eq!(about(b"{}"), b"{}");
        assert_eq!(about(b"[]"), b"{}");
    }
}
