//! An answer among the rows of its session's stream (PROTOCOLS 3): which rows are its own, what is held is never doubled, what is
//! missing is asked for again, and nothing that the stream is silent about leaves it hanging.

use crate::support::Talk;
use crate::support::client::{Client, Order, steady};
use proptest::prelude::*;
use serde_json::{Value, json};
use steadystream::engine::config::Config;
use steadystream::engine::host::{End, Pace};
use steadystream::engine::inquiry::Question;
use steadystream::engine::protocol::Protocol;
use steadystream::engine::run::Wish;
use steadystream::engine::time::Millis;

const BODY: &str = r#"{"messageId":"q","content":"Hello","role":"user","txid":"q"}"#;

fn row_of(message: &str, role: &str, seq: u64, chunk: &Value) -> String {
    let value = json!({
        "messageId": message, "actorId": "a", "role": role, "chunk": chunk.to_string(), "seq": seq,
        "createdAt": "2026-01-01T00:00:00.000Z",
    });
    json!({ "type": "chunk", "key": format!("{message}:{seq}"), "value": value, "headers": { "txid": "t" } })
        .to_string()
}

fn row(seq: u64, chunk: &Value) -> String {
    row_of("m", "assistant", seq, chunk)
}

fn text(seq: u64, text: &str) -> String {
    row(seq, &json!({ "type": "TEXT_MESSAGE_CONTENT", "messageId": "t", "delta": text }))
}

fn end(seq: u64) -> String {
    row(seq, &json!({ "type": "message-end" }))
}

fn question() -> String {
    row_of("q", "user", 0, &json!({ "type": "whole-message", "message": { "id": "q", "role": "user" } }))
}

fn data(rows: &[String]) -> String {
    format!("event: data\ndata: [{}]\n\n", rows.join(","))
}

fn mark(offset: &str, is_up_to_date: bool) -> String {
    let mut mark = json!({ "streamNextOffset": offset, "streamCursor": "12" });
    if is_up_to_date {
        mark["upToDate"] = true.into();
    }
    format!("event: control\ndata: {mark}\n\n")
}

/// Sent, and taken by a server that says where to read on.
fn sent() -> Talk {
    let mut chat = Talk::send(Protocol::Chunks, BODY, "reply /sessions/s/messages");
    chat.reply(200, r#"{"messageId":"q","offset":"0_4"}"#);
    chat.expect_at_once("fetch /stream/sessions/s?live=sse&offset=0_4");
    chat.accept();
    // What another answer, which a newer one replaces, still has to say (S-RUN-1).
    let old = [row_of("old", "assistant", 7, &json!({ "type": "stop" })), question()];
    chat.say(&(data(&old) + &mark("0_5", true)));
    chat
}

/// The message `m`, whoever made it.
fn opened(cursor: Option<&str>) -> Talk {
    let wish = Wish { session: "s".into(), run: Some("m".into()), cursor: cursor.map(Into::into), ..Wish::default() };
    let offset = cursor.map_or("-1", |cursor| cursor.split('/').next().unwrap());
    let mut chat = Talk::begin(Protocol::Chunks, wish, &format!("fetch /stream/sessions/s?live=sse&offset={offset}"));
    chat.accept();
    chat
}

#[test]
fn the_answer_is_the_message_that_begins_behind_what_was_sent() {
    let mut chat = sent();
    chat.say(&data(&[row_of("old", "assistant", 8, &json!({ "type": "message-end" }))]));
    assert_eq!((chat.told().0.as_str(), chat.client.state(chat.slot, "runId")), ("pending", Value::Null));
    chat.say(&(data(&[text(0, "Hel"), text(1, "lo")]) + &mark("0_8", true)));
    assert_eq!(chat.told(), ("streaming".into(), "Hello".into()));
    assert_eq!(chat.client.state(chat.slot, "cursor"), "0_8");
    chat.say(&data(&[end(2), row_of("m2", "assistant", 0, &json!({ "type": "content", "delta": "next" }))]));
    assert_eq!(chat.told(), ("completed".into(), "Hello".into()));
    assert_eq!(chat.client.state(chat.slot, "runId"), "m");
    chat.assert_nothing_follows();
}

#[test]
fn a_server_that_says_no_offset_is_read_from_the_beginning() {
    let mut chat = Talk::send(Protocol::Chunks, BODY, "reply /sessions/s/messages");
    chat.reply(200, r#"{"messageId":"q"}"#);
    chat.expect_at_once("fetch /stream/sessions/s?live=sse&offset=-1");
    chat.accept();
    let before = row_of("old", "assistant", 0, &json!({ "type": "content", "delta": "before" }));
    chat.say(&(data(&[before]) + &mark("0_3", false) + &data(&[question()]) + &mark("0_5", false)));
    assert_eq!(chat.client.state(chat.slot, "cursor"), Value::Null, "nothing is held yet");
    chat.lose(End::Failed);
    // In front of the question, until its answer has a name.
    chat.expect("fetch /stream/sessions/s?cursor=12&live=sse&offset=0_3");
    chat.accept();
    chat.say(&data(&[
        question(),
        row_of("q2", "user", 0, &json!({ "type": "whole-message" })),
        text(0, "Hello"),
        end(1),
    ]));
    assert_eq!(chat.told(), ("completed".into(), "Hello".into()));
}

#[test]
fn a_lost_connection_goes_on_behind_its_offset_and_doubles_nothing() {
    let mut chat = sent();
    chat.say(&(data(&[text(0, "a")]) + &mark("0_6", true) + &data(&[text(1, "b"), text(2, "c")])));
    assert_eq!(chat.told(), ("streaming".into(), "abc".into()));
    assert_eq!(chat.client.state(chat.slot, "cursor"), "0_6/3", "what is held is more than the offset says");
    chat.lose(End::Failed);
    chat.expect("fetch /stream/sessions/s?cursor=12&live=sse&offset=0_6");
    chat.accept();
    chat.say(&data(&[text(1, "b"), text(2, "c"), text(3, "d"), end(4)]));
    assert_eq!(chat.told(), ("completed".into(), "abcd".into()));
}

#[test]
fn an_end_in_good_order_is_followed_at_once_if_the_stream_has_moved() {
    let mut chat = sent();
    chat.say(&(data(&[text(0, "a")]) + &mark("0_6", true)));
    chat.lose(End::Ended);
    chat.expect_at_once("fetch /stream/sessions/s?cursor=12&live=sse&offset=0_6");
    chat.accept();
    chat.say(&mark("0_6", true));
    chat.lose(End::Ended);
    let orders = chat.client.orders();
    assert!(!orders.iter().any(|order| matches!(order, Order::Open { via, .. } if via == "fetch")), "{orders:?}");
}

#[test]
fn a_number_that_is_missing_is_asked_for() {
    let mut chat = sent();
    chat.say(&(data(&[text(0, "a"), text(2, "c"), text(3, "d")]) + &mark("0_9", true)));
    assert_eq!(chat.told(), ("streaming".into(), "a".into()));
    chat.expect("fetch /stream/sessions/s?cursor=12&live=sse&offset=0_5");
    chat.accept();
    chat.say(&data(&[text(0, "a"), text(1, "b"), text(2, "c"), end(3)]));
    assert_eq!(chat.told(), ("completed".into(), "abc".into()));
}

#[test]
fn a_frame_that_is_lost_is_looked_for_where_it_was() {
    let mut chat = sent();
    chat.say(&(data(&[text(0, "a")]) + &mark("0_6", true)));
    // The frame between the two marks never came.
    chat.say(&(mark("0_7", false) + &data(&[text(2, "c")]) + &mark("0_8", true)));
    chat.expect("fetch /stream/sessions/s?cursor=12&live=sse&offset=0_5");
    chat.accept();
    chat.say(&data(&[text(0, "a"), text(1, "b"), text(2, "c"), end(3)]));
    assert_eq!(chat.told(), ("completed".into(), "abc".into()));
}

#[test]
fn a_hole_that_nobody_fills_is_no_success() {
    let mut chat = sent();
    for _ in 0..200 {
        chat.say(&data(&[text(0, "a"), text(2, "c"), end(3)]));
        if chat.told().0 == "interrupted" {
            assert_eq!(chat.end().1.as_deref(), Some("gave-up"));
            return assert_eq!(chat.text(), "a");
        }
        for _ in 0..40 {
            let orders = chat.client.orders();
            let Some(open) = orders.iter().rev().find(|order| matches!(order, Order::Open { .. })) else {
                chat.client.wait(Millis(1_000));
                continue;
            };
            chat.task = open.task();
            if open.says() == "reply /sessions/s" {
                chat.reply(200, r#"{"sessionId":"s","activeMessageId":"m"}"#);
            } else {
                chat.accept();
                break;
            }
        }
    }
    panic!("it was tried for ever");
}

#[test]
fn a_row_that_cannot_be_read_is_passed_and_counted() {
    let mut chat = sent();
    chat.say(&data(&[
        text(0, "a"),
        row(1, &json!({ "type": "TEXT_MESSAGE_CONTENT" })),
        row(2, &json!(7)),
        text(3, "b"),
    ]));
    chat.say(&data(&[end(4)]));
    assert_eq!(chat.told(), ("completed".into(), "ab".into()));
}

#[test]
fn a_reset_makes_void_what_came_before_it() {
    let mut chat = opened(None);
    let reset = json!({ "headers": { "control": "reset" } }).to_string();
    chat.say(&data(&[text(0, "void"), text(1, "!")]));
    chat.say(&data(std::slice::from_ref(&reset)));
    assert_eq!(chat.told(), ("streaming".into(), String::new()));
    // A server counts anew.
    chat.say(&data(&[text(0, "a"), text(1, "b")]));
    chat.lose(End::Failed);
    chat.expect("fetch /stream/sessions/s?live=sse&offset=-1");
    chat.accept();
    chat.say(&data(&[text(0, "void"), text(1, "!"), reset, text(0, "a"), text(1, "b"), text(2, "c"), end(3)]));
    assert_eq!(chat.told(), ("completed".into(), "abc".into()));
}

#[test]
fn behind_a_cursor_only_what_is_not_held_is_told() {
    for cursor in ["0_6/3", "0_6"] {
        let mut chat = opened(Some(cursor));
        let rows = [text(1, "b"), text(2, "c"), text(3, "d"), end(4)];
        chat.say(&data(if cursor == "0_6/3" { &rows } else { &rows[2..] }));
        assert_eq!(chat.told(), ("completed".into(), "d".into()), "{cursor}");
    }
}

#[test]
fn what_a_page_has_kept_is_gone_on_with() {
    let mut chat = sent();
    chat.say(&(data(&[text(0, "a")]) + &mark("0_6", true) + &data(&[text(1, "b")])));
    let kept = chat.client.host.store(chat.slot, |kept| String::from_utf8(kept.to_vec()).unwrap());
    let wish = Wish { session: "s".into(), held: Some(kept), ..Wish::default() };
    let mut later = Talk::begin(Protocol::Chunks, wish, "fetch /stream/sessions/s?live=sse&offset=0_6");
    later.accept();
    later.client.flush();
    assert_eq!(later.client.state(later.slot, "cursor"), "0_6/2");
    later.say(&data(&[text(1, "b"), text(2, "c"), end(3)]));
    assert_eq!(later.told(), ("completed".into(), "abc".into()));
}

#[test]
fn a_message_that_is_not_there_is_not_waited_for() {
    let mut chat = opened(None);
    let other = [row_of("other", "assistant", 0, &json!({ "type": "content", "delta": "x" }))];
    chat.say(&(data(&other) + &mark("0_6", true)));
    chat.expect_at_once("reply /sessions/s");
    chat.reply(200, r#"{"sessionId":"s","activeMessageId":null}"#);
    // What was written meanwhile, or lost, is read before anything is decided.
    chat.expect_at_once("fetch /stream/sessions/s?cursor=12&live=sse&offset=-1");
    chat.accept();
    chat.say(&mark("0_6", true));
    assert_eq!(chat.end(), ("interrupted".into(), Some("run-not-found".into())));
    chat.assert_nothing_follows();
}

#[test]
fn an_end_that_was_written_just_now_counts() {
    let mut chat = opened(Some("0_6"));
    chat.say(&mark("0_6", true));
    chat.expect_at_once("reply /sessions/s");
    chat.reply(404, r#"{"error":"no","code":"SESSION_NOT_FOUND"}"#);
    chat.expect_at_once("fetch /stream/sessions/s?cursor=12&live=sse&offset=0_6");
    chat.accept();
    chat.say(&(data(&[text(3, "d"), end(4)]) + &mark("0_8", true)));
    assert_eq!(chat.told(), ("completed".into(), "d".into()));
}

#[test]
fn a_message_that_lives_or_of_which_nobody_knows_is_waited_for() {
    for reply in [r#"{"activeMessageId":"m"}"#, r#"{"sessionId":"s"}"#] {
        let mut chat = opened(None);
        let stream = chat.task;
        chat.say(&mark("0_6", true));
        chat.expect_at_once("reply /sessions/s");
        chat.reply(200, reply);
        chat.task = stream;
        chat.say(&(mark("0_6", true) + &data(&[text(0, "a"), end(1)])));
        assert_eq!(chat.told(), ("completed".into(), "a".into()), "{reply}");
    }
}

#[test]
fn an_answer_that_has_not_begun_is_waited_for() {
    let mut chat = sent();
    let mut asked = 0;
    for _ in 0..12 {
        chat.lose(End::Ended);
        if chat.wait_for_request().unwrap() == "reply /sessions/s" {
            asked += 1;
            chat.reply(200, r#"{"sessionId":"s","activeMessageId":null}"#);
        }
        chat.accept();
        chat.say(&(data(&[question()]) + &mark("0_5", true)));
        assert_eq!(chat.end(), ("pending".into(), None));
    }
    assert!(asked > 0, "connections that bring nothing are doubted");
    chat.say(&data(&[text(0, "Hello"), end(1)]));
    assert_eq!(chat.told(), ("completed".into(), "Hello".into()));
}

#[test]
fn a_message_may_be_sent_again_without_a_question() {
    for (status, body) in [(0, ""), (503, ""), (500, r#"{"error":"x","code":"WRITE_FAILED"}"#), (200, r#"{"mess"#)] {
        let mut chat = Talk::send(Protocol::Chunks, BODY, "reply /sessions/s/messages");
        match status {
            0 => chat.lose(End::Failed),
            _ => chat.reply(status, body),
        }
        chat.expect("reply /sessions/s/messages");
        chat.reply(200, r#"{"messageId":"q"}"#);
        chat.expect_at_once("fetch /stream/sessions/s?live=sse&offset=-1");
        chat.accept();
        chat.say(&data(&[question(), text(0, "Hello"), end(1)]));
        assert_eq!(chat.told(), ("completed".into(), "Hello".into()), "{status}");
    }
}

#[test]
fn a_session_that_was_never_made_is_made_once() {
    for body in [r#"{"error":"Session not found","code":"SESSION_NOT_FOUND","sessionId":"s"}"#, "404 page not found"] {
        let mut chat = Talk::send(Protocol::Chunks, BODY, "reply /sessions/s/messages");
        chat.reply(404, body);
        let order = chat.client.written_orders();
        assert!(order.contains(r#""path":"/sessions/s","body":null,"how":"put""#), "{order}");
        chat.task = steadystream::engine::host::Task(chat.task.0 + 1);
        chat.reply(201, r#"{"sessionId":"s","streamUrl":"/v1/stream/sessions/s"}"#);
        chat.expect_at_once("reply /sessions/s/messages");
        chat.reply(404, body);
        assert_eq!(chat.end(), ("failed".into(), Some("http-status".into())), "and not again");
        chat.assert_nothing_follows();
    }
}

#[test]
fn a_refusal_has_the_servers_own_name_for_it() {
    for (status, code) in [(409, "GENERATION_MISMATCH"), (404, "ACTOR_NOT_FOUND"), (400, "INVALID_BODY")] {
        let mut chat = Talk::send(Protocol::Chunks, BODY, "reply /sessions/s/messages");
        chat.reply(status, &json!({ "error": "No.", "code": code, "sessionId": "s" }).to_string());
        assert_eq!(chat.end(), ("failed".into(), Some("http-status".into())));
        let error = chat.client.state(chat.slot, "error");
        assert_eq!(
            (&error["status"], &error["serverCode"], &error["detail"]),
            (&status.into(), &code.into(), &"No.".into())
        );
        assert_eq!(error["retryable"], false);
        chat.assert_nothing_follows();
    }
}

#[test]
fn a_stop_that_stops_nothing_is_a_stop_all_the_same() {
    let mut chat = sent();
    chat.say(&data(&[text(0, "a")]));
    chat.client.ask(Question::Stop, "s");
    let order = chat.client.orders().pop().unwrap();
    assert_eq!(order.says(), "reply /sessions/s/stop");
    assert!(matches!(&order, Order::Open { body: Some(body), .. } if body == r#"{"messageId":null}"#));
    chat.client.reply(order.task(), 204, "");
    // The server goes on as if nothing had been said.
    chat.say(&data(&[text(1, "b")]));
    chat.client.wait(Millis(1_000));
    assert_eq!(chat.told(), ("cancelled".into(), "ab".into()));
    assert_eq!(chat.client.state(chat.slot, "by"), "user");
    chat.assert_nothing_follows();
}

#[test]
fn whoever_comes_later_asks_what_runs() {
    let mut chat = Talk::attach(Protocol::Chunks, "reply /sessions/s");
    chat.reply(200, r#"{"sessionId":"s","activeMessageId":"m"}"#);
    chat.expect_at_once("fetch /stream/sessions/s?live=sse&offset=-1");
    chat.accept();
    chat.say(&data(&[row_of("old", "assistant", 0, &json!({ "type": "message-end" })), text(0, "Hello"), end(1)]));
    assert_eq!(chat.told(), ("completed".into(), "Hello".into()));
    let mut chat = Talk::attach(Protocol::Chunks, "reply /sessions/s");
    chat.reply(200, r#"{"sessionId":"s","activeMessageId":null}"#);
    assert_eq!(chat.end(), ("interrupted".into(), Some("run-not-found".into())));
}

#[test]
fn each_end_is_one_of_three() {
    for (chunk, status) in [
        (json!({ "type": "message-end" }), "completed"),
        (json!({ "type": "RUN_FINISHED", "finishReason": "length" }), "completed"),
        (json!({ "type": "stop", "reason": "aborted" }), "cancelled"),
        (json!({ "type": "RUN_ERROR", "error": { "message": "no such model" } }), "failed"),
        (json!({ "type": "error", "error": "no such model" }), "failed"),
    ] {
        let mut chat = sent();
        chat.say(&data(&[row(0, &chunk), text(1, "late")]));
        assert_eq!(chat.told(), (status.into(), String::new()), "{chunk}");
        if status == "failed" {
            assert_eq!(chat.client.state(chat.slot, "error")["detail"], "no such model");
        }
        chat.assert_nothing_follows();
    }
}

#[test]
fn thoughts_tools_and_costs_are_told_as_they_are() {
    let mut chat = sent();
    let chunks = [
        json!({ "type": "RUN_STARTED", "runId": "r" }),
        json!({ "type": "STEP_FINISHED", "stepId": "1", "delta": "hm" }),
        json!({ "type": "TOOL_CALL_START", "toolCallId": "c", "toolName": "sql" }),
        json!({ "type": "TOOL_CALL_ARGS", "toolCallId": "c", "delta": "{\"q\":\"\u{e9}\\\"" }),
        json!({ "type": "TOOL_CALL_ARGS", "toolCallId": "c", "delta": "x\"}" }),
    ];
    let rows: Vec<String> = (0..).zip(&chunks).map(|(seq, chunk)| row(seq, chunk)).collect();
    chat.say(&data(&rows));
    let part = |chat: &mut Talk| chat.client.page(chat.slot).raw_parts()[1].clone();
    let running = part(&mut chat);
    assert_eq!((&running["arguments"], &running["state"]), (&"{\"q\":\"\u{e9}\\\"x\"}".into(), &"running".into()));
    let chunks = [
        json!({ "type": "TOOL_CALL_END", "toolCallId": "c", "toolName": "sql", "input": { "q": "\u{e9}\"x" } }),
        json!({ "type": "RUN_FINISHED", "finishReason": "tool_calls", "usage": { "totalTokens": 3 } }),
        json!({ "type": "TOOL_CALL_END", "toolCallId": "c", "toolName": "", "result": "42" }),
        json!({ "type": "TEXT_MESSAGE_CONTENT", "delta": "So" }),
        json!({ "type": "TEXT_MESSAGE_END" }),
        json!({ "type": "TEXT_MESSAGE_CONTENT", "delta": "42" }),
        json!({ "type": "RUN_FINISHED", "finishReason": "stop", "usage": { "totalTokens": 9 } }),
    ];
    let rows: Vec<String> = (5..).zip(&chunks).map(|(seq, chunk)| row(seq, chunk)).collect();
    chat.say(&data(&rows[..2]));
    assert_eq!(chat.client.page(chat.slot).usage.as_ref().unwrap()["totalTokens"], 3);
    chat.say(&data(&rows[2..]));
    assert_eq!(chat.told().0, "completed");
    let ended = part(&mut chat);
    assert_eq!((&ended["name"], &ended["result"], &ended["state"]), (&"sql".into(), &"42".into(), &"done".into()));
    assert_eq!(ended["arguments"], "{\"q\":\"\u{e9}\\\"x\"}");
    let page = chat.client.page(chat.slot);
    assert_eq!(page.usage.as_ref().unwrap()["totalTokens"], 9);
    let kinds: Vec<Value> = page.raw_parts().iter().map(|part| part["type"].clone()).collect();
    assert_eq!(kinds, ["reasoning", "tool", "text", "text"], "the end of a text is the end of a block");
}

#[test]
fn a_question_is_waited_on() {
    let mut chat = sent();
    chat.say(&data(&[row(0, &json!({ "type": "approval-requested", "toolCallId": "c", "approval": { "id": "a" } }))]));
    assert_eq!(chat.told().0, "waiting");
    chat.say(&data(&[
        row_of("u", "user", 0, &json!({ "type": "approval-response", "approvalId": "a" })),
        text(1, "ok"),
    ]));
    assert_eq!(chat.told(), ("streaming".into(), "ok".into()));
}

#[test]
fn a_message_may_be_told_at_once() {
    let mut chat = opened(None);
    let parts = json!([{ "type": "text", "content": "Hel" }, { "type": "text", "content": "lo" }]);
    chat.say(&data(&[row(0, &json!({ "type": "whole-message", "message": { "id": "m", "parts": parts } }))]));
    assert_eq!(chat.told(), ("completed".into(), "Hello".into()));
}

#[test]
fn whoever_listens_hears_rows_and_what_could_not_be_read() {
    let mut client = Client::new(Config { protocol: Protocol::Chunks, ..steady() });
    let wish = Wish { session: "s".into(), run: Some("m".into()), listen: true, ..Wish::default() };
    let slot = client.host.begin(wish, false, client.at());
    client.host.watch(slot, Pace::Frame);
    let task = client.orders().pop().unwrap().task();
    let mut chat = Talk { client, slot, task };
    chat.accept();
    chat.say(&data(&[text(0, "a"), row(1, &json!([])), row_of("x", "user", 0, &json!({})), end(2)]));
    let events = &chat.client.page(slot).events;
    assert_eq!(
        events.iter().map(|event| event["data"]["key"].clone()).collect::<Vec<_>>(),
        [json!("m:0"), Value::Null, json!("m:2")]
    );
    assert_eq!(events[1]["malformed"], true);
}

/// What goes wrong on one connection, counted in frames that hold rows.
#[derive(Clone, Debug)]
struct Trouble {
    /// The connection ends behind this many, in front of their last mark or behind it, in good order or not.
    cut: usize,
    is_marked: bool,
    end: End,
    /// These are missing, come twice, or swap places with the next.
    lost: Option<usize>,
    doubled: Option<usize>,
    swapped: Option<usize>,
    /// It is told from so many rows earlier on.
    rewind: usize,
}

fn trouble() -> impl Strategy<Value = Trouble> {
    let place = || proptest::option::weighted(0.4, 0..8_usize);
    (0..9_usize, any::<bool>(), any::<bool>(), place(), place(), place(), 0..6_usize).prop_map(
        |(cut, is_marked, is_clean, lost, doubled, swapped, rewind)| Trouble {
            cut,
            is_marked,
            end: if is_clean { End::Ended } else { End::Failed },
            lost,
            doubled,
            swapped,
            rewind,
        },
    )
}

/// The frames of rows from one on, in twos and threes, and the offset behind each.
fn frames_from(log: &[String], from: usize) -> Vec<(String, usize)> {
    let mut frames = Vec::new();
    let mut at = from.min(log.len());
    while at < log.len() {
        let end = (at + 2 + at % 2).min(log.len());
        frames.push((data(&log[at..end]), end));
        at = end;
    }
    frames
}

/// One connection from an offset on.
fn tell(chat: &mut Talk, log: &[String], from: usize, trouble: Option<&Trouble>) {
    let is_over = |chat: &mut Talk| {
        let status = chat.told().0;
        let state = chat.client.state(chat.slot, "connection")["state"].clone();
        (status != "pending" && status != "streaming") || state != "open"
    };
    chat.accept();
    let mut frames = frames_from(log, from.saturating_sub(trouble.map_or(0, |trouble| trouble.rewind)));
    if let Some(trouble) = trouble {
        if let Some(at) = trouble.swapped.filter(|at| at + 1 < frames.len()) {
            let (one, other) = (frames[at].0.clone(), frames[at + 1].0.clone());
            (frames[at].0, frames[at + 1].0) = (other, one);
        }
        if let Some(at) = trouble.doubled.filter(|&at| at < frames.len()) {
            frames.insert(at, frames[at].clone());
        }
        if let Some(at) = trouble.lost.filter(|&at| at < frames.len()) {
            frames[at].0 = String::new();
        }
        frames.truncate(trouble.cut);
    }
    let count = frames.len();
    for (number, (rows, offset)) in frames.into_iter().enumerate() {
        let has_mark = number + 1 < count || trouble.is_none_or(|trouble| trouble.is_marked);
        let mark = if has_mark { mark(&format!("0_{offset}"), offset == log.len()) } else { String::new() };
        chat.say(&(rows + &mark));
        if is_over(chat) {
            return;
        }
    }
    match trouble {
        Some(trouble) => chat.lose(trouble.end),
        None => chat.say(&mark(&format!("0_{}", log.len()), true)),
    }
}

proptest! {
    #[test]
    fn whatever_is_cut_lost_doubled_and_swapped_the_answer_is_the_servers(
        texts in proptest::collection::vec("[a-zé😀\"]{1,4}", 1..24),
        others in proptest::collection::vec(0..24_usize, 0..6),
        has_offset in any::<bool>(),
        troubles in proptest::collection::vec(trouble(), 0..7),
    ) {
        let mut log: Vec<String> = vec![
            row_of("old", "assistant", 0, &json!({ "type": "content", "delta": "before" })),
            row_of("old", "assistant", 1, &json!({ "type": "message-end" })),
            question(),
        ];
        let behind = log.len();
        log.extend((0..).zip(&texts).map(|(seq, words)| text(seq, words)));
        log.push(end(texts.len() as u64));
        for (number, at) in others.into_iter().enumerate() {
            let at = behind + 1 + at.min(texts.len());
            log.insert(at, row_of(&format!("u{number}"), "user", 0, &json!({ "type": "approval-response" })));
        }
        let mut chat = Talk::send(Protocol::Chunks, BODY, "reply /sessions/s/messages");
        let offset = if has_offset { format!(r#","offset":"0_{}""#, behind - 1) } else { String::new() };
        chat.reply(200, &format!(r#"{{"messageId":"q"{offset}}}"#));
        let mut troubles = troubles.iter();
        for _ in 0..60 {
            let Some(request) = chat.wait_for_request() else { break };
            match request.strip_prefix("fetch /stream/sessions/s?") {
                None => {
                    // All of it was written long ago; what is lost from here on is asked for no more.
                    troubles = [].iter();
                    chat.reply(200, r#"{"sessionId":"s","activeMessageId":null}"#);
                }
                Some(query) => {
                    let offset = query.split("offset=").nth(1).unwrap();
                    let from = offset.strip_prefix("0_").map_or(0, |rows| rows.parse().unwrap());
                    tell(&mut chat, &log, from, troubles.next());
                }
            }
            if chat.told().0 == "completed" {
                break;
            }
        }
        prop_assert_eq!(chat.told(), ("completed".to_owned(), texts.concat()));
    }
}
