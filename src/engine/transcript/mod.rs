//! What a run has said so far: its parts in order, kept once, handed out as deltas.
//!
//! A text part is a text block. It takes text until the server ends the block or a tool starts (B-TB-6); reasoning in
//! between does not end it, because the server's own count of blocks would not. Reasoning is one part until text or a tool
//! follows. A delta holds what is new since the last one and costs as much, however long the transcript is.
//!
//! Here: what a transcript is, and its events. Beside it: the chunks of a UI message (`message`), their tool calls (`call`), a
//! transcript as JSON, to be kept and taken up again (`stored`).

mod call;
mod message;
mod stored;
mod strings;

use alloc::{boxed::Box, string::String, vec::Vec};
use core::num::NonZeroU64;

use call::Call;
use message::{About, Open};
use strings::Strings;

use super::delta::Delta;
use super::event::{JsonStr, Metadata, RunEvent, Snapshot, Terminal, Tool, ToolField};
use super::protocol::{chunks, ws_chat};
use super::text::{Mark, Text};
use super::text_blocks::{self, Unit};

/// The parts of one run, with what of them was already handed out.
#[derive(Default)]
pub struct Transcript {
    parts: Vec<Part>,
    // Where text and reasoning go while their part is open.
    text: Option<usize>,
    reasoning: Option<usize>,
    // Length of the closed text blocks, and of those that have names, in UTF-16 units.
    closed_units: usize,
    // The open parts that have names.
    open: Vec<Open>,
    // Where the present step begins, and how often one was begun anew.
    step: usize,
    resets: u32,
    // Tool calls that have not ended; seldom more than a few.
    running: Vec<usize>,
    blocks: u32,
    usage: Option<Box<[u8]>>,
    metadata: Option<Box<[u8]>>,
    // Parts that changed since the last delta, in the order in which they first did.
    changed: Vec<usize>,
    usage_changed: bool,
    metadata_changed: bool,
    reset: bool,
    // The page must forget its parts from here on.
    cut: Option<usize>,
    // When the event that is taken was made, in unix ms, where its server says so.
    at: Option<u64>,
}

struct Part {
    body: Body,
    // Whether it stands in `changed`.
    changed: bool,
    // Whether the page knows the part as it is, apart from text and state.
    known: bool,
    // Whether the page knows that it is complete.
    known_done: bool,
    // Whether its provider has said something that the page does not know.
    has_news: bool,
}

enum Body {
    Text { seq: u32, stream: Stream },
    Reasoning { stream: Stream },
    Tool(Box<ToolCall>),
    Citation { raw: Box<[u8]> },
    Interrupt { raw: Box<[u8]> },
    Call(Box<Call>),
    // The part's kind and id, raw JSON strings, and all of it.
    Data { kind: Box<[u8]>, id: Option<Box<[u8]>>, raw: Box<[u8]> },
    Raw { raw: Box<[u8]> },
}

#[derive(Default)]
struct Stream {
    text: Text,
    sent: Mark,
    done: bool,
    about: Option<Box<About>>,
}

/// What is known of a tool call.
#[derive(Default)]
struct ToolCall {
    // Contents of JSON strings, escapes as they came, by [`ToolField`].
    fields: Strings,
    duration_ms: Option<u64>,
    state: ToolState,
}

/// How far a tool call is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ToolState {
    /// It has not ended.
    #[default]
    Running,
    /// It has returned.
    Done,
    /// It has failed, or its run has ended without it.
    Failed,
}

impl Transcript {
    /// An empty transcript.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes one event. Those that say nothing about the transcript change nothing. False for one that speaks of what was
    /// never begun: it changes nothing, either.
    pub fn apply(&mut self, event: &RunEvent<'_>) -> bool {
        match event {
            RunEvent::Text { text, part: [] } => self.append_text(*text),
            RunEvent::Reasoning { text, part: [] } => self.append_reasoning(*text),
            RunEvent::Text { text, part } => return self.continue_part(part, false, *text),
            RunEvent::Reasoning { text, part } => return self.continue_part(part, true, *text),
            RunEvent::Input { text, call } => return self.continue_input(call, *text),
            RunEvent::Chunk { kind, raw } => return self.take_chunk(*kind, raw),
            RunEvent::Started { metadata, .. } | RunEvent::Concluded { metadata, .. } => self.merge_metadata(*metadata),
            RunEvent::ToolStarted { tool } => self.start_tool(tool),
            RunEvent::ToolEnded { tool } => self.end_tool(tool),
            RunEvent::ToolInput { tool } => self.continue_tool(tool),
            RunEvent::Reset => {
                *self = Self::new();
                self.rewrite();
            }
            RunEvent::BlockEnded { .. } => self.close_text(),
            RunEvent::Snapshot(snapshot) => self.replace(snapshot),
            RunEvent::Interrupted { raw } => self.push(Body::Interrupt { raw: (*raw).into() }),
            RunEvent::Citation { raw } => self.push(Body::Citation { raw: (*raw).into() }),
            RunEvent::Usage { raw } => self.take_usage(raw),
            RunEvent::Ended { how, metadata, .. } => {
                match metadata {
                    Some(Metadata::Whole(raw)) => self.take_metadata((*raw).into()),
                    Some(Metadata::Frame(raw)) => self.take_metadata(ws_chat::about(raw).into()),
                    Some(Metadata::Chunk(raw)) => {
                        chunks::usage(raw).into_iter().for_each(|raw| self.take_usage(raw));
                        self.take_metadata((*raw).into());
                    }
                    Some(Metadata::Message(raw)) => self.take_message(raw),
                    None => {}
                }
                self.settle(*how);
            }
            RunEvent::Refused { .. } | RunEvent::Heartbeat | RunEvent::Ignored => {}
        }
        true
    }

    /// The same, of an event that was made then, in unix ms: reasoning tells how long it took.
    pub fn apply_at(&mut self, event: &RunEvent<'_>, at: Option<u64>) -> bool {
        self.at = at;
        let makes_sense = self.apply(event);
        self.at = None;
        makes_sense
    }

    /// Completes the parts that are open, for a run of which no more will come.
    pub fn close(&mut self) {
        self.close_streams();
        self.close_parts();
    }

    /// Makes the next delta tell everything from the start.
    pub fn rewrite(&mut self) {
        self.reset = true;
        self.usage_changed = self.usage.is_some();
        self.metadata_changed = self.metadata.is_some();
        self.changed.clear();
        for (index, part) in self.parts.iter_mut().enumerate() {
            part.changed = true;
            part.known = false;
            part.known_done = false;
            part.has_news = false;
            match &mut part.body {
                Body::Text { stream, .. } | Body::Reasoning { stream } => stream.sent = Mark::default(),
                Body::Call(call) => call.forget_sent(),
                _ => {}
            }
            self.changed.push(index);
        }
    }

    /// Whether the next delta has something to tell.
    pub fn is_changed(&self) -> bool {
        self.reset || self.cut.is_some() || self.usage_changed || self.metadata_changed || !self.changed.is_empty()
    }

    /// Writes what changed since the last call into the run delta that is open in `out`.
    pub fn write_delta(&mut self, out: &mut Delta) {
        if core::mem::take(&mut self.reset) {
            out.key("reset");
            out.literal("true");
        }
        if let Some(cut) = self.cut.take() {
            out.key("cut");
            out.number(cut as u64);
        }
        if !self.changed.is_empty() {
            out.key("parts");
            let mut lead = "[";
            for index in self.changed.drain(..) {
                if let Some(part) = self.parts.get_mut(index) {
                    part.write(index, &mut lead, out);
                }
            }
            // A change may come to nothing: half a surrogate pair, say.
            out.literal(if lead == "[" { "[]" } else { "]" });
        }
        if core::mem::take(&mut self.usage_changed) {
            out.key("usage");
            write_raw(self.usage.as_deref(), out);
        }
        if core::mem::take(&mut self.metadata_changed) {
            out.key("metadata");
            write_raw(self.metadata.as_deref(), out);
        }
    }

    /// Length of the answer, all blocks together, in UTF-16 units.
    pub fn text_utf16_len(&self) -> usize {
        self.closed_units + self.stream_units(self.text)
    }

    /// Whether whoever saw `other` misses nothing here: by length, for what was said again is what was said, unless a step was
    /// begun anew in between.
    pub fn has_caught_up_with(&self, other: &Self) -> bool {
        let is_as_long = self.text_utf16_len() >= other.text_utf16_len() && self.parts.len() >= other.parts.len();
        self.resets > other.resets || (self.resets == other.resets && is_as_long)
    }

    /// The answer's bytes in order; each piece is whole characters.
    pub fn text_bytes(&self) -> impl Iterator<Item = &[u8]> {
        self.texts().flat_map(Text::chunks)
    }

    /// Whether nothing was said yet.
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// Bytes of memory held.
    pub fn held_bytes(&self) -> usize {
        let parts: usize = self.parts.iter().map(|part| part.body.held_bytes()).sum();
        let raw = [&self.usage, &self.metadata].into_iter().flatten().map(|raw| raw.len()).sum::<usize>();
        parts + raw + self.parts.capacity() * size_of::<Part>()
    }

    /// The raw JSON of the last usage report.
    pub fn usage(&self) -> Option<&[u8]> {
        self.usage.as_deref()
    }

    /// The raw JSON of the run's metadata, as a snapshot gave it.
    pub fn metadata(&self) -> Option<&[u8]> {
        self.metadata.as_deref()
    }

    /// A decoded copy of all parts, for comparison.
    pub fn to_parts(&self) -> Vec<PartCopy> {
        self.parts.iter().map(Part::copy).collect()
    }

    fn texts(&self) -> impl Iterator<Item = &Text> {
        self.parts.iter().filter_map(|part| match &part.body {
            Body::Text { stream, .. } => Some(&stream.text),
            _ => None,
        })
    }

    fn take_usage(&mut self, raw: &[u8]) {
        self.usage = Some(raw.into());
        self.usage_changed = true;
    }

    fn take_metadata(&mut self, raw: Box<[u8]>) {
        self.metadata = Some(raw);
        self.metadata_changed = true;
    }

    /// A message that is told at once is what it says, whatever was said of it before.
    fn take_message(&mut self, raw: &[u8]) {
        if !self.is_empty() {
            *self = Self::new();
            self.rewrite();
        }
        chunks::texts(raw, |text| {
            self.append_text(text);
            self.close_text();
        });
    }

    fn append_text(&mut self, text: JsonStr<'_>) {
        if text.is_empty() {
            return;
        }
        if self.reasoning.is_some() {
            self.close_reasoning();
        }
        let index = match self.text {
            Some(index) => index,
            None => self.open_text(),
        };
        self.append(index, text);
    }

    fn append_reasoning(&mut self, text: JsonStr<'_>) {
        if text.is_empty() {
            return;
        }
        let index = match self.reasoning {
            Some(index) => index,
            None => {
                self.push(Body::Reasoning { stream: Stream::default() });
                *self.reasoning.insert(self.parts.len() - 1)
            }
        };
        self.append(index, text);
        if let (Some(at), Some(stream)) = (self.at, self.parts.get_mut(index).and_then(|part| part.body.stream_mut())) {
            let about = stream.about.get_or_insert_default();
            about.ended = NonZeroU64::new(at);
            about.began = about.began.or(about.ended);
        }
    }

    fn append(&mut self, index: usize, text: JsonStr<'_>) {
        if let Some(part) = self.parts.get_mut(index) {
            if let Some(stream) = part.body.stream_mut() {
                stream.text.append(text);
            }
            if !part.changed {
                part.changed = true;
                self.changed.push(index);
            }
        }
    }

    fn open_text(&mut self) -> usize {
        let seq = self.blocks;
        self.blocks += 1;
        self.push(Body::Text { seq, stream: Stream::default() });
        *self.text.insert(self.parts.len() - 1)
    }

    fn push(&mut self, body: Body) {
        self.changed.push(self.parts.len());
        if self.parts.len() == self.parts.capacity() {
            // Not twice as many: most of them would lie idle in the memory of a run with thousands.
            self.parts.reserve_exact(4 + self.parts.len() / 8);
        }
        self.parts.push(Part { body, changed: true, known: false, known_done: false, has_news: false });
    }

    fn touch(&mut self, index: usize) -> Option<&mut Part> {
        let part = self.parts.get_mut(index)?;
        if !part.changed {
            part.changed = true;
            self.changed.push(index);
        }
        Some(part)
    }

    fn close_text(&mut self) {
        let open = self.text.take();
        self.finish_stream(open);
        self.closed_units += self.stream_units(open);
    }

    fn stream_units(&self, index: Option<usize>) -> usize {
        match index.and_then(|index| self.parts.get(index)).map(|part| &part.body) {
            Some(Body::Text { stream, .. }) => stream.text.utf16_len(),
            _ => 0,
        }
    }

    fn close_reasoning(&mut self) {
        let open = self.reasoning.take();
        self.finish_stream(open);
    }

    fn close_streams(&mut self) {
        self.close_text();
        self.close_reasoning();
    }

    fn finish_stream(&mut self, open: Option<usize>) {
        let Some(part) = open.and_then(|index| self.touch(index)) else { return };
        if let Some(stream) = part.body.stream_mut() {
            stream.done = true;
            stream.text.seal();
            part.has_news |= stream.about.as_ref().is_some_and(|about| about.ended.is_some());
        }
    }

    fn start_tool(&mut self, tool: &Tool<'_>) {
        self.close_streams();
        match self.running_tool(tool) {
            // A snapshot may already know the call.
            Some(index) => self.update_tool(index, tool),
            None => self.push_tool(tool),
        }
    }

    fn push_tool(&mut self, tool: &Tool<'_>) {
        let mut call = Box::<ToolCall>::default();
        call.update(tool);
        self.running.push(self.parts.len());
        self.push(Body::Tool(call));
    }

    fn continue_tool(&mut self, tool: &Tool<'_>) {
        let Some(index) = self.running_tool(tool) else { return self.start_tool(tool) };
        if let Some(part) = self.touch(index) {
            part.known = false;
            if let Body::Tool(call) = &mut part.body {
                call.append_arguments(tool.field(ToolField::Arguments).unwrap_or_default());
            }
        }
    }

    fn end_tool(&mut self, tool: &Tool<'_>) {
        let index = match self.running_tool(tool).or_else(|| self.ended_tool(tool)) {
            Some(index) => index,
            None => {
                self.close_streams();
                self.push_tool(tool);
                self.parts.len() - 1
            }
        };
        self.update_tool(index, tool);
        let state = if tool.has_failed() { ToolState::Failed } else { ToolState::Done };
        self.end_call(index, state);
    }

    fn update_tool(&mut self, index: usize, tool: &Tool<'_>) {
        if let Some(part) = self.touch(index) {
            part.known = false;
            if let Body::Tool(call) = &mut part.body {
                call.update(tool);
            }
        }
    }

    fn end_call(&mut self, index: usize, state: ToolState) {
        self.running.retain(|&running| running != index);
        if let Some(part) = self.touch(index) {
            part.known = false;
            if let Body::Tool(call) = &mut part.body {
                call.state = state;
            }
        }
    }

    /// The running call that `tool` speaks of: the one with its id, or, where it has none, the last of its name.
    fn running_tool(&self, tool: &Tool<'_>) -> Option<usize> {
        self.running.iter().rev().copied().find(|&index| self.is_call(index, tool))
    }

    /// The call of the same id that has ended before; a nameless end speaks of a running call or of none.
    fn ended_tool(&self, tool: &Tool<'_>) -> Option<usize> {
        tool.field(ToolField::CallId).filter(|id| !id.is_empty())?;
        (0..self.parts.len()).rev().find(|&index| self.is_call(index, tool))
    }

    fn is_call(&self, index: usize, tool: &Tool<'_>) -> bool {
        let Some(Body::Tool(call)) = self.parts.get(index).map(|part| &part.body) else { return false };
        let known = |field: ToolField| call.fields.get(field as usize);
        match tool.field(ToolField::CallId) {
            Some(id) if !id.is_empty() => same(known(ToolField::CallId), Some(id)),
            _ => {
                known(ToolField::CallId).is_none_or(<[u8]>::is_empty)
                    && same(known(ToolField::Name), tool.field(ToolField::Name))
            }
        }
    }

    /// Puts the server's stored state in the place of text and tool calls. What it does not speak of stays: reasoning in
    /// front, citations and questions behind.
    fn replace(&mut self, snapshot: &Snapshot<'_>) {
        let blocks = Blocks::of(snapshot);
        let old = core::mem::take(&mut self.parts);
        let (usage, had_metadata) = (self.usage.take(), self.metadata.take());
        *self = Self { usage, metadata: had_metadata, ..Self::default() };
        let mut behind = Vec::new();
        for mut part in old {
            match &mut part.body {
                Body::Reasoning { stream } => {
                    stream.text.seal();
                    stream.done = true;
                    self.parts.push(part);
                }
                Body::Citation { .. } | Body::Interrupt { .. } | Body::Data { .. } | Body::Raw { .. } => {
                    behind.push(part)
                }
                Body::Text { .. } | Body::Tool(_) | Body::Call(_) => {}
            }
        }
        if let Some(raw) = snapshot.metadata {
            self.metadata = Some(raw.into());
        }
        // Nobody stored which call followed which block. A block ends because calls follow, so every finished block gets one
        // while there are enough, the last one gets the rest; without a finished block all calls came before the text.
        let mut tools = snapshot.tools();
        let last = blocks.cuts.len();
        if last == 0 {
            self.push_stored(&mut tools, usize::MAX);
        }
        for (number, block) in blocks.iter().enumerate() {
            let index = self.open_text();
            if let Some(Body::Text { stream, .. }) = self.parts.get_mut(index).map(|part| &mut part.body) {
                stream.text.append_str(block);
            }
            if number < last {
                self.close_text();
                self.push_stored(&mut tools, if number + 1 == last { usize::MAX } else { 1 });
            }
        }
        self.parts.append(&mut behind);
        self.rewrite();
    }

    fn push_stored<'a>(&mut self, tools: &mut dyn Iterator<Item = Tool<'a>>, most: usize) {
        for tool in tools.take(most) {
            self.push_tool(&tool);
            let index = self.parts.len() - 1;
            if tool.has_failed() {
                self.end_call(index, ToolState::Failed);
            } else if tool.field(ToolField::Result).is_some() || tool.duration_ms.is_some() {
                self.end_call(index, ToolState::Done);
            }
        }
    }

    /// The run is over: nothing stays open. A call that never ended has, as far as anyone will know, ended with its run.
    fn settle(&mut self, how: Terminal) {
        self.close();
        let state = if how == Terminal::Completed { ToolState::Done } else { ToolState::Failed };
        while let Some(index) = self.running.pop() {
            self.end_call(index, state);
        }
    }
}

/// A snapshot's text, and where its finished blocks end.
struct Blocks {
    content: String,
    cuts: Vec<usize>,
}

impl Blocks {
    fn of(snapshot: &Snapshot<'_>) -> Self {
        let content = snapshot.content.unwrap_or_default().decoded();
        let mut offsets = snapshot.offsets().map(|offset| usize::try_from(offset).unwrap_or(usize::MAX));
        let cuts = text_blocks::cuts(&content, &mut offsets, Unit::Utf16).into_iter().map(|(byte, _)| byte).collect();
        Self { content, cuts }
    }

    /// The finished blocks, then the open one if it has text.
    fn iter(&self) -> impl Iterator<Item = &str> {
        let ends = self.cuts.iter().copied().chain([self.content.len()]);
        let mut start = 0;
        ends.filter_map(move |end| {
            let block = self.content.get(start..end).filter(|block| !block.is_empty());
            start = end;
            block
        })
    }
}

impl Part {
    /// One entry for all that has changed of the part: each costs the page more to parse than its text.
    fn write(&mut self, index: usize, lead: &mut &'static str, out: &mut Delta) {
        self.changed = false;
        let mut is_open = false;
        let mut open = |out: &mut Delta| {
            if !core::mem::replace(&mut is_open, true) {
                out.literal(core::mem::replace(lead, ","));
                out.literal("{\"i\":");
                out.number(index as u64);
            }
        };
        if !self.known {
            self.known = true;
            self.has_news = false;
            if let Body::Call(call) = &mut self.body {
                call.forget_sent();
            }
            open(out);
            out.key("part");
            self.body.write(out);
        }
        if core::mem::take(&mut self.has_news)
            && let Some(Stream { about: Some(about), done, .. }) = self.body.stream_mut()
        {
            open(out);
            out.key("set");
            out.begin_object();
            about.write_members(*done, out);
            out.end_object();
        }
        if let Body::Call(call) = &mut self.body {
            call.write_input(out, &mut open);
        }
        if let Some(stream) = self.body.stream_mut() {
            let added = stream.text.read_on(&mut stream.sent, out.tail_mut());
            if added > 0 {
                open(out);
                out.key("add");
                out.number(added as u64);
            }
            if stream.done && !self.known_done {
                self.known_done = true;
                open(out);
                out.key("state");
                out.literal("\"done\"");
            }
        }
        if is_open {
            out.literal("}");
        }
    }

    fn copy(&self) -> PartCopy {
        let json = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
        match &self.body {
            Body::Text { seq, stream } => PartCopy::Text { seq: *seq, text: stream.text.decoded(), done: stream.done },
            Body::Reasoning { stream } => PartCopy::Reasoning { text: stream.text.decoded(), done: stream.done },
            Body::Tool(call) => {
                let mut fields = call.fields.iter().map(|raw| raw.map(|raw| JsonStr::stored(raw).decoded()));
                let mut next = || fields.next().flatten();
                PartCopy::Tool(ToolCopy {
                    call_id: next(),
                    name: next(),
                    agent_name: next(),
                    arguments: next(),
                    result: next(),
                    error: next(),
                    duration_ms: call.duration_ms,
                    state: call.state,
                })
            }
            Body::Citation { raw } => PartCopy::Citation { raw: json(raw) },
            Body::Interrupt { raw } => PartCopy::Interrupt { raw: json(raw) },
            Body::Data { raw, .. } | Body::Raw { raw } => PartCopy::Whole { raw: json(raw) },
            Body::Call(call) => {
                let mut out = Delta::new();
                call.write(&mut out);
                PartCopy::Whole { raw: json(&out.into_head()) }
            }
        }
    }
}

impl Body {
    fn stream_mut(&mut self) -> Option<&mut Stream> {
        match self {
            Self::Text { stream, .. } | Self::Reasoning { stream } => Some(stream),
            _ => None,
        }
    }

    fn held_bytes(&self) -> usize {
        match self {
            Self::Text { stream, .. } | Self::Reasoning { stream } => stream.text.held_bytes(),
            Self::Tool(call) => size_of::<ToolCall>() + call.fields.len(),
            Self::Citation { raw } | Self::Interrupt { raw } | Self::Raw { raw } => raw.len(),
            Self::Data { kind, id, raw } => kind.len() + id.as_ref().map_or(0, |id| id.len()) + raw.len(),
            Self::Call(call) => call.held_bytes(),
        }
    }

    fn write(&self, out: &mut Delta) {
        match self {
            Self::Text { seq, stream } => {
                out.literal("{\"type\":\"text\",\"seq\":");
                out.number(u64::from(*seq));
                stream.write_about(out);
            }
            Self::Reasoning { stream } => {
                out.literal("{\"type\":\"reasoning\"");
                stream.write_about(out);
            }
            Self::Tool(call) => {
                out.literal("{\"type\":\"tool\"");
                for (name, field) in ToolField::NAMES.into_iter().zip(call.fields.iter()) {
                    out.key(name);
                    match field {
                        Some(raw) => out.quoted(raw),
                        None => out.literal("null"),
                    }
                }
                out.key("durationMs");
                out.number_or_null(call.duration_ms);
                out.key("state");
                out.literal(match call.state {
                    ToolState::Running => "\"running\"}",
                    ToolState::Done => "\"done\"}",
                    ToolState::Failed => "\"failed\"}",
                });
            }
            Self::Citation { raw } => {
                out.literal("{\"type\":\"citation\",\"citation\":");
                out.raw(raw);
                out.literal("}");
            }
            Self::Interrupt { raw } => {
                out.literal("{\"type\":\"interrupt\",\"interrupt\":");
                out.raw(raw);
                out.literal("}");
            }
            Self::Call(call) => call.write(out),
            Self::Data { raw, .. } | Self::Raw { raw } => out.raw(raw),
        }
    }
}

impl Stream {
    fn write_about(&self, out: &mut Delta) {
        out.literal(",\"state\":\"streaming\"");
        if let Some(about) = &self.about {
            about.write_members(self.done, out);
        }
        out.literal("}");
    }
}

impl ToolCall {
    /// Takes over what `tool` says; what it leaves out stays.
    fn update(&mut self, tool: &Tool<'_>) {
        for (place, said) in tool.fields.iter().enumerate() {
            match said {
                Some(text) if text.is_json() => self.fields.set(place, &call::contents(text.raw())),
                Some(text) => self.fields.set(place, text.raw()),
                None => {}
            }
        }
        self.duration_ms = tool.duration_ms.or(self.duration_ms);
    }

    fn append_arguments(&mut self, text: JsonStr<'_>) {
        self.fields.append(ToolField::Arguments as usize, text.raw());
    }
}

/// Whether two JSON strings mean the same; the same text may be escaped in more than one way.
fn same(stored: Option<&[u8]>, other: Option<JsonStr<'_>>) -> bool {
    match (stored, other) {
        (Some(one), Some(other)) => one == other.raw() || *JsonStr::stored(one).plain() == *other.plain(),
        (one, other) => one.is_none() && other.is_none(),
    }
}

/// Whether two raw JSON strings mean the same.
fn same_string(one: &[u8], other: &[u8]) -> bool {
    if one == other {
        return true;
    }
    let contents = |raw| <[u8]>::get(raw, 1..raw.len().saturating_sub(1)).unwrap_or(&[]);
    (one.contains(&b'\\') || other.contains(&b'\\'))
        && *JsonStr::stored(contents(one)).plain() == *JsonStr::stored(contents(other)).plain()
}

fn write_raw(raw: Option<&[u8]>, out: &mut Delta) {
    match raw {
        Some(raw) => out.raw(raw),
        None => out.literal("null"),
    }
}

/// A decoded copy of one part; see [`Transcript::to_parts`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PartCopy {
    /// A text block.
    Text {
        /// Its number among the run's blocks.
        seq: u32,
        /// All of it.
        text: String,
        /// Whether it is complete.
        done: bool,
    },
    /// A stretch of reasoning.
    Reasoning {
        /// All of it.
        text: String,
        /// Whether it is complete.
        done: bool,
    },
    /// A tool call.
    Tool(ToolCopy),
    /// A source.
    Citation {
        /// Its JSON.
        raw: String,
    },
    /// A part as it came, or as it is told.
    Whole {
        /// Its JSON.
        raw: String,
    },
    /// Questions to a person.
    Interrupt {
        /// Their JSON.
        raw: String,
    },
}

/// A decoded copy of a tool call.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs)]
pub struct ToolCopy {
    pub call_id: Option<String>,
    pub name: Option<String>,
    pub agent_name: Option<String>,
    pub arguments: Option<String>,
    pub result: Option<String>,
    pub error: Option<String>,
    pub duration_ms: Option<u64>,
    pub state: ToolState,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::protocol::{Protocol, decode};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    /// What the page does with a flush, as plainly as possible: the state of slot 1.
    #[derive(Default)]
    struct Page {
        parts: Vec<Value>,
        texts: Vec<Vec<u16>>,
        usage: Value,
        metadata: Value,
    }

    impl Page {
        fn take(&mut self, flush: &[u8]) {
            let Some((head, tail)) = core::str::from_utf8(flush).unwrap().split_once('\n') else { return };
            let tail: Vec<u16> = tail.encode_utf16().collect();
            let mut read = 0;
            for run in serde_json::from_str::<Vec<Value>>(head).unwrap() {
                assert_eq!(run["slot"], 1);
                if run["reset"] == true {
                    *self = Self::default();
                }
                for step in run["parts"].as_array().unwrap_or(&Vec::new()) {
                    let index = step["i"].as_u64().unwrap() as usize;
                    if let Some(part) = step.get("part") {
                        assert!(index <= self.parts.len(), "parts come in order");
                        self.parts.truncate(index.max(self.parts.len()));
                        if index == self.parts.len() {
                            self.parts.push(Value::Null);
                            self.texts.push(Vec::new());
                        }
                        self.parts[index] = part.clone();
                        self.texts[index].clear();
                    }
                    if let Some(add) = step.get("add") {
                        let end = read + add.as_u64().unwrap() as usize;
                        self.texts[index].extend_from_slice(&tail[read..end]);
                        read = end;
                    }
                    if let Some(state) = step.get("state") {
                        self.parts[index]["state"] = state.clone();
                    }
                }
                for (name, slot) in [("usage", &mut self.usage), ("metadata", &mut self.metadata)] {
                    if let Some(value) = run.get(name) {
                        *slot = value.clone();
                    }
                }
            }
            assert_eq!(read, tail.len(), "the head speaks of all of the tail");
        }

        fn parts(&self) -> Vec<Value> {
            let with_text = |(part, text): (&Value, &Vec<u16>)| {
                let mut part = part.clone();
                if part["type"] == "text" || part["type"] == "reasoning" {
                    part["text"] = String::from_utf16(text).expect("no half characters").into();
                }
                part
            };
            self.parts.iter().zip(&self.texts).map(with_text).collect()
        }
    }

    fn plain(transcript: &Transcript) -> Vec<Value> {
        let state = |done: bool| if done { "done" } else { "streaming" };
        let plain = |part| match part {
            PartCopy::Text { seq, text, done } => {
                json!({ "type": "text", "seq": seq, "text": text, "state": state(done) })
            }
            PartCopy::Reasoning { text, done } => json!({ "type": "reasoning", "text": text, "state": state(done) }),
            PartCopy::Tool(call) => json!({
                "type": "tool", "callId": call.call_id, "name": call.name, "agentName": call.agent_name, "arguments": call.arguments,
                "result": call.result, "error": call.error, "durationMs": call.duration_ms,
                "state": match call.state { ToolState::Running => "running", ToolState::Done => "done", ToolState::Failed => "failed" },
            }),
            PartCopy::Citation { raw } => {
                json!({ "type": "citation", "citation": serde_json::from_str::<Value>(&raw).unwrap() })
            }
            PartCopy::Whole { raw } => serde_json::from_str::<Value>(&raw).unwrap(),
            PartCopy::Interrupt { raw } => {
                json!({ "type": "interrupt", "interrupt": serde_json::from_str::<Value>(&raw).unwrap() })
            }
        };
        transcript.to_parts().into_iter().map(plain).collect()
    }

    fn apply(transcript: &mut Transcript, event: &Value) {
        let data = event.to_string();
        transcript.apply(&decode(Protocol::Bichat, b"message", data.as_bytes()).unwrap());
    }

    fn played(events: &[Value]) -> Transcript {
        let mut transcript = Transcript::new();
        events.iter().for_each(|event| apply(&mut transcript, event));
        transcript
    }

    fn flush(transcript: &mut Transcript, delta: &mut Delta) -> Vec<u8> {
        delta.begin(1);
        transcript.write_delta(delta);
        delta.end();
        let flush = delta.finish().to_vec();
        delta.clear();
        flush
    }

    fn text(text: &str) -> Value {
        json!({ "type": "content", "content": text })
    }

    fn thinking(text: &str) -> Value {
        json!({ "type": "thinking", "content": text })
    }

    fn block_end() -> Value {
        json!({ "type": "text_block_end", "textBlockSeq": 0 })
    }

    fn tool_start(id: &str) -> Value {
        json!({ "type": "tool_start", "tool": { "callId": id, "name": "sql", "arguments": "{\"q\":\"a\\nb\"}" } })
    }

    fn tool_end(id: &str) -> Value {
        json!({ "type": "tool_end", "tool": { "callId": id, "result": "4 rows", "durationMs": 12 } })
    }

    fn kinds(transcript: &Transcript) -> Vec<String> {
        let name = |part: &Value| match part["type"].as_str().unwrap() {
            kind @ ("text" | "reasoning") => {
                format!("{kind} {} {}", part["text"].as_str().unwrap(), part["state"].as_str().unwrap())
            }
            "tool" => format!("tool {} {}", part["callId"].as_str().unwrap_or("-"), part["state"].as_str().unwrap()),
            kind => kind.to_owned(),
        };
        plain(transcript).iter().map(name).collect()
    }

    #[test]
    fn a_run_of_everything_becomes_parts_in_order() {
        let transcript = played(&[
            thinking("hm"),
            thinking("m"),
            text("Let me "),
            text("see."),
            block_end(),
            tool_start("a"),
            tool_start("b"),
            tool_end("a"),
            tool_end("b"),
            text("Four"),
            json!({ "type": "citation", "citation": { "url": "x" } }),
            text(" rows."),
            json!({ "type": "done" }),
        ]);
        let expected = [
            "reasoning hmm done",
            "text Let me see. done",
            "tool a done",
            "tool b done",
            "text Four rows. done",
            "citation",
        ];
        assert_eq!(kinds(&transcript), expected);
        assert_eq!(transcript.text_utf16_len(), "Let me see.Four rows.".len());
        assert_eq!(transcript.text_bytes().flatten().copied().collect::<Vec<_>>(), b"Let me see.Four rows.");
    }

    #[test]
    fn a_block_ends_at_its_end_or_at_a_tool_and_not_at_reasoning() {
        assert_eq!(kinds(&played(&[text("a"), block_end(), text("b")])), ["text a done", "text b streaming"]);
        assert_eq!(
            kinds(&played(&[text("a"), tool_start("t"), text("b")])),
            ["text a done", "tool t running", "text b streaming"]
        );
        assert_eq!(
            kinds(&played(&[thinking("x"), text("a"), thinking("y"), text("b"), thinking("z")])),
            ["reasoning x done", "text ab streaming", "reasoning y done", "reasoning z streaming"]
        );
        assert!(kinds(&played(&[block_end(), text(""), block_end()])).is_empty());
    }

    #[test]
    fn a_tool_call_is_one_part_from_start_to_end() {
        let call = |events: &[Value]| played(events).to_parts();
        let parts = call(&[tool_start("a"), tool_end("a")]);
        let expected = ToolCopy {
            call_id: Some("a".into()),
            name: Some("sql".into()),
            arguments: Some("{\"q\":\"a\nb\"}".replace('\n', "\\n")),
            result: Some("4 rows".into()),
            duration_ms: Some(12),
            state: ToolState::Done,
            ..ToolCopy::default()
        };
        assert_eq!(parts, [PartCopy::Tool(expected)]);
        // An end without a start, a second end, a call of the same id in a later step, calls without an id.
        assert_eq!(kinds(&played(&[tool_end("a"), tool_end("a")])), ["tool a done"]);
        assert_eq!(
            kinds(&played(&[tool_start("a"), tool_end("a"), tool_start("a")])),
            ["tool a done", "tool a running"]
        );
        assert_eq!(
            kinds(&played(&[tool_start(""), tool_end("b"), json!({ "type": "tool_end", "tool": { "name": "sql" } })])),
            ["tool  done", "tool b done"]
        );
        assert_eq!(
            kinds(&played(&[tool_start("a"), json!({ "type": "tool_end", "tool": { "callId": "a", "error": "no" } })])),
            ["tool a failed"]
        );
        // The same id, escaped in another way.
        let mut transcript = played(&[tool_start("a")]);
        transcript.apply(&decode(Protocol::Bichat, b"tool_end", br#"{"tool":{"callId":"\u0061"}}"#).unwrap());
        assert_eq!(kinds(&transcript), ["tool a done"]);
    }

    #[test]
    fn a_run_that_is_over_leaves_nothing_open() {
        for (end, tool) in [
            ("done", "tool a done"),
            ("cancelled", "tool a failed"),
            ("error", "tool a failed"),
            ("failed", "tool a failed"),
        ] {
            assert_eq!(kinds(&played(&[tool_start("a"), text("x"), json!({ "type": end })])), [tool, "text x done"]);
        }
    }

    fn snapshot(content: &str, metadata: Value) -> Value {
        json!({ "type": "snapshot", "snapshot": { "partialContent": content, "partialMetadata": metadata } })
    }

    #[test]
    fn a_snapshot_replaces_and_what_follows_appends() {
        let stored = json!({ "tool_calls": [
            { "id": "a", "name": "sql", "result": "r" }, { "id": "b", "name": "sql" }, { "id": "c", "error": "no" }, 5, null,
        ], "text_block_offsets": [3, "x", null, -1, 6.5, 2e0] });
        let mut transcript = played(&[
            text("old"),
            tool_start("old"),
            snapshot("onetwothree", stored.clone()),
            text("!"),
            tool_end("b"),
        ]);
        assert_eq!(
            kinds(&transcript),
            [
                "text on done",
                "tool a done",
                "text e done",
                "tool b done",
                "text two done",
                "tool c failed",
                "text three! streaming"
            ]
        );
        let mut page = Page::default();
        page.take(&flush(&mut transcript, &mut Delta::new()));
        assert_eq!(page.metadata, stored);
        // Every tool before the text, if no block has ended; all behind the last block, if there are too many.
        let tools = json!([{ "id": "a" }, { "id": "b" }, { "id": "c" }]);
        let with = |offsets: Value| {
            kinds(&played(&[snapshot("xy", json!({ "tool_calls": tools, "text_block_offsets": offsets }))]))
        };
        assert_eq!(with(json!([])), ["tool a running", "tool b running", "tool c running", "text xy streaming"]);
        assert_eq!(
            with(json!([1])),
            ["text x done", "tool a running", "tool b running", "tool c running", "text y streaming"]
        );
        // Offsets may exceed the content (B-RES-4), and metadata may be anything.
        assert_eq!(with(json!([900])), ["text xy done", "tool a running", "tool b running", "tool c running"]);
        assert_eq!(
            kinds(&played(&[snapshot("xy", json!({ "tool_calls": 7, "text_block_offsets": {} }))])),
            ["text xy streaming"]
        );
        assert!(kinds(&played(&[text("a"), json!({ "type": "snapshot", "snapshot": {} })])).is_empty());
    }

    #[test]
    fn a_snapshot_leaves_what_it_does_not_speak_of() {
        let transcript = played(&[
            thinking("hm"),
            text("a"),
            json!({ "type": "citation", "citation": {} }),
            json!({ "type": "interrupt", "interrupt": {} }),
            json!({ "type": "usage", "usage": { "totalTokens": 1 } }),
            snapshot("ab", json!(null)),
            text("c"),
        ]);
        assert_eq!(kinds(&transcript), ["reasoning hm done", "text abc streaming", "citation", "interrupt"]);
        assert!(transcript.usage().is_some());
    }

    #[test]
    fn a_live_call_that_the_snapshot_knew_is_not_doubled() {
        let stored = json!({ "tool_calls": [{ "id": "a", "name": "sql" }] });
        assert_eq!(kinds(&played(&[snapshot("", stored), tool_start("a"), tool_end("a")])), ["tool a done"]);
    }

    #[test]
    fn half_a_character_is_held_back_until_it_is_whole() {
        let mut transcript = Transcript::new();
        let (mut page, mut delta) = (Page::default(), Delta::new());
        for (data, expected) in
            [("a\\ud83d", "a"), ("\\ude00b\\ud83d", "a😀b"), ("c", "a😀b\u{FFFD}c"), ("\\ud83d", "a😀b\u{FFFD}c")]
        {
            let data = format!("{{\"content\":\"{data}\"}}");
            transcript.apply(&decode(Protocol::Bichat, b"content", data.as_bytes()).unwrap());
            page.take(&flush(&mut transcript, &mut delta));
            assert_eq!(page.parts()[0]["text"], expected);
        }
        apply(&mut transcript, &json!({ "type": "done" }));
        page.take(&flush(&mut transcript, &mut delta));
        assert_eq!(page.parts()[0]["text"], "a😀b\u{FFFD}c\u{FFFD}");
    }

    #[test]
    fn a_flush_is_one_line_of_head_and_one_tail() {
        let mut transcript = played(&[text("line\nfeed"), json!({ "type": "usage", "usage": {} })]);
        let data = b"{\"type\":\"citation\",\n\"citation\":{\n\"a\":\"\\n\"}}";
        transcript.apply(&decode(Protocol::Bichat, b"citation", data).unwrap());
        let mut delta = Delta::new();
        assert_eq!(
            String::from_utf8(flush(&mut transcript, &mut delta)).unwrap(),
            concat!(
                r#"[{"slot":1,"parts":[{"i":0,"part":{"type":"text","seq":0,"state":"streaming"},"add":9},"#,
                r#"{"i":1,"part":{"type":"citation","citation":{ "a":"\n"}}}],"usage":{}}]"#,
                "\nline\nfeed",
            )
        );
        assert!(!transcript.is_changed());
        assert!(flush(&mut transcript, &mut delta).is_empty());
    }

    #[test]
    fn a_delta_costs_what_is_new_however_much_is_held() {
        let mut transcript = Transcript::new();
        let mut delta = Delta::new();
        let mut size = |count: usize| {
            (0..count).for_each(|_| apply(&mut transcript, &text("four")));
            flush(&mut transcript, &mut delta).len()
        };
        size(1);
        let early = size(10);
        size(20_000);
        assert_eq!(size(10), early);
    }

    fn any_event() -> impl Strategy<Value = Value> {
        let words = prop_oneof!["[a-z]{0,6}", "[é你😀a]{0,4}", "[a-z]{200,400}", Just("\n\"\\".to_owned())];
        let id = prop_oneof![Just("a"), Just("b"), Just("")];
        prop_oneof![
            8 => words.clone().prop_map(|words| text(&words)),
            3 => words.clone().prop_map(|words| thinking(&words)),
            2 => id.clone().prop_map(tool_start),
            2 => id.prop_map(tool_end),
            1 => Just(block_end()),
            1 => Just(json!({ "type": "citation", "citation": { "title": "t\n" } })),
            1 => Just(json!({ "type": "interrupt", "interrupt": { "questions": [] } })),
            1 => (0..9).prop_map(|tokens: i32| json!({ "type": "usage", "usage": { "totalTokens": tokens } })),
            1 => (words, proptest::collection::vec(0..9_u32, 0..4), 0..3_usize).prop_map(|(words, offsets, calls)| {
                let call = |id: usize| json!({ "id": (["a", "b", "c"][id]), "result": (id == 1).then_some("r") });
                let calls: Vec<Value> = (0..calls).map(call).collect();
                snapshot(&words, json!({ "tool_calls": calls, "text_block_offsets": offsets }))
            }),
            1 => Just(json!({ "type": "done" })),
            1 => Just(json!({ "type": "ping" })),
        ]
    }

    proptest! {
        #[test]
        fn deltas_add_up_to_the_transcript(
            events in proptest::collection::vec((any_event(), 0..6_u8), 0..60), anew in 0..200_usize,
        ) {
            let mut transcript = Transcript::new();
            let (mut page, mut delta) = (Page::default(), Delta::new());
            for (number, (event, then)) in events.iter().enumerate() {
                apply(&mut transcript, event);
                if number == anew {
                    transcript.rewrite();
                }
                if *then == 0 {
                    page.take(&flush(&mut transcript, &mut delta));
                    prop_assert_eq!(page.parts(), plain(&transcript));
                }
            }
            page.take(&flush(&mut transcript, &mut delta));
            prop_assert_eq!(page.parts(), plain(&transcript));
            // A page that comes late sees the same.
            let mut late = Page::default();
            transcript.rewrite();
            late.take(&flush(&mut transcript, &mut delta));
            prop_assert_eq!(late.parts(), page.parts());
            prop_assert_eq!((&late.usage, &late.metadata), (&page.usage, &page.metadata));
            // Blocks are numbered through, and together they are the text.
            let parts = page.parts();
            let blocks: Vec<&Value> = parts.iter().filter(|part| part["type"] == "text").collect();
            prop_assert!(blocks.iter().enumerate().all(|(seq, block)| block["seq"] == seq));
            let joined: String = blocks.iter().map(|block| block["text"].as_str().unwrap()).collect();
            prop_assert_eq!(transcript.text_utf16_len(), joined.encode_utf16().count());
            prop_assert_eq!(transcript.text_bytes().flatten().copied().collect::<Vec<_>>(), joined.into_bytes());
            // One that begins anew takes everything away.
            let mut anew = Transcript::new();
            anew.rewrite();
            late.take(&flush(&mut anew, &mut delta));
            prop_assert!(late.parts().is_empty() && late.usage.is_null() && late.metadata.is_null());
        }
    }
}
