//! What happens to everybody at once.

use std::time::Duration;

use serde_json::{Value, json};

use crate::client::{End, OTHER_SESSION, Rig, SESSION, events_path, message, outline, request, text};

/// A run that goes on for long, and a reader of it.
async fn reading() -> (Rig, String, crate::client::Reply) {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 200, "heartbeatMs": 15 })).await;
    let run = rig.start_run().await;
    let mut reply = rig.events(&run, None).await;
    reply.event().await.unwrap();
    (rig, run, reply)
}

#[tokio::test]
async fn a_cut_ends_the_open_streams_in_the_way_asked_for() {
    for (how, end) in [("fin", End::Clean), ("drop", End::Truncated), ("rst", End::Reset)] {
        let (rig, run, reply) = reading().await;
        let other = rig.set("now", json!({ "do": "cut", "how": how, "sessionId": OTHER_SESSION })).await;
        assert_eq!(other["cut"], 0);
        assert_eq!(rig.set("now", json!({ "do": "cut", "how": how })).await["cut"], 1);
        assert_eq!(reply.whole().await.end, end);
        rig.events(&run, None).await.event().await.unwrap();
    }
}

#[tokio::test]
async fn cuts_come_again_and_again_until_cleared() {
    let (rig, run, reply) = reading().await;
    rig.set("now", json!({ "do": "cutEvery", "ms": 5, "how": "fin" })).await;
    reply.whole().await;
    for _ in 0..3 {
        assert_eq!(rig.events(&run, None).await.whole().await.end, End::Clean);
    }
    rig.set("now", json!({ "do": "clear" })).await;
    let mut reply = rig.events(&run, None).await;
    for _ in 0..30 {
        reply.event().await.unwrap();
    }
}

#[tokio::test]
async fn offline_resets_what_is_open_and_refuses_what_comes() {
    let (rig, run, reply) = reading().await;
    rig.set("now", json!({ "do": "offline" })).await;
    assert_eq!(reply.whole().await.end, End::Reset);
    for _ in 0..3 {
        assert_eq!(rig.try_get(&events_path(&run), &[]).await.err(), Some(End::Refused));
    }
    rig.set("now", json!({ "do": "online" })).await;
    // The same port, the same run, and it went on meanwhile.
    assert!(rig.events(&run, None).await.event().await.is_some());
}

#[tokio::test]
async fn refusing_newcomers_leaves_open_streams_alone() {
    let (rig, run, mut reply) = reading().await;
    let status = format!("/bi-chat/stream/status?sessionId={SESSION}");
    let _idle = rig.get(&status).await;
    rig.set("now", json!({ "do": "refuse" })).await;
    assert_eq!(rig.try_get(&events_path(&run), &[]).await.err(), Some(End::Refused));
    for _ in 0..30 {
        reply.event().await.unwrap();
    }
    rig.until("counters", |counters| counters["connections"]["open"] == 1).await;
    rig.set("now", json!({ "do": "online" })).await;
    rig.events(&run, None).await.event().await.unwrap();
}

#[tokio::test]
async fn offline_ends_by_itself() {
    let (rig, run, _reply) = reading().await;
    rig.set("now", json!({ "do": "offline", "ms": 50 })).await;
    let back = async {
        while rig.try_get(&events_path(&run), &[]).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(10), back).await.unwrap();
}

#[tokio::test]
async fn whoever_takes_the_app_offline_through_its_own_port_gets_an_answer() {
    let (rig, run, reply) = reading().await;
    let body = json!({ "do": "offline" });
    let answer = request(rig.app, "POST", "/control/now", &[], Some(body)).await.unwrap().whole().await;
    assert_eq!((answer.text().as_str(), answer.end), ("{\"ok\":true}", End::Clean));
    assert_eq!(reply.whole().await.end, End::Reset);
    assert_eq!(rig.try_get(&events_path(&run), &[]).await.err(), Some(End::Refused));
}

#[tokio::test]
async fn a_restart_with_its_log_forgets_nothing_and_one_without_it_everything() {
    let (rig, run, reply) = reading().await;
    rig.set("now", json!({ "do": "restart", "keepLog": true })).await;
    assert_eq!(reply.whole().await.end, End::Reset);
    rig.until("runs", |_| true).await;
    rig.set("now", json!({ "do": "online" })).await;
    assert_eq!(outline(&[rig.events(&run, None).await.event().await.unwrap()]), ["thinking"]);
    rig.set("now", json!({ "do": "restart", "keepLog": false })).await;
    rig.set("now", json!({ "do": "online" })).await;
    let events = rig.events(&run, None).await.whole().await.events();
    assert_eq!(outline(&events), ["error"]);
    let status = format!("/bi-chat/stream/status?sessionId={SESSION}");
    assert_eq!(rig.get(&status).await.json().await, json!({ "active": false }));
    assert_eq!(rig.ask("runs").await[0]["state"], "lost");
    assert_eq!(rig.truth(&run).await["terminal"], Value::Null);
}

#[tokio::test]
async fn a_restart_frees_request_ids_and_can_reap_what_ran() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100 })).await;
    let (first, _reply) = rig.send().await;
    rig.set("now", json!({ "do": "restart", "keepLog": true, "reap": true })).await;
    rig.set("now", json!({ "do": "online" })).await;
    let truth = rig.truth(&first).await;
    assert_eq!(truth["error"], "generation failed: worker stopped heartbeating");
    let (second, _reply) = rig.send().await;
    assert_ne!(first, second);
    rig.set("now", json!({ "do": "restart", "keepLog": false })).await;
    rig.set("now", json!({ "do": "online" })).await;
    assert_ne!(rig.send().await.0, second);
}

#[tokio::test]
async fn a_status_for_everybody_holds_for_its_time() {
    let (rig, run, mut reply) = reading().await;
    rig.set("now", json!({ "do": "status", "code": 503, "retryAfter": 1 })).await;
    let refused = rig.events(&run, None).await;
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (503, "1"));
    assert_eq!(rig.post("stream", message()).await.status, 503);
    assert!(reply.event().await.is_some(), "streams that are open go on");
    rig.set("now", json!({ "do": "clear" })).await;
    assert_eq!(rig.events(&run, None).await.status, 200);
    rig.set("now", json!({ "do": "status", "code": 503, "ms": 0 })).await;
    assert_eq!(rig.events(&run, None).await.status, 200);
}

#[tokio::test]
async fn a_stall_silences_the_streams_of_a_session_and_their_heartbeats() {
    let (rig, run, mut reply) = reading().await;
    rig.set("now", json!({ "do": "stall", "sessionId": OTHER_SESSION })).await;
    reply.event().await.unwrap();
    rig.set("now", json!({ "do": "stall", "sessionId": SESSION })).await;
    // What was on its way still comes; afterwards a new reader gets its headers and nothing more.
    let mut late = rig.events(&run, None).await;
    assert_eq!(late.status, 200);
    late.assert_silent().await;
    rig.set("now", json!({ "do": "clear" })).await;
    late.event().await.unwrap();
    rig.set("now", json!({ "do": "stall", "heartbeats": true })).await;
    let mut late = rig.events(&run, None).await;
    let beat = late.chunk().await.unwrap().unwrap();
    assert_eq!(String::from_utf8(beat).unwrap(), ": ping\n\n");
}

#[tokio::test]
async fn nothing_is_lost_through_cuts_and_cursors() {
    let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 1_000 })).await;
    let run = rig.start_run().await;
    rig.set("now", json!({ "do": "cutEvery", "ms": 20, "how": "rst" })).await;
    let mut events: Vec<crate::client::Event> = Vec::new();
    while events.last().is_none_or(|event| event.name != "done") {
        let cursor = events.last().and_then(|event| event.id.clone());
        let mut reply = rig.events(&run, cursor.as_deref()).await;
        while let Some(event) = reply.event().await {
            events.push(event);
        }
    }
    assert_eq!(events.len(), 300);
    assert_eq!(text(&events), rig.truth(&run).await["text"]);
}

#[tokio::test]
async fn a_reset_is_a_fresh_start() {
    let (rig, run, _reply) = reading().await;
    rig.script("events", json!([{ "empty": true }])).await;
    rig.set("config", json!({ "auth": { "tokens": ["t"] } })).await;
    rig.set("now", json!({ "do": "offline" })).await;
    rig.set("reset", json!({})).await;
    let counters = rig.ask("counters").await;
    assert_eq!((&counters["runsStarted"], &counters["requests"]["events"]), (&json!(0), &json!(0)));
    assert_eq!(rig.ask("runs").await, json!([]));
    let events = rig.events(&run, None).await.whole().await.events();
    assert_eq!(outline(&events), ["error"]);
}
