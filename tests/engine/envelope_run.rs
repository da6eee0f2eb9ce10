//! A message of a chat whose envelopes are numbered through (PROTOCOLS 2): what is missing is noticed, what is another message's is
//! not ours, and what is held is never asked for again.

use crate::support::client::{Client, Order, steady};
use serde_json::{Value, json};
use steadystream::engine::config::Config;
use steadystream::engine::host::{End, Pace, Task};
use steadystream::engine::protocol::Protocol;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;

struct Chat {
    client: Client,
    slot: u32,
    task: Task,
}

fn client() -> Client {
    Client::new(Config { protocol: Protocol::Envelope, ..steady() })
}

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

impl Chat {
    /// Sent, and named `m` by a server whose chat has had 40 envelopes.
    fn sent() -> Self {
        let mut client = client();
        let slot = client.send("s", r#"{"prompt":"Hello","chat_id":"s"}"#);
        client.host.watch(slot, Pace::Frame);
        let task = client.orders().pop().unwrap().task();
        let mut chat = Self { client, slot, task };
        chat.client.reply(chat.task, 200, r#"{"chat_id":"s","message_id":"m","last_seq":40}"#);
        chat.expect("fetch /chat/chats/s/stream?after_seq=40");
        chat.client.head(chat.task, 200, "text/event-stream");
        chat
    }

    fn say(&mut self, text: &str) {
        self.client.chunk(self.task, text);
        self.client.flush();
    }

    fn lose(&mut self) {
        self.client.end(self.task, End::Failed);
        self.client.flush();
    }

    fn flushed(&mut self) {
        self.client.flush();
    }

    fn expect(&mut self, request: &str) {
        for _ in 0..40 {
            let orders = self.client.orders();
            if let Some(open) = orders.iter().find(|order| matches!(order, Order::Open { .. })) {
                assert_eq!(open.says(), request);
                self.task = open.task();
                return;
            }
            self.client.wait(Millis(1_000));
            self.client.flush();
        }
        panic!("nothing was asked for");
    }

    fn end(&mut self) -> (String, String) {
        self.client.flush();
        (self.client.status(self.slot), self.client.page(self.slot).answer())
    }
}

#[test]
fn an_answer_comes_behind_what_its_chat_has_had() {
    let mut chat = Chat::sent();
    chat.say(&(envelope(41, "stream_started", json!({ "status": "started" })) + &text(42, "Hel") + &text(43, "lo")));
    chat.say(&complete(44));
    assert_eq!(chat.end(), ("completed".into(), "Hello".into()));
    assert_eq!(chat.client.state(chat.slot, "runId"), "m");
    assert_eq!(chat.client.state(chat.slot, "cursor"), "44");
}

#[test]
fn a_lost_connection_goes_on_behind_what_is_held() {
    let mut chat = Chat::sent();
    chat.say(&(text(41, "a") + &text(42, "b")));
    chat.lose();
    chat.expect("fetch /chat/chats/s/stream?after_seq=42");
    chat.client.head(chat.task, 200, "text/event-stream");
    // Some of it comes again.
    chat.say(&(text(42, "b") + &text(43, "c") + &complete(44)));
    assert_eq!(chat.end(), ("completed".into(), "abc".into()));
}

#[test]
fn a_number_that_is_missing_is_asked_for() {
    let mut chat = Chat::sent();
    chat.say(&(text(41, "a") + &text(43, "c")));
    assert_eq!(chat.end(), ("streaming".into(), "a".into()));
    chat.expect("fetch /chat/chats/s/stream?after_seq=41");
    chat.client.head(chat.task, 200, "text/event-stream");
    chat.say(&(text(42, "b") + &text(43, "c") + &complete(44)));
    assert_eq!(chat.end(), ("completed".into(), "abc".into()));
}

#[test]
fn another_message_of_the_chat_is_none_of_ours_and_leaves_no_gap() {
    let mut chat = Chat::sent();
    chat.say(&(of("other", 41, "assistant_text", json!({ "text": "x" })) + &of("other", 42, "complete", json!({}))));
    chat.say(&(text(43, "a") + &complete(44)));
    assert_eq!(chat.end(), ("completed".into(), "a".into()));
}

#[test]
fn the_next_turn_ends_this_one_and_says_who_goes_on() {
    let mut chat = Chat::sent();
    chat.say(&(text(41, "a") + &envelope(42, "queue_processing", json!({ "assistant_message_id": "m2" }))));
    assert_eq!(chat.end(), ("completed".into(), "a".into()));
}

#[test]
fn a_failure_at_the_very_beginning_is_told() {
    let mut chat = Chat::sent();
    chat.say(&envelope(41, "error", json!({ "error": "no such model" })));
    assert_eq!(chat.end(), ("failed".into(), String::new()));
    assert_eq!(chat.client.state(chat.slot, "error")["detail"], "no such model");
}

#[test]
fn tools_thoughts_usage_and_questions_are_parts_like_any() {
    let mut chat = Chat::sent();
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
    assert_eq!(chat.end().0, "waiting");
    let page = chat.client.page(chat.slot);
    assert_eq!(page.usage.as_ref().unwrap()["tokens_used"], 7);
    let parts = page.raw_parts();
    assert_eq!(parts[1]["arguments"], r#"{"q":"a\"b"}"#);
    assert_eq!((&parts[1]["result"], &parts[1]["state"]), (&r#"[1,"x"]"#.into(), &"done".into()));
    assert_eq!(parts[2]["interrupt"]["tool_name"], "rm");
}

#[test]
fn whoever_comes_later_asks_what_runs_and_reads_it_from_the_start() {
    let mut client = client();
    let slot = client.host.begin(Wish { session: "s".into(), ..Wish::default() }, true, client.at());
    client.host.watch(slot, Pace::Frame);
    let order = client.orders().pop().unwrap();
    assert_eq!(order.says(), "reply /chat/chats/s/status");
    let mut chat = Chat { task: order.task(), client, slot };
    chat.client.reply(chat.task, 200, r#"{"has_active_task":true,"message_id":"m","stream_id":"x","last_seq":43}"#);
    chat.expect("fetch /chat/chats/s/stream?after_seq=0");
    chat.client.head(chat.task, 200, "text/event-stream");
    // What came before is cleared away: the first number is whatever is left.
    chat.say(&of("old", 39, "complete", json!({})));
    for (seq, after) in [(40, 39), (41, 40)] {
        // A stream ends behind each message (A-SRV-2), and nobody waits for the next.
        chat.client.end(chat.task, End::Ended);
        chat.flushed();
        let asked = chat.client.orders();
        let open = asked.iter().find(|order| matches!(order, Order::Open { .. })).expect("asked at once");
        assert_eq!(open.says(), format!("fetch /chat/chats/s/stream?after_seq={after}"));
        chat.task = open.task();
        chat.client.head(chat.task, 200, "text/event-stream");
        if seq == 40 {
            chat.say(&of("older", 40, "cancelled", json!({})));
        }
    }
    chat.say(&(text(41, "a") + &text(42, "b") + &complete(43)));
    assert_eq!(chat.end(), ("completed".into(), "ab".into()));
}

#[test]
fn a_stop_deletes_the_stream() {
    let mut chat = Chat::sent();
    chat.say(&text(41, "a"));
    chat.client.ask(steadystream::engine::inquiry::Question::Stop, "s");
    let orders = chat.client.written_orders();
    assert!(orders.contains(r#""path":"/chat/chats/s/stream","body":null,"how":"delete""#), "{orders}");
    chat.say(&envelope(42, "cancelled", json!({})));
    assert_eq!(chat.end(), ("cancelled".into(), "a".into()));
    assert_eq!(chat.client.state(chat.slot, "by"), "user");
}
