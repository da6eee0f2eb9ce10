//! Responses that end before their time, and others that never do, as seen from the socket.

use serde_json::{Value, json};

use crate::client::{End, Rig, SESSION, events_path, message, text};

async fn rig() -> (Rig, String) {
    let rig = Rig::start(json!({ "events": 60, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    (rig, run)
}

#[tokio::test]
async fn each_cut_ends_in_its_own_way_after_exactly_that_many_bytes() {
    let (rig, run) = rig().await;
    for bytes in [0, 1, 15, 16, 500, 1_001] {
        for (how, end) in [("fin", End::Clean), ("drop", End::Truncated), ("rst", End::Reset)] {
            rig.script("events", json!([{ "cut": { "afterBytes": bytes, "how": how } }])).await;
            let reply = rig.events(&run, None).await;
            assert_eq!(reply.status, 200);
            let whole = reply.whole().await;
            assert_eq!((whole.bytes.len(), whole.end), (bytes, end), "{how}");
        }
    }
    let counters = rig.ask("counters").await;
    assert_eq!((&counters["cut"], &counters["aborted"]), (&json!(18), &json!(0)));
}

#[tokio::test]
async fn a_cut_after_events_falls_between_frames() {
    let (rig, run) = rig().await;
    let all = rig.events(&run, None).await.whole().await.events();
    rig.script("events", json!([{ "cut": { "afterEvents": 9, "how": "rst" } }])).await;
    let whole = rig.events(&run, None).await.whole().await;
    assert!(whole.text().ends_with("\n\n"));
    assert_eq!(whole.events(), all[..9]);
    // One step, one request: the next is normal.
    assert_eq!(rig.events(&run, None).await.whole().await.events(), all);
}

#[tokio::test]
async fn a_cut_before_the_headers_leaves_the_run_behind_it() {
    let rig = Rig::start(json!({ "events": 10, "eventsPerSecond": 0 })).await;
    rig.script("stream", json!([{ "cut": { "beforeHeaders": true, "how": "rst" } }])).await;
    let path = "/bi-chat/stream";
    let lost = crate::client::request(rig.app, "POST", path, &[], Some(message())).await;
    assert_eq!(lost.err(), Some(End::Reset));
    assert_eq!(rig.ask("counters").await["runsStarted"], 1);
    rig.script("events", json!([{ "cut": { "beforeHeaders": true, "how": "drop" } }])).await;
    assert_eq!(rig.try_get(&events_path(SESSION), &[]).await.err(), Some(End::Truncated));
}

#[tokio::test]
async fn short_answers_can_be_cut_too() {
    let (rig, _) = rig().await;
    rig.script("status", json!([{ "cut": { "afterBytes": 4, "how": "drop" } }])).await;
    let whole = rig.get(&format!("/bi-chat/stream/status?sessionId={SESSION}")).await.whole().await;
    assert_eq!((whole.text().as_str(), whole.end), ("{\"ac", End::Truncated));
}

#[tokio::test]
async fn a_stall_is_silence_on_an_open_connection() {
    let rig = Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "heartbeatMs": 10 })).await;
    let (run, _) = rig.finished_run().await;
    rig.script("events", json!([{ "stall": { "afterEvents": 5 } }])).await;
    let mut reply = rig.events(&run, None).await;
    for _ in 0..5 {
        reply.event().await.unwrap();
    }
    reply.assert_silent().await;
    assert_eq!(rig.ask("counters").await["connections"]["open"], 1);
    drop(reply);
    rig.until("counters", |counters| counters["aborted"] == 1 && counters["connections"]["open"] == 0).await;
}

#[tokio::test]
async fn a_stall_in_the_middle_of_a_character_is_one() {
    let (rig, run) = rig().await;
    let bytes = rig.events(&run, None).await.whole().await.bytes;
    let middle = bytes.iter().position(|byte| byte & 0xC0 == 0x80).unwrap();
    rig.script("events", json!([{ "stall": { "afterBytes": middle, "ms": 30 } }])).await;
    let mut reply = rig.events(&run, None).await;
    let mut got = Vec::new();
    while got.len() < middle {
        got.extend(reply.chunk().await.unwrap().unwrap());
    }
    assert_eq!(got, bytes[..middle]);
    // It ends, and nothing is missing.
    got.extend(reply.whole().await.bytes);
    assert_eq!(got, bytes);
}

#[tokio::test]
async fn a_stall_with_heartbeats_lets_them_through_between_frames() {
    let rig = Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "heartbeatMs": 10 })).await;
    let (run, _) = rig.finished_run().await;
    rig.script("events", json!([{ "stall": { "afterBytes": 700, "heartbeats": true } }])).await;
    let mut reply = rig.events(&run, None).await;
    let mut seen = String::new();
    while seen.matches(": ping\n\n").count() < 3 {
        seen.push_str(&String::from_utf8(reply.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert!(seen.find("\n\n: ping").unwrap() + 2 >= 700);
    assert!(seen.ends_with("\n\n: ping\n\n: ping\n\n: ping\n\n"));
    let run = rig.start_run().await;
    rig.script("resume", json!([{ "stall": { "heartbeats": true } }])).await;
    rig.set("runs", json!({ "sessionId": SESSION, "eventsPerSecond": 1 })).await;
    let running = rig.start_run().await;
    assert_ne!(run, running);
    let mut reply = rig.post("stream/resume", json!({ "sessionId": SESSION, "runId": running })).await;
    // On a live stream heartbeats are events.
    assert_eq!(reply.event().await.unwrap().name, "ping");
}

#[tokio::test]
async fn headers_come_late_and_the_run_is_there_already() {
    let rig = Rig::start(json!({ "events": 40, "eventsPerSecond": 0 })).await;
    rig.script("stream", json!([{ "delayHeadersMs": 60_000 }])).await;
    let app = rig.app;
    let waiting = tokio::spawn(async move {
        crate::client::request(app, "POST", "/bi-chat/stream", &[], Some(message())).await.err()
    });
    rig.until("counters", |counters| counters["runsStarted"] == 1).await;
    assert!(!waiting.is_finished());
    rig.script("stream", json!([{ "delayHeadersMs": 1 }])).await;
    assert_eq!(rig.post("stream", message()).await.status, 200);
    waiting.abort();
}

#[tokio::test]
async fn the_end_without_a_terminal_event_is_clean() {
    let (rig, run) = rig().await;
    rig.script("events", json!([{ "noTerminal": true }, { "terminalTwice": true }])).await;
    let whole = rig.events(&run, None).await.whole().await;
    assert_eq!((whole.events().len(), whole.end), (59, End::Clean));
    let twice = rig.events(&run, None).await.whole().await.events();
    assert_eq!(twice[59], twice[60]);
    assert_eq!(text(&twice), rig.truth(&run).await["text"]);
}

#[tokio::test]
async fn a_script_can_loop_until_it_is_cleared() {
    let (rig, run) = rig().await;
    rig.set("faults", json!({ "scope": { "sessionId": SESSION }, "steps": [{ "empty": true }], "loop": true })).await;
    for _ in 0..3 {
        let whole = rig.events(&run, None).await.whole().await;
        assert_eq!((whole.bytes.len(), whole.end), (0, End::Clean));
    }
    let cleared = crate::client::request(rig.control, "DELETE", "/control/faults", &[], None).await.unwrap();
    assert_eq!(cleared.json().await, json!({ "ok": true }));
    assert_eq!(rig.events(&run, None).await.whole().await.events().len(), 60);
}

#[tokio::test]
async fn the_journal_tells_how_each_response_ended() {
    let (rig, run) = rig().await;
    rig.script("events", json!([{ "cut": { "afterEvents": 3, "how": "fin" } }])).await;
    let cursor = rig.events(&run, None).await.whole().await.events()[2].id.clone().unwrap();
    rig.events(&run, Some(&cursor)).await.whole().await;
    let ended =
        |requests: &Value| requests.as_array().unwrap().iter().filter(|r| r["outcome"].is_string()).count() == 2;
    let requests = rig.until("requests", ended).await;
    assert_eq!((&requests[0]["outcome"], &requests[0]["events"]), (&json!("cut"), &json!(3)));
    assert_eq!((&requests[1]["outcome"], &requests[1]["events"]), (&json!("finished"), &json!(57)));
    assert_eq!(requests[1]["lastEventId"], cursor.as_str());
    assert_eq!((&requests[1]["path"], &requests[1]["status"]), (&json!("events"), &json!(200)));
}
