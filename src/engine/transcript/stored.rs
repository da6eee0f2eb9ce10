//! A transcript as JSON, and back: what a page keeps over a reload, or an app has kept of an answer.
//!
//! The parts are as a page has them (`snapshot.parts`). What else is kept says where the next event goes on: an app does not
//! know it, and where it is missing the parts have to tell.

use alloc::boxed::Box;
use core::num::NonZeroU64;

use super::{Body, Part, Stream, ToolCall, ToolState, Transcript, call::Call, message::About, message::Open};
use crate::engine::{
    delta::Delta,
    event::ToolField,
    json::{Elements, Value, for_each_member, is_object},
};

impl Transcript {
    /// Writes it as further members of the object that is open in `out`.
    pub fn store(&self, out: &mut Delta) {
        out.key("parts");
        out.literal("[");
        let mut lead = "";
        for part in &self.parts {
            out.literal(lead);
            lead = ",";
            part.body.store(out);
        }
        out.literal("]");
        out.key("open");
        out.literal("[");
        lead = "{\"i\":";
        let unnamed = [(self.text, false), (self.reasoning, true)].into_iter();
        let unnamed = unnamed.filter_map(|(index, is_reasoning)| Some((index?, is_reasoning, None)));
        let named = self.open.iter().map(|open| (open.index, open.is_reasoning, Some(&open.name)));
        for (index, is_reasoning, name) in unnamed.chain(named) {
            out.literal(lead);
            lead = ",{\"i\":";
            out.number(index as u64);
            if is_reasoning {
                out.literal(",\"isReasoning\":true");
            }
            if let Some(name) = name {
                out.key("name");
                out.raw(name);
            }
            out.literal("}");
        }
        out.literal("]");
        out.key("resets");
        out.number(u64::from(self.resets));
        for (name, raw) in [("usage", &self.usage), ("metadata", &self.metadata)] {
            if let Some(raw) = raw {
                out.key(name);
                out.raw(raw);
            }
        }
    }

    /// The transcript that the object `raw` tells of; its first delta tells everything. `are_named`: the events to come name
    /// their parts. What is no part is left out; `None` if it is no object.
    pub fn load(raw: &[u8], are_named: bool) -> Option<Self> {
        if !is_object(raw) {
            return None;
        }
        let mut loaded = Self::default();
        let mut open = None;
        for_each_member(raw, &mut |key, value, raw| match (key, value) {
            (b"parts", Value::Array(parts)) => loaded.load_parts(parts),
            (b"open", Value::Array(list)) => open = Some(list),
            (b"resets", count) => loaded.resets = count.as_u64().map_or(0, |count| count as u32),
            (b"usage", Value::Object(_)) => loaded.usage = Some(raw.into()),
            (b"metadata", Value::Object(_)) => loaded.metadata = Some(raw.into()),
            _ => {}
        });
        match open {
            Some(list) => Elements::open(list).for_each(|open| loaded.load_open(open)),
            None => loaded.reopen(are_named),
        }
        loaded.rewrite();
        Some(loaded)
    }

    fn load_parts(&mut self, parts: &[u8]) {
        for part in Elements::open(parts) {
            let Value::Object(raw) = part else { continue };
            let Some(body) = Body::load(raw, self.blocks) else { continue };
            let index = self.parts.len();
            match &body {
                Body::Text { stream, .. } => {
                    self.blocks += 1;
                    self.closed_units += stream.text.utf16_len();
                }
                Body::Tool(call) if call.state == ToolState::Running => self.running.push(index),
                Body::Raw { raw } if is_step(raw) => self.step = index + 1,
                _ => {}
            }
            self.parts.push(Part { body, changed: false, known: false, known_done: false, has_news: false });
        }
    }

    fn load_open(&mut self, open: Value<'_>) {
        let Value::Object(raw) = open else { return };
        let Some(index) = member(raw, b"i").and_then(|(value, _)| value.as_u64()) else { return };
        let is_reasoning = member(raw, b"isReasoning").is_some();
        let name = member(raw, b"name").filter(|(value, _)| value.as_str().is_some()).map(|(_, raw)| raw);
        self.take_up(index as usize, is_reasoning, name);
    }

    /// Nobody has said what is open: what streams at the end is.
    fn reopen(&mut self, are_named: bool) {
        let Some(index) = self.parts.len().checked_sub(1) else { return };
        let (is_reasoning, id) = match self.parts.get(index).map(|part| &part.body) {
            Some(Body::Text { stream, .. }) if !stream.done => (false, None),
            Some(Body::Reasoning { stream }) if !stream.done => {
                (true, stream.about.as_ref().and_then(|about| about.id.clone()))
            }
            _ => return,
        };
        // A text part does not have the name that its stream gave it.
        let name = are_named.then_some(id.as_deref().unwrap_or(&[]));
        self.take_up(index, is_reasoning, name);
    }

    /// The next of its events goes on with this part.
    fn take_up(&mut self, index: usize, is_reasoning: bool, name: Option<&[u8]>) {
        let is_there = match self.parts.get(index).map(|part| &part.body) {
            Some(Body::Text { stream, .. }) => !stream.done && !is_reasoning,
            Some(Body::Reasoning { stream }) => !stream.done && is_reasoning,
            _ => false,
        };
        if !is_there {
            return;
        }
        match name {
            Some(name) => self.open.push(Open { name: name.into(), is_reasoning, index }),
            None if is_reasoning => self.reasoning = Some(index),
            None => {
                self.closed_units -= self.stream_units(Some(index));
                self.text = Some(index);
            }
        }
    }
}

impl Body {
    fn store(&self, out: &mut Delta) {
        match self {
            Self::Text { stream, .. } | Self::Reasoning { stream } => {
                let is_text = matches!(self, Self::Text { .. });
                out.literal(if is_text { "{\"type\":\"text\"" } else { "{\"type\":\"reasoning\"" });
                out.key("state");
                out.literal(if stream.done { "\"done\"" } else { "\"streaming\"" });
                if let Some(about) = &stream.about {
                    // All that is known, told or not.
                    about.write_members(true, out);
                }
                out.key("text");
                stream.text.write_json(out);
                out.literal("}");
            }
            Self::Call(call) => call.store(out),
            _ => self.write(out),
        }
    }

    fn load(raw: &[u8], seq: u32) -> Option<Self> {
        let (kind, kind_raw) = member(raw, b"type")?;
        let kind = kind.as_str()?.plain();
        let inner = |name: &[u8]| match member(raw, name)?.0 {
            Value::Object(inner) => Some(inner.into()),
            _ => None,
        };
        Some(match &*kind {
            b"text" => Self::Text { seq, stream: Stream::load(raw, false) },
            b"reasoning" => Self::Reasoning { stream: Stream::load(raw, true) },
            b"tool" => Self::Tool(Box::new(ToolCall::load(raw))),
            b"citation" => Self::Citation { raw: inner(b"citation")? },
            b"interrupt" => Self::Interrupt { raw: inner(b"interrupt")? },
            b"dynamic-tool" => Self::Call(Box::new(Call::load(raw, None)?)),
            kind if kind.starts_with(b"tool-") => {
                Self::Call(Box::new(Call::load(raw, Some(kind_raw.strip_prefix(b"\"tool-")?))?))
            }
            kind if kind.starts_with(b"data-") => {
                let id = member(raw, b"id").filter(|(id, _)| !matches!(id, Value::Null)).map(|(_, id)| id.into());
                Self::Data { kind: kind_raw.into(), id, raw: raw.into() }
            }
            _ => Self::Raw { raw: raw.into() },
        })
    }
}

impl Stream {
    fn load(raw: &[u8], is_reasoning: bool) -> Self {
        let mut stream = Self { done: true, ..Self::default() };
        let mut about = About::default();
        for_each_member(raw, &mut |key, value, raw| match (key, value) {
            (b"text", Value::String(text)) => stream.text.append(text),
            (b"state", Value::String(state)) => stream.done = !state.equals(b"streaming"),
            (b"id", Value::String(_)) if is_reasoning => about.id = Some(raw.into()),
            (b"providerMetadata", _) => about.provider = Some(raw.into()),
            (b"citations", _) => about.citations = Some(raw.into()),
            (b"startedAt", at) => about.began = at.as_u64().and_then(NonZeroU64::new),
            (b"endedAt", at) => about.ended = at.as_u64().and_then(NonZeroU64::new),
            _ => {}
        });
        if stream.done {
            stream.text.seal();
        }
        let says_something =
            about.id.is_some() || about.provider.is_some() || about.citations.is_some() || about.began.is_some();
        stream.about = says_something.then(|| Box::new(about));
        stream
    }
}

impl ToolCall {
    fn load(raw: &[u8]) -> Self {
        let mut call = Self { state: ToolState::Done, ..Self::default() };
        for_each_member(raw, &mut |key, value, _| match (key, value) {
            (b"state", Value::String(state)) if state.equals(b"running") => call.state = ToolState::Running,
            (b"state", Value::String(state)) if state.equals(b"failed") => call.state = ToolState::Failed,
            (b"durationMs", value) => call.duration_ms = value.as_u64(),
            (key, Value::String(text)) => {
                let place = ToolField::NAMES.iter().position(|name| name.as_bytes() == key);
                if let Some(place) = place {
                    call.fields.set(place, text.raw());
                }
            }
            _ => {}
        });
        call
    }
}

fn is_step(raw: &[u8]) -> bool {
    member(raw, b"type").and_then(|(kind, _)| kind.as_str()).is_some_and(|kind| kind.equals(b"step-start"))
}

/// The last member of this name of an object that was validated before: the value, and its JSON.
#[inline(never)]
pub(super) fn member<'a>(object: &'a [u8], name: &[u8]) -> Option<(Value<'a>, &'a [u8])> {
    let mut found = None;
    for_each_member(object, &mut |key, value, raw| {
        if key == name {
            found = Some((value, raw));
        }
    });
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::json::is_value;
    use crate::engine::protocol::{Protocol, UNNAMED, decode};
    use proptest::prelude::*;
    use serde_json::{Value as Json, json};
    use std::{format, string::String, vec::Vec};

    fn apply(transcript: &mut Transcript, protocol: Protocol, event: &Json) {
        let data = event.to_string();
        // Half a surrogate pair, which serde's strings cannot hold.
        let data = data.replace("<half>", "\\ud83d").replace("<other half>", "\\ude00");
        if let Ok(event) = decode(protocol, UNNAMED, data.as_bytes()) {
            transcript.apply_at(&event, event_time(&data));
        }
    }

    /// Some have one.
    fn event_time(data: &str) -> Option<u64> {
        (!data.len().is_multiple_of(3)).then_some(1_700_000_000_000 + data.len() as u64)
    }

    fn stored(transcript: &Transcript) -> String {
        let mut out = Delta::new();
        out.literal("{\"cursor\":null");
        transcript.store(&mut out);
        out.literal("}");
        String::from_utf8(out.into_head()).unwrap()
    }

    /// All of it, as a page is told that knows nothing.
    fn told(transcript: &mut Transcript) -> String {
        let mut out = Delta::new();
        transcript.rewrite();
        out.begin(1);
        transcript.write_delta(&mut out);
        out.end();
        String::from_utf8(out.finish().to_vec()).unwrap()
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof![
            "[a-z]{1,6}",
            "[é😀\"\\\\\n]{1,4}",
            Just("<half>".into()),
            Just("<other half>".into()),
            Just(String::new())
        ]
    }

    fn bichat() -> impl Strategy<Value = Json> {
        let id = || prop_oneof![Just("c1"), Just("c2"), Just("c\\\"3")];
        prop_oneof![
            4 => text().prop_map(|text| json!({ "type": "content", "content": text })),
            2 => text().prop_map(|text| json!({ "type": "thinking", "content": text })),
            1 => Just(json!({ "type": "text_block_end", "textBlockSeq": 0 })),
            2 => (id(), text()).prop_map(|(id, text)| json!({ "type": "tool_start",
                "tool": { "callId": id, "name": "sql", "agentName": null, "arguments": text } })),
            2 => (id(), text(), any::<bool>()).prop_map(|(id, text, fails)| json!({ "type": "tool_end",
                "tool": { "callId": id, "result": text, "durationMs": 7, "error": fails.then_some("x") } })),
            1 => text().prop_map(|text| json!({ "type": "citation", "citation": { "title": text } })),
            1 => text().prop_map(|text| json!({ "type": "interrupt", "interrupt": { "questions": [text] } })),
            1 => Just(json!({ "type": "usage", "usage": { "promptTokens": 3 } })),
            1 => text().prop_map(|text| json!({ "type": "snapshot", "snapshot": { "partialContent": text,
                "partialMetadata": { "tool_calls": [{ "id": "c1", "name": "sql" }], "text_block_offsets": [2] } } })),
            1 => Just(json!({ "type": "done" })),
        ]
    }

    /// Chunks in any order: what makes no sense changes nothing, here and there.
    fn ui_message() -> impl Strategy<Value = Json> {
        let id = || prop_oneof![Just("1"), Just("2"), Just("\"")];
        let kind = |kinds: &'static [&'static str]| prop::sample::select(kinds);
        prop_oneof![
            5 => (kind(&["text-delta", "reasoning-delta"]), id(), text())
                .prop_map(|(kind, id, text)| json!({ "type": kind, "id": id, "delta": text })),
            3 => (kind(&["text-start", "reasoning-start", "text-end", "reasoning-end"]), id(), any::<bool>()).prop_map(
                |(kind, id, says)| json!({ "type": kind, "id": id, "providerMetadata": says.then(|| json!({ "p": { "k": 1 } })) })
            ),
            3 => (id(), any::<[bool; 3]>()).prop_map(|(id, [dynamic, titled, text])| json!({ "type": "tool-input-start",
                "toolCallId": id, "toolName": "sq\"l", "dynamic": dynamic, "title": titled.then_some("T"),
                "inputEncoding": text.then_some("text"), "toolMetadata": titled.then(|| json!({ "m": 1 })) })),
            5 => (id(), kind(&["{\"a\":", "[1,", "\"x", "\\\"", "}", "tr"]))
                .prop_map(|(id, text)| json!({ "type": "tool-input-delta", "toolCallId": id, "inputTextDelta": text })),
            2 => (id(), kind(&["tool-input-available", "tool-input-error"]), any::<bool>()).prop_map(|(id, kind, dynamic)| json!({
                "type": kind, "toolCallId": id, "toolName": "sq\"l", "input": { "q": [1] }, "errorText": "no", "dynamic": dynamic })),
            2 => (id(), kind(&["tool-output-available", "tool-output-error", "tool-output-denied"]), any::<bool>()).prop_map(
                |(id, kind, preliminary)| json!({ "type": kind, "toolCallId": id, "output": "o", "errorText": "e",
                    "preliminary": preliminary.then_some(true), "providerMetadata": { "p": {} } })
            ),
            1 => (id(), id()).prop_map(|(id, of)| json!({ "type": "tool-approval-request", "toolCallId": of, "approvalId": id })),
            1 => (id(), any::<bool>()).prop_map(|(id, approved)| json!({ "type": "tool-approval-response", "approvalId": id,
                "approved": approved })),
            1 => Just(json!({ "type": "source-url", "sourceId": "s", "url": "u" })),
            2 => (id(), text(), any::<bool>()).prop_map(|(id, text, named)| json!({ "type": "data-x", "id": named.then_some(id),
                "data": { "t": text } })),
            2 => kind(&["start-step", "start-step", "finish-step", "reset-step"]).prop_map(|kind| json!({ "type": kind })),
            1 => text().prop_map(|text| json!({ "type": "message-metadata", "messageMetadata": { "a": { "b": text } } })),
        ]
    }

    fn check(protocol: Protocol, events: &[Json], cuts: &[usize]) -> Result<(), TestCaseError> {
        let (mut whole, mut kept) = (Transcript::new(), Transcript::new());
        for (number, event) in events.iter().enumerate() {
            if cuts.contains(&number) {
                let json = stored(&kept);
                prop_assert!(is_value(json.as_bytes()), "{json}");
                kept = Transcript::load(json.as_bytes(), protocol == Protocol::UiMessage).unwrap();
                prop_assert_eq!(stored(&kept), json);
            }
            apply(&mut whole, protocol, event);
            apply(&mut kept, protocol, event);
            prop_assert_eq!(told(&mut kept), told(&mut whole));
            prop_assert_eq!(kept.text_utf16_len(), whole.text_utf16_len());
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn what_was_kept_goes_on_as_if_nothing_had_happened(
            events in proptest::collection::vec(bichat(), 0..40), cuts in proptest::collection::vec(0..40_usize, 0..4),
        ) {
            check(Protocol::Bichat, &events, &cuts)?;
        }

        #[test]
        fn so_do_the_chunks_of_a_message(
            events in proptest::collection::vec(ui_message(), 0..60), cuts in proptest::collection::vec(0..60_usize, 0..4),
        ) {
            check(Protocol::UiMessage, &events, &cuts)?;
        }

        #[test]
        fn what_is_no_transcript_is_none_or_some_but_never_a_panic(text in "[\\[\\]{}\":,a-z0-9\\\\ ]{0,60}", cut in 0..400_usize) {
            Transcript::load(text.as_bytes(), false);
            let whole = r#"{"parts":[{"type":"text","text":"a"},{"type":"tool"},{"type":"tool-x","state":"input-streaming","rawInput":"{"},
                {"type":"tool-"},{"type":7},{"type":"data-x","id":null},{"type":"dynamic-tool"},{"type":"citation"},null,[]],
                "open":[{"i":0},{"i":99,"name":"x"},{"name":3},7],"usage":[],"metadata":{}}"#;
            Transcript::load(whole.get(..cut).unwrap_or(whole).as_bytes(), true);
        }
    }

    #[test]
    fn parts_of_an_app_are_enough() {
        let parts = json!({ "parts": [
            { "type": "text", "seq": 0, "text": "Hello ", "state": "done" },
            { "type": "tool", "callId": "c1", "name": "sql", "agentName": null, "arguments": "{}", "result": null, "error": null,
              "durationMs": null, "state": "running" },
            { "type": "text", "seq": 1, "text": "wor", "state": "streaming" },
        ] });
        let mut transcript = Transcript::load(parts.to_string().as_bytes(), false).unwrap();
        apply(&mut transcript, Protocol::Bichat, &json!({ "type": "content", "content": "ld" }));
        apply(
            &mut transcript,
            Protocol::Bichat,
            &json!({ "type": "tool_end", "tool": { "callId": "c1", "result": "4" } }),
        );
        let texts: Vec<String> = transcript.texts().map(|text| text.decoded()).collect();
        assert_eq!((texts, transcript.parts.len()), (vec!["Hello ".into(), "world".into()], 3));
        assert!(told(&mut transcript).contains("\"result\":\"4\""));

        // A stream that names its parts goes on in the one that is open, whatever it calls it.
        let parts = json!({ "parts": [{ "type": "text", "text": "wor", "state": "streaming" }] });
        let mut transcript = Transcript::load(parts.to_string().as_bytes(), true).unwrap();
        for text in ["ld", "!"] {
            apply(&mut transcript, Protocol::UiMessage, &json!({ "type": "text-delta", "id": "t", "delta": text }));
        }
        assert_eq!(format!("{:?}", transcript.to_parts()), "[Text { seq: 0, text: \"world!\", done: false }]");
        assert!(Transcript::load(b"[]", true).is_none() && Transcript::load(b"{\"parts\":[{]}", true).is_none());
    }
}
