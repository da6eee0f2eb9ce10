//! FIELD 1.1 J: the connection dies after every single new event. Progress, however small, renews the budget.

use crate::support::*;

#[test]
fn a_run_of_forty_events_on_forty_connections_is_whole() {
    let word = |n: usize| Event::Text(format!("слово-{n} ").encode_utf16().collect());
    let script = Script::of(0, (0..40).map(word).chain([Event::Done]));
    let mut world = World::seeded(81).script(script);
    for _ in 0..40 {
        world = world.then(Plan::cut_after_events(1, How::Rst));
    }
    let sim = world.open().settle();
    sim.assert_whole();
    assert_eq!(sim.requests_to("/status").count(), 0, "no reason to doubt");
}
