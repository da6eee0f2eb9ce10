//! FIELD 1.1 A: the socket is reset in the middle of a run.

use crate::support::*;

#[test]
fn a_reset_anywhere_loses_and_doubles_nothing() {
    // Through the whole body of the followed log: mid-line, mid-frame, mid code point.
    for after in (0..6_000).step_by(19) {
        let sim = World::seeded(1).then(Plan::cut(after, How::Rst)).open().settle();
        sim.assert_whole();
    }
}

#[test]
fn the_next_connection_asks_for_what_follows_the_cursor() {
    let sim = World::seeded(2).then(Plan::cut(2_000, How::Rst)).open().settle();
    sim.assert_whole();
    let cursors: Vec<_> = sim.requests_to("/events").map(|(_, request)| request.last_event_id.clone()).collect();
    assert_eq!(cursors.len(), 2);
    assert_eq!(cursors[0], None);
    assert!(cursors[1].is_some());
    assert_eq!(sim.run.counts().duplicates, 0, "B-ES-13: the log goes on strictly after the cursor");
}

#[test]
fn a_sent_run_survives_a_reset_too() {
    for after in (0..3_000).step_by(97) {
        let sim = World::seeded(3).then(Plan::CLEAN).then(Plan::cut(after, How::Rst)).send().settle();
        sim.assert_whole();
        assert_eq!(sim.server.counters.runs, 1);
    }
}

#[test]
fn what_is_shown_stays_while_the_connection_is_away() {
    let mut sim = World::seeded(4).then(Plan::cut(3_000, How::Rst)).then(Plan::head(Head::Refused)).open();
    while sim.requests.len() < 2 {
        sim.play_until(sim.now + 10);
    }
    let shown = sim.page.transcript();
    assert!(!shown.parts.is_empty(), "PROTOCOLS 6.1, 16");
    assert_eq!(sim.page.state["connection"]["state"], "reconnecting");
    assert_eq!(sim.page.state["connection"]["attempt"], 1);
    sim.settle().assert_whole();
}
