//! A connection while somebody watches, and for a while after (B-AR-2, B-AR-8).

use steadystream::engine::{active_runs::feed::Wish, environment::Signal};

use super::desk::Desk;

#[test]
fn nobody_watches_and_nothing_is_opened() {
    let mut desk = Desk::new(Wish::default());
    desk.after(60_000);
    desk.signal(Signal::Hidden);
    desk.signal(Signal::Visible);
    assert_eq!((desk.connections, desk.told), (0, 0));
}

#[test]
fn mounting_twice_opens_one_connection() {
    let mut desk = Desk::new(Wish::default());
    desk.watch(true);
    desk.watch(false);
    desk.watch(true);
    desk.accept();
    desk.index(&[("a", "r1", "streaming", 1)]);
    desk.after(30_000);
    assert_eq!((desk.connections, desk.list().len(), desk.connection()), (1, 1, "open"));
}

#[test]
fn the_last_ones_leaving_closes_it_after_the_grace() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.watch(false);
    desk.after(999);
    assert!(desk.conn.is_some());
    desk.row("update", "b", "r2", "streaming", 2);
    assert_eq!(desk.list().len(), 2, "it goes on meanwhile");
    desk.after(1);
    assert_eq!((desk.conn, desk.list(), desk.is_ready(), desk.connection()), (None, vec![], false, "closed"));
    desk.after(600_000);
    assert_eq!(desk.connections, 1);
}

#[test]
fn who_comes_back_in_time_finds_it_as_it_was() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.watch(false);
    desk.after(900);
    desk.watch(true);
    desk.after(5_000);
    assert_eq!((desk.connections, desk.list().len(), desk.is_ready()), (1, 1, true));
}

#[test]
fn who_comes_back_late_begins_with_nothing() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 5)]);
    desk.row("update", "b", "r2", "completed", 9);
    desk.watch(false);
    desk.after(1_000);
    desk.watch(true);
    assert_eq!((desk.connections, desk.list(), desk.is_ready(), desk.connection()), (2, vec![], false, "connecting"));
    desk.accept();
    desk.index(&[("b", "r2", "streaming", 3)]);
    assert_eq!(desk.list(), [("b", "r2", "streaming")], "what was known is not known any more");
}

#[test]
fn a_wait_for_the_next_attempt_ends_with_the_watching() {
    let mut desk = Desk::new(Wish::default());
    desk.watch(true);
    desk.cut();
    desk.watch(false);
    desk.after(1_000);
    let made = desk.connections;
    desk.after(600_000);
    assert_eq!((desk.connections, desk.connection()), (made, "closed"));
}

#[test]
fn what_is_closed_stays_closed() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.feed.close();
    desk.settle();
    assert_eq!((desk.conn, desk.connection(), desk.list().len()), (None, "closed", 1));
    desk.watch(false);
    desk.watch(true);
    desk.after(60_000);
    assert_eq!((desk.connections, desk.list().len()), (1, 1));
}
