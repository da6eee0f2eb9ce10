//! FIELD 1.1 G: after a reset the server replays events that were seen. None is applied twice.

use crate::support::*;

#[test]
fn replayed_events_are_dropped_by_their_ids() {
    for seen in [1, 3, 50] {
        let replay = Plan::mischief(Mischief { replay_seen: seen, ..Mischief::default() });
        let sim = World::seeded(61).then(Plan::cut(3_000, How::Rst)).then(replay).open().settle();
        sim.assert_whole();
        assert!(sim.run.counts().duplicates > 0);
    }
}

#[test]
fn events_that_come_twice_in_one_stream_are_dropped() {
    for each in 1..5 {
        let twice = Plan::mischief(Mischief { duplicate_each: each, ..Mischief::default() });
        let sim = World::seeded(62).then(twice).open().settle();
        sim.assert_whole();
    }
}
