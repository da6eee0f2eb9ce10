//! The same seed and the same schedule give the same outputs, so that any failure can be played again.

use crate::support::*;
use steadystream::engine::rng::Rng;

fn world(seed: u64) -> World {
    let mut rng = Rng::seeded(seed);
    let mut world = World { lateness: 500, spurious: 10, ..World::seeded(seed) };
    for _ in 0..4 {
        world = world.then(Plan::random(&mut rng));
    }
    world.at(800, Incident::Offline { ms: 2_000, told: true, resets: true })
}

#[test]
fn two_plays_of_one_schedule_are_the_same() {
    for seed in 0..30 {
        let (one, two) = (world(seed).send().settle(), world(seed).send().settle());
        assert_eq!(one.trace, two.trace);
        assert_eq!(one.now, two.now);
        assert_eq!(one.page.state, two.page.state);
    }
}

#[test]
fn another_seed_is_another_play() {
    let traces: Vec<_> = (0..5).map(|seed| World { seed, ..world(1) }.send().settle().trace).collect();
    assert!(traces.windows(2).any(|pair| pair[0] != pair[1]));
}
