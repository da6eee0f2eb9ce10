//! The AI SDK's UI message stream (PROTOCOLS 4.4 to 4.7) when nothing goes wrong.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{End, OTHER_SESSION, REQUEST, Reply, Rig, SESSION, request};

pub const DONE: &str = "[DONE]";

/// The chat's path, with this call.
pub fn path(call: &str) -> String {
    format!("/api/chat/{SESSION}/{call}")
}

pub fn body() -> Value {
    let message = json!({ "id": "u1", "role": "user", "parts": [{ "type": "text", "text": "hello" }] });
    json!({ "id": SESSION, "messages": [message], "trigger": "submit-message", "messageId": null, "extra": 1 })
}

pub async fn send_with(rig: &Rig, headers: &[(&str, &str)], body: Value) -> Reply {
    request(rig.app, "POST", "/api/chat", headers, Some(body)).await.unwrap()
}

pub async fn send(rig: &Rig) -> Reply {
    send_with(rig, &[], body()).await
}

pub async fn stop(rig: &Rig) -> Result<u16, End> {
    Ok(request(rig.app, "POST", &path("stop"), &[], None).await?.status)
}

/// The data of a body's frames, which have nothing else.
pub fn data(body: &str) -> Vec<String> {
    let frame = |frame: &str| frame.strip_prefix("data: ").expect(frame).to_owned();
    assert!(body.is_empty() || body.ends_with("\n\n"), "{body}");
    body.split_terminator("\n\n").map(frame).collect()
}

/// The chunks of a whole body, which ends as it should.
pub fn chunks(body: &str) -> Vec<Value> {
    let mut data = data(body);
    assert_eq!(data.pop().as_deref(), Some(DONE));
    data.iter().map(|data| serde_json::from_str(data).expect(data)).collect()
}

fn said(chunks: &[Value], kind: &str) -> String {
    chunks.iter().filter(|chunk| chunk["type"] == kind).map(|chunk| chunk["delta"].as_str().unwrap()).collect()
}

/// The truth of the chat's newest answer once it has ended.
async fn truth(rig: &Rig) -> Value {
    rig.ask(&format!("truth?sessionId={SESSION}&waitMs=15000")).await
}

pub async fn rig() -> Rig {
    Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "seed": 3 })).await
}

/// A server whose answers take long, and one of them with its first chunk.
async fn slow() -> (Rig, Reply, String) {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100, "seed": 3 })).await;
    let mut reply = send(&rig).await;
    let first = String::from_utf8(reply.chunk().await.unwrap().unwrap()).unwrap();
    (rig, reply, first)
}

#[tokio::test]
async fn an_answer_is_frames_of_data_alone_and_ends_in_done() {
    let rig = Rig::start(json!({ "events": 200, "eventsPerSecond": 0, "seed": 3, "interrupt": true })).await;
    let reply = send(&rig).await;
    assert_eq!(reply.status, 200);
    for (name, value) in [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("connection", "keep-alive"),
        ("x-vercel-ai-ui-message-stream", "v1"),
        ("x-accel-buffering", "no"),
    ] {
        assert_eq!(reply.headers[name], value);
    }
    let whole = reply.whole().await;
    assert_eq!(whole.end, End::Clean);
    let chunks = chunks(&whole.text());
    assert_eq!(chunks.len(), 200);
    let truth = truth(&rig).await;
    assert_eq!(chunks[0]["messageId"], truth["messageId"]);
    assert_eq!((&chunks[199]["type"], &chunks[199]["finishReason"]), (&json!("finish"), &json!("tool-calls")));
    assert_eq!(said(&chunks, "text-delta"), truth["text"]);
    assert_eq!(said(&chunks, "reasoning-delta"), truth["reasoning"]);
    assert_eq!((&truth["protocol"], &truth["terminal"]), (&json!("ui-message"), &json!("done")));
    let parts = truth["parts"].as_array().unwrap();
    let hash = Sha256::digest(truth["parts"].to_string().as_bytes());
    assert_eq!(truth["sha256"], hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let text = parts.iter().filter(|part| part["type"] == "text").map(|part| part["text"].as_str().unwrap());
    assert_eq!(text.collect::<String>(), truth["text"]);
    for kind in ["reasoning", "step-start", "source-url", "file", "data-progress"] {
        assert!(parts.iter().any(|part| part["type"] == kind), "{kind}");
    }
    assert!(!parts.iter().any(|part| part["type"] == "data-notice"), "it is transient");
    assert_eq!(parts.last().unwrap()["state"], "approval-requested");
    assert_eq!((&truth["metadata"]["model"], &truth["metadata"]["tags"]), (&json!("lab-1"), &json!(["final"])));
}

#[tokio::test]
async fn the_same_seed_says_the_same_but_for_the_message_id() {
    let mut bodies = Vec::new();
    for seed in [7, 7, 8] {
        let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 0, "seed": seed })).await;
        bodies.push(chunks(&send(&rig).await.whole().await.text())[1..].to_vec());
    }
    assert_eq!(bodies[0], bodies[1]);
    assert_ne!(bodies[0], bodies[2]);
}

#[tokio::test]
async fn each_ending_has_its_chunk() {
    for (ending, last, terminal, error) in [
        ("done", json!({ "type": "finish", "finishReason": "stop" }), "done", Value::Null),
        ("cancelled", json!({ "type": "abort" }), "cancelled", Value::Null),
        ("error", json!({ "type": "error", "errorText": "no model" }), "error", json!("no model")),
        ("failed", json!({ "type": "error", "errorText": "no model" }), "error", json!("no model")),
    ] {
        let recipe =
            json!({ "events": 60, "eventsPerSecond": 0, "usage": false, "ending": ending, "error": "no model" });
        let rig = Rig::start(recipe).await;
        let chunks = chunks(&send(&rig).await.whole().await.text());
        assert_eq!((chunks.len(), chunks.last().unwrap()), (60, &last));
        let truth = truth(&rig).await;
        assert_eq!((&truth["terminal"], &truth["error"]), (&json!(terminal), &error), "{ending}");
        let blocks = truth["blocks"].as_array().unwrap();
        let state = if matches!(ending, "cancelled" | "failed") { "streaming" } else { "done" };
        assert_eq!(blocks.last().unwrap()["state"], state, "{ending}");
    }
}

#[tokio::test]
async fn a_key_has_one_answer_by_header_or_body_finished_or_not() {
    for by_header in [true, false] {
        let (headers, body) = match by_header {
            true => (vec![("Idempotency-Key", REQUEST)], body()),
            false => {
                let mut body = body();
                body["requestId"] = REQUEST.into();
                (Vec::new(), body)
            }
        };
        let rig = Rig::start(json!({ "events": 120, "eventsPerSecond": 400, "seed": 3 })).await;
        let mut first = send_with(&rig, &headers, body.clone()).await;
        first.chunk().await.unwrap();
        let during = send_with(&rig, &headers, body.clone()).await.whole().await.text();
        let after = send_with(&rig, &headers, body.clone()).await.whole().await.text();
        assert_eq!(chunks(&during).len(), 120, "from its first chunk");
        assert_eq!(during, after);
        let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
        assert_eq!((&counters["runsStarted"], &counters["deduped"]), (&json!(1), &json!(2)));
        assert_eq!(counters["sends"], json!({ REQUEST: { "websocket": 0, "post": 3 } }));
        assert_eq!(rig.ask("requests").await[0]["requestId"], REQUEST);
        let mut foreign = body.clone();
        foreign["id"] = OTHER_SESSION.into();
        assert_eq!(send_with(&rig, &headers, foreign).await.status, 400, "a key belongs to one chat");
        rig.set("now", json!({ "do": "expireLogs" })).await;
        let anew = send_with(&rig, &headers, body).await.whole().await.text();
        assert_ne!(chunks(&anew)[0]["messageId"], chunks(&after)[0]["messageId"]);
    }
}

#[tokio::test]
async fn a_message_without_a_key_is_another_answer_each_time() {
    let rig = rig().await;
    let one = send(&rig).await.whole().await.text();
    let other = send(&rig).await.whole().await.text();
    assert_ne!(chunks(&one)[0]["messageId"], chunks(&other)[0]["messageId"]);
    assert_eq!(rig.ask("counters").await["runsStarted"], 2);
}

#[tokio::test]
async fn bodies_that_no_client_of_the_sdk_sends_are_refused() {
    let rig = rig().await;
    let messages = json!([]);
    for wrong in [
        json!({ "messages": messages }),
        json!({ "id": "", "messages": messages }),
        json!({ "id": 7, "messages": messages }),
        json!({ "id": "c" }),
        json!({ "id": "c", "messages": "hello" }),
        json!({ "id": "c", "messages": messages, "trigger": "now" }),
        json!({ "id": "c", "messages": messages, "requestId": "first" }),
    ] {
        assert_eq!(send_with(&rig, &[], wrong.clone()).await.status, 400, "{wrong}");
    }
    assert_eq!(send_with(&rig, &[("Idempotency-Key", "first")], body()).await.status, 400);
    let last = json!({ "id": "any text", "message": { "role": "user", "parts": [] } });
    let reply = send_with(&rig, &[("Idempotency-Key", &format!("\"{REQUEST}\""))], last).await;
    assert_eq!(chunks(&reply.whole().await.text()).len(), 60);
    assert_eq!(rig.ask("runs?sessionId=any%20text").await[0]["requestId"], REQUEST);
}

#[tokio::test]
async fn the_stream_replays_what_runs_from_its_first_chunk_and_goes_on() {
    let (rig, reply, first) = slow().await;
    drop(reply);
    rig.until("counters", |counters| counters["aborted"] == 1).await;
    let mut again = rig.get(&path("stream")).await;
    assert_eq!((again.status, again.headers["x-vercel-ai-ui-message-stream"].as_str()), (200, "v1"));
    let mut seen = String::new();
    while data(&seen).len() < 60 {
        seen.push_str(&String::from_utf8(again.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(seen.starts_with(&first));
    assert!(data(&seen).len() < 4_000, "it has not ended yet");
    rig.set("now", json!({ "do": "cut", "how": "fin" })).await;
    assert!(!seen.contains("id: ") && !seen.contains("event: "));
}

#[tokio::test]
async fn nothing_that_runs_is_204() {
    let rig = rig().await;
    assert_eq!(rig.get(&path("stream")).await.status, 204);
    send(&rig).await.whole().await;
    // Neither a cursor nor its absence makes a difference without the switch.
    assert_eq!(rig.get(&path("stream")).await.status, 204);
    assert_eq!(rig.try_get(&path("stream"), &[("Last-Event-ID", "3")]).await.unwrap().status, 204);
    assert_eq!(rig.get("/api/chat/another/stream").await.status, 204);
}

#[tokio::test]
async fn with_cursors_an_answer_goes_on_behind_one_even_when_it_is_over() {
    let rig = rig().await;
    rig.set("config", json!({ "uiCursor": true })).await;
    let all = send(&rig).await.whole().await.text();
    let frames: Vec<_> = all.split_inclusive("\n\n").collect();
    assert_eq!(frames.len(), 61);
    for (index, frame) in frames[..60].iter().enumerate() {
        assert!(frame.starts_with(&format!("id: {}\ndata: {{", index + 1)), "{frame}");
    }
    assert_eq!(frames[60], "data: [DONE]\n\n");
    let behind = |headers: Vec<(&'static str, &'static str)>, query: &str| {
        let (rig, path) = (&rig, path(&format!("stream{query}")));
        async move { rig.try_get(&path, &headers).await.unwrap() }
    };
    let text = |reply: Reply| async move { reply.whole().await.text() };
    assert_eq!(text(behind(vec![("Last-Event-ID", "57")], "").await).await, frames[57..].concat());
    assert_eq!(text(behind(vec![], "?lastEventId=58").await).await, frames[58..].concat());
    assert_eq!(text(behind(vec![("Last-Event-ID", "59")], "?lastEventId=3").await).await, frames[59..].concat());
    assert_eq!(text(behind(vec![("Last-Event-ID", "60")], "").await).await, frames[60]);
    assert_eq!(text(behind(vec![("Last-Event-ID", "0")], "").await).await, all);
    assert_eq!(behind(vec![], "").await.status, 204, "nothing runs, and nobody has a part of it");
    assert_eq!(behind(vec![("Last-Event-ID", "junk")], "").await.status, 204);
    rig.set("now", json!({ "do": "expireLogs" })).await;
    assert_eq!(behind(vec![("Last-Event-ID", "57")], "").await.status, 204);
}

#[tokio::test]
async fn a_stop_ends_what_runs_with_an_abort() {
    let (rig, reply, first) = slow().await;
    assert_eq!(stop(&rig).await.unwrap(), 204);
    let whole = reply.whole().await;
    assert_eq!(whole.end, End::Clean);
    let chunks = chunks(&format!("{first}{}", whole.text()));
    assert_eq!(chunks.last(), Some(&json!({ "type": "abort", "reason": "stopped" })));
    let truth = truth(&rig).await;
    assert_eq!((&truth["terminal"], &truth["text"]), (&json!("cancelled"), &json!(said(&chunks, "text-delta"))));
    assert_eq!(rig.get(&path("stream")).await.status, 204);
    assert_eq!(stop(&rig).await.unwrap(), 204, "with nothing to stop as well");
    assert_eq!(rig.ask("counters").await["stops"], 2);
}

#[tokio::test]
async fn of_two_answers_the_stream_has_the_newer() {
    let (rig, reply, first) = slow().await;
    let mut newer = send(&rig).await;
    let newer = String::from_utf8(newer.chunk().await.unwrap().unwrap()).unwrap();
    let streamed = String::from_utf8(rig.get(&path("stream")).await.chunk().await.unwrap().unwrap()).unwrap();
    let id = |text: &str| serde_json::from_str::<Value>(&data(text)[0]).unwrap()["messageId"].clone();
    assert_eq!(id(&streamed), id(&newer));
    assert_ne!(id(&streamed), id(&first));
    drop(reply);
}

#[tokio::test]
async fn an_answer_may_be_started_by_nobody_and_hold_any_text() {
    let recipe = json!({ "events": 2_000, "eventsPerSecond": 0, "splitSurrogates": true, "json": "ascii" });
    let rig = Rig::start(recipe).await;
    rig.set("config", json!({ "uiCursor": true })).await;
    rig.set("runs", json!({ "sessionId": SESSION, "start": true, "protocol": "ui-message" })).await;
    let truth = truth(&rig).await;
    let wire = rig.get(&path("stream?lastEventId=0")).await.whole().await.text();
    assert!(wire.is_ascii() && truth["text"].as_str().is_some_and(|text| !text.is_ascii()));
    assert!(wire.contains("\\ud83d\"}"), "no pair was split");
    // Halves of a pair join as a browser's strings do, not as Rust's can.
    let literal: String = wire
        .lines()
        .filter_map(|line| {
            line.strip_prefix("data: {\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"")?.strip_suffix("\"}")
        })
        .collect();
    assert_eq!(serde_json::from_str::<String>(&format!("\"{literal}\"")).unwrap(), truth["text"].as_str().unwrap());
}
