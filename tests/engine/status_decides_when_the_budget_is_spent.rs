//! The retry budget is spent: one status request decides between a resume, an end that was missed, and a typed
//! interruption that `retry` goes on from (B-STAT-1).

use crate::support::*;

fn spent(answer: Answer) -> Sim {
    let mut world = World::seeded(241).then(Plan::cut(2_000, How::Rst)).forever(Plan::head(Head::Refused));
    world.answers.extend(std::iter::repeat_n(answer, 20));
    world.open().settle()
}

#[test]
fn a_run_that_is_over_is_told_as_ended() {
    for answer in [Answer::Fake { status: 200, body: r#"{"active":false}"# }, Answer::Fake { status: 404, body: "" }] {
        let sim = spent(answer);
        assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    }
}

#[test]
fn a_server_that_can_be_reached_again_is_followed_by_its_exact_log() {
    // Not by a resume, which is inexact, and not given up: the log outlives the run.
    for is_over in [false, true] {
        let mut world = if is_over { World::seeded(242) } else { World::slow(242) }.then(Plan::cut(2_000, How::Rst));
        for _ in 0..12 {
            world = world.then(Plan::head(Head::Refused));
        }
        let sim = world.open().settle();
        sim.assert_whole();
        assert_eq!(sim.server.counters.resumes, 0);
    }
}

#[test]
fn a_server_that_cannot_say_leaves_the_run_interrupted() {
    for answer in [
        Answer::Never,
        Answer::Failed,
        Answer::Fake { status: 500, body: r#"{"active":false}"# },
        Answer::Fake { status: 200, body: "<html>" },
        Answer::Fake { status: 200, body: r#"{"active":"yes"}"# },
    ] {
        let sim = spent(answer.clone());
        assert_eq!(
            (sim.run.status(), sim.run.by(), sim.code()),
            (Status::Interrupted, By::Limit, Some("gave-up")),
            "{answer:?}"
        );
        assert!(sim.run.error().is_some_and(|failure| failure.retryable));
        assert_eq!(sim.requests_to("/status").count(), 1, "one question");
    }
}

#[test]
fn a_run_that_is_another_is_not_ours() {
    let sim = spent(Answer::Fake { status: 200, body: r#"{"active":true,"runId":"another"}"# });
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
}

#[test]
fn attempts_are_bounded_and_spread() {
    let sim = spent(Answer::Failed);
    let times: Vec<u64> = sim.requests_to("/events").map(|&(at, _)| at).collect();
    assert!((4..=13).contains(&times.len()), "{times:?}");
    assert!(sim.now < 3 * 60_000, "{}", sim.now);
}
