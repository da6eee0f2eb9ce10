//! The `ws-chat` protocol, as `docs/ws-chat.md` has it, when nothing goes wrong.

use serde_json::{Value, json};

use crate::client::{OTHER_SESSION, REQUEST, Reply, Rig, SESSION, request};
use crate::socket::{Next, said, seqs};

pub const OTHER_REQUEST: &str = "44444444-4444-4444-8444-444444444444";

pub fn path(call: &str) -> String {
    format!("/api/chat/sessions/{SESSION}/{call}")
}

pub async fn post(rig: &Rig, call: &str, body: Value) -> Reply {
    request(rig.app, "POST", &path(call), &[], Some(body)).await.unwrap()
}

pub fn body(request: &str) -> Value {
    json!({ "content": "hello", "request_id": request })
}

/// The frames of an event stream, each with the id it came under.
pub async fn stream(rig: &Rig, query: &str) -> Vec<Value> {
    let text = rig.get(&path(&format!("events?{query}"))).await.whole().await.text();
    text.split("\n\n").filter_map(frame).collect()
}

fn frame(text: &str) -> Option<Value> {
    let field = |name: &str| text.lines().find_map(|line| line.strip_prefix(name));
    assert_eq!(field("event: "), None);
    let value: Value = serde_json::from_str(field("data: ")?).unwrap();
    assert_eq!(field("id: ").unwrap(), value["seq"].to_string());
    Some(value)
}

async fn rig() -> Rig {
    Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "seed": 3 })).await
}

#[tokio::test]
async fn a_send_is_accepted_and_its_answer_comes_whole_and_in_order() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    assert_eq!(socket.headers["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    let answer = socket.accepted(REQUEST).await;
    let frames = socket.answer().await;
    assert_eq!(seqs(&frames), (1..=60).collect::<Vec<_>>());
    assert!(frames.iter().all(|frame| frame["pending_message_id"] == answer.as_str()));
    let truth = rig.truth(&answer).await;
    assert_eq!(said(&frames), truth["text"]);
    assert_eq!((&truth["protocol"], &truth["terminal"]), (&json!("ws-chat"), &json!("done")));
    assert_eq!(truth["parts"], json!([{ "type": "text", "seq": 0, "state": "done", "text": truth["text"] }]));
    let done = frames.last().unwrap();
    for member in ["message_id", "sources", "confidence", "generation_time_ms"] {
        assert!(!done[member].is_null());
        assert_eq!(done[member], truth["done"][member], "{member}");
    }
    let runs = rig.ask("runs").await;
    assert_eq!((&runs[0]["runId"], &runs[0]["protocol"]), (&json!(answer), &json!("ws-chat")));
}

#[tokio::test]
async fn a_request_id_has_one_answer_over_every_transport_finished_or_not() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    let frames = socket.answer().await;
    assert_eq!(socket.accepted(REQUEST).await, answer);
    assert_eq!(socket.answer().await, frames);
    let posted = post(&rig, "messages", body(REQUEST)).await;
    assert_eq!(posted.status, 202);
    let ids = json!({ "session_id": SESSION, "request_id": REQUEST, "pending_message_id": answer });
    assert_eq!(posted.json().await, ids);
    let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    assert_eq!((&counters["runsStarted"], &counters["deduped"]), (&json!(1), &json!(2)));
    assert_eq!(counters["sends"], json!({ REQUEST: { "websocket": 2, "post": 1 } }));
    rig.set("reset", json!({})).await;
    assert_ne!(rig.socket().await.accepted(REQUEST).await, answer);
}

#[tokio::test]
async fn an_answer_resumes_strictly_after_its_cursor_on_any_socket() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    let frames = socket.answer().await;
    let mut other = rig.socket().await;
    other.resume(&answer, 55).await;
    assert_eq!(other.answer().await, frames[55..]);
}

#[tokio::test]
async fn resuming_what_the_socket_carries_begins_anew_after_the_cursor() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 200 })).await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    let mut seqs = Vec::new();
    while seqs.last() != Some(&Some(5)) {
        seqs.push(socket.json().await["seq"].as_u64());
    }
    socket.resume(&answer, 2).await;
    while seqs.len() < 40 {
        seqs.push(socket.json().await["seq"].as_u64());
    }
    let again = seqs.iter().rposition(|seq| *seq == Some(3)).unwrap();
    for part in [&seqs[..again], &seqs[again..]] {
        assert!(part.windows(2).all(|pair| pair[1] == pair[0].map(|seq| seq + 1)), "{seqs:?}");
    }
    assert_eq!(rig.ask("counters").await["runs"][&answer], json!({ "now": 1, "peak": 1, "total": 2 }));
}

#[tokio::test]
async fn several_answers_share_a_socket_and_one_can_be_left() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 200 })).await;
    let mut socket = rig.socket().await;
    let one = socket.accepted(REQUEST).await;
    socket
        .send(json!({ "type": "send", "session_id": OTHER_SESSION, "request_id": OTHER_REQUEST, "content": "b" }))
        .await;
    let mut seen = std::collections::BTreeMap::<String, u64>::new();
    while seen.len() < 2 || seen.values().any(|&seq| seq < 5) {
        let frame = socket.json().await;
        let Some(seq) = frame["seq"].as_u64() else { continue };
        let last = seen.entry(frame["pending_message_id"].as_str().unwrap().to_owned()).or_default();
        assert_eq!(seq, *last + 1);
        *last = seq;
    }
    socket.send(json!({ "type": "leave", "pending_message_id": one })).await;
    rig.until("counters", |counters| counters["runs"][&one]["now"] == 0).await;
    // What had been said before `leave` arrived may still come; then only the other answer does.
    let mut others = 0;
    while others < 20 {
        others = if socket.json().await["pending_message_id"] == one.as_str() { 0 } else { others + 1 };
    }
    assert_eq!(rig.ask("runs").await[0]["state"], "running", "nobody watches, and it goes on");
}

#[tokio::test]
async fn pings_of_both_kinds_are_answered() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    socket.send(json!({ "type": "ping", "id": 7 })).await;
    assert_eq!(socket.json().await, json!({ "type": "pong", "id": 7 }));
    socket.send_raw(9, b"x").await;
    assert_eq!(socket.next().await, Next::Pong);
    socket.send(json!({ "type": "unheard of" })).await;
    socket.send(json!({ "type": "ping", "id": "a" })).await;
    assert_eq!(socket.json().await["id"], "a");
}

#[tokio::test]
async fn what_cannot_be_done_is_refused_by_name() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    let refused = |frame: Value| (frame["type"].clone(), frame["code"].clone(), frame.get("seq").cloned());
    let error = |code: &str| (json!("error"), json!(code), None);
    socket.ask("no UUID").await;
    let frame = socket.json().await;
    assert_eq!(frame["request_id"], "no UUID");
    assert_eq!(refused(frame), error("bad-request"));
    socket.resume(OTHER_REQUEST, 0).await;
    let frame = socket.json().await;
    assert_eq!(frame["pending_message_id"], OTHER_REQUEST);
    assert_eq!(refused(frame), error("unknown-run"));
    let answer = socket.accepted(REQUEST).await;
    socket.answer().await;
    socket.send(json!({ "type": "resume", "session_id": OTHER_SESSION, "pending_message_id": answer })).await;
    assert_eq!(refused(socket.json().await), error("forbidden"));
    socket.send_raw(1, b"{").await;
    assert!(matches!(socket.next().await, Next::Close(Some(4400), _)));
    let mut socket = rig.socket().await;
    socket.send_raw(2, b"x").await;
    assert!(matches!(socket.next().await, Next::Close(Some(1003), _)));
    assert_eq!(rig.get("/ws/chat").await.status, 426);
}

#[tokio::test]
async fn the_event_stream_says_the_same_frames_after_the_greater_cursor() {
    let rig = rig().await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    let frames = socket.answer().await;
    assert_eq!(stream(&rig, &format!("pending_message_id={answer}")).await, frames);
    assert_eq!(stream(&rig, &format!("pending_message_id={answer}&after=57")).await, frames[57..]);
    let events = path(&format!("events?pending_message_id={answer}&after=3"));
    let reply = rig.try_get(&events, &[("Last-Event-ID", "59")]).await.unwrap().whole().await.text();
    assert_eq!(reply.matches("id: ").count(), 1);
    assert_eq!(rig.get(&path("events?pending_message_id=x")).await.status, 404);
}

#[tokio::test]
async fn the_status_tells_an_answer_by_either_id_and_the_newest_by_none() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100 })).await;
    assert_eq!(rig.get(&path("status")).await.json().await, json!({ "active": false, "status": "unknown" }));
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    socket.json().await;
    for query in ["", &format!("?request_id={REQUEST}"), &format!("?pending_message_id={answer}")] {
        let state = rig.get(&path(&format!("status{query}"))).await.json().await;
        assert_eq!((&state["active"], &state["status"]), (&json!(true), &json!("streaming")));
        assert_eq!((&state["pending_message_id"], &state["request_id"]), (&json!(answer), &json!(REQUEST)));
        assert!(state["seq"].as_u64().unwrap() >= 1 && !state["content"].as_str().unwrap().is_empty());
    }
    assert_eq!(post(&rig, "stop", json!({})).await.status, 200);
    let end = socket.answer().await.pop().unwrap();
    assert_eq!((&end["type"], &end["code"]), (&json!("error"), &json!("cancelled")));
    let state = rig.get(&path("status")).await.json().await;
    assert_eq!((&state["active"], &state["status"]), (&json!(false), &json!("cancelled")));
    assert_eq!(state["content"], rig.truth(&answer).await["text"]);
    assert_eq!(post(&rig, "stop", json!({})).await.status, 200, "with nothing to stop as well");
}

#[tokio::test]
async fn a_failed_answer_says_so_everywhere() {
    let rig = Rig::start(json!({ "events": 9, "eventsPerSecond": 0, "ending": "error", "error": "no model" })).await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    let end = socket.answer().await.pop().unwrap();
    assert_eq!((&end["message"], &end["seq"]), (&json!("no model"), &json!(9)));
    assert_eq!(rig.truth(&answer).await["error"], "no model");
    let state = rig.get(&path("status")).await.json().await;
    assert_eq!((&state["status"], &state["error"]), (&json!("error"), &json!("no model")));
}

#[tokio::test]
async fn messages_and_sessions_come_in_pages() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    for number in 0..4 {
        let request = format!("4444444{number}-4444-4444-8444-444444444444");
        let reply = post(&rig, "messages", body(&request)).await.json().await;
        rig.truth(reply["pending_message_id"].as_str().unwrap()).await;
    }
    let page = |query: String| {
        let rig = &rig;
        async move { rig.get(&path(&format!("messages?{query}"))).await.json().await }
    };
    let mut all: Vec<Value> = Vec::new();
    let mut before = String::new();
    loop {
        let page = page(format!("limit=3{before}")).await;
        let messages = page["messages"].as_array().unwrap().clone();
        assert!(messages.len() <= 3);
        all.splice(0..0, messages);
        let Some(cursor) = page["next_cursor"].as_str() else { break };
        before = format!("&before={cursor}");
    }
    let roles: Vec<_> = all.iter().map(|message| message["role"].as_str().unwrap()).collect();
    assert_eq!(roles, ["user", "assistant"].repeat(4));
    assert_eq!(page("limit=50".to_owned()).await["messages"], json!(all));
    let ids: std::collections::BTreeSet<_> = all.iter().map(|message| message["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 8);
    assert_eq!((&all[1]["status"], &all[0]["content"]), (&json!("complete"), &json!("hello")));
    assert_eq!(rig.get(&path("messages?before=x")).await.status, 400);
    rig.set("runs", json!({ "sessionId": OTHER_SESSION, "start": true, "protocol": "ws-chat" })).await;
    let first = rig.get("/api/chat/sessions?limit=1").await.json().await;
    assert_eq!((&first["sessions"][0]["id"], &first["has_more"]), (&json!(OTHER_SESSION), &json!(true)));
    let second = rig.get("/api/chat/sessions?limit=1&offset=1").await.json().await;
    assert_eq!((&second["sessions"][0]["id"], &second["has_more"]), (&json!(SESSION), &json!(false)));
}

#[tokio::test]
async fn a_past_has_pages_like_the_present() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    let reply = post(&rig, "messages", body("44444440-4444-4444-8444-444444444444")).await.json().await;
    rig.truth(reply["pending_message_id"].as_str().unwrap()).await;
    rig.set("history", json!({ "sessionId": SESSION, "messages": 100_000 })).await;
    let page = |query: &'static str| {
        let rig = &rig;
        async move { rig.get(&path(&format!("messages?{query}"))).await.json().await }
    };
    let newest = page("limit=3").await;
    assert_eq!((&newest["next_cursor"], &newest["messages"][1]["role"]), (&json!("h-99999"), &json!("user")));
    let older = page("limit=2&before=h-99999").await;
    assert_eq!((&older["messages"][0]["id"], &older["next_cursor"]), (&json!("h-99997"), &json!("h-99997")));
    let oldest = page("limit=9&before=h-2").await;
    assert_eq!((oldest["messages"].as_array().unwrap().len(), &oldest["next_cursor"]), (2, &json!(null)));
    rig.set("history", json!({ "sessions": 3, "messages": 7 })).await;
    let sessions = rig.get("/api/chat/sessions?limit=2&offset=1").await.json().await;
    assert_eq!((&sessions["sessions"][0]["id"], &sessions["has_more"]), (&json!("past-2"), &json!(true)));
    assert_eq!(sessions["sessions"][1]["message_count"], 7);
    let past = rig.get("/api/chat/sessions/past-0/messages?limit=50").await.json().await;
    assert_eq!(past["messages"].as_array().unwrap().len(), 7);
}

#[tokio::test]
async fn answers_go_on_whether_or_not_anybody_watches() {
    let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 1_000 })).await;
    let mut socket = rig.socket().await;
    let answer = socket.accepted(REQUEST).await;
    let first = socket.json().await;
    drop(socket);
    rig.until("counters", |counters| counters["openSockets"]["now"] == 0).await;
    let truth = rig.truth(&answer).await;
    assert_eq!(truth["terminal"], "done");
    let mut socket = rig.socket().await;
    socket.resume(&answer, 1).await;
    let rest = socket.answer().await;
    assert_eq!(said(&[vec![first], rest].concat()), truth["text"]);
}

#[tokio::test]
async fn sockets_and_what_they_said_are_counted() {
    let rig = rig().await;
    let mut one = rig.socket_with(&[("Sec-WebSocket-Protocol", "ws-chat.v1, bearer.dMO2a2Vu")]).await.unwrap();
    assert_eq!(one.headers["sec-websocket-protocol"], "ws-chat.v1");
    let two = rig.socket().await;
    one.send(json!({ "type": "auth", "token": "later" })).await;
    one.accepted(REQUEST).await;
    one.close(1000).await;
    while one.next().await != Next::Close(Some(1000), String::new()) {}
    assert_eq!(one.next().await, Next::End(crate::client::End::Truncated));
    drop(two);
    let counters = rig.until("counters", |counters| counters["openSockets"]["now"] == 0).await;
    assert_eq!(counters["openSockets"], json!({ "now": 0, "peak": 2, "total": 2 }));
    assert_eq!(counters["webSockets"], json!({ "total": 2, "accepted": 2 }));
    assert_eq!(counters["requests"]["ws"], 2);
    let journal = rig.ask("requests").await;
    assert_eq!(journal[0]["protocols"], json!(["ws-chat.v1", "bearer.dMO2a2Vu"]));
    assert_eq!((&journal[0]["token"], &journal[0]["frames"]), (&json!("later"), &json!(["auth", "send"])));
    assert_eq!(journal[0]["close"], json!({ "by": "client", "code": 1000, "reason": "" }));
    assert_eq!((&journal[0]["status"], &journal[0]["outcome"]), (&json!(101), &json!("finished")));
    assert_eq!((&journal[1]["outcome"], &journal[1]["close"]), (&json!("aborted"), &Value::Null));
}

#[tokio::test]
async fn a_server_that_lost_its_messages_knows_no_answer_and_takes_the_request_id_anew() {
    for lose in [json!({ "do": "restart", "keepLog": false }), json!({ "do": "expireLogs" })] {
        let rig = rig().await;
        let answer = rig.socket().await.accepted(REQUEST).await;
        rig.truth(&answer).await;
        rig.set("now", json!({ "do": "restart" })).await;
        rig.set("now", json!({ "do": "online" })).await;
        assert_eq!(rig.socket().await.accepted(REQUEST).await, answer, "a restart that keeps the log loses nothing");
        rig.set("now", lose).await;
        rig.set("now", json!({ "do": "online" })).await;
        let state = rig.get(&path(&format!("status?request_id={REQUEST}"))).await.json().await;
        assert_eq!(state["status"], "unknown");
        assert_eq!(rig.get(&path("messages")).await.json().await["messages"], json!([]));
        let mut socket = rig.socket().await;
        socket.resume(&answer, 0).await;
        assert_eq!(socket.json().await["code"], "unknown-run");
        assert_ne!(socket.accepted(REQUEST).await, answer);
    }
}

#[tokio::test]
async fn an_answer_may_hold_any_text_its_recipe_can_write() {
    let rig =
        Rig::start(json!({ "events": 800, "eventsPerSecond": 0, "splitSurrogates": true, "json": "ascii" })).await;
    rig.set("runs", json!({ "sessionId": SESSION, "start": true, "protocol": "ws-chat" })).await;
    let run = rig.ask("runs").await[0]["runId"].as_str().unwrap().to_owned();
    let truth = rig.truth(&run).await;
    let wire = rig.get(&path(&format!("events?pending_message_id={run}"))).await.whole().await.text();
    assert!(wire.is_ascii() && truth["text"].as_str().is_some_and(|text| !text.is_ascii()));
    // Halves of a pair join as a browser's strings do, not as Rust's can.
    let units = |literal: &str| -> String {
        let text = literal.split_once("\"content\":\"").unwrap().1.split_once("\",\"pending_message_id\"").unwrap().0;
        text.to_owned()
    };
    let literal: String =
        wire.lines().filter(|line| line.starts_with("data: {\"type\":\"token\"")).map(units).collect();
    assert_eq!(serde_json::from_str::<String>(&format!("\"{literal}\"")).unwrap(), truth["text"].as_str().unwrap());
}
