//! B-SEND-4, W4-4: a request id lives as long as its run. A message that went out long ago, or by another page's doing, is not
//! repeated before the server was asked; where that cannot tell, the user decides.

use serde_json::Value;
use steadystream::engine::config::Config;
use steadystream::engine::host::{End, Task};
use steadystream::engine::protocol::Protocol;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;

use crate::support::client::{Client, Order, steady};
use crate::support::*;

/// The head of the send is lost, and the network with it, for so long.
fn cut_off(ms: u64, script: Script) -> Sim {
    let world = World::seeded(191).script(script).then(Plan::head(Head::Lost));
    world.at(50, Incident::Offline { ms, told: true, resets: true }).send().settle()
}

fn short() -> Script {
    Script::of(1, [Event::Text(vec![0x41; 10]), Event::Done])
}

fn long() -> Script {
    Script::seeded(191, Shape::slow())
}

#[test]
fn a_late_repeat_of_what_is_over_starts_nothing() {
    let sim = cut_off(40_000, short());
    assert_eq!((sim.server.counters.runs, sim.server.counters.sends), (1, 1));
    assert_eq!((sim.run.status(), sim.code()), (Status::Interrupted, Some("send-in-doubt")));
    assert!(sim.run.error().is_some_and(|failure| failure.retryable));
}

#[test]
fn a_late_repeat_of_what_runs_finds_its_run() {
    let sim = cut_off(40_000, long());
    sim.assert_whole();
    assert_eq!((sim.server.counters.runs, sim.server.counters.sends), (1, 2));
}

#[test]
fn an_early_one_asks_nobody() {
    let sim = cut_off(5_000, long());
    sim.assert_whole();
    assert_eq!((sim.server.counters.runs, sim.requests_to("/status").count()), (1, 0));
}

// ---- where what runs is asked for by the chat alone ----

/// A second message in the chat of a first one, whose request and answer are `first`'s; its reply is lost with the network.
struct Second {
    client: Client,
    first: Task,
    slots: [u32; 2],
}

impl Second {
    fn of(protocol: Protocol, begin: impl Fn(&mut Client, Task)) -> Self {
        let mut client = Client::new(Config { protocol, ..steady() });
        let wish = |id: &str| Wish {
            session: "s".into(),
            request_id: Some(id.into()),
            body: Some(format!("{{\"n\":\"{id}\"}}")),
            ..Wish::default()
        };
        let now = client.at();
        let one = client.host.begin(wish("q1"), true, now);
        let task = client.orders()[0].task();
        begin(&mut client, task);
        let first = open(&mut client).unwrap_or(task);
        let now = client.at();
        let two = client.host.begin(wish("q2"), true, now);
        let second = open(&mut client).expect("the first one has been taken");
        client.end(second, End::Failed);
        Self { client, first, slots: [one, two] }
    }

    /// What is asked next, within some seconds.
    fn asks(&mut self, path: &str) -> Task {
        for _ in 0..10 {
            let order = self.client.orders().into_iter().find(|order| order.says().ends_with(path));
            if let Some(order) = order {
                return order.task();
            }
            self.client.wait(Millis(300));
        }
        panic!("{path} is not asked");
    }

    fn ends(&mut self) -> [(String, Option<String>); 2] {
        self.client.flush();
        self.slots.map(|slot| {
            let code = self.client.state(slot, "error")["code"].as_str().map(str::to_owned);
            (self.client.status(slot), code)
        })
    }
}

fn open(client: &mut Client) -> Option<Task> {
    client.orders().into_iter().rev().find(|order| matches!(order, Order::Open { .. })).map(|order| order.task())
}

fn in_doubt() -> (String, Option<String>) {
    ("interrupted".into(), Some("send-in-doubt".into()))
}

fn envelope() -> Second {
    Second::of(Protocol::Envelope, |client, task| {
        client.reply(task, 200, r#"{"chat_id":"s","message_id":"m1","last_seq":0}"#);
    })
}

fn active(run: &str) -> String {
    format!(r#"{{"has_active_task":true,"message_id":"{run}","stream_id":"x","last_seq":9}}"#)
}

#[test]
fn a_second_message_is_not_the_first_ones_run_and_its_repetition_carries_its_own_id() {
    let mut second = envelope();
    let task = second.asks("/status");
    second.client.reply(task, 200, &active("m1"));
    let [first, end] = second.ends();
    assert_eq!((first.0.as_str(), end), ("streaming", in_doubt()));
    assert_eq!(second.client.state(second.slots[1], "runId"), Value::Null);
    assert_eq!(second.client.state(second.slots[1], "sent"), 1, "nobody knows");
    let now = second.client.at();
    second.client.host.retry(second.slots[1], "q3", None, now);
    let again = second.client.orders().into_iter().find_map(|order| match order {
        Order::Open { body, .. } => body,
        _ => None,
    });
    assert_eq!(again.as_deref(), Some(r#"{"n":"q2"}"#));
}

#[test]
fn a_run_that_nobody_knew_is_the_second_ones() {
    let mut second = envelope();
    let task = second.asks("/status");
    second.client.reply(task, 200, &active("m2"));
    second.client.flush();
    assert_eq!(second.client.state(second.slots[1], "runId"), "m2");
    assert_eq!(second.client.status(second.slots[1]), "streaming");
}

#[test]
fn a_run_that_was_followed_before_the_message_went_out_is_not_its_own_and_one_followed_since_may_be() {
    for (is_before, code) in [(true, "send-in-doubt"), (false, "")] {
        let mut client = Client::new(Config { protocol: Protocol::Envelope, ..steady() });
        if is_before {
            client.open("s");
        }
        client.orders();
        let slot = client.send("s", "{}");
        let task = open(&mut client).expect("it goes out");
        if !is_before {
            client.open("s");
        }
        client.end(task, End::Failed);
        let mut second = Second { client, first: task, slots: [slot; 2] };
        let task = second.asks("/status");
        second.client.reply(task, 200, &active("r"));
        second.client.flush();
        assert_eq!(second.client.state(slot, "error")["code"].as_str().unwrap_or_default(), code);
    }
}

fn start(id: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!(",\"messageId\":\"{id}\"") };
    format!("data: {{\"type\":\"start\"{id}}}\n\ndata: {{\"type\":\"text-start\",\"id\":\"1\"}}\n\n")
}

/// The first one streams under this name; what the chat's stream tells then has that one.
fn ui_message(name: &str, told: &str) -> Second {
    let mut second = Second::of(Protocol::UiMessage, |client, task| {
        client.head(task, 200, "text/event-stream");
        client.chunk(task, &start(name));
    });
    let stream = second.asks("/s/stream");
    second.client.head(stream, 200, "text/event-stream");
    second.client.chunk(stream, &start(told));
    second
}

#[test]
fn a_chats_stream_is_not_the_second_messages_if_it_has_the_first_ones_name_or_none() {
    for (name, told) in [("m1", "m1"), ("", ""), ("m1", "")] {
        let mut second = ui_message(name, told);
        let [first, end] = second.ends();
        assert_eq!((first.0.as_str(), end), ("streaming", in_doubt()), "{name:?} {told:?}");
    }
    let mut second = ui_message("m1", "m2");
    assert_eq!(second.ends()[1], ("streaming".into(), None));
}

#[test]
fn where_the_first_one_has_ended_what_runs_is_the_second_ones() {
    let mut second = Second::of(Protocol::UiMessage, |client, task| {
        client.head(task, 200, "text/event-stream");
        client.chunk(task, &start(""));
    });
    let first = second.first;
    second.client.chunk(first, "data: {\"type\":\"finish\"}\n\ndata: [DONE]\n\n");
    let stream = second.asks("/s/stream");
    second.client.head(stream, 200, "text/event-stream");
    second.client.chunk(stream, &start(""));
    assert_eq!(second.ends().map(|(status, _)| status), ["completed", "streaming"]);
}
