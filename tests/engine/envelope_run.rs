//! A message of a chat whose envelopes are numbered through (PROTOCOLS 2): what is missing is noticed, what is another message's is
//! not ours, and what is held is never asked for again.

use crate::support::Talk;
use crate::support::client::{Client, Order, steady};
use serde_json::{Value, json};
use steadystream::engine::config::Config;
use steadystream::engine::host::{End, Pace};
use steadystream::engine::protocol::Protocol;
use steadystream::engine::rng::Rng;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;
use steadystream::engine::transport::Transport;

fn of(message: &str, seq: u64, kind: &str, payload: Value) -> String {
    let data =
        json!({ "chatId": "s", "messageId": message, "streamId": "x", "seq": seq, "kind": kind, "payload": payload });
    format!("id: {seq}\nevent: stream\ndata: {data}\n\n")
}

fn envelope(seq: u64, kind: &str, payload: Value) -> String {
    of("m", seq, kind, payload)
}

fn text(seq: u64, text: &str) -> String {
    envelope(seq, "assistant_text", json!({ "text": text }))
}

fn complete(seq: u64) -> String {
    envelope(seq, "complete", json!({ "status": "completed", "duration_ms": 5 }))
}

/// Sent, and named `m` by a server whose chat has had 40 envelopes.
fn sent() -> Talk {
    let mut chat = Talk::send(Protocol::Envelope, r#"{"prompt":"Hello","chat_id":"s"}"#, "reply /chat/chat");
    chat.reply(200, r#"{"chat_id":"s","message_id":"m","last_seq":40}"#);
    chat.expect("fetch /chat/chats/s/stream?after_seq=40");
    chat.accept();
    chat
}

#[test]
fn an_answer_comes_behind_what_its_chat_has_had() {
    let mut chat = sent();
    chat.say(&(envelope(41, "stream_started", json!({ "status": "started" })) + &text(42, "Hel") + &text(43, "lo")));
    chat.say(&complete(44));
    assert_eq!(chat.told(), ("completed".into(), "Hello".into()));
    assert_eq!(chat.client.state(chat.slot, "runId"), "m");
    assert_eq!(chat.client.state(chat.slot, "cursor"), "44");
}

#[test]
fn a_lost_connection_goes_on_behind_what_is_held() {
    let mut chat = sent();
    chat.say(&(text(41, "a") + &text(42, "b")));
    chat.lose(End::Failed);
    chat.expect("fetch /chat/chats/s/stream?after_seq=42");
    chat.accept();
    // Some of it comes again.
    chat.say(&(text(42, "b") + &text(43, "c") + &complete(44)));
    assert_eq!(chat.told(), ("completed".into(), "abc".into()));
}

#[test]
fn a_number_that_is_missing_is_asked_for() {
    let mut chat = sent();
    chat.say(&(text(41, "a") + &text(43, "c")));
    assert_eq!(chat.told(), ("streaming".into(), "a".into()));
    chat.expect("fetch /chat/chats/s/stream?after_seq=41");
    chat.accept();
    chat.say(&(text(42, "b") + &text(43, "c") + &complete(44)));
    assert_eq!(chat.told(), ("completed".into(), "abc".into()));
}

#[test]
fn another_message_of_the_chat_is_none_of_ours_and_leaves_no_gap() {
    let mut chat = sent();
    chat.say(&(of("other", 41, "assistant_text", json!({ "text": "x" })) + &of("other", 42, "complete", json!({}))));
    chat.say(&(text(43, "a") + &complete(44)));
    assert_eq!(chat.told(), ("completed".into(), "a".into()));
}

#[test]
fn the_next_turn_ends_this_one_and_says_who_goes_on() {
    let mut chat = sent();
    chat.say(&(text(41, "a") + &envelope(42, "queue_processing", json!({ "assistant_message_id": "m2" }))));
    assert_eq!(chat.told(), ("completed".into(), "a".into()));
}

#[test]
fn a_failure_at_the_very_beginning_is_told() {
    let mut chat = sent();
    chat.say(&envelope(41, "error", json!({ "error": "no such model" })));
    assert_eq!(chat.told(), ("failed".into(), String::new()));
    assert_eq!(chat.client.state(chat.slot, "error")["detail"], "no such model");
}

#[test]
fn tools_thoughts_usage_and_questions_are_parts_like_any() {
    let mut chat = sent();
    let tool = |more: Value| {
        let mut tool = json!({ "id": "t", "name": "sql" });
        tool.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        json!({ "tool": tool })
    };
    chat.say(&envelope(41, "assistant_thinking", json!({ "thinking": "hm" })));
    chat.say(&envelope(42, "tool_started", tool(json!({ "status": "started", "input": { "q": "a\"b" } }))));
    chat.say(&envelope(43, "tool_completed", tool(json!({ "status": "completed", "result": [1, "x"] }))));
    chat.say(&envelope(44, "system", json!({ "context_usage": { "tokens_used": 7 } })));
    chat.say(&envelope(45, "permission_request", json!({ "request_id": "r", "tool_name": "rm" })));
    assert_eq!(chat.told().0, "waiting");
    let page = chat.client.page(chat.slot);
    assert_eq!(page.usage.as_ref().unwrap()["tokens_used"], 7);
    let parts = page.raw_parts();
    assert_eq!(parts[1]["arguments"], r#"{"q":"a\"b"}"#);
    assert_eq!((&parts[1]["result"], &parts[1]["state"]), (&r#"[1,"x"]"#.into(), &"done".into()));
    assert_eq!(parts[2]["interrupt"]["tool_name"], "rm");
}

#[test]
fn whoever_comes_later_asks_what_runs_and_reads_it_from_the_start() {
    let mut chat = Talk::attach(Protocol::Envelope, "reply /chat/chats/s/status");
    chat.reply(200, r#"{"has_active_task":true,"message_id":"m","stream_id":"x","last_seq":43}"#);
    chat.expect("fetch /chat/chats/s/stream?after_seq=0");
    chat.accept();
    // What came before is cleared away: the first number is whatever is left.
    chat.say(&of("old", 39, "complete", json!({})));
    for (seq, after) in [(40, 39), (41, 40)] {
        // A stream ends behind each message (A-SRV-2), and nobody waits for the next.
        chat.lose(End::Ended);
        chat.expect_at_once(&format!("fetch /chat/chats/s/stream?after_seq={after}"));
        chat.accept();
        if seq == 40 {
            chat.say(&of("older", 40, "cancelled", json!({})));
        }
    }
    chat.say(&(text(41, "a") + &text(42, "b") + &complete(43)));
    assert_eq!(chat.told(), ("completed".into(), "ab".into()));
}

#[test]
fn a_stop_deletes_the_stream() {
    let mut chat = sent();
    chat.say(&text(41, "a"));
    chat.client.ask(steadystream::engine::inquiry::Question::Stop, "s");
    let orders = chat.client.written_orders();
    assert!(orders.contains(r#""path":"/chat/chats/s/stream","body":null,"how":"delete""#), "{orders}");
    chat.say(&envelope(42, "cancelled", json!({})));
    assert_eq!(chat.told(), ("cancelled".into(), "a".into()));
    assert_eq!(chat.client.state(chat.slot, "by"), "user");
}

// ---- what the stream does not bring ----

const IDLE: &str = r#"{"has_active_task":false,"message_id":null,"stream_id":null,"last_seq":0}"#;

fn active(message: &str, last_seq: u64) -> String {
    json!({ "has_active_task": true, "message_id": message, "stream_id": "x", "last_seq": last_seq }).to_string()
}

fn stored(seq: u64, kind: &str, payload: Value) -> Value {
    json!({ "chatId": "s", "messageId": "m", "streamId": "x", "seq": seq, "kind": kind, "payload": payload })
}

fn words(seq: u64, text: &str) -> Value {
    stored(seq, "assistant_text", json!({ "text": text }))
}

fn page(events: &[Value], has_more: bool) -> String {
    json!({ "events": events, "has_more": has_more }).to_string()
}

const PAGE: &str = "reply /chat/messages/m/events?after_seq=41&limit=500";
const STATUS: &str = "reply /chat/chats/s/status";

impl Talk {
    /// Two connections in a row have told 44 behind 41; the pages are asked.
    fn gapped() -> Self {
        let mut chat = sent();
        chat.say(&(text(41, "a") + &text(44, "d")));
        chat.expect("fetch /chat/chats/s/stream?after_seq=41");
        chat.accept();
        chat.say(&text(44, "d"));
        chat.expect_at_once(PAGE);
        chat
    }

    /// An open stream that has said so much, and beats from there on.
    fn quiet(said: &str) -> Self {
        let mut chat = sent();
        chat.say(said);
        chat
    }

    fn beat_for(&mut self, ms: u64) {
        for _ in 0..ms / 1_000 {
            self.client.wait(Millis(1_000));
            self.client.chunk(self.task, ": beat\n\n");
        }
    }

    fn assert_run_ended(&mut self, text: &str) {
        assert_eq!(self.told(), ("interrupted".into(), text.into()));
        let error = self.client.state(self.slot, "error");
        assert_eq!((&error["code"], &error["retryable"]), (&"run-ended".into(), &false.into()));
        assert!(self.client.orders().iter().all(|order| !matches!(order, Order::Open { .. })));
    }
}

#[test]
fn a_gap_that_comes_again_is_read_from_the_store_and_the_stream_goes_on_from_there() {
    let mut chat = Talk::gapped();
    chat.reply(200, &page(&[words(42, "b")], true));
    chat.expect_at_once("reply /chat/messages/m/events?after_seq=42&limit=500");
    chat.reply(200, &page(&[words(42, "b"), words(43, "c")], false));
    chat.expect_at_once("fetch /chat/chats/s/stream?after_seq=43");
    chat.accept();
    chat.say(&(text(44, "d") + &complete(45)));
    assert_eq!(chat.told(), ("completed".into(), "abcd".into()));
}

#[test]
fn a_store_that_has_the_end_needs_no_stream() {
    let mut chat = Talk::gapped();
    let end = stored(45, "complete", json!({ "status": "completed" }));
    chat.reply(200, &page(&[words(42, "b"), words(43, "c"), words(44, "d"), end], false));
    assert_eq!(chat.told(), ("completed".into(), "abcd".into()));
    assert!(chat.client.orders().iter().all(|order| !matches!(order, Order::Open { .. })));
}

#[test]
fn a_gap_that_nothing_fills_ends_a_run_that_is_over_at_once() {
    let end = stored(45, "complete", json!({ "status": "completed" }));
    for (status, body) in
        [(200, page(&[], false)), (200, page(&[end], false)), (404, String::new()), (200, "<html>".into())]
    {
        let mut chat = Talk::gapped();
        chat.reply(status, &body);
        chat.expect_at_once(STATUS);
        chat.reply(200, IDLE);
        chat.assert_run_ended("a");
    }
}

#[test]
fn a_gap_in_the_store_shows_what_is_in_front_of_it_and_no_more() {
    let mut chat = Talk::gapped();
    chat.reply(200, &page(&[words(42, "b"), words(44, "d")], true));
    chat.expect_at_once(STATUS);
    // Another one runs: ours does not.
    chat.reply(200, &active("m2", 60));
    chat.assert_run_ended("ab");
}

#[test]
fn a_gap_that_nothing_fills_yet_is_asked_for_until_the_run_is_over_or_the_budget_is_spent() {
    for is_over_at_last in [true, false] {
        let mut chat = Talk::gapped();
        let began = chat.client.now;
        let mut asked = 0;
        loop {
            chat.reply(200, &page(&[], false));
            chat.expect_at_once(STATUS);
            asked += 1;
            let is_over = is_over_at_last && asked == 3;
            chat.reply(200, if is_over { IDLE } else { r#"{"has_active_task":true,"message_id":"m","last_seq":50}"# });
            if chat.told().0 == "interrupted" {
                break;
            }
            assert_eq!(chat.told(), ("streaming".into(), "a".into()));
            chat.expect("fetch /chat/chats/s/stream?after_seq=41");
            chat.accept();
            chat.say(&text(44, "d"));
            chat.expect_at_once(PAGE);
        }
        if is_over_at_last {
            chat.assert_run_ended("a");
        } else {
            assert_eq!(chat.client.state(chat.slot, "error")["code"], "gave-up");
            assert!(chat.client.now - began >= 60_000 && asked < 20, "{asked} in {} ms", chat.client.now - began);
        }
    }
}

#[test]
fn rows_that_come_late_are_found() {
    let mut chat = Talk::gapped();
    chat.reply(200, &page(&[], false));
    chat.expect_at_once(STATUS);
    chat.reply(200, &active("m", 44));
    chat.expect("fetch /chat/chats/s/stream?after_seq=41");
    chat.accept();
    chat.say(&(text(42, "b") + &text(43, "c") + &text(44, "d") + &complete(45)));
    assert_eq!(chat.told(), ("completed".into(), "abcd".into()));
}

#[test]
fn a_store_that_cannot_be_asked_now_is_asked_again() {
    for status in [503, 0] {
        let mut chat = Talk::gapped();
        if status == 0 {
            chat.client.end(chat.task, End::Failed);
            chat.client.flush();
        } else {
            chat.reply(status, "");
        }
        chat.expect("fetch /chat/chats/s/stream?after_seq=41");
        chat.accept();
        chat.say(&text(44, "d"));
        chat.expect_at_once(PAGE);
        // Nor for ever.
        chat.client.wait(Millis(15_000));
        chat.client.flush();
        assert!(chat.client.orders().contains(&Order::Close(chat.task)));
        chat.expect("fetch /chat/chats/s/stream?after_seq=41");
    }
}

#[test]
fn a_stop_while_the_store_is_asked_is_the_users() {
    let mut chat = Talk::gapped();
    let now = chat.client.at();
    chat.client.host.command(chat.slot, now, |run| {
        run.stop(now);
        run.handle_stop_reply(204, now);
    });
    assert_eq!(chat.told(), ("cancelled".into(), "a".into()));
}

#[test]
fn a_gap_behind_a_stop_asks_nothing() {
    let mut chat = sent();
    chat.say(&(text(41, "a") + &text(44, "d")));
    chat.expect("fetch /chat/chats/s/stream?after_seq=41");
    chat.accept();
    let now = chat.client.at();
    chat.client.host.command(chat.slot, now, |run| run.stop(now));
    chat.say(&text(44, "d"));
    assert!(chat.client.orders().iter().all(|order| !matches!(order, Order::Open { .. })));
}

#[test]
fn a_transport_that_withholds_gives_way_to_the_next() {
    let transports = vec![Transport::EventSource, Transport::Fetch];
    let mut client = Client::new(Config { protocol: Protocol::Envelope, transports, ..steady() });
    let wish = Wish { session: "s".into(), run: Some("m".into()), cursor: Some("40".into()), ..Wish::default() };
    let slot = client.host.begin(wish, true, client.at());
    client.host.watch(slot, Pace::Frame);
    let order = client.orders().pop().unwrap();
    assert_eq!(order.says(), "eventsource /chat/chats/s/stream?after_seq=40");
    let mut chat = Talk { task: order.task(), client, slot };
    chat.accept();
    chat.client.wait(Millis(5_000));
    assert_eq!(chat.client.said(), [STATUS], "once");
    chat.task.0 += 1;
    chat.reply(200, &active("m", 42));
    chat.expect_at_once("fetch /chat/chats/s/stream?after_seq=40");
    chat.accept();
    chat.say(&(text(41, "a") + &complete(42)));
    assert_eq!(chat.told(), ("completed".into(), "a".into()));
}

#[test]
fn another_gap_after_new_events_is_first_asked_for_on_the_stream() {
    let mut chat = sent();
    chat.say(&(text(41, "a") + &text(43, "c")));
    for after in [41, 42, 43] {
        chat.expect(&format!("fetch /chat/chats/s/stream?after_seq={after}"));
        chat.accept();
        chat.say(&(text(after + 1, "x") + &text(after + 3, "y")));
    }
    chat.expect("fetch /chat/chats/s/stream?after_seq=44");
}

#[test]
fn an_open_stream_that_says_nothing_behind_an_ended_answer_ends_it() {
    for (said, held) in [(String::new(), ""), (text(41, "a"), "a")] {
        let mut chat = Talk::quiet(&said);
        if !held.is_empty() {
            chat.lose(End::Failed);
            chat.expect("fetch /chat/chats/s/stream?after_seq=41");
            chat.accept();
        }
        chat.beat_for(4_000);
        assert!(chat.client.orders().is_empty(), "not yet");
        chat.beat_for(1_000);
        chat.expect_at_once(STATUS);
        chat.reply(200, IDLE);
        chat.expect_at_once(&format!(
            "reply /chat/messages/m/events?after_seq={}&limit=500",
            if held.is_empty() { 40 } else { 41 }
        ));
        chat.reply(200, &page(&[], false));
        chat.assert_run_ended(held);
    }
}

#[test]
fn what_is_stored_behind_a_silent_stream_is_the_rest_of_the_answer() {
    let mut chat = Talk::quiet("");
    chat.beat_for(5_000);
    chat.expect_at_once(STATUS);
    chat.reply(404, "");
    chat.expect_at_once("reply /chat/messages/m/events?after_seq=40&limit=500");
    chat.reply(200, &page(&[words(41, "a"), stored(42, "error", json!({ "error": "no" }))], false));
    assert_eq!(chat.told(), ("failed".into(), "a".into()));
}

#[test]
fn a_silent_stream_of_an_answer_that_runs_is_waited_for_and_one_that_withholds_is_not() {
    let mut chat = Talk::quiet("");
    let stream = chat.task;
    chat.beat_for(5_000);
    chat.expect_at_once(STATUS);
    chat.reply(200, &active("m", 40));
    chat.task = stream;
    chat.beat_for(44_000);
    assert!(chat.client.orders().is_empty(), "a pause between two questions");
    chat.beat_for(1_000);
    chat.expect_at_once(STATUS);
    // Nobody answers: it stays open.
    chat.client.end(chat.task, End::Failed);
    chat.task = stream;
    chat.beat_for(45_000);
    chat.expect_at_once(STATUS);
    chat.reply(200, &active("m", 43));
    assert!(chat.client.orders().contains(&Order::Close(stream)));
    chat.expect("fetch /chat/chats/s/stream?after_seq=40");
    chat.accept();
    chat.say(&(text(41, "a") + &text(42, "b") + &complete(43)));
    assert_eq!(chat.told(), ("completed".into(), "ab".into()));
}

#[test]
fn a_stream_that_speaks_is_asked_nothing() {
    let mut chat = Talk::quiet("");
    for seq in 41..61 {
        chat.say(&text(seq, "x"));
        chat.beat_for(4_000);
    }
    assert!(chat.client.orders().is_empty());
}

/// The run `m`, joined at its beginning.
fn joined() -> Talk {
    let mut client = Client::new(Config { protocol: Protocol::Envelope, ..steady() });
    let wish = Wish { session: "s".into(), run: Some("m".into()), ..Wish::default() };
    let slot = client.host.begin(wish, true, client.at());
    client.host.watch(slot, Pace::Frame);
    let task = client.orders().pop().unwrap().task();
    let mut chat = Talk { client, slot, task };
    chat.accept();
    chat
}

#[test]
fn an_end_with_nothing_in_front_of_it_is_no_answer() {
    for kind in ["complete", "cancelled", "queue_processing"] {
        let mut chat = joined();
        chat.say(&envelope(44, kind, json!({})));
        chat.assert_run_ended("");
    }
    let mut failed = joined();
    failed.say(&envelope(44, "error", json!({ "error": "no model" })));
    assert_eq!(failed.told(), ("failed".into(), String::new()));
    let mut stopped = joined();
    let now = stopped.client.at();
    stopped.client.host.command(stopped.slot, now, |run| run.stop(now));
    stopped.say(&envelope(44, "cancelled", json!({})));
    assert_eq!(stopped.told(), ("cancelled".into(), String::new()));
}

/// A chat's server of which the stream leaves envelopes out, again and again, and whose rows may be gone.
struct Leaky {
    rng: Rng,
    events: Vec<Value>,
    /// How many there are so far.
    told: usize,
    /// Whether what is stored goes when the answer is over, and whether it can be had before that.
    prunes: bool,
    stores: bool,
}

impl Leaky {
    fn new(seed: u64) -> Self {
        let mut rng = Rng::seeded(seed);
        let count = 5 + rng.up_to(40);
        let mut events: Vec<Value> = (0..count).map(|n| words(41 + n, &format!("{n} "))).collect();
        events.push(match rng.up_to(1) {
            0 => stored(41 + count, "complete", json!({})),
            _ => stored(41 + count, "error", json!({ "error": "no" })),
        });
        Self { prunes: rng.up_to(1) == 0, stores: rng.up_to(3) > 0, rng, events, told: 0 }
    }

    fn is_over(&self) -> bool {
        self.told == self.events.len()
    }

    fn behind(&self, seq: u64) -> Vec<Value> {
        let is_pruned = self.prunes && self.is_over();
        let left = |event: &&Value| {
            !is_pruned || (event["seq"] == 41 + self.events.len() as u64 - 1 && event["kind"] == "complete")
        };
        let known = self.events.iter().take(self.told).filter(left);
        known.filter(|event| event["seq"].as_u64().is_some_and(|at| at > seq)).cloned().collect()
    }

    /// What a connection from here tells before it breaks or falls silent.
    fn stream(&mut self, seq: u64) -> String {
        let leaves_out = self.rng.up_to(4);
        let most = self.rng.up_to(20) as usize;
        let told = self.behind(seq);
        let kept = told.iter().enumerate().filter(|(n, _)| leaves_out == 0 || *n as u64 != leaves_out - 1);
        kept.take(most).map(|(_, event)| format!("id: {}\ndata: {event}\n\n", event["seq"])).collect()
    }

    fn page(&mut self, seq: u64) -> (u16, String) {
        if !self.stores {
            return (404, String::new());
        }
        let all = self.behind(seq);
        let most = 1 + self.rng.up_to(9) as usize;
        match self.rng.up_to(9) {
            0 => (503, String::new()),
            1 => (200, r#"{"events":["#.into()),
            _ => (200, page(&all[..all.len().min(most)], all.len() > most)),
        }
    }

    fn status(&mut self) -> (u16, String) {
        match self.rng.up_to(9) {
            0 => (500, String::new()),
            _ if self.is_over() => (200, IDLE.into()),
            _ => (200, active("m", 40 + self.told as u64)),
        }
    }
}

#[test]
fn whatever_a_stream_leaves_out_a_run_settles_with_what_the_server_said_up_to_some_point() {
    let mut ends = std::collections::BTreeMap::new();
    for seed in 0..3_000 {
        let mut server = Leaky::new(seed);
        let whole: String = (0..server.events.len() - 1).map(|n| format!("{n} ")).collect();
        let mut chat = sent();
        let mut stream = Some((chat.task, 40));
        let mut is_known_over = false;
        for _ in 0..2_000 {
            let spoken = server.rng.up_to(6) as usize;
            server.told = (server.told + spoken).min(server.events.len());
            if let Some((task, seq)) = stream.take() {
                let said = server.stream(seq);
                chat.client.chunk(task, &said);
                if server.rng.up_to(3) > 0 {
                    chat.client.end(task, if server.rng.up_to(1) == 0 { End::Ended } else { End::Failed });
                }
            }
            for order in chat.client.orders() {
                let Order::Open { task, path, via, .. } = &order else { continue };
                let seq = path
                    .split_once("after_seq=")
                    .map_or(0, |(_, seq)| seq.trim_end_matches("&limit=500").parse().unwrap());
                is_known_over = false;
                let (status, body) = match path.as_str() {
                    _ if via == "fetch" => {
                        chat.client.head(*task, 200, "text/event-stream");
                        stream = Some((*task, seq));
                        continue;
                    }
                    path if path.contains("/events?") => server.page(seq),
                    _ => server.status(),
                };
                is_known_over = body == IDLE;
                chat.client.reply(*task, status, &body);
            }
            chat.client.flush();
            if chat.client.status(chat.slot) != "streaming" && chat.client.status(chat.slot) != "pending" {
                break;
            }
            if stream.is_none() {
                chat.client.wait(Millis(500));
            }
        }
        let (status, text) = chat.told();
        let is_whole = text == whole;
        assert!(whole.starts_with(&text), "{seed}: {text:?} of {whole:?}");
        let code = chat.client.state(chat.slot, "error")["code"].as_str().unwrap_or_default().to_owned();
        match status.as_str() {
            "completed" | "failed" => assert!(is_whole, "{seed}: {text:?} of {whole:?}"),
            "interrupted" => assert!(code == "run-ended" || (code == "gave-up" && !is_known_over), "{seed}: {code}"),
            other => panic!("{seed}: {other} after 1000 s"),
        }
        *ends.entry((status, code)).or_insert(0) += 1;
    }
    let count = |status: &str, code: &str| ends.get(&(status.to_owned(), code.to_owned())).copied().unwrap_or(0);
    assert!(count("completed", "") > 500 && count("failed", "server-error") > 500, "{ends:?}");
    assert!(count("interrupted", "run-ended") > 300, "{ends:?}");
}
