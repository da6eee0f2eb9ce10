//! Runs whose end was never told (B-AR-9): found by asking about them.

use steadystream::engine::{active_runs::feed::Wish, environment::Signal, time::Millis};

use super::desk::Desk;

/// A server that says something keeps its connection: half an hour of pings is no news of any run.
fn pass(desk: &mut Desk, mut ms: u64) {
    while ms > 15_000 {
        desk.after(15_000);
        desk.say(": ping\n\n");
        ms -= 15_000;
    }
    desk.after(ms);
}

#[test]
fn a_run_whose_end_was_lost_in_its_millisecond_is_found() {
    let mut desk = Desk::showing(Wish::default(), &[("a b", "r1", "streaming", 1), ("c", "r2", "streaming", 1)]);
    pass(&mut desk, 59_983);
    assert_eq!(desk.asked.len(), 0);
    desk.row("update", "c", "r2", "streaming", 2);
    desk.after(60);
    assert_eq!(desk.asked[0].1, "/status?sessionId=a%20b");
    assert_eq!(desk.list().len(), 2);
    desk.answer(200, "{\"active\":false}");
    assert_eq!(desk.list(), [("c", "r2", "streaming")]);
    desk.row("update", "a b", "r1", "streaming", 1);
    assert_eq!(desk.list().len(), 1, "its row told again does not bring it back");
    desk.reconnect();
    desk.index(&[("a b", "r1", "streaming", 1), ("c", "r2", "streaming", 2)]);
    assert_eq!(desk.list().len(), 1, "nor an index that has not noticed");
    desk.row("update", "a b", "r3", "queued", 3);
    assert_eq!(desk.list().len(), 2);
}

#[test]
fn a_run_that_is_confirmed_is_asked_about_after_twice_the_time_and_eight_times_at_most() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    let mut asked_at = vec![desk.now];
    for _ in 0..6 {
        while desk.asked.is_empty() {
            desk.after(1_000);
            desk.say(": ping\n\n");
        }
        asked_at.push(desk.now);
        desk.answer(200, "{\"active\":true,\"runId\":\"r1\"}");
        assert_eq!(desk.list(), [("a", "r1", "streaming")]);
    }
    let waits: Vec<u64> = asked_at.windows(2).map(|pair| pair[1].since(pair[0]).0 / 10_000 * 10).collect();
    assert_eq!(waits, [60, 120, 240, 480, 480, 480]);
    desk.row("update", "a", "r1", "streaming", 2);
    let heard = desk.now;
    while desk.asked.is_empty() {
        desk.after(1_000);
        desk.say(": ping\n\n");
    }
    assert!(desk.now.since(heard) <= Millis(61_000), "a row of its own begins it anew");
}

#[test]
fn they_are_asked_about_one_at_a_time_with_a_rest_between() {
    let rows: Vec<(String, String)> = (0..5).map(|n| (format!("s{n}"), format!("r{n}"))).collect();
    let rows: Vec<_> = rows.iter().map(|(session, run)| (&**session, &**run, "streaming", 1)).collect();
    let mut desk = Desk::showing(Wish::default(), &rows);
    pass(&mut desk, 60_000);
    for left in (0..5).rev() {
        assert_eq!(desk.asked.len(), 1);
        desk.answer(200, "{\"active\":false}");
        assert_eq!(desk.list().len(), left);
        desk.after(999);
        assert_eq!(desk.asked.len(), 0);
        desk.after(1);
    }
    assert_eq!(desk.asked.len(), 0);
}

#[test]
fn another_run_of_the_session_takes_its_row() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "queued", 5)]);
    pass(&mut desk, 60_000);
    desk.answer(200, "{\"active\":true,\"runId\":\"r2\",\"startedAt\":9}");
    assert_eq!(desk.list(), [("a", "r2", "streaming")]);
    desk.row("update", "a", "r2", "completed", 6);
    assert_eq!(desk.list(), []);
}

#[test]
fn no_answer_is_no_verdict() {
    for (status, body) in [(0, ""), (404, ""), (500, "{\"active\":false}"), (200, "<html>"), (200, "{}")] {
        let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
        pass(&mut desk, 60_000);
        desk.answer(status, body);
        pass(&mut desk, 100_000);
        assert_eq!((desk.list().len(), desk.asked.len()), (1, 0), "{status} {body}");
        assert_eq!((desk.view.flaps.len(), desk.connections), (0, 1));
        pass(&mut desk, 22_000);
        assert_eq!(desk.asked.len(), 1);
    }
}

#[test]
fn a_question_without_an_answer_is_given_up() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    pass(&mut desk, 60_000);
    assert_eq!(desk.asked.len(), 1);
    desk.after(5_000);
    assert_eq!((desk.asked.len(), desk.list().len()), (0, 1));
}

#[test]
fn an_answer_about_what_has_changed_meanwhile_means_nothing() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    pass(&mut desk, 60_000);
    desk.row("update", "a", "r2", "queued", 2);
    desk.answer(200, "{\"active\":false}");
    assert_eq!(desk.list(), [("a", "r2", "queued")]);
}

#[test]
fn who_is_not_seen_or_not_connected_asks_nothing() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.signal(Signal::Hidden);
    pass(&mut desk, 300_000);
    assert_eq!(desk.asked.len(), 0);
    desk.signal(Signal::Visible);
    desk.after(0);
    assert_eq!(desk.asked.len(), 1);
    desk.cut();
    assert_eq!(desk.asked.len(), 0, "the next index will tell");
}

#[test]
fn it_can_be_turned_off() {
    let mut desk = Desk::open_with(Wish { verify_after: Millis(u64::MAX), ..Wish::default() });
    desk.index(&[("a", "r1", "streaming", 1)]);
    pass(&mut desk, 3_600_000);
    assert_eq!((desk.asked.len(), desk.list().len()), (0, 1));
}
