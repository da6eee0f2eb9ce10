//! FIELD 1.1 D: a reset, then 401 for ever. One more try with fresh headers, then the error is surfaced.

use crate::support::*;

#[test]
fn a_401_for_ever_costs_two_requests_and_is_told() {
    let sim = World::seeded(21).then(Plan::cut(1_500, How::Rst)).forever(Plan::status(401)).open().settle();
    assert_eq!(sim.run.status(), Status::Interrupted, "the run goes on at the server: it is we who were turned away");
    assert_eq!(sim.code(), Some("unauthorized"));
    assert_eq!(sim.run.error().and_then(|failure| failure.status), Some(401));
    assert_eq!(sim.requests_to("/events").count(), 3);
    assert!(!sim.page.transcript().parts.is_empty(), "PROTOCOLS 6.1, 16: what came stays");
}

#[test]
fn a_401_that_fresh_headers_cure_is_not_told() {
    let sim = World::seeded(22).then(Plan::cut(1_500, How::Rst)).then(Plan::status(401)).open().settle();
    sim.assert_whole();
}

#[test]
fn a_token_may_expire_more_than_once_in_a_run() {
    let mut world = World::seeded(23);
    for _ in 0..5 {
        world = world.then(Plan::cut(700, How::Rst)).then(Plan::status(401));
    }
    world.open().settle().assert_whole();
}

#[test]
fn a_send_that_is_turned_away_has_failed() {
    let sim = World::seeded(24).forever(Plan::status(401)).send().settle();
    assert_eq!(sim.run.status(), Status::Failed);
    assert_eq!(sim.code(), Some("unauthorized"));
    assert_eq!(sim.requests.len(), 2);
}

#[test]
fn what_no_repetition_cures_is_asked_once() {
    for status in [400, 403] {
        let sim = World::seeded(25).then(Plan::cut(1_500, How::Rst)).forever(Plan::status(status)).open().settle();
        assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("http-status")));
        assert_eq!(sim.run.error().and_then(|failure| failure.status), Some(status));
        assert_eq!(sim.requests_to("/events").count(), 2);
    }
}
