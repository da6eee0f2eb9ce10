//! Rows of a snapshot: when they are shown, and what they replace (B-AR-3, B-AR-6).

use steadystream::engine::{active_runs::feed::Wish, time::Millis};

use super::desk::{Desk, row};

#[test]
fn rows_are_shown_16_ms_after_the_first_and_not_the_last_of_them() {
    let mut desk = Desk::open();
    desk.row("snapshot", "a", "r1", "streaming", 1);
    desk.after(10);
    desk.row("snapshot", "b", "r2", "queued", 2);
    desk.after(5);
    assert_eq!((desk.list(), desk.is_ready()), (vec![], false));
    desk.after(1);
    assert_eq!(desk.list(), [("a", "r1", "streaming"), ("b", "r2", "queued")]);
    assert!(desk.is_ready());
    desk.row("snapshot", "c", "r3", "queued", 3);
    desk.after(15);
    assert_eq!(desk.list().len(), 2);
    desk.after(1);
    assert_eq!(desk.list().len(), 3);
}

#[test]
fn a_batch_is_one_flush_and_strings_go_out_once() {
    let mut desk = Desk::open();
    let rows: String =
        (0..1_000).map(|n| row("snapshot", &format!("s{n}"), "r", "queued", 1_712_345_678_000 + n)).collect();
    let told = desk.told;
    desk.say(&rows);
    desk.after(16);
    assert_eq!((desk.told - told, desk.view.changed, desk.view.names), (1, 1_000, 2_000));
    assert_eq!(desk.view.rows[&7].at, 1_712_345_678_007);
    desk.row("update", "s7", "r", "streaming", 1_712_345_679_000);
    assert_eq!((desk.view.changed, desk.view.names), (1, 0), "what is known is known by its number");
    assert_eq!((desk.view.rows[&7].status, desk.view.rows[&7].at), ("streaming", 1_712_345_679_000));
}

#[test]
fn without_a_row_in_time_the_index_is_empty() {
    let mut desk = Desk::open();
    desk.after(249);
    assert!(!desk.is_ready());
    desk.after(1);
    assert!(desk.is_ready());
    assert_eq!(desk.list(), []);
    let mut patient = Desk::open_with(Wish { empty_after: Millis(2_000), ..Wish::default() });
    patient.after(1_999);
    assert!(!patient.is_ready());
    patient.after(1);
    assert!(patient.is_ready());
}

#[test]
fn the_wait_for_the_first_row_begins_with_the_open_connection() {
    let mut desk = Desk::new(Wish::default());
    desk.watch(true);
    desk.after(5_000);
    assert!(!desk.is_ready(), "a server that has not answered has said nothing");
    desk.accept();
    desk.after(249);
    assert!(!desk.is_ready());
    desk.after(1);
    assert!(desk.is_ready());
}

#[test]
fn a_row_that_is_half_there_is_no_empty_index() {
    let mut desk = Desk::open();
    let whole = row("snapshot", "a", "r", "queued", 1);
    let (one, other) = whole.split_at(30);
    desk.say(one);
    desk.after(400);
    assert!(!desk.is_ready());
    desk.say(other);
    desk.after(16);
    assert_eq!((desk.list(), desk.is_ready()), (vec![("a", "r", "queued")], true));
}

#[test]
fn an_empty_index_after_a_reconnection_takes_everything_away() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1)]);
    desk.reconnect();
    desk.after(249);
    assert_eq!(desk.list().len(), 1, "it may still come");
    desk.after(1);
    assert_eq!((desk.list(), desk.is_ready()), (vec![], true));
}

#[test]
fn what_was_shown_stays_while_the_connection_is_made_again() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1), ("b", "r2", "streaming", 1)]);
    desk.cut();
    assert_eq!((desk.list().len(), desk.is_ready(), desk.connection()), (2, true, "reconnecting"));
    while desk.conn.is_none() {
        desk.step();
    }
    desk.accept();
    desk.row("snapshot", "a", "r1", "streaming", 1);
    assert_eq!(desk.list().len(), 2);
    desk.after(16);
    assert_eq!(desk.list(), [("a", "r1", "streaming")]);
}

#[test]
fn a_batch_that_stands_in_the_middle_of_a_row_is_not_through() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1), ("b", "r2", "streaming", 1)]);
    desk.reconnect();
    let all = row("snapshot", "a", "r1", "streaming", 2) + &row("snapshot", "b", "r2", "streaming", 2);
    let (one, other) = all.split_at(all.len() - 20);
    desk.say(one);
    desk.after(16);
    assert_eq!(desk.view.rows[&0].at, 2, "what came is shown in time");
    assert_eq!(desk.list().len(), 2, "and what is on its way is not taken away first");
    desk.after(1_000);
    assert_eq!(desk.list().len(), 2);
    desk.say(other);
    desk.after(250);
    assert_eq!(desk.list().len(), 2);
    desk.reconnect();
    desk.say(&row("snapshot", "b", "r2", "streaming", 2));
    desk.say("event: sna");
    desk.after(300);
    assert_eq!(desk.list().len(), 2);
    desk.say("pshot\n\n");
    desk.after(250);
    assert_eq!(desk.list(), [("b", "r2", "streaming")], "nothing came of it: the batch was through");
}

#[test]
fn a_batch_whose_rows_keep_coming_is_through_when_they_do_not() {
    let mut desk = Desk::showing(
        Wish::default(),
        &[("a", "r1", "streaming", 1), ("b", "r2", "streaming", 1), ("c", "r3", "streaming", 1)],
    );
    desk.reconnect();
    desk.row("snapshot", "a", "r1", "streaming", 1);
    desk.after(3);
    desk.row("snapshot", "d", "r4", "streaming", 1);
    desk.after(13);
    assert_eq!(desk.list().len(), 4, "shown in time");
    desk.after(200);
    desk.row("snapshot", "b", "r2", "streaming", 1);
    desk.after(249);
    assert_eq!(desk.list().len(), 4);
    desk.after(1);
    assert_eq!(desk.list().len(), 3);
}

#[test]
fn a_long_list_does_not_flicker_when_its_index_comes_in_pieces() {
    let rows: Vec<(String, String)> = (0..1_200).map(|n| (format!("s{n}"), format!("r{n}"))).collect();
    let rows: Vec<_> = rows.iter().map(|(session, run)| (&**session, &**run, "streaming", 1)).collect();
    let mut desk = Desk::showing(Wish::default(), &rows);
    desk.reconnect();
    for piece in rows[..1_100].chunks(600) {
        let text: String =
            piece.iter().map(|&(session, run, status, at)| row("snapshot", session, run, status, at)).collect();
        desk.say(&text);
        desk.after(100);
        assert_eq!((desk.list().len(), desk.view.changed), (1_200, 0));
    }
    desk.after(150);
    assert_eq!((desk.list().len(), desk.view.changed), (1_100, 100));
}

#[test]
fn a_connection_that_is_cut_within_its_batch_takes_nothing_away() {
    let mut desk = Desk::showing(Wish::default(), &[("a", "r1", "streaming", 1), ("b", "r2", "streaming", 1)]);
    desk.reconnect();
    desk.row("snapshot", "a", "r1", "streaming", 5);
    desk.after(5);
    desk.reconnect();
    assert_eq!((desk.list().len(), desk.view.rows[&0].at), (2, 5));
    desk.index(&[("b", "r2", "streaming", 1)]);
    assert_eq!(desk.list(), [("b", "r2", "streaming")]);
}
