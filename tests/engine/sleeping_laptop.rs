//! The process sleeps. Timers lie, bytes wait; what counts is what was heard, and the second look.

use crate::support::*;

#[test]
fn a_sleep_that_nobody_told_of_costs_no_connection_while_bytes_wait() {
    // FIELD 3, centrifuge: a late timer gets a second chance, since unread data may wait.
    for at in [100, 500, 900] {
        let sim = World::seeded(at).at(at, Incident::Sleep { ms: 3_600_000, told: false }).open().settle();
        sim.assert_whole();
        assert_eq!(sim.requests.len(), 1);
    }
}

#[test]
fn a_connection_that_died_in_the_sleep_is_replaced() {
    for told in [true, false] {
        let sim = World::seeded(101)
            .at(500, Incident::Sleep { ms: 200_000, told })
            .at(600, Incident::Offline { ms: 100_000, told: false, resets: false })
            .open()
            .settle();
        sim.assert_whole();
        assert!(sim.now < 260_000, "{}", sim.now);
    }
}

#[test]
fn a_sleep_while_waiting_to_reconnect_is_over_with_the_sleep() {
    let sim = World::seeded(102)
        .then(Plan::cut(1_000, How::Rst))
        .then(Plan::status_retry_after(503, "60"))
        .at(5_000, Incident::Sleep { ms: 120_000, told: true })
        .open()
        .settle();
    sim.assert_whole();
    assert!(sim.now < 127_000, "{}", sim.now);
}
