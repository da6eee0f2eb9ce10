//! The members that mean something, of any object of the protocol: one reading for frames and replies.

use super::super::{Span, lookup};
use crate::engine::{
    event::Fault,
    json::{JsonStr, Members, Value},
};

/// A member's name, by its place in a [`Fields`].
#[derive(Clone, Copy)]
pub(super) enum Field {
    Type,
    Status,
    Content,
    Message,
    Error,
    Code,
    Run,
    Request,
    Seq,
    GenerationTime,
    Active,
}

const NAMES: [(&[u8], Field); 11] = [
    (b"type", Field::Type),
    (b"status", Field::Status),
    (b"content", Field::Content),
    (b"message", Field::Message),
    (b"error", Field::Error),
    (b"code", Field::Code),
    (b"pending_message_id", Field::Run),
    (b"request_id", Field::Request),
    (b"seq", Field::Seq),
    (b"generation_time_ms", Field::GenerationTime),
    (b"active", Field::Active),
];

/// The last value of each member, and where it ends; `null` is as good as absent.
pub(super) struct Fields<'a> {
    values: [Option<(Value<'a>, usize)>; NAMES.len()],
}

impl<'a> Fields<'a> {
    pub fn read(wide: &'a [u8], len: usize) -> Result<Self, Fault> {
        let mut members = Members::open_wide(wide, len)?;
        let mut values = [None; NAMES.len()];
        while let Some((key, value)) = members.next()? {
            if let Some(field) = lookup(&NAMES, &key.plain())
                && let Some(slot) = values.get_mut(field as usize)
            {
                *slot = if let Value::Null = value { None } else { Some((value, members.at())) };
            }
        }
        Ok(Self { values })
    }

    pub fn get(&self, field: Field) -> Option<Value<'a>> {
        self.values.get(field as usize).copied().flatten().map(|(value, _)| value)
    }

    /// A string that is not empty.
    pub fn string(&self, field: Field) -> Option<JsonStr<'a>> {
        self.get(field)?.as_str().filter(|text| !text.is_empty())
    }

    pub fn integer(&self, field: Field) -> Option<u64> {
        match self.get(field)? {
            Value::Number(number) => number.as_integer(),
            _ => None,
        }
    }

    /// Where the contents of the string lie, or the digits of the integer; nowhere if it is neither.
    pub fn span(&self, field: Field) -> Span {
        match self.values.get(field as usize).copied().flatten() {
            Some((Value::String(text), end)) => Span { start: end - 1 - text.raw().len(), end: end - 1 },
            Some((Value::Number(number), end)) if number.as_integer().is_some_and(|number| number > 0) => {
                Span { start: end - number.raw().len(), end }
            }
            _ => Span::default(),
        }
    }
}
