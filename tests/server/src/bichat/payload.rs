//! The JSON of an event, members in the order of the real server's struct.

use bytes::Bytes;
use serde_json::Value;

use crate::content::{JsonStyle, Moment, Object, ToolCall, delta_string, json_value};

/// The event's name and its data.
pub(crate) fn moment(
    moment: &Moment,
    run_id: &str,
    now: u64,
    generation_ms: u64,
    style: JsonStyle,
) -> (&'static str, Bytes) {
    let mut object = Object::new(style);
    let name = match moment {
        Moment::Text(delta) => object.typed("content").raw("content", &delta_string(delta, style)).name(),
        Moment::Reasoning(delta) => object.typed("thinking").raw("content", &delta_string(delta, style)).name(),
        Moment::Citation(raw) => object.typed("citation").raw("citation", raw).name(),
        Moment::Usage(raw) => object.typed("usage").raw("usage", raw).name(),
        Moment::ToolStart(call) => object.typed("tool_start").raw("tool", &tool(call, false, style)).name(),
        Moment::ToolEnd(call) => object.typed("tool_end").raw("tool", &tool(call, true, style)).name(),
        Moment::Interrupt(raw) => object.typed("interrupt").raw("interrupt", raw).name(),
        Moment::BlockEnd(_) => object.typed("text_block_end").name(),
        Moment::End(ending, error) => {
            object.typed(ending.name()).number("generationMs", generation_ms);
            if let Some(error) = error {
                object.text("error", error);
            }
            object.name()
        }
    };
    object.number("timestamp", now).text("runId", run_id);
    if let Moment::BlockEnd(seq) = moment {
        object.number("textBlockSeq", u64::from(*seq));
    }
    (name, object.finish())
}

/// `stream_started`, the first event of a live stream (B-EVT-2).
pub(crate) fn started(run_id: &str, now: u64) -> Bytes {
    let mut object = Object::new(JsonStyle::Html);
    object.typed("stream_started").number("timestamp", now).text("runId", run_id);
    object.finish()
}

/// `snapshot`: replace what you have, then append.
pub(crate) fn snapshot(snapshot: &Value, run_id: &str, now: u64, style: JsonStyle) -> Bytes {
    let mut object = Object::new(style);
    object
        .typed("snapshot")
        .number("timestamp", now)
        .raw("snapshot", &json_value(snapshot, style))
        .text("runId", run_id);
    object.finish()
}

/// A text delta that a node invents while it polls another node's state (B-RES-3).
pub(crate) fn content(text: &str, run_id: &str, now: u64, style: JsonStyle) -> Bytes {
    let mut object = Object::new(style);
    object.typed("content").text("content", text).number("timestamp", now).text("runId", run_id);
    object.finish()
}

/// The `error` event that stands for a refusal after the headers (B-ES-12).
pub(crate) fn refusal(sentence: &str, now: u64) -> Bytes {
    let mut object = Object::new(JsonStyle::Html);
    object.typed("error").text("error", sentence).number("timestamp", now);
    object.finish()
}

/// The `error` event that stands for an index that cannot be read (B-AR-10).
pub(crate) fn unavailable(sentence: &str) -> Bytes {
    let mut object = Object::new(JsonStyle::Html);
    object.text("error", sentence);
    object.finish()
}

fn tool(call: &ToolCall, ended: bool, style: JsonStyle) -> String {
    let mut object = Object::new(style);
    object.text("callId", &call.call_id).text("name", call.name);
    if let Some(agent) = call.agent_name {
        object.text("agentName", agent);
    }
    if ended {
        if let Some(result) = &call.result {
            object.text("result", result);
        }
        if let Some(error) = &call.error {
            object.text("error", error);
        }
        if let Some(ms) = call.duration_ms {
            object.number("durationMs", ms);
        }
    } else {
        object.text("arguments", &call.arguments);
    }
    object.close()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Delta;

    fn text(moment: &Moment) -> String {
        let (_, data) = super::moment(moment, "r1", 17, 5, JsonStyle::Html);
        String::from_utf8(data.to_vec()).unwrap()
    }

    #[test]
    fn the_wire_looks_like_the_real_servers() {
        let delta = Delta { text: "Hel<".to_owned(), ..Delta::default() };
        assert_eq!(
            text(&Moment::Text(delta)),
            "{\"type\":\"content\",\"content\":\"Hel\\u003c\",\"timestamp\":17,\"runId\":\"r1\"}"
        );
        // The real server omits empty members; a zero block number is behind a pointer and survives.
        assert_eq!(
            text(&Moment::BlockEnd(0)),
            "{\"type\":\"text_block_end\",\"timestamp\":17,\"runId\":\"r1\",\"textBlockSeq\":0}"
        );
        let (name, _) = super::moment(&Moment::BlockEnd(0), "r1", 17, 5, JsonStyle::Html);
        assert_eq!(name, "text_block_end");
    }

    #[test]
    fn a_split_pair_is_sent_as_two_lone_escapes() {
        let high = Delta { text: "a".to_owned(), ends_high: Some('😀'), ..Delta::default() };
        let low = Delta { text: "😀b".to_owned(), opens_low: true, ..Delta::default() };
        assert!(text(&Moment::Text(high)).contains("\"a\\ud83d\""));
        assert!(text(&Moment::Text(low)).contains("\"\\ude00b\""));
    }
}
