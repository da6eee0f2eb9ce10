//! What a run has said so far: its parts in order, kept once, handed out as deltas.
//!
//! A text part is a text block. It takes text until the server ends the block or a tool starts (B-TB-6); reasoning in
//! between does not end it, because the server's own count of blocks would not. Reasoning is one part until text or a tool
//! follows. A delta holds what is new since the last one and costs as much, however long the transcript is.

use super::delta::Delta;
use super::event::{JsonStr, RunEvent, Snapshot, Terminal, Tool};
use super::text::{Mark, Text};
use super::text_blocks::{self, Unit};

/// The parts of one run, with what of them was already handed out.
#[derive(Default)]
pub struct Transcript {
    parts: Vec<Part>,
    // Where text and reasoning go while their part is open.
    text: Option<usize>,
    reasoning: Option<usize>,
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
}

struct Part {
    body: Body,
    // Whether it stands in `changed`.
    changed: bool,
    // Whether the page knows the part as it is, apart from text and state.
    known: bool,
    // Whether the page knows that it is complete.
    known_done: bool,
}

enum Body {
    Text { seq: u32, stream: Stream },
    Reasoning { stream: Stream },
    Tool(Box<ToolCall>),
    Citation { raw: Box<[u8]> },
    Interrupt { raw: Box<[u8]> },
}

#[derive(Default)]
struct Stream {
    text: Text,
    sent: Mark,
    done: bool,
}

/// What is known of a tool call. Strings are contents of JSON strings, escapes as they came.
#[derive(Default)]
struct ToolCall {
    call_id: Option<Box<[u8]>>,
    name: Option<Box<[u8]>>,
    agent_name: Option<Box<[u8]>>,
    arguments: Option<Box<[u8]>>,
    result: Option<Box<[u8]>>,
    error: Option<Box<[u8]>>,
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

    /// Takes one event. Those that say nothing about the transcript change nothing.
    pub fn apply(&mut self, event: &RunEvent<'_>) {
        match event {
            RunEvent::Text { text } => self.append_text(*text),
            RunEvent::Reasoning { text } => self.append_reasoning(*text),
            RunEvent::ToolStarted { tool } => self.start_tool(tool),
            RunEvent::ToolEnded { tool } => self.end_tool(tool),
            RunEvent::BlockEnded { .. } => self.close_text(),
            RunEvent::Snapshot(snapshot) => self.replace(snapshot),
            RunEvent::Interrupted { raw } => self.push(Body::Interrupt { raw: (*raw).into() }),
            RunEvent::Citation { raw } => self.push(Body::Citation { raw: (*raw).into() }),
            RunEvent::Usage { raw } => {
                self.usage = Some((*raw).into());
                self.usage_changed = true;
            }
            RunEvent::Ended { how, .. } => self.settle(*how),
            RunEvent::Started { .. } | RunEvent::Heartbeat | RunEvent::Ignored => {}
        }
    }

    /// Forgets everything; the next delta says so.
    pub fn clear(&mut self) {
        *self = Self { reset: true, usage_changed: true, metadata_changed: true, ..Self::default() };
    }

    /// Completes the parts that are open, for a run of which no more will come.
    pub fn close(&mut self) {
        self.close_text();
        self.close_reasoning();
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
            if let Some(stream) = part.body.stream_mut() {
                stream.sent = Mark::default();
            }
            self.changed.push(index);
        }
    }

    /// Whether the next delta has something to tell.
    pub fn is_changed(&self) -> bool {
        self.reset || self.usage_changed || self.metadata_changed || !self.changed.is_empty()
    }

    /// Writes what changed since the last call into the run delta that is open in `out`.
    pub fn write_delta(&mut self, out: &mut Delta) {
        if core::mem::take(&mut self.reset) {
            out.key("reset");
            out.literal("true");
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
        self.texts().map(Text::utf16_len).sum()
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
        self.parts.push(Part { body, changed: true, known: false, known_done: false });
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
    }

    fn close_reasoning(&mut self) {
        let open = self.reasoning.take();
        self.finish_stream(open);
    }

    fn finish_stream(&mut self, open: Option<usize>) {
        if let Some(stream) = open.and_then(|index| self.touch(index)).and_then(|part| part.body.stream_mut()) {
            stream.done = true;
            stream.text.seal();
        }
    }

    fn start_tool(&mut self, tool: &Tool<'_>) {
        self.close();
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

    fn end_tool(&mut self, tool: &Tool<'_>) {
        let index = match self.running_tool(tool).or_else(|| self.ended_tool(tool)) {
            Some(index) => index,
            None => {
                self.close();
                self.push_tool(tool);
                self.parts.len() - 1
            }
        };
        self.update_tool(index, tool);
        let state = if tool.error.is_some_and(|error| !error.is_empty()) { ToolState::Failed } else { ToolState::Done };
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
        tool.call_id.filter(|id| !id.is_empty())?;
        (0..self.parts.len()).rev().find(|&index| self.is_call(index, tool))
    }

    fn is_call(&self, index: usize, tool: &Tool<'_>) -> bool {
        let Some(Body::Tool(call)) = self.parts.get(index).map(|part| &part.body) else { return false };
        match tool.call_id {
            Some(id) if !id.is_empty() => same(call.call_id.as_deref(), Some(id)),
            _ => call.call_id.as_deref().is_none_or(<[u8]>::is_empty) && same(call.name.as_deref(), tool.name),
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
                Body::Citation { .. } | Body::Interrupt { .. } => behind.push(part),
                Body::Text { .. } | Body::Tool(_) => {}
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
            self.push_stored(tools.by_ref());
        }
        for (number, block) in blocks.iter().enumerate() {
            let index = self.open_text();
            if let Some(Body::Text { stream, .. }) = self.parts.get_mut(index).map(|part| &mut part.body) {
                stream.text.append_str(block);
            }
            if number < last {
                self.close_text();
                if number + 1 == last {
                    self.push_stored(tools.by_ref());
                } else {
                    self.push_stored(tools.by_ref().take(1));
                }
            }
        }
        self.parts.append(&mut behind);
        self.rewrite();
    }

    fn push_stored<'a>(&mut self, tools: impl Iterator<Item = Tool<'a>>) {
        for tool in tools {
            self.push_tool(&tool);
            let index = self.parts.len() - 1;
            if tool.error.is_some_and(|error| !error.is_empty()) {
                self.end_call(index, ToolState::Failed);
            } else if tool.result.is_some() || tool.duration_ms.is_some() {
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
        let cuts = text_blocks::byte_cuts(&content, snapshot.offsets(), Unit::Utf16);
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
    fn write(&mut self, index: usize, lead: &mut &'static str, out: &mut Delta) {
        self.changed = false;
        let mut begin = |out: &mut Delta| {
            out.literal(core::mem::replace(lead, ","));
            out.literal("{\"i\":");
            out.number(index as u64);
        };
        if !self.known {
            self.known = true;
            begin(out);
            out.key("part");
            self.body.write(out);
            out.literal("}");
        }
        if let Some(stream) = self.body.stream_mut() {
            let added = stream.text.read_on(&mut stream.sent, out.tail_mut());
            if added > 0 {
                begin(out);
                out.key("add");
                out.number(added as u64);
                out.literal("}");
            }
            if stream.done && !self.known_done {
                self.known_done = true;
                begin(out);
                out.key("state");
                out.literal("\"done\"}");
            }
        }
    }

    fn copy(&self) -> PartCopy {
        let text = |raw: &Option<Box<[u8]>>| raw.as_deref().map(|raw| JsonStr::stored(raw).decoded());
        let json = |raw: &[u8]| String::from_utf8_lossy(raw).into_owned();
        match &self.body {
            Body::Text { seq, stream } => PartCopy::Text { seq: *seq, text: stream.text.decoded(), done: stream.done },
            Body::Reasoning { stream } => PartCopy::Reasoning { text: stream.text.decoded(), done: stream.done },
            Body::Tool(call) => PartCopy::Tool(ToolCopy {
                call_id: text(&call.call_id),
                name: text(&call.name),
                agent_name: text(&call.agent_name),
                arguments: text(&call.arguments),
                result: text(&call.result),
                error: text(&call.error),
                duration_ms: call.duration_ms,
                state: call.state,
            }),
            Body::Citation { raw } => PartCopy::Citation { raw: json(raw) },
            Body::Interrupt { raw } => PartCopy::Interrupt { raw: json(raw) },
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
            Self::Tool(call) => {
                size_of::<ToolCall>() + call.strings().into_iter().flatten().map(<[u8]>::len).sum::<usize>()
            }
            Self::Citation { raw } | Self::Interrupt { raw } => raw.len(),
        }
    }

    fn write(&self, out: &mut Delta) {
        match self {
            Self::Text { seq, .. } => {
                out.literal("{\"type\":\"text\",\"seq\":");
                out.number(u64::from(*seq));
                out.literal(",\"state\":\"streaming\"}");
            }
            Self::Reasoning { .. } => out.literal("{\"type\":\"reasoning\",\"state\":\"streaming\"}"),
            Self::Tool(call) => {
                out.literal("{\"type\":\"tool\"");
                let names = ["callId", "name", "agentName", "arguments", "result", "error"];
                for (name, value) in names.into_iter().zip(call.strings()) {
                    out.key(name);
                    match value {
                        Some(raw) => out.json_string(JsonStr::stored(raw)),
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
        }
    }
}

impl ToolCall {
    /// Takes over what `tool` says; what it leaves out stays.
    fn update(&mut self, tool: &Tool<'_>) {
        let pairs = [
            (&mut self.call_id, tool.call_id),
            (&mut self.name, tool.name),
            (&mut self.agent_name, tool.agent_name),
            (&mut self.arguments, tool.arguments),
            (&mut self.result, tool.result),
            (&mut self.error, tool.error),
        ];
        for (slot, value) in pairs {
            if let Some(text) = value {
                *slot = Some(text.raw().into());
            }
        }
        self.duration_ms = tool.duration_ms.or(self.duration_ms);
    }

    fn strings(&self) -> [Option<&[u8]>; 6] {
        [&self.call_id, &self.name, &self.agent_name, &self.arguments, &self.result, &self.error].map(Option::as_deref)
    }
}

/// Whether two JSON strings mean the same; the same text may be escaped in more than one way.
fn same(stored: Option<&[u8]>, other: Option<JsonStr<'_>>) -> bool {
    match (stored.map(JsonStr::stored), other) {
        (Some(one), Some(other)) if one.is_plain() && other.is_plain() => one.raw() == other.raw(),
        (Some(one), Some(other)) => one.decoded() == other.decoded(),
        (one, other) => one.is_none() && other.is_none(),
    }
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
