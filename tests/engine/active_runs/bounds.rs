//! However much a server tells, so much is known, and no more.

use std::borrow::Cow;

use serde_json::Value;
use steadystream::engine::{
    active_runs::{
        board::{Board, Kind},
        row::{LONGEST_ID, Row, RunStatus},
    },
    delta::Delta,
    time::{Instant, Millis},
};

use super::desk::{Desk, View};

const NOW: Instant = Instant::from_millis(0);

fn row<'a>(session: &'a str, status: RunStatus, at: u64) -> Row<'a> {
    Row { session: Cow::Borrowed(session.as_bytes()), run: Cow::Borrowed(b"r"), status, at }
}

fn flush(board: &mut Board, view: &mut View) {
    let mut delta = Delta::new();
    delta.begin(1);
    board.write(&mut delta);
    if delta.end() {
        let deltas: Value = serde_json::from_slice(delta.finish()).unwrap();
        view.apply(&deltas[0]);
    }
}

#[test]
fn the_oldest_make_room() {
    let (mut board, mut view) = (Board::new(Millis::ZERO, 1).with_most_rows(100), View::default());
    for n in 0..1_000 {
        board.take(Kind::Update, &row(&format!("s{n}"), RunStatus::Streaming, n), NOW);
        if n % 7 == 0 {
            flush(&mut board, &mut view);
        }
    }
    flush(&mut board, &mut view);
    let mut held: Vec<u64> = view.rows.values().map(|row| row.session[1..].parse().unwrap()).collect();
    held.sort_unstable();
    assert_eq!(held, (900..1_000).collect::<Vec<_>>());
    assert_eq!(board.live(), 100);
    assert!(board.take(Kind::Update, &row("s5", RunStatus::Streaming, 1), NOW), "it is forgotten");
    assert!(!board.take(Kind::Update, &row("s999", RunStatus::Queued, 1), NOW), "it is not");
}

#[test]
fn what_is_over_makes_room_before_what_runs() {
    let (mut board, mut view) = (Board::new(Millis::ZERO, 1).with_most_rows(100), View::default());
    for n in 0..100 {
        board.take(Kind::Update, &row(&format!("s{n}"), RunStatus::Streaming, n), NOW);
    }
    for n in 50..100 {
        board.take(Kind::Update, &row(&format!("s{n}"), RunStatus::Failed, n + 100), NOW);
    }
    for n in 200..250 {
        board.take(Kind::Update, &row(&format!("s{n}"), RunStatus::Queued, n), NOW);
        flush(&mut board, &mut view);
    }
    assert!((0..50).chain(200..250).all(|n| view.rows.values().any(|row| row.session == format!("s{n}"))));
    assert_eq!((board.live(), view.rows.len()), (100, 100));
}

#[test]
fn a_session_keeps_its_number_and_a_number_has_one_session() {
    let (mut board, mut view) = (Board::new(Millis::ZERO, 1).with_most_rows(10), View::default());
    let mut chance = steadystream::engine::rng::Rng::seeded(3);
    for at in 1..5_000 {
        let session = format!("s{}", chance.up_to(14));
        let status = if chance.up_to(2) == 0 { RunStatus::Completed } else { RunStatus::Streaming };
        board.take(Kind::Update, &row(&session, status, at), NOW);
        let shown = |view: &View| view.rows.values().any(|row| row.session == session);
        if chance.up_to(3) == 0 {
            flush(&mut board, &mut view);
            assert_eq!(shown(&view), !status.is_terminal());
            assert_eq!((view.list().len(), view.rows.len()), (board.live(), board.live()));
        }
    }
}

#[test]
fn many_ends_of_many_sessions_are_forgotten_in_time() {
    let (mut board, mut view) = (Board::new(Millis::ZERO, 1), View::default());
    for n in 0..20_000 {
        board.take(Kind::Update, &row(&format!("s{n}"), RunStatus::Streaming, 1), NOW);
        board.take(Kind::Update, &row(&format!("s{n}"), RunStatus::Completed, 2), NOW);
    }
    flush(&mut board, &mut view);
    assert_eq!((view.rows.len(), board.live()), (0, 0));
    assert!(!board.take(Kind::Update, &row("s19999", RunStatus::Streaming, 1), NOW), "it may still come late");
    assert!(board.take(Kind::Update, &row("s3", RunStatus::Streaming, 1), NOW), "nobody expects it any more");
}

#[test]
fn an_id_that_is_longer_than_any_is_passed_over() {
    let mut desk = Desk::open();
    let long = "x".repeat(LONGEST_ID + 1);
    desk.row("update", &long, "r", "queued", 1);
    desk.row("update", "s", &long, "queued", 1);
    desk.row("update", &long[1..], "r", "queued", 1);
    assert_eq!(desk.list().len(), 1);
}
