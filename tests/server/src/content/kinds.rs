//! A message's envelopes in order: the moments of the other protocols by the names of this one, behind a beginning of its own.

use serde_json::{Value, json};

use super::{Ending, Kind, Moment, Phase, Recipe, ToolCall, ToolUse, plan};

/// The envelopes of a message: exactly `recipe.events` of them, at least one; one if it fails before it begins (A-SRV-4).
pub fn kinds(recipe: &Recipe, seed: u64) -> Vec<Kind> {
    if recipe.ending == Ending::Failed && !recipe.queue {
        return vec![Kind::End(Ending::Failed, Some(recipe.error.clone()))];
    }
    let mut kinds = vec![
        Kind::Note("stream_started", json!({ "status": "started" })),
        Kind::Note("system", json!({ "data": { "session_id": format!("session-{seed}") } })),
    ];
    kinds.truncate(recipe.events.saturating_sub(1));
    let rest = Recipe { events: recipe.events.saturating_sub(kinds.len()), ..recipe.clone() };
    let mut parents = Parents::default();
    for moment in plan(&rest, seed) {
        let kind = told(&moment, seed, &mut parents);
        let amid =
            matches!(moment, Moment::BlockEnd(_)) && matches!(kinds.as_slice(), [.., Kind::Text(_), Kind::Text(_)]);
        // Before the last words: what adds no part divides none either.
        kinds.insert(kinds.len() - usize::from(amid), kind);
    }
    if let Some(end) = kinds.last_mut().filter(|_| recipe.queue) {
        *end = Kind::HandOver(Value::Null);
    }
    kinds
}

/// Which call the next one is a part of.
#[derive(Default)]
struct Parents {
    before: Option<String>,
    of: Vec<(String, String)>,
}

impl Parents {
    /// A call that starts right behind another is a part of that.
    fn handle(&mut self, moment: &Moment) {
        let started = match moment {
            Moment::ToolStart(call) => Some(call.call_id.clone()),
            _ => None,
        };
        if let (Some(id), Some(parent)) = (&started, &self.before) {
            self.of.push((id.clone(), parent.clone()));
        }
        self.before = started;
    }

    fn find(&self, id: &str) -> Option<String> {
        self.of.iter().find(|(known, _)| known == id).map(|(_, parent)| parent.clone())
    }
}

fn told(moment: &Moment, seed: u64, parents: &mut Parents) -> Kind {
    parents.handle(moment);
    match moment {
        Moment::Reasoning(delta) => Kind::Thinking(delta.clone()),
        Moment::Text(delta) => Kind::Text(delta.clone()),
        Moment::BlockEnd(number) => Kind::Note("plan", json!({ "data": { "entries": entries(*number) } })),
        Moment::ToolStart(call) => Kind::Tool(Phase::Started, tool(call, false, parents)),
        Moment::ToolEnd(call) => {
            let phase = if call.error.is_some() { Phase::Failed } else { Phase::Completed };
            Kind::Tool(phase, tool(call, true, parents))
        }
        Moment::Citation(_) => {
            let suggestions = ["Tell me more", "再接続について", "Was, wenn <es> \"abbricht\"? 🤔"];
            Kind::Note("prompt_suggestions", json!({ "suggestions": suggestions }))
        }
        Moment::Interrupt(_) => Kind::Permission(permission(seed)),
        Moment::Usage(_) => {
            Kind::Usage(json!({ "tokens_used": 2_812, "context_window": 200_000, "percentage": 1.406 }))
        }
        Moment::End(ending, text) => Kind::End(*ending, text.clone()),
    }
}

fn tool(call: &ToolCall, ended: bool, parents: &Parents) -> ToolUse {
    // Both shapes that a result may have.
    let result = |text: &String| match call.call_id.ends_with(['0', '2', '4', '6', '8']) {
        true => json!({ "content": [{ "type": "text", "text": text }], "is_error": false }),
        false => text.as_str().into(),
    };
    ToolUse {
        id: call.call_id.clone(),
        name: call.name,
        parent_id: parents.find(&call.call_id),
        input: serde_json::from_str(&call.arguments).unwrap_or_default(),
        result: call.result.as_ref().filter(|_| ended).map(result),
        error: call.error.clone().filter(|_| ended),
    }
}

fn entries(done: u32) -> Vec<Value> {
    let entry = |number| {
        let status = if number <= done { "completed" } else { "pending" };
        json!({ "content": format!("Schritt {number} \u{2014} шаг"), "priority": "medium", "status": status })
    };
    (0..done + 2).map(entry).collect()
}

/// The payload of a `permission_request`; its `request_id` follows from the seed.
fn permission(seed: u64) -> Value {
    let option = |id: &str, name: &str| json!({ "option_id": id, "name": name, "kind": id });
    json!({
        "request_id": format!("permission-{seed}"),
        "tool_name": "delete_rows",
        "tool_input": { "table": "orders", "where": "region = 'süd' & day < '2025-01-01'", "rows": 12 },
        "data": { "options": [option("allow_once", "Allow once"), option("reject_once", "Ablehnen — 拒否")] },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_says_the_same_and_another_seed_does_not() {
        let recipe = Recipe::default();
        assert_eq!(kinds(&recipe, 7), kinds(&recipe, 7));
        assert_ne!(kinds(&recipe, 7), kinds(&recipe, 8));
    }

    #[test]
    fn a_message_has_exactly_the_envelopes_asked_for_and_its_end_is_one_of_them() {
        for events in (1..60).chain([400, 5_000]) {
            for (queue, interrupt, ending) in
                [(false, false, Ending::Done), (true, true, Ending::Error), (false, true, Ending::Cancelled)]
            {
                let recipe = Recipe { events, queue, interrupt, ending, tool_calls: 7, ..Recipe::default() };
                let kinds = kinds(&recipe, 3);
                assert_eq!(kinds.len(), events, "{recipe:?}");
                assert_eq!(kinds.iter().filter(|kind| kind.ends_message()).count(), 1, "{recipe:?}");
                assert_eq!(matches!(kinds.last(), Some(Kind::HandOver(_))), queue, "{recipe:?}");
            }
        }
    }

    #[test]
    fn every_kind_is_there_when_there_is_room() {
        let recipe = Recipe { tool_calls: 12, interrupt: true, ..Recipe::default() };
        let kinds = kinds(&recipe, 5);
        let count = |is: &dyn Fn(&Kind) -> bool| kinds.iter().filter(|kind| is(kind)).count();
        for name in ["stream_started", "system", "plan", "prompt_suggestions"] {
            assert!(count(&|kind| matches!(kind, Kind::Note(known, _) if *known == name)) > 0, "{name}");
        }
        assert!(count(&|kind| matches!(kind, Kind::Thinking(_))) > 0);
        assert_eq!(count(&|kind| matches!(kind, Kind::Tool(Phase::Started, _))), 12);
        assert_eq!(count(&|kind| matches!(kind, Kind::Tool(Phase::Failed, _))), 2);
        assert_eq!(count(&|kind| matches!(kind, Kind::Permission(_) | Kind::Usage(_))), 2);
        let result = |kind: &Kind, is: &dyn Fn(&Value) -> bool| matches!(kind, Kind::Tool(Phase::Completed, tool) if tool.result.as_ref().is_some_and(is));
        assert!(count(&|kind| result(kind, &Value::is_string)) > 0);
        assert!(count(&|kind| result(kind, &Value::is_object)) > 0);
        let parents = count(&|kind| matches!(kind, Kind::Tool(Phase::Started, tool) if tool.parent_id.is_some()));
        assert_eq!(
            parents,
            count(
                &|kind| matches!(kind, Kind::Tool(phase, tool) if *phase != Phase::Started && tool.parent_id.is_some())
            )
        );
        assert!(parents > 0);
    }

    #[test]
    fn a_plan_stands_amid_a_text() {
        let kinds = kinds(&Recipe::default(), 5);
        let amid = |window: &&[Kind]| matches!(window, [Kind::Text(_), Kind::Note("plan", _), Kind::Text(_)]);
        assert_eq!(kinds.windows(3).filter(amid).count(), 2);
    }

    #[test]
    fn a_message_that_fails_before_it_begins_is_an_error_alone() {
        let recipe = Recipe { ending: Ending::Failed, error: "no model".to_owned(), ..Recipe::default() };
        assert_eq!(kinds(&recipe, 5), [Kind::End(Ending::Failed, Some("no model".to_owned()))]);
    }
}
