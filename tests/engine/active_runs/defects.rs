//! The defects of the system's own store, each the other way round (PROTOCOLS 1.8, a to g).

use steadystream::engine::{active_runs::feed::Wish, time::Millis};

use super::desk::Desk;

#[test]
fn a_what_was_staged_once_does_not_come_back_with_the_next_batch() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.row("update", "a", "r1", "completed", 2);
    desk.index(&[("b", "r2", "streaming", 3)]);
    assert_eq!(desk.list(), [("b", "r2", "streaming")]);
}

#[test]
fn b_an_update_within_the_16_ms_is_not_lost_at_the_flush() {
    for (status, left) in [("completed", 0), ("streaming", 1)] {
        let mut desk = Desk::open();
        desk.row("snapshot", "a", "r1", "queued", 1);
        desk.after(5);
        desk.row("update", "a", "r1", status, 2);
        desk.after(11);
        assert_eq!(desk.list().len(), left, "{status}");
        assert!(desk.list().iter().all(|row| row.2 == status));
        assert!(desk.is_ready());
    }
    // Also of a connection that was made again.
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.reconnect();
    desk.row("update", "b", "r2", "streaming", 9);
    desk.row("snapshot", "a", "r1", "streaming", 1);
    desk.row("update", "c", "r3", "streaming", 9);
    desk.after(16);
    assert_eq!(desk.list().len(), 3, "news of this connection is not missing in its batch");
}

#[test]
fn c_what_ended_while_nobody_was_connected_is_gone_afterwards() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1), ("b", "r2", "streaming", 1)]);
    desk.reconnect();
    desk.index(&[("b", "r3", "queued", 4)]);
    assert_eq!(desk.list(), [("b", "r3", "queued")]);
}

#[test]
fn d_an_old_runs_end_is_not_the_end_of_the_new_one() {
    for retain in [0, 1_000] {
        let mut desk =
            Desk::showing(Wish { retain: Millis(retain), ..Wish::default() }, &[("a", "r1", "streaming", 1)]);
        desk.row("update", "a", "r2", "queued", 5);
        for at in [4, 5, 6] {
            desk.row("update", "a", "r1", "cancelled", at);
            assert_eq!(desk.list(), [("a", "r2", "queued")]);
        }
        desk.row("snapshot", "a", "r1", "cancelled", 7);
        desk.after(16);
        assert_eq!(desk.list(), [("a", "r2", "queued")]);
        desk.row("update", "a", "r2", "streaming", 6);
        assert_eq!(desk.list(), [("a", "r2", "streaming")], "another run's time is not this one's");
    }
}

#[test]
fn e_an_end_in_a_snapshot_leaves_as_one_in_an_update() {
    let mut desk = Desk::open();
    desk.index(&[("a", "r1", "completed", 1), ("b", "r2", "streaming", 1)]);
    assert_eq!(desk.list(), [("b", "r2", "streaming")]);
    let mut desk = Desk::open_with(Wish { retain: Millis(1_000), ..Wish::default() });
    desk.index(&[("a", "r1", "completed", 1), ("b", "r2", "streaming", 1)]);
    assert_eq!(desk.list(), [("a", "r1", "completed"), ("b", "r2", "streaming")]);
    desk.after(1_000);
    assert_eq!(desk.list(), [("b", "r2", "streaming")]);
}

#[test]
fn f_an_update_before_any_snapshot_means_that_there_was_none() {
    for status in ["streaming", "completed"] {
        let mut desk = Desk::open();
        desk.row("update", "a", "r1", status, 1);
        assert!(desk.is_ready(), "the index comes before any news");
        assert_eq!(desk.list().len(), usize::from(status == "streaming"));
    }
    let mut desk = Desk::open();
    desk.row("snapshot", "a", "r1", "streaming", 1);
    desk.row("update", "b", "r2", "streaming", 2);
    assert!(!desk.is_ready(), "with rows on their way it is a matter of 16 ms");
    desk.after(16);
    assert!(desk.is_ready());
}

#[test]
fn g_a_failure_to_connect_makes_nothing_ready() {
    let mut desk = Desk::new(Wish::default());
    desk.watch(true);
    desk.cut();
    desk.after(600);
    assert!(!desk.is_ready());
    assert_eq!((desk.view.flaps.len(), &desk.view.flaps[0]["code"]), (1, &"connect-failed".into()));
}
