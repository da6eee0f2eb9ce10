//! The chunks of a UI message stream (PROTOCOLS 4.5), as far as the server says them.

use serde_json::Value;

use super::{Delta, Ending};

/// What text is said as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Voice {
    /// `text-…`
    Text,
    /// `reasoning-…`
    Reasoning,
}

/// Who calls which tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Unique in the run.
    pub call_id: String,
    /// The tool.
    pub name: &'static str,
    /// A tool that the client knows no type of, under this title.
    pub dynamic: Option<&'static str>,
    /// Whether the provider runs it.
    pub provider_executed: bool,
}

/// One chunk before it has a form.
#[derive(Clone, Debug, PartialEq)]
pub enum Chunk {
    /// `start` with the id of the run's message, and this metadata.
    Start(Value),
    /// `start-step`
    StartStep,
    /// `finish-step`
    FinishStep,
    /// `text-start`, `reasoning-start`
    Open(Voice),
    /// `text-delta`, `reasoning-delta`
    Say(Voice, Delta),
    /// `text-end`, `reasoning-end`, and the `providerMetadata` that comes with it.
    Close(Voice, Option<Value>),
    /// `tool-input-start`
    InputStart(Caller),
    /// `tool-input-delta`: of which call, and the text.
    InputDelta(String, String),
    /// `tool-input-available`
    Input(Caller, Value),
    /// `tool-output-available`; a preliminary one is replaced by the next.
    Output {
        /// Of which call.
        call_id: String,
        /// Any JSON.
        output: Value,
        /// Whether another follows.
        preliminary: bool,
    },
    /// `tool-output-error`: of which call, and the text.
    OutputError(String, String),
    /// `tool-approval-request`: its id, and for which call.
    Approval(String, String),
    /// `source-url`: its id, its address, its title.
    Source(&'static str, &'static str, &'static str),
    /// `file`: its address, its media type.
    File(&'static str, &'static str),
    /// `data-…`
    Data {
        /// The whole type.
        kind: &'static str,
        /// A later chunk of the same type and id replaces the data.
        id: Option<String>,
        /// Any JSON.
        data: Value,
        /// Whether no message keeps it.
        transient: bool,
    },
    /// `message-metadata`
    Metadata(Value),
    /// `finish`: its reason, and the metadata that comes with it.
    Finish(&'static str, Option<Value>),
    /// `abort` and its reason.
    Abort(Option<String>),
    /// `error` and its text.
    Error(String),
}

impl Voice {
    /// The id of all parts of this voice: one that is over leaves it to the next, as real servers do.
    pub(crate) fn id(self) -> &'static str {
        match self {
            Self::Text => "0",
            Self::Reasoning => "reasoning-0",
        }
    }
}

impl Chunk {
    /// The chunk that ends a run at once, with this ending.
    pub(crate) fn end(ending: Ending, text: Option<String>) -> Self {
        match ending {
            Ending::Done => Self::Finish("stop", None),
            Ending::Cancelled => Self::Abort(text),
            Ending::Error | Ending::Failed => Self::Error(text.unwrap_or_default()),
        }
    }

    /// How the run ended with this chunk, as a client can tell: `failed` is an `error` to it.
    pub(crate) fn ending(&self) -> Option<(Ending, Option<String>)> {
        match self {
            Self::Finish(..) => Some((Ending::Done, None)),
            Self::Abort(_) => Some((Ending::Cancelled, None)),
            Self::Error(text) => Some((Ending::Error, Some(text.clone()))),
            _ => None,
        }
    }
}
