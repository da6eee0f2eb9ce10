//! From a chunk to a [`RunEvent`]: its `type` decides.
//!
//! The types are those of the AG-UI events, as TanStack AI writes them, and of its chunks before those; the session adds a few of
//! its own. As with the other protocols, only members that the event needs are checked, and what ends a message is never refused
//! over a detail.

use super::super::{
    lookup,
    members::{member, pick, tool},
};
use crate::engine::event::{Fault, JsonStr, Metadata, RunEvent, Terminal, ToolField};
use crate::engine::json::{Elements, Value};

#[derive(Clone, Copy)]
enum Kind {
    Text,
    TextEnd,
    Thinking,
    ToolStart,
    ToolArguments,
    ToolEnd,
    ToolResult,
    ToolCall,
    Question,
    Custom,
    Finished,
    Failed,
    Stopped,
    End,
    Whole,
    Done,
}

const KINDS: [(&[u8], Kind); 24] = [
    (b"TEXT_MESSAGE_CONTENT", Kind::Text),
    (b"content", Kind::Text),
    (b"TEXT_MESSAGE_END", Kind::TextEnd),
    (b"STEP_FINISHED", Kind::Thinking),
    (b"thinking", Kind::Thinking),
    (b"REASONING_MESSAGE_CONTENT", Kind::Thinking),
    (b"THINKING_TEXT_MESSAGE_CONTENT", Kind::Thinking),
    (b"TOOL_CALL_START", Kind::ToolStart),
    (b"tool-input-available", Kind::ToolStart),
    (b"TOOL_CALL_ARGS", Kind::ToolArguments),
    (b"TOOL_CALL_END", Kind::ToolEnd),
    (b"TOOL_CALL_RESULT", Kind::ToolResult),
    (b"tool_result", Kind::ToolResult),
    (b"tool-result", Kind::ToolResult),
    (b"tool_call", Kind::ToolCall),
    (b"approval-requested", Kind::Question),
    (b"CUSTOM", Kind::Custom),
    (b"RUN_FINISHED", Kind::Finished),
    (b"RUN_ERROR", Kind::Failed),
    (b"error", Kind::Failed),
    (b"stop", Kind::Stopped),
    (b"message-end", Kind::End),
    (b"whole-message", Kind::Whole),
    (b"done", Kind::Done),
];

const TOOL: [(&[u8], ToolField); 9] = [
    (b"toolCallId", ToolField::CallId),
    (b"toolName", ToolField::Name),
    (b"toolCallName", ToolField::Name),
    (b"delta", ToolField::Arguments),
    (b"input", ToolField::Arguments),
    (b"result", ToolField::Result),
    (b"content", ToolField::Result),
    (b"output", ToolField::Result),
    (b"error", ToolField::Error),
];

// Of a `tool_call`, whose own members are those of the chunk.
const CALL: [(&[u8], ToolField); 3] =
    [(b"id", ToolField::CallId), (b"name", ToolField::Name), (b"arguments", ToolField::Arguments)];

/// Decodes a chunk, which is valid UTF-8.
pub(super) fn decode(chunk: &[u8], is_answer: bool) -> Result<RunEvent<'_>, Fault> {
    let [kind, delta, error, message, reason, name, value, data, call] = pick(
        chunk,
        [b"type", b"delta", b"error", b"message", b"finishReason", b"name", b"value", b"data", b"toolCall"],
    )?;
    let Some(Value::String(kind)) = kind else { return Err(Fault::WrongType { member: "type" }) };
    let Some(kind) = lookup(&KINDS, &kind.plain()) else { return Ok(RunEvent::Ignored) };
    let says = |value: Option<Value<'_>>, text: &[u8]| string(value).is_some_and(|value| value.equals(text));
    let ended =
        |how, error| RunEvent::Ended { how, error, generation_ms: None, metadata: Some(Metadata::Chunk(chunk)) };
    Ok(match kind {
        Kind::Text => {
            let text = string(delta).ok_or(Fault::WrongType { member: "delta" })?;
            RunEvent::Text { text, part: &[] }
        }
        Kind::TextEnd => RunEvent::BlockEnded { seq: 0 },
        // A step need not be one of thought.
        Kind::Thinking => string(delta).map_or(RunEvent::Ignored, |text| RunEvent::Reasoning { text, part: &[] }),
        Kind::ToolStart | Kind::ToolArguments | Kind::ToolResult | Kind::ToolEnd => {
            let tool = tool(chunk, &TOOL)?;
            let has = |field| tool.field(field).is_some();
            match kind {
                Kind::ToolArguments => RunEvent::ToolInput { tool },
                Kind::ToolStart => RunEvent::ToolStarted { tool },
                Kind::ToolEnd if !has(ToolField::Result) && !has(ToolField::Error) => {
                    if has(ToolField::Arguments) {
                        RunEvent::ToolStarted { tool }
                    } else {
                        RunEvent::Ignored
                    }
                }
                _ => RunEvent::ToolEnded { tool },
            }
        }
        Kind::ToolCall => {
            let call = object(call).ok_or(Fault::WrongType { member: "toolCall" })?;
            let id = tool(call, &CALL)?.field(ToolField::CallId);
            let mut tool = tool(object(member(call, b"function")).unwrap_or(call), &CALL)?;
            id.into_iter().for_each(|id| tool.set(ToolField::CallId, id));
            RunEvent::ToolInput { tool }
        }
        Kind::Question => RunEvent::Interrupted { raw: chunk },
        Kind::Custom if says(name, b"approval-requested") => {
            RunEvent::Interrupted { raw: object(value).or(object(data)).unwrap_or(chunk) }
        }
        // The tools' turn: the model goes on behind them, and the message's own end follows (S-FIN-1).
        Kind::Finished if !says(reason, b"tool_calls") => ended(Terminal::Completed, None),
        Kind::Finished | Kind::Done => usage(chunk).map_or(RunEvent::Ignored, |raw| RunEvent::Usage { raw }),
        Kind::Stopped => ended(Terminal::Cancelled, None),
        Kind::Failed => {
            let inner = object(error).and_then(|error| string(member(error, b"message")));
            ended(Terminal::Failed, inner.or(string(message)).or(string(error)))
        }
        Kind::End => whole(None),
        Kind::Whole if is_answer => whole(object(message)),
        Kind::Whole | Kind::Custom => RunEvent::Ignored,
    })
}

fn string(value: Option<Value<'_>>) -> Option<JsonStr<'_>> {
    value?.as_str()
}

fn object(value: Option<Value<'_>>) -> Option<&[u8]> {
    match value {
        Some(Value::Object(raw)) => Some(raw),
        _ => None,
    }
}

/// The end of a message, and all of it where it is told at once.
fn whole(message: Option<&[u8]>) -> RunEvent<'_> {
    let metadata = message.map(Metadata::Message);
    RunEvent::Ended { how: Terminal::Completed, error: None, generation_ms: None, metadata }
}

/// What a last chunk says of the cost.
pub(in crate::engine) fn usage(chunk: &[u8]) -> Option<&[u8]> {
    object(member(chunk, b"usage"))
}

/// Hands over the texts of a message that is told at once.
pub(in crate::engine) fn texts(message: &[u8], mut each: impl FnMut(JsonStr<'_>)) {
    let Some(Value::Array(parts)) = member(message, b"parts") else { return };
    for part in Elements::open(parts) {
        let Value::Object(part) = part else { continue };
        let Ok([kind, content, text]) = pick(part, [b"type", b"content", b"text"]) else { continue };
        if string(kind).is_some_and(|kind| kind.equals(b"text")) {
            string(content).or(string(text)).into_iter().for_each(&mut each);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(chunk: &str) -> String {
        match decode(chunk.as_bytes(), true) {
            Ok(event) => format!("{event:?}").split([' ', '(']).next().unwrap().to_owned(),
            Err(fault) => format!("{fault:?}"),
        }
    }

    #[test]
    fn a_type_is_an_event_or_nothing() {
        for (chunk, event) in [
            (r#"{"type":"TEXT_MESSAGE_CONTENT","messageId":"t","delta":"x"}"#, "Text"),
            (r#"{"type":"content","id":"c","delta":"x","content":"xx"}"#, "Text"),
            (r#"{"type":"TEXT_MESSAGE_END","messageId":"t"}"#, "BlockEnded"),
            (r#"{"type":"TEXT_MESSAGE_START","messageId":"t"}"#, "Ignored"),
            (r#"{"type":"STEP_STARTED","stepId":"1"}"#, "Ignored"),
            (r#"{"type":"STEP_FINISHED","stepId":"1","delta":"x"}"#, "Reasoning"),
            (r#"{"type":"STEP_FINISHED","stepName":"search"}"#, "Ignored"),
            (r#"{"type":"thinking","delta":"x"}"#, "Reasoning"),
            (r#"{"type":"REASONING_MESSAGE_CONTENT","delta":"x"}"#, "Reasoning"),
            (r#"{"type":"TOOL_CALL_START","toolCallId":"1","toolName":"sql"}"#, "ToolStarted"),
            (r#"{"type":"TOOL_CALL_ARGS","toolCallId":"1","delta":"{\"q\":","args":"{\"q\":"}"#, "ToolInput"),
            (r#"{"type":"TOOL_CALL_END","toolCallId":"1","toolName":"sql","input":{"q":1}}"#, "ToolStarted"),
            (r#"{"type":"TOOL_CALL_END","toolCallId":"1","toolName":"","result":"x"}"#, "ToolEnded"),
            (r#"{"type":"TOOL_CALL_END","toolCallId":"1"}"#, "Ignored"),
            (r#"{"type":"TOOL_CALL_RESULT","toolCallId":"1","content":"x","role":"tool"}"#, "ToolEnded"),
            (r#"{"type":"tool-result","toolCallId":"1","output":{"a":1},"error":null}"#, "ToolEnded"),
            (
                r#"{"type":"tool_call","id":"c","toolCall":{"id":"1","function":{"name":"f","arguments":"{"}}}"#,
                "ToolInput",
            ),
            (r#"{"type":"approval-requested","toolCallId":"1","approval":{"id":"a"}}"#, "Interrupted"),
            (r#"{"type":"CUSTOM","name":"approval-requested","value":{"toolCallId":"1"}}"#, "Interrupted"),
            (r#"{"type":"CUSTOM","name":"other","value":{}}"#, "Ignored"),
            (r#"{"type":"approval-response","approvalId":"a","approved":true}"#, "Ignored"),
            (r#"{"type":"RUN_STARTED","runId":"r"}"#, "Ignored"),
            (r#"{"type":"RUN_FINISHED","finishReason":"stop","usage":{"totalTokens":3}}"#, "Ended"),
            (r#"{"type":"RUN_FINISHED","finishReason":7}"#, "Ended"),
            (r#"{"type":"RUN_FINISHED","finishReason":"tool_calls","usage":{"totalTokens":3}}"#, "Usage"),
            (r#"{"type":"RUN_FINISHED","finishReason":"tool_calls"}"#, "Ignored"),
            (r#"{"type":"done","finishReason":"stop","usage":{}}"#, "Usage"),
            (r#"{"type":"RUN_ERROR","error":{"message":"no","code":"x"}}"#, "Ended"),
            (r#"{"type":"RUN_ERROR"}"#, "Ended"),
            (r#"{"type":"error","error":7}"#, "Ended"),
            (r#"{"type":"stop","reason":"aborted"}"#, "Ended"),
            (r#"{"type":"message-end"}"#, "Ended"),
            (r#"{"type":"whole-message","message":{"parts":[]}}"#, "Ended"),
            (r#"{"type":"later"}"#, "Ignored"),
            (r#"{"type":"TEXT_MESSAGE_CONTENT","content":"x"}"#, "WrongType { member: \"delta\" }"),
            (r#"{"type":"TOOL_CALL_START","toolCallId":1}"#, "WrongType { member: \"tool\" }"),
            (r#"{"type":"tool_call","toolCall":"1"}"#, "WrongType { member: \"toolCall\" }"),
            (r#"{"delta":"x"}"#, "WrongType { member: \"type\" }"),
            (r#"{"type":"stop""#, "Syntax"),
        ] {
            let told = read(chunk);
            assert!(event.starts_with(&told) && !told.is_empty(), "{chunk}: {told}");
        }
        assert!(matches!(decode(br#"{"type":"whole-message","message":{}}"#, false), Ok(RunEvent::Ignored)));
    }

    #[test]
    fn a_failure_has_its_words_wherever_they_are() {
        for chunk in [
            r#"{"type":"RUN_ERROR","error":{"message":"no"},"message":"x"}"#,
            r#"{"type":"RUN_ERROR","message":"no"}"#,
            r#"{"type":"error","error":"no"}"#,
        ] {
            let Ok(RunEvent::Ended { how: Terminal::Failed, error: Some(words), .. }) = decode(chunk.as_bytes(), true)
            else {
                panic!("{chunk}")
            };
            assert_eq!(words.decoded(), "no");
        }
    }

    #[test]
    fn a_tool_says_what_it_knows() {
        let read = |chunk: &'static str| match decode(chunk.as_bytes(), true) {
            Ok(RunEvent::ToolStarted { tool } | RunEvent::ToolInput { tool } | RunEvent::ToolEnded { tool }) => {
                tool.fields.map(|field| field.map(|text| String::from_utf8(text.raw().to_vec()).unwrap()))
            }
            other => panic!("{other:?}"),
        };
        let field = |text: &str| Some(text.to_owned());
        let call =
            read(r#"{"id":"c","type":"tool_call","toolCall":{"id":"1","function":{"name":"f","arguments":"{\"a"}}}"#);
        assert_eq!(call, [field("1"), field("f"), None, field(r#"{\"a"#), None, None]);
        let end = read(r#"{"type":"TOOL_CALL_END","toolCallId":"1","toolName":"","input":"x","result":[1]}"#);
        assert_eq!(end, [field("1"), None, None, field("\"x\""), field("[1]"), None]);
    }

    #[test]
    fn a_message_that_is_told_at_once_has_texts() {
        let read = |message: &str| {
            let mut read = Vec::new();
            texts(message.as_bytes(), |text| read.push(text.decoded()));
            read
        };
        let parts = r#"{"id":"m","parts":[{"type":"thinking","content":"hm"},7,{"type":"text","content":"a"},
            {"type":"tool-call","content":"x"},{"type":"text","content":null,"text":"b"}]}"#;
        assert_eq!(read(parts), ["a", "b"]);
        assert_eq!(read(r#"{"parts":"x"}"#), [""; 0]);
    }
}
