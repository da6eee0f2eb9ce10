//! The event log: exact, replayed strictly after the cursor, refused as the real server refuses.

use serde_json::json;

use crate::client::{End, Rig, SESSION, events_path, outline, text};

#[tokio::test]
async fn the_log_is_exact_and_ends_after_the_terminal_event() {
    let rig = Rig::start(json!({ "events": 120, "eventsPerSecond": 0 })).await;
    let (run, truth) = rig.finished_run().await;
    let reply = rig.events(&run, None).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/event-stream"));
    let whole = reply.whole().await;
    assert_eq!(whole.end, End::Clean);
    assert!(whole.text().starts_with(": stream-open\n\nid: "));
    let events = whole.events();
    assert_eq!(events.len(), 120);
    assert_eq!(text(&events), truth["text"]);
    assert_eq!(events.last().unwrap().name, "done");
    assert!(!outline(&events).contains(&"stream_started"), "it is on the POST alone (B-EVT-2)");
    for event in &events {
        assert_eq!(event.data["type"], event.name.as_str());
        assert_eq!(event.data["runId"], run.as_str());
    }
}

#[tokio::test]
async fn a_replay_begins_strictly_after_the_header_and_ignores_the_query() {
    let rig = Rig::start(json!({ "events": 40, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    let all = rig.events(&run, None).await.whole().await.events();
    let cursor = all[24].id.clone().unwrap();
    let rest = rig.events(&run, Some(&cursor)).await.whole().await.events();
    assert_eq!(rest, all[25..]);
    let query = format!("{}&lastEventId={cursor}", events_path(&run));
    assert_eq!(rig.get(&query).await.whole().await.events(), all);
    rig.set("config", json!({ "cursorQuery": true })).await;
    assert_eq!(rig.get(&query).await.whole().await.events(), rest);
    // A cursor of another make replays everything.
    assert_eq!(rig.events(&run, Some("junk")).await.whole().await.events(), all);
}

#[tokio::test]
async fn a_reader_at_the_tail_gets_each_event_as_it_is_written() {
    let rig = Rig::start(json!({ "events": 60, "eventsPerSecond": 400 })).await;
    let run = rig.start_run().await;
    let mut reply = rig.events(&run, None).await;
    let mut events = Vec::new();
    while let Some(event) = reply.event().await {
        events.push(event);
    }
    assert_eq!(events.len(), 60);
    assert_eq!(text(&events), rig.truth(&run).await["text"]);
}

#[tokio::test]
async fn a_run_goes_on_when_nobody_is_connected() {
    let rig = Rig::start(json!({ "events": 80, "eventsPerSecond": 400 })).await;
    let (run, reply) = rig.send().await;
    drop(reply);
    assert_eq!(rig.truth(&run).await["terminal"], "done");
    rig.until("counters", |counters| counters["aborted"] == 1).await;
    assert_eq!(rig.events(&run, None).await.whole().await.events().len(), 80);
}

#[tokio::test]
async fn heartbeats_in_the_log_are_comments() {
    let rig = Rig::start(json!({ "events": 3, "eventsPerSecond": 1, "heartbeatMs": 20 })).await;
    let run = rig.start_run().await;
    let mut reply = rig.events(&run, None).await;
    let mut seen = String::new();
    while !seen.contains(": ping\n\n") {
        seen.push_str(&String::from_utf8(reply.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(!seen.contains("event: ping"));
}

#[tokio::test]
async fn an_unknown_run_is_an_error_event_without_id_and_another_session_a_silent_close() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    let nobody = "99999999-9999-4999-8999-999999999999";
    let reply = rig.events(nobody, None).await;
    assert_eq!(reply.status, 200);
    let whole = reply.whole().await;
    let [refusal] = whole.events().try_into().unwrap();
    assert_eq!((refusal.id, refusal.name.as_str()), (None, "error"));
    assert_eq!(refusal.data["error"], "run not found or already finished");
    let foreign = format!("/bi-chat/stream/events?sessionId={nobody}&runId={run}");
    let whole = rig.get(&foreign).await.whole().await;
    assert_eq!((whole.text().as_str(), whole.end), (": stream-open\n\n", End::Clean));
}

#[tokio::test]
async fn missing_and_invalid_ids_are_400() {
    let rig = Rig::start(json!({})).await;
    for query in
        ["", "?sessionId=x&runId=y", &format!("?sessionId={SESSION}"), &format!("?sessionId={SESSION}&runId=1")]
    {
        assert_eq!(rig.get(&format!("/bi-chat/stream/events{query}")).await.status, 400, "{query}");
    }
}

#[tokio::test]
async fn an_expired_log_refuses_newcomers() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    let (run, truth) = rig.finished_run().await;
    rig.set("now", json!({ "do": "expireLogs" })).await;
    let events = rig.events(&run, None).await.whole().await.events();
    assert_eq!(outline(&events), ["error"]);
    // The control API still knows what was true.
    assert_eq!(rig.truth(&run).await, truth);
}

#[tokio::test]
async fn a_bounded_log_forgets_its_oldest_events() {
    let rig = Rig::start(json!({ "events": 50, "eventsPerSecond": 0 })).await;
    rig.set("config", json!({ "logMaxLen": 10 })).await;
    let (run, _) = rig.finished_run().await;
    assert_eq!(rig.events(&run, None).await.whole().await.events().len(), 10);
}
