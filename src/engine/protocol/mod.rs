//! The protocols: each maps its wire shapes to [`RunEvent`]. One file or folder a protocol.

pub mod bichat;

use super::event::{Fault, RunEvent};

/// The protocols a server may speak.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Run streams over SSE with an event log (PROTOCOLS 1).
    Bichat,
}

impl Protocol {
    /// The protocol that options call `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "bichat" => Some(Self::Bichat),
            _ => None,
        }
    }
}

/// The SSE event name of a frame without an `event:` line (P-5).
pub const UNNAMED: &[u8] = b"message";

/// Decodes one event: the SSE event name and the data, which must be UTF-8 to be JSON.
pub fn decode<'a>(protocol: Protocol, name: &[u8], data: &'a [u8]) -> Result<RunEvent<'a>, Fault> {
    if core::str::from_utf8(data).is_err() {
        return Err(Fault::Syntax);
    }
    decode_wide(protocol, name, data, data.len(), &mut Shape::default())
}

/// Decodes `wide[..len]`, which is valid UTF-8, and notes where in it lies what differs from one text event to the next.
pub(super) fn decode_wide<'a>(
    protocol: Protocol,
    name: &[u8],
    wide: &'a [u8],
    len: usize,
    shape: &mut Shape,
) -> Result<RunEvent<'a>, Fault> {
    match protocol {
        Protocol::Bichat => bichat::decode(name, wide, len, shape),
    }
}

/// A stretch of bytes, from its first to behind its last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub start: usize,
    pub end: usize,
}

impl Span {
    pub fn of(self, bytes: &[u8]) -> &[u8] {
        bytes.get(self.start..self.end).unwrap_or(&[])
    }

    /// The same stretch, counted from `by` bytes further to the front.
    pub fn shifted(self, by: usize) -> Self {
        Self { start: self.start + by, end: self.end + by }
    }

    /// The same stretch, counted from `by`.
    pub fn back(self, by: usize) -> Self {
        Self { start: self.start - by, end: self.end - by }
    }
}

/// What a hole in a learned envelope takes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Hole {
    /// Nothing: the frame ends here.
    #[default]
    None,
    /// The contents of the event's text.
    Text,
    /// An integer from zero up that nobody reads.
    Number,
    /// The contents of a string that nobody reads.
    String,
    /// The event's time, in unix ms.
    Timestamp,
    /// The value of an `id:` line.
    Id,
}

/// Where the holes of one event's data are, in order.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Shape {
    /// The event's time in unix ms, where it is an integer.
    pub timestamp: Span,
    list: [(Hole, Span); Self::MOST],
    // Beyond `MOST` if the event is of a shape that is not worth learning.
    count: usize,
}

impl Shape {
    pub const MOST: usize = 6;

    pub fn push(&mut self, hole: Hole, span: Span) {
        if let Some(slot) = self.list.get_mut(self.count) {
            *slot = (hole, span);
        }
        self.count += 1;
    }

    /// Says that events of this shape must always be decoded in full.
    pub fn spoil(&mut self) {
        self.count = Self::MOST + 1;
    }

    /// The holes, if the shape can be learned.
    pub fn holes(&self) -> Option<&[(Hole, Span)]> {
        self.list.get(..self.count)
    }
}
