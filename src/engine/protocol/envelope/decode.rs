//! From an envelope to a [`RunEvent`]: its `kind` decides, and its `payload` says the rest.
//!
//! As with the other protocols, only members that the event needs are checked, and what ends a message is never refused over a
//! detail. An envelope without a number of its own is none (A-ENV-1); one of a kind that adds nothing to a message still
//! counts, because the number after it must follow.

use super::super::{
    Shape, Span, lookup,
    members::{member, tool},
};
use crate::engine::event::{Fault, JsonStr, Metadata, RunEvent, Terminal, ToolField};
use crate::engine::json::{Members, Value};

#[derive(Clone, Copy)]
enum Kind {
    Started,
    Text,
    Thinking,
    ToolStarted,
    ToolEnded,
    System,
    Permission,
    HandOff,
    Ended(Terminal),
}

const KINDS: [(&[u8], Kind); 12] = [
    (b"assistant_text", Kind::Text),
    (b"assistant_thinking", Kind::Thinking),
    (b"tool_started", Kind::ToolStarted),
    (b"tool_completed", Kind::ToolEnded),
    (b"tool_failed", Kind::ToolEnded),
    (b"stream_started", Kind::Started),
    (b"system", Kind::System),
    (b"permission_request", Kind::Permission),
    (b"queue_processing", Kind::HandOff),
    (b"complete", Kind::Ended(Terminal::Completed)),
    (b"cancelled", Kind::Ended(Terminal::Cancelled)),
    (b"error", Kind::Ended(Terminal::Failed)),
];

#[derive(Clone, Copy)]
enum Member {
    Kind,
    Payload,
    Message,
    Seq,
}

const MEMBERS: [(&[u8], Member); 4] =
    [(b"kind", Member::Kind), (b"payload", Member::Payload), (b"messageId", Member::Message), (b"seq", Member::Seq)];

const TOOL: [(&[u8], ToolField); 5] = [
    (b"id", ToolField::CallId),
    (b"name", ToolField::Name),
    (b"input", ToolField::Arguments),
    (b"result", ToolField::Result),
    (b"error", ToolField::Error),
];

/// Decodes `wide[..len]`, which is valid UTF-8. Notes whose envelope it is, and its number, in `shape`.
pub(in crate::engine) fn decode<'a>(wide: &'a [u8], len: usize, shape: &mut Shape) -> Result<RunEvent<'a>, Fault> {
    // Ids and numbers lie inside the data: the shortcut for envelopes does not know them there.
    shape.spoil();
    let mut members = Members::open_wide(wide, len)?;
    let (mut kind, mut payload, mut run) = (None, &b"{}"[..], None);
    while let Some((key, value)) = members.next()? {
        let end = members.at();
        let span = |inset: usize| Span { start: end - value.raw_len() + inset, end: end - inset };
        match (lookup(&MEMBERS, &key.plain()), value) {
            (Some(Member::Kind), Value::String(name)) => kind = lookup(&KINDS, &name.plain()),
            (Some(Member::Payload), Value::Object(raw)) => payload = raw,
            (Some(Member::Message), Value::String(name)) => (run, shape.run) = (Some(name), span(1)),
            (Some(Member::Seq), Value::Number(number)) if number.as_integer().is_some_and(|seq| seq > 0) => {
                shape.id = span(0);
            }
            (Some(Member::Kind), _) => return Err(Fault::WrongType { member: "kind" }),
            _ => {}
        }
    }
    let Some(kind) = kind.filter(|_| shape.id != Span::default()) else { return Ok(RunEvent::Ignored) };
    let string = |name| member(payload, name).and_then(|value| value.as_str());
    let object = |name| match member(payload, name) {
        Some(Value::Object(raw)) => Some(raw),
        _ => None,
    };
    let call = || tool(object(b"tool").ok_or(Fault::WrongType { member: "tool" })?, &TOOL);
    let text = |name| -> Result<JsonStr<'a>, Fault> { string(name).ok_or(Fault::WrongType { member: "payload" }) };
    let ended = |how, error| RunEvent::Ended {
        how,
        error,
        generation_ms: member(payload, b"duration_ms").and_then(|value| value.as_u64()),
        metadata: Some(Metadata::Whole(payload)),
    };
    Ok(match kind {
        Kind::Text => RunEvent::Text { text: text(b"text")?, part: &[] },
        Kind::Thinking => RunEvent::Reasoning { text: text(b"thinking")?, part: &[] },
        Kind::ToolStarted => RunEvent::ToolStarted { tool: call()? },
        Kind::ToolEnded => RunEvent::ToolEnded { tool: call()? },
        Kind::Started => RunEvent::Started { run_id: run, metadata: None },
        Kind::System => object(b"context_usage").map_or(RunEvent::Ignored, |raw| RunEvent::Usage { raw }),
        Kind::Permission => RunEvent::Interrupted { raw: payload },
        // The turn is over without a word of its own: the next one has begun (A-SRV-7).
        Kind::HandOff => ended(Terminal::Completed, None),
        Kind::Ended(how) => ended(how, string(b"error")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(kind: &str, payload: &str) -> String {
        let data =
            format!(r#"{{"chatId":"c","messageId":"m","streamId":"s","seq":4,"kind":"{kind}","payload":{payload}}}"#);
        let mut shape = Shape::default();
        let event = decode(data.as_bytes(), data.len(), &mut shape);
        assert_eq!((shape.id.of(data.as_bytes()), shape.run.of(data.as_bytes())), (&b"4"[..], &b"m"[..]));
        match event {
            Ok(event) => format!("{event:?}").split([' ', '(']).next().unwrap().to_owned(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn every_kind_has_its_event() {
        for (kind, payload, event) in [
            ("stream_started", r#"{"status":"started"}"#, "Started"),
            ("assistant_text", r#"{"text":"x"}"#, "Text"),
            ("assistant_thinking", r#"{"thinking":"x"}"#, "Reasoning"),
            ("tool_started", r#"{"tool":{"id":"t","name":"sql","status":"started","input":{"q":1}}}"#, "ToolStarted"),
            ("tool_completed", r#"{"tool":{"id":"t","result":[1]}}"#, "ToolEnded"),
            ("tool_failed", r#"{"tool":{"id":"t","error":"no"}}"#, "ToolEnded"),
            ("system", r#"{"data":{"session_id":"s"}}"#, "Ignored"),
            ("system", r#"{"context_usage":{"tokens_used":1}}"#, "Usage"),
            ("permission_request", r#"{"request_id":"r"}"#, "Interrupted"),
            ("prompt_suggestions", r#"{"suggestions":[]}"#, "Ignored"),
            ("plan", "{}", "Ignored"),
            ("user_text", r#"{"text":"x"}"#, "Ignored"),
            ("queue_processing", r#"{"assistant_message_id":"m2"}"#, "Ended"),
            ("complete", r#"{"status":"completed","duration_ms":5}"#, "Ended"),
            ("cancelled", "{}", "Ended"),
            ("error", r#"{"error":"no"}"#, "Ended"),
            ("error", r#"{"error":7}"#, "Ended"),
        ] {
            assert_eq!(read(kind, payload), event, "{kind} {payload}");
        }
        assert_eq!(read("assistant_text", "{}"), format!("{:?}", Fault::WrongType { member: "payload" }));
        assert_eq!(read("tool_started", "{}"), format!("{:?}", Fault::WrongType { member: "tool" }));
    }

    #[test]
    fn an_envelope_without_a_number_is_none() {
        for seq in ["0", "-1", "1.5", "\"4\"", "null"] {
            let data = format!(r#"{{"messageId":"m","seq":{seq},"kind":"assistant_text","payload":{{"text":"x"}}}}"#);
            let event = decode(data.as_bytes(), data.len(), &mut Shape::default());
            assert!(matches!(event, Ok(RunEvent::Ignored)), "{seq}");
        }
    }
}
