//! A run's moments in order: for each iteration reasoning, text, the end of its block, tool calls; then the last text.

use serde_json::json;

use super::chance::Chance;
use super::{Ending, Moment, Recipe, prose, tokens, tool};

/// Every how manieth iteration calls two tools at once.
const DOUBLE: usize = 3;

/// The moments of a run: exactly `recipe.events` of them, at least one.
pub fn plan(recipe: &Recipe, seed: u64) -> Vec<Moment> {
    let mut chance = Chance::seeded(seed);
    let layout = Layout::fit(recipe);
    let mut moments = Vec::with_capacity(recipe.events);
    let mut calls = 0;
    for (iteration, stretch) in layout.stretches.iter().enumerate() {
        let reasoning = prose::reasoning(stretch.reasoning, &mut chance);
        moments.extend(deltas(&reasoning, stretch.reasoning, recipe, &mut chance).map(Moment::Reasoning));
        let text = prose::answer(stretch.text, stretch.tools == 0, &mut chance);
        moments.extend(deltas(&text, stretch.text, recipe, &mut chance).map(Moment::Text));
        if stretch.tools > 0 {
            moments.push(Moment::BlockEnd(u32::try_from(iteration).unwrap_or(u32::MAX)));
            let started: Vec<_> = (0..stretch.tools)
                .map(|_| {
                    calls += 1;
                    tool::call(calls, &mut chance)
                })
                .collect();
            moments.extend(started.iter().cloned().map(Moment::ToolStart));
            // The later call ends first: order of starting is not order of ending.
            moments.extend(started.into_iter().rev().map(Moment::ToolEnd));
        }
    }
    if layout.citation {
        moments.push(Moment::Citation(citation(&mut chance)));
    }
    if layout.interrupt {
        moments.push(Moment::Interrupt(interrupt(seed)));
    }
    if layout.usage {
        moments.push(Moment::Usage(usage(moments.len())));
    }
    moments.push(ending(recipe));
    moments
}

/// The terminal moment that a recipe asks for.
fn ending(recipe: &Recipe) -> Moment {
    let error = matches!(recipe.ending, Ending::Error | Ending::Failed).then(|| recipe.error.clone());
    Moment::End(recipe.ending, error)
}

/// Events of one iteration.
pub(super) struct Stretch {
    pub(super) reasoning: usize,
    pub(super) text: usize,
    pub(super) tools: usize,
}

/// How a recipe's events are shared out.
struct Layout {
    stretches: Vec<Stretch>,
    citation: bool,
    interrupt: bool,
    usage: bool,
}

impl Layout {
    fn fit(recipe: &Recipe) -> Self {
        let mut tool_calls = recipe.tool_calls;
        let (mut citation, mut usage, mut reasoning) = (recipe.citation, recipe.usage, recipe.reasoning);
        let mut interrupt = recipe.interrupt;
        loop {
            let tools = spread(tool_calls);
            let around = usize::from(citation) + usize::from(interrupt) + usize::from(usage) + 1;
            let fixed = around + 2 * tool_calls + tools.len();
            // Every iteration has something to say, or its tools would belong to the one before.
            let least = (tools.len() + 1) * (1 + usize::from(reasoning));
            let room = recipe.events.saturating_sub(fixed);
            if room >= least {
                return Self { stretches: share(room, &tools, reasoning), citation, interrupt, usage };
            }
            match () {
                () if tool_calls > 0 => tool_calls -= 1,
                () if citation => citation = false,
                () if usage => usage = false,
                () if reasoning => reasoning = false,
                () if interrupt => interrupt = false,
                // Room for the terminal event alone.
                () => return Self { stretches: Vec::new(), citation, interrupt, usage },
            }
        }
    }
}

pub(super) fn spread(tool_calls: usize) -> Vec<usize> {
    let mut tools = Vec::new();
    let mut left = tool_calls;
    while left > 0 {
        let now = if tools.len() % DOUBLE == DOUBLE - 1 { left.min(2) } else { 1 };
        tools.push(now);
        left -= now;
    }
    tools
}

pub(super) fn share(room: usize, tools: &[usize], reasoning: bool) -> Vec<Stretch> {
    let count = tools.len() + 1;
    let each = room / count;
    (0..count)
        .map(|index| {
            // What does not divide goes to the last text.
            let whole = if index + 1 == count { room - each * (count - 1) } else { each };
            let thinking = if reasoning { (whole / 5).max(1) } else { 0 };
            Stretch { reasoning: thinking, text: whole - thinking, tools: tools.get(index).copied().unwrap_or(0) }
        })
        .collect()
}

pub(super) fn deltas(
    text: &str,
    count: usize,
    recipe: &Recipe,
    chance: &mut Chance,
) -> impl Iterator<Item = super::Delta> + use<> {
    let mut deltas = tokens::cut(text, count, chance);
    if recipe.split_surrogates {
        tokens::split_surrogates(&mut deltas);
    }
    deltas.into_iter()
}

fn citation(chance: &mut Chance) -> String {
    let start = chance.between(0, 40);
    json!({
        "source": "web", "type": "url_citation", "title": "Über das Wiederverbinden \u{2014} 再接続について",
        "url": "https://docs.example.com/reconnect?from=answer&lang=de", "excerpt": "Nothing is lost, nothing is doubled.",
        "start_index": start, "end_index": start + chance.between(5, 60),
    })
    .to_string()
}

fn usage(events: usize) -> String {
    json!({ "promptTokens": 812, "completionTokens": events, "totalTokens": 812 + events, "cachedTokens": 640, "cost": 0.0125 })
        .to_string()
}

fn interrupt(seed: u64) -> String {
    let option = |id: &str, label: &str| json!({ "id": id, "label": label });
    json!({
        "checkpointId": format!("checkpoint-{seed}"), "agentName": "planner", "providerResponseId": format!("resp_{seed}"),
        "questions": [
            { "id": "q1", "text": "Which region first?", "type": "single_choice",
              "options": [option("north", "North"), option("south", "Süd"), option("tokyo", "東京")] },
            { "id": "q2", "text": "What should the report hold?", "type": "multiple_choice",
              "options": [option("totals", "Totals"), option("trend", "Trend 📈")] },
        ],
    })
    .to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(moments: &[Moment]) -> String {
        let text = |moment: &Moment| match moment {
            Moment::Text(delta) => delta.text.clone(),
            _ => String::new(),
        };
        moments.iter().map(text).collect()
    }

    #[test]
    fn the_same_seed_says_the_same_and_another_seed_does_not() {
        let recipe = Recipe::default();
        assert_eq!(plan(&recipe, 7), plan(&recipe, 7));
        assert_ne!(text(&plan(&recipe, 7)), text(&plan(&recipe, 8)));
    }

    #[test]
    fn a_run_has_exactly_the_events_asked_for() {
        for events in (1..60).chain([400, 5_000]) {
            for tool_calls in [0, 1, 7] {
                for (reasoning, interrupt) in [(false, false), (true, true)] {
                    let recipe = Recipe { events, tool_calls, reasoning, interrupt, ..Recipe::default() };
                    assert_eq!(plan(&recipe, 3).len(), events, "{recipe:?}");
                }
            }
        }
    }

    #[test]
    fn a_block_ends_once_an_iteration_before_its_tools_and_the_last_text_has_no_end() {
        let recipe = Recipe { events: 600, tool_calls: 8, ..Recipe::default() };
        let moments = plan(&recipe, 5);
        let mut seqs = Vec::new();
        for pair in moments.windows(2) {
            match pair {
                [Moment::Text(_), Moment::BlockEnd(seq)] => seqs.push(*seq),
                [before, Moment::BlockEnd(_)] => panic!("{before:?} before the end of a block"),
                [Moment::BlockEnd(_), Moment::ToolStart(_)] => {}
                [Moment::BlockEnd(_), after] => panic!("{after:?} after the end of a block"),
                _ => {}
            }
        }
        assert_eq!(seqs, (0..seqs.len() as u32).collect::<Vec<_>>());
        assert_eq!(seqs.len(), spread(8).len());
        let started = moments.iter().filter(|moment| matches!(moment, Moment::ToolStart(_))).count();
        let failed = moments.iter().filter(|m| matches!(m, Moment::ToolEnd(call) if call.error.is_some())).count();
        assert_eq!((started, failed), (8, 1));
    }

    #[test]
    fn about_a_tenth_is_written_in_scripts_that_break_careless_code() {
        let text = text(&plan(&Recipe { events: 20_000, ..Recipe::default() }, 11));
        let (all, hard) = text.chars().fold((0, 0), |(all, hard), c| (all + 1, hard + usize::from(!c.is_ascii())));
        let percent = 100 * hard / all;
        assert!((5..=20).contains(&percent), "{percent} % of {all}");
        for (what, is) in [
            ("Cyrillic", &(|c| ('\u{400}'..='\u{4ff}').contains(&c)) as &dyn Fn(char) -> bool),
            ("CJK", &|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
            ("emoji", &|c| c.len_utf16() == 2),
            ("joiners", &|c| c == '\u{200d}'),
            ("combining marks", &|c| ('\u{300}'..='\u{36f}').contains(&c)),
        ] {
            assert!(text.chars().any(is), "no {what}");
        }
        for markdown in ["\n## ", "```", "|---|", "\n- "] {
            assert!(text.contains(markdown), "no {markdown}");
        }
    }
}
