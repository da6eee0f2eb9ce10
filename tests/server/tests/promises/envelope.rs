//! The protocol of numbered envelopes (PROTOCOLS 2, docs/envelope.md) when nothing goes wrong.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{End, Event, OTHER_SESSION, REQUEST, Reply, Rig, SESSION, raw_request, request};

/// The chat's path, with this call.
pub fn path(call: &str) -> String {
    format!("/api/v1/chat/chats/{SESSION}/{call}")
}

pub fn body() -> Value {
    json!({ "chat_id": SESSION, "prompt": "hello", "model_id": "lab-1", "plan_mode": false, "worktree": null })
}

pub async fn send_body(rig: &Rig, body: Value) -> Reply {
    request(rig.app, "POST", "/api/v1/chat/chat", &[], Some(body)).await.unwrap()
}

/// Sends a message; its id and the cursor that it follows.
pub async fn send(rig: &Rig) -> (String, u64) {
    let reply = send_body(rig, body()).await;
    assert_eq!(reply.status, 200);
    let reply = reply.json().await;
    assert_eq!(reply["chat_id"], SESSION);
    (reply["message_id"].as_str().unwrap().to_owned(), reply["last_seq"].as_u64().unwrap())
}

/// The chat's stream behind this cursor.
pub async fn stream(rig: &Rig, after: u64) -> Reply {
    rig.get(&path(&format!("stream?after_seq={after}"))).await
}

/// The same, whole: it ends as it should.
pub async fn whole(rig: &Rig, after: u64) -> Vec<Event> {
    let whole = stream(rig, after).await.whole().await;
    assert_eq!(whole.end, End::Clean);
    whole.events()
}

pub async fn stop(rig: &Rig) -> u16 {
    request(rig.app, "DELETE", &path("stream"), &[], None).await.unwrap().status
}

async fn respond(rig: &Rig, request: &str, content_type: &str, body: &str) -> u16 {
    let path = path(&format!("permissions/{request}/respond"));
    raw_request(rig.app, "POST", &path, &[("Content-Type", content_type)], body).await.unwrap().status
}

pub fn kinds(events: &[Event]) -> Vec<&str> {
    events.iter().map(|event| event.data["kind"].as_str().unwrap()).collect()
}

pub fn seqs(events: &[Event]) -> Vec<u64> {
    events.iter().map(|event| event.data["seq"].as_u64().unwrap()).collect()
}

pub fn said(events: &[Event], kind: &str, member: &str) -> String {
    let says = events.iter().filter(|event| event.data["kind"] == kind);
    says.map(|event| event.data["payload"][member].as_str().unwrap()).collect()
}

pub async fn rig() -> Rig {
    Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "seed": 3 })).await
}

/// A server whose answers wait for permission, each before its end.
async fn waiting(more: Value) -> Rig {
    let recipe = json!({ "events": 30, "eventsPerSecond": 0, "seed": 3, "interrupt": true, "waitForAnswer": true });
    let rig = Rig::start(recipe).await;
    rig.set("runs", more).await;
    rig
}

/// Reads up to the request for permission; its id.
async fn asked(reply: &mut Reply) -> String {
    loop {
        let event = reply.event().await.unwrap();
        if event.data["kind"] == "permission_request" {
            return event.data["payload"]["request_id"].as_str().unwrap().to_owned();
        }
    }
}

async fn allow(rig: &Rig, request: &str) {
    assert_eq!(respond(rig, request, "application/json", "{\"option_id\":\"allow_once\"}").await, 200);
}

async fn slow() -> Rig {
    Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100, "seed": 3 })).await
}

#[tokio::test]
async fn a_message_is_numbered_envelopes_and_a_terminal_one_ends_the_stream() {
    let rig = Rig::start(
        json!({ "events": 200, "eventsPerSecond": 0, "seed": 3, "interrupt": true, "toolCalls": 6, "json": "ascii" }),
    )
    .await;
    let (message, after) = send(&rig).await;
    let reply = stream(&rig, after).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/event-stream"));
    let events = reply.whole().await.events();
    assert_eq!(seqs(&events), (1..=200).collect::<Vec<_>>());
    let stream_id = events[0].data["streamId"].clone();
    for event in &events {
        assert_eq!((event.name.as_str(), event.id.clone().unwrap()), ("stream", event.data["seq"].to_string()));
        let Value::Object(data) = &event.data else { panic!("{event:?}") };
        assert_eq!((&data["chatId"], &data["messageId"]), (&json!(SESSION), &json!(message)));
        assert_eq!((&data["streamId"], data.len()), (&stream_id, 6));
    }
    let kinds = kinds(&events);
    assert_eq!((&kinds[..2], kinds[199]), (&["stream_started", "system"][..], "complete"));
    for kind in ["assistant_thinking", "tool_completed", "tool_failed", "plan", "prompt_suggestions"] {
        assert!(kinds.contains(&kind), "{kind}");
    }
    let usage = events.iter().find(|event| event.data["payload"]["context_usage"].is_object()).unwrap();
    assert_eq!((&usage.data["kind"], &usage.data["payload"]["chat_id"]), (&json!("system"), &json!(SESSION)));
    let truth = rig.truth(&message).await;
    assert_eq!(truth["usage"], usage.data["payload"]["context_usage"]);
    assert_eq!(said(&events, "assistant_text", "text"), truth["text"]);
    assert_eq!(said(&events, "assistant_thinking", "thinking"), truth["reasoning"]);
    assert_eq!((&truth["protocol"], &truth["terminal"]), (&json!("envelope"), &json!("done")));
    assert_eq!((&truth["runId"], &truth["nextRunId"]), (&json!(message), &Value::Null));
    let parts = truth["parts"].as_array().unwrap();
    let hash = Sha256::digest(truth["parts"].to_string().as_bytes());
    assert_eq!(truth["sha256"], hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let tools: Vec<_> = parts.iter().filter(|part| part["type"] == "tool").collect();
    assert_eq!(tools.len(), 6);
    for tool in tools {
        let told = |kind: &str| {
            let same =
                |event: &&Event| event.data["kind"] == kind && event.data["payload"]["tool"]["id"] == tool["callId"];
            events.iter().find(same).map(|event| event.data["payload"]["tool"].clone())
        };
        let started = told("tool_started").unwrap();
        let arguments: Value = serde_json::from_str(tool["arguments"].as_str().unwrap()).unwrap();
        assert_eq!((&arguments, &started["name"]), (&started["input"], &tool["name"]));
        assert!(tool["arguments"].as_str().unwrap().is_ascii(), "as it was on the wire");
        let ended = told("tool_completed").or(told("tool_failed")).unwrap();
        assert_eq!((&ended["error"], &tool["durationMs"]), (&tool["error"], &Value::Null));
        match &ended["result"] {
            Value::Object(_) => {
                let result: Value = serde_json::from_str(tool["result"].as_str().unwrap()).unwrap();
                assert_eq!(result, ended["result"]);
            }
            text => assert_eq!(*text, tool["result"]),
        }
    }
    let asked = parts.iter().find(|part| part["type"] == "interrupt").unwrap();
    let told = events.iter().find(|event| event.data["kind"] == "permission_request").unwrap();
    assert_eq!(asked["interrupt"], told.data["payload"]);
}

#[tokio::test]
async fn the_same_seed_says_the_same_but_for_the_ids() {
    let mut said = Vec::new();
    for seed in [7, 7, 8] {
        let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 0, "seed": seed })).await;
        let (_, after) = send(&rig).await;
        let events = whole(&rig, after).await;
        // The last one has a duration.
        said.push(events[..299].iter().map(|event| event.data["payload"].clone()).collect::<Vec<_>>());
    }
    // The usage names the chat, which is the same here.
    assert_eq!(said[0], said[1]);
    assert_ne!(said[0], said[2]);
}

#[tokio::test]
async fn numbers_go_on_from_message_to_message_and_a_stream_ends_with_the_first() {
    let rig = rig().await;
    let (first, after) = send(&rig).await;
    assert_eq!(after, 0);
    assert_eq!(whole(&rig, after).await.len(), 60);
    let (second, after) = send(&rig).await;
    assert_eq!(after, 60);
    let events = whole(&rig, after).await;
    assert_eq!(seqs(&events), (61..=120).collect::<Vec<_>>());
    assert_eq!(events[0].data["messageId"], second);
    let events = whole(&rig, 0).await;
    assert_eq!((events.len(), &events[0].data["messageId"]), (60, &json!(first)));
    assert_eq!(seqs(&whole(&rig, 58).await), [59, 60]);
    let header = rig.try_get(&path("stream?after_seq=70"), &[("Last-Event-ID", "117")]).await.unwrap();
    assert_eq!(seqs(&header.whole().await.events()), [118, 119, 120]);
    let query = rig.try_get(&path("stream?after_seq=118"), &[("Last-Event-ID", "x")]).await.unwrap();
    assert_eq!(seqs(&query.whole().await.events()), [119, 120]);
    assert_eq!(whole(&rig, 0).await, rig.get(&path("stream?after_seq=-5")).await.whole().await.events());
    let other = json!({ "chat_id": OTHER_SESSION, "prompt": "x" });
    assert_eq!(send_body(&rig, other).await.json().await["last_seq"], 0, "each chat has its own");
}

#[tokio::test]
async fn each_ending_has_its_envelope_and_a_failed_beginning_no_other() {
    for (ending, count, kind, terminal, payload) in [
        ("done", 60, "complete", "done", json!({ "status": "completed" })),
        ("cancelled", 60, "cancelled", "cancelled", json!({ "status": "interrupted" })),
        ("error", 60, "error", "error", json!({ "error": "no model" })),
        ("failed", 1, "error", "error", json!({ "error": "no model" })),
    ] {
        let rig =
            Rig::start(json!({ "events": 60, "eventsPerSecond": 0, "ending": ending, "error": "no model" })).await;
        let (message, after) = send(&rig).await;
        let events = whole(&rig, after).await;
        let last = &events.last().unwrap().data;
        assert_eq!((events.len(), &last["kind"]), (count, &json!(kind)), "{ending}");
        for (name, value) in payload.as_object().unwrap() {
            assert_eq!(last["payload"][name], *value, "{ending}");
        }
        assert_eq!(last["payload"]["duration_ms"].is_u64(), kind != "error");
        let truth = rig.truth(&message).await;
        assert_eq!(truth["terminal"], terminal, "{ending}");
        assert_eq!(truth["text"] == "", ending == "failed", "{ending}");
        assert_eq!(truth["error"].is_null(), kind != "error");
    }
}

#[tokio::test]
async fn a_request_id_has_one_message_streaming_or_not() {
    let rig = waiting(json!({})).await;
    let mut with_id = body();
    with_id["request_id"] = REQUEST.into();
    let first = send_body(&rig, with_id.clone()).await.json().await;
    assert_eq!(send_body(&rig, with_id.clone()).await.json().await, first);
    assert_eq!(send_body(&rig, body()).await.status, 409, "the chat is streaming");
    let start = json!({ "sessionId": SESSION, "start": true, "protocol": "envelope" });
    let refused = request(rig.control, "POST", "/control/runs", &[], Some(start)).await.unwrap();
    assert_eq!(refused.status, 409);
    let mut reply = stream(&rig, 0).await;
    allow(&rig, &asked(&mut reply).await).await;
    assert_eq!(kinds(&reply.whole().await.events()).last(), Some(&"complete"));
    assert_eq!(send_body(&rig, with_id.clone()).await.json().await, first);
    let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    assert_eq!((&counters["runsStarted"], &counters["deduped"]), (&json!(1), &json!(2)));
    assert_eq!(counters["sends"], json!({ REQUEST: { "websocket": 0, "post": 3 } }));
    let mut foreign = with_id.clone();
    foreign["chat_id"] = OTHER_SESSION.into();
    assert_eq!(send_body(&rig, foreign).await.status, 400, "an id belongs to one chat");
    rig.set("now", json!({ "do": "expireLogs" })).await;
    let anew = send_body(&rig, with_id).await.json().await;
    assert_ne!(anew["message_id"], first["message_id"]);
    assert_eq!(anew["last_seq"], 30, "numbers are not given twice");
}

#[tokio::test]
async fn a_form_is_as_good_as_json_and_what_lacks_something_is_refused() {
    let rig = rig().await;
    let form = format!(
        "--x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\r\nhello\r\n\
         --x\r\nContent-Disposition: form-data; name=\"chat_id\"\r\n\r\n{SESSION}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"request_id\"\r\n\r\n{REQUEST}\r\n\
         --x\r\nContent-Disposition: form-data; name=\"attached_files\"; filename=\"a.png\"\r\n\r\n\x01\r\n--x--\r\n"
    );
    let multipart = [("Content-Type", "multipart/form-data; boundary=x")];
    let reply = raw_request(rig.app, "POST", "/api/v1/chat/chat", &multipart, &form).await.unwrap();
    assert_eq!(reply.status, 200);
    let journal = rig.ask(&format!("requests?sessionId={SESSION}")).await;
    assert_eq!((&journal[0]["path"], &journal[0]["requestId"]), (&json!("env-send"), &json!(REQUEST)));
    for wrong in [
        json!({ "prompt": "hello" }),
        json!({ "chat_id": "c" }),
        json!({ "chat_id": "c", "prompt": "" }),
        json!({ "chat_id": "c", "prompt": "hello", "request_id": "first" }),
        json!({ "chat_id": "c", "prompt": "hello", "fast_mode": "yes" }),
        json!([]),
    ] {
        assert_eq!(send_body(&rig, wrong.clone()).await.status, 400, "{wrong}");
    }
    let half = form.replace("--x--", "");
    let reply = raw_request(rig.app, "POST", "/api/v1/chat/chat", &multipart, &half).await.unwrap();
    assert_eq!(reply.status, 400);
}

#[tokio::test]
async fn status_tells_what_runs_and_a_stop_ends_it_with_an_envelope() {
    let rig = slow().await;
    let idle = json!({ "has_active_task": false, "message_id": null, "stream_id": null, "last_seq": 0 });
    assert_eq!(rig.get(&path("status")).await.json().await, idle);
    assert_eq!(stop(&rig).await, 204, "nothing runs");
    let (message, after) = send(&rig).await;
    let mut reply = stream(&rig, after).await;
    let first = reply.event().await.unwrap();
    let status = rig.get(&path("status")).await.json().await;
    assert_eq!((&status["has_active_task"], &status["message_id"]), (&json!(true), &json!(message)));
    assert_eq!(status["stream_id"], first.data["streamId"]);
    assert!(status["last_seq"].as_u64().unwrap() >= 1);
    let all = rig.get("/api/v1/chat/chats/active-streams").await.json().await;
    assert_eq!((all.as_array().unwrap().len(), &all[0]["chat_id"]), (1, &json!(SESSION)));
    assert_eq!((&all[0]["message_id"], &all[0]["stream_id"]), (&json!(message), &first.data["streamId"]));
    assert_eq!(stop(&rig).await, 204);
    let events = reply.whole().await.events();
    assert_eq!(kinds(&events).last(), Some(&"cancelled"));
    assert_eq!(rig.get(&path("status")).await.json().await, idle);
    assert_eq!(rig.get("/api/v1/chat/chats/active-streams").await.json().await, json!([]));
    assert_eq!(rig.truth(&message).await["terminal"], "cancelled");
    let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    assert_eq!((&counters["stops"], &counters["requests"]["env-stop"]), (&json!(2), &json!(2)));
}

#[tokio::test]
async fn stored_envelopes_come_in_pages_as_they_were_on_the_wire() {
    let rig = Rig::start(json!({ "events": 6_000, "eventsPerSecond": 0, "seed": 3, "splitSurrogates": true })).await;
    send(&rig).await;
    whole(&rig, 0).await;
    let (message, after) = send(&rig).await;
    let wire = stream(&rig, after).await.whole().await.text();
    let wire: Vec<_> = wire.lines().filter_map(|line| line.strip_prefix("data: ")).collect();
    let page = |query: &str| format!("/api/v1/chat/messages/{message}/events?{query}");
    let first = rig.get(&page("")).await.whole().await.text();
    assert_eq!(first, format!("{{\"events\":[{}],\"has_more\":true}}", wire[..5_000].join(",")));
    let rest = rig.get(&page("after_seq=11000")).await.whole().await.text();
    assert_eq!(rest, format!("{{\"events\":[{}],\"has_more\":false}}", wire[5_000..].join(",")));
    let two = rig.get(&page("after_seq=6000&limit=2")).await.whole().await.text();
    assert_eq!(two, format!("{{\"events\":[{}],\"has_more\":true}}", wire[..2].join(",")));
    assert_eq!(rig.get("/api/v1/chat/messages/none/events").await.status, 404);
    let journal = rig.ask(&format!("requests?sessionId={SESSION}")).await;
    let asked = journal.as_array().unwrap().iter().rfind(|request| request["path"] == "env-events").unwrap();
    assert_eq!((&asked["runId"], &asked["afterSeq"]), (&json!(message), &json!("6000")));
}

#[tokio::test]
async fn a_queued_turn_follows_on_the_same_connection_and_its_end_is_the_streams() {
    let rig = Rig::start(json!({ "events": 50, "eventsPerSecond": 400, "seed": 3, "queue": true })).await;
    let (first, after) = send(&rig).await;
    let events = whole(&rig, after).await;
    assert_eq!(seqs(&events), (1..=100).collect::<Vec<_>>());
    let (one, two) = events.split_at(50);
    assert_eq!(one[49].data["kind"], "queue_processing");
    assert!(one.iter().all(|event| event.data["messageId"] == first));
    let second = one[49].data["payload"]["assistant_message_id"].as_str().unwrap();
    assert!(two.iter().all(|event| event.data["messageId"] == second));
    assert_ne!(one[0].data["streamId"], two[0].data["streamId"]);
    assert_eq!((kinds(two)[0], kinds(two)[49]), ("stream_started", "complete"));
    let truth = rig.truth(&first).await;
    assert_eq!((&truth["terminal"], &truth["nextRunId"]), (&json!("done"), &json!(second)));
    assert_eq!(said(one, "assistant_text", "text"), truth["text"]);
    let truth = rig.truth(second).await;
    assert_eq!((&truth["terminal"], &truth["nextRunId"]), (&json!("done"), &Value::Null));
    assert_eq!(said(two, "assistant_text", "text"), truth["text"]);
    assert_eq!(rig.ask("runs").await.as_array().unwrap().len(), 2);
    // Whoever comes later gets both, too, and knows the second by its own id.
    assert_eq!(whole(&rig, 20).await, events[20..]);
    assert_eq!(send(&rig).await.1, 100);
}

#[tokio::test]
async fn a_stop_ends_the_queued_turn_where_that_runs() {
    let rig = waiting(json!({ "queue": true })).await;
    let (first, _) = send(&rig).await;
    let mut reply = stream(&rig, 0).await;
    allow(&rig, &asked(&mut reply).await).await;
    asked(&mut reply).await;
    let next = rig.truth(&first).await["nextRunId"].clone();
    assert_eq!(rig.get(&path("status")).await.json().await["message_id"], next);
    assert_eq!(stop(&rig).await, 204);
    assert_eq!(kinds(&reply.whole().await.events()).last(), Some(&"cancelled"));
}

#[tokio::test]
async fn a_permission_request_is_answered_once_and_while_it_waits() {
    let rig = waiting(json!({})).await;
    let (message, after) = send(&rig).await;
    let mut reply = stream(&rig, after).await;
    let id = &asked(&mut reply).await;
    reply.assert_silent().await;
    let form = "application/x-www-form-urlencoded";
    assert_eq!(respond(&rig, id, form, "alternative_instruction=no").await, 400);
    assert_eq!(respond(&rig, id, form, "option_id=a&user_answers=%5B1%5D").await, 400);
    let long = format!("option_id=a&user_answers={{\"a\":\"{}\"}}", "x".repeat(50_000));
    assert_eq!(respond(&rig, id, form, &long).await, 400);
    assert_eq!(respond(&rig, "another", form, "option_id=allow_once").await, 404);
    reply.assert_silent().await;
    let multipart = "--x\r\nContent-Disposition: form-data; name=\"option_id\"\r\n\r\nallow_once\r\n\
        --x\r\nContent-Disposition: form-data; name=\"user_answers\"\r\n\r\n{\"q\":\"a\"}\r\n--x--\r\n";
    assert_eq!(respond(&rig, id, "multipart/form-data; boundary=x", multipart).await, 200);
    assert_eq!(respond(&rig, id, form, "option_id=allow_once").await, 404, "it has its answer");
    assert_eq!(kinds(&reply.whole().await.events()).last(), Some(&"complete"));
    assert_eq!(rig.truth(&message).await["terminal"], "done");
}

#[tokio::test]
async fn the_stream_of_a_chat_with_nothing_to_say_waits_for_the_next_message() {
    let rig = Rig::start(json!({ "events": 20, "eventsPerSecond": 0, "heartbeatMs": 20 })).await;
    assert_eq!(rig.get(&path("stream")).await.status, 404, "nobody has said anything here");
    send(&rig).await;
    whole(&rig, 0).await;
    let mut waiting = stream(&rig, 20).await;
    assert!(waiting.chunk().await.unwrap().unwrap().starts_with(b": ping\n\n"));
    let (message, _) = send(&rig).await;
    let events = waiting.whole().await.events();
    assert_eq!((seqs(&events), &events[0].data["messageId"]), ((21..=40).collect(), &json!(message)));
}

#[tokio::test]
async fn with_pruning_an_ended_message_has_its_last_envelope_left_and_a_failed_one_none() {
    let rig = Rig::start(json!({ "events": 20, "eventsPerSecond": 0, "heartbeatMs": 20 })).await;
    rig.set("config", json!({ "prune": true })).await;
    let (done, _) = send(&rig).await;
    rig.truth(&done).await;
    let events = whole(&rig, 3).await;
    assert_eq!((seqs(&events), kinds(&events)), (vec![20], vec!["complete"]));
    let page = rig.get(&format!("/api/v1/chat/messages/{done}/events")).await.json().await;
    assert_eq!((page["events"].as_array().unwrap().len(), &page["events"][0]["seq"]), (1, &json!(20)));
    rig.set("runs", json!({ "ending": "error" })).await;
    let (failed, _) = send(&rig).await;
    rig.truth(&failed).await;
    let mut reply = stream(&rig, 25).await;
    assert!(reply.chunk().await.unwrap().unwrap().starts_with(b": ping\n\n"), "nothing to replay, and no end");
    let page = rig.get(&format!("/api/v1/chat/messages/{failed}/events")).await.json().await;
    assert_eq!(page, json!({ "events": [], "has_more": false }));
    // Whoever was there when it ended has lost nothing.
    rig.set("runs", json!({ "seed": 3, "interrupt": true, "waitForAnswer": true })).await;
    let (_, after) = send(&rig).await;
    let mut reply = stream(&rig, after).await;
    assert_eq!(asked(&mut reply).await, "permission-3");
    let mut late = stream(&rig, after).await;
    allow(&rig, "permission-3").await;
    assert_eq!(kinds(&reply.whole().await.events()).last(), Some(&"error"));
    assert_eq!(seqs(&[late.event().await.unwrap()]), [41]);
}

#[tokio::test]
async fn a_token_may_come_in_the_streams_url_and_changes_need_the_csrf_header() {
    let rig = rig().await;
    let (_, after) = send(&rig).await;
    rig.set("config", json!({ "auth": { "tokens": ["t"], "csrf": "c" } })).await;
    assert_eq!(stream(&rig, after).await.status, 401);
    assert_eq!(rig.get(&path("stream?token=other")).await.status, 401);
    assert_eq!(rig.get(&path("stream?token=t")).await.whole().await.events().len(), 60);
    assert_eq!(rig.get(&path("status?token=t")).await.status, 401, "elsewhere there are headers");
    let delete = async |headers: &[(&str, &str)]| {
        request(rig.app, "DELETE", &path("stream"), headers, None).await.unwrap().status
    };
    assert_eq!(delete(&[("Authorization", "Bearer t")]).await, 403);
    assert_eq!(delete(&[("Authorization", "Bearer t"), ("X-CSRF-Token", "c")]).await, 204);
    let journal = rig.ask("requests").await;
    assert_eq!(journal.as_array().unwrap().iter().filter(|request| request["token"] == "t").count(), 3);
}
