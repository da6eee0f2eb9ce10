//! Updates: which count, and what the end of a run does (B-AR-4, B-AR-5; 6.1 no. 12).

use steadystream::engine::{active_runs::feed::Wish, time::Millis};

use super::desk::Desk;

fn retaining(ms: u64) -> Wish {
    Wish { retain: Millis(ms), ..Wish::default() }
}

#[test]
fn an_update_counts_at_once() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "queued", 1)]);
    desk.row("update", "a", "r1", "streaming", 2);
    desk.row("update", "b", "r2", "queued", 2);
    assert_eq!(desk.list(), [("a", "r1", "streaming"), ("b", "r2", "queued")]);
}

#[test]
fn the_newest_of_a_session_counts_in_whatever_order_they_come() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 10)]);
    let told = desk.told;
    desk.row("update", "a", "r1", "queued", 9);
    desk.row("update", "a", "r0", "streaming", 8);
    desk.row("update", "a", "r1", "streaming", 10);
    assert_eq!((desk.list(), desk.told), (vec![("a", "r1", "streaming")], told), "not even a flush");
    desk.row("update", "a", "r2", "queued", 11);
    assert_eq!(desk.list(), [("a", "r2", "queued")]);
}

#[test]
fn within_a_millisecond_a_run_only_goes_forward() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "queued", 5)]);
    desk.row("update", "a", "r1", "streaming", 5);
    desk.row("update", "a", "r1", "queued", 5);
    assert_eq!(desk.list(), [("a", "r1", "streaming")]);
    desk.row("update", "a", "r1", "completed", 5);
    desk.row("update", "a", "r1", "streaming", 5);
    assert_eq!(desk.list(), []);
    desk.row("update", "a", "r2", "queued", 5);
    assert_eq!(desk.list(), [("a", "r2", "queued")], "another run is another run");
}

#[test]
fn a_tie_within_a_batch_is_the_ends() {
    for order in [["streaming", "completed"], ["completed", "streaming"]] {
        let mut desk = Desk::open();
        desk.index(&order.map(|status| ("a", "r1", status, 5)));
        assert_eq!((desk.list(), desk.is_ready()), (vec![], true), "{order:?}");
    }
}

#[test]
fn an_end_takes_its_row_away_at_once_and_is_nothing_to_an_absent_session() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    for end in ["completed", "cancelled", "failed"] {
        desk.row("update", "a", "r1", end, 2);
        assert_eq!(desk.list(), []);
        desk.row("update", "a", "r1", "streaming", 3);
        assert_eq!(desk.list(), [("a", "r1", "streaming")]);
        desk.row("update", "a", "r1", end, 4);
        let told = desk.told;
        desk.row("update", "a", "r1", end, 4);
        desk.row("update", "nobody", "r9", end, 4);
        assert_eq!(desk.told, told);
        desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    }
}

#[test]
fn a_row_that_comes_behind_its_end_brings_nothing_back() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.row("update", "a", "r1", "completed", 9);
    desk.row("update", "a", "r1", "streaming", 8);
    desk.row("update", "b", "r2", "completed", 9);
    desk.row("update", "b", "r2", "queued", 7);
    assert_eq!(desk.list(), []);
    // A run whose end came before its start, while another was on.
    desk.row("update", "c", "r3", "streaming", 1);
    desk.row("update", "c", "r4", "failed", 9);
    desk.row("update", "c", "r4", "streaming", 8);
    assert_eq!(desk.list(), [("c", "r3", "streaming")]);
}

#[test]
fn a_run_that_began_before_the_end_of_the_last_was_told_is_shown() {
    for retain in [0, 1_000] {
        let mut desk = Desk::showing(retaining(retain), &[("a", "r1", "streaming", 3)]);
        desk.row("update", "a", "r1", "cancelled", 7);
        desk.row("update", "a", "r0", "streaming", 2);
        assert_eq!(desk.list().len(), usize::from(retain > 0), "one from before the last is not");
        desk.row("update", "a", "r2", "queued", 6);
        assert_eq!(desk.list(), [("a", "r2", "queued")]);
    }
}

#[test]
fn an_end_that_is_retained_is_shown_for_so_long() {
    let mut desk = Desk::showing(retaining(1_000), &[("a", "r1", "streaming", 1)]);
    desk.row("update", "a", "r1", "failed", 2);
    assert_eq!(desk.list(), [("a", "r1", "failed")]);
    desk.after(999);
    assert_eq!(desk.list(), [("a", "r1", "failed")]);
    desk.after(1);
    assert_eq!(desk.list(), []);
}

#[test]
fn an_end_is_retained_for_a_session_that_was_not_shown() {
    let mut desk = Desk::showing(retaining(1_000), &[("a", "r1", "streaming", 1)]);
    desk.row("update", "b", "r2", "cancelled", 2);
    assert_eq!(desk.list(), [("a", "r1", "streaming"), ("b", "r2", "cancelled")]);
    desk.after(1_000);
    assert_eq!(desk.list(), [("a", "r1", "streaming")]);
}

#[test]
fn an_end_told_again_is_shown_longer() {
    let mut desk = Desk::showing(retaining(1_000), &[("a", "r1", "streaming", 1)]);
    desk.row("update", "a", "r1", "completed", 2);
    desk.after(600);
    desk.row("update", "a", "r1", "completed", 2);
    desk.after(600);
    desk.row("update", "a", "r1", "completed", 3);
    desk.after(999);
    assert_eq!(desk.list(), [("a", "r1", "completed")]);
    desk.after(1);
    assert_eq!(desk.list(), []);
}

#[test]
fn who_runs_again_is_not_taken_away() {
    for run in ["r1", "r2"] {
        let mut desk = Desk::showing(retaining(1_000), &[("a", "r1", "streaming", 1)]);
        desk.row("update", "a", "r1", "completed", 2);
        desk.after(500);
        desk.row("update", "a", run, "streaming", 3);
        desk.after(5_000);
        assert_eq!(desk.list(), [("a", run, "streaming")]);
        // By a row of a snapshot as well (B-AR-3).
        desk.row("update", "a", run, "completed", 4);
        desk.row("snapshot", "a", run, "streaming", 5);
        desk.after(5_000);
        assert_eq!(desk.list(), [("a", run, "streaming")]);
    }
}

#[test]
fn what_is_retained_is_not_taken_away_by_a_reconnection() {
    let mut desk = Desk::showing(retaining(5_000), &[("a", "r1", "streaming", 1)]);
    desk.row("update", "a", "r1", "completed", 2);
    desk.reconnect();
    desk.after(300);
    assert_eq!(desk.list(), [("a", "r1", "completed")]);
    desk.after(5_000);
    assert_eq!(desk.list(), []);
}
