//! What an answer's rows hold: the moments of the other protocols as the chunks of this one.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::content::{Delta, Ending, JsonStyle, Moment, Object, Recipe, ToolCall, delta_string, plan};
use crate::runs::Run;

/// One row before it has a number.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    said: Said,
    /// What it adds to the answer.
    pub(crate) moment: Option<Moment>,
}

#[derive(Clone, Debug, PartialEq)]
enum Said {
    /// The message that is answered.
    Question,
    /// JSON.
    Chunk(String),
    /// What the message's own author sent.
    Written(Box<Author>, String),
    /// Everything before it is void.
    Reset,
}

/// Whose a written chunk is.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Author {
    pub(super) actor_id: String,
    pub(super) role: String,
    pub(super) txid: Option<String>,
}

impl Row {
    /// A chunk as its author sent it.
    pub(super) fn written(author: Author, chunk: &Value) -> Self {
        let text = |name: &str| chunk[name].as_str().map(str::to_owned);
        let words = || chunk["error"]["message"].as_str().map(str::to_owned).or(text("message")).or(text("error"));
        let moment = match chunk["type"].as_str().unwrap_or_default() {
            "TEXT_MESSAGE_CONTENT" => text("delta").map(|text| Moment::Text(Delta { text, ..Delta::default() })),
            "message-end" => Some(Moment::End(Ending::Done, None)),
            "RUN_FINISHED" if chunk["finishReason"] != "tool_calls" => Some(Moment::End(Ending::Done, None)),
            "stop" => Some(Moment::End(Ending::Cancelled, None)),
            "RUN_ERROR" | "error" => Some(Moment::End(Ending::Error, words())),
            _ => None,
        };
        Self { said: Said::Written(Box::new(author), chunk.to_string()), moment }
    }

    fn chunk(chunk: Object, moment: Option<Moment>) -> Self {
        Self { said: Said::Chunk(chunk.close()), moment }
    }

    fn aside(name: &'static str, value: &Value) -> Self {
        let mut chunk = Object::new(JsonStyle::Plain);
        chunk.typed("CUSTOM").text("name", name).raw("value", &value.to_string());
        Self::chunk(chunk, None)
    }

    /// The last one.
    pub(crate) fn end(ending: Ending, text: Option<String>) -> Self {
        let mut chunk = Object::new(JsonStyle::Plain);
        match ending {
            Ending::Done => chunk.typed("message-end"),
            Ending::Cancelled => chunk.typed("stop").text("reason", "aborted"),
            Ending::Error | Ending::Failed => {
                let error = json!({ "message": text, "code": "agent_error" });
                chunk.typed("RUN_ERROR").raw("error", &error.to_string())
            }
        };
        // As a client can tell it.
        let ending = if ending == Ending::Failed { Ending::Error } else { ending };
        Self::chunk(chunk, Some(Moment::End(ending, text)))
    }

    /// Whether everything before it is void.
    pub(crate) fn is_reset(&self) -> bool {
        self.said == Said::Reset
    }

    /// Whether it is of the answer, and has a number there.
    pub(crate) fn is_numbered(&self) -> bool {
        matches!(self.said, Said::Chunk(_) | Said::Written(..))
    }
}

/// The rows of a message and of its answer: exactly `recipe.events` of them, at least two.
pub(crate) fn script(recipe: &Recipe, seed: u64) -> Vec<Row> {
    let room = recipe.events.saturating_sub(1).max(1);
    // A tool's call takes four rows rather than one.
    let mut rows = (1..=room)
        .rev()
        .map(|events| told(&plan(&Recipe { events, ..recipe.clone() }, seed), recipe.json))
        .find(|rows| rows.len() <= room)
        .unwrap_or_default();
    for number in rows.len()..room {
        rows.insert(0, Row::aside("progress", &json!({ "left": number })));
    }
    if let Some(at) = recipe.reset_at.filter(|&at| at < rows.len()) {
        rows[at] = Row { said: Said::Reset, moment: None };
    }
    rows.insert(0, Row { said: Said::Question, moment: None });
    rows
}

fn told(moments: &[Moment], style: JsonStyle) -> Vec<Row> {
    moments.iter().flat_map(|moment| rows_of(moment, style)).collect()
}

fn rows_of(moment: &Moment, style: JsonStyle) -> Vec<Row> {
    let mut chunk = Object::new(style);
    let known = Some(moment.clone());
    match moment {
        Moment::Text(delta) => {
            chunk.typed("TEXT_MESSAGE_CONTENT").text("messageId", "text").raw("delta", &delta_string(delta, style));
        }
        Moment::Reasoning(delta) => {
            chunk.typed("STEP_FINISHED").text("stepId", "thinking-0").raw("delta", &delta_string(delta, style));
        }
        Moment::BlockEnd(_) => drop(chunk.typed("TEXT_MESSAGE_END").text("messageId", "text")),
        Moment::ToolStart(call) => return started(call, moment, style),
        Moment::ToolEnd(call) if call.error.is_some() => {
            let error = call.error.as_deref().unwrap_or_default();
            chunk.typed("tool-result").text("toolCallId", &call.call_id).raw("output", "null").text("error", error);
            return vec![Row::chunk(chunk, Some(ended(call)))];
        }
        Moment::ToolEnd(call) => {
            let result = call.result.as_deref().unwrap_or_default();
            chunk.typed("TOOL_CALL_END").text("toolCallId", &call.call_id).text("toolName", "").text("result", result);
            return vec![Row::chunk(chunk, Some(ended(call)))];
        }
        Moment::Citation(raw) => {
            return vec![Row::aside("citation", &serde_json::from_str(raw).unwrap_or_default())];
        }
        Moment::Interrupt(raw) => {
            chunk.typed("CUSTOM").text("name", "approval-requested").raw("value", raw);
        }
        Moment::Usage(raw) => drop(chunk.typed("RUN_FINISHED").text("finishReason", "tool_calls").raw("usage", raw)),
        Moment::End(ending, text) => return vec![Row::end(*ending, text.clone())],
    }
    vec![Row::chunk(chunk, known)]
}

/// The call, its arguments in two pieces, and all of them once more.
fn started(call: &ToolCall, moment: &Moment, style: JsonStyle) -> Vec<Row> {
    let chunk = |name: &'static str| {
        let mut chunk = Object::new(style);
        chunk.typed(name).text("toolCallId", &call.call_id);
        chunk
    };
    let mut start = chunk("TOOL_CALL_START");
    start.text("toolName", call.name);
    let Moment::ToolStart(known) = moment else { return Vec::new() };
    let known = ToolCall { agent_name: None, duration_ms: None, ..known.clone() };
    let mut rows = vec![Row::chunk(start, Some(Moment::ToolStart(known)))];
    let middle = (0..=call.arguments.len() / 2).rev().find(|&at| call.arguments.is_char_boundary(at)).unwrap_or(0);
    let (one, other) = call.arguments.split_at(middle);
    for delta in [one, other] {
        let mut piece = chunk("TOOL_CALL_ARGS");
        piece.text("delta", delta);
        rows.push(Row::chunk(piece, None));
    }
    let mut end = chunk("TOOL_CALL_END");
    end.text("toolName", call.name).raw("input", &call.arguments);
    rows.push(Row::chunk(end, None));
    rows
}

fn ended(call: &ToolCall) -> Moment {
    Moment::ToolEnd(ToolCall { agent_name: None, duration_ms: None, ..call.clone() })
}

/// The JSON of a row, which has this number if it is of the answer.
pub(crate) fn row(row: &Row, run: &Run, number: u64, now: u64) -> Bytes {
    let question = run.request_id.as_ref().unwrap_or(&run.message_id);
    let mut actor = "run-server";
    let mut txid = question;
    let (message, role, seq, chunk) = match &row.said {
        Said::Written(author, chunk) => {
            actor = &author.actor_id;
            txid = author.txid.as_ref().unwrap_or(&run.message_id);
            (&run.run_id, author.role.as_str(), number, chunk.clone())
        }
        Said::Reset => return Bytes::from(json!({ "headers": { "control": "reset" } }).to_string()),
        Said::Chunk(chunk) => (&run.run_id, "assistant", number, chunk.clone()),
        Said::Question => {
            let parts = json!([{ "type": "text", "content": run.content }]);
            let message = json!({ "id": question, "role": "user", "parts": parts });
            (question, "user", 0, json!({ "type": "whole-message", "message": message }).to_string())
        }
    };
    let value = json!({
        "messageId": message, "actorId": actor, "role": role, "chunk": chunk, "seq": seq,
        "createdAt": now.to_string(),
    });
    let headers = json!({ "operation": "insert", "txid": txid });
    let row = json!({ "type": "chunk", "key": format!("{message}:{seq}"), "value": value, "headers": headers });
    Bytes::from(row.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::Truth;

    fn report(rows: &[Row]) -> Value {
        let mut truth = Truth::default();
        rows.iter().filter_map(|row| row.moment.as_ref()).for_each(|moment| truth.apply(moment));
        truth.report()
    }

    fn chunks(rows: &[Row]) -> Vec<Value> {
        let chunk = |row: &Row| match &row.said {
            Said::Chunk(chunk) => Some(serde_json::from_str(chunk).unwrap()),
            _ => None,
        };
        rows.iter().filter_map(chunk).collect()
    }

    #[test]
    fn a_message_has_exactly_the_rows_asked_for() {
        for events in (2..60).chain([400, 3_000]) {
            let recipe = Recipe { events, tool_calls: 7, interrupt: true, ..Recipe::default() };
            let rows = script(&recipe, 3);
            assert_eq!(rows.len(), events);
            assert_eq!(rows.iter().filter(|row| matches!(row.moment, Some(Moment::End(..)))).count(), 1, "{events}");
            assert!(matches!(rows[0].said, Said::Question));
        }
    }

    #[test]
    fn the_pieces_of_a_tools_arguments_are_its_input() {
        let rows = script(&Recipe { tool_calls: 6, ..Recipe::default() }, 5);
        let chunks = chunks(&rows);
        let of = |id: &Value, kind: &str| {
            let is_of = |chunk: &&Value| chunk["toolCallId"] == *id && chunk["type"] == kind;
            chunks.iter().filter(is_of).cloned().collect::<Vec<_>>()
        };
        let starts: Vec<_> = chunks.iter().filter(|chunk| chunk["type"] == "TOOL_CALL_START").collect();
        assert_eq!(starts.len(), 6);
        for start in starts {
            let id = &start["toolCallId"];
            let deltas = of(id, "TOOL_CALL_ARGS");
            let text: String = deltas.iter().map(|chunk| chunk["delta"].as_str().unwrap()).collect();
            let input = of(id, "TOOL_CALL_END")[0]["input"].clone();
            assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), input);
        }
        assert!(chunks.iter().any(|chunk| chunk["type"] == "tool-result" && chunk["error"].is_string()));
        let tools = report(&rows)["parts"].as_array().unwrap().iter().filter(|part| part["type"] == "tool").count();
        assert_eq!(tools, 6);
    }

    #[test]
    fn a_reset_takes_the_place_of_a_row() {
        let recipe = Recipe { events: 40, reset_at: Some(20), ..Recipe::default() };
        let rows = script(&recipe, 3);
        assert_eq!((rows.len(), rows.iter().position(Row::is_reset)), (40, Some(21)));
    }
}
