//! FIELD 1.1 I: heartbeats teach a cadence; when they stop, the connection is dead long before the stall limit.

use crate::support::*;

#[test]
fn three_missed_heartbeats_are_enough() {
    // One event a second, as comments: after five of them, silence.
    let mut body = b": stream-open\n\n".to_vec();
    body.extend(b": ping\n\n".repeat(5));
    let drip = Plan {
        chunks: Chunks::Paced { bytes: 8, every: 1_000 },
        stall: Some(15 + 5 * 8),
        ..Plan::body("text/event-stream", &body)
    };
    let sim = World::seeded(51).then(drip).open().settle();
    sim.assert_whole();
    let second = sim.requests_to("/events").nth(1).expect("a second connection").0;
    assert!(second < 15_000, "{second}");
}

#[test]
fn what_one_connection_taught_is_not_held_against_the_next() {
    // The first node beats each second, the next one not at all, and the model thinks for half a minute.
    let mut body = b": stream-open\n\n".to_vec();
    body.extend(b": ping\n\n".repeat(5));
    let drip = Plan { chunks: Chunks::Paced { bytes: 8, every: 1_000 }, ..Plan::body("text/event-stream", &body) };
    let events = [Event::Text("thought over".encode_utf16().collect()), Event::Done];
    let world = World::seeded(54).script(Script::of(30_000, events)).habits(|habits| habits.heartbeats = false);
    let sim = world.then(drip).open().settle();
    sim.assert_whole();
    assert_eq!(sim.requests_to("/events").count(), 2);
}

#[test]
fn a_quiet_run_with_heartbeats_is_left_alone() {
    // A tool that works for ten minutes is no reason to reconnect.
    let events =
        [Event::Text("before ".encode_utf16().collect()), Event::Text("after".encode_utf16().collect()), Event::Done];
    let sim = World::seeded(52).script(Script::of(600_000, events)).open().settle();
    sim.assert_whole();
    assert_eq!(sim.requests.len(), 1);
}

#[test]
fn heartbeats_alone_are_no_progress_and_no_end() {
    // The server's stream is stuck behind its heartbeats (a tail that lost its log): the run is still alive there.
    let mischief = Mischief { mute_after: Some(4), ..Mischief::default() };
    let mut sim = World::seeded(53).then(Plan::mischief(mischief)).open();
    sim.play_until(300_000);
    assert!(!sim.run.status().is_settled());
    sim.now(Incident::Cut(How::Rst));
    sim.settle().assert_whole();
}
