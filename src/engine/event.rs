//! The one event model that all protocols map to.
//!
//! Everything here borrows the bytes it came from. Text is named but not yet decoded; values that the engine does not
//! interpret stay raw JSON, already validated, and are parsed by `JSON.parse` when someone in the page reads them.

use super::json::{Elements, Members, Value};
pub use super::json::{Fault, JsonStr};

/// What one event means for a run.
#[derive(Clone, Copy, Debug)]
pub enum RunEvent<'a> {
    /// The server has begun the run, and may have named it.
    Started {
        /// The run's name.
        run_id: Option<JsonStr<'a>>,
    },
    /// More of the answer.
    Text {
        /// What to append.
        text: JsonStr<'a>,
    },
    /// More of the reasoning in front of or between the answer's texts.
    Reasoning {
        /// What to append.
        text: JsonStr<'a>,
    },
    /// A tool call begins.
    ToolStarted {
        /// The call as far as it is known.
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
    },
    /// Nothing for the transcript: of an unknown type, or without the payload its type promises (B-PARSE-6).
    Ignored,
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

/// A tool call, or what one event says about it: `None` says nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Tool<'a> {
    /// Names the call within its run.
    pub call_id: Option<JsonStr<'a>>,
    /// The tool's name.
    pub name: Option<JsonStr<'a>>,
    /// The agent that called it.
    pub agent_name: Option<JsonStr<'a>>,
    /// The arguments, as JSON text inside a string.
    pub arguments: Option<JsonStr<'a>>,
    /// What it returned.
    pub result: Option<JsonStr<'a>>,
    /// Why it failed; a call with an error has failed.
    pub error: Option<JsonStr<'a>>,
    /// How long it took, in ms.
    pub duration_ms: Option<u64>,
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
        let mut elements = self.offsets.map(Elements::open);
        core::iter::from_fn(move || elements.as_mut()?.next()).filter_map(|value| value.as_u64())
    }

    /// The tool calls so far. Metadata is free-form: what is not an object is dropped, a member of another type is as good
    /// as absent.
    pub fn tools(&self) -> impl Iterator<Item = Tool<'a>> + use<'a> {
        let mut elements = self.tools.map(Elements::open);
        core::iter::from_fn(move || elements.as_mut()?.next()).filter_map(|value| match value {
            Value::Object(raw) => Some(stored_tool(raw)),
            _ => None,
        })
    }
}

fn stored_tool(raw: &[u8]) -> Tool<'_> {
    let mut tool = Tool::default();
    let Ok(mut members) = Members::open(raw) else { return tool };
    while let Ok(Some((key, value))) = members.next() {
        let Some(slot) = tool_slot(&mut tool, key, b"id") else {
            if key.equals(b"durationMs") {
                tool.duration_ms = value.as_u64();
            }
            continue;
        };
        *slot = value.as_str();
    }
    tool
}

/// Where the string member `key` of a tool call belongs; `id_key` is what this shape calls the call's id.
pub(super) fn tool_slot<'t, 'a>(
    tool: &'t mut Tool<'a>,
    key: JsonStr<'_>,
    id_key: &[u8],
) -> Option<&'t mut Option<JsonStr<'a>>> {
    if key.equals(id_key) {
        return Some(&mut tool.call_id);
    }
    if key.equals(b"name") {
        return Some(&mut tool.name);
    }
    if key.equals(b"agentName") {
        return Some(&mut tool.agent_name);
    }
    if key.equals(b"arguments") {
        return Some(&mut tool.arguments);
    }
    if key.equals(b"result") {
        return Some(&mut tool.result);
    }
    if key.equals(b"error") {
        return Some(&mut tool.error);
    }
    None
}
