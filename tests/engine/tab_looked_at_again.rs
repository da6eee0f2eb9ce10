//! Nobody waits out a long backoff in front of the screen, and nobody's budget runs while they look elsewhere (FIELD 5, 5).

use crate::support::*;
use steadystream::engine::backoff::Jitter;
use steadystream::engine::environment::Signal;
use steadystream::engine::time::Millis;

const HOUR: u64 = 3_600_000;

fn down(seed: u64, ms: u64) -> World {
    let mut world = World::seeded(seed)
        .habits(|habits| habits.log_ttl = 2 * HOUR)
        .at(200, Incident::Restart { ms, keeps_log: true, keeps_workers: true });
    // Waits of 1, 2, 4, 8, 16, 30, 30 … s.
    world.config.backoff.jitter = Jitter::None;
    (world.config.give_up_after, world.config.max_attempts) = (Millis(120_000), 10_000);
    world
}

fn attempts(sim: &Sim) -> Vec<u64> {
    sim.requests_to("/events").map(|(at, _)| *at).collect()
}

#[test]
fn a_page_that_is_seen_again_tries_at_once() {
    let sim = down(321, 61_500)
        .at(10_000, Incident::Signal(Signal::Hidden))
        .at(70_000, Incident::Signal(Signal::Visible))
        .open()
        .settle();
    sim.assert_whole();
    assert_eq!(attempts(&sim).last(), Some(&70_000));
}

#[test]
fn a_page_that_flickers_is_no_storm() {
    let mut world = down(322, 60_000);
    for at in (10_000..60_000).step_by(50) {
        world = world.at(at, Incident::Signal(if at % 100 == 0 { Signal::Hidden } else { Signal::Visible }));
    }
    let sim = world.open().settle();
    sim.assert_whole();
    let attempts = attempts(&sim);
    assert!(attempts.is_sorted_by(|one, next| one + 500 <= *next), "{attempts:?}");
}

#[test]
fn what_the_server_asked_for_is_waited_for_whoever_looks() {
    for signals in [[Signal::Hidden, Signal::Visible], [Signal::Offline, Signal::Online]] {
        let sim = World::slow(323)
            .then(Plan::cut(900, How::Rst))
            .then(Plan::status_retry_after(503, "30"))
            .at(12_000, Incident::Signal(signals[0]))
            .at(14_000, Incident::Signal(signals[1]))
            .open()
            .settle();
        sim.assert_whole();
        let attempts = attempts(&sim);
        assert_eq!(attempts.len(), 3);
        assert!(attempts[1] < 12_000 && attempts[2] >= attempts[1] + 30_000, "{signals:?}: {attempts:?}");
    }
}

#[test]
fn a_hidden_page_does_not_use_up_the_budget() {
    let sim = down(324, HOUR).at(1_000, Incident::Signal(Signal::Hidden)).open().settle();
    sim.assert_whole();
    assert!(sim.now >= HOUR);
}

#[test]
fn the_budget_goes_on_where_it_stopped_when_the_page_is_seen_again() {
    let sim = down(325, HOUR)
        .at(60_000, Incident::Signal(Signal::Hidden))
        .at(1_000_000, Incident::Signal(Signal::Visible))
        .open()
        .settle();
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("gave-up")));
    // Of two minutes, one was spent before.
    assert!((1_050_000..1_130_000).contains(&sim.now), "{}", sim.now);
}
