//! Faults of the numbered envelopes.

use serde_json::{Value, json};

use crate::client::{End, Event, Rig, SESSION, request};
use crate::envelope::{body, kinds, path, rig, send, send_body, seqs, stop, stream, whole};

/// The events of a replay with this step.
async fn replay(rig: &Rig, after: u64, step: Value) -> Vec<Event> {
    rig.script("env-stream", json!([step])).await;
    whole(rig, after).await
}

#[tokio::test]
async fn a_cut_falls_where_the_step_says_and_a_cursor_goes_on_behind_it() {
    let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 500, "seed": 3 })).await;
    rig.script(
        "env-stream",
        json!([
            { "cut": { "afterEvents": 5, "how": "rst" } },
            { "cut": { "afterEvents": 5, "into": 9, "how": "fin" } },
            { "cut": { "afterBytes": 100, "how": "drop" } },
            { "cut": { "beforeHeaders": true, "how": "drop" } },
        ]),
    )
    .await;
    let (message, after) = send(&rig).await;
    let rst = stream(&rig, after).await.whole().await;
    assert_eq!((seqs(&rst.events()), rst.end), (vec![1, 2, 3, 4, 5], End::Reset));
    let fin = stream(&rig, after + 5).await.whole().await;
    assert_eq!((seqs(&fin.events()), fin.end), (vec![6, 7, 8, 9, 10], End::Clean));
    assert!(fin.text().ends_with("\n\nid: 11\nev"));
    let drop = stream(&rig, after + 10).await.whole().await;
    assert_eq!((drop.bytes.len(), drop.end), (100, End::Truncated));
    assert_eq!(rig.try_get(&path("stream"), &[]).await.err(), Some(End::Truncated));
    assert_eq!(seqs(&whole(&rig, after + 10).await), (11..=300).collect::<Vec<_>>());
    assert_eq!(rig.truth(&message).await["terminal"], "done");
    rig.until("counters", |counters| counters["cut"] == 4 && counters["runs"][&message]["total"] == 5).await;
}

#[tokio::test]
async fn events_are_doubled_swapped_and_lost_where_a_number_tells() {
    let rig = rig().await;
    let (_, after) = send(&rig).await;
    let plain = whole(&rig, after).await;
    let twice = replay(&rig, after, json!({ "duplicate": 7 })).await;
    assert_eq!(seqs(&twice)[5..9], [6, 7, 7, 8]);
    assert_eq!(twice.len(), 60 + 8);
    assert_eq!(seqs(&replay(&rig, after, json!({ "reorder": 5 })).await)[3..7], [4, 6, 5, 7]);
    let lost = replay(&rig, after, json!({ "drop": 11 })).await;
    assert_eq!((seqs(&lost)[9..11].to_vec(), lost.len()), (vec![10, 12], 55));
    assert_eq!(seqs(&replay(&rig, 40, json!({ "replaySeen": 3 })).await)[0], 38);
    assert_eq!(replay(&rig, 40, json!({ "ignoreCursor": true })).await, plain);
    assert_eq!(replay(&rig, after, json!({ "splitEvery": 7 })).await, plain);
    assert_eq!(replay(&rig, after, json!({ "buffer": {} })).await, plain);
    assert_eq!(replay(&rig, after, json!({ "noTerminal": true })).await, plain[..59]);
    let ends = replay(&rig, after, json!({ "terminalTwice": true })).await;
    assert_eq!((&ends[..60], &ends[60]), (&plain[..], &plain[59]));
}

#[tokio::test]
async fn what_is_put_in_has_no_number_and_replaces_nothing() {
    let rig = rig().await;
    let (_, after) = send(&rig).await;
    let plain = whole(&rig, after).await;
    for step in [
        json!({ "malformed": { "at": 4 } }),
        json!({ "malformed": { "at": 4, "data": "!" } }),
        json!({ "wrongTypes": { "at": 4 } }),
        json!({ "hugeFrame": { "at": 4, "bytes": 5_000 } }),
    ] {
        let mut spoiled = replay(&rig, after, step.clone()).await;
        let foreign = spoiled.remove(3);
        assert_eq!((foreign.name.as_str(), &foreign.id), ("stream", &None), "{step}");
        assert_eq!(spoiled, plain, "{step}");
    }
}

#[tokio::test]
async fn a_silent_stream_goes_on_when_the_silence_is_over() {
    let rig = rig().await;
    let (_, after) = send(&rig).await;
    rig.script("env-stream", json!([{ "stall": { "afterEvents": 3 } }, { "stall": { "afterEvents": 3, "ms": 30 } }]))
        .await;
    let mut silent = stream(&rig, after).await;
    for _ in 0..3 {
        silent.event().await.unwrap();
    }
    silent.assert_silent().await;
    assert_eq!(whole(&rig, after).await.len(), 60);
}

#[tokio::test]
async fn a_message_that_is_lost_has_no_end_and_its_chat_is_not_known() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100 })).await;
    let (message, after) = send(&rig).await;
    let mut reply = stream(&rig, after).await;
    reply.event().await.unwrap();
    // All runs go; the connections stay.
    rig.set("reset", json!({})).await;
    let rest = reply.whole().await;
    assert_eq!(rest.end, End::Clean);
    assert!(!kinds(&rest.events()).contains(&"complete"));
    assert_eq!(stream(&rig, after).await.status, 404);
    assert_eq!(rig.get(&path("status")).await.json().await["has_active_task"], false);
    assert_eq!(rig.get(&format!("/api/v1/chat/messages/{message}/events")).await.status, 404);
}

#[tokio::test]
async fn a_stream_that_waits_ends_with_a_reset() {
    let rig = rig().await;
    send(&rig).await;
    whole(&rig, 0).await;
    let waiting = stream(&rig, 60).await;
    rig.until("counters", |counters| counters["openStreams"]["now"] == 1).await;
    rig.set("reset", json!({})).await;
    let rest = waiting.whole().await;
    assert_eq!((rest.end, rest.events().len()), (End::Clean, 0));
}

#[tokio::test]
async fn a_restart_that_keeps_its_log_keeps_the_numbers() {
    let rig = Rig::start(json!({ "events": 100, "eventsPerSecond": 200, "seed": 3 })).await;
    let (_, after) = send(&rig).await;
    let mut reply = stream(&rig, after).await;
    assert_eq!(seqs(&[reply.event().await.unwrap()]), [1]);
    rig.set("now", json!({ "do": "restart", "reap": true })).await;
    rig.set("now", json!({ "do": "online" })).await;
    let rest = whole(&rig, 1).await;
    assert_eq!(kinds(&rest).last(), Some(&"error"));
    assert_eq!(seqs(&rest), (2..2 + rest.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn refusals_have_no_effect_and_paths_have_names_of_their_own() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100, "seed": 3 })).await;
    for (path, steps) in [
        (
            "env-send",
            json!([{ "status": { "code": 503, "retryAfter": 2 } }, { "status": { "code": 502, "afterEffect": true } }]),
        ),
        ("env-stream", json!([{ "unknownRun": true }, { "htmlPage": true }])),
        ("env-status", json!([{ "unknownRun": true }])),
        ("env-events", json!([{ "unknownRun": true }])),
        ("env-active", json!([{ "status": { "code": 500 } }])),
        ("env-respond", json!([{ "status": { "code": 500 } }])),
        ("env-stop", json!([{ "status": { "code": 500 } }, { "cut": { "beforeHeaders": true, "how": "rst" } }])),
    ] {
        rig.set("faults", json!({ "scope": { "path": path, "sessionId": null }, "steps": steps })).await;
    }
    assert_eq!(send_body(&rig, body()).await.status, 503);
    assert_eq!(rig.ask("counters").await["runsStarted"], 0);
    assert_eq!(send_body(&rig, body()).await.status, 502);
    assert_eq!(send_body(&rig, body()).await.status, 409, "it had its effect");
    let message = rig.ask("runs").await[0]["runId"].as_str().unwrap().to_owned();
    for status in [404, 200] {
        assert_eq!(stream(&rig, 0).await.status, status);
    }
    let status = async || rig.get(&path("status")).await.json().await["has_active_task"].clone();
    assert_eq!((status().await, status().await), (json!(false), json!(true)));
    let events = format!("/api/v1/chat/messages/{message}/events");
    assert_eq!((rig.get(&events).await.status, rig.get(&events).await.status), (404, 200));
    assert_eq!(rig.get("/api/v1/chat/chats/active-streams").await.status, 500);
    let asked = path("permissions/p/respond");
    let respond = request(rig.app, "POST", &asked, &[], Some(json!({ "option_id": "a" }))).await.unwrap();
    assert_eq!(respond.status, 500);
    assert_eq!(stop(&rig).await, 500);
    assert_eq!(rig.ask("runs").await[0]["state"], "running");
    let lost = request(rig.app, "DELETE", &path("stream"), &[], None).await;
    assert_eq!(lost.err(), Some(End::Reset));
    assert_eq!(rig.truth(&message).await["terminal"], "cancelled");
    let counters = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    let count = |path: &str| counters["requests"][path].as_u64().unwrap();
    let counted =
        ["env-send", "env-stream", "env-status", "env-events", "env-active", "env-respond", "env-stop"].map(count);
    // The list of what streams names no chat.
    assert_eq!(counted, [3, 2, 2, 2, 0, 1, 2]);
    assert_eq!(rig.ask("counters").await["requests"]["env-active"], 1);
    let journal = rig.ask(&format!("requests?sessionId={SESSION}")).await;
    assert_eq!((&journal[3]["path"], &journal[3]["afterSeq"]), (&json!("env-stream"), &json!("0")));
}

#[tokio::test]
async fn a_scope_names_a_chat_or_a_message() {
    let rig = rig().await;
    let (message, _) = send(&rig).await;
    rig.set(
        "faults",
        json!({ "scope": { "sessionId": SESSION, "path": ["env-send", "env-events"] }, "steps": [{ "status": { "code": 503 } }] }),
    )
    .await;
    rig.set("faults", json!({ "scope": { "runId": message }, "steps": [{ "status": { "code": 500 } }] })).await;
    let other = json!({ "chat_id": "another", "prompt": "x" });
    assert_eq!(send_body(&rig, other).await.status, 200);
    let events = format!("/api/v1/chat/messages/{message}/events");
    assert_eq!(rig.get(&events).await.status, 503);
    assert_eq!(rig.get(&events).await.status, 500);
    assert_eq!(rig.get(&events).await.status, 200);
}
