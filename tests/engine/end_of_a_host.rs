//! What is released or shut down leaves nothing open: each task that was ordered and has not ended by itself is closed, once.

use std::collections::BTreeSet;

use crate::support::client::{Client, Order, native, steady};
use crate::support::frames::{content, done};
use steadystream::engine::host::{End, Pace, Task};
use steadystream::engine::inquiry::Question;
use steadystream::engine::time::Millis;

fn closed(orders: &[Order]) -> BTreeSet<Task> {
    let tasks: Vec<Task> = orders
        .iter()
        .map(|order| match order {
            Order::Close(task) => *task,
            other => panic!("{other:?} at the end"),
        })
        .collect();
    let set: BTreeSet<Task> = tasks.iter().copied().collect();
    assert_eq!(set.len(), tasks.len(), "closed once");
    set
}

#[test]
fn a_run_that_is_released_closes_its_connection_and_nobody_elses() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Frame);
    let (other, of_other) = client.open_at("t", Pace::Frame);
    client.release(slot);
    assert_eq!(client.orders(), [Order::Close(task)]);
    client.chunk(task, &done("1-0"));
    client.chunk(of_other, &content("1-0", "lives"));
    client.pages.clear();
    client.flush();
    assert_eq!(client.pages.keys().copied().collect::<Vec<_>>(), [u64::from(other)]);
    client.release(slot);
    assert_eq!(client.orders(), [], "released once");
}

#[test]
fn a_run_that_is_released_in_doubt_takes_its_question_with_it() {
    let mut client = Client::new(steady());
    let (slot, task) = client.open_at("s", Pace::Frame);
    client.head(task, 404, "text/plain");
    let asked = client.orders().pop().unwrap().task();
    client.release(slot);
    assert_eq!(client.orders(), [Order::Close(asked)]);
    client.reply(asked, 200, "{\"active\":true,\"runId\":\"r\"}");
    client.wait(Millis(120_000));
    assert_eq!(client.orders(), []);
}

#[test]
fn a_slot_that_was_released_is_never_given_again() {
    let mut client = Client::new(steady());
    let first = client.open("s");
    client.release(first);
    assert!(client.open("s") > first);
}

#[test]
fn a_run_that_is_released_wakes_nobody() {
    let mut client = Client::new(steady());
    let (slot, _) = client.open_at("s", Pace::Sync);
    client.release(slot);
    client.orders();
    client.due();
    client.wait(Millis(120_000));
    assert_eq!((client.host.take_timeout(), client.due().now, client.due().frame), (None, false, false));
}

/// Runs in every state there is: connecting, open, waiting, in doubt, being diagnosed, settled; and two questions.
fn busy() -> (Client, BTreeSet<Task>, Vec<u32>) {
    let mut client = Client::new(native());
    let slots: Vec<u32> = ["a", "b", "c", "d", "e", "f"].map(|session| client.open(session)).into();
    let tasks: Vec<Task> = client.orders().iter().map(Order::task).collect();
    client.head(tasks[1], 200, "text/event-stream");
    client.chunk(tasks[1], &content("1-0", "text"));
    client.end(tasks[2], End::Failed);
    client.head(tasks[3], 404, "text/plain");
    client.end(tasks[4], End::Refused);
    client.head(tasks[5], 200, "text/event-stream");
    client.chunk(tasks[5], &done("1-0"));
    client.ask(Question::Status, "a");
    client.ask(Question::Stop, "nobody");
    let mut open: BTreeSet<Task> = tasks.into_iter().collect();
    for task in [2, 4].map(|at| *open.iter().nth(at).unwrap()) {
        open.remove(&task);
    }
    for order in client.orders() {
        match order {
            Order::Open { task, .. } => assert!(open.insert(task)),
            Order::Close(task) => assert!(open.remove(&task)),
            Order::Look | Order::Say(..) | Order::Leave(..) => {}
        }
    }
    assert_eq!(open.len(), 6, "two streams, a diagnosis and three questions");
    client.flush();
    (client, open, slots)
}

#[test]
fn a_shutdown_closes_every_task() {
    let (mut client, open, _) = busy();
    client.host.shutdown(client.at());
    assert!(client.due().orders);
    assert_eq!(closed(&client.orders()), open);
}

#[test]
fn a_shutdown_settles_every_run_and_answers_every_question() {
    let (mut client, _, slots) = busy();
    client.host.shutdown(client.at());
    assert!(client.due().now);
    client.flush();
    let (settled, rest) = slots.split_last().unwrap();
    for slot in rest {
        assert_eq!((client.page(*slot).ends, client.status(*slot).as_str()), (1, "interrupted"));
        assert_eq!(client.state(*slot, "error")["code"], "aborted");
    }
    assert_eq!((client.page(*settled).ends, client.status(*settled).as_str()), (1, "completed"));
    assert_eq!(client.page(slots[1]).text(), "text");
    assert_eq!(client.answers.len(), 2);
    assert!(client.answers.iter().all(|answer| answer["error"]["code"] == "aborted"));
}

#[test]
fn after_a_shutdown_nothing_happens_by_itself() {
    let (mut client, open, _) = busy();
    client.host.shutdown(client.at());
    assert_eq!(client.host.take_timeout(), None);
    client.due();
    client.orders();
    client.flush();
    for task in open {
        client.reply(task, 200, "{\"active\":true,\"runId\":\"r\"}");
    }
    for _ in 0..100 {
        client.wait(Millis(5_000));
    }
    assert_eq!((client.due(), client.host.take_timeout()), (Default::default(), None));
    assert!(!client.flush());
}

#[test]
fn releasing_every_run_closes_all_that_was_theirs() {
    let (mut client, open, slots) = busy();
    for slot in slots {
        client.release(slot);
    }
    let closed = closed(&client.orders());
    assert_eq!(open.difference(&closed).count(), 2, "the client's own questions stay");
    assert_eq!(closed.difference(&open).count(), 0);
}
