//! Counts of what happened.

use serde_json::json;

use crate::client::{OTHER_SESSION, Rig, SESSION, message};

#[tokio::test]
async fn connections_and_streams_are_counted_with_their_peaks() {
    let rig = Rig::start(json!({ "events": 4_000, "eventsPerSecond": 50 })).await;
    let run = rig.start_run().await;
    let mut one = rig.events(&run, None).await;
    let mut two = rig.events(&run, None).await;
    one.event().await.unwrap();
    two.event().await.unwrap();
    let counters = rig.ask("counters").await;
    assert_eq!(counters["connections"], json!({ "accepted": 2, "open": 2, "peakOpen": 2 }));
    assert_eq!(counters["openStreams"], json!({ "now": 2, "peak": 2, "total": 2 }));
    drop(one);
    let counters = rig.until("counters", |counters| counters["connections"]["open"] == 1).await;
    assert_eq!(counters["connections"]["peakOpen"], 2);
    let counters = rig.until("counters", |counters| counters["runs"][&run]["now"] == 1).await;
    assert_eq!(counters["runs"][&run], json!({ "now": 1, "peak": 2, "total": 2 }));
}

#[tokio::test]
async fn requests_are_counted_for_each_session() {
    let rig = Rig::start(json!({ "events": 5, "eventsPerSecond": 0 })).await;
    rig.post("stream", message()).await.whole().await;
    for session in [SESSION, OTHER_SESSION, OTHER_SESSION] {
        rig.get(&format!("/bi-chat/stream/status?sessionId={session}")).await;
    }
    rig.post("stream/stop", json!({ "sessionId": SESSION })).await;
    let all = rig.ask("counters").await;
    assert_eq!((&all["requests"]["status"], &all["requests"]["stream"]), (&json!(3), &json!(1)));
    let other = rig.ask(&format!("counters?sessionId={OTHER_SESSION}")).await;
    assert_eq!((&other["requests"]["status"], &other["requests"]["stream"]), (&json!(2), &json!(0)));
    assert_eq!(other["statuses"]["200"], 2);
    let journal = rig.ask(&format!("requests?sessionId={SESSION}")).await;
    let paths: Vec<_> = journal.as_array().unwrap().iter().map(|request| request["path"].clone()).collect();
    assert_eq!(paths, ["stream", "status", "stop"]);
    let runs = rig.ask(&format!("runs?sessionId={SESSION}")).await;
    assert_eq!((&runs[0]["runId"], &runs[0]["events"]), (&journal[0]["runId"], &json!(5)));
}
