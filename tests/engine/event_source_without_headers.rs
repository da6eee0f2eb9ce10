//! W-6, W-10, B-ES-11: the browser's own EventSource cannot send the cursor's header, so that every reconnect replays the
//! run from its beginning. The cursor alone keeps it from doubling.

use crate::support::*;

fn native(seed: u64) -> World {
    let mut world = World::seeded(seed);
    world.config.transports = vec![Transport::EventSource];
    world
}

#[test]
fn replays_from_the_beginning_double_nothing() {
    for after in (0..6_000).step_by(211) {
        let sim = native(281).then(Plan::cut(after, How::Rst)).then(Plan::cut(after / 2, How::Fin)).open().settle();
        sim.assert_whole();
    }
}

#[test]
fn the_send_itself_goes_by_fetch() {
    let sim = native(282).then(Plan::cut(60, How::Rst)).send().settle();
    sim.assert_whole();
    assert_eq!(sim.server.counters.runs, 1);
}
