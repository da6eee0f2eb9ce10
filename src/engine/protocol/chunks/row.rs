//! The envelope of a chunk: one row of a session's stream, and what the stream says of itself between them.

use alloc::string::String;

use super::super::members::{member, pick};
use super::decode::decode;
use crate::engine::event::{Fault, JsonStr, RunEvent};
use crate::engine::json::Value;

/// One row, by where it lies.
#[derive(Debug, Default)]
pub(in crate::engine) struct Row<'a> {
    /// Its number within its message.
    pub seq: Option<u64>,
    /// Whether an assistant says it.
    pub is_answer: bool,
    /// The contents of its message's id; empty for what is of no message.
    pub message: &'a [u8],
}

/// What a stream says of itself behind its rows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mark<'a> {
    /// The offset behind everything that was told.
    pub(in crate::engine) offset: Option<JsonStr<'a>>,
    /// What to tell the server with the next request.
    pub(in crate::engine) echo: Option<JsonStr<'a>>,
    /// There is no more for now.
    pub(in crate::engine) is_up_to_date: bool,
}

/// Reads one row; its chunk lies in `scratch` after that. A row of another kind than a message's is [`RunEvent::Ignored`], and of
/// no message. What cannot be read of a row that says which it is, is the fault within.
pub(in crate::engine) fn read_row<'a>(
    raw: &'a [u8],
    scratch: &'a mut String,
) -> Result<(Row<'a>, Result<RunEvent<'a>, Fault>), Fault> {
    let [value, headers] = pick(raw, [b"value", b"headers"])?;
    if let Some(Value::Object(headers)) = headers
        && let Some(Value::String(control)) = member(headers, b"control")
        && control.equals(b"reset")
    {
        return Ok((Row::default(), Ok(RunEvent::Reset)));
    }
    let Some(Value::Object(value)) = value else { return Ok((Row::default(), Ok(RunEvent::Ignored))) };
    let [message, role, chunk, seq] = pick(value, [b"messageId", b"role", b"chunk", b"seq"])?;
    let Some(chunk) = chunk else {
        // Who is there, which agents there are: the session's other tables.
        return Ok((Row::default(), Ok(RunEvent::Ignored)));
    };
    let Some(Value::String(message)) = message else {
        return Err(Fault::WrongType { member: "messageId" });
    };
    let Some(Value::Number(seq)) = seq else { return Err(Fault::WrongType { member: "seq" }) };
    let is_answer = role.and_then(|role| role.as_str()).is_some_and(|role| role.equals(b"assistant"));
    let row = Row { seq: seq.as_integer(), is_answer, message: message.raw() };
    if message.is_empty() || row.seq.is_none() {
        return Err(Fault::WrongType { member: if message.is_empty() { "messageId" } else { "seq" } });
    }
    let Value::String(chunk) = chunk else { return Ok((row, Err(Fault::WrongType { member: "chunk" }))) };
    // JSON within JSON, without its escapes.
    *scratch = chunk.decoded();
    let event = decode(scratch.as_bytes(), is_answer);
    Ok((row, event))
}

/// Reads what a stream says of itself.
pub(in crate::engine) fn read_mark(data: &[u8]) -> Result<Mark<'_>, Fault> {
    let [offset, echo, is_up_to_date] = pick(data, [b"streamNextOffset", b"streamCursor", b"upToDate"])?;
    Ok(Mark {
        offset: offset.and_then(|offset| offset.as_str()).filter(|offset| !offset.is_empty()),
        echo: echo.and_then(|echo| echo.as_str()),
        is_up_to_date: matches!(is_up_to_date, Some(Value::Bool(true))),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value as Json, json};

    fn read(row: &Json) -> String {
        let row = row.to_string();
        let mut scratch = String::new();
        match read_row(row.as_bytes(), &mut scratch) {
            Ok((row, Ok(event))) => {
                let message = core::str::from_utf8(row.message).unwrap();
                format!("{message} {:?} {} {event:?}", row.seq, row.is_answer)
            }
            Ok((row, Err(fault))) => format!("{:?} {fault:?}", row.seq),
            Err(fault) => format!("{fault:?}"),
        }
    }

    fn row(chunk: &Json) -> Json {
        json!({
            "type": "chunk", "key": "m:4", "headers": { "operation": "insert", "txid": "t" },
            "value": { "messageId": "m", "actorId": "a", "role": "assistant", "seq": 4, "createdAt": "2026-01-01T00:00:00Z",
                "chunk": chunk },
        })
    }

    #[test]
    fn a_row_is_of_a_message_and_has_a_number_and_a_chunk() {
        let told = read(&row(&json!(r#"{"type":"TEXT_MESSAGE_CONTENT","delta":"a\"b😀\ud83d\ude00"}"#)));
        assert!(told.starts_with("m Some(4) true Text { text: \"a\\\\\\\"b😀"), "{told}");
        for (change, fault) in [
            (json!({ "chunk": 7 }), "Some(4) WrongType { member: \"chunk\" }"),
            (json!({ "chunk": "{\"type\":" }), "Some(4) Syntax"),
            (json!({ "chunk": "[]" }), "Some(4) NotObject"),
            (json!({ "seq": "4" }), "WrongType { member: \"seq\" }"),
            (json!({ "seq": -1 }), "WrongType { member: \"seq\" }"),
            (json!({ "messageId": "" }), "WrongType { member: \"messageId\" }"),
        ] {
            let mut row = row(&json!("{}"));
            row["value"].as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
            assert_eq!(read(&row), fault, "{change}");
        }
        assert_eq!(read(&json!(7)), "NotObject");
    }

    #[test]
    fn rows_of_other_tables_are_of_no_message() {
        for row in [
            json!({ "type": "presence", "key": "a:d", "value": { "actorId": "a", "status": "online" } }),
            json!({ "type": "chunk", "key": "m:0", "headers": { "operation": "delete" } }),
            json!({ "headers": { "control": "snapshot-start" } }),
            json!({}),
        ] {
            assert_eq!(read(&row), " None false Ignored", "{row}");
        }
        assert_eq!(read(&json!({ "headers": { "control": "reset", "offset": "4" } })), " None false Reset");
    }

    #[test]
    fn a_mark_may_say_less_than_all() {
        let mark = read_mark(br#"{"streamNextOffset":"7_4","streamCursor":"12","upToDate":true,"x":1}"#).unwrap();
        assert_eq!(
            (mark.offset.unwrap().raw(), mark.echo.unwrap().raw(), mark.is_up_to_date),
            (&b"7_4"[..], &b"12"[..], true)
        );
        let mark = read_mark(br#"{"streamNextOffset":""}"#).unwrap();
        assert!(mark.offset.is_none() && mark.echo.is_none() && !mark.is_up_to_date);
        assert!(read_mark(b"[]").is_err());
    }
}
