//! FIELD 1.1 H, B-ES-12: every reconnect is a 200 that brings nothing. Neither a hot loop nor a promise that hangs.

use crate::support::*;

#[test]
fn empty_200s_for_ever_are_told_in_bounded_time_and_attempts() {
    for status in [Answer::Served, Answer::Fake { status: 500, body: "" }, Answer::Never] {
        let mut world = World::seeded(71).then(Plan::cut(2_000, How::Rst)).forever(Plan::empty());
        world.answers.extend(std::iter::repeat_n(status, 50));
        let sim = world.open().settle();
        assert_eq!(sim.run.status(), Status::Interrupted);
        assert!(matches!(sim.code(), Some("gave-up" | "run-ended")), "{:?}", sim.run.error());
        assert!(!sim.page.transcript().parts.is_empty());
        assert!(sim.requests_to("/events").count() <= 14);
        assert!(sim.now < 10 * 60_000, "{}", sim.now);
    }
}

#[test]
fn a_run_that_ended_meanwhile_is_found_out_by_one_status_request() {
    let mut world = World::seeded(72).then(Plan::cut(2_000, How::Rst)).forever(Plan::empty());
    world.habits.log_ttl = 0;
    world.answers.push_back(Answer::Fake { status: 200, body: r#"{"active":false}"# });
    let sim = world.open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    assert!(sim.requests_to("/status").count() <= 2, "one when in doubt, one at the end");
}

#[test]
fn an_open_alone_never_resets_the_backoff() {
    // FIELD 1.2: the loop that made 1,801 connections in 30 s.
    let sim = World::seeded(73).forever(Plan::empty()).open().settle();
    let early = sim.requests_to("/events").filter(|&&(at, _)| at < 30_000).count();
    assert!(early <= 14, "{early}");
}

#[test]
fn a_few_empty_200s_are_got_over() {
    let world = World::seeded(74).then(Plan::cut(2_000, How::Rst)).then(Plan::empty()).then(Plan::empty());
    world.then(Plan::empty()).open().settle().assert_whole();
}

#[test]
fn a_session_that_is_not_the_runs_own_is_a_silent_close_and_still_ends() {
    // B-ES-12: a stream-open comment, then the end, for ever.
    let sim = World::seeded(75).forever(Plan::body("text/event-stream", b": stream-open\n\n")).open().settle();
    assert_eq!(sim.run.status(), Status::Interrupted);
}
