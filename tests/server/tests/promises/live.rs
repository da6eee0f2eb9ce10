//! Live streams: the POST that starts a run, its duplicates, resume, stop, status, and the answer to a question.

use serde_json::{Value, json};

use crate::client::{End, OTHER_SESSION, REQUEST, Rig, SESSION, message, outline, raw_request, text};

#[tokio::test]
async fn a_send_streams_the_run_without_ids() {
    let rig = Rig::start(json!({ "events": 90, "eventsPerSecond": 0, "toolCalls": 1 })).await;
    let reply = rig.post("stream", message()).await;
    assert_eq!(reply.status, 200);
    let whole = reply.whole().await;
    assert!(whole.text().starts_with(": stream-open\n\nevent: stream_started\n"));
    let events = whole.events();
    assert_eq!(
        outline(&events),
        [
            "stream_started",
            "thinking",
            "content",
            "text_block_end",
            "tool_start",
            "tool_end",
            "thinking",
            "content",
            "citation",
            "usage",
            "done"
        ]
    );
    assert_eq!(events.len(), 91);
    assert!(events.iter().all(|event| event.id.is_none()));
    assert_eq!(whole.end, End::Clean);
    let run = events[0].data["runId"].as_str().unwrap();
    assert_eq!(text(&events), rig.truth(run).await["text"]);
}

#[tokio::test]
async fn what_the_real_server_refuses_is_400() {
    let rig = Rig::start(json!({})).await;
    let with = |key: &str, value: Value| {
        let mut body = message();
        body[key] = value;
        body.to_string()
    };
    let attachments: Vec<_> = (0..11).map(|n| json!({ "uploadId": n })).collect();
    for body in [
        with("surprise", json!(1)),
        format!("{} {{}}", message()),
        with("sessionId", json!("s1")),
        with("requestId", json!("r1")),
        with("attachments", attachments.into()),
        with("content", json!(7)),
        "{".to_owned(),
    ] {
        let reply = raw_request(rig.app, "POST", "/bi-chat/stream", &[], &body).await.unwrap();
        assert_eq!(reply.status, 400, "{body}");
        assert!(reply.json().await["error"].is_string());
    }
    assert_eq!(rig.ask("counters").await["runsStarted"], 0);
}

#[tokio::test]
async fn a_duplicate_request_gets_the_living_run_with_a_snapshot_and_its_tail() {
    let rig = Rig::start(json!({ "events": 120, "eventsPerSecond": 300, "toolCalls": 0, "reasoning": false })).await;
    let (run, mut first) = rig.send().await;
    for _ in 0..20 {
        first.event().await.unwrap();
    }
    let second = rig.post("stream", message()).await.whole().await.events();
    assert_eq!(second[0].data["runId"], run.as_str());
    assert_eq!(second[1].name, "snapshot");
    let partial = second[1].data["snapshot"]["partialContent"].as_str().unwrap();
    assert!(!partial.is_empty());
    assert_eq!(format!("{partial}{}", text(&second)), rig.truth(&run).await["text"]);
    assert_eq!(second.last().unwrap().name, "done");
    let counters = rig.ask("counters").await;
    assert_eq!((&counters["runsStarted"], &counters["deduped"]), (&json!(1), &json!(1)));
    assert_eq!(counters["runs"][&run]["total"], 2);
}

#[tokio::test]
async fn the_same_request_id_after_the_end_starts_a_new_run() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    let (first, reply) = rig.send().await;
    reply.whole().await;
    assert_eq!(rig.ask("runs").await[0]["requestId"], REQUEST);
    assert_ne!(rig.send().await.0, first);
    assert_eq!(rig.ask("counters").await["runsStarted"], 2);
}

#[tokio::test]
async fn a_resume_is_a_snapshot_and_then_live() {
    let rig = Rig::start(json!({ "events": 200, "eventsPerSecond": 500, "toolCalls": 2 })).await;
    let (run, mut live) = rig.send().await;
    while live.event().await.unwrap().name != "tool_end" {}
    let events = rig.post("stream/resume", json!({ "sessionId": SESSION, "runId": run })).await.whole().await.events();
    let snapshot = &events[0].data["snapshot"];
    assert_eq!(events[0].name, "snapshot");
    assert_eq!(snapshot["partialMetadata"]["tool_calls"][0]["id"], "call_1");
    let offset = snapshot["partialMetadata"]["text_block_offsets"][0].as_u64().unwrap();
    let truth = rig.truth(&run).await;
    assert_eq!(offset as usize, truth["blocks"][0]["text"].as_str().unwrap().encode_utf16().count());
    let partial = snapshot["partialContent"].as_str().unwrap();
    assert_eq!(format!("{partial}{}", text(&events)), truth["text"]);
}

#[tokio::test]
async fn a_resume_of_nothing_is_200_with_plain_text() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    let reply = rig.post("stream/resume", json!({ "sessionId": SESSION, "runId": run })).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/event-stream"));
    assert_eq!(reply.whole().await.text(), "Run not found or already finished");
}

#[tokio::test]
async fn events_between_snapshot_and_subscription_can_be_lost() {
    let rig = Rig::start(json!({ "events": 100, "eventsPerSecond": 200, "toolCalls": 0, "reasoning": false })).await;
    let (run, _live) = rig.send().await;
    rig.script("resume", json!([{ "loseAfterSnapshot": 7 }])).await;
    let events = rig.post("stream/resume", json!({ "sessionId": SESSION, "runId": run })).await.whole().await.events();
    let partial = events[0].data["snapshot"]["partialContent"].as_str().unwrap();
    let truth = rig.truth(&run).await;
    assert!(format!("{partial}{}", text(&events)).len() < truth["text"].as_str().unwrap().len());
    assert_eq!(events.last().unwrap().name, "done");
}

#[tokio::test]
async fn a_node_that_polls_sends_deltas_while_the_text_grows() {
    let rig = Rig::start(json!({ "events": 60, "eventsPerSecond": 100, "toolCalls": 0 })).await;
    let (run, _live) = rig.send().await;
    rig.script("resume", json!([{ "remoteNode": 20 }])).await;
    let events = rig.post("stream/resume", json!({ "sessionId": SESSION, "runId": run })).await.whole().await.events();
    assert_eq!(events.last().unwrap().name, "done");
    let mut held = String::new();
    for event in &events {
        match event.name.as_str() {
            "snapshot" => held = event.data["snapshot"]["partialContent"].as_str().unwrap().to_owned(),
            _ => held.push_str(event.data["content"].as_str().unwrap_or_default()),
        }
    }
    assert_eq!(held, rig.truth(&run).await["text"]);
    assert!(outline(&events).contains(&"content"));
}

#[tokio::test]
async fn heartbeats_of_a_live_stream_are_events() {
    let rig = Rig::start(json!({ "events": 3, "eventsPerSecond": 1, "heartbeatMs": 20 })).await;
    let (_, mut reply) = rig.send().await;
    let mut event = reply.event().await.unwrap();
    while event.name != "ping" {
        event = reply.event().await.unwrap();
    }
    assert_eq!(event.data["type"], "ping");
    assert!(event.data["timestamp"].is_u64());
}

#[tokio::test]
async fn a_stop_ends_the_run_and_is_200_even_when_nothing_runs() {
    let rig = Rig::start(json!({ "events": 5_000, "eventsPerSecond": 50 })).await;
    let stop = json!({ "sessionId": SESSION });
    assert_eq!(rig.post("stream/stop", stop.clone()).await.status, 200);
    let (run, reply) = rig.send().await;
    assert_eq!(rig.post("stream/stop", stop.clone()).await.status, 200);
    let events = reply.whole().await.events();
    assert_eq!(events.last().unwrap().name, "error");
    assert_eq!(rig.truth(&run).await["terminal"], "error");
    rig.set("config", json!({ "stopEndsWith": "cancelled" })).await;
    let run = rig.start_run().await;
    rig.post("stream/stop", stop).await;
    assert_eq!(rig.truth(&run).await["terminal"], "cancelled");
    assert_eq!(rig.ask("counters").await["stops"], 3);
    let long = json!({ "sessionId": "x".repeat(5_000) });
    assert_eq!(rig.post("stream/stop", long).await.status, 413);
}

#[tokio::test]
async fn status_tells_what_runs() {
    let rig = Rig::start(json!({ "events": 5_000, "eventsPerSecond": 200, "reasoning": false })).await;
    let status = format!("/bi-chat/stream/status?sessionId={SESSION}");
    assert_eq!(rig.get(&status).await.json().await, json!({ "active": false }));
    let (run, mut reply) = rig.send().await;
    for _ in 0..10 {
        reply.event().await.unwrap();
    }
    let active = rig.get(&status).await.json().await;
    assert_eq!((&active["active"], &active["runId"]), (&json!(true), &json!(run)));
    assert!(active["startedAt"].is_u64());
    assert!(!active["snapshot"]["partialContent"].as_str().unwrap().is_empty());
    let other = format!("/bi-chat/stream/status?sessionId={OTHER_SESSION}");
    assert_eq!(rig.get(&other).await.json().await, json!({ "active": false }));
    assert_eq!(rig.get("/bi-chat/stream/status?sessionId=s").await.status, 400);
}

#[tokio::test]
async fn the_answer_to_a_question_starts_a_new_run() {
    let rig = Rig::start(json!({ "events": 20, "eventsPerSecond": 0, "interrupt": true })).await;
    let (run, reply) = rig.send().await;
    let events = reply.whole().await.events();
    let interrupt = &events.iter().find(|event| event.name == "interrupt").unwrap().data["interrupt"];
    assert_eq!(interrupt["questions"][0]["type"], "single_choice");
    let call = |method: &str, params: Value| rig.post("rpc", json!({ "id": 7, "method": method, "params": params }));
    let answers =
        json!({ "sessionId": SESSION, "checkpointId": interrupt["checkpointId"], "answers": { "q1": "north" } });
    let reply = call("bichat.question.submit", answers).await.json().await;
    assert_eq!(reply["id"], 7);
    let result = &reply["result"];
    assert_eq!((&result["accepted"], &result["operation"]), (&json!(true), &json!("question_submit")));
    assert_ne!(result["runId"], run.as_str());
    assert_eq!(rig.truth(result["runId"].as_str().unwrap()).await["terminal"], "done");
    let reply = call("bichat.question.reject", json!({ "sessionId": SESSION })).await.json().await;
    assert_eq!(reply["result"]["operation"], "question_reject");
    for (method, params) in [("bichat.question.submit", json!({ "sessionId": SESSION })), ("bichat.other", json!({}))] {
        assert!(call(method, params).await.json().await["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn a_run_can_end_in_each_way() {
    for ending in ["done", "cancelled", "error", "failed"] {
        let rig = Rig::start(json!({ "events": 8, "eventsPerSecond": 0, "ending": ending, "error": "no" })).await;
        let (_, reply) = rig.send().await;
        let events = reply.whole().await.events();
        let last = events.last().unwrap();
        assert_eq!(last.name, ending);
        assert_eq!(last.data["error"] == "no", matches!(ending, "error" | "failed"));
    }
}
