//! What an envelope adds to the message: the moment of the library's own parts that it stands for.

use serde_json::Value;

use crate::content::{Ending, JsonStyle, Kind, Moment, Phase, ToolCall, ToolUse, json_value};

/// The moment; `None` for what adds nothing.
pub(crate) fn moment(kind: &Kind, style: JsonStyle) -> Option<Moment> {
    Some(match kind {
        Kind::Text(delta) => Moment::Text(delta.clone()),
        Kind::Thinking(delta) => Moment::Reasoning(delta.clone()),
        Kind::Tool(Phase::Started, tool) => Moment::ToolStart(call(tool, style)),
        Kind::Tool(Phase::Completed | Phase::Failed, tool) => Moment::ToolEnd(call(tool, style)),
        Kind::Permission(payload) => Moment::Interrupt(payload.to_string()),
        // Its message is whole: the end of the stream is for the turn that follows.
        Kind::HandOver(_) => Moment::End(Ending::Done, None),
        Kind::End(ending, text) => Moment::End(seen(*ending), text.clone()),
        Kind::Usage(usage) => Moment::Usage(usage.to_string()),
        Kind::Note(..) => return None,
    })
}

/// An ending as a client can tell it.
fn seen(ending: Ending) -> Ending {
    if ending == Ending::Failed { Ending::Error } else { ending }
}

/// JSON values stay as they are on the wire, escapes and all.
fn call(tool: &ToolUse, style: JsonStyle) -> ToolCall {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        value => json_value(value, style),
    };
    ToolCall {
        call_id: tool.id.clone(),
        name: tool.name,
        agent_name: None,
        arguments: json_value(&tool.input, style),
        result: tool.result.as_ref().map(text),
        error: tool.error.clone(),
        duration_ms: None,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::content::{Delta, Recipe, kinds};
    use crate::truth::Truth;

    fn fold(kinds: &[Kind], style: JsonStyle) -> Value {
        let mut truth = Truth::default();
        kinds.iter().filter_map(|kind| moment(kind, style)).for_each(|moment| truth.apply(&moment));
        truth.report()
    }

    fn text(text: &str) -> Kind {
        Kind::Text(Delta { text: text.to_owned(), ..Delta::default() })
    }

    fn tool(phase: Phase, result: Option<Value>) -> Kind {
        let tool = ToolUse {
            id: "c".to_owned(),
            name: "sql",
            parent_id: Some("p".to_owned()),
            input: json!({ "q": "a<b" }),
            result,
            error: (phase == Phase::Failed).then(|| "no".to_owned()),
        };
        Kind::Tool(phase, tool)
    }

    #[test]
    fn a_call_is_one_part_and_divides_the_text() {
        let kinds = [
            text("a"),
            tool(Phase::Started, None),
            text("b"),
            tool(Phase::Completed, Some(json!({ "n": "<" }))),
            text("c"),
            Kind::End(Ending::Done, None),
        ];
        let report = fold(&kinds, JsonStyle::Html);
        assert_eq!(
            report["parts"],
            json!([
                { "type": "text", "seq": 0, "state": "done", "text": "a" },
                { "type": "tool", "callId": "c", "name": "sql", "agentName": null, "arguments": "{\"q\":\"a\\u003cb\"}",
                  "result": "{\"n\":\"\\u003c\"}", "error": null, "durationMs": null, "state": "done" },
                { "type": "text", "seq": 1, "state": "done", "text": "bc" },
            ])
        );
        assert_eq!((&report["terminal"], &report["text"]), (&json!("done"), &json!("abc")));
    }

    #[test]
    fn a_result_that_is_a_string_is_its_text() {
        let part = |last| fold(&[tool(Phase::Started, None), last], JsonStyle::Ascii)["parts"][0].clone();
        let completed = part(tool(Phase::Completed, Some(json!("12 °C <"))));
        assert_eq!((&completed["result"], &completed["state"]), (&json!("12 °C <"), &json!("done")));
        let failed = part(tool(Phase::Failed, None));
        assert_eq!(
            (&failed["error"], &failed["result"], &failed["state"]),
            (&json!("no"), &Value::Null, &json!("failed"))
        );
    }

    #[test]
    fn what_is_no_part_divides_nothing() {
        let kinds = [text("a"), Kind::Note("plan", json!({})), Kind::Usage(json!({ "tokens_used": 7 })), text("b")];
        let report = fold(&kinds, JsonStyle::Html);
        assert_eq!((report["parts"].as_array().unwrap().len(), &report["usage"]["tokens_used"]), (1, &json!(7)));
    }

    #[test]
    fn an_error_keeps_what_came_and_adds_nothing() {
        let end = Kind::End(Ending::Failed, Some("no model".to_owned()));
        let report = fold(&[text("half"), end], JsonStyle::Html);
        assert_eq!((&report["text"], &report["parts"][0]["state"]), (&json!("half"), &json!("done")));
        assert_eq!((&report["terminal"], &report["error"]), (&json!("error"), &json!("no model")));
    }

    #[test]
    fn a_turn_that_gives_way_to_the_next_is_done() {
        let report = fold(&kinds(&Recipe { queue: true, ..Recipe::default() }, 3), JsonStyle::Html);
        assert_eq!(report["terminal"], "done");
        let interrupt = fold(&kinds(&Recipe { interrupt: true, ..Recipe::default() }, 3), JsonStyle::Html);
        let asked = interrupt["parts"].as_array().unwrap().iter().find(|part| part["type"] == "interrupt");
        assert_eq!(asked.unwrap()["interrupt"]["request_id"], "permission-3");
    }
}
