//! The JSON of an event, members in the order of the real server's struct.

use bytes::Bytes;
use serde_json::Value;

use crate::content::{Delta, JsonStyle, Moment, ToolCall, escape, json_string, unit};

/// The event's name and its data.
pub(super) fn moment(
    moment: &Moment,
    run_id: &str,
    now: u64,
    generation_ms: u64,
    style: JsonStyle,
) -> (&'static str, Bytes) {
    let mut object = Object::new(style);
    let name = match moment {
        Moment::Text(delta) => object.typed("content").raw("content", &string(delta, style)).name(),
        Moment::Reasoning(delta) => object.typed("thinking").raw("content", &string(delta, style)).name(),
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
pub(super) fn started(run_id: &str, now: u64) -> Bytes {
    let mut object = Object::new(JsonStyle::Html);
    object.typed("stream_started").number("timestamp", now).text("runId", run_id);
    object.finish()
}

/// `snapshot`: replace what you have, then append.
pub(super) fn snapshot(snapshot: &Value, run_id: &str, now: u64, style: JsonStyle) -> Bytes {
    let mut object = Object::new(style);
    object.typed("snapshot").number("timestamp", now).raw("snapshot", &value(snapshot, style)).text("runId", run_id);
    object.finish()
}

/// A text delta that a node invents while it polls another node's state (B-RES-3).
pub(super) fn content(text: &str, run_id: &str, now: u64, style: JsonStyle) -> Bytes {
    let mut object = Object::new(style);
    object.typed("content").text("content", text).number("timestamp", now).text("runId", run_id);
    object.finish()
}

/// The `error` event that stands for a refusal after the headers (B-ES-12).
pub(super) fn refusal(sentence: &str, now: u64) -> Bytes {
    let mut object = Object::new(JsonStyle::Html);
    object.typed("error").text("error", sentence).number("timestamp", now);
    object.finish()
}

fn string(delta: &Delta, style: JsonStyle) -> String {
    if !delta.opens_low && delta.ends_high.is_none() {
        return json_string(&delta.text, style);
    }
    let mut out = String::from("\"");
    let mut chars = delta.text.chars();
    if delta.opens_low
        && let Some([_, low]) = chars.next().map(surrogates)
    {
        unit(low, &mut out);
    }
    escape(chars.as_str(), style, &mut out);
    if let Some([high, _]) = delta.ends_high.map(surrogates) {
        unit(high, &mut out);
    }
    out.push('"');
    out
}

fn surrogates(character: char) -> [u16; 2] {
    let mut pair = [0; 2];
    character.encode_utf16(&mut pair);
    pair
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
        object.number("durationMs", call.duration_ms);
    } else {
        object.text("arguments", &call.arguments);
    }
    object.close()
}

/// Any JSON value with its strings in the given style.
fn value(value: &Value, style: JsonStyle) -> String {
    match value {
        Value::String(text) => json_string(text, style),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(|item| self::value(item, style)).collect::<Vec<_>>().join(","))
        }
        Value::Object(members) => {
            let mut object = Object::new(style);
            for (key, member) in members {
                object.raw(key, &self::value(member, style));
            }
            object.close()
        }
        plain => plain.to_string(),
    }
}

/// A JSON object under construction.
struct Object {
    json: String,
    style: JsonStyle,
    name: &'static str,
}

impl Object {
    fn new(style: JsonStyle) -> Self {
        Self { json: String::from("{"), style, name: "" }
    }

    /// The `type`, which is the event's name too.
    fn typed(&mut self, name: &'static str) -> &mut Self {
        self.name = name;
        self.text("type", name)
    }

    fn name(&self) -> &'static str {
        self.name
    }

    fn text(&mut self, key: &str, text: &str) -> &mut Self {
        let json = json_string(text, self.style);
        self.raw(key, &json)
    }

    fn number(&mut self, key: &str, number: u64) -> &mut Self {
        self.raw(key, &number.to_string())
    }

    fn raw(&mut self, key: &str, json: &str) -> &mut Self {
        if self.json.len() > 1 {
            self.json.push(',');
        }
        self.json.push('"');
        self.json.push_str(key);
        self.json.push_str("\":");
        self.json.push_str(json);
        self
    }

    fn close(mut self) -> String {
        self.json.push('}');
        self.json
    }

    fn finish(self) -> Bytes {
        Bytes::from(self.close())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
