//! The promise itself: for any schedule of cuts, delays, duplicates and replays the final transcript equals the fault-free
//! one, byte for byte, and the run settles once.

use proptest::prelude::*;
use steadystream::engine::rng::Rng;

use crate::support::*;

/// A world with up to twelve connections in trouble, and some trouble at times of its own.
fn world(seed: u64, plans: u64, incidents: u64) -> World {
    let mut rng = Rng::seeded(seed);
    let pause = [0, 10, 100, 1_000][rng.up_to(3) as usize];
    let shape = Shape {
        iterations: 1 + rng.up_to(3),
        deltas: 1 + rng.up_to(25),
        pause,
        split_pairs: rng.up_to(1) == 0,
        ..Shape::default()
    };
    let mut world = World {
        lateness: [0, 0, 50, 5_000][rng.up_to(3) as usize],
        spurious: [0, 0, 20][rng.up_to(2) as usize],
        ..World::seeded(seed).script(Script::seeded(seed, shape))
    };
    world.habits.wire = if rng.up_to(1) == 0 { Wire::BICHAT } else { Wire::random(&mut rng) };
    world.habits.lossy = [0, 10, 60][rng.up_to(2) as usize];
    world.habits.heartbeats = rng.up_to(3) > 0;
    // A run outlives its end long enough for a patient client.
    world.habits.log_ttl = 24 * 3_600_000;
    for _ in 0..plans {
        world.plans.push_back(Plan::random(&mut rng));
    }
    for _ in 0..incidents {
        let at = rng.up_to(20_000);
        let incident = match rng.up_to(5) {
            0 | 1 => Incident::Cut(if rng.up_to(1) == 0 { How::Fin } else { How::Rst }),
            2 => Incident::Offline { ms: rng.up_to(8_000), told: rng.up_to(1) == 0, resets: rng.up_to(1) == 0 },
            3 => Incident::Sleep { ms: rng.up_to(100_000), told: rng.up_to(1) == 0 },
            4 => Incident::Restart { ms: rng.up_to(4_000), keeps_log: true, keeps_workers: true },
            _ => Incident::Spurious,
        };
        world = world.at(at, incident);
    }
    world
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_followed_run_ends_as_a_perfect_connection_would_have_shown_it(seed: u64, plans in 0..12_u64, incidents in 0..4_u64) {
        let mut sim = world(seed, plans, incidents).open();
        sim.play_to_settled();
        retry_while_interrupted(&mut sim);
        sim.settle().assert_whole();
    }

    #[test]
    fn a_sent_run_is_started_once_and_ends_as_a_perfect_connection_would_have_shown_it(
        seed: u64, plans in 0..12_u64, incidents in 0..4_u64,
    ) {
        let mut sim = world(seed, plans, incidents).send();
        sim.play_to_settled();
        retry_while_interrupted(&mut sim);
        // B-SEND-4: a message that cannot be known to have arrived is sent again, and the server finds its run while it lives.
        let counters = sim.server.counters;
        prop_assert!(counters.runs - counters.repeated <= 1, "{counters:?}");
        // A run that ended before its name reached us is told as ended: its text is in the history.
        if sim.code() != Some("run-ended") {
            sim.settle().assert_whole();
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn whatever_the_ladder_the_run_ends_as_a_perfect_connection_would_have_shown_it(
        seed: u64, plans in 0..12_u64, incidents in 0..4_u64, ladder in 0..6_usize,
    ) {
        use Transport::{EventSource, Fetch, Rest};
        let ladders: [&[Transport]; 6] =
            [&[Rest], &[EventSource, Rest], &[Fetch, Rest], &[EventSource, Fetch, Rest], &[Rest, Fetch], &[Fetch, EventSource]];
        let mut world = world(seed, plans, incidents);
        world.config.transports = ladders[ladder].to_vec();
        let mut sim = world.open();
        sim.play_to_settled();
        retry_while_interrupted(&mut sim);
        sim.settle().assert_whole();
    }
}

/// What a user does who is told that the run was interrupted.
fn retry_while_interrupted(sim: &mut Sim) {
    for _ in 0..10 {
        if sim.run.status() == Status::Interrupted && sim.run.error().is_some_and(|failure| failure.retryable) {
            sim.retry();
            sim.play_to_settled();
        }
    }
}
