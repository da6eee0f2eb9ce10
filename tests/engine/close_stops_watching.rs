//! B-ES-6: closing stops watching, at once and for good; the run goes on at the server and can be taken up again.

use crate::support::*;

#[test]
fn a_closed_run_keeps_nothing_and_cancels_nothing() {
    for at in [0, 1, 20, 40, 300, 900] {
        for is_sent in [false, true] {
            let world = World::seeded(221).then(Plan::cut(2_000, How::Rst)).at(at, Incident::Close);
            let sim = if is_sent { world.send() } else { world.open() }.settle();
            assert_eq!((sim.run.status(), sim.run.by(), sim.code()), (Status::Interrupted, By::User, Some("aborted")));
            assert_eq!(sim.server.counters.stops, 0);
            assert_eq!(sim.now, at, "at once");
        }
    }
}
