//! P-1 to P-10, FIELD 1.4: however the server writes its frames and wherever the network splits them, the run is the same.

use crate::support::*;
use steadystream::engine::rng::Rng;

#[test]
fn every_wire_shape_in_chunks_of_every_size() {
    for seed in 0..60 {
        let wire = Wire::random(&mut Rng::seeded(seed));
        let chunks = [Chunks::Of(1), Chunks::Of(2), Chunks::Of(7), Chunks::Anywhere, Chunks::AsSent][seed as usize % 5];
        let script = Script::seeded(seed, Shape { split_pairs: seed % 2 == 0, iterations: 2, ..Shape::default() });
        let world = World::seeded(seed).script(script).forever(Plan::CLEAN.chunks(chunks));
        let sim = world.habits(|habits| habits.wire = wire).open().settle();
        sim.assert_whole();
        assert_eq!(sim.run.counts().malformed, 0, "{wire:?}");
    }
}

#[test]
fn a_cut_in_any_wire_shape_is_survived() {
    for seed in 0..60 {
        let mut rng = Rng::seeded(seed);
        let wire = Wire::random(&mut rng);
        let plan = Plan::cut(rng.up_to(4_000) as usize, How::Rst).chunks(Chunks::Anywhere);
        let script = Script::seeded(seed, Shape { split_pairs: true, ..Shape::default() });
        World::seeded(seed)
            .script(script)
            .then(plan)
            .habits(|habits| habits.wire = wire)
            .open()
            .settle()
            .assert_whole();
    }
}
