//! FIELD 1.1 C: a reset, then 503 with `Retry-After: 2` twice. The hint is the floor of the wait.

use crate::support::*;

#[test]
fn the_server_is_not_asked_again_before_its_time() {
    for status in [408, 425, 429, 500, 502, 503, 504] {
        let sim = World::seeded(u64::from(status))
            .then(Plan::cut(1_500, How::Rst))
            .then(Plan::status_retry_after(status, "2"))
            .then(Plan::status_retry_after(status, "2"))
            .open()
            .settle();
        sim.assert_whole();
        let times: Vec<u64> = sim.requests_to("/events").map(|&(at, _)| at).collect();
        assert_eq!(times.len(), 4);
        assert!(times[2] - times[1] >= 2_000 && times[3] - times[2] >= 2_000, "{status}: {times:?}");
    }
}

#[test]
fn a_date_is_as_good_as_seconds() {
    // EPOCH is 2024-04-05 19:34:38 GMT.
    let sim = World::seeded(5).then(Plan::status_retry_after(503, "Fri, 05 Apr 2024 19:34:58 GMT")).open().settle();
    sim.assert_whole();
    let second = sim.requests_to("/events").nth(1).expect("a second connection").0;
    assert!(second >= 20_000, "{second}");
}

#[test]
fn a_slow_503_after_the_grace_is_retried() {
    // B-ES-10: where the browser's own EventSource is closed for good and nothing retries.
    let slow = Plan { head_delay: 809, ..Plan::status(503) };
    let sim = World { grace: Some(500), ..World::seeded(6).then(slow) }.open().settle();
    sim.assert_whole();
}

#[test]
fn no_hint_puts_a_run_off_for_ever() {
    let mischief = Mischief { retry: Some(u64::MAX), ..Mischief::default() };
    let sim = World::slow(8)
        .habits(|habits| habits.log_ttl = 7_200_000)
        .then(Plan { mischief, ..Plan::cut(1_000, How::Fin) })
        .open()
        .settle();
    sim.assert_whole();
    assert!(sim.now <= 2 * 3_600_000, "{}", sim.now);
}

#[test]
fn the_streams_own_retry_line_is_a_floor_too() {
    // P-7.
    let mischief = Mischief { retry: Some(5_000), ..Mischief::default() };
    let plan = Plan { mischief, ..Plan::cut(1_000, How::Fin) };
    let sim = World::seeded(7).then(plan).open().settle();
    sim.assert_whole();
    let times: Vec<u64> = sim.requests_to("/events").map(|&(at, _)| at).collect();
    assert!(times[1] - times[0] >= 5_000, "{times:?}");
}
