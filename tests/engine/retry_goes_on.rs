//! An interrupted run is not lost: `retry` goes on from what is held, without sending anything twice.

use crate::support::*;

#[test]
fn retry_goes_on_from_the_cursor() {
    let mut world = World::seeded(261).then(Plan::cut(2_500, How::Rst));
    for _ in 0..40 {
        world = world.then(Plan::head(Head::Refused));
    }
    let mut sim = world.habits(|habits| habits.log_ttl = 3_600_000).open();
    sim.play_to_settled();
    assert_eq!(sim.run.status(), Status::Interrupted);
    let held = sim.page.transcript();
    for _ in 0..5 {
        if sim.run.status().is_settled() && sim.run.status() != Status::Completed {
            sim.retry();
            assert_eq!(sim.page.transcript(), held, "what is shown stays");
            sim.play_to_settled();
        }
    }
    sim.settle().assert_whole();
}

#[test]
fn a_closed_run_can_be_taken_up_again() {
    let mut sim = World::seeded(262).at(700, Incident::Close).open();
    sim.play_to_settled();
    sim.retry();
    let sim = sim.settle();
    sim.assert_whole();
    assert!(sim.requests_to("/events").nth(1).is_some_and(|(_, request)| request.last_event_id.is_some()));
}

#[test]
fn a_send_that_never_arrived_is_sent_by_retry_under_its_own_request_id() {
    let mut sim = World::seeded(263).forever(Plan::head(Head::Refused)).send();
    sim.play_to_settled();
    assert_eq!(sim.run.status(), Status::Interrupted);
    sim.forever(Plan::CLEAN);
    sim.retry();
    let sim = sim.settle();
    sim.assert_whole();
    assert_eq!(sim.server.counters.runs, 1);
    let bodies: Vec<_> = sim.requests_to("").map(|(_, request)| &request.body).collect();
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]));
}

#[test]
fn a_run_that_failed_at_the_server_is_started_anew_under_another_request_id() {
    let ending = || Event::Error("provider busy");
    let world = World::seeded(264).script(Script::seeded(264, Shape { ending, ..Shape::default() }));
    let mut sim = world.send();
    sim.play_to_settled();
    assert_eq!(sim.run.status(), Status::Failed);
    sim.retry();
    sim.play_to_settled();
    assert_eq!(sim.server.counters.runs, 2);
    assert_eq!(sim.page.transcript(), *sim.truth(), "the second answer, not the first and the second");
}

#[test]
fn a_run_that_was_completed_has_nothing_to_retry() {
    let mut sim = World::seeded(265).open();
    sim.play_to_settled();
    let requests = sim.requests.len();
    sim.retry();
    assert_eq!(sim.requests.len(), requests);
    sim.settle().assert_whole();
}
