//! The protocol of rows on a durable stream (PROTOCOLS 3, docs/chunks.md), also when things go wrong.

use serde_json::{Value, json};

use crate::client::{End, Event, OTHER_SESSION, REQUEST, Reply, Rig, SESSION, request};

fn path(call: &str) -> String {
    format!("/v1/sessions/{SESSION}{call}")
}

async fn send_as(rig: &Rig, id: &str) -> Reply {
    let body = json!({ "messageId": id, "content": "hello", "role": "user", "txid": id });
    request(rig.app, "POST", &path("/messages"), &[], Some(body)).await.unwrap()
}

/// Sends a message; the offset in front of it.
async fn send(rig: &Rig) -> String {
    let reply = send_as(rig, REQUEST).await;
    assert_eq!(reply.status, 200);
    let reply = reply.json().await;
    assert_eq!(reply["messageId"], REQUEST);
    reply["offset"].as_str().unwrap().to_owned()
}

async fn stream(rig: &Rig, offset: &str) -> Reply {
    rig.get(&format!("/v1/stream/sessions/{SESSION}?live=sse&offset={offset}")).await
}

/// What a stream tells until a row ends its message, and the mark behind that.
async fn told(mut reply: Reply) -> Vec<Event> {
    let mut events = Vec::new();
    let mut has_ended = false;
    while let Some(event) = reply.event().await {
        let is_mark = event.name == "control";
        has_ended |= rows(std::slice::from_ref(&event)).iter().any(|row| kind(row) == "message-end");
        events.push(event);
        if has_ended && is_mark {
            break;
        }
    }
    events
}

fn rows(events: &[Event]) -> Vec<Value> {
    let rows = events.iter().filter(|event| event.name == "data").map(|event| event.data.as_array().unwrap().clone());
    rows.flatten().collect()
}

fn chunk(row: &Value) -> Value {
    serde_json::from_str(row["value"]["chunk"].as_str().unwrap_or("{}")).unwrap()
}

fn kind(row: &Value) -> String {
    chunk(row)["type"].as_str().unwrap_or_default().to_owned()
}

fn seqs(rows: &[Value]) -> Vec<u64> {
    rows.iter().filter_map(|row| row["value"]["seq"].as_u64()).collect()
}

async fn rig() -> Rig {
    Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "seed": 3 })).await
}

#[tokio::test]
async fn a_message_and_its_answer_are_rows_with_marks_between_them() {
    let rig = rig().await;
    let behind = send(&rig).await;
    let events = told(stream(&rig, "-1").await).await;
    let rows = rows(&events);
    assert_eq!((rows.len(), &rows[0]["key"]), (60, &json!(format!("{REQUEST}:0"))));
    assert_eq!((&rows[0]["value"]["role"], kind(&rows[0])), (&json!("user"), "whole-message".to_owned()));
    assert_eq!(seqs(&rows[1..]), (0..59).collect::<Vec<_>>());
    let answer = rows[1]["value"]["messageId"].as_str().unwrap();
    assert!(rows[1..].iter().all(|row| row["value"]["messageId"] == answer && row["value"]["role"] == "assistant"));
    for (data, mark) in events.iter().zip(&events[1..]).filter(|(data, _)| data.name == "data") {
        assert_eq!(mark.name, "control", "{data:?}");
    }
    let last = &events.last().unwrap().data;
    assert_eq!(last["upToDate"], true);
    assert!(events.iter().any(|event| event.name == "data" && event.data.as_array().unwrap().len() > 1));
    let truth = rig.truth(answer).await;
    let text: String = rows
        .iter()
        .map(chunk)
        .filter(|chunk| chunk["type"] == "TEXT_MESSAGE_CONTENT")
        .map(|chunk| chunk["delta"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!((&truth["text"], &truth["protocol"]), (&json!(text), &json!("chunks")));
    let again = crate::chunks::rows(&told(stream(&rig, &behind).await).await);
    assert_eq!(again, rows);
}

#[tokio::test]
async fn a_stream_stays_open_and_goes_on_with_the_next_message() {
    let rig = rig().await;
    let behind = send(&rig).await;
    let mut reply = stream(&rig, &behind).await;
    let mut ends = 0;
    while ends < 2 {
        let event = reply.event().await.expect("it does not end");
        let ended = rows(&[event]).iter().filter(|row| kind(row) == "message-end").count();
        if ended > 0 && ends == 0 {
            assert_eq!(send_as(&rig, OTHER_SESSION).await.status, 200);
        }
        ends += ended;
    }
}

#[tokio::test]
async fn the_same_message_is_sent_once_and_another_one_waits_for_its_turn() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100, "seed": 3 })).await;
    let (one, other) = (send(&rig).await, send(&rig).await);
    assert_eq!(one, other);
    let refused = send_as(&rig, OTHER_SESSION).await;
    assert_eq!(refused.status, 409);
    let refused = refused.json().await;
    let session = rig.get(&path("")).await.json().await;
    assert_eq!(
        (&refused["code"], &refused["activeMessageId"]),
        (&json!("GENERATION_MISMATCH"), &session["activeMessageId"])
    );
    assert!(session["activeMessageId"].is_string());
    assert_eq!(
        request(rig.app, "POST", &path("/stop"), &[], Some(json!({ "messageId": null }))).await.unwrap().status,
        204
    );
    assert!(rig.get(&path("")).await.json().await["activeMessageId"].is_string(), "a stop stops nothing");
    rig.until("counters", |counters| counters["runsStarted"] == 1 && counters["stops"] == 1).await;
}

#[tokio::test]
async fn what_is_not_there_is_refused_by_name() {
    let rig = rig().await;
    for path in [path(""), format!("/v1/stream/sessions/{SESSION}?live=sse&offset=-1")] {
        let reply = rig.get(&path).await;
        assert_eq!(reply.status, 404);
        assert_eq!(reply.json().await["code"], "SESSION_NOT_FOUND");
    }
    assert_eq!(request(rig.app, "PUT", &path(""), &[], None).await.unwrap().json().await["sessionId"], SESSION);
    let nothing =
        request(rig.app, "POST", &path("/messages"), &[], Some(json!({ "messageId": REQUEST }))).await.unwrap();
    assert_eq!((nothing.status, nothing.json().await["code"].clone()), (400, json!("INVALID_BODY")));
    send(&rig).await;
    assert_eq!(stream(&rig, "7").await.status, 400);
}

#[tokio::test]
async fn a_plain_server_says_neither_offset_nor_what_it_makes() {
    let rig = rig().await;
    rig.set("config", json!({ "plain": true })).await;
    assert_eq!(send_as(&rig, REQUEST).await.json().await, json!({ "messageId": REQUEST }));
    assert!(rig.get(&path("")).await.json().await.get("activeMessageId").is_none());
}

#[tokio::test]
async fn a_reset_stands_among_the_rows_and_numbers_begin_anew() {
    let rig = Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "seed": 3, "resetAt": 20 })).await;
    send(&rig).await;
    let rows = rows(&told(stream(&rig, "-1").await).await);
    assert_eq!(rows[21]["headers"]["control"], "reset");
    assert_eq!(seqs(&rows[1..]), (0..20).chain(0..38).collect::<Vec<_>>());
    let truth = rig.truth(rows[1]["value"]["messageId"].as_str().unwrap()).await;
    let behind: String = rows[22..]
        .iter()
        .map(chunk)
        .filter(|chunk| chunk["type"] == "TEXT_MESSAGE_CONTENT")
        .map(|chunk| chunk["delta"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(truth["text"], behind);
}

#[tokio::test]
async fn faults_fall_on_the_events_that_hold_rows() {
    let rig = rig().await;
    let behind = send(&rig).await;
    let plain = rows(&told(stream(&rig, &behind).await).await);
    let replay = async |step: Value| {
        rig.script("chunks-stream", json!([step])).await;
        told(stream(&rig, &behind).await).await
    };
    assert!(rows(&replay(json!({ "duplicate": 2 })).await).len() > plain.len());
    assert!(rows(&replay(json!({ "drop": 3 })).await).len() < plain.len());
    let mut swapped = rows(&replay(json!({ "reorder": 2 })).await);
    assert_ne!(swapped, plain);
    swapped.sort_by_key(|row| row["value"]["seq"].as_u64());
    assert_eq!(swapped, plain);
    assert_eq!(rows(&replay(json!({ "ignoreCursor": true })).await).len(), 60);
    assert_eq!(rows(&replay(json!({ "replaySeen": 1 })).await).len(), 60);
    assert_eq!(rows(&replay(json!({ "splitEvery": 7 })).await), plain);
    rig.script("chunks-stream", json!([{ "cut": { "afterEvents": 2, "how": "rst" } }])).await;
    let cut = stream(&rig, &behind).await.whole().await;
    assert_eq!((cut.events().iter().filter(|event| event.name == "data").count(), cut.end), (2, End::Reset));
}

#[tokio::test]
async fn a_session_that_is_reset_or_deleted_is_gone_with_all_its_answers() {
    for (method, call, body) in [("DELETE", "", None), ("POST", "/reset", Some(json!({ "clearPresence": true })))] {
        let rig = Rig::start(json!({ "events": 900, "eventsPerSecond": 10 })).await;
        let path_of = path(call);
        let clear = || request(rig.app, method, &path_of, &[], body.clone());
        assert_eq!(clear().await.unwrap().status, 404, "{method}");
        send(&rig).await;
        assert!(matches!(clear().await.unwrap().status, 200 | 204));
        assert_eq!(rig.get(&path("")).await.status, if method == "DELETE" { 404 } else { 200 });
        assert_eq!(send_as(&rig, REQUEST).await.status, 200, "what ran has stopped, and its message is forgotten");
    }
}
