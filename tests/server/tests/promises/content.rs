//! Content: the same for the same seed, and folded to the truth that a client must reach.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::client::{Event, Rig};

#[tokio::test]
async fn the_same_seed_says_the_same_on_another_server() {
    let mut truths = Vec::new();
    for seed in [7, 7, 8] {
        let rig = Rig::start(json!({ "events": 300, "eventsPerSecond": 0, "seed": seed })).await;
        truths.push(rig.finished_run().await.1);
    }
    assert_eq!(truths[0]["sha256"], truths[1]["sha256"]);
    assert_ne!(truths[0]["sha256"], truths[2]["sha256"]);
}

#[tokio::test]
async fn the_truth_is_what_a_reader_of_the_log_folds() {
    for json in ["plain", "html", "ascii"] {
        let recipe = json!({ "events": 500, "eventsPerSecond": 0, "toolCalls": 6, "interrupt": true, "json": json });
        let rig = Rig::start(recipe).await;
        let (run, truth) = rig.finished_run().await;
        let mut parts = fold(&rig.events(&run, None).await.whole().await.events());
        assert_eq!(parts, truth["parts"]);
        for part in parts.as_array_mut().unwrap() {
            part.as_object_mut().unwrap().retain(|name, _| name != "startedAt" && name != "endedAt");
        }
        // Serde writes members in order of their keys, as the documented hash wants them.
        let hash = Sha256::digest(parts.to_string().as_bytes());
        assert_eq!(truth["sha256"], hash.iter().map(|byte| format!("{byte:02x}")).collect::<String>());
        let blocks = parts.as_array().unwrap().iter().filter(|part| part["type"] == "text").cloned().collect();
        assert_eq!(truth["blocks"], Value::Array(blocks));
    }
}

#[tokio::test]
async fn halves_of_a_surrogate_pair_arrive_in_two_events_and_join() {
    let recipe = json!({ "events": 4_000, "eventsPerSecond": 0, "splitSurrogates": true });
    let rig = Rig::start(recipe).await;
    let (run, truth) = rig.finished_run().await;
    let log = rig.events(&run, None).await.whole().await.text();
    // Lone escapes are no Rust strings, so that this reads the contents as they are written.
    let contents = log
        .split("\"type\":\"content\",\"content\":\"")
        .skip(1)
        .filter_map(|rest| rest.split("\",\"timestamp\"").next());
    let contents: Vec<_> = contents.collect();
    assert!(contents.iter().any(|content| content.contains("\\ud83")), "no pair was split");
    let joined = format!("\"{}\"", contents.concat());
    assert_eq!(serde_json::from_str::<String>(&joined).unwrap(), truth["text"].as_str().unwrap());
}

/// Parts by the rules of the library, written down a second time.
fn fold(events: &[Event]) -> Value {
    let mut parts: Vec<Value> = Vec::new();
    let mut blocks = 0;
    let close = |parts: &mut Vec<Value>| {
        if let Some(part) = parts.last_mut().filter(|part| part["state"] == "streaming") {
            part["state"] = "done".into();
        }
    };
    for Event { name, data, .. } in events {
        match name.as_str() {
            "content" | "thinking" => {
                let kind = if name == "content" { "text" } else { "reasoning" };
                let goes_on = parts.last().is_some_and(|part| part["type"] == kind && part["state"] == "streaming");
                if !goes_on {
                    close(&mut parts);
                    let mut part = json!({ "type": kind, "state": "streaming", "text": "" });
                    if kind == "text" {
                        part["seq"] = blocks.into();
                        blocks += 1;
                    } else {
                        part["startedAt"] = data["timestamp"].clone();
                    }
                    parts.push(part);
                }
                if kind == "reasoning" {
                    parts.last_mut().unwrap()["endedAt"] = data["timestamp"].clone();
                }
                let text = &mut parts.last_mut().unwrap()["text"];
                *text = format!("{}{}", text.as_str().unwrap(), data["content"].as_str().unwrap()).into();
            }
            "tool_start" => {
                close(&mut parts);
                let tool = &data["tool"];
                parts.push(json!({
                    "type": "tool", "callId": tool["callId"], "name": tool["name"], "agentName": tool["agentName"],
                    "arguments": tool["arguments"], "result": null, "error": null, "durationMs": null, "state": "running",
                }));
            }
            "tool_end" => {
                let tool = &data["tool"];
                let part = parts.iter_mut().find(|part| part["callId"] == tool["callId"]).unwrap();
                for key in ["result", "error", "durationMs"] {
                    part[key] = tool[key].clone();
                }
                part["state"] = if tool["error"].is_null() { "done" } else { "failed" }.into();
            }
            "citation" | "interrupt" => {
                close(&mut parts);
                let mut part = json!({ "type": name });
                part[name] = data[name].clone();
                parts.push(part);
            }
            _ => close(&mut parts),
        }
    }
    parts.into()
}
