//! What a run says: the same moments for the same recipe, to the last character.

mod chance;
mod chunk;
mod chunks;
mod json;
mod kind;
mod kinds;
mod plan;
mod prose;
mod tokens;
mod tool;

use serde::{Deserialize, Serialize};

pub(crate) use chance::Chance;
pub use chunk::{Caller, Chunk, Voice};
pub use chunks::chunks;
pub(crate) use json::{Object, delta_string, json_value};
pub use kind::{Kind, Phase, ToolUse};
pub use kinds::kinds;
pub use plan::plan;

/// How a run is to end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Ending {
    /// `done`: the answer is whole.
    #[default]
    Done,
    /// `cancelled`, which servers of today no longer send (B-EVT-1).
    Cancelled,
    /// `error`, with a text.
    Error,
    /// `failed`, with a text.
    Failed,
}

impl Ending {
    /// The event's name.
    pub fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Error => "error",
            Self::Failed => "failed",
        }
    }
}

/// How strings are written inside the JSON of an event. All three mean the same text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum JsonStyle {
    /// Only what JSON demands is escaped.
    Plain,
    /// `<`, `>`, `&`, U+2028 and U+2029 too, as Go's encoder does and with it the real server.
    #[default]
    Html,
    /// Everything outside ASCII too.
    Ascii,
}

/// What decides a run's content and pace.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Recipe {
    /// Decides every word. Without it a session's n-th run has seed n.
    pub seed: Option<u64>,
    /// Events in the log, the terminal one included. Parts that do not fit are left out, the terminal never.
    pub events: usize,
    /// Events per second; 0 is as fast as the sockets of those who watch take them.
    pub events_per_second: f64,
    /// Whether each stretch of text is preceded by `thinking`.
    pub reasoning: bool,
    /// Tool calls, spread over the text; every fifth fails.
    pub tool_calls: usize,
    /// Whether a `citation` follows the text.
    pub citation: bool,
    /// Whether a `usage` event precedes the terminal one.
    pub usage: bool,
    /// Whether the run asks the user something before it ends (`interrupt`).
    pub interrupt: bool,
    /// How the run ends.
    pub ending: Ending,
    /// The text of an `error` or `failed` ending.
    pub error: String,
    /// Heartbeat interval, in ms.
    pub heartbeat_ms: u64,
    /// Whether there are heartbeats at all.
    pub heartbeats: bool,
    /// The most events sent as one HTTP chunk; 0 sends what is ready, up to 64 KiB.
    pub chunk_events: usize,
    /// How strings are escaped.
    pub json: JsonStyle,
    /// Text deltas that end inside a surrogate pair: `\ud83d` closes one, `\ude00` opens the next.
    pub split_surrogates: bool,
    /// Whether a queued message's turn follows instead of the end (A-SRV-7).
    pub queue: bool,
    /// Whether a permission request waits for its answer.
    pub wait_for_answer: bool,
    /// Whether text, thinking and tools are held back and come in bursts (A-SRV-3).
    pub buffered: bool,
    /// How many events there are before the run waits until it is let go; `None`: it never waits.
    pub hold_at: Option<usize>,
    /// Which row of the answer makes void what was before it, where the protocol has that.
    pub reset_at: Option<usize>,
}

impl Default for Recipe {
    fn default() -> Self {
        Self {
            seed: None,
            events: 400,
            events_per_second: 40.0,
            reasoning: true,
            tool_calls: 2,
            citation: true,
            usage: true,
            interrupt: false,
            ending: Ending::Done,
            error: "An error occurred while processing your request".to_owned(),
            heartbeat_ms: 15_000,
            heartbeats: true,
            chunk_events: 0,
            json: JsonStyle::Html,
            split_surrogates: false,
            queue: false,
            wait_for_answer: false,
            buffered: false,
            hold_at: None,
            reset_at: None,
        }
    }
}

/// A delta of text or reasoning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Delta {
    /// The characters that are whole once this delta has arrived.
    pub text: String,
    /// The first character's high surrogate went out with the delta before; only its low one is sent here.
    pub opens_low: bool,
    /// A character whose high surrogate is sent here, after the text; the delta after this one completes it.
    pub ends_high: Option<char>,
}

/// One tool call as its end tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToolCall {
    /// Unique in the run.
    pub call_id: String,
    /// The tool.
    pub name: &'static str,
    /// The sub-agent that called it, if any.
    pub agent_name: Option<&'static str>,
    /// JSON text.
    pub arguments: String,
    /// Text of a success.
    pub result: Option<String>,
    /// Text of a failure.
    pub error: Option<String>,
    /// What it is said to have taken, where the protocol tells.
    pub duration_ms: Option<u64>,
}

/// One event of a run before it has a time or a form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Moment {
    /// `thinking`
    Reasoning(Delta),
    /// `content`
    Text(Delta),
    /// `text_block_end` with its zero-based number (B-TB-6).
    BlockEnd(u32),
    /// `tool_start`
    ToolStart(ToolCall),
    /// `tool_end`
    ToolEnd(ToolCall),
    /// `citation`: its JSON.
    Citation(String),
    /// `interrupt`: its JSON.
    Interrupt(String),
    /// `usage`: its JSON.
    Usage(String),
    /// The terminal event, with the text of an error.
    End(Ending, Option<String>),
}
