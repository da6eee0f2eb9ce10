//! B-SEND-2, B-SEND-3, B-SEND-4: the send's response breaks before it named the run. The message is sent once, whatever
//! the user sees of it: the same request id finds the run while it lives, and after that nothing is sent blindly.

use crate::support::*;

#[test]
fn a_cut_anywhere_in_the_response_starts_one_run() {
    for how in [How::Fin, How::Rst] {
        for after in (0..260).step_by(3) {
            let sim = World::slow(171).then(Plan::cut(after, how)).send().settle();
            sim.assert_whole();
            assert_eq!(sim.server.counters.runs, 1, "cut after {after}");
        }
    }
}

#[test]
fn a_send_that_got_through_before_its_head_was_lost_starts_one_run() {
    for seed in 0..30 {
        let sim = World::slow(seed).then(Plan::head(Head::Lost)).then(Plan::head(Head::Lost)).send().settle();
        sim.assert_whole();
        assert_eq!(sim.server.counters.runs, 1);
        assert_eq!(sim.server.counters.deduped, sim.server.counters.sends - 1);
    }
}

#[test]
fn a_run_that_ended_before_we_knew_its_name_is_not_started_again() {
    // The whole answer was given while we were cut off: the dedupe key is gone with the run (B-SEND-4).
    let script = Script::of(1, [Event::Text(vec![0x41; 10]), Event::Done]);
    for after in [0, 15, 40] {
        let sim = World::seeded(172).script(script.clone()).then(Plan::cut(after, How::Rst)).send().settle();
        assert_eq!(sim.server.counters.runs, 1, "answered, billed, and not asked for twice");
        assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    }
}

#[test]
fn a_status_that_cannot_be_had_does_not_hang_the_send() {
    for answer in [Answer::Never, Answer::Failed, Answer::Fake { status: 500, body: "" }] {
        let mut world = World::slow(173).then(Plan::cut(20, How::Rst));
        world.answers.extend(std::iter::repeat_n(answer.clone(), 2));
        let sim = world.send().settle();
        sim.assert_whole();
        assert_eq!(sim.server.counters.runs, 1, "{answer:?}");
    }
}
