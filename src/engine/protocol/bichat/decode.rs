//! From a frame's event name and data to a [`RunEvent`].
//!
//! A payload's own `type` decides; without one the event name does (B-ES-2). Two exceptions: a terminal event *name* ends the
//! run whatever the payload calls itself (B-ES-3), and an unnamed frame without a type is text if it has content and a
//! failure if not (B-PARSE-4). An empty type is `chunk` (PROTOCOLS 1.2).
//!
//! Only members that the event needs are checked, and those that end a run are never refused over a detail: a run that
//! has ended must settle. `null` is as good as absent.

use super::super::{Decoded, Hole, Holes, Span, UNNAMED};
use crate::engine::event::{Fault, JsonStr, RunEvent, Snapshot, Terminal, Tool, tool_slot};
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

fn kind(name: &[u8]) -> Kind {
    match name {
        b"content" | b"chunk" | b"" => Kind::Text,
        b"thinking" => Kind::Reasoning,
        b"tool_start" => Kind::ToolStart,
        b"tool_end" => Kind::ToolEnd,
        b"text_block_end" => Kind::BlockEnd,
        b"snapshot" => Kind::Snapshot,
        b"interrupt" => Kind::Interrupt,
        b"citation" => Kind::Citation,
        b"usage" => Kind::Usage,
        b"ping" => Kind::Ping,
        b"stream_started" => Kind::Started,
        b"done" => Kind::Ended(Terminal::Completed),
        b"cancelled" => Kind::Ended(Terminal::Cancelled),
        b"error" | b"failed" => Kind::Ended(Terminal::Failed),
        _ => Kind::Unknown,
    }
}

/// Decodes `wide[..len]`, which is valid UTF-8.
pub(in crate::engine) fn decode<'a>(name: &[u8], wide: &'a [u8], len: usize) -> Result<Decoded<'a>, Fault> {
    let mut members = Members::open_wide(wide, len)?;
    let (mut own_type, mut content, mut detail, mut error, mut run_id) = (None, None, None, None, None);
    let (mut generation, mut seq) = (None, None);
    let (mut content_seen, mut timestamp, mut holes) = (false, None, Holes::default());
    while let Some((key, value)) = members.next()? {
        match known(key) {
            Member::Type => own_type = present(value),
            Member::Content => {
                if content_seen {
                    holes.spoil();
                }
                content_seen = true;
                content = present(value);
                if let Value::String(text) = value {
                    let end = members.at() - 1;
                    holes.push(Hole::Text, Span { start: end - text.raw().len(), end });
                }
            }
            Member::Timestamp => {
                if let Some(span) = integer(value, members.at()) {
                    timestamp = Some(span);
                    holes.push(Hole::Timestamp, span);
                }
            }
            Member::RunId => run_id = present(value),
            Member::Error => error = present(value),
            // Every event carries at most one of these, under the name of its type.
            Member::Detail(of) => {
                if let Some(value) = present(value) {
                    detail = Some((of, value));
                }
            }
            Member::GenerationMs => generation = value.as_u64(),
            Member::TextBlockSeq => seq = present(value),
            Member::Unknown => {
                if let Some(span) = integer(value, members.at()) {
                    holes.push(Hole::Number, span);
                }
            }
        }
    }

    let named = kind(name);
    let own_kind = match own_type {
        Some(Value::String(own)) => Some(if own.is_plain() { kind(own.raw()) } else { kind(own.decoded().as_bytes()) }),
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
    let event = match kind {
        Kind::Text => RunEvent::Text { text: string(content, "content")?.unwrap_or_default() },
        Kind::Reasoning => RunEvent::Reasoning { text: string(content, "content")?.unwrap_or_default() },
        Kind::ToolStart | Kind::ToolEnd => match detail(Detail::Tool) {
            Some(Value::Object(raw)) if kind == Kind::ToolStart => RunEvent::ToolStarted { tool: tool(raw)? },
            Some(Value::Object(raw)) => RunEvent::ToolEnded { tool: tool(raw)? },
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
        Kind::Started => RunEvent::Started { run_id: string(run_id, "runId")? },
        Kind::Ended(how) => {
            RunEvent::Ended { how, error: error.and_then(|value| value.as_str()), generation_ms: generation }
        }
        Kind::Unknown => RunEvent::Ignored,
    };
    Ok(Decoded { event, timestamp, holes })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Detail {
    Tool,
    Snapshot,
    Interrupt,
    Citation,
    Usage,
}

enum Member {
    Type,
    Content,
    Timestamp,
    RunId,
    Error,
    Detail(Detail),
    GenerationMs,
    TextBlockSeq,
    Unknown,
}

fn known(key: JsonStr<'_>) -> Member {
    let decoded;
    let name = if key.is_plain() {
        key.raw()
    } else {
        decoded = key.decoded();
        decoded.as_bytes()
    };
    match name {
        b"type" => Member::Type,
        b"content" => Member::Content,
        b"timestamp" => Member::Timestamp,
        b"runId" => Member::RunId,
        b"error" => Member::Error,
        b"tool" => Member::Detail(Detail::Tool),
        b"snapshot" => Member::Detail(Detail::Snapshot),
        b"interrupt" => Member::Detail(Detail::Interrupt),
        b"citation" => Member::Detail(Detail::Citation),
        b"usage" => Member::Detail(Detail::Usage),
        b"generationMs" => Member::GenerationMs,
        b"textBlockSeq" => Member::TextBlockSeq,
        _ => Member::Unknown,
    }
}

fn present(value: Value<'_>) -> Option<Value<'_>> {
    if let Value::Null = value { None } else { Some(value) }
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

fn tool(raw: &[u8]) -> Result<Tool<'_>, Fault> {
    let mut tool = Tool::default();
    let mut members = Members::open(raw)?;
    while let Some((key, value)) = members.next()? {
        if let Some(slot) = tool_slot(&mut tool, key, b"callId") {
            *slot = string(present(value), "tool")?;
        } else if key.equals(b"durationMs") {
            tool.duration_ms = match value {
                Value::Number(number) => number.as_u64(),
                Value::Null => None,
                _ => return Err(Fault::WrongType { member: "tool" }),
            };
        }
    }
    Ok(tool)
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
