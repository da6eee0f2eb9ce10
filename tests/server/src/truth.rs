//! What a client must end up with: a run's moments folded as a perfect connection would have shown them, in the shape of
//! the library's own parts.

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::content::{Delta, Ending, Moment, ToolCall};

/// Whether a part still grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum PartState {
    /// More may come.
    Streaming,
    /// Whole.
    Done,
    /// The tool has started and not ended.
    Running,
    /// The tool ended with an error.
    Failed,
}

/// One part of the transcript, as JavaScript sees it.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Part {
    /// A block of text.
    Text {
        /// Number among the text parts, from 0.
        seq: u32,
        /// Streaming or done.
        state: PartState,
        /// What it says.
        text: String,
    },
    /// A stretch of reasoning.
    #[serde(rename_all = "camelCase")]
    Reasoning {
        /// Streaming or done.
        state: PartState,
        /// What it says.
        text: String,
        /// When its first and its last words came, in unix ms, where events tell the time.
        #[serde(skip_serializing_if = "Option::is_none")]
        started_at: Option<u64>,
        /// The same.
        #[serde(skip_serializing_if = "Option::is_none")]
        ended_at: Option<u64>,
    },
    /// A tool call.
    #[serde(rename_all = "camelCase")]
    Tool {
        /// Unique in the run.
        call_id: String,
        /// The tool.
        name: String,
        /// The sub-agent, if any.
        agent_name: Option<String>,
        /// JSON text.
        arguments: Option<String>,
        /// Text of a success.
        result: Option<String>,
        /// Text of a failure.
        error: Option<String>,
        /// What it took.
        duration_ms: Option<u64>,
        /// Running, done or failed.
        state: PartState,
    },
    /// A source.
    Citation {
        /// As the server sent it.
        citation: Value,
    },
    /// A question to the user.
    Interrupt {
        /// As the server sent it.
        interrupt: Value,
    },
}

/// The fold of a run's moments so far.
#[derive(Clone, Debug, Default)]
pub struct Truth {
    parts: Vec<Part>,
    text: String,
    text_utf16: usize,
    reasoning: String,
    usage: Option<Value>,
    /// Where `text_block_end` fell, in UTF-16 units of the whole text and in bytes.
    offsets: Vec<(usize, usize)>,
    end: Option<(Ending, Option<String>)>,
}

impl Truth {
    /// Takes the next moment of the run.
    pub fn apply(&mut self, moment: &Moment) {
        self.apply_at(moment, None);
    }

    /// The same, of an event that says when it was made.
    pub fn apply_at(&mut self, moment: &Moment, at: Option<u64>) {
        match moment {
            Moment::Text(delta) => self.append_text(delta),
            Moment::Reasoning(delta) => self.append_reasoning(delta, at),
            Moment::BlockEnd(_) => {
                self.close_open();
                self.offsets.push((self.text_utf16, self.text.len()));
            }
            Moment::ToolStart(call) => {
                self.close_open();
                self.parts.push(started(call));
            }
            Moment::ToolEnd(call) => self.end_tool(call),
            Moment::Citation(raw) => {
                self.close_open();
                self.parts.push(Part::Citation { citation: parse(raw) });
            }
            Moment::Interrupt(raw) => {
                self.close_open();
                self.parts.push(Part::Interrupt { interrupt: parse(raw) });
            }
            Moment::Usage(raw) => self.usage = Some(parse(raw)),
            Moment::End(ending, error) => {
                self.close_open();
                self.end = Some((*ending, error.clone()));
            }
        }
    }

    fn append_text(&mut self, delta: &Delta) {
        self.text.push_str(&delta.text);
        self.text_utf16 += delta.text.encode_utf16().count();
        if let Some(Part::Text { state: PartState::Streaming, text, .. }) = self.parts.last_mut() {
            text.push_str(&delta.text);
            return;
        }
        self.close_open();
        let seq = self.parts.iter().filter(|part| matches!(part, Part::Text { .. })).count();
        let seq = u32::try_from(seq).unwrap_or(u32::MAX);
        self.parts.push(Part::Text { seq, state: PartState::Streaming, text: delta.text.clone() });
    }

    fn append_reasoning(&mut self, delta: &Delta, at: Option<u64>) {
        self.reasoning.push_str(&delta.text);
        if let Some(Part::Reasoning { state: PartState::Streaming, text, ended_at, .. }) = self.parts.last_mut() {
            text.push_str(&delta.text);
            *ended_at = at;
            return;
        }
        self.close_open();
        let (state, text) = (PartState::Streaming, delta.text.clone());
        self.parts.push(Part::Reasoning { state, text, started_at: at, ended_at: at });
    }

    /// Only the last part can be open: whatever begins closes what was before it.
    fn close_open(&mut self) {
        if let Some(Part::Text { state, .. } | Part::Reasoning { state, .. }) = self.parts.last_mut() {
            *state = PartState::Done;
        }
    }

    fn end_tool(&mut self, call: &ToolCall) {
        let running =
            self.parts.iter_mut().find(|part| matches!(part, Part::Tool { call_id, .. } if *call_id == call.call_id));
        if let Some(Part::Tool { result, error, duration_ms, state, .. }) = running {
            *result = call.result.clone();
            *error = call.error.clone();
            *duration_ms = call.duration_ms;
            *state = if call.error.is_some() { PartState::Failed } else { PartState::Done };
        }
    }

    /// All text of the run.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The terminal event, once there is one.
    pub fn end(&self) -> Option<&(Ending, Option<String>)> {
        self.end.as_ref()
    }

    /// What `snapshot` and `status` tell of the run: text and tool calls, no reasoning, no citations.
    pub fn snapshot(&self, byte_offsets: bool) -> Value {
        let tool_calls: Vec<_> = self.parts.iter().filter_map(tool_call).collect();
        let offsets: Vec<_> =
            self.offsets.iter().map(|&(utf16, bytes)| if byte_offsets { bytes } else { utf16 }).collect();
        let mut metadata = serde_json::Map::new();
        if !tool_calls.is_empty() {
            metadata.insert("tool_calls".to_owned(), tool_calls.into());
        }
        if !offsets.is_empty() {
            metadata.insert("text_block_offsets".to_owned(), offsets.into());
        }
        json!({ "partialContent": self.text, "partialMetadata": metadata })
    }

    /// What `GET /control/truth` answers.
    pub fn report(&self) -> Value {
        let parts = serde_json::to_value(&self.parts).unwrap_or_default();
        // The same seed says the same at another time, too.
        let (sha256, text_sha256) = hashes(&without_times(&parts), &self.text);
        let blocks: Vec<_> = self.parts.iter().filter(|part| matches!(part, Part::Text { .. })).collect();
        json!({
            "text": self.text,
            "reasoning": self.reasoning,
            "sha256": sha256,
            "textSha256": text_sha256,
            "blocks": blocks,
            "usage": self.usage,
            "textBlockOffsets": self.offsets.iter().map(|&(utf16, _)| utf16).collect::<Vec<_>>(),
            "terminal": self.end.as_ref().map(|(ending, _)| ending.name()),
            "error": self.end.as_ref().and_then(|(_, error)| error.as_deref()),
            "parts": parts,
        })
    }
}

fn started(call: &ToolCall) -> Part {
    Part::Tool {
        call_id: call.call_id.clone(),
        name: call.name.to_owned(),
        agent_name: call.agent_name.map(str::to_owned),
        arguments: Some(call.arguments.clone()),
        result: None,
        error: None,
        duration_ms: None,
        state: PartState::Running,
    }
}

fn tool_call(part: &Part) -> Option<Value> {
    let Part::Tool { call_id, name, agent_name, arguments, result, error, duration_ms, .. } = part else { return None };
    let mut call = json!({ "id": call_id, "name": name, "arguments": arguments });
    let optional = [
        ("agentName", agent_name.clone().map(Value::from)),
        ("result", result.clone().map(Value::from)),
        ("error", error.clone().map(Value::from)),
        ("durationMs", duration_ms.map(Value::from)),
    ];
    for (key, value) in optional {
        if let Some(value) = value {
            call[key] = value;
        }
    }
    Some(call)
}

fn parse(raw: &str) -> Value {
    serde_json::from_str(raw).unwrap_or_default()
}

fn without_times(parts: &Value) -> Value {
    let mut parts = parts.clone();
    for part in parts.as_array_mut().into_iter().flatten().filter_map(Value::as_object_mut) {
        part.retain(|name, _| name != "startedAt" && name != "endedAt");
    }
    parts
}

/// The documented hashes of parts and text.
pub(crate) fn hashes(parts: &Value, text: &str) -> (String, String) {
    (sha256(&canonical(parts)), sha256(text))
}

/// JSON with the members of every object in order of their keys and no white space: in JavaScript, `JSON.stringify` of a
/// value whose objects were rebuilt with sorted keys.
pub fn canonical(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by_key(|(key, _)| key.encode_utf16().collect::<Vec<_>>());
            let members =
                members.into_iter().map(|(key, value)| format!("{}:{}", Value::from(key.as_str()), canonical(value)));
            format!("{{{}}}", members.collect::<Vec<_>>().join(","))
        }
        Value::Array(items) => format!("[{}]", items.iter().map(canonical).collect::<Vec<_>>().join(",")),
        plain => plain.to_string(),
    }
}

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Recipe, plan};

    fn fold(moments: &[Moment]) -> Truth {
        let mut truth = Truth::default();
        for moment in moments {
            truth.apply(moment);
        }
        truth
    }

    #[test]
    fn the_parts_hold_all_text_in_order_and_nothing_is_left_open() {
        let truth = fold(&plan(&Recipe { tool_calls: 6, events: 900, ..Recipe::default() }, 2));
        let text = truth.parts.iter().map(|part| if let Part::Text { text, .. } = part { text } else { "" });
        assert_eq!(text.collect::<String>(), truth.text);
        for part in &truth.parts {
            if let Part::Text { state, .. } | Part::Reasoning { state, .. } = part {
                assert_eq!(*state, PartState::Done);
            }
            if let Part::Tool { state, .. } = part {
                assert!(matches!(state, PartState::Done | PartState::Failed));
            }
        }
        let report = truth.report();
        assert_eq!(report["terminal"], "done");
        assert_eq!(report["blocks"].as_array().unwrap().len(), truth.offsets.len() + 1);
        assert_eq!(report["blocks"][1]["seq"], 1);
    }

    #[test]
    fn the_hash_is_over_sorted_keys_without_white_space() {
        let value = json!({ "b": [1, { "z": "\u{7f}\u{1}é\"", "a": null }], "a": true });
        assert_eq!(canonical(&value), "{\"a\":true,\"b\":[1,{\"a\":null,\"z\":\"\u{7f}\\u0001é\\\"\"}]}");
        assert_eq!(sha256("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }

    #[test]
    fn a_snapshot_tells_where_the_blocks_end_in_either_unit() {
        let text = |text: &str| Moment::Text(Delta { text: text.to_owned(), ..Delta::default() });
        let truth = fold(&[text("a😀"), Moment::BlockEnd(0), text("é")]);
        assert_eq!(truth.snapshot(false)["partialMetadata"]["text_block_offsets"], json!([3]));
        assert_eq!(truth.snapshot(true)["partialMetadata"]["text_block_offsets"], json!([5]));
        assert_eq!(truth.snapshot(false)["partialContent"], "a😀é");
    }
}
