//! From a chunk to a [`RunEvent`].
//!
//! A chunk of a known type must have the members that its type promises, or it is malformed. Members that nobody knows are
//! let through, chunks of an unknown type are skipped: a deliberate widening of 4.5, so that a newer server does not break
//! an older page. `null` is as good as absent, but where any JSON may stand.

use super::super::{Hole, Shape, Span};
use super::fields::{Field, Fields};
use crate::engine::event::{ChunkKind, Fault, JsonStr, RunEvent, Terminal};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Reasoning,
    Input,
    Chunk(ChunkKind),
    Start,
    Finish,
    Abort,
    Error,
    Nothing,
}

/// A type, what it means, which of its members must be strings, and which must be there, whatever they are.
type Row = (&'static str, Kind, &'static [Field], Option<Field>);

const KINDS: [Row; 29] = [
    ("text-delta", Kind::Text, &[Field::Id, Field::Delta], None),
    ("reasoning-delta", Kind::Reasoning, &[Field::Id, Field::Delta], None),
    ("tool-input-delta", Kind::Input, &[Field::ToolCallId, Field::InputTextDelta], None),
    ("start", Kind::Start, &[], None),
    ("finish", Kind::Finish, &[], None),
    ("abort", Kind::Abort, &[], None),
    ("error", Kind::Error, &[], None),
    ("text-start", Kind::Chunk(ChunkKind::TextStart), &[Field::Id], None),
    ("text-end", Kind::Chunk(ChunkKind::TextEnd), &[Field::Id], None),
    ("reasoning-start", Kind::Chunk(ChunkKind::ReasoningStart), &[Field::Id], None),
    ("reasoning-end", Kind::Chunk(ChunkKind::ReasoningEnd), &[Field::Id], None),
    ("tool-input-start", Kind::Chunk(ChunkKind::ToolInputStart), &[Field::ToolCallId, Field::ToolName], None),
    (
        "tool-input-available",
        Kind::Chunk(ChunkKind::ToolInputAvailable),
        &[Field::ToolCallId, Field::ToolName],
        Some(Field::Input),
    ),
    (
        "tool-input-error",
        Kind::Chunk(ChunkKind::ToolInputError),
        &[Field::ToolCallId, Field::ToolName, Field::ErrorText],
        Some(Field::Input),
    ),
    (
        "tool-approval-request",
        Kind::Chunk(ChunkKind::ToolApprovalRequest),
        &[Field::ApprovalId, Field::ToolCallId],
        None,
    ),
    ("tool-approval-response", Kind::Chunk(ChunkKind::ToolApprovalResponse), &[Field::ApprovalId], None),
    ("tool-output-available", Kind::Chunk(ChunkKind::ToolOutputAvailable), &[Field::ToolCallId], Some(Field::Output)),
    ("tool-output-error", Kind::Chunk(ChunkKind::ToolOutputError), &[Field::ToolCallId, Field::ErrorText], None),
    ("tool-output-denied", Kind::Chunk(ChunkKind::ToolOutputDenied), &[Field::ToolCallId], None),
    ("source-url", Kind::Chunk(ChunkKind::Whole), &[Field::SourceId, Field::Url], None),
    ("source-document", Kind::Chunk(ChunkKind::Whole), &[Field::SourceId, Field::MediaType, Field::Title], None),
    ("file", Kind::Chunk(ChunkKind::Whole), &[Field::Url, Field::MediaType], None),
    ("reasoning-file", Kind::Chunk(ChunkKind::Whole), &[Field::Url, Field::MediaType], None),
    ("custom", Kind::Chunk(ChunkKind::Whole), &[Field::Kind], None),
    ("steering-message", Kind::Chunk(ChunkKind::Whole), &[Field::Id], None),
    ("start-step", Kind::Chunk(ChunkKind::StepStart), &[], None),
    ("finish-step", Kind::Nothing, &[], None),
    ("reset-step", Kind::Chunk(ChunkKind::StepReset), &[], None),
    ("message-metadata", Kind::Chunk(ChunkKind::Metadata), &[], Some(Field::MessageMetadata)),
];

/// Decodes `wide[..len]`, which is valid UTF-8.
pub(in crate::engine) fn decode<'a>(wide: &'a [u8], len: usize, shape: &mut Shape) -> Result<RunEvent<'a>, Fault> {
    let fields = Fields::read(wide, len)?;
    let raw = wide.get(..len).unwrap_or(&[]);
    let Some(name) = fields.string(Field::Type) else { return Err(wrong(Field::Type)) };
    let name = name.plain();
    if name.starts_with(b"data-") {
        if fields.raw(Field::Data).is_none() {
            return Err(wrong(Field::Data));
        }
        let is_kept = !fields.is_true(Field::Transient);
        return Ok(if is_kept { RunEvent::Chunk { kind: ChunkKind::Data, raw } } else { RunEvent::Ignored });
    }
    let Some((_, kind, strings, any)) = KINDS.iter().find(|row| *row.0.as_bytes() == *name) else {
        return Ok(RunEvent::Ignored);
    };
    let missing = strings.iter().copied().find(|&field| fields.string(field).is_none());
    if let Some(missing) = missing.or(any.filter(|&field| fields.raw(field).is_none())) {
        return Err(wrong(missing));
    }
    let metadata = fields.present(Field::MessageMetadata);
    Ok(match *kind {
        Kind::Text | Kind::Reasoning if fields.present(Field::ProviderMetadata).is_some() => {
            let is_text = matches!(kind, Kind::Text);
            RunEvent::Chunk { kind: if is_text { ChunkKind::TextDelta } else { ChunkKind::ReasoningDelta }, raw }
        }
        Kind::Text => {
            let (text, part) = delta(&fields, shape);
            RunEvent::Text { text, part }
        }
        Kind::Reasoning => {
            let (text, part) = delta(&fields, shape);
            RunEvent::Reasoning { text, part }
        }
        // Not left to be read once more, as the rest is: next to text it is what comes most.
        Kind::Input => RunEvent::Input {
            text: fields.string(Field::InputTextDelta).unwrap_or_default(),
            call: fields.raw(Field::ToolCallId).unwrap_or(&[]),
        },
        Kind::Chunk(ChunkKind::ToolApprovalResponse) if !is_bool(&fields, Field::Approved) => {
            return Err(wrong(Field::Approved));
        }
        Kind::Chunk(kind) => RunEvent::Chunk { kind, raw },
        Kind::Start => RunEvent::Started { run_id: fields.string(Field::MessageId), metadata },
        Kind::Finish => RunEvent::Concluded { how: Terminal::Completed, metadata },
        Kind::Abort => RunEvent::Concluded { how: Terminal::Cancelled, metadata: None },
        Kind::Error => RunEvent::Ended {
            how: Terminal::Failed,
            error: fields.string(Field::ErrorText),
            generation_ms: None,
            metadata: None,
        },
        Kind::Nothing => RunEvent::Ignored,
    })
}

/// The words of a delta and the part they belong to, and where both lie.
fn delta<'a>(fields: &Fields<'a>, shape: &mut Shape) -> (JsonStr<'a>, &'a [u8]) {
    let text = fields.string(Field::Delta).unwrap_or_default();
    let part = fields.raw(Field::Id).unwrap_or(&[]);
    let (at, words) = (fields.at(Field::Id), fields.at(Field::Delta) + 1);
    if at > words {
        // Only in front of the words its place is always the same.
        shape.spoil();
    }
    shape.part = Span { start: at, end: at + part.len() };
    shape.push(Hole::Text, Span { start: words, end: words + text.raw().len() });
    (text, part)
}

fn is_bool(fields: &Fields<'_>, field: Field) -> bool {
    fields.is_true(field) || fields.raw(field) == Some(b"false")
}

fn wrong(field: Field) -> Fault {
    Fault::WrongType { member: field.name() }
}
