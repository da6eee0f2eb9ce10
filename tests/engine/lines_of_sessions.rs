//! S-LOCK-1, S-UI-1, B-SEND: what a session's callers ask of its server goes out one after the other; what has not gone out ends
//! at once and for certain, and costs nothing while it waits.

use crate::support::client::{Client, Order, steady};
use crate::support::frames::{content, done};
use steadystream::engine::config::Config;
use steadystream::engine::environment::Signal;
use steadystream::engine::host::{End, Task};
use steadystream::engine::inquiry::Question;
use steadystream::engine::outbox::{Limits, PATIENCE};
use steadystream::engine::protocol::{Clear, Protocol};
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;

const STARTED: &str = "event: stream_started\ndata: {\"type\":\"stream_started\",\"runId\":\"r\"}\n\n";

/// The bodies that were sent, in their order, and their tasks.
fn sent(client: &mut Client) -> Vec<(String, Task)> {
    let bodies = |order: Order| match order {
        Order::Open { task, body: Some(body), .. } => Some((body, task)),
        _ => None,
    };
    client.orders().into_iter().filter_map(bodies).collect()
}

fn bodies(client: &mut Client) -> Vec<String> {
    sent(client).into_iter().map(|(body, _)| body).collect()
}

fn chunks(config: Config) -> Client {
    Client::new(Config { protocol: Protocol::Chunks, ..config })
}

fn status(client: &mut Client, slot: u32) -> String {
    client.flush();
    client.status(slot)
}

#[test]
fn a_send_goes_out_when_the_one_before_it_is_taken_and_other_sessions_do_not_wait() {
    let mut client = Client::new(steady());
    for (session, body) in [("a", "1"), ("a", "2"), ("b", "3")] {
        client.send(session, body);
    }
    let out = sent(&mut client);
    assert_eq!(out.iter().map(|(body, _)| body.as_str()).collect::<Vec<_>>(), ["1", "3"]);
    client.head(out[0].1, 200, "text/event-stream");
    assert_eq!(bodies(&mut client), [""; 0], "a head does not say that it has begun");
    client.chunk(out[0].1, STARTED);
    assert_eq!(bodies(&mut client), ["2"]);
}

#[test]
fn who_is_turned_down_for_good_poisons_nothing_and_one_that_is_tried_again_keeps_its_place() {
    let mut client = Client::new(steady());
    client.send("a", "1");
    client.send("a", "2");
    let first = sent(&mut client)[0].1;
    client.head(first, 503, "text/plain");
    assert_eq!(bodies(&mut client), [""; 0]);
    client.wait(Millis(1_000));
    let again = sent(&mut client);
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].0, "1");
    client.head(again[0].1, 422, "text/plain");
    assert_eq!(bodies(&mut client), ["2"]);
}

#[test]
fn a_budget_stands_still_in_the_line() {
    let mut client = Client::new(steady());
    client.send("a", "1");
    let second = client.send("a", "2");
    let first = sent(&mut client)[0].1;
    client.head(first, 200, "text/event-stream");
    for _ in 0..40 {
        client.wait(Millis(15_000));
        // A comment: the one before lives.
        client.chunk(first, ":\n\n");
    }
    assert_eq!(status(&mut client, second), "pending");
    client.chunk(first, STARTED);
    assert_eq!(bodies(&mut client), ["2"]);
}

#[test]
fn a_stop_ends_what_is_unsent_at_once_and_nothing_of_it_ever_goes_out() {
    let mut client = Client::new(steady());
    let first = client.send("a", "1");
    let second = client.send("a", "2");
    let other = client.send("b", "3");
    let task = sent(&mut client)[0].1;
    client.ask(Question::Stop, "a");
    assert_eq!(status(&mut client, second), "cancelled");
    assert_eq!(client.said(), ["reply /stop"], "it waits for no send");
    // What is said from now on is of the session's next life, and must not be hit.
    let third = client.send("a", "4");
    client.chunk(task, STARTED);
    assert_eq!(bodies(&mut client), [""; 0]);
    client.wait(Millis(5_000));
    client.wait(Millis(5_000));
    assert_eq!(bodies(&mut client), ["4"], "an answer that never comes has its time");
    let statuses = [first, second, third, other].map(|slot| status(&mut client, slot));
    assert_eq!(statuses, ["cancelled", "cancelled", "pending", "pending"]);
}

#[test]
fn between_a_send_and_its_first_byte_a_stop_is_heard_and_leaves_no_timer() {
    let mut client = Client::new(steady());
    let slot = client.send("a", "1");
    let task = sent(&mut client)[0].1;
    client.ask(Question::Stop, "a");
    let stop = client.orders().pop().unwrap().task();
    client.reply(stop, 200, "{}");
    // The message is still on its way, and what it starts is stopped, too (S-UI-1).
    assert_eq!(status(&mut client, slot), "pending");
    client.head(task, 200, "text/event-stream");
    let late = client.orders().pop().unwrap();
    assert_eq!(late.says(), "reply /stop");
    client.reply(late.task(), 200, "{}");
    client.wait(Millis(1_000));
    assert_eq!(status(&mut client, slot), "cancelled");
    client.orders();
    client.release(slot);
    client.wait(Millis(3_600_000));
    assert_eq!(client.orders(), []);
    assert_eq!((client.host.take_timeout(), client.host.unsent()), (None, 0));
}

#[test]
fn what_is_queued_offline_ends_with_a_word_and_goes_out_in_order_without() {
    let mut client = Client::new(steady());
    client.signal(Signal::Offline);
    let slots: Vec<u32> = ["1", "2", "3"].map(|body| client.send("a", body)).into();
    client.flush();
    assert_eq!(client.state(slots[0], "connection")["state"], "offline");
    assert_eq!(client.state(slots[2], "connection")["state"], "offline");
    assert_eq!((client.status(slots[1]).as_str(), client.state(slots[1], "sent")), ("pending", 0.into()));
    let now = client.at();
    assert!(client.host.withdraw(slots[1], now), "a stop of this one alone, and no word to the server");
    assert_eq!(status(&mut client, slots[1]), "cancelled");
    client.wait(Millis(3_600_000));
    client.signal(Signal::Online);
    let first = sent(&mut client);
    assert_eq!(first[0].0, "1");
    client.flush();
    assert_eq!(client.state(slots[0], "sent"), 1);
    assert!(!client.host.withdraw(slots[0], now), "the server must be told of what may have arrived");
    client.head(first[0].1, 200, "text/event-stream");
    client.chunk(first[0].1, STARTED);
    client.flush();
    assert_eq!(client.state(slots[0], "sent"), 2);
    assert_eq!(bodies(&mut client), ["3"]);
}

#[test]
fn beyond_its_bound_a_send_fails_at_once_and_what_is_queued_is_kept() {
    let outbox = Limits { messages: 2, bytes: 10 };
    let mut client = Client::new(Config { outbox, ..steady() });
    client.signal(Signal::Offline);
    let kept = [client.send("a", "1234"), client.send("b", "2")];
    let many = client.send("c", "3");
    client.flush();
    assert_eq!((client.status(many).as_str(), &client.state(many, "error")["code"]), ("failed", &"outbox-full".into()));
    assert_eq!(client.state(many, "error")["retryable"], true);
    client.release(kept[1]);
    let large = client.send("c", "1234567");
    assert_eq!(status(&mut client, large), "failed");
    assert_eq!(client.host.unsent(), 1);
    // There is room by now.
    let now = client.at();
    client.host.retry(many, "q2", None, now);
    assert_eq!((status(&mut client, many).as_str(), client.host.unsent()), ("pending", 2));
    client.signal(Signal::Online);
    assert_eq!(bodies(&mut client), ["1234", "3"]);
}

#[test]
fn a_delete_ends_all_of_its_session_and_nothing_of_others() {
    let mut client = chunks(steady());
    let live = client.open("a");
    let other = client.open("b");
    client.orders();
    client.signal(Signal::Offline);
    let unsent = client.send("a", "{}");
    client.ask(Question::Clear(Clear::Delete), "a");
    let after = client.send("a", "{}");
    client.signal(Signal::Online);
    let delete =
        client.orders().into_iter().find(|order| order.says() == "reply /sessions/a").expect("it waits for nobody");
    client.reply(delete.task(), 204, "");
    client.flush();
    assert_eq!(
        [live, unsent, after, other].map(|slot| client.status(slot)),
        ["cancelled", "cancelled", "pending", "pending"]
    );
    assert_eq!(client.answers[0]["ok"], true);
    assert_eq!(client.said().iter().filter(|said| said.contains("/sessions/a/messages")).count(), 1);
}

#[test]
fn a_reset_waits_for_the_send_under_way_and_its_failure_changes_nothing() {
    let mut client = chunks(steady());
    let first = client.send("a", "{}");
    let second = client.send("a", "{}");
    let post = client.orders()[0].task();
    client.ask(Question::Clear(Clear::Reset { presence: false }), "a");
    assert_eq!(client.orders(), []);
    client.reply(post, 200, "{\"messageId\":\"q\",\"offset\":\"0_1\"}");
    let reset = client.orders().into_iter().find(|order| order.says() == "reply /sessions/a/reset").unwrap();
    client.reply(reset.task(), 500, "{\"code\":\"RESET_FAILED\"}");
    client.flush();
    assert_eq!([first, second].map(|slot| client.status(slot)), ["pending", "pending"]);
    assert_eq!((&client.answers[0]["ok"], &client.answers[0]["error"]["status"]), (&false.into(), &500.into()));
    assert_eq!(client.said(), ["reply /sessions/a/messages"]);
}

#[test]
fn a_reset_has_its_time_and_lets_the_others_go() {
    let mut client = chunks(steady());
    let first = client.send("a", "{}");
    client.send("a", "{}");
    let post = client.orders()[0].task();
    client.ask(Question::Clear(Clear::Reset { presence: true }), "a");
    client.wait(Millis(5_000));
    client.flush();
    assert_eq!((client.answers.len(), &client.answers[0]["error"]["code"]), (1, &"request-timeout".into()));
    client.orders();
    client.end(post, End::Failed);
    client.wait(Millis(1_000));
    assert_eq!(client.said(), ["reply /sessions/a/messages"], "and the send goes on as before");
    assert_eq!(status(&mut client, first), "pending");
}

#[test]
fn only_one_protocol_has_sessions_to_reset() {
    let mut client = Client::new(steady());
    let now = client.at();
    assert_eq!(client.host.inquire(Question::Clear(Clear::Delete), "a", now), None);
    assert_eq!((client.orders(), client.host.take_timeout()), (vec![], None));
}

#[test]
fn a_run_that_was_sent_goes_on_to_its_end() {
    let mut client = Client::new(steady());
    let slot = client.send("a", "1");
    let task = sent(&mut client)[0].1;
    client.head(task, 200, "text/event-stream");
    client.chunk(task, STARTED);
    let log = client.orders().into_iter().find(|order| order.says().starts_with("fetch /events")).unwrap().task();
    client.head(log, 200, "text/event-stream");
    client.chunk(log, &(content("1-0", "x") + &done("2-0")));
    assert_eq!(status(&mut client, slot), "completed");
}

/// As another page has left it; `tried`: it may have arrived.
fn left(client: &mut Client, session: &str, body: &str, tried: bool) -> u32 {
    let wish = Wish {
        session: session.into(),
        request_id: Some("left".into()),
        body: Some(body.into()),
        was_left: true,
        may_have_arrived: tried,
        ..Wish::default()
    };
    client.host.begin(wish, true, client.at())
}

fn expect(client: &mut Client, session: &str) {
    let now = client.at();
    client.host.expect(session, now);
}

fn stop_expecting(client: &mut Client, session: &str) {
    let now = client.at();
    client.host.stop_expecting(session, now);
}

/// The server takes each message that has gone out, until none does.
fn take_all(client: &mut Client) -> Vec<String> {
    let mut taken = Vec::new();
    loop {
        let out = sent(client);
        if out.is_empty() {
            return taken;
        }
        for (body, task) in out {
            taken.push(body);
            client.head(task, 200, "text/event-stream");
            client.chunk(task, STARTED);
        }
    }
}

#[test]
fn what_was_left_goes_out_before_what_was_sent_while_it_was_looked_for() {
    let mut client = Client::new(steady());
    expect(&mut client, "a");
    client.send("a", "3");
    client.send("b", "other");
    client.wait(Millis(500));
    assert_eq!(take_all(&mut client), ["other"], "nobody waits for another session");
    left(&mut client, "a", "1", false);
    left(&mut client, "a", "2", false);
    assert_eq!(take_all(&mut client), ["1", "2"]);
    stop_expecting(&mut client, "a");
    assert_eq!(take_all(&mut client), ["3"]);
    assert_eq!(client.host.unsent(), 0);
}

#[test]
fn a_storage_that_never_answers_holds_nobody_back_for_longer_than_two_seconds() {
    let mut client = Client::new(steady());
    expect(&mut client, "a");
    let slot = client.send("a", "1");
    let due = client.host.take_timeout().expect("it ends by itself");
    assert_eq!(due, client.at() + PATIENCE);
    client.wait(Millis(PATIENCE.0 - 1));
    assert_eq!((bodies(&mut client), status(&mut client, slot).as_str()), (vec![], "pending"));
    client.wait(Millis(1));
    assert_eq!(bodies(&mut client), ["1"]);
    left(&mut client, "a", "0", false);
    stop_expecting(&mut client, "a");
    assert_eq!(bodies(&mut client), [""; 0], "what is found later is one like any other");
}

#[test]
fn what_waits_for_others_ends_at_once_and_for_certain() {
    let mut client = Client::new(steady());
    expect(&mut client, "a");
    let withdrawn = client.send("a", "1");
    let closed = client.send("a", "2");
    let now = client.at();
    assert!(client.host.withdraw(withdrawn, now));
    client.close(closed);
    let stopped = client.send("a", "3");
    client.ask(Question::Stop, "a");
    assert_eq!(client.said(), ["reply /stop"], "a stop waits for no send");
    assert_eq!(
        [withdrawn, closed, stopped].map(|slot| status(&mut client, slot)),
        ["cancelled", "interrupted", "cancelled"]
    );
    client.wait(PATIENCE);
    assert_eq!((bodies(&mut client), client.host.unsent()), (vec![], 0));
}

#[test]
fn one_that_turns_out_to_be_what_was_left_goes_on_as_that() {
    let mut client = Client::new(steady());
    expect(&mut client, "a");
    let first = client.send("a", "1");
    let second = client.send("a", "the same");
    let now = client.at();
    assert!(client.host.take_over(second, "left", "the same, as it was", true, now));
    stop_expecting(&mut client, "a");
    client.flush();
    assert_eq!(client.state(second, "requestId"), "left");
    let asked = client.orders().into_iter().find(|order| order.says() == "reply /status?sessionId=a");
    client.reply(asked.expect("it may have arrived").task(), 200, "{\"active\":true,\"runId\":\"r\"}");
    assert_eq!(take_all(&mut client), ["the same, as it was", "1"]);
    let now = client.at();
    assert!(!client.host.take_over(first, "left", "1", false, now), "it has gone out");
}
