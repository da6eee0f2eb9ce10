//! The JSON of an envelope.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::content::{Ending, JsonStyle, Kind, Object, Phase, ToolUse, delta_string, json_value};
use crate::runs::Run;

/// The data of an envelope's frame.
pub(crate) fn envelope(kind: &Kind, run: &Run, seq: u64, duration_ms: u64) -> Bytes {
    let style = run.recipe.json;
    let (name, payload) = payload(kind, &run.session_id, duration_ms, style);
    let mut object = Object::new(style);
    object.text("chatId", &run.session_id).text("messageId", &run.run_id).text("streamId", &run.stream_id);
    object.number("seq", seq).text("kind", name).raw("payload", &payload);
    object.finish()
}

/// The kind's name and its payload.
fn payload(kind: &Kind, chat_id: &str, duration_ms: u64, style: JsonStyle) -> (&'static str, String) {
    let mut object = Object::new(style);
    let name = match kind {
        Kind::Text(delta) => {
            object.raw("text", &delta_string(delta, style));
            "assistant_text"
        }
        Kind::Thinking(delta) => {
            object.raw("thinking", &delta_string(delta, style));
            "assistant_thinking"
        }
        Kind::Tool(phase, call) => {
            object.raw("tool", &tool(*phase, call, style));
            match phase {
                Phase::Started => "tool_started",
                Phase::Completed => "tool_completed",
                Phase::Failed => "tool_failed",
            }
        }
        Kind::Usage(usage) => {
            object.raw("context_usage", &json_value(usage, style)).text("chat_id", chat_id);
            "system"
        }
        Kind::Permission(payload) => return ("permission_request", json_value(payload, style)),
        Kind::HandOver(payload) => return ("queue_processing", json_value(payload, style)),
        Kind::Note(name, payload) => return (name, json_value(payload, style)),
        Kind::End(ending, text) => match ending {
            Ending::Done => {
                object.text("status", "completed").number("duration_ms", duration_ms);
                "complete"
            }
            Ending::Cancelled => {
                object.text("status", "interrupted").number("duration_ms", duration_ms);
                "cancelled"
            }
            Ending::Error | Ending::Failed => {
                object.text("error", text.as_deref().unwrap_or_default());
                "error"
            }
        },
    };
    (name, object.close())
}

/// A tool call with all its members, `null` where there is nothing.
fn tool(phase: Phase, call: &ToolUse, style: JsonStyle) -> String {
    let json = |value: Value| json_value(&value, style);
    let mut object = Object::new(style);
    object.text("id", &call.id).text("name", call.name).text("title", &format!("Run {}", call.name));
    object.text("status", phase.status()).raw("parent_id", &json(json!(call.parent_id)));
    object.raw("input", &json_value(&call.input, style)).raw("result", &json(json!(call.result)));
    object.raw("error", &json(json!(call.error))).raw("permission_mode", "null");
    object.close()
}

/// The payload of the `queue_processing` with which `run` gives way to `next`.
pub(crate) fn hand_over(next: &Run, prior_duration_ms: u64) -> Value {
    json!({
        "queued_message_id": uuid::Uuid::new_v4().to_string(),
        "user_message_id": uuid::Uuid::new_v4().to_string(),
        "assistant_message_id": next.run_id,
        "checkpoint_id": null,
        "content": next.content,
        "model_id": "lab-1",
        "attachments": [],
        "prior_duration_ms": prior_duration_ms,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Delta;

    fn text(kind: &Kind) -> String {
        let (name, payload) = payload(kind, "c1", 17, JsonStyle::Html);
        format!("{name} {payload}")
    }

    #[test]
    fn the_wire_looks_as_the_list_of_kinds_says() {
        let delta = || Delta { text: "Hel<".to_owned(), ..Delta::default() };
        assert_eq!(text(&Kind::Text(delta())), "assistant_text {\"text\":\"Hel\\u003c\"}");
        assert_eq!(text(&Kind::Thinking(delta())), "assistant_thinking {\"thinking\":\"Hel\\u003c\"}");
        assert_eq!(text(&Kind::Usage(json!({ "a": 1 }))), "system {\"context_usage\":{\"a\":1},\"chat_id\":\"c1\"}");
        assert_eq!(text(&Kind::Note("plan", json!({ "data": 1 }))), "plan {\"data\":1}");
        let end = |ending, text: Option<&str>| Kind::End(ending, text.map(str::to_owned));
        assert_eq!(text(&end(Ending::Done, None)), "complete {\"status\":\"completed\",\"duration_ms\":17}");
        assert_eq!(text(&end(Ending::Cancelled, None)), "cancelled {\"status\":\"interrupted\",\"duration_ms\":17}");
        for ending in [Ending::Error, Ending::Failed] {
            assert_eq!(text(&end(ending, Some("no model"))), "error {\"error\":\"no model\"}");
        }
    }

    #[test]
    fn a_tool_has_all_its_members() {
        let call = ToolUse {
            id: "c".to_owned(),
            name: "sql",
            parent_id: None,
            input: json!({ "q": "a<b" }),
            result: Some(json!([1])),
            error: None,
        };
        assert_eq!(
            text(&Kind::Tool(Phase::Completed, call)),
            "tool_completed {\"tool\":{\"id\":\"c\",\"name\":\"sql\",\"title\":\"Run sql\",\"status\":\"completed\",\
             \"parent_id\":null,\"input\":{\"q\":\"a\\u003cb\"},\"result\":[1],\"error\":null,\"permission_mode\":null}}"
        );
    }
}
