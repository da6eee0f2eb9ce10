//! The protocols: each maps its wire shapes to [`RunEvent`]. One file or folder a protocol.

pub mod bichat;
pub mod chunks;
pub mod envelope;
mod members;
pub mod ui_message;
pub mod ws_chat;

use alloc::string::String;

use super::{
    event::{Fault, RunEvent, Snapshot},
    request::Request,
    transport::Transport,
};

/// The protocols a server may speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// Run streams over SSE with an event log (PROTOCOLS 1).
    #[default]
    Bichat,
    /// Answers over a shared WebSocket, with SSE and REST behind it (PROTOCOLS 5, docs/ws-chat.md).
    WsChat,
    /// The AI SDK's UI message stream (PROTOCOLS 4).
    UiMessage,
    /// Numbered envelopes over SSE (PROTOCOLS 2).
    Envelope,
    /// Rows of a durable stream (PROTOCOLS 3).
    Chunks,
    /// What a function of the page makes of any other stream: `bichat`'s events, two marks around those of one wire event
    /// (see `run::stream`).
    Custom,
}

impl Protocol {
    /// All, by the numbers that the page knows them by.
    pub const ALL: [Self; 6] =
        [Self::Bichat, Self::WsChat, Self::UiMessage, Self::Envelope, Self::Chunks, Self::Custom];

    /// The protocol that options call `name`.
    pub fn named(name: &str) -> Option<Self> {
        match name {
            "bichat" => Some(Self::Bichat),
            "ws-chat" => Some(Self::WsChat),
            "ui-message" => Some(Self::UiMessage),
            "envelope" => Some(Self::Envelope),
            "chunks" => Some(Self::Chunks),
            _ => None,
        }
    }

    /// What sends a message over HTTP.
    pub fn send(self, session: &str, body: &str) -> Request {
        match self {
            Self::Bichat => bichat::requests::send(body),
            Self::WsChat => ws_chat::requests::send(session, body),
            Self::UiMessage | Self::Custom => ui_message::requests::send(body),
            Self::Envelope => envelope::requests::send(body),
            Self::Chunks => chunks::requests::send(session, body),
        }
    }

    /// What asks for a run's events after a cursor, as a stream. `echo` is what the server wants to be told again, if anything.
    pub fn events(self, session: &str, run: &str, cursor: Option<&str>, echo: &str) -> Request {
        match self {
            Self::Bichat => bichat::requests::events(session, run, cursor),
            Self::WsChat => ws_chat::requests::events(session, run, cursor),
            Self::UiMessage | Self::Custom => ui_message::requests::events(session, cursor),
            Self::Envelope => envelope::requests::events(session, cursor),
            Self::Chunks => chunks::requests::events(session, cursor, echo),
        }
    }

    /// What asks how a run stands, by its id, by that of its send, or by its session alone.
    pub fn status(self, session: &str, run: Option<&str>, request_id: Option<&str>) -> Request {
        match self {
            Self::Bichat => bichat::requests::status(session),
            Self::WsChat => ws_chat::requests::status(session, run, request_id),
            // Only the stream itself tells.
            Self::UiMessage | Self::Custom => ui_message::requests::events(session, None),
            Self::Envelope => envelope::requests::status(session),
            Self::Chunks => chunks::requests::status(session),
        }
    }

    /// Whether a message is posted, and its answer comes another way.
    pub const fn posts(self) -> bool {
        matches!(self, Self::WsChat | Self::Envelope | Self::Chunks)
    }

    /// Whether a message may be sent again unseen: its own id makes it the same one.
    pub const fn repeats(self) -> bool {
        matches!(self, Self::Chunks)
    }

    /// Whether a server that is asked how a run stands finds it by the id of its send, or can have but one at a time.
    pub const fn is_found_by_request(self) -> bool {
        matches!(self, Self::WsChat | Self::Envelope)
    }

    /// Whether a server can be asked how a run stands, and keeps what it has said. Else the send's own response is the run,
    /// and whoever comes later is told all of it from its start, while it lasts.
    pub const fn has_log(self) -> bool {
        !matches!(self, Self::UiMessage | Self::Custom)
    }

    /// What stops whatever runs in a session.
    pub fn stop(self, session: &str) -> Request {
        match self {
            Self::Bichat => bichat::requests::stop(session),
            Self::WsChat => ws_chat::requests::stop(session),
            Self::UiMessage | Self::Custom => ui_message::requests::stop(session),
            Self::Envelope => envelope::requests::stop(session),
            Self::Chunks => chunks::requests::stop(session),
        }
    }

    /// What empties a session, or takes it away; `None` where the protocol has no such thing.
    pub fn clear(self, session: &str, clear: Clear) -> Option<Request> {
        (self == Self::Chunks).then(|| chunks::requests::clear(session, clear))
    }

    /// Reads the reply to [`Protocol::status`]; `None` if it is none.
    pub fn read_status(self, body: &[u8]) -> Option<StatusReply<'_>> {
        match self {
            Self::Bichat => bichat::read_status(body),
            Self::WsChat => ws_chat::read_status(body),
            Self::UiMessage | Self::Custom => None,
            Self::Envelope => envelope::read_status(body),
            Self::Chunks => chunks::read_status(body),
        }
    }

    /// The transports of a client that names none.
    pub const fn transports(self) -> &'static [Transport] {
        match self {
            Self::Bichat => &[Transport::Fetch],
            Self::WsChat => &[Transport::WebSocket, Transport::Fetch, Transport::Rest],
            Self::UiMessage | Self::Envelope | Self::Chunks | Self::Custom => &[Transport::Fetch],
        }
    }
}

/// What becomes of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Clear {
    /// It is emptied, and who is present in it forgotten if so wanted.
    Reset {
        /// Whether so.
        presence: bool,
    },
    /// It is there no more.
    Delete,
}

/// What a server says of a run, or of whatever runs in a session.
#[derive(Clone, Debug, Default)]
pub struct StatusReply<'a> {
    /// A run is active.
    pub active: bool,
    /// The server has never heard of it, or has forgotten it.
    pub is_missing: bool,
    /// That run.
    pub run_id: Option<String>,
    /// Its state as last stored.
    pub snapshot: Option<Snapshot<'a>>,
    /// The number of the last event that its session has had.
    pub last_seq: Option<u64>,
    /// All of it, where it is over and the server says that much.
    pub whole: Option<WholeAnswer<'a>>,
}

/// A run that is over, as one reply tells it.
#[derive(Clone, Debug)]
pub struct WholeAnswer<'a> {
    /// Its text.
    pub snapshot: Snapshot<'a>,
    /// Its end, a [`RunEvent::Ended`].
    pub end: RunEvent<'a>,
}

/// What a table says of `name`. A table costs a tenth of the code that a match on strings becomes.
fn lookup<T: Copy>(table: &[(&[u8], T)], name: &[u8]) -> Option<T> {
    table.iter().find(|entry| same(entry.0, name)).map(|entry| entry.1)
}

/// Names are short: a call to compare them costs more than the bytes.
#[inline(always)]
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).all(|(a, b)| a == b)
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
        Protocol::Bichat | Protocol::Custom => bichat::decode(name, wide, len, shape),
        Protocol::WsChat => ws_chat::decode(wide, len, shape),
        Protocol::UiMessage => ui_message::decode(wide, len, shape),
        Protocol::Envelope => envelope::decode(wide, len, shape),
        // Its events are rows: see `chunks::read_row`.
        Protocol::Chunks => Ok(RunEvent::Ignored),
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
    /// The event's number, where the data says it.
    pub id: Span,
    /// The contents of the strings that say whose event it is: the run's id, and its send's.
    pub run: Span,
    pub request: Span,
    /// The name of the part that the text belongs to, its quotes included. It must lie in front of all holes.
    pub part: Span,
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
