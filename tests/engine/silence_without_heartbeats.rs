//! FIELD 1.1 F: an open connection falls silent, on a server that never sent a heartbeat. No client of the field notices.

use crate::support::*;

#[test]
fn silence_is_a_disconnect_after_the_stall_limit() {
    for after in [0, 15, 1_000, 3_000] {
        let world = World::seeded(41).then(Plan::stall(after)).habits(|habits| habits.heartbeats = false);
        let sim = world.open().settle();
        sim.assert_whole();
        let second = sim.requests_to("/events").nth(1).expect("a second connection").0;
        assert!((45_000..60_000).contains(&second), "{second}");
    }
}

#[test]
fn a_head_that_never_comes_is_bounded() {
    let sim = World::seeded(42).then(Plan::head(Head::Never)).open().settle();
    sim.assert_whole();
}

#[test]
fn a_send_whose_head_never_comes_is_bounded_by_the_stall_limit() {
    // B-SEND-5: no connect timer unless one is asked for. The run began: the same request id finds it (B-SEND-3).
    let sim = World::slow(43).then(Plan::head(Head::Never)).send().settle();
    sim.assert_whole();
    assert_eq!(sim.server.counters.runs, 1);
}

#[test]
fn a_send_timeout_bounds_the_head_alone() {
    let mut world = World::seeded(44).then(Plan { head_delay: 900, ..Plan::CLEAN });
    world.config.send_timeout = Some(steadystream::engine::time::Millis(1_000));
    world.send().settle().assert_whole();
}

#[test]
fn a_server_that_stays_silent_is_given_up_in_the_end() {
    let world = World::seeded(45).forever(Plan::stall(0)).habits(|habits| habits.heartbeats = false);
    let sim = world.open().settle();
    assert_eq!(sim.run.status(), Status::Interrupted);
    assert!(sim.run.error().is_some());
}
