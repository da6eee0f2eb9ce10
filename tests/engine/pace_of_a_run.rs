//! Who looks decides how soon something goes out: nobody, a frame, or somebody who wants every event as it comes. A run's
//! state goes out with the frame whoever looks, and its end at once.

use crate::support::client::{Client, steady};
use crate::support::frames::{content, done};
use steadystream::engine::environment::Signal;
use steadystream::engine::host::{Due, End, Pace};
use steadystream::engine::inquiry::Question;

const NOTHING: Due = Due { orders: false, frame: false, now: false, hurried: false };
const FRAME: Due = Due { frame: true, ..NOTHING };

#[test]
fn the_text_of_a_run_that_nobody_watches_stays_where_it_is() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Unwatched);
    client.chunk(task, &content("1-0", "unseen "));
    assert_eq!(client.due(), FRAME, "it is streaming now: that is state");
    client.flush();
    assert_eq!((client.status(slot).as_str(), client.page(slot).text().as_str()), ("streaming", ""));
    client.chunk(task, &content("2-0", "still"));
    assert_eq!(client.due(), NOTHING);
    assert!(!client.flush());
    assert!(client.read(slot));
    assert_eq!(client.page(slot).text(), "unseen still");
    assert!(!client.read(slot), "read once");
}

#[test]
fn what_came_unseen_goes_out_once_somebody_looks() {
    for pace in [Pace::Frame, Pace::Sync] {
        let mut client = Client::new(steady());
        let (slot, task) = client.open_at("s", Pace::Unwatched);
        client.chunk(task, &content("1-0", "unseen "));
        client.flush();
        client.chunk(task, &content("2-0", "text"));
        client.due();
        client.host.watch(slot, pace);
        let is_sync = pace == Pace::Sync;
        assert_eq!(client.due(), Due { frame: true, now: is_sync, hurried: is_sync, orders: false });
        client.flush();
        assert_eq!(client.page(slot).text(), "unseen text");
    }
}

#[test]
fn many_chunks_of_one_frame_make_one_flush() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Frame);
    for at in 1..50 {
        client.chunk(task, &content(&format!("{at}-0"), "x"));
        assert!(!client.due().now);
    }
    assert!(client.flush() && !client.flush());
    assert_eq!(client.page(slot).text().len(), 49);
    assert_eq!(client.due(), NOTHING, "the flush has served whatever asked for a frame");
}

#[test]
fn a_frame_is_asked_for_once() {
    let mut client = Client::new(steady());
    let (_, task) = client.open_at("s", Pace::Frame);
    client.chunk(task, &content("1-0", "x"));
    assert_eq!((client.due(), client.due()), (FRAME, NOTHING));
    client.chunk(task, &content("2-0", "x"));
    assert_eq!(client.due(), FRAME);
}

#[test]
fn at_sync_pace_each_chunk_is_due_at_once() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Sync);
    for at in 1..5 {
        client.chunk(task, &content(&format!("{at}-0"), "x"));
        assert!(client.due().now);
        client.flush();
        assert_eq!(client.page(slot).text().len(), at);
    }
}

#[test]
fn one_hasty_run_does_not_hurry_the_others() {
    let mut client = Client::new(steady());
    let (_, hasty) = client.open_at("one", Pace::Sync);
    let (_, calm) = client.open_at("two", Pace::Frame);
    client.chunk(calm, &content("1-0", "x"));
    assert_eq!(client.due(), Due { hurried: true, ..FRAME });
    client.chunk(hasty, &content("1-0", "x"));
    assert!(client.due().now);
}

#[test]
fn nothing_is_hurried_once_nobody_is_in_a_hurry() {
    type Leave = fn(&mut Client, u32);
    let ways: [Leave; 3] = [
        |client, slot| client.host.watch(slot, Pace::Frame),
        |client, slot| client.host.watch(slot, Pace::Unwatched),
        |client, slot| client.release(slot),
    ];
    for leave in ways {
        let mut client = Client::new(steady());
        let (hasty, _) = client.open_at("s", Pace::Sync);
        let (_, calm) = client.open_at("t", Pace::Frame);
        assert!(client.due().hurried);
        leave(&mut client, hasty);
        client.chunk(calm, &content("1-0", "x"));
        assert!(!client.due().hurried);
    }
}

#[test]
fn an_end_is_due_at_once_whoever_looks_and_brings_all_text() {
    for pace in [Pace::Unwatched, Pace::Frame, Pace::Sync] {
        let mut client = Client::new(steady());
        let (slot, task) = client.open_at("s", pace);
        client.chunk(task, &content("1-0", "text"));
        client.flush();
        client.due();
        client.chunk(task, &done("2-0"));
        let due = client.due();
        assert!(due.now && due.orders, "{pace:?}");
        client.flush();
        assert_eq!((client.page(slot).ends, client.page(slot).text().as_str()), (1, "text"));
        assert!(!client.due().now && !client.flush());
    }
}

#[test]
fn a_connection_that_is_lost_is_told_with_the_frame() {
    for pace in [Pace::Unwatched, Pace::Frame] {
        let mut client = Client::new(steady());
        let (slot, task) = client.open_at("s", pace);
        client.due();
        client.end(task, End::Failed);
        assert_eq!(client.due(), FRAME);
        client.flush();
        assert_eq!(client.state(slot, "connection")["state"], "reconnecting");
    }
}

#[test]
fn a_state_is_due_at_once_while_somebody_wants_states_so_and_text_is_not() {
    let mut client = Client::new(steady());
    client.host.watch_states(true);
    let (slot, task) = client.open_at("s", Pace::Frame);
    client.flush();
    client.due();
    client.chunk(task, &content("1-0", "x"));
    assert!(client.due().now, "it is streaming now: that is state");
    client.flush();
    client.chunk(task, &content("2-0", "y"));
    assert_eq!(client.due(), FRAME);
    client.end(task, End::Failed);
    assert!(client.due().now);
    client.flush();
    assert_eq!(client.state(slot, "connection")["state"], "reconnecting");
    client.host.watch_states(false);
    client.signal(Signal::Offline);
    assert_eq!(client.due(), FRAME);
}

#[test]
fn a_flush_has_all_that_changed_and_nothing_else() {
    let mut client = Client::new(steady());
    let (one, of_one) = client.open_at("one", Pace::Frame);
    let (two, of_two) = client.open_at("two", Pace::Frame);
    client.open_at("three", Pace::Frame);
    client.chunk(of_one, &content("1-0", "ж😀"));
    client.chunk(of_two, &content("1-0", "text"));
    client.pages.clear();
    client.flush();
    assert_eq!(client.pages.keys().copied().collect::<Vec<_>>(), [one, two].map(u64::from));
    assert_eq!((client.page(one).text().as_str(), client.page(two).text().as_str()), ("ж😀", "text"));
}

#[test]
fn what_is_read_of_one_run_leaves_the_others_and_the_answers_to_the_flush() {
    let mut client = Client::new(steady());
    let (one, of_one) = client.open_at("one", Pace::Frame);
    let (two, of_two) = client.open_at("two", Pace::Frame);
    client.ask(Question::Status, "s");
    let asked = client.orders().pop().unwrap().task();
    client.reply(asked, 200, "{}");
    client.chunk(of_one, &content("1-0", "one"));
    client.chunk(of_two, &content("1-0", "two"));
    client.read(one);
    assert_eq!((client.page(one).text().as_str(), client.page(two).text().as_str()), ("one", ""));
    assert!(client.answers.is_empty());
    client.flush();
    assert_eq!((client.page(one).text().as_str(), client.page(two).text().as_str()), ("one", "two"));
    assert_eq!(client.answers.len(), 1);
}

#[test]
fn a_flush_does_not_forget_an_order() {
    let mut client = Client::new(steady());
    client.open("s");
    client.flush();
    assert!(client.due().orders);
}
