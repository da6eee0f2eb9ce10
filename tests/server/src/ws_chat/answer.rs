//! An answer as REST tells it: its state, and the message that it becomes.

use serde_json::{Value, json};

use crate::content::Ending;
use crate::runs::{Outline, Run};

use super::payload::CANCELLED;

/// The `status` of what a run has come to.
fn status(outline: &Outline) -> &'static str {
    match &outline.end {
        None => "streaming",
        Some((Ending::Done, _)) => "complete",
        Some((Ending::Cancelled, _)) => CANCELLED,
        Some((Ending::Error | Ending::Failed, _)) => "error",
    }
}

/// `GET …/status`.
pub(super) fn state(run: &Run) -> Value {
    let outline = run.outline();
    let mut state = json!({
        "active": outline.end.is_none(),
        "status": status(&outline),
        "session_id": run.session_id,
        "request_id": run.request_id,
        "pending_message_id": run.run_id,
        "message_id": null,
        "content": outline.text,
        "seq": outline.events,
        "started_at": run.started_at,
    });
    add_end(&mut state, &outline);
    if let Some(done) = &outline.done {
        state["message_id"] = done.message_id.as_str().into();
    }
    state
}

/// `GET …/status` of an answer that is not known.
pub(super) fn unknown() -> Value {
    json!({ "active": false, "status": "unknown" })
}

/// An element of `GET …/messages`. While it is made an answer goes by its `pending_message_id`.
pub(super) fn message(run: &Run) -> Value {
    let outline = run.outline();
    let id = if outline.end.is_some() { &run.message_id } else { &run.run_id };
    let mut message = json!({
        "id": id,
        "session_id": run.session_id,
        "role": "assistant",
        "content": outline.text,
        "created_at": run.started_at,
        "status": status(&outline),
        "pending_message_id": run.run_id,
        "request_id": run.request_id,
    });
    add_end(&mut message, &outline);
    message
}

fn add_end(value: &mut Value, outline: &Outline) {
    if let Some(done) = &outline.done {
        value["sources"] = done.sources.clone().into();
        value["confidence"] = done.confidence.into();
        value["generation_time_ms"] = done.generation_time_ms.into();
    }
    if let Some((_, Some(error))) = &outline.end {
        value["error"] = error.as_str().into();
    }
}
