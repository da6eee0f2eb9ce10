//! The page is left and shown again: nothing is cancelled, the connection is let go, and the run goes on from its cursor.

use crate::support::*;
use steadystream::engine::environment::Signal;

#[test]
fn a_page_that_is_left_lets_its_connection_go_and_takes_it_up_again() {
    for order in [[Signal::PageHidden, Signal::Frozen], [Signal::Frozen, Signal::PageHidden]] {
        let mut sim = World::seeded(91)
            .at(400, Incident::Signal(order[0]))
            .at(401, Incident::Signal(order[1]))
            .at(120_000, Incident::Signal(Signal::Thawed))
            .at(120_001, Incident::Signal(Signal::PageShown))
            .open();
        sim.play_until(60_000);
        assert_eq!(sim.requests.len(), 1, "an open stream keeps a page out of the cache");
        let sim = sim.settle();
        sim.assert_whole();
        assert_eq!(
            (sim.server.counters.stops, sim.server.counters.follows),
            (0, 2),
            "a page that goes away cancels nothing"
        );
        assert!(sim.now < 121_000, "and back, it does not wait: {}", sim.now);
    }
}

#[test]
fn hiding_the_page_changes_nothing_for_its_runs() {
    // FIELD 4.4, 42: 45 hides made 42 reconnects.
    let mut world = World::seeded(92);
    for flap in 0..45 {
        world = world.at(flap * 20, Incident::Signal(if flap % 2 == 0 { Signal::Hidden } else { Signal::Visible }));
    }
    let sim = world.open().settle();
    sim.assert_whole();
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn leaving_while_a_send_is_on_its_way_sends_it_once() {
    for at in (0..120).step_by(4) {
        let sim = World::slow(at)
            .at(at, Incident::Signal(Signal::PageHidden))
            .at(5_000, Incident::Signal(Signal::PageShown))
            .send()
            .settle();
        assert!(sim.server.counters.runs <= 1, "left at {at}");
        sim.assert_whole();
    }
}
