//! One row of the index, and its JSON.

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::content::{Ending, JsonStyle, Object};
use crate::runs::RunState;

/// What the index holds of a session: its newest run. A status may be any text, so that tests can say what no server should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row {
    /// The session.
    pub session_id: String,
    /// Its run.
    pub run_id: String,
    /// `queued`, `streaming`, `completed`, `cancelled` or `failed`.
    pub status: String,
    /// Unix ms.
    pub updated_at: u64,
}

/// A row before it has its time.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draft {
    /// The session.
    pub session_id: String,
    /// Its run.
    pub run_id: String,
    /// Its status.
    pub status: String,
    /// Unix ms; without it now, and later than what the session had.
    pub updated_at: Option<u64>,
}

impl Row {
    /// Whether the run is over.
    pub fn is_terminal(&self) -> bool {
        matches!(self.status.as_str(), "completed" | "cancelled" | "failed")
    }

    /// The data of its event.
    pub(crate) fn data(&self) -> Bytes {
        let mut object = Object::new(JsonStyle::Html);
        object.text("sessionId", &self.session_id).text("runId", &self.run_id).text("status", &self.status);
        object.number("updatedAt", self.updated_at);
        object.finish()
    }
}

/// The status of a run that is over, or `None` where the server has forgotten it.
pub(super) fn status_of_end(state: RunState, is_stopped: bool) -> Option<&'static str> {
    match state {
        RunState::Ended(Ending::Done) => Some("completed"),
        RunState::Ended(Ending::Cancelled) => Some("cancelled"),
        // The event says `error` (B-EVT-1), the index knows better.
        RunState::Ended(_) if is_stopped => Some("cancelled"),
        RunState::Ended(_) => Some("failed"),
        RunState::Running | RunState::Lost => None,
    }
}
