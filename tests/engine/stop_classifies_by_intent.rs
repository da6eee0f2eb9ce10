//! B-STOP-1, B-EVT-1: the server tells a cancel as an error. Whose wish it was decides what it is called; a stopped run
//! never reconnects, and its partial text stays.

use crate::support::*;

#[test]
fn a_stopped_run_is_cancelled_by_the_user_though_the_log_says_error() {
    for at in (1..1_500).step_by(37) {
        for is_sent in [false, true] {
            let world = World::seeded(211).at(at, Incident::Stop);
            let sim = if is_sent { world.send() } else { world.open() }.settle();
            if sim.run.status() != Status::Completed {
                assert_eq!((sim.run.status(), sim.run.by()), (Status::Cancelled, By::User), "stopped at {at}");
                assert_eq!(sim.run.error(), None);
                assert!(!sim.server.is_active(), "stopped at {at}, and the run goes on");
            }
            assert!(sim.truth().text().starts_with(&sim.page.transcript().text()));
        }
    }
}

#[test]
fn a_stop_that_overtakes_its_send_leaves_no_run_behind() {
    // The stop and the message travel on two connections: whichever arrives first, nothing may run on.
    for seed in 0..40 {
        for at in [1, 5, 10, 30] {
            let mut sim = World::slow(seed).at(at, Incident::Stop).send();
            sim.play_to_settled();
            assert_eq!((sim.run.status(), sim.run.by()), (Status::Cancelled, By::User));
            sim.play_until(sim.now + 1_000);
            assert!(!sim.server.is_active(), "seed {seed}, stopped at {at}, and the run goes on");
        }
    }
}

#[test]
fn the_same_error_without_a_stop_is_a_failure() {
    let ending = || Event::Error("An error occurred while processing your request");
    let world = World::seeded(212).script(Script::seeded(212, Shape { ending, ..Shape::default() }));
    assert_eq!(world.open().settle().run.status(), Status::Failed);
}

#[test]
fn a_stop_without_a_reply_is_cancelled_in_time_and_says_that_it_is_unsure() {
    for answer in [Answer::Never, Answer::Failed, Answer::Fake { status: 500, body: "" }] {
        let sim =
            World::seeded(213).then(Plan::stall(1_000)).answer(answer.clone()).at(900, Incident::Stop).open().settle();
        assert_eq!((sim.run.status(), sim.run.by()), (Status::Cancelled, By::User), "{answer:?}");
        assert!(sim.now <= 900 + 5_000 + 100, "{answer:?} {}", sim.now);
    }
}

#[test]
fn a_stopped_run_never_reconnects() {
    for when in [900, 1_050, 2_000] {
        let sim = World::seeded(214)
            .then(Plan::cut(1_500, How::Rst))
            .forever(Plan::head(Head::Refused))
            .at(when, Incident::Stop)
            .open()
            .settle();
        assert_eq!(sim.run.status(), Status::Cancelled);
        let after = sim.requests_to("/events").filter(|&&(at, _)| at > when).count();
        assert_eq!(after, 0, "stopped at {when}");
    }
}

#[test]
fn a_run_that_ends_by_itself_while_the_stop_is_on_its_way_was_completed() {
    let script = Script::of(10, [Event::Text(vec![0x41]), Event::Done]);
    let sim = World::seeded(216).script(script).answer(Answer::Never).at(21, Incident::Stop).open().settle();
    assert_eq!(sim.run.status(), Status::Completed);
}

#[test]
fn a_connection_that_is_lost_behind_a_stop_is_not_opened_again() {
    for how in [How::Fin, How::Rst] {
        let sim = World::slow(325)
            .answer(Answer::Never)
            // On its way when the user presses Stop.
            .at(4_999, Incident::Cut(how))
            .at(5_000, Incident::Stop)
            .open()
            .settle();
        assert_eq!((sim.run.status(), sim.run.by()), (Status::Cancelled, By::User));
        assert_eq!(sim.requests_to("/events").count(), 1);
        assert_eq!(sim.requests_to("/status").count(), 0);
    }
}

#[test]
fn a_refusal_behind_a_stop_asks_nothing() {
    for status in [404, 503] {
        let sim = World::slow(326)
            .then(Plan { head_delay: 2_000, ..Plan::status(status) })
            .answer(Answer::Never)
            .at(1_000, Incident::Stop)
            .open()
            .settle();
        assert_eq!((sim.run.status(), sim.run.by()), (Status::Cancelled, By::User));
        assert_eq!((sim.requests_to("/events").count(), sim.requests_to("/status").count()), (1, 0));
    }
}
