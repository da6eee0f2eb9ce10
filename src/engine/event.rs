//! The one event model that all protocols map to.
//!
//! Everything here borrows the bytes it came from. Text is named but not yet decoded; values that the engine does not
//! interpret stay raw JSON, already validated, and are parsed by `JSON.parse` when someone in the page reads them.

use super::json::{Elements, Members, Value};
pub use super::json::{Fault, JsonStr};

/// What one event means for a run.
// A tag of a whole word: with one of a byte, an event is copied as words at odd places, which the processor cannot forward from
// the stores just made.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub enum RunEvent<'a> {
    /// The server has begun the run, and may have named it.
    Started {
        /// The run's name.
        run_id: Option<JsonStr<'a>>,
        /// What it says of the whole run, to be merged into what is known. Raw JSON.
        metadata: Option<&'a [u8]>,
    },
    /// More of the answer.
    Text {
        /// What to append.
        text: JsonStr<'a>,
        /// The part it belongs to, a raw JSON string with its quotes; empty where a protocol has one open text at a time.
        part: &'a [u8],
    },
    /// More of the reasoning in front of or between the answer's texts.
    Reasoning {
        /// What to append.
        text: JsonStr<'a>,
        /// As of a text.
        part: &'a [u8],
    },
    /// More of the input of a tool call, which streams.
    Input {
        /// What to append.
        text: JsonStr<'a>,
        /// The call's id, a raw JSON string with its quotes.
        call: &'a [u8],
    },
    /// A chunk of a UI message stream that is more than text (PROTOCOLS 4.5).
    Chunk {
        /// Its type.
        kind: ChunkKind,
        /// All of it, a valid raw JSON object with the members that its type must have.
        raw: &'a [u8],
    },
    /// The server has said how the run ends, and not yet that it has: the stream's own end does that.
    Concluded {
        /// In which of the three ways.
        how: Terminal,
        /// What it says of the whole run, as of a start.
        metadata: Option<&'a [u8]>,
    },
    /// A tool call begins.
    ToolStarted {
        /// The call as far as it is known.
        tool: Tool<'a>,
    },
    /// More of the arguments of a call that has begun, or begins with them.
    ToolInput {
        /// What to append, and whose it is.
        tool: Tool<'a>,
    },
    /// A tool call is over.
    ToolEnded {
        /// What the end adds to the call.
        tool: Tool<'a>,
    },
    /// The open text block is complete (B-TB-6).
    BlockEnded {
        /// The server's number of the block; zero is a number like any other.
        seq: u32,
    },
    /// The state so far: replaces text and tool calls, what follows appends (B-RES-3).
    Snapshot(Snapshot<'a>),
    /// The run waits for a person's answer. Raw JSON object.
    Interrupted {
        /// The questions.
        raw: &'a [u8],
    },
    /// A source of what was said. Raw JSON object.
    Citation {
        /// The source.
        raw: &'a [u8],
    },
    /// What the run has cost. Raw JSON object.
    Usage {
        /// The counts.
        raw: &'a [u8],
    },
    /// What was said so far is void.
    Reset,
    /// A sign of life, nothing more.
    Heartbeat,
    /// The run is over.
    Ended {
        /// In which of the three ways.
        how: Terminal,
        /// The server's own words about it.
        error: Option<JsonStr<'a>>,
        /// How long the server says it took, in ms.
        generation_ms: Option<u64>,
        /// What else it says of the whole run.
        metadata: Option<Metadata<'a>>,
    },
    /// The server does not do what was asked: a send, or a resumption.
    Refused {
        /// Why, by the protocol's own word for it.
        code: Option<JsonStr<'a>>,
        /// The server's own words about it.
        error: Option<JsonStr<'a>>,
    },
    /// Nothing for the transcript: of an unknown type, or without the payload its type promises (B-PARSE-6).
    Ignored,
}

/// The types of chunks that change the parts of a message by more than a text's next words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkKind {
    /// A text begins, goes on with news of its provider, or ends.
    TextStart,
    /// As above.
    TextDelta,
    /// As above.
    TextEnd,
    /// A stretch of reasoning begins, goes on with news of its provider, or ends.
    ReasoningStart,
    /// As above.
    ReasoningDelta,
    /// As above.
    ReasoningEnd,
    /// A tool's input begins to stream, is there, or makes no sense.
    ToolInputStart,
    /// As above.
    ToolInputAvailable,
    /// As above.
    ToolInputError,
    /// Somebody is asked whether a tool may run, and has answered.
    ToolApprovalRequest,
    /// As above.
    ToolApprovalResponse,
    /// A tool has returned, failed, or may not run.
    ToolOutputAvailable,
    /// As above.
    ToolOutputError,
    /// As above.
    ToolOutputDenied,
    /// A part that stands for itself: a source, a file, something of the provider's.
    Whole,
    /// Data of the application's.
    Data,
    /// A step begins, or is to be done again.
    StepStart,
    /// As above.
    StepReset,
    /// More about the whole run.
    Metadata,
}

/// The three ways in which a server ends a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Terminal {
    /// The answer is whole.
    Completed,
    /// Someone stopped it.
    Cancelled,
    /// It broke.
    Failed,
}

/// What the end of a run says of it. Raw JSON objects.
#[derive(Clone, Copy, Debug)]
pub enum Metadata<'a> {
    /// All of it is about the run.
    Whole(&'a [u8]),
    /// A frame or a reply of `ws-chat`, which has other members, too.
    Frame(&'a [u8]),
    /// The last chunk of `chunks`, which may say what the run has cost.
    Chunk(&'a [u8]),
    /// A message that `chunks` tells at once: its texts are the run's.
    Message(&'a [u8]),
}

/// A tool call, or what one event says about it: `None` says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tool<'a> {
    /// Its strings, by [`ToolField`].
    pub fields: [Option<JsonStr<'a>>; ToolField::COUNT],
    /// How long it took, in ms.
    pub duration_ms: Option<u64>,
}

/// The strings of a tool call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToolField {
    /// Names the call within its run.
    CallId,
    /// The tool's name.
    Name,
    /// The agent that called it.
    AgentName,
    /// The arguments, as JSON text inside a string.
    Arguments,
    /// What it returned.
    Result,
    /// Why it failed; a call with an error has failed.
    Error,
}

impl ToolField {
    /// How many there are.
    pub const COUNT: usize = 6;
    /// What they are called in a page's parts, in order.
    pub const NAMES: [&str; Self::COUNT] = ["callId", "name", "agentName", "arguments", "result", "error"];
}

impl<'a> Tool<'a> {
    /// One of its strings.
    pub fn field(&self, field: ToolField) -> Option<JsonStr<'a>> {
        self.fields.get(field as usize).copied().flatten()
    }

    /// Says one of its strings.
    pub(super) fn set(&mut self, field: ToolField, text: JsonStr<'a>) {
        if let Some(slot) = self.fields.get_mut(field as usize) {
            *slot = Some(text);
        }
    }

    /// Whether it says that the call failed.
    pub fn has_failed(&self) -> bool {
        self.field(ToolField::Error).is_some_and(|error| !error.is_empty())
    }

    /// Reads a raw object whose members are called as in [`ToolField::NAMES`], but for the id. A member of a wrong type is
    /// `Fault::WrongType { member: "tool" }`, or as good as absent.
    pub(super) fn read(raw: &'a [u8], id_name: &[u8], is_lenient: bool) -> Result<Self, Fault> {
        let mut tool = Self::default();
        let mut members = Members::open(raw)?;
        while let Some((key, value)) = members.next()? {
            let name = key.plain();
            let is_right = if *name == *b"durationMs" {
                tool.duration_ms = value.as_u64();
                matches!(value, Value::Number(_))
            } else {
                let mut names = ToolField::NAMES.iter().map(|name| name.as_bytes());
                let index = if *name == *id_name { Some(0) } else { names.position(|known| known == &*name) };
                let Some(slot) = index.and_then(|index| tool.fields.get_mut(index)) else { continue };
                *slot = value.as_str();
                slot.is_some()
            };
            if !is_right && !is_lenient && !matches!(value, Value::Null) {
                return Err(Fault::WrongType { member: "tool" });
            }
        }
        Ok(tool)
    }
}

/// A run's state as the server stored it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Snapshot<'a> {
    /// All text so far.
    pub content: Option<JsonStr<'a>>,
    /// Where the finished text blocks end, as a raw JSON array; see [`Snapshot::offsets`].
    pub offsets: Option<&'a [u8]>,
    /// The tool calls so far, as a raw JSON array; see [`Snapshot::tools`].
    pub tools: Option<&'a [u8]>,
    /// All metadata, as a raw JSON object.
    pub metadata: Option<&'a [u8]>,
}

impl<'a> Snapshot<'a> {
    /// The ends of the finished text blocks, rounded down. What is not a number from zero up is dropped (B-TB-4); range and
    /// order are the concern of [`text_blocks`](super::text_blocks).
    pub fn offsets(&self) -> impl Iterator<Item = u64> + use<'a> {
        Elements::open(self.offsets.unwrap_or(&[])).filter_map(|value| value.as_u64())
    }

    /// The tool calls so far. Metadata is free-form: what is not an object is dropped, a member of another type is as good
    /// as absent.
    pub fn tools(&self) -> impl Iterator<Item = Tool<'a>> + use<'a> {
        Elements::open(self.tools.unwrap_or(&[])).filter_map(|value| match value {
            Value::Object(raw) => Tool::read(raw, b"id", true).ok(),
            _ => None,
        })
    }
}
