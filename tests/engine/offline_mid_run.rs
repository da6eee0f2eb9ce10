//! FIELD 1.1 E: four seconds without a network in the middle of a run; and longer, told or not.

use crate::support::*;

#[test]
fn four_seconds_offline_are_survived_told_or_not() {
    for (told, resets) in [(true, true), (true, false), (false, true)] {
        for at in [50, 300, 700, 1_100] {
            let sim = World::seeded(at).at(at, Incident::Offline { ms: 4_000, told, resets }).open().settle();
            sim.assert_whole();
        }
    }
}

#[test]
fn a_network_that_vanishes_without_a_word_is_noticed_as_silence() {
    let sim = World::seeded(31).at(500, Incident::Offline { ms: 4_000, told: false, resets: false }).open().settle();
    sim.assert_whole();
    assert!(sim.now >= 45_000, "{}", sim.now);
}

#[test]
fn an_hour_offline_costs_no_attempt() {
    // FIELD 5, 5: the budget is measured in time spent online.
    let sim = World::seeded(32)
        .at(500, Incident::Offline { ms: 3_600_000, told: true, resets: true })
        .habits(|habits| habits.log_ttl = 7_200_000)
        .open()
        .settle();
    sim.assert_whole();
    assert_eq!(sim.requests_to("/events").count(), 2);
}

#[test]
fn being_back_online_ends_a_wait_at_once() {
    let sim = World::seeded(33).at(500, Incident::Offline { ms: 20_000, told: true, resets: true }).open().settle();
    sim.assert_whole();
    let back = sim.requests_to("/events").nth(1).expect("a second connection").0;
    assert_eq!(back, 20_500);
}

#[test]
fn a_connection_that_fell_silent_while_offline_is_replaced_as_soon_as_the_network_is_back() {
    // Not after the stall limit: whatever it was connected through is gone.
    let sim = World::slow(36).at(5_000, Incident::Offline { ms: 4_000, told: true, resets: false }).open().settle();
    sim.assert_whole();
    let second = sim.requests_to("/events").nth(1).expect("a second connection").0;
    assert!((9_000..11_000).contains(&second), "{second}");
}

#[test]
fn a_connection_that_spoke_while_the_page_thought_it_was_offline_is_kept() {
    let sim = World::seeded(37)
        .at(200, Incident::Signal(steadystream::engine::environment::Signal::Offline))
        .at(900, Incident::Signal(steadystream::engine::environment::Signal::Online))
        .open()
        .settle();
    sim.assert_whole();
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn an_online_signal_that_is_lost_is_made_up_for() {
    let mut sim = World::seeded(34)
        .at(500, Incident::Offline { ms: 3_600_000, told: true, resets: true })
        .habits(|habits| habits.log_ttl = 7_200_000)
        .open();
    sim.play_until(10_000);
    assert_eq!(sim.page.state["connection"]["state"], "offline");
    sim.now(Incident::Online { told: false });
    let sim = sim.settle();
    sim.assert_whole();
    assert!(sim.now < 60_000, "{}", sim.now);
}

#[test]
fn a_send_waits_for_the_network() {
    let mut world = World::seeded(35).at(0, Incident::Offline { ms: 5_000, told: true, resets: true });
    world.environment.online = false;
    let sim = world.send().settle();
    sim.assert_whole();
    assert_eq!(sim.server.counters.sends, 1);
}
