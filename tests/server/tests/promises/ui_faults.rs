//! Faults of the UI message stream.

use serde_json::{Value, json};

use crate::client::{End, REQUEST, Rig, SESSION};
use crate::ui_message::{DONE, body, chunks, data, path, rig, send, send_with, stop};

async fn body_after(rig: &Rig, step: Value) -> String {
    rig.script("ui-send", json!([step])).await;
    send_with(rig, &[("Idempotency-Key", REQUEST)], body()).await.whole().await.text()
}

#[tokio::test]
async fn a_cut_falls_where_the_step_says_and_the_answer_goes_on() {
    let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 500, "seed": 3 })).await;
    rig.script(
        "ui-send",
        json!([
            { "cut": { "afterEvents": 5, "how": "rst" } },
            { "cut": { "afterEvents": 5, "into": 9, "how": "fin" } },
            { "cut": { "afterBytes": 100, "how": "drop" } },
            { "cut": { "beforeHeaders": true, "how": "drop" } },
        ]),
    )
    .await;
    let rst = send(&rig).await.whole().await;
    assert_eq!((data(&rst.text()).len(), rst.end), (5, End::Reset));
    let fin = send(&rig).await.whole().await;
    assert_eq!(fin.end, End::Clean, "as a proxy ends what it could not finish");
    assert!(fin.text().ends_with("\n\ndata: {\"t"));
    let drop = send(&rig).await.whole().await;
    assert_eq!((drop.bytes.len(), drop.end), (100, End::Truncated));
    let lost = crate::client::request(rig.app, "POST", "/api/chat", &[], Some(body())).await;
    assert_eq!(lost.err(), Some(End::Truncated));
    let counters = rig.until("counters", |counters| counters["cut"] == 4).await;
    assert_eq!(counters["runsStarted"], 4, "what is lost has its effect too");
    let truth = rig.ask(&format!("truth?sessionId={SESSION}&waitMs=15000")).await;
    assert_eq!(truth["terminal"], "done");
}

#[tokio::test]
async fn bytes_come_in_any_shape_and_say_the_same() {
    let rig = rig().await;
    let plain = body_after(&rig, json!({ "kind": "none" })).await;
    assert_eq!(body_after(&rig, json!({ "splitEvery": 7 })).await, plain);
    assert_eq!(body_after(&rig, json!({ "drip": { "bytes": 400, "everyMs": 1 } })).await, plain);
    assert_eq!(body_after(&rig, json!({ "buffer": {} })).await, plain);
    assert_eq!(body_after(&rig, json!({ "crlf": "crlf" })).await, plain.replace('\n', "\r\n"));
    assert_eq!(body_after(&rig, json!({ "crlf": "cr" })).await, plain.replace('\n', "\r"));
    assert_eq!(body_after(&rig, json!({ "bom": true, "retry": 9 })).await, format!("\u{feff}retry: 9\n\n{plain}"));
    rig.script("ui-send", json!([{ "stall": { "afterEvents": 3 } }])).await;
    let mut silent = send(&rig).await;
    let mut said = String::new();
    while said.matches("\n\n").count() < 3 {
        said.push_str(&String::from_utf8(silent.chunk().await.unwrap().unwrap()).unwrap());
    }
    silent.assert_silent().await;
    assert_eq!(data(&said).len(), 3);
}

#[tokio::test]
async fn what_is_put_in_replaces_nothing() {
    let rig = rig().await;
    let plain = data(&body_after(&rig, json!({})).await);
    for (step, what) in [
        (json!({ "malformed": { "at": 4 } }), "{\"type\":\"text-delta\",\"id\":\"0\",\"delta\":\"brok"),
        (json!({ "malformed": { "at": 4, "data": "!" } }), "!"),
        (json!({ "wrongTypes": { "at": 4 } }), "{\"type\":\"text-delta\",\"id\":7"),
        (json!({ "hugeFrame": { "at": 4, "bytes": 5_000 } }), "{\"type\":\"padding\",\"content\":\"xxx"),
    ] {
        let mut spoiled = data(&body_after(&rig, step.clone()).await);
        assert!(spoiled.remove(3).starts_with(what), "{step}");
        assert_eq!(spoiled, plain, "{step}");
    }
}

#[tokio::test]
async fn an_end_may_lack_its_chunk_or_its_done_or_both() {
    let rig = rig().await;
    let plain = data(&body_after(&rig, json!({})).await);
    assert_eq!(plain.len(), 61);
    assert_eq!(data(&body_after(&rig, json!({ "noTerminal": true })).await), plain[..59]);
    assert_eq!(data(&body_after(&rig, json!({ "noDone": true })).await), plain[..60]);
    let unfinished = data(&body_after(&rig, json!({ "noFinish": true })).await);
    assert_eq!((&unfinished[..59], unfinished[59].as_str(), unfinished.len()), (&plain[..59], DONE, 60));
    let twice = data(&body_after(&rig, json!({ "terminalTwice": true })).await);
    assert_eq!((&twice[59], &twice[60], twice.len()), (&plain[59], &plain[59], 62));
    let between = body_after(&rig, json!({ "cut": { "afterEvents": 60, "how": "fin" } })).await;
    assert_eq!(data(&between), plain[..60], "`[DONE]` is no event");
}

#[tokio::test]
async fn events_are_doubled_swapped_or_lost_only_where_a_client_can_tell() {
    let rig = rig().await;
    let faults = json!({ "duplicate": 7, "reorder": 5, "drop": 11 });
    let plain = body_after(&rig, json!({})).await;
    assert_eq!(body_after(&rig, faults.clone()).await, plain);
    rig.set("config", json!({ "uiCursor": true })).await;
    let with_ids = body_after(&rig, json!({})).await;
    assert_ne!(body_after(&rig, faults).await, with_ids);
    let twice = body_after(&rig, json!({ "duplicate": 7 })).await;
    assert_eq!(twice.matches("id: 7\n").count(), 2);
}

#[tokio::test]
async fn an_answer_that_is_lost_has_no_end_and_no_done() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100 })).await;
    let mut reply = send(&rig).await;
    reply.chunk().await.unwrap();
    // All runs go; the connections stay.
    rig.set("reset", json!({})).await;
    let rest = reply.whole().await;
    assert_eq!(rest.end, End::Clean);
    assert!(!rest.text().contains(DONE) && !rest.text().contains("finish\""));
    assert_eq!(rig.get(&path("stream")).await.status, 204);
}

#[tokio::test]
async fn refusals_have_no_effect_and_paths_have_names_of_their_own() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100 })).await;
    rig.set("config", json!({ "auth": { "tokens": ["t"] } })).await;
    assert_eq!(send(&rig).await.status, 401);
    rig.set("config", json!({ "auth": { "tokens": [] } })).await;
    rig.script("ui-send", json!([{ "status": { "code": 503, "retryAfter": 2 } }, { "redirect": { "to": "/x" } }]))
        .await;
    rig.script("ui-stream", json!([{ "unknownRun": true }, { "status": { "code": 404 } }, { "htmlPage": true }])).await;
    rig.script("ui-stop", json!([{ "status": { "code": 500 } }, { "cut": { "beforeHeaders": true, "how": "rst" } }]))
        .await;
    let refused = send(&rig).await;
    assert_eq!((refused.status, refused.headers["retry-after"].as_str()), (503, "2"));
    assert_eq!(send(&rig).await.status, 307);
    assert_eq!(rig.ask("counters").await["runsStarted"], 0);
    let mut reply = send(&rig).await;
    reply.chunk().await.unwrap();
    for status in [204, 404, 200, 200] {
        assert_eq!(rig.get(&path("stream")).await.status, status);
    }
    assert_eq!(stop(&rig).await.unwrap(), 500);
    assert_eq!(rig.ask("runs").await[0]["state"], "running");
    assert_eq!(stop(&rig).await.err(), Some(End::Reset));
    assert!(!chunks(&format!("data: {{}}\n\n{}", reply.whole().await.text())).is_empty());
    let runs = rig.ask("runs").await;
    assert_eq!((&runs[0]["state"], &runs[0]["protocol"]), (&json!("cancelled"), &json!("ui-message")));
    let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    let count = |path: &str| counters["requests"][path].as_u64();
    assert_eq!((count("ui-send"), count("ui-stream"), count("ui-stop")), (Some(4), Some(4), Some(2)));
    let journal = rig.ask(&format!("requests?sessionId={SESSION}")).await;
    assert_eq!((&journal[3]["path"], &journal[3]["runId"]), (&json!("ui-send"), &runs[0]["runId"]));
}
