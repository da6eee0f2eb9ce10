//! A run is opened when it has been going for a while, or is over: its log tells it from the beginning.

use crate::support::*;

#[test]
fn a_run_in_full_swing_is_caught_up_with() {
    let sim = World { head_start: 60_000, ..World::slow(291) }.open().settle();
    sim.assert_whole();
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn a_run_that_is_over_is_told_from_its_log() {
    let world = World { head_start: 200_000, ..World::seeded(292) };
    let sim = world.then(Plan::cut(1_000, How::Rst)).open().settle();
    sim.assert_whole();
}

#[test]
fn a_run_whose_log_is_gone_is_told_as_not_found() {
    let sim = World { head_start: 2_000_000, ..World::seeded(293) }.open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-not-found")));
}
