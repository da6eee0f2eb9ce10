//! PROTOCOLS 1.10: the run asks the user a question and waits, for hours if need be. That is no silence and no end.

use crate::support::*;
use serde_json::json;

#[test]
fn a_waiting_run_says_so_and_goes_on_when_answered() {
    let text = |text: &str| Event::Text(text.encode_utf16().collect());
    let question =
        json!({ "checkpointId": "c1", "questions": [{ "id": "q1", "text": "Which table?", "type": "single_choice" }] });
    let mut script = Script::of(
        100,
        [text("Before. "), Event::BlockEnd(0), Event::Interrupt(question), text("After."), Event::Done],
    );
    script.0[3].after = 3_600_000;
    let mut sim = World::seeded(321).script(script).at(1_800_000, Incident::Cut(How::Rst)).open();
    sim.play_until(3_000_000);
    assert_eq!(sim.run.status(), Status::Waiting);
    assert_eq!(sim.page.state["status"], "waiting");
    let sim = sim.settle();
    sim.assert_whole();
    assert_eq!(sim.requests.len(), 2, "the cut, and nothing else");
}
