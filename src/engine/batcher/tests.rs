use super::*;

fn at(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

fn batcher(policy: Policy) -> Batcher {
    Batcher::new(Policy { jitter: Jitter::None, ..policy }, 1, at(0))
}

fn push(batcher: &mut Batcher, count: usize, now: u64) {
    for _ in 0..count {
        assert_eq!(batcher.push(false, at(now)), Taken::Room);
    }
}

/// What is sent at this time: number, first chunk, length, attempt.
fn sent(batcher: &mut Batcher, now: u64) -> Option<(u64, u64, usize, u32)> {
    batcher.handle_timeout(at(now));
    match batcher.poll_output(at(now))? {
        Output::Send(batch) => Some((batch.number, batch.first_seq, batch.len, batch.attempt)),
        other => panic!("{other:?}"),
    }
}

const AGAIN: Verdict = Verdict::Retry { after: None };

#[test]
fn the_first_push_arms_one_timer_that_others_do_not_extend() {
    // S-CB-1
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 1, 0);
    push(&mut batcher, 1, 4);
    assert_eq!((batcher.poll_timeout(), sent(&mut batcher, 4)), (Some(at(5)), None));
    assert_eq!(sent(&mut batcher, 5), Some((0, 0, 2, 1)));
    assert_eq!(batcher.poll_timeout(), None);
}

#[test]
fn a_full_batch_goes_at_once_and_takes_the_timer_with_it() {
    // S-CB-2
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 50, 0);
    assert_eq!((sent(&mut batcher, 0), batcher.poll_timeout()), (Some((0, 0, 50, 1)), None));
}

#[test]
fn a_flush_of_nothing_sends_nothing() {
    // S-CB-3
    let mut batcher = batcher(Policy::default());
    batcher.flush();
    assert_eq!((sent(&mut batcher, 0), batcher.settled()), (None, 0));
    push(&mut batcher, 1, 0);
    batcher.flush();
    assert_eq!(sent(&mut batcher, 0), Some((0, 0, 1, 1)));
}

#[test]
fn the_next_batch_begins_when_the_one_before_it_is_settled() {
    // S-CB-4
    let mut batcher = batcher(Policy { max_batch: 2, ..Policy::default() });
    push(&mut batcher, 5, 0);
    assert_eq!(sent(&mut batcher, 0), Some((0, 0, 2, 1)));
    assert_eq!(sent(&mut batcher, 9), None);
    batcher.handle_failed(AGAIN, at(9));
    assert_eq!(sent(&mut batcher, 20), None, "nor while it waits for its next attempt");
    assert_eq!(sent(&mut batcher, 59), Some((0, 0, 2, 2)));
    batcher.handle_sent();
    assert_eq!(sent(&mut batcher, 60), Some((1, 2, 2, 1)));
    assert_eq!(batcher.settled(), 2);
    batcher.handle_sent();
    assert_eq!(sent(&mut batcher, 61), Some((2, 4, 1, 1)));
}

#[test]
fn three_waits_that_double_and_then_no_more() {
    // S-CB-5, S-CB-8
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 50, 0);
    let mut now = 0;
    for (attempt, wait) in [(1, 50), (2, 100), (3, 200)] {
        assert_eq!(sent(&mut batcher, now), Some((0, 0, 50, attempt)));
        assert!(batcher.is_healthy());
        batcher.handle_failed(AGAIN, at(now));
        assert_eq!(batcher.poll_timeout(), Some(at(now + wait)));
        now += wait;
    }
    assert!(!batcher.is_healthy());
    assert_eq!(sent(&mut batcher, now), Some((0, 0, 50, 4)));
    batcher.handle_failed(AGAIN, at(now));
    assert_eq!(batcher.poll_output(at(now)), Some(Output::Over));
    // S-CB-7: once, and nothing is taken after it.
    assert_eq!((batcher.poll_output(at(now)), batcher.push(true, at(now))), (None, Taken::Never));
    assert!(!batcher.is_healthy());
}

#[test]
fn a_success_gives_all_attempts_back() {
    // S-CB-5
    let mut batcher = batcher(Policy::default());
    for _ in 0..3 {
        push(&mut batcher, 50, 0);
        for _ in 0..3 {
            batcher.poll_output(at(1_000_000));
            batcher.handle_failed(AGAIN, at(0));
        }
        batcher.poll_output(at(1_000_000));
        batcher.handle_sent();
        assert!(batcher.is_healthy());
    }
}

#[test]
fn what_will_not_pass_is_sent_once() {
    // S-CB-6, S-CB-10
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 50, 0);
    sent(&mut batcher, 0);
    batcher.handle_failed(Verdict::Refuse, at(0));
    assert_eq!(batcher.poll_output(at(0)), Some(Output::Over));
}

#[test]
fn a_server_that_asks_for_time_gets_it() {
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 50, 0);
    sent(&mut batcher, 0);
    batcher.handle_failed(Verdict::Retry { after: Some(Millis(7_000)) }, at(0));
    assert_eq!(batcher.poll_timeout(), Some(at(7_000)));
}

#[test]
fn credentials_are_asked_anew_once_and_a_recovery_gives_all_attempts_once() {
    // S-RQ-5
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 50, 0);
    sent(&mut batcher, 0);
    batcher.handle_failed(Verdict::Reauthorize, at(0));
    assert_eq!(sent(&mut batcher, 0), Some((0, 0, 50, 2)));
    batcher.handle_failed(Verdict::Renewed, at(0));
    for attempt in 1..=4 {
        assert_eq!(sent(&mut batcher, attempt * 1_000), Some((0, 0, 50, attempt as u32)));
        batcher.handle_failed(AGAIN, at(attempt * 1_000));
    }
    assert_eq!(batcher.poll_output(at(9_000)), Some(Output::Over));
    for verdict in [Verdict::Reauthorize, Verdict::Renewed] {
        let mut batcher = self::batcher(Policy::default());
        push(&mut batcher, 50, 0);
        for _ in 0..2 {
            sent(&mut batcher, 0);
            batcher.handle_failed(verdict, at(0));
        }
        assert_eq!(batcher.poll_output(at(0)), Some(Output::Over), "{verdict:?}");
    }
}

#[test]
fn the_bound_holds_for_what_waits_and_what_is_in_flight() {
    // S-CB-9
    let mut batcher = batcher(Policy { max_batch: 2, max_buffer: 4, ..Policy::default() });
    push(&mut batcher, 2, 0);
    sent(&mut batcher, 0);
    push(&mut batcher, 2, 0);
    assert_eq!(batcher.push(false, at(0)), Taken::Overfull);
    assert_eq!(batcher.make_room(), Room::Merge(0));
    batcher.handle_tried(0, true);
    assert_eq!(batcher.make_room(), Room::Enough);
    assert_eq!(batcher.push(true, at(0)), Taken::Overfull);
    assert_eq!(batcher.make_room(), Room::Merge(0));
    batcher.handle_tried(0, false);
    assert_eq!((batcher.make_room(), batcher.make_room()), (Room::Drop(0), Room::Enough));
    assert_eq!(batcher.push(true, at(0)), Taken::Overfull);
    assert_eq!((batcher.make_room(), batcher.make_room()), (Room::Drop(0), Room::Enough));
    assert_eq!(batcher.push(true, at(0)), Taken::Overfull);
    assert_eq!((batcher.make_room(), batcher.make_room()), (Room::Refuse, Room::Enough), "none but control chunks");
    // What gave way leaves no hole in the numbers.
    batcher.handle_sent();
    assert_eq!(sent(&mut batcher, 9), Some((1, 2, 2, 1)));
}

#[test]
fn an_abort_ends_a_wait_sends_what_waits_and_takes_no_more() {
    // S-CB-12, S-CB-13
    let mut batcher = batcher(Policy { max_batch: 2, ..Policy::default() });
    push(&mut batcher, 3, 0);
    sent(&mut batcher, 0);
    batcher.handle_failed(Verdict::Retry { after: Some(Millis(60_000)) }, at(0));
    batcher.abort(Millis(2_000), at(1));
    assert_eq!(batcher.push(true, at(1)), Taken::Never);
    assert_eq!(sent(&mut batcher, 1), Some((0, 0, 2, 2)));
    batcher.handle_sent();
    assert_eq!(sent(&mut batcher, 1), Some((1, 2, 1, 1)));
    batcher.handle_sent();
    assert_eq!((batcher.poll_output(at(1)), batcher.settled()), (Some(Output::Over), 3));
}

#[test]
fn what_an_abort_cannot_send_in_time_is_given_up() {
    // S-CB-13
    let mut batcher = batcher(Policy::default());
    push(&mut batcher, 3, 0);
    batcher.abort(Millis(2_000), at(0));
    sent(&mut batcher, 0);
    batcher.abort(Millis(9_000), at(1_000));
    assert_eq!(batcher.poll_timeout(), Some(at(2_000)), "a second one takes no time back");
    batcher.handle_timeout(at(2_000));
    assert_eq!(batcher.poll_output(at(2_000)), Some(Output::Cancel));
    assert_eq!(batcher.poll_output(at(2_000)), Some(Output::Over));
    assert_eq!((batcher.poll_output(at(2_000)), batcher.poll_timeout()), (None, None));
    let mut idle = self::batcher(Policy::default());
    idle.abort(Millis(2_000), at(0));
    assert_eq!(idle.poll_output(at(0)), Some(Output::Over), "nothing to wait for");
}

#[test]
fn whoever_pushes_is_watched_until_nothing_more_is_expected() {
    // S-WD-2, S-WD-4
    let limits = Limits { first: Millis(30_000), inactivity: Millis(45_000) };
    let policy = Policy { limits, ..Policy::default() };
    let mut silent = batcher(policy);
    silent.handle_timeout(at(30_000));
    assert_eq!(silent.poll_output(at(30_000)), Some(Output::Silent(Trip::First)));
    let mut stalled = batcher(policy);
    push(&mut stalled, 50, 10_000);
    sent(&mut stalled, 10_000);
    assert_eq!(stalled.poll_timeout(), Some(at(55_000)));
    stalled.handle_timeout(at(55_000));
    assert_eq!(stalled.poll_output(at(55_000)), Some(Output::Silent(Trip::Inactivity)));
    let mut done = batcher(policy);
    push(&mut done, 50, 10_000);
    sent(&mut done, 10_000);
    done.calm();
    assert_eq!(done.poll_timeout(), None);
}

#[test]
fn settled_says_of_which_pushes_nothing_is_left() {
    let mut batcher = batcher(Policy { max_batch: 2, ..Policy::default() });
    push(&mut batcher, 5, 0);
    sent(&mut batcher, 0);
    assert_eq!((batcher.settled(), batcher.pushed()), (0, 5));
    batcher.handle_tried(0, true);
    batcher.handle_sent();
    assert_eq!(batcher.settled(), 2);
    sent(&mut batcher, 0);
    batcher.handle_sent();
    assert_eq!((batcher.settled(), batcher.next_seq()), (5, 4));
}

#[test]
fn inputs_that_make_no_sense_harm_nothing() {
    let mut batcher = batcher(Policy { max_batch: 1, max_buffer: 2, ..Policy::default() });
    batcher.handle_sent();
    batcher.handle_failed(AGAIN, at(0));
    batcher.handle_tried(usize::MAX, true);
    batcher.handle_tried(7, false);
    assert_eq!(batcher.make_room(), Room::Enough);
    batcher.handle_timeout(at(u64::MAX));
    assert_eq!(batcher.poll_output(at(u64::MAX)), None);
    push(&mut batcher, 1, u64::MAX);
    assert_eq!(sent(&mut batcher, 0), Some((0, 0, 1, 1)));
}
