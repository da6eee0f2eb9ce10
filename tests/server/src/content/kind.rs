//! The kinds of envelopes (PROTOCOLS 2.2), as far as the server says them.

use serde_json::Value;

use super::{Delta, Ending};

/// One envelope before it has a number or a form.
#[derive(Clone, Debug, PartialEq)]
pub enum Kind {
    /// `assistant_text`
    Text(Delta),
    /// `assistant_thinking`
    Thinking(Delta),
    /// `tool_started`, `tool_completed`, `tool_failed`
    Tool(Phase, ToolUse),
    /// `permission_request` and its payload.
    Permission(Value),
    /// `system` with this `context_usage`, and the chat's id.
    Usage(Value),
    /// Any other kind that adds nothing to the message: its name, its payload.
    Note(&'static str, Value),
    /// `queue_processing` and its payload, which nobody knows before the next turn is there.
    HandOver(Value),
    /// `complete`, `cancelled`, `error` with its text.
    End(Ending, Option<String>),
}

/// Where a tool call is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// It runs.
    Started,
    /// It has a result.
    Completed,
    /// It has an error.
    Failed,
}

/// A tool call as each of its envelopes tells it.
#[derive(Clone, Debug, PartialEq)]
pub struct ToolUse {
    /// Unique in the message.
    pub id: String,
    /// The tool.
    pub name: &'static str,
    /// The call that it is a part of.
    pub parent_id: Option<String>,
    /// Any JSON.
    pub input: Value,
    /// Any JSON; a string is text.
    pub result: Option<Value>,
    /// Text of a failure.
    pub error: Option<String>,
}

impl Phase {
    /// The `status` of the tool.
    pub(crate) fn status(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl Kind {
    /// Whether it is the last of its message: the end, or the beginning of the next.
    pub(crate) fn ends_message(&self) -> bool {
        matches!(self, Self::End(..) | Self::HandOver(_))
    }

    /// Whether a server that collects holds it back (A-SRV-3).
    pub(crate) fn is_buffered(&self) -> bool {
        matches!(self, Self::Text(_) | Self::Thinking(_) | Self::Tool(..))
    }
}
