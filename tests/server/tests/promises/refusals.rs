//! Answers that are no stream, or not the one asked for.

use serde_json::json;

use crate::client::{Rig, SESSION, message, outline, request};

async fn rig() -> (Rig, String) {
    let rig = Rig::start(json!({ "events": 10, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    (rig, run)
}

#[tokio::test]
async fn each_status_comes_as_it_was_asked_for() {
    let (rig, run) = rig().await;
    for code in [204, 400, 401, 403, 404, 408, 500, 502] {
        rig.script("events", json!([{ "status": { "code": code } }])).await;
        assert_eq!(rig.events(&run, None).await.status, code);
    }
    rig.script(
        "events",
        json!([
            { "status": { "code": 429, "retryAfter": 2 } },
            { "status": { "code": 503, "retryAfter": "Wed, 21 Oct 2037 07:28:00 GMT", "body": "busy", "contentType": "text/plain" } },
        ]),
    )
    .await;
    let reply = rig.events(&run, None).await;
    assert_eq!((reply.status, reply.headers["retry-after"].as_str()), (429, "2"));
    let reply = rig.events(&run, None).await;
    assert!(reply.headers["retry-after"].ends_with("GMT"));
    assert_eq!(reply.headers["content-type"], "text/plain");
    assert_eq!(reply.whole().await.text(), "busy");
}

#[tokio::test]
async fn a_refused_send_starts_no_run_unless_the_answer_alone_is_lost() {
    let rig = Rig::start(json!({ "events": 10, "eventsPerSecond": 0 })).await;
    rig.script("stream", json!([{ "status": { "code": 503 } }, { "status": { "code": 504, "afterEffect": true } }]))
        .await;
    assert_eq!(rig.post("stream", message()).await.status, 503);
    assert_eq!(rig.ask("counters").await["runsStarted"], 0);
    assert_eq!(rig.post("stream", message()).await.status, 504);
    assert_eq!(rig.ask("counters").await["runsStarted"], 1);
}

#[tokio::test]
async fn answers_that_look_right_from_afar() {
    let (rig, run) = rig().await;
    rig.script(
        "events",
        json!([
            { "redirect": { "to": "/elsewhere" } },
            { "contentType": "application/json" },
            { "htmlPage": true },
            { "empty": true },
            { "unknownRun": true },
            { "runNotFound": true },
            { "logUnavailable": true },
            { "silentClose": true },
        ]),
    )
    .await;
    let reply = rig.events(&run, None).await;
    assert_eq!((reply.status, reply.headers["location"].as_str()), (307, "/elsewhere"));
    let reply = rig.events(&run, None).await;
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.whole().await.events().len(), 10);
    let reply = rig.events(&run, None).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/html; charset=utf-8"));
    assert!(reply.whole().await.text().starts_with("<!doctype html>"));
    let reply = rig.events(&run, None).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/event-stream"));
    assert!(reply.whole().await.bytes.is_empty());
    assert_eq!(rig.events(&run, None).await.whole().await.text(), "Run not found or already finished");
    for sentence in ["run not found or already finished", "run event log unavailable"] {
        let events = rig.events(&run, None).await.whole().await.events();
        assert_eq!(outline(&events), ["error"]);
        assert_eq!((&events[0].data["error"], &events[0].id), (&json!(sentence), &None));
    }
    assert_eq!(rig.events(&run, None).await.whole().await.text(), ": stream-open\n\n");
}

#[tokio::test]
async fn tokens_rotate_and_posts_need_their_csrf_header() {
    let rig = Rig::start(json!({ "events": 10, "eventsPerSecond": 0 })).await;
    rig.set("config", json!({ "auth": { "tokens": ["t1"], "csrf": "c1" } })).await;
    let send = |headers: Vec<(&'static str, &'static str)>| async move {
        request(rig.app, "POST", "/bi-chat/stream", &headers, Some(message())).await.unwrap().status
    };
    assert_eq!(send(vec![]).await, 401);
    assert_eq!(send(vec![("Authorization", "Bearer t0")]).await, 401);
    assert_eq!(send(vec![("Authorization", "Bearer t1")]).await, 403);
    assert_eq!(send(vec![("Authorization", "Bearer t1"), ("X-CSRF-Token", "c1")]).await, 200);
    // An EventSource can bring a cookie and nothing else.
    assert_eq!(send(vec![("Cookie", "a=b; token=t1"), ("X-CSRF-Token", "c1")]).await, 200);
    let status = format!("/bi-chat/stream/status?sessionId={SESSION}");
    let rig = Rig { app: rig.app, control: rig.control };
    rig.set("config", json!({ "auth": { "tokens": ["t2"] } })).await;
    assert_eq!(rig.try_get(&status, &[("Authorization", "Bearer t1")]).await.unwrap().status, 401);
    assert_eq!(rig.try_get(&status, &[("Authorization", "Bearer t2")]).await.unwrap().status, 200);
    let requests = rig.ask("requests").await;
    assert_eq!(requests.as_array().unwrap().last().unwrap()["token"], "t2");
}

#[tokio::test]
async fn a_misspelt_control_request_is_refused_with_a_reason() {
    let rig = Rig::start(json!({})).await;
    for (path, body) in [
        ("faults", json!({ "steps": [{ "cutt": {} }] })),
        ("faults", json!({ "scope": { "path": "event" }, "steps": [] })),
        ("now", json!({ "do": "explode" })),
        ("now", json!({ "do": "cut", "how": "softly" })),
        ("runs", json!({ "evnts": 3 })),
        ("config", json!({ "cors": { "origins": "*" } })),
    ] {
        let reply = request(rig.control, "POST", &format!("/control/{path}"), &[], Some(body)).await.unwrap();
        assert_eq!(reply.status, 400, "{path}");
        assert!(reply.json().await["error"].as_str().is_some_and(|sentence| !sentence.is_empty()));
    }
}
