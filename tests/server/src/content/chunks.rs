//! A UI message stream's chunks in order: steps of reasoning, text and tool calls, then the last text and what goes with it.

use serde_json::{Value, json};

use super::chance::Chance;
use super::chunk::{Caller, Chunk, Voice};
use super::plan::{Stretch, deltas, share, spread};
use super::{Ending, Recipe, ToolCall, prose, tokens, tool};

/// Keeps the chance of the calls apart from that of the prose: how many chunks they take must not hang on the text.
const CALLS: u64 = 0x5EED_CA11;

/// The chunks of a run: exactly `recipe.events` of them, at least one.
pub fn chunks(recipe: &Recipe, seed: u64) -> Vec<Chunk> {
    let mut script = Script::new(recipe, seed);
    loop {
        let tools = spread(script.calls.len());
        let steps = tools.iter().copied().chain([0]);
        let bare: Vec<_> = steps.map(|tools| Stretch { reasoning: 0, text: 0, tools }).collect();
        let room = recipe.events.saturating_sub(script.write(&bare).len());
        // Every step has something to say.
        if room >= bare.len() * (1 + usize::from(script.reasoning)) {
            return script.write(&share(room, &tools, script.reasoning));
        }
        match () {
            () if script.calls.pop().is_some() => {}
            () if script.citation => script.citation = false,
            () if script.usage => script.usage = false,
            () if script.reasoning => script.reasoning = false,
            () if script.interrupt => script.interrupt = false,
            () => return script.beginning(),
        }
    }
}

/// What fits of a recipe.
struct Script<'a> {
    recipe: &'a Recipe,
    seed: u64,
    calls: Vec<Call>,
    citation: bool,
    usage: bool,
    reasoning: bool,
    interrupt: bool,
}

/// A tool call and the pieces its input streams in.
struct Call {
    number: usize,
    tool: ToolCall,
    pieces: Vec<String>,
}

impl<'a> Script<'a> {
    fn new(recipe: &'a Recipe, seed: u64) -> Self {
        let mut chance = Chance::seeded(seed ^ CALLS);
        let call = |number| {
            let tool = tool::call(number, &mut chance);
            let count = chance.between(2, 5);
            let pieces = tokens::cut(&tool.arguments, count, &mut chance).into_iter().map(|piece| piece.text).collect();
            Call { number, tool, pieces }
        };
        Self {
            recipe,
            seed,
            calls: (1..=recipe.tool_calls.min(recipe.events)).map(call).collect(),
            citation: recipe.citation,
            usage: recipe.usage,
            reasoning: recipe.reasoning,
            interrupt: recipe.interrupt,
        }
    }

    /// What there is room for where a whole answer has none: its first chunks, and the terminal one.
    fn beginning(&self) -> Vec<Chunk> {
        let mut chunks = self.write(&share(1, &[], false));
        let end = chunks.split_off(chunks.len() - 1);
        chunks.truncate(self.recipe.events.saturating_sub(1));
        chunks.extend(end);
        chunks
    }

    fn write(&self, stretches: &[Stretch]) -> Vec<Chunk> {
        let mut chance = Chance::seeded(self.seed);
        let mut calls = self.calls.as_slice();
        let mut chunks = vec![Chunk::Start(json!({ "model": "lab-1", "tags": ["draft", "Entwurf"] }))];
        for (index, stretch) in stretches.iter().enumerate() {
            let last = index + 1 == stretches.len();
            let breaks_off = last && self.breaks_off();
            chunks.push(Chunk::StartStep);
            if self.reasoning {
                let text = prose::reasoning(stretch.reasoning, &mut chance);
                chunks.extend(self.said(Voice::Reasoning, &text, stretch.reasoning, &mut chance));
                let signature = json!({ "lab": { "signature": format!("sig-{index}") } });
                chunks.push(Chunk::Close(Voice::Reasoning, Some(signature)));
            }
            if last && self.citation {
                chunks.push(source());
            }
            let text = prose::answer(stretch.text, last, &mut chance);
            chunks.extend(self.said(Voice::Text, &text, stretch.text, &mut chance));
            if !breaks_off {
                chunks.push(Chunk::Close(Voice::Text, None));
            }
            let (here, later) = calls.split_at(stretch.tools.min(calls.len()));
            calls = later;
            chunks.extend(used(here));
            if last {
                chunks.extend(self.closing());
            }
            if !breaks_off {
                chunks.push(Chunk::FinishStep);
            }
        }
        chunks.push(self.end(chunks.len()));
        chunks
    }

    /// Whether the run ends in the middle of its last text.
    fn breaks_off(&self) -> bool {
        matches!(self.recipe.ending, Ending::Cancelled | Ending::Failed)
    }

    fn said(&self, voice: Voice, text: &str, count: usize, chance: &mut Chance) -> impl Iterator<Item = Chunk> + use<> {
        let deltas = deltas(text, count, self.recipe, chance);
        [Chunk::Open(voice)].into_iter().chain(deltas.map(move |delta| Chunk::Say(voice, delta)))
    }

    /// What follows the last text.
    fn closing(&self) -> Vec<Chunk> {
        let mut chunks = Vec::new();
        if self.citation {
            chunks.push(Chunk::File("data:text/plain;base64,w5xiZXI=", "text/plain"));
        }
        if self.usage {
            let usage = json!({ "inputTokens": 812, "cachedInputTokens": 640 });
            chunks.push(Chunk::Metadata(json!({ "tags": ["final"], "usage": usage })));
        }
        if self.interrupt {
            let caller =
                Caller { call_id: "call_ask".to_owned(), name: "delete_rows", dynamic: None, provider_executed: false };
            let input = json!({ "table": "orders", "where": "region = 'süd'", "rows": 12 });
            let approval = Chunk::Approval(format!("approval-{}", self.seed), caller.call_id.clone());
            chunks.extend([Chunk::Input(caller, input), approval]);
        }
        chunks
    }

    /// The terminal chunk, behind so many.
    fn end(&self, chunks: usize) -> Chunk {
        if self.recipe.ending != Ending::Done {
            let told = matches!(self.recipe.ending, Ending::Error | Ending::Failed);
            return Chunk::end(self.recipe.ending, told.then(|| self.recipe.error.clone()));
        }
        let usage = || json!({ "usage": { "outputTokens": chunks, "totalTokens": 812 + chunks } });
        Chunk::Finish(if self.interrupt { "tool-calls" } else { "stop" }, self.usage.then(usage))
    }
}

fn source() -> Chunk {
    Chunk::Source(
        "source-1",
        "https://docs.example.com/reconnect?from=answer&lang=de",
        "Über das Wiederverbinden \u{2014} 再接続",
    )
}

/// Calls of one step: their inputs stream side by side, and the later call ends first.
fn used(calls: &[Call]) -> Vec<Chunk> {
    if calls.is_empty() {
        return Vec::new();
    }
    let mut chunks = vec![Chunk::Data {
        kind: "data-notice",
        id: None,
        data: json!({ "text": "инструменты 🔧", "calls": calls.len() }),
        transient: true,
    }];
    chunks.extend(calls.iter().map(|call| Chunk::InputStart(call.caller())));
    let longest = calls.iter().map(|call| call.pieces.len()).max().unwrap_or_default();
    for index in 0..longest {
        let piece = |call: &Call| Some(Chunk::InputDelta(call.tool.call_id.clone(), call.pieces.get(index)?.clone()));
        chunks.extend(calls.iter().filter_map(piece));
    }
    for call in calls {
        let input = serde_json::from_str(&call.tool.arguments).unwrap_or_default();
        chunks.extend([Chunk::Input(call.caller(), input), call.progress("running", 0)]);
    }
    chunks.extend(calls.iter().rev().flat_map(Call::ended));
    chunks
}

impl Call {
    fn caller(&self) -> Caller {
        Caller {
            call_id: self.tool.call_id.clone(),
            name: self.tool.name,
            dynamic: self.tool.agent_name,
            provider_executed: self.tool.name == "search",
        }
    }

    fn progress(&self, state: &str, percent: u64) -> Chunk {
        let data = json!({ "state": state, "percent": percent });
        Chunk::Data { kind: "data-progress", id: Some(self.tool.call_id.clone()), data, transient: false }
    }

    /// Its output, every second time after two preliminary ones, or its error.
    fn ended(&self) -> Vec<Chunk> {
        let output =
            |output: Value, preliminary| Chunk::Output { call_id: self.tool.call_id.clone(), output, preliminary };
        let mut chunks = Vec::new();
        if self.number.is_multiple_of(2) {
            chunks.extend([30, 60].map(|percent| output(json!({ "percent": percent }), true)));
        }
        let duration = self.tool.duration_ms;
        chunks.push(match (&self.tool.error, &self.tool.result) {
            (Some(error), _) => Chunk::OutputError(self.tool.call_id.clone(), error.clone()),
            (None, result) => output(json!({ "text": result, "durationMs": duration }), false),
        });
        chunks.push(self.progress(if self.tool.error.is_some() { "failed" } else { "done" }, 100));
        chunks
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same_and_another_seed_does_not() {
        let recipe = Recipe::default();
        assert_eq!(chunks(&recipe, 7), chunks(&recipe, 7));
        assert_ne!(chunks(&recipe, 7), chunks(&recipe, 8));
    }

    #[test]
    fn a_run_has_exactly_the_chunks_asked_for_and_its_end_is_one_of_them() {
        for events in (1..120).chain([400, 5_000]) {
            for tool_calls in [0, 1, 7] {
                for (ending, interrupt) in [(Ending::Done, false), (Ending::Failed, true)] {
                    let recipe = Recipe { events, tool_calls, interrupt, ending, ..Recipe::default() };
                    let chunks = chunks(&recipe, 3);
                    assert_eq!(chunks.len(), events, "{recipe:?}");
                    let ends = chunks.iter().filter(|chunk| chunk.ending().is_some()).count();
                    assert!(ends == 1 && chunks.last().unwrap().ending().is_some(), "{recipe:?}");
                }
            }
        }
    }

    #[test]
    fn every_kind_of_chunk_is_there_when_there_is_room() {
        let recipe = Recipe { tool_calls: 12, interrupt: true, ..Recipe::default() };
        let chunks = chunks(&recipe, 5);
        let count = |is: &dyn Fn(&Chunk) -> bool| chunks.iter().filter(|chunk| is(chunk)).count();
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::InputStart(_))), 12);
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::OutputError(..))), 2);
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::Output { preliminary: true, .. })), 12);
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::Approval(..))), 1);
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::Source(..) | Chunk::File(..) | Chunk::Metadata(_))), 3);
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::Data { kind: "data-progress", .. })), 24);
        let steps = count(&|chunk| matches!(chunk, Chunk::StartStep));
        assert_eq!(steps, spread(12).len() + 1);
        assert_eq!(steps, count(&|chunk| matches!(chunk, Chunk::FinishStep)));
        assert_eq!(count(&|chunk| matches!(chunk, Chunk::Data { transient: true, .. })), steps - 1);
        assert!(count(&|chunk| matches!(chunk, Chunk::InputStart(caller) if caller.dynamic.is_some())) > 0);
    }

    #[test]
    fn an_answer_that_is_cancelled_or_fails_breaks_off_in_its_last_text() {
        for (ending, open) in [(Ending::Done, 0), (Ending::Error, 0), (Ending::Cancelled, 1), (Ending::Failed, 1)] {
            let chunks = chunks(&Recipe { ending, ..Recipe::default() }, 5);
            let count = |is: &dyn Fn(&Chunk) -> bool| chunks.iter().filter(|chunk| is(chunk)).count();
            let opened = count(&|chunk| matches!(chunk, Chunk::Open(Voice::Text)));
            assert_eq!(opened - count(&|chunk| matches!(chunk, Chunk::Close(Voice::Text, _))), open, "{ending:?}");
        }
    }
}
