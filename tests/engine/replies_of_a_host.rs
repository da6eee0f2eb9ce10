//! A reply is told as a stream and counts as a whole: half of it is none, and one without end takes no memory. Every question
//! is answered once.

use crate::support::client::{Client, Order, steady};
use steadystream::engine::config::Config;
use steadystream::engine::environment::Signal;
use steadystream::engine::host::{End, Pace, Task};
use steadystream::engine::inquiry::{Question, Ticket};
use steadystream::engine::time::Millis;
use steadystream::engine::window::CHUNK;

const LONGEST: usize = 16 << 20;

fn asked(client: &mut Client, question: Question, session: &str) -> (u32, Task) {
    let ticket = client.ask(question, session);
    (ticket, client.orders().pop().unwrap().task())
}

/// A reply of `length` bytes, a windowful at a time; what was ordered meanwhile.
fn feed(client: &mut Client, task: Task, length: usize) -> Vec<Order> {
    client.head(task, 200, "application/json");
    let open = "{\"text\":\"";
    client.host.window().chunk_mut().fill(b'x');
    client.host.window().chunk_mut()[..open.len()].copy_from_slice(open.as_bytes());
    let mut left = length - 2;
    while left > 0 {
        let piece = left.min(CHUNK);
        client.host.handle_chunk(task, piece, client.at());
        client.host.window().chunk_mut()[..open.len()].fill(b'x');
        left -= piece;
    }
    client.chunk(task, "\"}");
    client.end(task, End::Ended);
    client.flush();
    client.orders()
}

#[test]
fn a_reply_in_pieces_is_one_answer() {
    let mut client = Client::new(steady());
    let (ticket, task) = asked(&mut client, Question::Status, "s");
    client.head(task, 200, "application/json");
    for piece in ["{\"active\":", "true,\"runId\"", ":\"r\"}"] {
        client.chunk(task, piece);
        assert!(!client.due().now && !client.flush());
    }
    client.end(task, End::Ended);
    assert!(client.due().now && client.flush());
    assert_eq!(client.answers.len(), 1);
    let answer = &client.answers[0];
    assert_eq!((&answer["ask"], &answer["ok"], &answer["body"]["runId"]), (&ticket.into(), &true.into(), &"r".into()));
    assert!(!client.due().now && !client.flush(), "told once");
}

#[test]
fn half_a_reply_is_none() {
    for end in [End::Failed, End::Refused] {
        let mut client = Client::new(steady());
        let (_, task) = asked(&mut client, Question::Status, "s");
        client.head(task, 200, "application/json");
        // Valid by itself, and yet it may be the half of something.
        client.chunk(task, "{\"active\":false}");
        client.end(task, end);
        client.flush();
        let answer = &client.answers[0];
        assert_eq!((&answer["error"]["code"], &answer["body"]), (&"request-failed".into(), &().into()));
    }
}

#[test]
fn a_refusal_is_told_with_its_status() {
    for (status, code) in [(401, "unauthorized"), (404, "http-status"), (503, "http-status")] {
        let mut client = Client::new(steady());
        let (_, task) = asked(&mut client, Question::Status, "s");
        client.reply(task, status, "not now");
        client.flush();
        let error = &client.answers[0]["error"];
        assert_eq!((&error["code"], &error["status"]), (&code.into(), &status.into()));
    }
}

#[test]
fn a_reply_may_be_as_long_as_a_run() {
    let mut client = Client::new(steady());
    let (_, task) = asked(&mut client, Question::Status, "s");
    assert_eq!(feed(&mut client, task, LONGEST), []);
    assert_eq!(client.answers[0]["body"]["text"].as_str().map(str::len), Some(LONGEST - "{\"text\":\"\"}".len()));
}

#[test]
fn a_reply_without_end_is_none_and_its_request_is_aborted() {
    let mut client = Client::new(steady());
    let (_, task) = asked(&mut client, Question::Status, "s");
    assert_eq!(feed(&mut client, task, LONGEST + 1), [Order::Close(task)]);
    assert_eq!(client.answers.len(), 1);
    assert_eq!(client.answers[0]["error"]["code"], "request-failed");
}

#[test]
fn a_run_takes_a_reply_that_is_too_long_for_none() {
    let mut client = Client::new(steady());
    let (slot, stream) = client.open_at("s", Pace::Frame);
    client.head(stream, 404, "text/plain");
    let status = client.orders().pop().unwrap();
    assert_eq!(status.says(), "reply /status?sessionId=s");
    let orders = feed(&mut client, status.task(), LONGEST + 1);
    assert_eq!(orders[0], Order::Close(status.task()));
    assert_eq!(client.status(slot), "interrupted", "refused, and nobody to say why");
}

#[test]
fn a_question_that_nobody_answers_is_answered_in_time_and_its_request_aborted() {
    let mut client = Client::new(Config { status_timeout: Millis(300), ..steady() });
    let (late, task) = asked(&mut client, Question::Status, "s");
    assert_eq!(client.host.take_timeout(), Some(client.at() + Millis(300)));
    client.wait(Millis(299));
    assert!(client.orders().is_empty() && !client.due().now);
    client.wait(Millis(1));
    assert_eq!(client.orders(), [Order::Close(task)]);
    assert!(client.due().now);
    client.flush();
    assert_eq!(
        (&client.answers[0]["ask"], &client.answers[0]["error"]["code"]),
        (&late.into(), &"request-timeout".into())
    );
    client.reply(task, 200, "{}");
    client.wait(Millis(10_000));
    client.flush();
    assert_eq!(client.answers.len(), 1);
}

#[test]
fn of_many_questions_each_has_its_own_answer() {
    let mut client = Client::new(steady());
    let all: Vec<_> = ["a", "b", "c", "d"].map(|session| asked(&mut client, Question::Status, session)).into();
    client.end(all[2].1, End::Failed);
    client.reply(all[0].1, 200, "{\"active\":false}");
    client.reply(all[1].1, 503, "");
    client.wait(Millis(5_000));
    client.flush();
    let mut answers: Vec<_> =
        client.answers.iter().map(|answer| (answer["ask"].as_u64(), answer["ok"] == true)).collect();
    answers.sort_unstable();
    let expected = all.iter().map(|(ticket, _)| (Some(u64::from(*ticket)), *ticket == all[0].0));
    assert!(answers.into_iter().eq(expected));
}

#[test]
fn an_answer_waits_for_its_flush() {
    let mut client = Client::new(steady());
    let (_, task) = asked(&mut client, Question::Status, "s");
    client.reply(task, 200, "{}");
    // Asked again and again, until somebody takes it.
    assert!(client.due().now && client.due().now);
    client.flush();
    assert!(!client.due().now);
}

#[test]
fn a_runs_question_that_nobody_answers_is_aborted_in_time_and_no_other_runs() {
    let mut client = Client::new(steady());
    let doubt = |client: &mut Client, session: &str| {
        let (_, stream) = client.open_at(session, Pace::Frame);
        client.head(stream, 404, "text/plain");
        client.orders().pop().unwrap().task()
    };
    // Each run counts its own questions: both of these are its first.
    let first = doubt(&mut client, "s");
    client.wait(Millis(1_000));
    let second = doubt(&mut client, "t");
    client.wait(Millis(4_000));
    assert_eq!(client.orders()[0], Order::Close(first));
    client.reply(first, 200, "{\"active\":false}");
    client.wait(Millis(999));
    assert!(!client.orders().contains(&Order::Close(second)));
    client.wait(Millis(1));
    assert!(client.orders().contains(&Order::Close(second)));
}

#[test]
fn a_reply_that_asks_for_patience_gets_it() {
    use steadystream::engine::{http::Head, protocol::Protocol, transport::Transport};
    for (transport, is_polled) in [(Transport::Fetch, false), (Transport::Rest, true)] {
        let config = Config { protocol: Protocol::WsChat, transports: vec![transport], ..steady() };
        let mut client = Client::new(config);
        let slot = client.send("s", "{\"request_id\":\"q\"}");
        let mut task = client.orders().pop().unwrap().task();
        if is_polled {
            client.reply(task, 202, "{\"pending_message_id\":\"p\"}");
            task = client.orders().pop().unwrap().task();
        }
        let head = Head { status: 503, retry_after: Some("7"), ..Head::default() };
        client.host.handle_head(task, &head, client.at());
        client.end(task, End::Ended);
        // Whether the message was taken is asked before anything is sent again.
        if !is_polled {
            let status = client.orders().pop().unwrap().task();
            client.reply(status, 200, "{\"active\":false,\"status\":\"unknown\"}");
        }
        client.flush();
        let left = client.state(slot, "connection")["retryAt"].as_u64().unwrap() - client.at().as_millis();
        assert!(left >= 7_000, "{transport:?}: {left} ms");
    }
}

#[test]
fn a_page_that_is_refused_is_ordered_again_after_its_wait() {
    let mut client = Client::new(steady());
    let (ticket, task) = asked(&mut client, Question::Page, "/api/chat/sessions?limit=2");
    client.reply(task, 503, "not now");
    assert!(!client.flush() && client.orders().is_empty());
    client.wait(Millis(999));
    assert!(client.orders().is_empty());
    client.wait(Millis(1));
    let order = client.orders().pop().unwrap();
    assert_eq!(order.says(), "reply /api/chat/sessions?limit=2");
    client.reply(order.task(), 200, "{\"sessions\":[]}");
    client.flush();
    assert_eq!((&client.answers[0]["ask"], &client.answers[0]["ok"]), (&ticket.into(), &true.into()));
}

#[test]
fn a_page_that_nobody_waits_for_is_closed() {
    let mut client = Client::new(steady());
    let (ticket, task) = asked(&mut client, Question::Page, "/p");
    client.host.forget(Ticket(ticket));
    assert_eq!(client.orders(), [Order::Close(task)]);
    client.reply(task, 200, "{}");
    assert!(!client.flush());
}

#[test]
fn a_page_waits_for_the_network() {
    let mut client = Client::new(steady());
    client.host.handle_signal(Signal::Offline, client.at());
    client.ask(Question::Page, "/p");
    client.wait(Millis(1_000_000));
    assert!(client.orders().is_empty());
    client.host.handle_signal(Signal::Online, client.at());
    client.wait(Millis(0));
    assert_eq!(client.orders()[0].says(), "reply /p");
}
