//! What a client must end up with: a run's chunks folded by the rules of the AI SDK's own reducer (PROTOCOLS 4.6). A member
//! that is undefined there is absent here.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::content::{Caller, Chunk, Ending, Voice};
use crate::truth::hashes;

use super::partial_json;

/// The fold of a run's chunks so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fold {
    parts: Vec<Map<String, Value>>,
    text: String,
    reasoning: String,
    metadata: Option<Value>,
    finish_reason: Option<&'static str>,
    /// Where the part of each voice is that still grows.
    open: [Option<usize>; 2],
    inputs: BTreeMap<String, Input>,
    end: Option<(Ending, Option<String>)>,
}

/// A tool's input on its way.
#[derive(Clone, Debug)]
struct Input {
    caller: Caller,
    text: String,
}

/// What an update sets of a tool's part; what it does not set goes.
#[derive(Default)]
struct Update {
    state: &'static str,
    input: Option<Value>,
    raw_input: Option<Value>,
    output: Option<Value>,
    error: Option<Value>,
    preliminary: bool,
}

impl Fold {
    /// Takes the next chunk of the run.
    pub(crate) fn apply(&mut self, chunk: &Chunk) {
        match chunk {
            Chunk::Start(metadata) | Chunk::Metadata(metadata) => self.merge(metadata),
            Chunk::Finish(reason, metadata) => {
                self.finish_reason = Some(reason);
                metadata.iter().for_each(|metadata| self.merge(metadata));
            }
            Chunk::StartStep => self.push(json!({ "type": "step-start" })),
            // No part of ours outlives its step.
            Chunk::FinishStep => {}
            Chunk::Open(voice) => self.open(*voice),
            Chunk::Say(voice, delta) => self.say(*voice, &delta.text),
            Chunk::Close(voice, metadata) => self.close(*voice, metadata.as_ref()),
            Chunk::InputStart(caller) => {
                self.set_called(caller, Update { state: "input-streaming", ..Update::default() });
                let input = Input { caller: caller.clone(), text: String::new() };
                self.inputs.insert(caller.call_id.clone(), input);
            }
            Chunk::InputDelta(call_id, text) => self.add_input(call_id, text),
            Chunk::Input(caller, input) => {
                let input = Some(input.clone());
                self.set_called(caller, Update { state: "input-available", input, ..Update::default() });
            }
            Chunk::Output { call_id, output, preliminary } => {
                let (output, preliminary) = (Some(output.clone()), *preliminary);
                self.set_ended(call_id, Update { state: "output-available", output, preliminary, ..Update::default() });
            }
            Chunk::OutputError(call_id, text) => {
                let error = Some(text.as_str().into());
                self.set_ended(call_id, Update { state: "output-error", error, ..Update::default() });
            }
            Chunk::Approval(id, call_id) => {
                if let Some(part) = self.called(call_id) {
                    part.insert("state".to_owned(), "approval-requested".into());
                    part.insert("approval".to_owned(), json!({ "id": id }));
                }
            }
            Chunk::Source(id, url, title) => {
                self.push(json!({ "type": "source-url", "sourceId": id, "url": url, "title": title }));
            }
            Chunk::File(url, media_type) => self.push(json!({ "type": "file", "mediaType": media_type, "url": url })),
            Chunk::Data { transient: true, .. } => {}
            Chunk::Data { kind, id, data, .. } => self.set_data(kind, id.as_deref(), data),
            Chunk::Abort(_) | Chunk::Error(_) => {}
        }
        self.end = self.end.take().or_else(|| chunk.ending());
    }

    fn push(&mut self, part: Value) {
        if let Value::Object(part) = part {
            self.parts.push(part);
        }
    }

    fn merge(&mut self, metadata: &Value) {
        merge(self.metadata.get_or_insert_with(|| json!({})), metadata);
    }

    fn open(&mut self, voice: Voice) {
        self.open[voice as usize] = Some(self.parts.len());
        self.push(match voice {
            Voice::Text => json!({ "type": "text", "text": "", "state": "streaming" }),
            Voice::Reasoning => json!({ "type": "reasoning", "id": voice.id(), "text": "", "state": "streaming" }),
        });
    }

    fn opened(&mut self, voice: Voice) -> Option<&mut Map<String, Value>> {
        self.parts.get_mut(self.open[voice as usize]?)
    }

    fn say(&mut self, voice: Voice, delta: &str) {
        let Some(Value::String(text)) = self.opened(voice).and_then(|part| part.get_mut("text")) else { return };
        text.push_str(delta);
        match voice {
            Voice::Text => self.text.push_str(delta),
            Voice::Reasoning => self.reasoning.push_str(delta),
        }
    }

    fn close(&mut self, voice: Voice, metadata: Option<&Value>) {
        if let Some(part) = self.opened(voice) {
            part.insert("state".to_owned(), "done".into());
            set(part, "providerMetadata", metadata.cloned());
        }
        self.open[voice as usize] = None;
    }

    fn add_input(&mut self, call_id: &str, text: &str) {
        let Some(input) = self.inputs.get_mut(call_id) else { return };
        input.text.push_str(text);
        let caller = input.caller.clone();
        let update = Update {
            state: "input-streaming",
            input: partial_json::value(&input.text),
            raw_input: Some(input.text.as_str().into()),
            ..Update::default()
        };
        self.set_called(&caller, update);
    }

    /// Updates the part of a call that this step made, or makes it.
    fn set_called(&mut self, caller: &Caller, update: Update) {
        let step = self.parts.iter().rposition(|part| part["type"] == "step-start").map_or(0, |at| at + 1);
        let known = |part: &Map<String, Value>| part.get("toolCallId").is_some_and(|id| id == caller.call_id.as_str());
        let at = self.parts.iter().skip(step).position(known).map_or(self.parts.len(), |at| step + at);
        if at == self.parts.len() {
            self.push(match caller.dynamic {
                Some(_) => json!({ "type": "dynamic-tool", "toolName": caller.name, "toolCallId": caller.call_id }),
                None => json!({ "type": format!("tool-{}", caller.name), "toolCallId": caller.call_id }),
            });
        }
        if let Some(part) = self.parts.get_mut(at) {
            update.apply(part);
            if let Some(title) = caller.dynamic {
                part.insert("title".to_owned(), title.into());
            }
            if caller.provider_executed {
                part.insert("providerExecuted".to_owned(), true.into());
            }
        }
    }

    /// The newest part of a call.
    fn called(&mut self, call_id: &str) -> Option<&mut Map<String, Value>> {
        self.parts.iter_mut().rev().find(|part| part.get("toolCallId").is_some_and(|id| id == call_id))
    }

    /// Updates a call that has its input, which stays.
    fn set_ended(&mut self, call_id: &str, update: Update) {
        if let Some(part) = self.called(call_id) {
            Update { input: part.get("input").cloned(), ..update }.apply(part);
        }
    }

    fn set_data(&mut self, kind: &str, id: Option<&str>, data: &Value) {
        let same = |part: &&mut Map<String, Value>| {
            id.is_some() && part["type"] == kind && part.get("id").and_then(Value::as_str) == id
        };
        if let Some(part) = self.parts.iter_mut().find(same) {
            part.insert("data".to_owned(), data.clone());
            return;
        }
        let mut part = Map::new();
        set(&mut part, "type", Some(kind.into()));
        set(&mut part, "id", id.map(Value::from));
        set(&mut part, "data", Some(data.clone()));
        self.parts.push(part);
    }

    /// All text of the run.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The terminal chunk, once there is one.
    pub(crate) fn end(&self) -> Option<&(Ending, Option<String>)> {
        self.end.as_ref()
    }

    /// What `GET /control/truth` answers.
    pub(crate) fn report(&self) -> Value {
        let parts: Value = self.parts.iter().cloned().map(Value::Object).collect();
        let blocks: Vec<_> = self.parts.iter().filter(|part| part["type"] == "text").collect();
        let (sha256, text_sha256) = hashes(&parts, &self.text);
        json!({
            "text": self.text,
            "reasoning": self.reasoning,
            "sha256": sha256,
            "textSha256": text_sha256,
            "blocks": blocks,
            "metadata": self.metadata,
            "finishReason": self.finish_reason,
            "terminal": self.end.as_ref().map(|(ending, _)| ending.name()),
            "error": self.end.as_ref().and_then(|(_, error)| error.as_deref()),
            "parts": parts,
        })
    }
}

impl Update {
    fn apply(self, part: &mut Map<String, Value>) {
        let members = [
            ("state", Some(self.state.into())),
            ("input", self.input),
            ("rawInput", self.raw_input),
            ("output", self.output),
            ("errorText", self.error),
            ("preliminary", self.preliminary.then_some(Value::Bool(true))),
        ];
        for (key, value) in members {
            match value {
                Some(value) => drop(part.insert(key.to_owned(), value)),
                None => drop(part.remove(key)),
            }
        }
    }
}

fn set(part: &mut Map<String, Value>, key: &str, value: Option<Value>) {
    if let Some(value) = value {
        part.insert(key.to_owned(), value);
    }
}

/// Objects member by member, everything else as a whole.
fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.as_str()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::Delta;

    fn fold(chunks: &[Chunk]) -> Value {
        let mut fold = Fold::default();
        chunks.iter().for_each(|chunk| fold.apply(chunk));
        fold.report()
    }

    fn say(voice: Voice, text: &str) -> Chunk {
        Chunk::Say(voice, Delta { text: text.to_owned(), ..Delta::default() })
    }

    fn caller(dynamic: Option<&'static str>) -> Caller {
        Caller { call_id: "c".to_owned(), name: "sql", dynamic, provider_executed: false }
    }

    #[test]
    fn an_id_used_again_begins_another_part() {
        let text = |text| [Chunk::Open(Voice::Text), say(Voice::Text, text), Chunk::Close(Voice::Text, None)];
        let report = fold(&[text("a"), text("b")].concat());
        assert_eq!(
            report["parts"],
            json!([{ "type": "text", "text": "a", "state": "done" }, { "type": "text", "text": "b", "state": "done" }])
        );
        assert_eq!((&report["text"], &report["blocks"]), (&json!("ab"), &report["parts"]));
    }

    #[test]
    fn a_part_that_is_over_grows_no_more() {
        let chunks = [Chunk::Open(Voice::Text), say(Voice::Text, "a"), Chunk::Close(Voice::Text, None)];
        assert_eq!(fold(&[&chunks[..], &[say(Voice::Text, "b")]].concat()), fold(&chunks));
    }

    #[test]
    fn what_was_open_when_the_run_was_stopped_stays_so() {
        let report = fold(&[
            Chunk::Open(Voice::Text),
            say(Voice::Text, "half"),
            Chunk::InputStart(caller(None)),
            Chunk::InputDelta("c".to_owned(), "{\"query\":\"sel".to_owned()),
            Chunk::Abort(None),
        ]);
        assert_eq!(report["parts"][0]["state"], "streaming");
        assert_eq!(
            report["parts"][1],
            json!({ "type": "tool-sql", "toolCallId": "c", "state": "input-streaming", "input": { "query": "sel" },
                    "rawInput": "{\"query\":\"sel" })
        );
        assert_eq!((&report["terminal"], &report["error"]), (&json!("cancelled"), &Value::Null));
    }

    #[test]
    fn an_output_replaces_the_preliminary_one_and_keeps_the_input() {
        let output = |output, preliminary| Chunk::Output { call_id: "c".to_owned(), output, preliminary };
        let input = Chunk::Input(caller(Some("researcher")), json!({ "query": 1 }));
        let parts = |chunks: &[Chunk]| fold(chunks)["parts"].clone();
        let mut part = json!({ "type": "dynamic-tool", "toolName": "sql", "toolCallId": "c", "title": "researcher",
                               "state": "output-available", "input": { "query": 1 }, "output": 30, "preliminary": true });
        assert_eq!(parts(&[input.clone(), output(json!(30), true)]), json!([part]));
        part["output"] = json!("all");
        part.as_object_mut().unwrap().remove("preliminary");
        assert_eq!(parts(&[input, output(json!(30), true), output(json!("all"), false)]), json!([part]));
    }

    #[test]
    fn a_call_id_used_again_in_a_later_step_is_another_call() {
        let report = fold(&[
            Chunk::StartStep,
            Chunk::Input(caller(None), json!(1)),
            Chunk::StartStep,
            Chunk::Input(caller(None), json!(2)),
        ]);
        assert_eq!((&report["parts"][1]["input"], &report["parts"][3]["input"]), (&json!(1), &json!(2)));
    }

    #[test]
    fn data_with_an_id_is_replaced_in_its_place_and_transient_data_is_in_no_message() {
        let data = |id: Option<&str>, data, transient| Chunk::Data {
            kind: "data-x",
            id: id.map(str::to_owned),
            data,
            transient,
        };
        let report = fold(&[
            data(Some("1"), json!({ "a": 1, "b": 1 }), false),
            data(None, json!("n"), true),
            data(None, json!("m"), false),
            data(Some("1"), json!({ "a": 2 }), false),
        ]);
        assert_eq!(
            report["parts"],
            json!([{ "type": "data-x", "id": "1", "data": { "a": 2 } }, { "type": "data-x", "data": "m" }])
        );
    }

    #[test]
    fn metadata_is_merged_member_by_member_and_arrays_are_replaced() {
        let report = fold(&[
            Chunk::Start(json!({ "model": "m", "tags": [1, 2], "usage": { "in": 1 } })),
            Chunk::Metadata(json!({ "tags": [3] })),
            Chunk::Finish("stop", Some(json!({ "usage": { "out": 2 } }))),
        ]);
        assert_eq!(report["metadata"], json!({ "model": "m", "tags": [3], "usage": { "in": 1, "out": 2 } }));
        assert_eq!((&report["finishReason"], &report["terminal"]), (&json!("stop"), &json!("done")));
    }
}
