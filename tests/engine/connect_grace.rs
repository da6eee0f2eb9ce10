//! B-ES-7, B-ES-8: a connection that fails before the first event and within the grace is a typed connect error, with the
//! status where one is known; after that, failures are flaps. Zero disables. An open is no event.

use crate::support::*;

fn graced(seed: u64) -> World {
    World { grace: Some(500), ..World::seeded(seed) }
}

#[test]
fn an_early_failure_is_told_with_its_status() {
    for (plan, status) in [
        (Plan::head(Head::Refused), None),
        (Plan::head(Head::Lost), None),
        (Plan::status(401), Some(401)),
        (Plan::status(404), Some(404)),
        (Plan::status(503), Some(503)),
        (Plan::body("text/html", b"<html>"), Some(200)),
        (Plan::cut(15, How::Fin), None),
        (Plan::empty(), None),
    ] {
        let sim = graced(231).forever(plan.clone()).open().settle();
        assert_eq!((sim.run.status(), sim.code()), (Status::Failed, Some("connect-failed")), "{plan:?}");
        assert_eq!(sim.run.error().and_then(|failure| failure.status), status, "{plan:?}");
        assert!(sim.now < 500);
    }
}

#[test]
fn a_refusal_inside_the_stream_within_the_grace_is_a_connect_error_too() {
    let sim = World { grace: Some(500), ..World::seeded(232) }.open_unknown().settle();
    assert_eq!(sim.code(), Some("connect-failed"));
}

#[test]
fn after_an_event_or_after_the_grace_a_failure_is_a_flap() {
    graced(233).then(Plan::cut_after_events(1, How::Rst)).open().settle().assert_whole();
    graced(234).then(Plan { head_delay: 600, ..Plan::status(503) }).open().settle().assert_whole();
    graced(235).then(Plan { head_delay: 600, ..Plan::cut(15, How::Rst) }).open().settle().assert_whole();
}

#[test]
fn no_grace_means_no_typed_connect_error() {
    World::seeded(236).then(Plan::head(Head::Refused)).open().settle().assert_whole();
    let world = World { grace: Some(0), ..World::seeded(237) };
    world.then(Plan::head(Head::Refused)).open().settle().assert_whole();
}
