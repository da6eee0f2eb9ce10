//! Server frames: over the socket and as the data of SSE the same bytes.

use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};

use crate::content::{Chance, Ending, JsonStyle, Moment, Object, delta_string, json_value};
use crate::runs::Run;

/// The `code` of an answer that was stopped.
pub(super) const CANCELLED: &str = "cancelled";
/// Its `message`, and that of a recipe that ends so.
const STOPPED: &str = "the answer was stopped";

/// What `done` carries.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Done {
    pub(super) message_id: String,
    pub(super) sources: Vec<Value>,
    pub(super) confidence: f64,
    pub(super) generation_time_ms: u64,
}

impl Done {
    /// The seed decides it, but for the id and the time; a recipe without a citation has no sources.
    pub(crate) fn of(run: &Run, generation_time_ms: u64) -> Self {
        let mut chance = Chance::seeded(run.seed);
        let count = if run.recipe.citation { chance.between(1, 3) } else { 0 };
        let source = |n| json!({ "title": format!("Quelle {n} \u{2014} 出典"), "url": format!("https://docs.example.com/{n}?a=b&c=d") });
        Self {
            message_id: run.message_id.clone(),
            sources: (1..=count).map(source).collect(),
            confidence: chance.between(50, 99) as f64 / 100.0,
            generation_time_ms,
        }
    }
}

/// The frame for a moment of an answer. Its last two members are what plain servers do not have.
pub(crate) fn moment(moment: &Moment, run: &Run, seq: u64, done: Option<&Done>) -> Bytes {
    let style = run.recipe.json;
    let mut object = Object::new(style);
    match moment {
        Moment::End(Ending::Done, _) => {
            object.typed("done");
            if let Some(done) = done {
                object
                    .text("message_id", &done.message_id)
                    .raw("sources", &json_value(&json!(done.sources), style))
                    .raw("confidence", &json!(done.confidence).to_string())
                    .number("generation_time_ms", done.generation_time_ms);
            }
        }
        Moment::End(ending, error) => {
            object.typed("error").text("message", error.as_deref().unwrap_or(STOPPED));
            object.text("code", if *ending == Ending::Cancelled { CANCELLED } else { ending.name() });
        }
        Moment::Text(delta) => drop(object.typed("token").raw("content", &delta_string(delta, style))),
        // No recipe of this protocol has others; a client must not mind an unknown type.
        _ => drop(object.typed("other")),
    }
    object.text("pending_message_id", &run.run_id).number("seq", seq);
    object.finish()
}

/// The same frame as a plain server sends it.
pub(super) fn plain(frame: &Bytes) -> Bytes {
    let mark: &[u8] = b",\"pending_message_id\":";
    match frame.windows(mark.len()).rposition(|part| part == mark) {
        Some(at) => Bytes::from([&frame[..at], b"}"].concat()),
        None => frame.clone(),
    }
}

/// `accepted`.
pub(super) fn accepted(run: &Run) -> Bytes {
    let mut object = Object::new(JsonStyle::Plain);
    object.typed("accepted").text("session_id", &run.session_id);
    object.text("request_id", run.request_id.as_deref().unwrap_or_default()).text("pending_message_id", &run.run_id);
    object.finish()
}

/// A `send` or `resume` that is refused: an `error` without `seq`.
pub(super) fn refused(code: &str, message: &str, subject: &Subject) -> Bytes {
    let mut object = Object::new(JsonStyle::Plain);
    object.typed("error").text("message", message).text("code", code);
    match subject {
        Subject::Request(Some(id)) => drop(object.text("request_id", id)),
        Subject::Answer(Some(id)) => drop(object.text("pending_message_id", id)),
        Subject::Request(None) | Subject::Answer(None) => {}
    }
    object.finish()
}

/// What a refusal is about, as far as the client named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Request(Option<String>),
    Answer(Option<String>),
}

/// `pong`, with the ping's own id.
pub(super) fn pong(id: &Value) -> Bytes {
    Bytes::from(json!({ "type": "pong", "id": id }).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::{Delta, Recipe};
    use crate::runs::Ask;

    #[test]
    fn the_wire_looks_as_the_page_says() {
        let run = Run::new(Ask::default(), Recipe { citation: false, ..Recipe::default() }, 7, 0);
        let text = Moment::Text(Delta { text: "a<".to_owned(), ..Delta::default() });
        let token = moment(&text, &run, 1, None);
        let tail = format!(",\"pending_message_id\":\"{}\",\"seq\":1}}", run.run_id);
        assert_eq!(token, format!("{{\"type\":\"token\",\"content\":\"a\\u003c\"{tail}"));
        assert_eq!(plain(&token), "{\"type\":\"token\",\"content\":\"a\\u003c\"}");
        let end: Value =
            serde_json::from_slice(&moment(&Moment::End(Ending::Done, None), &run, 2, Some(&Done::of(&run, 1_234))))
                .unwrap();
        assert_eq!((&end["message_id"], &end["sources"]), (&json!(run.message_id), &json!([])));
        assert_eq!((&end["generation_time_ms"], &end["seq"]), (&json!(1_234), &json!(2)));
        let stopped: Value =
            serde_json::from_slice(&moment(&Moment::End(Ending::Cancelled, None), &run, 3, None)).unwrap();
        assert_eq!((&stopped["type"], &stopped["code"]), (&json!("error"), &json!("cancelled")));
    }
}
