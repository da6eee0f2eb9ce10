//! A tool call of a UI message: what is known of it, and its input while that streams (PROTOCOLS 4.6, U-R-6 … U-R-14).

use alloc::{boxed::Box, vec::Vec};

use crate::engine::{
    delta::Delta,
    event::JsonStr,
    json::{self, Members, Value, for_each_member},
    partial_json::PartialJson,
    protocol::ui_message::{Field, Fields},
    text::{Mark, Text},
    transcript::stored::member,
};

/// How far it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallState {
    InputStreaming,
    InputAvailable,
    ApprovalRequested,
    ApprovalResponded,
    OutputAvailable,
    OutputError,
    OutputDenied,
}

impl CallState {
    const NAMES: [&str; 7] = [
        "\"input-streaming\"",
        "\"input-available\"",
        "\"approval-requested\"",
        "\"approval-responded\"",
        "\"output-available\"",
        "\"output-error\"",
        "\"output-denied\"",
    ];

    /// Of its name, a raw JSON string.
    fn named(name: &[u8]) -> Option<Self> {
        const ALL: [CallState; 7] = [
            CallState::InputStreaming,
            CallState::InputAvailable,
            CallState::ApprovalRequested,
            CallState::ApprovalResponded,
            CallState::OutputAvailable,
            CallState::OutputError,
            CallState::OutputDenied,
        ];
        let place = Self::NAMES.iter().position(|known| known.as_bytes() == name)?;
        ALL.get(place).copied()
    }

    const fn has_result(self) -> bool {
        matches!(self, Self::OutputAvailable | Self::OutputError)
    }
}

/// What may be known of a call, all raw JSON.
#[derive(Clone, Copy, Debug)]
pub(super) enum Known {
    Input,
    InputEncoding,
    RawInput,
    Output,
    ErrorText,
    Preliminary,
    ProviderExecuted,
    Title,
    ToolMetadata,
    CallProvider,
    ResultProvider,
    Approval,
}

impl Known {
    const NAMES: [&str; 12] = [
        "input",
        "inputEncoding",
        "rawInput",
        "output",
        "errorText",
        "preliminary",
        "providerExecuted",
        "title",
        "toolMetadata",
        "callProviderMetadata",
        "resultProviderMetadata",
        "approval",
    ];
    /// What the begin of an input says for all parts that come of it.
    const SAID: [Self; 3] = [Self::InputEncoding, Self::Title, Self::ToolMetadata];
    /// What every chunk says anew, if only by not saying it.
    const PASSING: [Self; 6] =
        [Self::Input, Self::InputEncoding, Self::RawInput, Self::Output, Self::ErrorText, Self::Preliminary];
}

/// The call.
pub(super) struct Call {
    pub is_dynamic: bool,
    /// A raw JSON string.
    pub id: Box<[u8]>,
    // The same.
    name: Box<[u8]>,
    state: CallState,
    known: [Option<Box<[u8]>>; Known::NAMES.len()],
    input: Option<Box<Input>>,
}

/// The input while it streams.
#[derive(Default)]
struct Input {
    text: Text,
    sent: Mark,
    // How much of the text the scanner has seen, in bytes.
    scanned: usize,
    scanner: PartialJson,
    // Text is no JSON, and all of it is the input.
    is_text: bool,
    // What was said of the call when its input began, for the parts that later steps make of it.
    said: Vec<(Known, Box<[u8]>)>,
}

impl Call {
    /// A call of which a chunk speaks for the first time.
    pub fn begun(fields: &Fields<'_>, is_dynamic: bool) -> Self {
        Self {
            is_dynamic,
            id: fields.raw(Field::ToolCallId).unwrap_or(b"\"\"").into(),
            name: Box::default(),
            state: CallState::InputStreaming,
            known: Default::default(),
            input: None,
        }
    }

    pub fn known(&self, what: Known) -> Option<&[u8]> {
        self.known.get(what as usize)?.as_deref()
    }

    fn set(&mut self, what: Known, raw: Option<&[u8]>) {
        if let Some(slot) = self.known.get_mut(what as usize) {
            *slot = raw.map(Into::into);
        }
    }

    /// What is said takes the place of what was; what is not said stays.
    fn learn(&mut self, what: Known, raw: Option<&[u8]>) {
        if raw.is_some() {
            self.set(what, raw);
        }
    }

    /// The chunk says how far the call is and what there is to know: an input that is there or makes no sense, or one that
    /// will stream.
    pub fn renew(&mut self, fields: &Fields<'_>, state: CallState) {
        self.input = None;
        for what in Known::PASSING {
            self.set(what, None);
        }
        self.name = fields.raw(Field::ToolName).unwrap_or(b"\"\"").into();
        self.state = state;
        if state != CallState::InputStreaming {
            self.set(Known::Input, fields.raw(Field::Input));
            self.learn(Known::ErrorText, fields.present(Field::ErrorText).filter(|_| state == CallState::OutputError));
        }
        // An input that makes no sense comes without its title.
        self.learn(Known::Title, fields.present(Field::Title).filter(|_| state != CallState::OutputError));
        self.note(fields);
    }

    fn note(&mut self, fields: &Fields<'_>) {
        self.learn(Known::ToolMetadata, fields.present(Field::ToolMetadata));
        self.learn(Known::ProviderExecuted, fields.present(Field::ProviderExecuted));
        let of = if self.state.has_result() { Known::ResultProvider } else { Known::CallProvider };
        self.learn(of, fields.present(Field::ProviderMetadata));
    }

    /// It has returned or failed.
    pub fn end(&mut self, fields: &Fields<'_>, state: CallState) {
        self.freeze_input();
        self.state = state;
        for what in [Known::InputEncoding, Known::Output, Known::ErrorText, Known::Preliminary] {
            self.set(what, None);
        }
        if state == CallState::OutputAvailable {
            self.set(Known::RawInput, None);
            self.set(Known::Output, fields.raw(Field::Output));
            self.set(Known::Preliminary, fields.present(Field::Preliminary));
        } else {
            self.set(Known::ErrorText, fields.present(Field::ErrorText));
            if self.is_dynamic {
                self.set(Known::RawInput, None);
            }
        }
        self.note(fields);
    }

    /// It is as far as that, and nothing else is said.
    pub fn stand(&mut self, state: CallState) {
        self.freeze_input();
        self.state = state;
    }

    /// Somebody is asked whether it may run.
    pub fn ask(&mut self, fields: &Fields<'_>) {
        self.stand(CallState::ApprovalRequested);
        let mut approval = Object::default();
        approval.member("id", fields.raw(Field::ApprovalId));
        approval.member("descriptor", fields.present(Field::ApprovalDescriptor));
        approval.member("inputSchemaInput", fields.raw(Field::InputSchemaInput));
        approval.member("requestReason", fields.present(Field::Reason));
        approval.member("isAutomatic", fields.raw(Field::IsAutomatic).filter(|raw| raw == b"true"));
        approval.member("signature", fields.present(Field::Signature));
        self.set(Known::Approval, Some(&approval.end()));
    }

    /// Somebody has said whether it may run.
    pub fn answer(&mut self, fields: &Fields<'_>) {
        self.stand(CallState::ApprovalResponded);
        let reason = fields.present(Field::Reason);
        let mut approval = Object::default();
        approval.member("id", fields.raw(Field::ApprovalId));
        approval.member("approved", fields.raw(Field::Approved));
        approval.member("reason", reason);
        let asked = self.known(Known::Approval).unwrap_or(b"{}");
        approval.members_of(asked, |name| {
            *name != *b"id" && *name != *b"approved" && (reason.is_none() || *name != *b"reason")
        });
        self.set(Known::Approval, Some(&approval.end()));
        self.learn(Known::ProviderExecuted, fields.present(Field::ProviderExecuted));
        self.learn(Known::CallProvider, fields.present(Field::ProviderMetadata));
    }

    // ---- the input while it streams ----

    pub fn begin_input(&mut self, fields: &Fields<'_>) {
        let encoding = fields.present(Field::InputEncoding);
        self.set(Known::InputEncoding, encoding);
        let said = [encoding, fields.present(Field::Title), fields.present(Field::ToolMetadata)]
            .map(|raw| raw.map(Into::into));
        self.stream_input(Known::SAID.into_iter().zip(said));
    }

    /// From here on it streams.
    fn stream_input(&mut self, said: impl Iterator<Item = (Known, Option<Box<[u8]>>)>) {
        self.input = Some(Box::new(Input {
            is_text: self.known(Known::InputEncoding) == Some(b"\"text\""),
            said: said.filter_map(|(what, raw)| Some((what, raw?))).collect(),
            ..Input::default()
        }));
    }

    pub fn has_input(&self) -> bool {
        self.input.is_some()
    }

    pub fn extend(&mut self, text: JsonStr<'_>) {
        if let Some(input) = &mut self.input {
            input.text.append(text);
        }
    }

    /// The input is what has come of it.
    pub fn freeze_input(&mut self) {
        let Some(mut input) = self.input.take() else { return };
        input.text.seal();
        if input.text.is_empty() {
            return;
        }
        let all = input.text.decoded();
        let quoted = quote(&all);
        if input.is_text {
            self.set(Known::Input, Some(&quoted));
        } else {
            input.scan(all.as_bytes());
            let mut value: Vec<u8> = all.as_bytes().get(..input.scanner.kept()).unwrap_or(&[]).into();
            input.scanner.write_closing(&mut value);
            self.set(Known::Input, Some(value.as_slice()).filter(|value| json::is_value(value)));
        }
        self.set(Known::RawInput, Some(&quoted));
    }

    /// The same call in the next step, with all of the input; here stays what has come until now.
    pub fn split(&mut self) -> Self {
        let mut next = Self {
            is_dynamic: self.is_dynamic,
            id: self.id.clone(),
            name: self.name.clone(),
            state: CallState::InputStreaming,
            known: Default::default(),
            input: self.input.take(),
        };
        if let Some(mut input) = next.input.take() {
            for (what, raw) in &input.said {
                next.set(*what, Some(raw));
            }
            input.sent = Mark::default();
            let mut copy = Text::default();
            copy.append_str(&input.text.decoded());
            self.input = Some(Box::new(Input { text: copy, is_text: input.is_text, ..Input::default() }));
            next.input = Some(input);
        }
        self.freeze_input();
        next
    }

    // ---- kept, and taken up again ----

    /// Writes all of it, so that [`Call::load`] knows what it was.
    pub fn store(&self, out: &mut Delta) {
        self.write(out);
        out.reopen();
        if let Some(input) = &self.input {
            out.key("rawInput");
            input.text.write_json(out);
            out.key("said");
            let mut lead = "{\"";
            for (what, raw) in &input.said {
                out.literal(lead);
                lead = ",\"";
                out.literal(Known::NAMES.get(*what as usize).copied().unwrap_or(""));
                out.literal("\":");
                out.raw(raw);
            }
            out.literal(if input.said.is_empty() { "{}" } else { "}" });
        } else if self.state == CallState::InputStreaming {
            out.key("isFrozen");
            out.literal("true");
        }
        out.literal("}");
    }

    /// The call that a part tells of; one of a static tool is called `name`, a raw JSON string without its first quote.
    pub fn load(raw: &[u8], name: Option<&[u8]>) -> Option<Self> {
        let mut call = Self {
            is_dynamic: name.is_none(),
            id: b"\"\"".as_slice().into(),
            name: [b"\"", name.unwrap_or(b"\"")].concat().into(),
            state: CallState::InputAvailable,
            known: Default::default(),
            input: None,
        };
        let mut is_frozen = false;
        let (mut text, mut said) = (None, None);
        for_each_member(raw, &mut |key, value, raw| match (key, value) {
            (b"toolCallId", Value::String(_)) => call.id = raw.into(),
            (b"toolName", Value::String(_)) if name.is_none() => call.name = raw.into(),
            (b"state", _) => call.state = CallState::named(raw).unwrap_or(call.state),
            (b"isFrozen", _) => is_frozen = true,
            (b"said", Value::Object(raw)) => said = Some(raw),
            _ => {
                if let (b"rawInput", Value::String(streamed)) = (key, value) {
                    text = Some(streamed);
                }
                let place = Known::NAMES.iter().position(|known| known.as_bytes() == key);
                if let Some(known) = place.and_then(|place| call.known.get_mut(place)) {
                    *known = Some(raw.into());
                }
            }
        });
        if call.state == CallState::InputStreaming && !is_frozen {
            call.set(Known::Input, None);
            call.set(Known::RawInput, None);
            let what_was_said = Known::SAID.map(|what| match said {
                Some(said) => member(said, Known::NAMES.get(what as usize)?.as_bytes()).map(|(_, raw)| raw.into()),
                None => call.known(what).map(Into::into),
            });
            call.stream_input(Known::SAID.into_iter().zip(what_was_said));
            call.extend(text.unwrap_or_default());
        }
        Some(call)
    }

    // ---- what is told of it ----

    pub fn forget_sent(&mut self) {
        if let Some(input) = &mut self.input {
            input.sent = Mark::default();
        }
    }

    pub fn held_bytes(&self) -> usize {
        let known: usize = self.known.iter().flatten().map(|raw| raw.len()).sum();
        let input = self.input.as_ref().map_or(0, |input| size_of::<Input>() + input.text.held_bytes());
        size_of::<Self>() + self.id.len() + self.name.len() + known + input
    }

    /// All but an input that streams.
    pub fn write(&self, out: &mut Delta) {
        if self.is_dynamic {
            out.literal("{\"type\":\"dynamic-tool\"");
            out.key("toolName");
            out.raw(&self.name);
        } else {
            out.literal("{\"type\":\"tool-");
            // Without its first quote.
            out.raw(self.name.get(1..).unwrap_or(b"\""));
        }
        out.key("toolCallId");
        out.raw(&self.id);
        out.key("state");
        out.literal(CallState::NAMES.get(self.state as usize).copied().unwrap_or("null"));
        for (name, known) in Known::NAMES.into_iter().zip(&self.known) {
            if let Some(raw) = known {
                out.key(name);
                out.raw(raw);
            }
        }
        out.literal("}");
    }

    /// The words of the input that were not told, and how to read all of them: `"add"` and `"close"`, see [`Delta`].
    pub fn write_input(&mut self, out: &mut Delta, open: &mut dyn FnMut(&mut Delta)) {
        let Some(input) = &mut self.input else { return };
        let added = input.text.read_on(&mut input.sent, out.tail_mut());
        if added == 0 {
            return;
        }
        open(out);
        out.key("add");
        out.number(added as u64);
        if input.is_text {
            return;
        }
        let fresh = input.text.len() - input.scanned;
        let tail = out.tail_mut();
        input.scan_end(tail.get(tail.len().saturating_sub(fresh)..).unwrap_or(&[]));
        out.key("close");
        let mut closing = Vec::new();
        input.scanner.write_closing(&mut closing);
        out.literal("[");
        out.number(input.text.last_units(input.text.len() - input.scanner.kept()) as u64);
        out.literal(",");
        out.string(&closing);
        out.literal("]");
    }
}

impl Input {
    fn scan_end(&mut self, fresh: &[u8]) {
        self.scanner.feed(fresh);
        self.scanned += fresh.len();
    }

    fn scan(&mut self, all: &[u8]) {
        let from = self.scanned;
        self.scan_end(all.get(from..).unwrap_or(&[]));
    }
}

/// The writer of one JSON object.
#[derive(Default)]
pub(super) struct Object(Vec<u8>);

impl Object {
    pub fn member(&mut self, name: &str, raw: Option<&[u8]>) {
        if let Some(raw) = raw {
            self.key(name.as_bytes());
            self.0.extend_from_slice(raw);
        }
    }

    fn key(&mut self, contents: &[u8]) {
        self.0.extend_from_slice(if self.0.is_empty() { b"{\"" } else { b",\"" });
        self.0.extend_from_slice(contents);
        self.0.extend_from_slice(b"\":");
    }

    pub fn members_of(&mut self, raw: &[u8], is_taken: impl Fn(&[u8]) -> bool) {
        let Ok(mut members) = Members::open(raw) else { return };
        while let Ok(Some((key, value))) = members.next() {
            if is_taken(&key.plain()) {
                let end = members.at();
                self.key(key.raw());
                self.0.extend_from_slice(raw.get(end - value.raw_len()..end).unwrap_or(&[]));
            }
        }
    }

    pub fn end(mut self) -> Vec<u8> {
        self.0.extend_from_slice(if self.0.is_empty() { b"{}" } else { b"}" });
        self.0
    }
}

/// `text` as a raw JSON string.
fn quote(text: &str) -> Vec<u8> {
    let mut out = Delta::new();
    out.string(text.as_bytes());
    out.into_head()
}

/// UTF-8 as the contents of a JSON string.
pub(super) fn contents(utf8: &[u8]) -> Vec<u8> {
    let mut out = Delta::new();
    out.escaped(utf8);
    out.into_head()
}
