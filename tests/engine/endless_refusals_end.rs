//! Whatever a server answers for ever, the run settles, in bounded time and attempts.

use crate::support::*;

#[test]
fn every_status_for_ever_settles() {
    for status in
        [0, 200, 204, 206, 301, 304, 400, 401, 403, 404, 405, 408, 409, 410, 413, 425, 429, 500, 501, 502, 503, 504]
    {
        for is_sent in [false, true] {
            let world = World::seeded(u64::from(status)).forever(Plan::status(status));
            let sim = if is_sent { world.send() } else { world.open() }.settle();
            assert!(matches!(sim.run.status(), Status::Failed | Status::Interrupted), "{status}");
            assert!(sim.run.error().is_some(), "{status}");
            assert!(sim.requests.len() <= 30, "{status}: {}", sim.requests.len());
            assert!(sim.now < 15 * 60_000, "{status}: {}", sim.now);
        }
    }
}

#[test]
fn every_broken_connection_for_ever_settles() {
    for plan in [
        Plan::head(Head::Refused),
        Plan::head(Head::Lost),
        Plan::head(Head::Never),
        Plan::stall(0),
        Plan::stall(20),
        Plan::cut(0, How::Rst),
        Plan::cut(3, How::Fin),
        Plan::cut(20, How::Fin),
        Plan::body("text/event-stream", b"\xFF\xFE\0\0\r\r\r\n\ndata\n\n:"),
        Plan::body("text/event-stream", "data: {\"type\":\"content\"}\n\n".repeat(50).as_bytes()),
        Plan::body("text/event-stream", b"event: ping\ndata: {\"type\":\"ping\"}\n\n"),
        Plan::body(
            "text/event-stream",
            b"event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r1\"}\n\n",
        ),
        Plan::mischief(Mischief { mute_after: Some(0), no_heartbeats: true, ..Mischief::default() }),
    ] {
        for is_sent in [false, true] {
            let world = World { is_exact: false, ..World::seeded(252).forever(plan.clone()) };
            let sim = if is_sent { world.send() } else { world.open() }.settle();
            assert_eq!(sim.run.status(), Status::Interrupted, "{plan:?}");
            assert!(sim.requests.len() <= 40, "{plan:?}: {}", sim.requests.len());
        }
    }
}

#[test]
fn a_snapshot_for_ever_settles() {
    // B-RES-3: each resume brings a snapshot, nothing after it, and ends. That is no progress.
    let refusal = b"event: error\ndata: {\"type\":\"error\",\"error\":\"run event log unavailable\"}\n\n";
    let snapshot = b"event: snapshot\ndata: {\"type\":\"snapshot\",\"snapshot\":{\"partialContent\":\"same\"}}\n\n";
    let world = World { is_exact: false, ..World::seeded(253) };
    let sim = world
        .then(Plan::body("text/event-stream", refusal))
        .forever(Plan::body("text/event-stream", snapshot))
        .open()
        .settle();
    assert_eq!(sim.run.status(), Status::Interrupted);
    assert!(sim.requests.len() <= 60, "{}", sim.requests.len());
    assert_eq!(sim.page.transcript().text(), "same");
}
