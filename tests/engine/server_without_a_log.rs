//! A server that keeps no event log: a send's own response is all there is, and after a cut a resume.

use crate::support::*;

fn world(seed: u64) -> World {
    let mut script = Script::seeded(seed, Shape::slow());
    script.0.retain(|entry| !matches!(entry.event, Event::Thinking(_)));
    let mut world = World::seeded(seed).script(script).habits(|habits| habits.has_log = false);
    world.config.event_log = false;
    world
}

#[test]
fn the_sends_own_response_is_shown_as_it_comes() {
    let sim = world(331).send().settle();
    sim.assert_whole();
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn after_a_cut_the_run_is_resumed() {
    for after in [0, 40, 500, 3_000] {
        let sim = world(332).then(Plan::cut(after, How::Rst)).send().settle();
        assert_eq!(sim.run.status(), Status::Completed, "{:?}", sim.run.error());
        assert_eq!(sim.page.text(), sim.truth().text());
        assert_eq!(sim.server.counters.runs, 1);
    }
}
