//! The feed of active runs, the index behind it, and what goes wrong with it.

use serde_json::{Value, json};

use crate::client::{End, Event, OTHER_SESSION, Reply, Rig, SESSION, request};

const FEED: &str = "/bi-chat/stream/active-runs";

async fn rig() -> Rig {
    Rig::start(json!({ "events": 4_000, "eventsPerSecond": 100 })).await
}

/// Opens the feed; its snapshot rows and what follows them.
async fn open(rig: &Rig, rows: usize) -> (Vec<Event>, Reply) {
    let mut reply = rig.get(FEED).await;
    assert_eq!((reply.status, reply.headers["content-type"].as_str()), (200, "text/event-stream"));
    rig.until("active-runs", |index| index["feeds"] != 0).await;
    let mut snapshot = Vec::new();
    for _ in 0..rows {
        snapshot.push(reply.event().await.unwrap());
    }
    assert!(snapshot.iter().all(|row| row.name == "snapshot"));
    (snapshot, reply)
}

fn row(session: &str, run: &str, status: &str, updated_at: u64) -> Value {
    json!({ "sessionId": session, "runId": run, "status": status, "updatedAt": updated_at })
}

async fn tell(rig: &Rig, rows: &[Value]) {
    rig.set("active-runs", json!({ "rows": rows })).await;
}

async fn truth(rig: &Rig) -> Value {
    rig.ask("active-runs").await["rows"].clone()
}

/// The next update's session, run and status.
async fn update(reply: &mut Reply) -> [String; 3] {
    let event = reply.event().await.unwrap();
    assert_eq!((event.id, event.name.as_str()), (None, "update"));
    ["sessionId", "runId", "status"].map(|key| event.data[key].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn a_run_is_told_from_its_start_to_its_end_and_forgotten() {
    let rig = rig().await;
    let (_, mut feed) = open(&rig, 0).await;
    let run = rig.start_run().await;
    assert_eq!(update(&mut feed).await, [SESSION, &run, "queued"]);
    assert_eq!(update(&mut feed).await, [SESSION, &run, "streaming"]);
    let (late, mut second) = open(&rig, 1).await;
    assert_eq!((&late[0].data["runId"], &late[0].data["status"]), (&json!(run), &json!("streaming")));
    assert_eq!(json!([late[0].data]), truth(&rig).await);
    rig.post("stream/stop", json!({ "sessionId": SESSION })).await;
    for feed in [&mut feed, &mut second] {
        assert_eq!(update(feed).await, [SESSION, &run, "cancelled"]);
    }
    assert_eq!(truth(&rig).await, json!([]));
}

#[tokio::test]
async fn the_wire_is_that_of_the_protocol() {
    let rig = rig().await;
    tell(&rig, &[row("s1", "r1", "streaming", 1_712_345_678_001)]).await;
    let (_, feed) = open(&rig, 0).await;
    tell(&rig, &[row("s1", "r1", "completed", 1_712_345_678_002)]).await;
    rig.set("reset", json!({})).await;
    let whole = feed.whole().await;
    assert_eq!(
        (whole.text().as_str(), whole.end),
        (
            ": stream-open\n\n\
             event: snapshot\ndata: {\"sessionId\":\"s1\",\"runId\":\"r1\",\"status\":\"streaming\",\"updatedAt\":1712345678001}\n\n\
             event: update\ndata: {\"sessionId\":\"s1\",\"runId\":\"r1\",\"status\":\"completed\",\"updatedAt\":1712345678002}\n\n",
            End::Clean
        )
    );
}

#[tokio::test]
async fn a_new_run_of_a_session_replaces_its_row_and_outlives_the_end_of_the_old_one() {
    let rig = rig().await;
    let first = rig.start_run().await;
    rig.until("active-runs", |index| index["rows"][0]["status"] == "streaming").await;
    let (_, mut feed) = open(&rig, 1).await;
    tell(&rig, &[json!({ "sessionId": SESSION, "runId": "later", "status": "queued" })]).await;
    assert_eq!(update(&mut feed).await, [SESSION, "later", "queued"]);
    rig.post("stream/stop", json!({ "sessionId": SESSION })).await;
    assert_eq!(update(&mut feed).await, [SESSION, &first, "cancelled"]);
    assert_eq!(truth(&rig).await[0]["runId"], "later");
}

#[tokio::test]
async fn a_delta_that_is_not_later_than_what_was_told_is_dropped_so_that_a_run_can_end_unheard() {
    let rig = rig().await;
    tell(&rig, &[row("ghost", "r", "streaming", 500), row("other", "r", "streaming", 500)]).await;
    let (_, mut feed) = open(&rig, 2).await;
    tell(
        &rig,
        &[row("ghost", "r", "completed", 500), row("other", "r", "streaming", 499), row("other", "r", "failed", 501)],
    )
    .await;
    // What was dropped comes neither before this nor behind it.
    assert_eq!(update(&mut feed).await, ["other", "r", "failed"]);
    tell(&rig, &[row("last", "r", "queued", 1)]).await;
    assert_eq!(update(&mut feed).await, ["last", "r", "queued"]);
    let index = truth(&rig).await;
    assert_eq!((index.as_array().unwrap().len(), &index[0]["sessionId"]), (1, &json!("last")));
}

#[tokio::test]
async fn with_ties_the_end_of_a_real_run_goes_unheard_and_its_status_tells() {
    let rig = rig().await;
    let run = rig.start_run().await;
    rig.until("active-runs", |index| index["rows"][0]["status"] == "streaming").await;
    let (_, mut feed) = open(&rig, 1).await;
    rig.set("active-runs", json!({ "ties": true })).await;
    let status = async || rig.get(&format!("/bi-chat/stream/status?sessionId={SESSION}")).await.json().await;
    assert_eq!(status().await["runId"], run);
    rig.post("stream/stop", json!({ "sessionId": SESSION })).await;
    rig.until("active-runs", |index| index["rows"] == json!([])).await;
    assert_eq!(status().await, json!({ "active": false }));
    tell(&rig, &[row("last", "r", "queued", 1)]).await;
    assert_eq!(update(&mut feed).await, ["last", "r", "queued"]);
}

#[tokio::test]
async fn a_row_that_was_set_is_active_for_who_asks() {
    let rig = rig().await;
    tell(&rig, &[row(OTHER_SESSION, "r", "streaming", 7)]).await;
    let path = format!("/bi-chat/stream/status?sessionId={OTHER_SESSION}");
    assert_eq!(rig.get(&path).await.json().await, json!({ "active": true, "runId": "r", "startedAt": 7 }));
    rig.set("active-runs", json!({ "rows": [row(OTHER_SESSION, "r", "failed", 8)] })).await;
    assert_eq!(rig.get(&path).await.json().await, json!({ "active": false }));
}

#[tokio::test]
async fn a_row_can_be_hidden_from_the_feeds_or_from_the_index() {
    let rig = rig().await;
    let (_, mut feed) = open(&rig, 0).await;
    rig.set("active-runs", json!({ "reach": "index", "rows": [row("a", "r", "streaming", 5)] })).await;
    rig.set("active-runs", json!({ "reach": "feeds", "rows": [row("b", "r", "paused", 5)] })).await;
    assert_eq!(update(&mut feed).await, ["b", "r", "paused"]);
    assert_eq!(truth(&rig).await, json!([row("a", "r", "streaming", 5)]));
}

#[tokio::test]
async fn anything_can_be_said_on_the_feeds_as_often_and_as_late_as_wanted() {
    let rig = rig().await;
    let (_, mut feed) = open(&rig, 0).await;
    let stale = row("a", "r", "streaming", 1).to_string();
    rig.set(
        "active-runs",
        json!({
            "rows": [row("a", "r", "streaming", 9)],
            "say": [{ "data": stale }, { "data": stale }, { "data": "{\"sessionId\":" }, { "event": "snapshot", "data": stale }],
        }),
    )
    .await;
    let mut events = Vec::new();
    for _ in 0..5 {
        events.push(feed.event().await.unwrap());
    }
    let told: Vec<_> = events.iter().map(|event| (event.name.as_str(), event.data["updatedAt"].as_u64())).collect();
    let update = |at| ("update", at);
    assert_eq!(told, [update(Some(9)), update(Some(1)), update(Some(1)), update(None), ("snapshot", Some(1))]);
}

#[tokio::test]
async fn ten_thousand_rows_and_fifty_thousand_changes_end_at_the_truth() {
    let rig = rig().await;
    rig.set("active-runs", json!({ "fill": 10_000 })).await;
    let (snapshot, mut feed) = open(&rig, 10_000).await;
    let mut rows: std::collections::BTreeMap<String, Value> = std::collections::BTreeMap::new();
    let key = |event: &Event| event.data["sessionId"].as_str().unwrap().to_owned();
    rows.extend(snapshot.iter().map(|event| (key(event), event.data.clone())));
    rig.set("active-runs", json!({ "churn": { "updates": 50_000, "sessions": 1_000, "seed": 3 } })).await;
    for _ in 0..50_000 {
        let event = feed.event().await.unwrap();
        match event.data["status"].as_str().unwrap() {
            "queued" | "streaming" => drop(rows.insert(key(&event), event.data)),
            _ => drop(rows.remove(&key(&event))),
        }
    }
    assert!(rows.len() > 9_000 && rows.len() < 10_000);
    assert_eq!(truth(&rig).await, Value::from_iter(rows.into_values()));
}

#[tokio::test]
async fn changes_come_at_their_pace_until_the_index_is_cleared() {
    let rig = rig().await;
    let (_, mut feed) = open(&rig, 0).await;
    rig.set("active-runs", json!({ "fill": 3, "churn": { "updates": 1_000_000, "sessions": 3, "perSecond": 500 } }))
        .await;
    for _ in 0..30 {
        update(&mut feed).await;
    }
    let cleared = request(rig.control, "DELETE", "/control/active-runs", &[], None).await.unwrap();
    assert_eq!(cleared.status, 200);
    assert_eq!(truth(&rig).await, json!([]), "nobody is told, and nothing more comes");
    assert_eq!(truth(&rig).await, json!([]));
}

#[tokio::test]
async fn heartbeats_are_comments() {
    let rig = Rig::start(json!({ "heartbeatMs": 20 })).await;
    let (_, mut feed) = open(&rig, 0).await;
    let mut seen = String::new();
    while !seen.contains(": ping\n\n") {
        seen.push_str(&String::from_utf8(feed.chunk().await.unwrap().unwrap()).unwrap());
    }
    assert_eq!(seen.replace(": ping\n\n", ""), ": stream-open\n\n");
}

#[tokio::test]
async fn a_feed_is_refused_as_servers_refuse_it() {
    let rig = rig().await;
    rig.script(
        "active-runs",
        json!([{ "indexUnavailable": true }, { "status": { "code": 503, "retryAfter": 2 } }, { "htmlPage": true }]),
    )
    .await;
    let unavailable = rig.get(FEED).await;
    assert_eq!(unavailable.status, 200);
    assert_eq!(
        unavailable.whole().await.text(),
        ": stream-open\n\nevent: error\ndata: {\"error\":\"active-run index unavailable\"}\n\n"
    );
    let busy = rig.get(FEED).await;
    assert_eq!((busy.status, busy.headers["retry-after"].as_str()), (503, "2"));
    assert!(rig.get(FEED).await.headers["content-type"].starts_with("text/html"));
    rig.set("config", json!({ "activeRuns": false })).await;
    assert_eq!(rig.get(FEED).await.status, 404);
    rig.set("config", json!({ "activeRuns": true, "auth": { "tokens": ["t"] } })).await;
    assert_eq!(rig.get(FEED).await.status, 401);
    let let_in = rig.try_get(FEED, &[("Authorization", "Bearer t")]).await.unwrap();
    assert_eq!(let_in.status, 200);
    let counters = rig.ask("counters").await;
    assert_eq!((&counters["requests"]["active-runs"], &counters["openActiveRuns"]["total"]), (&json!(6), &json!(1)));
}

#[tokio::test]
async fn a_feed_is_cut_silenced_and_spoiled_row_by_row() {
    let rig = rig().await;
    let rows: Vec<_> = (1..=5).map(|n| row(&format!("s{n}"), "r", "streaming", n)).collect();
    tell(&rig, &rows).await;
    rig.script(
        "active-runs",
        json!([
            { "cut": { "afterEvents": 3, "how": "rst" } },
            { "cut": { "afterEvents": 2, "into": 9, "how": "drop" } },
            { "stall": { "afterEvents": 4 } },
            { "duplicate": 2, "malformed": { "at": 1 }, "wrongTypes": { "at": 5 } },
            { "reorder": 2 },
            { "drop": 5 },
        ]),
    )
    .await;
    let cut = rig.get(FEED).await.whole().await;
    assert_eq!((cut.events().len(), cut.end), (3, End::Reset));
    let cut = rig.get(FEED).await.whole().await;
    assert_eq!((cut.events().len(), cut.end), (2, End::Truncated));
    assert!(cut.text().ends_with("\n\nevent: sn"));
    let (_, mut silent) = open(&rig, 4).await;
    tell(&rig, &[row("s6", "r", "streaming", 6)]).await;
    silent.assert_silent().await;
    let mut spoiled = rig.get(FEED).await;
    let mut told = Vec::new();
    for _ in 0..11 {
        let event = spoiled.event().await.unwrap();
        told.push(event.data["sessionId"].as_str().map_or_else(|| event.name.clone(), str::to_owned));
    }
    assert_eq!(told, ["update", "s1", "s2", "s2", "s3", "s4", "s4", "update", "s5", "s6", "s6"]);
    let sessions = async |count: usize| -> Vec<u64> {
        let (rows, _feed) = open(&rig, count).await;
        rows.iter().map(|row| row.data["updatedAt"].as_u64().unwrap()).collect()
    };
    // The sixth waits for one behind it.
    assert_eq!(sessions(5).await, [1, 3, 2, 5, 4]);
    assert_eq!(sessions(5).await, [1, 2, 3, 4, 6]);
}

#[tokio::test]
async fn the_feeds_alone_can_be_cut() {
    let rig = rig().await;
    let run = rig.start_run().await;
    let mut log = rig.events(&run, None).await;
    log.event().await.unwrap();
    let (_, feed) = open(&rig, 1).await;
    let cut = rig.set("now", json!({ "do": "cut", "how": "rst", "path": "active-runs" })).await;
    assert_eq!(cut["cut"], 1);
    assert_eq!(feed.whole().await.end, End::Reset);
    for _ in 0..20 {
        log.event().await.unwrap();
    }
}

#[tokio::test]
async fn connections_are_counted_by_what_they_are_to_the_client() {
    let rig = rig().await;
    let run = rig.start_run().await;
    let mut log = rig.events(&run, None).await;
    log.event().await.unwrap();
    let first = open(&rig, 1).await;
    let second = open(&rig, 1).await;
    let gauge = |now: u64, peak: u64, total: u64| json!({ "now": now, "peak": peak, "total": total });
    drop(first);
    rig.until("counters", |all| all["openActiveRuns"] == gauge(1, 2, 2)).await;
    let third = open(&rig, 1).await;
    let all = rig.ask("counters").await;
    assert_eq!((&all["openRunEvents"], &all["openActiveRuns"]), (&gauge(1, 1, 1), &gauge(2, 2, 3)));
    assert_eq!((&all["openSockets"], &all["openStreams"]["now"]), (&gauge(0, 0, 0), &json!(3)));
    let of_session = rig.ask(&format!("counters?sessionId={SESSION}")).await;
    assert_eq!((&of_session["openRunEvents"], &of_session["openActiveRuns"]), (&gauge(1, 1, 1), &gauge(0, 0, 0)));
    // What ends after a reset was open before it, and is not counted.
    rig.set("reset", json!({})).await;
    let (_, fourth) = open(&rig, 0).await;
    for ended in [second.1, third.1, log] {
        ended.whole().await;
    }
    assert_eq!(rig.ask("counters").await["openActiveRuns"], gauge(1, 1, 1));
    drop(fourth);
}
