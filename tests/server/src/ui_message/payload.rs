//! The JSON of a chunk.

use bytes::Bytes;

use crate::content::{Caller, Chunk, JsonStyle, Object, Voice, delta_string, json_value};

/// The data of a chunk's frame.
pub(crate) fn chunk(chunk: &Chunk, message_id: &str, style: JsonStyle) -> Bytes {
    let mut object = Object::new(style);
    match chunk {
        Chunk::Start(metadata) => {
            object.typed("start").text("messageId", message_id);
            object.raw("messageMetadata", &json_value(metadata, style));
        }
        Chunk::StartStep => drop(object.typed("start-step")),
        Chunk::FinishStep => drop(object.typed("finish-step")),
        Chunk::Open(voice) => {
            let name = if *voice == Voice::Text { "text-start" } else { "reasoning-start" };
            object.typed(name).text("id", voice.id());
        }
        Chunk::Say(voice, delta) => {
            let name = if *voice == Voice::Text { "text-delta" } else { "reasoning-delta" };
            object.typed(name).text("id", voice.id()).raw("delta", &delta_string(delta, style));
        }
        Chunk::Close(voice, metadata) => {
            let name = if *voice == Voice::Text { "text-end" } else { "reasoning-end" };
            object.typed(name).text("id", voice.id());
            if let Some(metadata) = metadata {
                object.raw("providerMetadata", &json_value(metadata, style));
            }
        }
        Chunk::InputStart(caller) => call(object.typed("tool-input-start"), caller),
        Chunk::InputDelta(call_id, text) => {
            object.typed("tool-input-delta").text("toolCallId", call_id).text("inputTextDelta", text);
        }
        Chunk::Input(caller, input) => {
            call(object.typed("tool-input-available"), caller);
            object.raw("input", &json_value(input, style));
        }
        Chunk::Output { call_id, output, preliminary } => {
            object.typed("tool-output-available").text("toolCallId", call_id);
            object.raw("output", &json_value(output, style));
            flag(&mut object, "preliminary", *preliminary);
        }
        Chunk::OutputError(call_id, text) => {
            object.typed("tool-output-error").text("toolCallId", call_id).text("errorText", text);
        }
        Chunk::Approval(id, call_id) => {
            object.typed("tool-approval-request").text("approvalId", id).text("toolCallId", call_id);
        }
        Chunk::Source(id, url, title) => {
            object.typed("source-url").text("sourceId", id).text("url", url).text("title", title);
        }
        Chunk::File(url, media_type) => {
            object.typed("file").text("url", url).text("mediaType", media_type);
        }
        Chunk::Data { kind, id, data, transient } => {
            object.typed(kind);
            if let Some(id) = id {
                object.text("id", id);
            }
            object.raw("data", &json_value(data, style));
            flag(&mut object, "transient", *transient);
        }
        Chunk::Metadata(metadata) => {
            object.typed("message-metadata").raw("messageMetadata", &json_value(metadata, style));
        }
        Chunk::Finish(reason, metadata) => {
            object.typed("finish").text("finishReason", reason);
            if let Some(metadata) = metadata {
                object.raw("messageMetadata", &json_value(metadata, style));
            }
        }
        Chunk::Abort(reason) => {
            object.typed("abort");
            if let Some(reason) = reason {
                object.text("reason", reason);
            }
        }
        Chunk::Error(text) => drop(object.typed("error").text("errorText", text)),
    }
    object.finish()
}

fn call(object: &mut Object, caller: &Caller) {
    object.text("toolCallId", &caller.call_id).text("toolName", caller.name);
    flag(object, "providerExecuted", caller.provider_executed);
    flag(object, "dynamic", caller.dynamic.is_some());
    if let Some(title) = caller.dynamic {
        object.text("title", title);
    }
}

/// A member that real servers leave out unless it is true.
fn flag(object: &mut Object, key: &str, value: bool) {
    if value {
        object.raw(key, "true");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content::Delta;

    fn text(chunk: &Chunk) -> String {
        String::from_utf8(super::chunk(chunk, "m1", JsonStyle::Html).to_vec()).unwrap()
    }

    #[test]
    fn the_wire_looks_as_the_table_of_chunks_says() {
        let delta = Delta { text: "Hel<".to_owned(), ..Delta::default() };
        assert_eq!(
            text(&Chunk::Say(Voice::Text, delta)),
            "{\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"Hel\\u003c\"}"
        );
        assert_eq!(
            text(&Chunk::Start(json!({ "model": "x" }))),
            "{\"type\":\"start\",\"messageId\":\"m1\",\"messageMetadata\":{\"model\":\"x\"}}"
        );
        let caller =
            Caller { call_id: "c".to_owned(), name: "sql", dynamic: Some("researcher"), provider_executed: true };
        assert_eq!(
            text(&Chunk::InputStart(caller)),
            "{\"type\":\"tool-input-start\",\"toolCallId\":\"c\",\"toolName\":\"sql\",\"providerExecuted\":true,\
             \"dynamic\":true,\"title\":\"researcher\"}"
        );
        assert_eq!(text(&Chunk::Abort(None)), "{\"type\":\"abort\"}");
    }

    #[test]
    fn a_flag_that_is_not_set_is_no_member() {
        let data = Chunk::Data { kind: "data-x", id: None, data: json!(1), transient: false };
        assert_eq!(text(&data), "{\"type\":\"data-x\",\"data\":1}");
        let output = Chunk::Output { call_id: "c".to_owned(), output: json!(null), preliminary: true };
        assert_eq!(
            text(&output),
            "{\"type\":\"tool-output-available\",\"toolCallId\":\"c\",\"output\":null,\"preliminary\":true}"
        );
    }
}
