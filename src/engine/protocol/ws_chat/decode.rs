//! From a frame to a [`RunEvent`]: its own `type` decides, whatever carried it.
//!
//! As with `bichat`, only members that the event needs are checked, and what ends an answer is never refused over a detail.

use super::{
    super::{Shape, lookup},
    fields::{Field, Fields},
};
use crate::engine::event::{Fault, JsonStr, Metadata, RunEvent, Terminal};
use crate::engine::json::Value;

#[derive(Clone, Copy)]
enum Kind {
    Token,
    Accepted,
    Done,
    Error,
    Pong,
}

const KINDS: [(&[u8], Kind); 5] = [
    (b"token", Kind::Token),
    (b"accepted", Kind::Accepted),
    (b"done", Kind::Done),
    (b"error", Kind::Error),
    (b"pong", Kind::Pong),
];

/// Decodes `wide[..len]`, which is valid UTF-8. Notes whose event it is, and its number, in `shape`.
pub(in crate::engine) fn decode<'a>(wide: &'a [u8], len: usize, shape: &mut Shape) -> Result<RunEvent<'a>, Fault> {
    // Ids and numbers lie inside the data: the shortcut for envelopes does not know them there.
    shape.spoil();
    let fields = Fields::read(wide, len)?;
    let kind = match fields.get(Field::Type) {
        Some(Value::String(kind)) => lookup(&KINDS, &kind.plain()),
        Some(_) => return Err(Fault::WrongType { member: "type" }),
        None => None,
    };
    let of_number = fields.integer(Field::Seq).is_some_and(|seq| seq > 0);
    if of_number {
        shape.id = fields.span(Field::Seq);
    }
    let run = fields.string(Field::Run);
    let is_addressed = run.is_some() || fields.string(Field::Request).is_some();
    (shape.run, shape.request) = (fields.span(Field::Run), fields.span(Field::Request));
    let message = fields.string(Field::Message);
    let generation_ms = fields.get(Field::GenerationTime).and_then(|value| value.as_u64());
    let ended = |how, error, metadata| RunEvent::Ended { how, error, generation_ms, metadata };
    Ok(match kind {
        Some(Kind::Token) => RunEvent::Text {
            part: &[],
            text: match fields.get(Field::Content) {
                Some(Value::String(text)) => text,
                None => JsonStr::default(),
                Some(_) => return Err(Fault::WrongType { member: "content" }),
            },
        },
        Some(Kind::Accepted) => RunEvent::Started { run_id: run, metadata: None },
        Some(Kind::Done) => ended(Terminal::Completed, None, wide.get(..len).map(Metadata::Frame)),
        Some(Kind::Error) if of_number || !is_addressed => {
            let is_cancel = fields.string(Field::Code).is_some_and(|code| code.equals(b"cancelled"));
            ended(if is_cancel { Terminal::Cancelled } else { Terminal::Failed }, message, None)
        }
        Some(Kind::Error) => RunEvent::Refused { code: fields.string(Field::Code), error: message },
        Some(Kind::Pong) => RunEvent::Heartbeat,
        None => RunEvent::Ignored,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::protocol::Span;

    fn read(data: &str) -> (String, Shape) {
        let mut shape = Shape::default();
        let event = match decode(data.as_bytes(), data.len(), &mut shape) {
            Ok(event) => format!("{event:?}").split([' ', '(']).next().unwrap().to_owned(),
            Err(fault) => format!("{fault:?}"),
        };
        (event, shape)
    }

    #[test]
    fn every_frame_has_its_event() {
        for (data, event) in [
            (r#"{"type":"token","content":"x"}"#, "Text"),
            (r#"{"content":"x","seq":3,"type":"token"}"#, "Text"),
            (r#"{"type":"token","content":null}"#, "Text"),
            (r#"{"type":"token"}"#, "Text"),
            (r#"{"type":"accepted","pending_message_id":"p"}"#, "Started"),
            (r#"{"type":"done","sources":5,"confidence":"?","generation_time_ms":{}}"#, "Ended"),
            (r#"{"type":"error","message":5}"#, "Ended"),
            (r#"{"type":"error","message":"m","pending_message_id":"p","seq":2}"#, "Ended"),
            (r#"{"type":"error","message":"m","pending_message_id":"p"}"#, "Refused"),
            (r#"{"type":"error","message":"m","request_id":"q","seq":"2"}"#, "Refused"),
            (r#"{"type":"pong","id":7}"#, "Heartbeat"),
            (r#"{"type":"presence"}"#, "Ignored"),
            (r#"{"content":"x"}"#, "Ignored"),
            (r#"{"type":null}"#, "Ignored"),
        ] {
            assert_eq!(read(data).0, event, "{data}");
        }
        assert_eq!(read(r#"{"type":5}"#).0, format!("{:?}", Fault::WrongType { member: "type" }));
        assert_eq!(read(r#"{"type":"token","content":{}}"#).0, format!("{:?}", Fault::WrongType { member: "content" }));
        assert_eq!(read("[]").0, format!("{:?}", Fault::NotObject));
    }

    #[test]
    fn whose_event_it_is_and_its_number_are_noted() {
        let data = r#"{"type":"token","seq": 41 ,"pending_message_id":"p-1","request_id":"q","content":"x"}"#;
        let (_, shape) = read(data);
        let of = |span: Span| std::str::from_utf8(span.of(data.as_bytes())).unwrap();
        assert_eq!((of(shape.id), of(shape.run), of(shape.request)), ("41", "p-1", "q"));
        for data in [r#"{"type":"token","seq":0}"#, r#"{"type":"token","seq":1.5}"#, r#"{"type":"token","seq":"1"}"#] {
            assert_eq!(read(data).1.id, Span::default(), "{data}");
        }
    }

    #[test]
    fn a_stop_and_a_failure_are_told_apart_and_the_end_carries_its_frame() {
        let how = |data: &'static str| match decode(data.as_bytes(), data.len(), &mut Shape::default()) {
            Ok(RunEvent::Ended { how, error, generation_ms, metadata }) => {
                (how, error.map(|error| error.decoded()), generation_ms, metadata.is_some())
            }
            other => panic!("{other:?}"),
        };
        let error = |text: &str| Some(text.to_owned());
        assert_eq!(
            how(r#"{"type":"error","code":"cancelled","message":"m","seq":1}"#),
            (Terminal::Cancelled, error("m"), None, false)
        );
        assert_eq!(how(r#"{"type":"error","code":"x","seq":1}"#), (Terminal::Failed, None, None, false));
        assert_eq!(how(r#"{"type":"done","generation_time_ms":12.5}"#), (Terminal::Completed, None, Some(12), true));
    }
}
