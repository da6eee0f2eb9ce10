//! B-PARSE-2, B-ES-4, B-ES-9: a frame that makes no sense is reported, and the run goes on; on every road alike.

use crate::support::*;

#[test]
fn nonsense_between_the_frames_changes_nothing() {
    for each in 1..6 {
        let mischief = Mischief { malformed_each: each, ..Mischief::default() };
        let sim = World::seeded(121).then(Plan::mischief(mischief)).open().settle();
        sim.assert_whole();
        assert!(sim.run.counts().malformed > 0);
        assert_eq!(sim.requests.len(), 1, "one bad frame ends no connection");
    }
}

#[test]
fn a_listener_hears_of_it_between_the_events() {
    let mischief = Mischief { malformed_each: 3, ..Mischief::default() };
    let sim = World { listen: true, ..World::seeded(122).then(Plan::mischief(mischief)) }.open().settle();
    sim.assert_whole();
    let events = &sim.page.events;
    assert_eq!(events.iter().filter(|event| event["malformed"] == true).count() as u32, sim.run.counts().malformed);
    assert_eq!(events.iter().filter(|event| event["name"] == "done").count(), 1);
    assert_eq!(events.last().map(|event| &event["name"]), Some(&serde_json::json!("done")));
}

#[test]
fn an_event_larger_than_the_bound_ends_the_run_in_a_typed_way() {
    // P-11. Asking again would bring the same event again.
    let mut world = World::seeded(123);
    world.config.max_event_bytes = 120;
    let sim = world.open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("event-too-large")));
}
