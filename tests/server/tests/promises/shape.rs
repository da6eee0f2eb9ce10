//! Bytes and events that arrive in unusual shapes.

use serde_json::json;

use crate::client::{Rig, SESSION, outline, text};

async fn rig() -> (Rig, String) {
    let rig = Rig::start(json!({ "events": 40, "eventsPerSecond": 0 })).await;
    let (run, _) = rig.finished_run().await;
    (rig, run)
}

#[tokio::test]
async fn splits_are_chunks_of_their_own_and_lose_nothing() {
    let (rig, run) = rig().await;
    let whole = rig.events(&run, None).await.whole().await;
    rig.script(
        "events",
        json!([{ "splitEvery": 7 }, { "splitAt": [1, 3, 20], "splitGapMs": 2 }, { "drip": { "bytes": 100, "everyMs": 1 } }]),
    )
    .await;
    let every = rig.events(&run, None).await.whole().await;
    assert_eq!(every.bytes, whole.bytes);
    // A piece never reaches over the end of a frame.
    assert!(every.chunks.iter().all(|&size| size <= 7));
    assert!(every.chunks.len() >= whole.bytes.len() / 7);
    let at = rig.events(&run, None).await.whole().await;
    assert_eq!(at.bytes, whole.bytes);
    assert_eq!(at.chunks[..3], [1, 2, 12]);
    assert_eq!(at.chunks[3], 5, "the fourth piece begins a frame and ends at byte 20");
    let drip = rig.events(&run, None).await.whole().await;
    assert_eq!(drip.bytes, whole.bytes);
    assert!(drip.chunks.iter().all(|&size| size <= 100));
}

#[tokio::test]
async fn events_share_a_chunk_as_the_recipe_allows() {
    let rig = Rig::start(json!({ "events": 40, "eventsPerSecond": 0, "chunkEvents": 4 })).await;
    let (run, _) = rig.finished_run().await;
    assert_eq!(rig.events(&run, None).await.whole().await.chunks.len(), 10);
    rig.set("runs", json!({ "sessionId": SESSION, "chunkEvents": 0, "events": 2_000 })).await;
    let (run, _) = rig.finished_run().await;
    let whole = rig.events(&run, None).await.whole().await;
    assert_eq!(whole.events().len(), 2_000);
    assert!(whole.chunks.len() < 100, "{} chunks", whole.chunks.len());
}

#[tokio::test]
async fn line_ends_bom_and_retry() {
    let (rig, run) = rig().await;
    let plain = rig.events(&run, None).await.whole().await.text();
    rig.script("events", json!([{ "crlf": "crlf" }, { "crlf": "cr" }, { "bom": true, "retry": 200 }])).await;
    assert_eq!(rig.events(&run, None).await.whole().await.text(), plain.replace('\n', "\r\n"));
    assert_eq!(rig.events(&run, None).await.whole().await.text(), plain.replace('\n', "\r"));
    assert_eq!(rig.events(&run, None).await.whole().await.text(), format!("\u{feff}retry: 200\n\n{plain}"));
}

#[tokio::test]
async fn replays_of_events_already_seen() {
    let (rig, run) = rig().await;
    let all = rig.events(&run, None).await.whole().await.events();
    let cursor = all[19].id.as_deref();
    rig.script("events", json!([{ "replaySeen": 5 }, { "ignoreCursor": true }])).await;
    assert_eq!(rig.events(&run, cursor).await.whole().await.events(), all[15..]);
    assert_eq!(rig.events(&run, cursor).await.whole().await.events(), all);
}

#[tokio::test]
async fn duplicated_reordered_and_missing_events() {
    let (rig, run) = rig().await;
    let all = rig.events(&run, None).await.whole().await.events();
    rig.script("events", json!([{ "duplicate": 10 }, { "reorder": 10 }, { "drop": 10 }])).await;
    let twice = rig.events(&run, None).await.whole().await.events();
    assert_eq!(twice.len(), 43, "every tenth but the terminal one");
    assert_eq!(twice[9], twice[10]);
    let swapped = rig.events(&run, None).await.whole().await.events();
    assert_eq!((&swapped[9], &swapped[10]), (&all[10], &all[9]));
    assert_eq!(swapped.len(), 40);
    let fewer = rig.events(&run, None).await.whole().await.events();
    assert_eq!((fewer.len(), &fewer[9]), (37, &all[10]));
}

#[tokio::test]
async fn broken_events_are_put_in_and_replace_nothing() {
    let (rig, run) = rig().await;
    let truth = rig.truth(&run).await;
    rig.script(
        "events",
        json!([{ "malformed": { "at": 3, "data": "{oops" } }, { "wrongTypes": { "at": 3 } }, { "hugeFrame": { "at": 3, "bytes": 300_000 } }]),
    )
    .await;
    for broken in ["content", "content", "padding"] {
        let events = rig.events(&run, None).await.whole().await.events();
        assert_eq!(events.len(), 41);
        assert_eq!((events[2].name.as_str(), &events[2].id), (broken, &None));
        assert_eq!(text(&events), truth["text"]);
    }
}

#[tokio::test]
async fn faults_combine() {
    let (rig, run) = rig().await;
    rig.script("events", json!([{ "crlf": "crlf", "splitEvery": 1, "cut": { "afterBytes": 50, "how": "fin" } }])).await;
    let whole = rig.events(&run, None).await.whole().await;
    assert_eq!(whole.chunks, [1; 50]);
    assert!(whole.text().starts_with(": stream-open\r\n\r\nid: "));
    assert!(outline(&whole.events()).is_empty());
}
