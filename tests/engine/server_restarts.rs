//! The server starts anew in the middle of a run: with its log and its workers, with its log alone, or without either.

use crate::support::*;

#[test]
fn a_restart_that_keeps_log_and_workers_is_just_a_cut() {
    for at in (0..1_500).step_by(50) {
        for is_sent in [false, true] {
            let restart = Incident::Restart { ms: 3_000, keeps_log: true, keeps_workers: true };
            let world = World::slow(271).at(at, restart);
            let sim = if is_sent { world.send() } else { world.open() }.settle();
            sim.assert_whole();
            assert_eq!(sim.server.counters.runs, 1, "restarted at {at}");
        }
    }
}

#[test]
fn a_worker_that_died_is_told_by_the_reapers_error() {
    let restart = Incident::Restart { ms: 3_000, keeps_log: true, keeps_workers: false };
    let sim = World::seeded(272).at(600, restart).open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Failed, Some("server-error")));
    assert_eq!(sim.page.transcript(), sim.server.logged());
}

#[test]
fn a_server_that_forgot_everything_is_told() {
    let restart = Incident::Restart { ms: 3_000, keeps_log: false, keeps_workers: false };
    let sim = World::seeded(273).at(600, restart).open().settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("run-ended")));
    assert!(!sim.page.transcript().parts.is_empty(), "what came stays");
}

#[test]
fn a_restart_a_minute_long_is_survived_or_told() {
    for seed in 0..10 {
        let restart = Incident::Restart { ms: 50_000, keeps_log: true, keeps_workers: true };
        let mut sim = World::seeded(seed).at(600, restart).open();
        sim.play_to_settled();
        if sim.run.status() != Status::Completed {
            assert_eq!(sim.code(), Some("gave-up"));
            sim.play_until(sim.now.max(60_000));
            sim.retry();
        }
        sim.settle().assert_whole();
    }
}
