//! What a run says: a seeded script of payloads, and the transcript that a perfect connection would show.
//!
//! The transcript is folded here from the script itself, by other code than the engine's, so that both can be wrong only
//! if both are wrong in the same way.

use serde_json::{Value, json};
use steadystream::engine::rng::Rng;

use super::wire::{Field, Payload};

/// A run's payloads in order, the last one its terminal.
#[derive(Clone, Debug)]
pub struct Script(pub Vec<Entry>);

/// One payload, and how long the model thought before it.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Milliseconds since the entry before.
    pub after: u64,
    /// What is said.
    pub event: Event,
}

/// A payload of PROTOCOLS 1.2. Texts are UTF-16, because a delta may end between the halves of a surrogate pair.
#[derive(Clone, Debug)]
pub enum Event {
    Thinking(Vec<u16>),
    Text(Vec<u16>),
    ToolStart { call: String, name: &'static str, arguments: String },
    ToolEnd { call: String, name: &'static str, outcome: Result<String, String>, took: u64 },
    BlockEnd(u64),
    Citation(Value),
    Interrupt(Value),
    Usage(Value),
    Done,
    Cancelled,
    Error(&'static str),
    Failed(&'static str),
}

impl Event {
    /// The SSE event name and the payload's `type`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Thinking(_) => "thinking",
            Self::Text(_) => "content",
            Self::ToolStart { .. } => "tool_start",
            Self::ToolEnd { .. } => "tool_end",
            Self::BlockEnd(_) => "text_block_end",
            Self::Citation(_) => "citation",
            Self::Interrupt(_) => "interrupt",
            Self::Usage(_) => "usage",
            Self::Done => "done",
            Self::Cancelled => "cancelled",
            Self::Error(_) => "error",
            Self::Failed(_) => "failed",
        }
    }

    /// Whether the run is over with this.
    pub fn is_terminal(&self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Error(_) | Self::Failed(_))
    }

    /// The payload's own members, without type, run and time.
    pub fn payload(&self) -> Payload {
        match self {
            Self::Thinking(text) | Self::Text(text) => vec![("content", Field::Text(text.clone()))],
            Self::ToolStart { call, name, arguments } => {
                vec![("tool", Field::Json(json!({ "callId": call, "name": name, "arguments": arguments })))]
            }
            Self::ToolEnd { call, name, outcome, took } => {
                let (key, text) = match outcome {
                    Ok(text) => ("result", text),
                    Err(text) => ("error", text),
                };
                vec![("tool", Field::Json(json!({ "callId": call, "name": name, key: text, "durationMs": took })))]
            }
            Self::BlockEnd(seq) => vec![("textBlockSeq", Field::Json(json!(seq)))],
            Self::Citation(citation) => vec![("citation", Field::Json(citation.clone()))],
            Self::Interrupt(interrupt) => vec![("interrupt", Field::Json(interrupt.clone()))],
            Self::Usage(usage) => vec![("usage", Field::Json(usage.clone()))],
            Self::Done => vec![("generationMs", Field::Json(json!(1_234)))],
            Self::Cancelled => vec![],
            Self::Error(text) | Self::Failed(text) => vec![("error", Field::Json(json!(text)))],
        }
    }
}

/// What a script is made of.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Rounds of thought, text and tool calls; the last one has no tools.
    pub iterations: u64,
    /// Text deltas in each round, about.
    pub deltas: u64,
    /// The longest pause before a payload, in ms; 0 for a run that says all at once.
    pub pause: u64,
    /// Whether deltas may end between the halves of a surrogate pair, as a server that cuts UTF-16 does.
    pub split_pairs: bool,
    /// The last payload.
    pub ending: fn() -> Event,
}

impl Default for Shape {
    fn default() -> Self {
        Self { iterations: 3, deltas: 20, pause: 60, split_pairs: false, ending: || Event::Done }
    }
}

impl Shape {
    /// A run that takes about two minutes.
    pub fn slow() -> Self {
        Self { pause: 8_000, ..Self::default() }
    }
}

impl Script {
    /// The script that follows from `seed`.
    pub fn seeded(seed: u64, shape: Shape) -> Self {
        let mut rng = Rng::seeded(seed);
        let mut script = Self(Vec::new());
        let (mut calls, mut blocks) = (0, 0);
        for iteration in 0..shape.iterations {
            let is_last = iteration + 1 == shape.iterations;
            let thoughts = rng.up_to(4);
            for piece in prose(&mut rng, thoughts, shape.split_pairs) {
                script.push(&mut rng, shape, Event::Thinking(piece));
            }
            // A round without text has no block to end (B-TB-6).
            let deltas = if !is_last && rng.up_to(4) == 0 { 0 } else { 1 + rng.up_to(2 * shape.deltas) };
            for piece in prose(&mut rng, deltas, shape.split_pairs) {
                script.push(&mut rng, shape, Event::Text(piece));
            }
            if is_last {
                break;
            }
            if deltas > 0 {
                script.push(&mut rng, shape, Event::BlockEnd(blocks));
                blocks += 1;
            }
            script.push_tools(&mut rng, shape, &mut calls);
        }
        if rng.up_to(1) == 0 {
            let citation = json!({ "source": "web", "title": "Отчёт 📈", "url": "https://example.org/?q=1&r=2", "start_index": 0 });
            script.push(&mut rng, shape, Event::Citation(citation));
        }
        script.push(&mut rng, shape, Event::Usage(json!({ "promptTokens": 12, "totalTokens": 345, "cost": 0.0125 })));
        script.push(&mut rng, shape, (shape.ending)());
        script
    }

    /// A script of these events, `pause` ms apart.
    pub fn of(pause: u64, events: impl IntoIterator<Item = Event>) -> Self {
        Self(events.into_iter().map(|event| Entry { after: pause, event }).collect())
    }

    fn push(&mut self, rng: &mut Rng, shape: Shape, event: Event) {
        // Tokens come in bursts: half of them together with the one before.
        let after = if rng.up_to(1) == 0 { 0 } else { rng.up_to(shape.pause) };
        self.0.push(Entry { after, event });
    }

    /// One to three calls, started together and ended in any order.
    fn push_tools(&mut self, rng: &mut Rng, shape: Shape, calls: &mut u64) {
        const NAMES: [&str; 3] = ["sql", "search_документы", "calculator"];
        let mut running = Vec::new();
        for _ in 0..=rng.up_to(2) {
            *calls += 1;
            let (call, name) = (format!("call_{calls}"), NAMES[rng.up_to(2) as usize]);
            let arguments = json!({ "query": "SELECT \"имя\"\nFROM 表 WHERE x < 3 -- 🧮", "limit": rng.up_to(99) });
            self.push(rng, shape, Event::ToolStart { call: call.clone(), name, arguments: arguments.to_string() });
            running.push((call, name));
        }
        while !running.is_empty() {
            let (call, name) = running.swap_remove(rng.up_to(running.len() as u64 - 1) as usize);
            let outcome = match rng.up_to(4) {
                0 => Err("timeout: таблица locked".into()),
                _ => Ok(json!({ "rows": [[1, "é"], [2, null]], "note": "tab\tnewline\n" }).to_string()),
            };
            let took = rng.up_to(5_000);
            self.push(rng, shape, Event::ToolEnd { call, name, outcome, took });
        }
    }
}

/// `count` deltas of text, cut anywhere between code points, or anywhere at all.
fn prose(rng: &mut Rng, count: u64, split_pairs: bool) -> Vec<Vec<u16>> {
    // About a tenth of what people read is not ASCII; here most is, because that is where text breaks.
    const WORDS: [&str; 18] = [
        "the run ",
        "survives",
        ", every cut. ",
        "\n\n## Heading\n",
        "| a | b |\n|---|---|\n",
        "```rust\nfn main() {}\n```\n",
        "\"quoted\\escaped\" ",
        "Привет, мир! ",
        "съешь ещё этих ",
        "日本語の文章。",
        "数据流",
        "👩‍👩‍👧‍👦 ",
        "🏳️‍🌈",
        "🧑🏽‍💻",
        "e\u{301}\u{323}",
        "Z\u{351}\u{36B}a\u{30A}lgo ",
        "\u{0} \u{1F} \u{7F} ",
        "</script>&amp;\u{2028}",
    ];
    let mut units: Vec<u16> = Vec::new();
    let mut lengths = Vec::new();
    for _ in 0..count {
        lengths.push(1 + rng.up_to(24) as usize);
    }
    while units.len() < lengths.iter().sum() {
        units.extend(WORDS[rng.up_to(WORDS.len() as u64 - 1) as usize].encode_utf16());
    }
    let mut rest = units.as_slice();
    let mut pieces = Vec::new();
    for mut length in lengths {
        let is_high = |unit: &u16| (0xD800..0xDC00).contains(unit);
        if !split_pairs && rest.get(length - 1).is_some_and(is_high) {
            length += 1;
        }
        let (piece, after) = rest.split_at(length.min(rest.len()));
        if !piece.is_empty() {
            pieces.push(piece.to_vec());
        }
        rest = after;
    }
    // A pair that was split must be joined by the next delta: the last one may not end in half a pair.
    if let Some(last) = pieces.last_mut() {
        while last.last().is_some_and(|unit| (0xD800..0xDC00).contains(unit)) {
            last.pop();
        }
        if last.is_empty() {
            pieces.pop();
        }
    }
    pieces
}

/// What a user sees of a run.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Transcript {
    pub parts: Vec<Part>,
    pub usage: Option<Value>,
}

/// One piece of it.
#[derive(Clone, Debug, PartialEq)]
pub enum Part {
    Text(String),
    Reasoning(String),
    Tool {
        call: String,
        name: String,
        arguments: Option<String>,
        result: Option<String>,
        error: Option<String>,
        state: String,
    },
    Citation(Value),
    Interrupt(Value),
}

impl Transcript {
    /// What these events amount to.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut fold = Fold::default();
        for event in events {
            fold.add(event);
        }
        fold.finish()
    }

    /// All text, without reasoning.
    pub fn text(&self) -> String {
        let texts = self.parts.iter().filter_map(|part| match part {
            Part::Text(text) => Some(text.as_str()),
            _ => None,
        });
        texts.collect()
    }
}

#[derive(Default)]
struct Fold {
    whole: Transcript,
    /// The text or reasoning that grows.
    open: Option<(bool, Vec<u16>)>,
}

impl Fold {
    fn add(&mut self, event: &Event) {
        match event {
            Event::Text(piece) => self.append(true, piece),
            Event::Thinking(piece) => self.append(false, piece),
            Event::BlockEnd(_) => self.close(),
            Event::ToolStart { call, name, arguments } => {
                self.close();
                self.whole.parts.push(Part::Tool {
                    call: call.clone(),
                    name: (*name).into(),
                    arguments: Some(arguments.clone()),
                    result: None,
                    error: None,
                    state: "running".into(),
                });
            }
            Event::ToolEnd { call: ended, outcome, .. } => {
                for part in &mut self.whole.parts {
                    if let Part::Tool { call, result, error, state, .. } = part
                        && call == ended
                    {
                        (*result, *error) = (outcome.clone().ok(), outcome.clone().err());
                        *state = if outcome.is_ok() { "done" } else { "failed" }.into();
                    }
                }
            }
            Event::Citation(citation) => {
                self.close();
                self.whole.parts.push(Part::Citation(citation.clone()));
            }
            Event::Interrupt(interrupt) => {
                self.close();
                self.whole.parts.push(Part::Interrupt(interrupt.clone()));
            }
            Event::Usage(usage) => self.whole.usage = Some(usage.clone()),
            Event::Done => self.end("done"),
            Event::Cancelled | Event::Error(_) | Event::Failed(_) => self.end("failed"),
        }
    }

    fn append(&mut self, is_text: bool, piece: &[u16]) {
        if self.open.as_ref().is_none_or(|(open_is_text, _)| *open_is_text != is_text) {
            self.close();
            self.open = Some((is_text, Vec::new()));
        }
        if let Some((_, text)) = &mut self.open {
            text.extend_from_slice(piece);
        }
    }

    fn close(&mut self) {
        if let Some((is_text, text)) = self.open.take() {
            let text = String::from_utf16_lossy(&text);
            self.whole.parts.push(if is_text { Part::Text(text) } else { Part::Reasoning(text) });
        }
    }

    /// What still ran when the run ended has ended as the run did.
    fn end(&mut self, outcome: &str) {
        self.close();
        for part in &mut self.whole.parts {
            if let Part::Tool { state, .. } = part
                && state == "running"
            {
                *state = outcome.into();
            }
        }
    }

    fn finish(mut self) -> Transcript {
        self.close();
        self.whole
    }
}

#[test]
fn a_script_follows_from_its_seed_and_its_pieces_join() {
    for seed in 0..50 {
        let shape = Shape { split_pairs: seed % 2 == 1, ..Shape::default() };
        let (one, two) = (Script::seeded(seed, shape), Script::seeded(seed, shape));
        let events = |script: &Script| script.0.iter().map(|entry| entry.event.clone()).collect::<Vec<_>>();
        let whole = Transcript::of(&events(&one));
        assert_eq!(whole, Transcript::of(&events(&two)));
        assert!(!whole.text().is_empty() && !whole.text().contains('\u{FFFD}'), "{seed}");
        assert!(one.0.last().is_some_and(|entry| entry.event.is_terminal()));
    }
}
