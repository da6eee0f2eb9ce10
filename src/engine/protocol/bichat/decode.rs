//! From a frame's event name and data to a [`RunEvent`].
//!
//! A payload's own `type` decides; without one the event name does (B-ES-2). Two exceptions: a terminal event *name* ends the
//! run whatever the payload calls itself (B-ES-3), and an unnamed frame without a type is text if it has content and a
//! failure if not (B-PARSE-4). An empty type is `chunk` (PROTOCOLS 1.2).
//!
//! Only members that the event needs are checked, and those that end a run are never refused over a detail: a run that
//! has ended must settle. `null` is as good as absent.

use super::super::{Hole, Shape, Span, UNNAMED, lookup, same};
use crate::engine::event::{Fault, JsonStr, RunEvent, Snapshot, Terminal, Tool};
use crate::engine::json::{Members, Value};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Text,
    Reasoning,
    ToolStart,
    ToolEnd,
    BlockEnd,
    Snapshot,
    Interrupt,
    Citation,
    Usage,
    Ping,
    Started,
    Ended(Terminal),
    Unknown,
}

const KINDS: [(&[u8], Kind); 17] = [
    (b"content", Kind::Text),
    (b"chunk", Kind::Text),
    (b"", Kind::Text),
    (b"thinking", Kind::Reasoning),
    (b"tool_start", Kind::ToolStart),
    (b"tool_end", Kind::ToolEnd),
    (b"text_block_end", Kind::BlockEnd),
    (b"snapshot", Kind::Snapshot),
    (b"interrupt", Kind::Interrupt),
    (b"citation", Kind::Citation),
    (b"usage", Kind::Usage),
    (b"ping", Kind::Ping),
    (b"stream_started", Kind::Started),
    (b"done", Kind::Ended(Terminal::Completed)),
    (b"cancelled", Kind::Ended(Terminal::Cancelled)),
    (b"error", Kind::Ended(Terminal::Failed)),
    (b"failed", Kind::Ended(Terminal::Failed)),
];

const MEMBERS: [(&[u8], Member); 12] = [
    (b"type", Member::Type),
    (b"content", Member::Content),
    (b"timestamp", Member::Timestamp),
    (b"runId", Member::RunId),
    (b"error", Member::Error),
    (b"tool", Member::Detail(Detail::Tool)),
    (b"snapshot", Member::Detail(Detail::Snapshot)),
    (b"interrupt", Member::Detail(Detail::Interrupt)),
    (b"citation", Member::Detail(Detail::Citation)),
    (b"usage", Member::Detail(Detail::Usage)),
    (b"generationMs", Member::GenerationMs),
    (b"textBlockSeq", Member::TextBlockSeq),
];

fn kind(name: &[u8]) -> Kind {
    lookup(&KINDS, name).unwrap_or(Kind::Unknown)
}

/// Decodes `wide[..len]`, which is valid UTF-8.
pub(in crate::engine) fn decode<'a>(
    name: &[u8],
    wide: &'a [u8],
    len: usize,
    shape: &mut Shape,
) -> Result<RunEvent<'a>, Fault> {
    let mut members = Members::open_wide(wide, len)?;
    let (mut own_type, mut content, mut detail, mut error, mut run_id) = (None, None, None, None, None);
    let (mut generation, mut seq) = (None, None);
    let mut content_seen = false;
    while let Some((key, value)) = members.next()? {
        match lookup(&MEMBERS, &key.plain()) {
            Some(Member::Type) => own_type = present(value),
            Some(Member::Content) => {
                if content_seen {
                    shape.spoil();
                }
                content_seen = true;
                content = present(value);
                if let Some(span) = contents(value, members.at()) {
                    shape.push(Hole::Text, span);
                }
            }
            Some(Member::Timestamp) => {
                if let Some(span) = integer(value, members.at()) {
                    shape.timestamp = span;
                    shape.push(Hole::Timestamp, span);
                }
            }
            Some(Member::RunId) => {
                run_id = present(value);
                note(shape, value, members.at());
            }
            Some(Member::Error) => error = present(value),
            // Every event carries at most one of these, under the name of its type.
            Some(Member::Detail(of)) => {
                if let Some(value) = present(value) {
                    detail = Some((of, value));
                }
            }
            Some(Member::GenerationMs) => generation = value.as_u64(),
            Some(Member::TextBlockSeq) => seq = present(value),
            None => note(shape, value, members.at()),
        }
    }

    let named = kind(name);
    let own_kind = match own_type {
        // Nearly always it says what the frame's name said.
        Some(Value::String(own)) if own.is_plain() && same(own.raw(), name) => Some(named),
        Some(Value::String(own)) => Some(kind(&own.plain())),
        Some(_) if !matches!(named, Kind::Ended(_)) => return Err(Fault::WrongType { member: "type" }),
        _ => None,
    };
    let kind = match (own_kind, named) {
        (Some(own @ Kind::Ended(_)), _) => own,
        (_, Kind::Ended(_)) => named,
        (Some(own), _) => own,
        (None, _) if name == UNNAMED && content.is_some() => Kind::Text,
        (None, _) if name == UNNAMED => Kind::Ended(Terminal::Failed),
        (None, _) => named,
    };
    let detail = |of| detail.and_then(|(found, value)| (found == of).then_some(value));
    Ok(match kind {
        Kind::Text => RunEvent::Text { text: string(content, "content")?.unwrap_or_default(), part: &[] },
        Kind::Reasoning => RunEvent::Reasoning { text: string(content, "content")?.unwrap_or_default(), part: &[] },
        Kind::ToolStart | Kind::ToolEnd => match detail(Detail::Tool) {
            Some(Value::Object(raw)) if kind == Kind::ToolStart => {
                RunEvent::ToolStarted { tool: Tool::read(raw, b"callId", false)? }
            }
            Some(Value::Object(raw)) => RunEvent::ToolEnded { tool: Tool::read(raw, b"callId", false)? },
            Some(_) => return Err(Fault::WrongType { member: "tool" }),
            None => RunEvent::Ignored,
        },
        Kind::BlockEnd => RunEvent::BlockEnded { seq: block_seq(seq)? },
        Kind::Snapshot => match detail(Detail::Snapshot) {
            Some(Value::Object(raw)) => RunEvent::Snapshot(snapshot(raw)?),
            Some(_) => return Err(Fault::WrongType { member: "snapshot" }),
            None => RunEvent::Ignored,
        },
        Kind::Interrupt => object(detail(Detail::Interrupt), "interrupt")?
            .map_or(RunEvent::Ignored, |raw| RunEvent::Interrupted { raw }),
        Kind::Citation => {
            object(detail(Detail::Citation), "citation")?.map_or(RunEvent::Ignored, |raw| RunEvent::Citation { raw })
        }
        Kind::Usage => object(detail(Detail::Usage), "usage")?.map_or(RunEvent::Ignored, |raw| RunEvent::Usage { raw }),
        Kind::Ping => RunEvent::Heartbeat,
        Kind::Started => RunEvent::Started { run_id: string(run_id, "runId")?, metadata: None },
        Kind::Ended(how) => RunEvent::Ended {
            how,
            error: error.and_then(|value| value.as_str()),
            generation_ms: generation,
            metadata: None,
        },
        Kind::Unknown => RunEvent::Ignored,
    })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Tool,
    Snapshot,
    Interrupt,
    Citation,
    Usage,
}

#[derive(Clone, Copy)]
enum Member {
    Type,
    Content,
    Timestamp,
    RunId,
    Error,
    Detail(Detail),
    GenerationMs,
    TextBlockSeq,
}

fn present(value: Value<'_>) -> Option<Value<'_>> {
    if let Value::Null = value { None } else { Some(value) }
}

/// Notes a value that makes no difference to a text event.
fn note(shape: &mut Shape, value: Value<'_>, end: usize) {
    if let Some(span) = integer(value, end) {
        shape.push(Hole::Number, span);
    } else if let Some(span) = contents(value, end) {
        shape.push(Hole::String, span);
    }
}

/// Where the contents of the string lie whose closing quote was in front of `end`.
fn contents(value: Value<'_>, end: usize) -> Option<Span> {
    value.as_str().map(|text| Span { start: end - 1 - text.raw().len(), end: end - 1 })
}

/// Where the integer lies whose last byte was in front of `end`.
fn integer(value: Value<'_>, end: usize) -> Option<Span> {
    let Value::Number(number) = value else { return None };
    number.as_integer().map(|_| Span { start: end - number.raw().len(), end })
}

fn string<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<Option<JsonStr<'a>>, Fault> {
    match value {
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(Fault::WrongType { member }),
        None => Ok(None),
    }
}

fn object<'a>(value: Option<Value<'a>>, member: &'static str) -> Result<Option<&'a [u8]>, Fault> {
    match value {
        Some(Value::Object(raw)) => Ok(Some(raw)),
        Some(_) => Err(Fault::WrongType { member }),
        None => Ok(None),
    }
}

fn block_seq(value: Option<Value<'_>>) -> Result<u32, Fault> {
    const WRONG: Fault = Fault::WrongType { member: "textBlockSeq" };
    match value {
        Some(Value::Number(number)) => number.as_integer().and_then(|seq| u32::try_from(seq).ok()).ok_or(WRONG),
        Some(_) => Err(WRONG),
        None => Ok(0),
    }
}

pub(super) fn snapshot(raw: &[u8]) -> Result<Snapshot<'_>, Fault> {
    let mut snapshot = Snapshot::default();
    let mut members = Members::open(raw)?;
    while let Some((key, value)) = members.next()? {
        if key.equals(b"partialContent") {
            snapshot.content = string(present(value), "partialContent")?;
        } else if key.equals(b"partialMetadata") {
            snapshot.metadata = object(present(value), "partialMetadata")?;
        }
    }
    let Some(metadata) = snapshot.metadata else { return Ok(snapshot) };
    let mut members = Members::open(metadata)?;
    while let Some((key, value)) = members.next()? {
        let array = if let Value::Array(raw) = value { Some(raw) } else { None };
        if key.equals(b"tool_calls") {
            snapshot.tools = array;
        } else if key.equals(b"text_block_offsets") {
            snapshot.offsets = array;
        }
    }
    Ok(snapshot)
}

#[cfg(test)]
mod tests {
    use crate::engine::event::{Fault, RunEvent, Terminal, ToolField};
    use crate::engine::protocol::{Protocol, decode};
    use proptest::prelude::*;

    fn read(name: &str, data: &str) -> String {
        match decode(Protocol::Bichat, name.as_bytes(), data.as_bytes()) {
            Ok(event) => format!("{event:?}").split([' ', '(']).next().unwrap().to_owned(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    fn wrong(member: &'static str) -> String {
        format!("{:?}", Fault::WrongType { member })
    }

    #[test]
    fn every_type_has_its_event() {
        for (kind, member, event) in [
            ("chunk", "\"content\":\"x\"", "Text"),
            ("content", "\"content\":\"x\"", "Text"),
            ("thinking", "\"content\":\"x\"", "Reasoning"),
            ("tool_start", "\"tool\":{}", "ToolStarted"),
            ("tool_end", "\"tool\":{}", "ToolEnded"),
            ("text_block_end", "\"textBlockSeq\":0", "BlockEnded"),
            ("snapshot", "\"snapshot\":{}", "Snapshot"),
            ("interrupt", "\"interrupt\":{}", "Interrupted"),
            ("citation", "\"citation\":{}", "Citation"),
            ("usage", "\"usage\":{}", "Usage"),
            ("ping", "\"timestamp\":1", "Heartbeat"),
            ("stream_started", "\"runId\":\"r\"", "Started"),
            ("done", "\"generationMs\":5", "Ended"),
            ("cancelled", "\"x\":1", "Ended"),
            ("error", "\"error\":\"e\"", "Ended"),
            ("failed", "\"error\":\"e\"", "Ended"),
            ("user_message", "\"content\":\"x\"", "Ignored"),
            ("never heard of", "\"content\":5", "Ignored"),
        ] {
            // By its own type, by the event name, by both, and against another name.
            assert_eq!(read("message", &format!("{{\"type\":\"{kind}\",{member}}}")), event);
            assert_eq!(read(kind, &format!("{{{member}}}")), event);
            assert_eq!(read(kind, &format!("{{{member},\"type\":\"{kind}\"}}")), event);
            assert_eq!(read("ping", &format!("{{\"type\":\"{kind}\",{member}}}")), event);
        }
    }

    #[test]
    fn a_terminal_name_ends_the_run_whatever_the_payload_is_called() {
        for name in ["done", "cancelled", "error", "failed"] {
            for data in [
                "{}",
                "{\"type\":\"content\",\"content\":\"x\"}",
                "{\"type\":5,\"error\":{},\"generationMs\":\"x\",\"content\":5}",
            ] {
                assert_eq!(read(name, data), "Ended", "{name} {data}");
            }
        }
        let how = |name: &str, data: &str| match decode(Protocol::Bichat, name.as_bytes(), data.as_bytes()) {
            Ok(RunEvent::Ended { how, error, generation_ms, .. }) => {
                (how, error.map(|error| error.decoded()), generation_ms)
            }
            other => panic!("{other:?}"),
        };
        assert_eq!(how("error", "{\"type\":\"done\",\"generationMs\":7}"), (Terminal::Completed, None, Some(7)));
        assert_eq!(how("done", "{\"type\":\"cancelled\"}"), (Terminal::Cancelled, None, None));
        assert_eq!(how("failed", "{\"error\":\"\\u0061\"}"), (Terminal::Failed, Some("a".into()), None));
    }

    #[test]
    fn without_a_type_an_unnamed_frame_is_text_or_a_failure() {
        assert_eq!(read("message", "{\"content\":\"\"}"), "Text");
        assert_eq!(read("message", "{\"error\":\"e\"}"), "Ended");
        assert_eq!(read("message", "{}"), "Ended");
        assert_eq!(read("message", "{\"content\":null}"), "Ended");
        assert_eq!(read("message", "{\"type\":\"\",\"content\":\"x\"}"), "Text");
        assert_eq!(read("message", "{\"type\":null,\"content\":\"x\"}"), "Text");
        assert_eq!(read("custom", "{\"content\":\"x\"}"), "Ignored");
        assert_eq!(read("thinking", "{\"type\":\"\",\"content\":\"x\"}"), "Text");
    }

    #[test]
    fn what_lacks_its_payload_is_dropped_and_what_has_a_wrong_one_is_reported() {
        for (kind, member) in [
            ("tool_start", "tool"),
            ("tool_end", "tool"),
            ("snapshot", "snapshot"),
            ("interrupt", "interrupt"),
            ("citation", "citation"),
            ("usage", "usage"),
        ] {
            assert_eq!(read(kind, "{}"), "Ignored");
            assert_eq!(read(kind, &format!("{{\"{member}\":null}}")), "Ignored");
            for value in ["5", "\"x\"", "[]", "true"] {
                assert_eq!(read(kind, &format!("{{\"{member}\":{value}}}")), wrong(member));
            }
        }
        for kind in ["content", "thinking"] {
            assert_eq!(read(kind, "{\"content\":5}"), wrong("content"));
            assert_ne!(read(kind, "{}"), wrong("content"));
        }
        assert_eq!(read("tool_start", "{\"tool\":{\"name\":5}}"), wrong("tool"));
        assert_eq!(read("tool_end", "{\"tool\":{\"durationMs\":\"5\"}}"), wrong("tool"));
        assert_eq!(read("snapshot", "{\"snapshot\":{\"partialContent\":5}}"), wrong("partialContent"));
        assert_eq!(read("snapshot", "{\"snapshot\":{\"partialMetadata\":5}}"), wrong("partialMetadata"));
        assert_eq!(read("stream_started", "{\"runId\":5}"), wrong("runId"));
        for seq in ["-1", "1.5", "\"0\"", "4294967296"] {
            assert_eq!(read("text_block_end", &format!("{{\"textBlockSeq\":{seq}}}")), wrong("textBlockSeq"));
        }
        // What the event has no use for may be anything.
        assert_eq!(read("ping", "{\"content\":5,\"tool\":6,\"timestamp\":\"x\"}"), "Heartbeat");
    }

    #[test]
    fn escaped_names_are_names() {
        assert_eq!(read("message", "{\"t\\u0079pe\":\"con\\u0074ent\",\"\\u0063ontent\":\"x\"}"), "Text");
        let data = "{\"tool\":{\"call\\u0049d\":\"c\"}}";
        let Ok(RunEvent::ToolStarted { tool }) = decode(Protocol::Bichat, b"tool_start", data.as_bytes()) else {
            panic!()
        };
        assert_eq!(tool.field(ToolField::CallId).unwrap().decoded(), "c");
    }

    #[test]
    fn of_members_of_one_name_the_last_counts() {
        let data = "{\"content\":\"a\",\"content\":\"b\"}";
        let Ok(RunEvent::Text { text, .. }) = decode(Protocol::Bichat, b"content", data.as_bytes()) else { panic!() };
        assert_eq!(text.decoded(), "b");
        assert_eq!(read("content", "{\"content\":5,\"content\":\"b\"}"), "Text");
    }

    #[test]
    fn the_first_block_is_number_zero() {
        for data in ["{\"textBlockSeq\":0}", "{}"] {
            assert!(matches!(
                decode(Protocol::Bichat, b"text_block_end", data.as_bytes()),
                Ok(RunEvent::BlockEnded { seq: 0 })
            ));
        }
    }

    proptest! {
        #[test]
        fn raw_values_are_whole_json(value in "[a-z{}\\[\\]\",:0-9 ]{0,30}") {
            let data = format!("{{\"usage\":{{\"v\":{value}}}}}");
            if let Ok(RunEvent::Usage { raw }) = decode(Protocol::Bichat, b"usage", data.as_bytes()) {
                prop_assert!(serde_json::from_slice::<serde_json::Value>(raw).is_ok());
            }
        }
    }
}
